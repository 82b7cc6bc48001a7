//! Keys that do not stand in a text as they are: encoded, compressed inside an encoding, or in pieces.
//!
//! One file an encoding, each with its own examples. Bounded by what comes out, and what a bound cut is said. Archives and compressed files are not here.

mod anchor;
mod backslash;
mod base64;
mod css;
mod decimal;
mod entity;
mod escape;
mod explorer;
mod hex;
mod layer;
mod packed;
mod percent;
mod quoted_printable;
mod runs;
mod sample;
mod split;
#[cfg(test)]
mod tests;

pub(super) use anchor::Anchors;
pub(super) use explorer::{Explorer, Mode};
pub(super) use runs::RUN_MIN;

use super::Verdict;
use crate::rule::Environment;
use crate::secret::Secret;
use std::ops::Range;

/// Encodings inside each other that are undone; pieces put together and the form of a whole blob do not count.
const DEPTH_MAX: usize = 3;
/// Decoded bytes for each byte that is read.
const BYTES_EACH: u64 = 4;
/// Decoded bytes that any blob may have, however small.
const BYTES_MIN: u64 = 8 * 1024 * 1024;
/// Hidden candidates of one text; the rest of it is left out.
const HIDDEN_MAX: usize = 100_000;

/// A candidate that does not stand in the text as it is.
pub struct Hidden {
    /// Index into the kinds of `rules/keys.toml`.
    pub kind: usize,
    /// As in [`super::Candidate::environment`].
    pub environment: Option<Environment>,
    /// What it is.
    pub verdict: Verdict,
    /// Its bytes.
    pub secret: Secret,
    /// Where it stands in the searched bytes: one range, or one a piece. Never empty.
    pub pieces: Vec<Range<usize>>,
    /// The chain of encodings, outermost first.
    pub encoding: Vec<&'static str>,
}

impl Hidden {
    /// From the start of the first piece to the end of the last.
    pub fn range(&self) -> Range<usize> {
        let start = self.pieces.first().map_or(0, |piece| piece.start);
        start..self.pieces.last().map_or(start, |piece| piece.end)
    }
}

/// What a search for hidden candidates gave.
#[derive(Default)]
pub struct Exploration {
    /// Sorted by position.
    pub hidden: Vec<Hidden>,
    /// Where plain candidates start that are only the first piece of a hidden one; sorted.
    pub superseded: Vec<usize>,
}

/// How much may still be decoded of one blob, and what a bound has cut.
#[derive(Clone, Debug)]
pub struct Budget {
    bytes: u64,
    cuts: [bool; Cut::ALL.len()],
    /// Whether what is read is followed by more.
    goes_on: bool,
}

/// A bound that cut something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    Depth,
    Bytes,
    Count,
    Seam,
}

impl Cut {
    const ALL: [Self; 4] = [Self::Depth, Self::Bytes, Self::Count, Self::Seam];

    const fn reason(self) -> &'static str {
        match self {
            Self::Depth => "more than 3 encodings inside each other",
            Self::Bytes => "decodes to more than 4 times its size and 8 MiB",
            Self::Count => "more than 100000 encoded keys",
            Self::Seam => "a compressed run in it is longer than what is read at once",
        }
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self { bytes: BYTES_MIN, cuts: [false; Cut::ALL.len()], goes_on: false }
    }
}

impl Budget {
    /// Allows for `read` more bytes of the blob; `goes_on` says whether they are followed by others.
    pub fn grant(&mut self, read: usize, goes_on: bool) {
        self.bytes = self.bytes.saturating_add(BYTES_EACH * read as u64);
        self.goes_on = goes_on;
    }

    /// Why something was not decoded, if anything was not.
    pub fn cuts(&self) -> impl Iterator<Item = &'static str> {
        Cut::ALL.into_iter().filter(|&cut| self.cuts[cut as usize]).map(Cut::reason)
    }

    /// Takes `len` bytes; says whether they were there to take.
    fn spend(&mut self, len: usize) -> bool {
        let left = self.bytes.checked_sub(len as u64);
        self.bytes = left.unwrap_or(0);
        if left.is_none() {
            self.cut(Cut::Bytes);
        }
        left.is_some()
    }

    /// Bytes left, for one step of decoding.
    fn left(&self) -> usize {
        usize::try_from(self.bytes).unwrap_or(usize::MAX)
    }

    fn cut(&mut self, cut: Cut) {
        self.cuts[cut as usize] = true;
    }
}

/// Texts that an encoding finds a key in, with the chain it names, and texts it finds none in.
/// The templates are those of [`tests`].
#[cfg(test)]
struct Examples {
    found: &'static [(&'static str, &'static [&'static str])],
    passed_over: &'static [&'static str],
}
