//! Gathers what speaks for each side, and weighs it.
//!
//! The heaviest piece decides, and where two sides have equally heavy ones, the next heaviest; sides that stay equal are `unknown`.
//! What contradicts is told, not hidden.

use super::compiled::Compiled;
use super::region::{Regions, Said};
use crate::side::{Judgement, Piece, Side};
use bstr::ByteSlice as _;
use std::collections::BTreeSet;
use std::ops::Range;

/// Sentences that a judgement shows.
const SHOWN_MAX: usize = 6;
/// Characters of a name taken from a scanned file.
const NAME_MAX: usize = 80;
/// What it is worth that only stripped code uses a name.
const STRIPPED_WEIGHT: u32 = 95;

/// Evidence for one subject.
#[derive(Clone, Debug, Default)]
pub struct Gathered {
    pieces: Vec<Piece>,
}

impl Gathered {
    /// Takes pieces.
    pub fn extend(&mut self, pieces: impl IntoIterator<Item = Piece>) {
        self.pieces.extend(pieces);
    }

    /// What the file's name says; `depends` is whether the nearest manifest names one of these.
    pub fn of_file(&mut self, rules: &Compiled, path: &str, depends: &dyn Fn(&[String]) -> bool) {
        for rule in rules.files.iter().filter(|rule| rule.is_about(path) && depends(&rule.rule.depends)) {
            let why = rule.rule.why.clone();
            self.pieces.push(Piece { side: rule.rule.side, weight: rule.rule.weight, why });
        }
    }

    /// What the text says.
    pub fn of_text(&mut self, rules: &Compiled, path: &str, text: &[u8], depends: &dyn Fn(&[String]) -> bool) {
        for rule in rules.contents.iter().filter(|rule| rule.is_about(path) && depends(&rule.rule.depends)) {
            let Some(pattern) = rule.pattern() else { continue };
            let counts = |name: &[u8]| rule.second().is_none_or(|except| !except.is_match(name));
            let values = pattern.captures_iter(text).filter(|found| !is_type_import(&found[0]));
            let mut names = values.map(|found| found.get(1).map_or(&b""[..], |group| group.as_bytes()));
            let Some(name) = names.find(|name| counts(name)) else { continue };
            let why = fill(&rule.rule.why, &[("{name}", &short(name))]);
            self.pieces.push(Piece { side: rule.rule.side, weight: rule.rule.weight, why });
        }
    }

    /// What the part of the file says that the key stands in.
    pub fn of_region(&mut self, regions: &Regions<'_>, key: &Range<usize>) {
        self.extend(regions.said(key.start).map(piece));
    }

    /// What is said of all that stands in no part of `text`.
    pub fn of_rest(&mut self, regions: &Regions<'_>, text: &[u8]) {
        self.extend(regions.outside(text).map(piece));
    }

    /// The highest weight.
    pub fn weight(&self) -> u32 {
        self.pieces.iter().map(|piece| piece.weight).max().unwrap_or(0)
    }

    /// The pieces, heaviest first, each sentence once.
    pub fn sorted(mut self) -> Vec<Piece> {
        self.pieces.sort_by(|one, other| other.weight.cmp(&one.weight).then_with(|| one.why.cmp(&other.why)));
        let mut seen = BTreeSet::new();
        self.pieces.retain(|piece| seen.insert((piece.side, piece.why.clone())));
        self.pieces
    }

    /// The side that the heaviest pieces speak for.
    pub fn judge(self) -> Judgement {
        let pieces = self.sorted();
        let Some(side) = heaviest(&pieces) else {
            let why = "nothing in the file or around it says where it runs".to_owned();
            return Judgement::new(Side::Unknown, vec![why]);
        };
        let evidence = if side == Side::Unknown {
            let all = pieces.iter().take(SHOWN_MAX);
            all.map(|piece| format!("for {}: {}", piece.side.as_str(), piece.why)).collect()
        } else {
            let (pro, contra): (Vec<&Piece>, Vec<&Piece>) = pieces.iter().partition(|piece| piece.side == side);
            let pro = pro.into_iter().take(SHOWN_MAX / 2).map(|piece| piece.why.clone());
            let against = |piece: &&Piece| format!("against it, for {}: {}", piece.side.as_str(), piece.why);
            pro.chain(contra.iter().take(SHOWN_MAX / 2).map(against)).collect()
        };
        Judgement::new(side, evidence)
    }
}

/// What a place in the file says.
fn piece(said: Said<'_>) -> Piece {
    match said {
        Said::Verdict(verdict) => Piece { side: verdict.side, weight: verdict.weight, why: verdict.why.clone() },
        Said::Stripped(why) => Piece { side: Side::Server, weight: STRIPPED_WEIGHT, why: why.to_owned() },
    }
}

/// The side whose pieces are heaviest, compared one by one; [`Side::Unknown`] where two sides are equal, nothing for no pieces.
///
/// Many pieces of one weight count as one: a manifest that names three packages for browsers says no more than one that names one.
pub fn heaviest(pieces: &[Piece]) -> Option<Side> {
    let weights = |side: Side| -> Vec<u32> {
        let mut weights: Vec<u32> =
            pieces.iter().filter(|piece| piece.side == side).map(|piece| piece.weight).collect();
        weights.sort_unstable_by(|one, other| other.cmp(one));
        weights.dedup();
        weights
    };
    let mut sides: Vec<Side> = pieces.iter().map(|piece| piece.side).collect();
    sides.sort_unstable();
    sides.dedup();
    sides.sort_by_key(|side| std::cmp::Reverse(weights(*side)));
    match sides.as_slice() {
        [] => None,
        [first, second, ..] if weights(*first) == weights(*second) => Some(Side::Unknown),
        [first, ..] => Some(*first),
    }
}

/// Whether `line` imports types alone, which no compiler keeps.
fn is_type_import(line: &[u8]) -> bool {
    let line = line.trim_ascii_start();
    line.starts_with(b"import type ") || line.starts_with(b"export type ")
}

/// `folder` and `name` with a `/` between them.
pub fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.into() } else { format!("{folder}/{name}") }
}

/// `why` with each placeholder replaced.
pub fn fill(why: &str, values: &[(&str, &str)]) -> String {
    values.iter().fold(why.to_owned(), |text, (name, value)| text.replace(name, value))
}

/// Text from a scanned file, short enough for a sentence.
pub fn short(text: &[u8]) -> String {
    text.to_str_lossy().chars().take(NAME_MAX).collect()
}
