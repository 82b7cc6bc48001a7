//! The whole account of one file: its side with every piece of evidence, and what differs from part to part.

use super::evidence::{Piece, heaviest};
use super::{Prepared, variable};
use crate::side::Side;
use regex::bytes::Regex;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Places that are told one by one.
const PLACES_MAX: usize = 200;

/// A variable at the start of a line.
static VARIABLE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"(?m)^[ \t]*(?:export[ \t]+)?[A-Za-z_][A-Za-z0-9_]*[ \t]*=[ \t]*["']?"#).ok());

/// The side of a file, and why.
#[derive(Debug)]
pub struct Account {
    /// The side of what stands in no part of its own; nothing for a file whose variables have one each.
    pub side: Option<Side>,
    /// Every piece of evidence, heaviest first.
    pub pieces: Vec<Piece>,
    /// Parts and variables that have a side of their own, in the order of the file.
    pub places: Vec<Place>,
    /// Whether there are more places than are told.
    pub is_cut: bool,
}

/// A part or variable with a side of its own.
#[derive(Debug)]
pub struct Place {
    /// Line it starts on, from 1.
    pub line: u64,
    /// Its side.
    pub side: Side,
    /// The variable, if it is one.
    pub variable: Option<String>,
    /// The sentences that decide.
    pub evidence: Vec<String>,
}

impl Prepared<'_> {
    /// The account of `text`, which is the text this was prepared with.
    pub fn account(&self, text: &[u8]) -> Account {
        let is_dotenv = self.rules.dotenvs.iter().any(|dotenv| dotenv.is_about(&self.path));
        let mut gathered = self.gathered.clone();
        gathered.of_place(self.regions.outside());
        let pieces = gathered.sorted();
        let side = (!is_dotenv).then(|| heaviest(&pieces).unwrap_or(Side::Unknown));
        let mut places = self.parts(text, side);
        places.extend(self.variables(text, is_dotenv));
        let is_cut = places.len() > PLACES_MAX;
        let places = places.into_iter().take(PLACES_MAX);
        let places = places.map(|(at, place)| Place { line: line_of(text, at), ..place }).collect();
        Account { side, pieces: if is_dotenv { Vec::new() } else { pieces }, places, is_cut }
    }

    /// Parts whose side is not that of the file.
    fn parts(&self, text: &[u8], side: Option<Side>) -> BTreeMap<usize, Place> {
        let mut places = BTreeMap::new();
        for at in self.regions.starts().take(PLACES_MAX * 10) {
            let judgement = self.gather(text, at).judge();
            if Some(judgement.side) != side {
                let (side, evidence) = (judgement.side, judgement.evidence);
                places.insert(at, Place { line: 0, side, variable: None, evidence });
            }
        }
        places
    }

    /// Variables, and settings that the build writes into client code.
    fn variables(&self, text: &[u8], is_dotenv: bool) -> BTreeMap<usize, Place> {
        let lines = VARIABLE.as_ref().filter(|_| is_dotenv).into_iter().flat_map(|pattern| pattern.find_iter(text));
        let set = self.settings.iter().map(|(range, ..)| range.start);
        let mut places = BTreeMap::new();
        for at in lines.map(|found| found.end()).chain(set).take(PLACES_MAX + 1) {
            let judgement = self.judge_in(text, &(at..at));
            let variable = variable::assigned(text, &(at..at)).map(|assigned| assigned.name);
            let variable = judgement.public_variable.or(variable);
            places.insert(at, Place { line: 0, side: judgement.side, variable, evidence: judgement.evidence });
        }
        places
    }
}

fn line_of(text: &[u8], at: usize) -> u64 {
    memchr::memchr_iter(b'\n', &text[..at]).count() as u64 + 1
}
