//! The whole account of one file: its side with every piece of evidence, and what differs from part to part.

use super::evidence::heaviest;
use super::{Prepared, variable};
use crate::side::{Account, Section, Side};
use regex::bytes::Regex;
use std::collections::BTreeMap;
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
        gathered.of_rest(&self.regions);
        let pieces = if is_dotenv { Vec::new() } else { gathered.sorted() };
        let side = (!is_dotenv).then(|| heaviest(&pieces).unwrap_or(Side::Unknown));
        let mut places = self.parts(side);
        places.extend(self.variables(text, is_dotenv));
        let cut = (places.len() > PLACES_MAX).then_some("there are more parts than are listed");
        let places = places.into_iter().take(PLACES_MAX);
        let places = places.map(|(at, place)| Section { line: line_of(text, at), ..place }).collect();
        Account { side, pieces, places, cut }
    }

    /// Parts whose side is not that of the file, by where they start.
    fn parts(&self, side: Option<Side>) -> BTreeMap<usize, Section> {
        let mut places = BTreeMap::new();
        for at in self.regions.starts().take(PARTS_MAX) {
            let judgement = self.gather(&(at..at)).judge();
            if Some(judgement.side) != side {
                let (side, evidence) = (judgement.side, judgement.evidence);
                places.insert(at, Section { line: 0, side, variable: None, evidence });
            }
        }
        places
    }

    /// Variables, and settings that the build writes into client code, by where their values start.
    fn variables(&self, text: &[u8], is_dotenv: bool) -> BTreeMap<usize, Section> {
        let lines = VARIABLE.as_ref().filter(|_| is_dotenv).into_iter().flat_map(|pattern| pattern.find_iter(text));
        let set = self.settings.iter().map(|(range, ..)| range.start);
        let mut places = BTreeMap::new();
        for at in lines.map(|found| found.end()).chain(set).take(PARTS_MAX) {
            let judgement = self.judge_in(text, &(at..at));
            let assigned = || variable::assigned(text, &(at..at)).map(|assigned| assigned.name);
            let variable = judgement.public_variable.or_else(assigned);
            places.insert(at, Section { line: 0, side: judgement.side, variable, evidence: judgement.evidence });
        }
        places
    }
}

fn line_of(text: &[u8], at: usize) -> u64 {
    memchr::memchr_iter(b'\n', &text[..at]).count() as u64 + 1
}
