//! Gathers what speaks for each side, and weighs it.
//!
//! The highest weight decides; two sides with the same weight are `unknown`. What contradicts is told, not hidden.

use super::compiled::{Compiled, Matched};
use super::manifest;
use super::rules::{Project, Verdict};
use crate::blob::Part;
use crate::side::{Facts, Folder, Judgement, Side};
use bstr::ByteSlice as _;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Sentences that a judgement shows.
const SHOWN_MAX: usize = 6;
/// Parts before a key that are looked at for the one it stands in.
const NEAR_PARTS: usize = 16;
/// Characters of a name taken from a scanned file.
const NAME_MAX: usize = 80;

/// Evidence for one subject.
#[derive(Clone, Debug, Default)]
pub(super) struct Gathered {
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug)]
struct Piece {
    side: Side,
    weight: u32,
    why: String,
}

impl Gathered {
    /// What the file's name says.
    pub fn of_file(&mut self, rules: &Compiled, path: &str) {
        for rule in rules.files.iter().filter(|rule| rule.is_about(path)) {
            self.add(rule.rule.side, rule.rule.weight, rule.rule.why.clone());
        }
    }

    /// What the text says.
    pub fn of_text(&mut self, rules: &Compiled, path: &str, text: &[u8]) {
        for rule in rules.contents.iter().filter(|rule| rule.is_about(path)) {
            let Some(found) = rule.pattern().and_then(|pattern| pattern.captures(text)) else { continue };
            let name = found.get(1).map_or_else(String::new, |group| short(group.as_bytes()));
            self.add(rule.rule.side, rule.rule.weight, fill(&rule.rule.why, &[("{name}", &name)]));
        }
    }

    /// What the part of the file says that the key stands in.
    pub fn of_region(&mut self, regions: &Regions<'_>, key: &Range<usize>) {
        // Parts of one rule do not overlap, and those of another are few around any one place.
        let behind = regions.parts.partition_point(|(part, _)| part.start <= key.start);
        let near = regions.parts[behind.saturating_sub(NEAR_PARTS)..behind].iter().rev();
        let inside = near.into_iter().find(|(part, _)| part.contains(&key.start)).map(|(_, verdict)| *verdict);
        if let Some(verdict) = inside.or(regions.outside) {
            self.add(verdict.side, verdict.weight, verdict.why.clone());
        }
    }

    /// What manifests say: the nearest folder that has any evidence speaks in full, those above it by half.
    pub fn of_projects(&mut self, rules: &Compiled, path: &str, facts: &Facts) {
        let mut seen: Vec<&str> = Vec::new();
        let mut divisor = 1;
        for folder in &facts.folders {
            let told = folder_says(rules, folder, path, &seen);
            // A manifest ends the reach of those of its name above it: that is another project.
            seen.extend(folder.manifests.iter().map(|(name, _)| name.as_str()));
            let weight = divisor;
            divisor = if told.is_empty() { divisor } else { 2 };
            self.pieces.extend(told.into_iter().map(|piece| Piece { weight: piece.weight / weight, ..piece }));
        }
    }

    /// The highest weight.
    pub fn weight(&self) -> u32 {
        self.pieces.iter().map(|piece| piece.weight).max().unwrap_or(0)
    }

    /// The side with the highest weight.
    pub fn judge(mut self) -> Judgement {
        self.pieces.sort_by(|one, other| other.weight.cmp(&one.weight).then_with(|| one.why.cmp(&other.why)));
        self.pieces.dedup_by(|one, other| one.why == other.why);
        let Some(best) = self.pieces.first() else {
            let why = "nothing in the file or around it says where it runs".to_owned();
            return Judgement::new(Side::Unknown, vec![why]);
        };
        let is_tied = self.pieces.iter().any(|piece| piece.weight == best.weight && piece.side != best.side);
        let side = if is_tied { Side::Unknown } else { best.side };
        let (mut pro, contra): (Vec<&Piece>, Vec<&Piece>) =
            self.pieces.iter().partition(|piece| piece.side == best.side);
        pro.truncate(SHOWN_MAX / 2);
        let against = contra
            .iter()
            .take(SHOWN_MAX / 2)
            .map(|piece| format!("against it, for {}: {}", piece.side.as_str(), piece.why));
        let evidence = if is_tied {
            self.pieces
                .iter()
                .take(SHOWN_MAX)
                .map(|piece| format!("for {}: {}", piece.side.as_str(), piece.why))
                .collect()
        } else {
            pro.iter().map(|piece| piece.why.clone()).chain(against).collect()
        };
        Judgement::new(side, evidence)
    }

    fn add(&mut self, side: Side, weight: u32, why: String) {
        self.pieces.push(Piece { side, weight, why });
    }
}

