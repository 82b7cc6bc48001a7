//! The parts of one text that say more than the whole: what stands inside `<?php`, in a loader, in the `env` of a configuration.
//!
//! Names that only stripped parts use go with them, as the frameworks' own compilers remove them.

use super::bracket;
use super::compiled::Matched;
use super::rules::{Balance, Region, Setting, Verdict};
use crate::blob::Part;
use regex::bytes::Regex;
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::LazyLock;

/// Parts before a key that are looked at for the one it stands in.
const NEAR_PARTS: usize = 16;
/// Parts of one text.
const PARTS_MAX: usize = 20_000;
/// Names of one text that are followed to where they are used.
const NAMES_MAX: usize = 200;
/// How far one name is followed through others.
const DEPTH_MAX: u8 = 4;

/// A declaration that stands at the start of a line.
static DECLARED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?m)^(export\s+)?(?:default\s+)?(?:declare\s+)?(?:async\s+)?(?:const|let|var|function\*?|class)\s+(\w+)",
    )
    .ok()
});
/// An export that a framework leaves in the client, unless its name is one it strips.
static EXPORTED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?m)^export\s+(?:(default\b|\*|\{)|(?:async\s+)?(?:const|let|var|function\*?|class)\s+(\w+))").ok()
});

/// The parts of one text.
#[derive(Debug, Default)]
pub struct Regions<'r> {
    parts: Vec<(Range<usize>, &'r Verdict)>,
    outside: Option<&'r Verdict>,
    /// What is removed with the parts of a rule that strips: where, and the sentence.
    stripped: Vec<(Range<usize>, &'r str)>,
    /// The parts with the marks around them.
    marked: Vec<Range<usize>>,
}

/// What a place in a text says of what stands there.
#[derive(Clone, Copy, Debug)]
pub enum Said<'r> {
    /// A rule's verdict on the inside or outside of a part.
    Verdict(&'r Verdict),
    /// It is used by stripped parts alone, with this sentence.
    Stripped(&'r str),
}

impl<'r> Regions<'r> {
    /// Finds them in one pass a rule; a part that nothing closes goes to the end. `rules` are those that apply.
    pub fn new(rules: impl Iterator<Item = &'r Matched<Region>>, text: &[u8], part: Part) -> Self {
        let mut regions = Self::default();
        let mut strips = None;
        let mut stripping = Vec::new();
        for rule in rules {
            let found = parts(rule, text);
            if let Some(why) = rule.rule.strips.as_deref().filter(|_| !found.is_empty()) {
                strips = Some(why);
                stripping.extend(found.iter().map(|found| found.inside.clone()));
            }
            regions.marked.extend(found.iter().map(|found| found.marked.clone()));
            regions.parts.extend(found.into_iter().map(|found| (found.inside, &rule.rule.inside)));
            let outside = rule.rule.outside.as_ref().filter(|_| part == Part::Start);
            regions.outside = regions.outside.or(outside);
        }
        regions.parts.sort_by_key(|(part, _)| part.start);
        regions.marked.sort_by_key(|part| part.start);
        if let Some(why) = strips {
            regions.stripped = Names::new(text, stripping).stripped().into_iter().map(|range| (range, why)).collect();
        }
        regions
    }

    /// What is said of the place `at`.
    pub fn said(&self, at: usize) -> Option<Said<'r>> {
        // Parts of one rule do not overlap, and those of another are few around any one place.
        let behind = self.parts.partition_point(|(part, _)| part.start <= at);
        let near = self.parts[behind.saturating_sub(NEAR_PARTS)..behind].iter().rev();
        let inside = near.into_iter().find(|(part, _)| part.contains(&at)).map(|(_, verdict)| Said::Verdict(verdict));
        let stripped =
            || self.stripped.iter().find(|(range, _)| range.contains(&at)).map(|(_, why)| Said::Stripped(why));
        inside.or_else(stripped).or(self.outside.map(Said::Verdict))
    }

    /// What is said of what stands in no part of `text`, or of the first part if nothing does.
    pub fn outside(&self, text: &[u8]) -> Option<Said<'r>> {
        let first = self.parts.first().map(|(_, verdict)| *verdict);
        let only = first.filter(|_| self.outside.is_some() && is_covered(text, &self.marked));
        only.or(self.outside).map(Said::Verdict)
    }

    /// All parts.
    pub fn ranges(&self) -> impl Iterator<Item = &Range<usize>> {
        self.parts.iter().map(|(part, _)| part).chain(self.stripped.iter().map(|(range, _)| range))
    }
}

/// Whether nothing but space is outside `parts`, which are in order.
fn is_covered(text: &[u8], parts: &[Range<usize>]) -> bool {
    let mut end = 0;
    let is_blank = |from: usize, to: usize| from >= to || text[from..to].trim_ascii().is_empty();
    let is_covered = parts.iter().all(|part| {
        let is_next = is_blank(end, part.start);
        end = end.max(part.end);
        is_next
    });
    is_covered && is_blank(end, text.len())
}

