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

/// How far encoded text is decoded. Each bound is for one blob.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Encodings inside each other that are undone; pieces put together and the form of a whole blob do not count.
    pub depth: u32,
    /// Decoded bytes that any blob may have, however small.
    pub bytes: u64,
    /// Decoded bytes for each byte that is read, beyond those.
    pub ratio: u64,
    /// Hidden candidates of one text; the rest of it is left out.
    pub keys: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { depth: 3, bytes: 8 << 20, ratio: 4, keys: 100_000 }
    }
}

impl Bounds {
    /// The wider of both, each for itself.
    pub(super) fn at_least(&self, other: &Self) -> Self {
        Self {
            depth: self.depth.max(other.depth),
            bytes: self.bytes.max(other.bytes),
            ratio: self.ratio.max(other.ratio),
            keys: self.keys.max(other.keys),
        }
    }
}

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
    /// Whether it has the length of published keys, and where that is a UUID's its form.
    is_published: bool,
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
    bounds: Bounds,
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

    fn reason(self, bounds: &Bounds) -> String {
        match self {
            Self::Depth => format!("more than {} encodings inside each other", bounds.depth),
            Self::Bytes => {
                let bytes = match bounds.bytes {
                    whole if whole.is_multiple_of(1 << 20) => format!("{} MiB", whole >> 20),
                    bytes => format!("{bytes} bytes"),
                };
                format!("decodes to more than {} times its size and {bytes}", bounds.ratio)
            }
            Self::Count => format!("more than {} encoded keys", bounds.keys),
            Self::Seam => "a compressed run in it is longer than what is read at once".into(),
        }
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self::new(Bounds::default())
    }
}

impl Budget {
    /// Within `bounds`.
    pub const fn new(bounds: Bounds) -> Self {
        Self { bounds, bytes: bounds.bytes, cuts: [false; Cut::ALL.len()], goes_on: false }
    }

    /// Allows for `read` more bytes of the blob; `goes_on` says whether they are followed by others.
    pub const fn grant(&mut self, read: usize, goes_on: bool) {
        self.bytes = self.bytes.saturating_add(self.bounds.ratio.saturating_mul(read as u64));
        self.goes_on = goes_on;
    }

    /// Why something was not decoded, if anything was not.
    pub fn cuts(&self) -> impl Iterator<Item = String> {
        Cut::ALL.into_iter().filter(|&cut| self.cuts[cut as usize]).map(|cut| cut.reason(&self.bounds))
    }

    /// Whether something was not decoded.
    pub fn is_cut(&self) -> bool {
        self.cuts.contains(&true)
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
