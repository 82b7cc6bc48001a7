//! The whole account of one file: its side with every piece of evidence, and what differs from part to part.

use super::evidence::heaviest;
use super::{Prepared, variable};
use crate::side::{Account, Section, Side};
use regex::bytes::Regex;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::LazyLock;

/// Places that are told one by one.
const PLACES_MAX: usize = 200;
/// Parts that are looked at for a side of their own.
const PARTS_MAX: usize = 2_000;

/// A variable at the start of a line.
static VARIABLE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"(?m)^[ \t]*(?:export[ \t]+)?[A-Za-z_][A-Za-z0-9_]*[ \t]*=[ \t]*["']?"#).ok());

impl Prepared<'_> {
    /// The account of `text`, which is the text this was prepared with.
    pub fn account(&self, text: &[u8]) -> Account {
        let is_dotenv = self.rules.dotenvs.iter().any(|dotenv| dotenv.is_about(&self.path));
        let mut gathered = self.gathered.clone();
        gathered.of_rest(&self.regions, text);
        let pieces = if is_dotenv { Vec::new() } else { gathered.sorted() };
        let side = (!is_dotenv).then(|| heaviest(&pieces).unwrap_or(Side::Unknown));
        let mut places = self.parts(text, side);
        places.extend(self.variables(text, is_dotenv));
        let cut = (places.len() > PLACES_MAX).then_some("there are more parts than are listed");
        let places = places.into_iter().take(PLACES_MAX).map(|(_, place)| place).collect();
        Account { side, pieces, places, cut }
    }

    /// Parts whose side is not that of the file, by where they start.
    fn parts(&self, text: &[u8], side: Option<Side>) -> BTreeMap<usize, Section> {
        let mut places = BTreeMap::new();
        for range in self.regions.ranges().take(PARTS_MAX) {
            let judgement = self.gather(&(range.start..range.start)).judge();
            if Some(judgement.side) != side {
                let (side, evidence) = (judgement.side, judgement.evidence);
                let (line, end) = lines_of(text, range);
                places.insert(range.start, Section { line, end, side, variable: None, evidence });
            }
        }
        places
    }

    /// Variables, and settings that the build writes into client code, by where their values start.
    fn variables(&self, text: &[u8], is_dotenv: bool) -> BTreeMap<usize, Section> {
        let lines = VARIABLE.as_ref().filter(|_| is_dotenv).into_iter().flat_map(|pattern| pattern.find_iter(text));
        let set = self.settings.iter().map(|(range, ..)| range.clone());
        let mut places = BTreeMap::new();
        for range in lines.map(|found| found.end()..found.end()).chain(set).take(PARTS_MAX) {
            let at = range.start;
            let judgement = self.judge_in(text, &(at..at));
            let assigned = || variable::assigned(text, &(at..at)).map(|assigned| assigned.name);
            let variable = judgement.public_variable.or_else(assigned);
            let (line, end) = lines_of(text, &range);
            places.insert(at, Section { line, end, side: judgement.side, variable, evidence: judgement.evidence });
        }
        places
    }
}

/// The first line of `range`, and the last: that of the mark which closes it, or of the last text in it.
fn lines_of(text: &[u8], range: &Range<usize>) -> (u64, u64) {
    let line = |at: usize| memchr::memchr_iter(b'\n', &text[..at]).count() as u64 + 1;
    let inside = text.get(range.clone()).unwrap_or_default().trim_ascii_end();
    let is_marked = text.get(range.end).is_some_and(|next| !next.is_ascii_whitespace());
    let end = if is_marked && !range.is_empty() { range.end } else { range.start + inside.len() };
    (line(range.start), line(end))
}
