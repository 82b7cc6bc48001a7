//! From the names people give commits to commits: refs, abbreviated names, and steps back from either.
//!
//! Of git's notation, `~N`, `^N`, `^{}` and `^{commit}` behind a name; neither dates nor searches.

use super::refs::Refs;
use crate::source::objects::{Objects, Odb as _};
use gix_hash::ObjectId;
use gix_object::{CommitRefIter, Kind, TagRefIter};

const TAGS_MAX: usize = 16;
/// Where a short name is looked for, in order; see gitrevisions(7).
const PLACES: [(&str, &str); 6] = [
    ("", ""),
    ("refs/", ""),
    ("refs/tags/", ""),
    ("refs/heads/", ""),
    ("refs/remotes/", ""),
    ("refs/remotes/", "/HEAD"),
];

/// What a name leads to.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// A commit.
    pub commit: ObjectId,
    /// Annotated tags on the way.
    pub tags: Vec<ObjectId>,
}

/// What tags lead to.
#[derive(Clone, Debug)]
pub struct Followed {
    /// What it is; no tag.
    pub kind: Kind,
    /// Its name.
    pub id: ObjectId,
    /// Annotated tags on the way.
    pub tags: Vec<ObjectId>,
}

/// The commit that `text` names; the error is a short sentence.
pub fn resolve(text: &str, refs: &Refs, objects: &Objects) -> Result<Resolved, String> {
    let end = text.find(['~', '^']).unwrap_or(text.len());
    let (name, mut steps) = text.split_at(end);
    let mut resolved = peel(start(name, refs, objects)?, objects)?;
    while !steps.is_empty() {
        // Every name leads to a commit here already.
        if let Some(rest) = ["^{}", "^{commit}"].iter().find_map(|peeled| steps.strip_prefix(peeled)) {
            steps = rest;
            continue;
        }
        let (sign, rest) = steps.split_at(1);
        let digits = rest.len() - rest.trim_start_matches(|one: char| one.is_ascii_digit()).len();
        let number: usize = if digits == 0 { 1 } else { rest[..digits].parse().map_err(|_| "a number too large")? };
        steps = &rest[digits..];
        if !steps.is_empty() && !steps.starts_with(['~', '^']) {
            return Err(format!("`{text}` is not understood"));
        }
        let (times, parent) = if sign == "~" { (number, 1) } else { (1, number) };
        for _ in 0..times {
            if parent > 0 {
                resolved.commit = parents(&resolved.commit, objects)?
                    .get(parent - 1)
                    .copied()
                    .ok_or_else(|| format!("`{text}`: there is no such parent"))?;
                resolved.tags.clear();
            }
        }
    }
    // What a step leads to may be cut off.
    parents(&resolved.commit, objects)?;
    Ok(resolved)
}

fn start(name: &str, refs: &Refs, objects: &Objects) -> Result<ObjectId, String> {
    let name = match name {
        "" | "@" => "HEAD",
        name => name,
    };
    // A whole name is never a ref's: whoever may push one could stand it in the place of the commit that was meant.
    if let Some(id) = ObjectId::from_hex(name.as_bytes()).ok().filter(|id| id.kind() == objects.object_hash()) {
        return Ok(id);
    }
    for (before, behind) in PLACES {
        if let Some(id) = refs.find(format!("{before}{name}{behind}").as_bytes()) {
            return Ok(id);
        }
    }
    // Heads that are no refs, such as FETCH_HEAD, are told like logs.
    if let Some(logged) = refs.logs.iter().find(|logged| name.ends_with("_HEAD") && logged.name == name.as_bytes()) {
        return Ok(logged.target);
    }
    let is_short = name.len() >= 4 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    match (if is_short { objects.starting_with(name) } else { Vec::new() }).as_slice() {
        [] => Err(format!("`{name}` is not in this repository")),
        [id] => Ok(*id),
        _ => Err(format!("`{name}` is the start of more than one name")),
    }
}

fn peel(id: ObjectId, objects: &Objects) -> Result<Resolved, String> {
    match follow(id, objects)? {
        Followed { kind: Kind::Commit, id, tags } => Ok(Resolved { commit: id, tags }),
        Followed { kind, .. } => Err(format!("{id} is a {kind}, and no commit")),
    }
}

/// What `id` leads to through annotated tags; the error is a short sentence.
pub fn follow(id: ObjectId, objects: &Objects) -> Result<Followed, String> {
    let (mut at, mut tags, mut bytes) = (id, Vec::new(), Vec::new());
    for _ in 0..TAGS_MAX {
        match objects.read(&at, &mut bytes)? {
            Some(Kind::Tag) => {
                tags.push(at);
                let target = TagRefIter::from_bytes(&bytes, objects.object_hash()).target_id();
                at = target.map_err(|error| error.to_string())?;
            }
            Some(kind) => return Ok(Followed { kind, id: at, tags }),
            None => return Err(format!("{at} is not in this repository")),
        }
    }
    Err(format!("{id} goes through too many tags"))
}

fn parents(commit: &ObjectId, objects: &Objects) -> Result<Vec<ObjectId>, String> {
    let mut bytes = Vec::new();
    match objects.read(commit, &mut bytes)? {
        Some(Kind::Commit) => Ok(CommitRefIter::from_bytes(&bytes, objects.object_hash()).parent_ids().collect()),
        _ => Err(format!("{commit} is not in this repository")),
    }
}