/// The places of `text` that configuration files write into client code, of the rules that apply.
pub fn settings<'r>(
    rules: impl Iterator<Item = &'r Matched<Setting>>,
    text: &[u8],
) -> Vec<(Range<usize>, Named, &'r str)> {
    let found = rules.flat_map(|rule| parts(rule, text).into_iter().map(move |found| (found, rule)));
    found.map(|(found, rule)| (found.inside, found.name, rule.rule.why.as_str())).collect()
}

/// The name that what opens a part gives it.
pub type Named = Option<String>;

/// A part of a text.
struct Found {
    inside: Range<usize>,
    /// With what opens and closes it.
    marked: Range<usize>,
    /// The name that the opening gives.
    name: Named,
}

/// The parts that `rule` finds in `text`.
fn parts<R>(rule: &Matched<R>, text: &[u8]) -> Vec<Found> {
    let mut parts = Vec::new();
    let Some(open) = rule.pattern() else { return parts };
    let mut from = 0;
    while let Some(found) = open.captures_at(text, from).filter(|_| parts.len() < PARTS_MAX) {
        let Some(opened) = found.get(0).map(|opened| opened.range()) else { break };
        let name = found.name("name").map(|name| String::from_utf8_lossy(name.as_bytes()).into_owned());
        let (inside, end, next) = if let Some(close) = rule.second() {
            let closed = close.find_at(text, opened.end).map_or(text.len()..text.len(), |closed| closed.range());
            (opened.end..closed.start, closed.end, closed.start)
        } else {
            let bracket = found.name("bracket").map_or(opened.end.saturating_sub(1), |bracket| bracket.start());
            let inside = bracket::part(text, rule.balance, &opened, bracket);
            (inside.clone(), inside.end, opened.end)
        };
        parts.push(Found { inside, marked: opened.start..end, name });
        // An empty match must not be found again.
        from = next.max(opened.start + 1);
        if from > text.len() {
            break;
        }
    }
    parts
}

/// The declarations of a text, to find those that stripped parts alone use.
struct Names<'t> {
    text: &'t [u8],
    stripping: Vec<Range<usize>>,
    declared: Vec<Declared>,
}

struct Declared {
    name: String,
    range: Range<usize>,
    is_exported: bool,
}

impl<'t> Names<'t> {
    fn new(text: &'t [u8], stripping: Vec<Range<usize>>) -> Self {
        let found = DECLARED.as_ref().into_iter().flat_map(|pattern| pattern.captures_iter(text)).take(NAMES_MAX);
        let declared = found.filter_map(|found| {
            let (all, name) = (found.get(0)?.range(), found.get(2)?);
            let is_function = all.len() > 8 && memchr::memmem::find(&text[all.clone()], b"function").is_some();
            let balance = if is_function { Balance::Function } else { Balance::Statement };
            let end = bracket::part(text, balance, &all, all.start).end;
            let name = String::from_utf8_lossy(name.as_bytes()).into_owned();
            Some(Declared { name, range: all.start..end, is_exported: found.get(1).is_some() })
        });
        let declared = declared.collect();
        Self { text, stripping, declared }
    }

    /// What is removed with the stripped parts: all of a module that exports nothing else, else the declarations only they use.
    fn stripped(&self) -> Vec<Range<usize>> {
        if !self.exports_more() {
            return std::iter::once(0..self.text.len()).collect();
        }
        let goes = self.declared.iter().filter(|declared| {
            let mut seen = BTreeSet::new();
            !declared.is_exported && self.goes(declared, &mut seen, DEPTH_MAX)
        });
        goes.map(|declared| declared.range.clone()).collect()
    }

    fn exports_more(&self) -> bool {
        let Some(pattern) = EXPORTED.as_ref() else { return true };
        pattern.captures_iter(self.text).any(|found| {
            let Some(all) = found.get(0) else { return true };
            // The opening of a stripped part ends where its part starts, behind the exported name.
            !self.stripping.iter().any(|part| part.start == all.end() || part.contains(&all.start()))
        })
    }

    /// Whether `declared` is used, and by nothing that stays.
    fn goes<'d>(&'d self, declared: &'d Declared, seen: &mut BTreeSet<&'d str>, depth: u8) -> bool {
        if depth == 0 || !seen.insert(&declared.name) {
            return false;
        }
        let mut uses = uses(self.text, &declared.name).filter(|at| !declared.range.contains(at)).peekable();
        let goes = uses.peek().is_some()
            && uses.all(|at| {
                let is_stripped = self.stripping.iter().any(|part| part.contains(&at));
                let around = self.declared.iter().find(|other| other.range.contains(&at) && !other.is_exported);
                is_stripped || around.is_some_and(|around| self.goes(around, seen, depth - 1))
            });
        seen.remove(declared.name.as_str());
        goes
    }
}

/// Where `name` stands in `text` as a whole word.
fn uses<'t>(text: &'t [u8], name: &'t str) -> impl Iterator<Item = usize> + 't {
    let is_word =
        |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$'));
    memchr::memmem::find_iter(text, name.as_bytes()).filter(move |&at| {
        !is_word(at.checked_sub(1).and_then(|before| text.get(before))) && !is_word(text.get(at + name.len()))
    })
}
