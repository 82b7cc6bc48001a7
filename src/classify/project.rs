//! What the manifests around a file say of it.
//!
//! The nearest manifest of a name decides; one of the same name above it belongs to another project.

use super::compiled::{Compiled, Matched};
use super::evidence::{fill, join, short};
use super::manifest;
use super::rules::Project;
use crate::side::{Facts, Folder, Piece};
use bstr::ByteSlice as _;
use std::collections::{BTreeMap, BTreeSet};

/// The pieces that `facts` give for the file at `path`: the nearest folder that says anything speaks in full, those above by half.
pub fn says(rules: &Compiled, path: &str, facts: &Facts) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    let mut divisor = 1;
    for folder in &facts.folders {
        let told = of_folder(rules, folder, path, &seen);
        // A manifest ends the reach of those of its name above it: that is another project.
        seen.extend(folder.manifests.iter().map(|(name, _)| name.as_str()));
        pieces.extend(told.iter().map(|(piece, inherits)| {
            let divisor = if *inherits { 1 } else { divisor };
            Piece { weight: piece.weight / divisor, ..piece.clone() }
        }));
        divisor = if told.iter().all(|(_, inherits)| *inherits) { divisor } else { 2 };
    }
    pieces
}

/// What the manifests of `folder` say of the file at `path`, and whether it is inherited; those in `seen` speak of another project.
fn of_folder(rules: &Compiled, folder: &Folder, path: &str, seen: &[&str]) -> Vec<(Piece, bool)> {
    let below = path.strip_prefix(folder.path.as_str()).unwrap_or(path).trim_start_matches('/');
    let about = rules.projects.iter().filter(|rule| rule.rule.loads || rule.is_about(below));
    let named = about.flat_map(|rule| names(rule, folder).into_iter().map(move |name| (rule, name)));
    let own = named.filter(|(rule, name)| rule.rule.loads || rule.rule.inherits || !seen.contains(name));
    let mut known = BTreeMap::new();
    let told = own.filter_map(|(rule, name)| {
        let why = sentence(rule, folder, (name, path), &mut known)?;
        Some((
            Piece { side: rule.rule.side, weight: rule.rule.weight, why },
            rule.rule.inherits && seen.contains(&name),
        ))
    });
    told.collect()
}

/// The names in `folder` that `rule` takes for its manifest.
fn names<'f>(rule: &Matched<Project>, folder: &'f Folder) -> Vec<&'f str> {
    let is_plain = rule.rule.depends.is_empty() && rule.rule.unless.is_empty() && rule.rule.contains.is_none();
    let listed = folder.names.iter().map(String::as_str).filter(|_| is_plain);
    let read = folder.manifests.iter().map(|(name, _)| name.as_str());
    let mut names: Vec<&str> = listed.chain(read).filter(|name| rule.is_manifest(name)).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// The sentence of `rule` about the file at `path` if the manifest `name` of `folder` meets it; `known` holds what was read.
fn sentence<'f>(
    rule: &Matched<Project>,
    folder: &Folder,
    (name, path): (&'f str, &str),
    known: &mut BTreeMap<&'f str, BTreeSet<String>>,
) -> Option<String> {
    let manifest = join(&folder.path, name.trim_end_matches('/'));
    let text = folder.manifest(name).unwrap_or_default();
    let mut found = String::new();
    if !rule.rule.depends.is_empty() || !rule.rule.unless.is_empty() {
        let dependencies = known.entry(name).or_insert_with(|| manifest::dependencies(name, text));
        if rule.rule.unless.iter().any(|unwanted| dependencies.contains(unwanted)) {
            return None;
        }
        if !rule.rule.depends.is_empty() {
            found.clone_from(rule.rule.depends.iter().find(|wanted| dependencies.contains(*wanted))?);
        }
    }
    if rule.rule.contains.is_some() {
        found = held(rule, folder, text, path)?;
    }
    Some(fill(&rule.rule.why, &[("{manifest}", &manifest), ("{name}", &found)]))
}

/// What the pattern of `rule` finds in `text`, the manifest of `folder`; of a rule that loads files, the file at `path`.
fn held(rule: &Matched<Project>, folder: &Folder, text: &[u8], path: &str) -> Option<String> {
    let mut found = rule.pattern()?.captures_iter(text);
    if rule.rule.loads {
        let loaded =
            |group: regex::bytes::Match<'_>| is_at(&resolve(&folder.path, group.as_bytes()), &folder.path, path);
        return found
            .filter_map(|found| found.get(1))
            .find(|group| loaded(*group))
            .map(|group| short(group.as_bytes()));
    }
    let first = found.next()?;
    Some(first.get(1).map_or_else(String::new, |group| short(group.as_bytes())))
}

/// Whether the file at `path` is what `named` says or lies below it; a reference to the manifest's own folder says nothing.
fn is_at(named: &str, folder: &str, path: &str) -> bool {
    path == named || (named != folder && path.strip_prefix(named).is_some_and(|below| below.starts_with('/')))
}

/// The path below the top that a reference in a file of `folder` names.
fn resolve(folder: &str, reference: &[u8]) -> String {
    let reference = reference.to_str_lossy();
    let reference = reference.split(['?', '#']).next().unwrap_or_default();
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in reference.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            name => parts.push(name),
        }
    }
    parts.join("/")
}