/// The parts of one text that say more than the whole, such as what stands inside `<?php`.
#[derive(Debug, Default)]
pub(super) struct Regions<'r> {
    parts: Vec<(Range<usize>, &'r Verdict)>,
    outside: Option<&'r Verdict>,
}

impl<'r> Regions<'r> {
    /// Finds them in one pass a rule; a part that nothing closes goes to the end.
    pub fn new(rules: &'r Compiled, path: &str, text: &[u8], part: Part) -> Self {
        let mut regions = Self::default();
        for rule in rules.regions.iter().filter(|rule| rule.is_about(path)) {
            let (Some(open), Some(close)) = (rule.pattern(), rule.close()) else { continue };
            let mut from = 0;
            while let Some(opened) = open.find_at(text, from) {
                let closed = close.find_at(text, opened.end());
                regions
                    .parts
                    .push((opened.end()..closed.map_or(text.len(), |closed| closed.start()), &rule.rule.inside));
                // An empty match must not be found again.
                from = closed.map_or(text.len(), |closed| closed.end().max(opened.start() + 1));
            }
            let outside = rule.rule.outside.as_ref().filter(|_| part == Part::Start);
            regions.outside = regions.outside.or(outside);
        }
        regions.parts.sort_by_key(|(part, _)| part.start);
        regions
    }
}

/// What the manifests of `folder` say of the file at `path`; those in `seen` speak of another project.
fn folder_says(rules: &Compiled, folder: &Folder, path: &str, seen: &[&str]) -> Vec<Piece> {
    let below = path.strip_prefix(folder.path.as_str()).unwrap_or(path).trim_start_matches('/');
    let about = rules.projects.iter().filter(|rule| rule.rule.loads || rule.is_about(below));
    let named = about.flat_map(|rule| names(rule, folder).into_iter().map(move |name| (rule, name)));
    let own = named.filter(|(rule, name)| rule.rule.loads || !seen.contains(name));
    let mut known = BTreeMap::new();
    let told = own.filter_map(|(rule, name)| Some((rule, says(rule, folder, (name, path), &mut known)?)));
    told.map(|(rule, why)| Piece { side: rule.rule.side, weight: rule.rule.weight, why }).collect()
}

/// The names in `folder` that `rule` takes for its manifest.
fn names<'f>(rule: &Matched<Project>, folder: &'f Folder) -> Vec<&'f str> {
    let is_plain = rule.rule.depends.is_empty() && rule.rule.contains.is_none();
    let listed = folder.names.iter().map(String::as_str).filter(|_| is_plain);
    let read = folder.manifests.iter().map(|(name, _)| name.as_str());
    let mut names: Vec<&str> = listed.chain(read).filter(|name| rule.is_manifest(name)).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// The sentence of `rule` about the file at `path` if the manifest `name` of `folder` meets it; `known` holds what was read.
fn says<'f>(
    rule: &Matched<Project>,
    folder: &Folder,
    (name, path): (&'f str, &str),
    known: &mut BTreeMap<&'f str, BTreeSet<String>>,
) -> Option<String> {
    let manifest = join(&folder.path, name.trim_end_matches('/'));
    let told = |found: &str| fill(&rule.rule.why, &[("{manifest}", &manifest), ("{name}", found)]);
    let text = folder.manifest(name).unwrap_or_default();
    if !rule.rule.depends.is_empty() {
        let dependencies = known.entry(name).or_insert_with(|| manifest::dependencies(name, text));
        return rule.rule.depends.iter().find(|wanted| dependencies.contains(*wanted)).map(|found| told(found));
    }
    if rule.rule.contains.is_none() {
        return Some(told(""));
    }
    let mut found = rule.pattern()?.captures_iter(text);
    if rule.rule.loads {
        let loaded = |group: regex::bytes::Match<'_>| resolve(&folder.path, group.as_bytes()) == path;
        return found
            .filter_map(|found| found.get(1))
            .find(|group| loaded(*group))
            .map(|group| told(&short(group.as_bytes())));
    }
    let first = found.next()?;
    Some(told(&first.get(1).map_or_else(String::new, |group| short(group.as_bytes()))))
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

/// `folder` and `name` with a `/` between them.
pub(super) fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.into() } else { format!("{folder}/{name}") }
}

/// `why` with each placeholder replaced.
pub(super) fn fill(why: &str, values: &[(&str, &str)]) -> String {
    values.iter().fold(why.to_owned(), |text, (name, value)| text.replace(name, value))
}

/// Text from a scanned file, short enough for a sentence.
fn short(text: &[u8]) -> String {
    text.to_str_lossy().chars().take(NAME_MAX).collect()
}
