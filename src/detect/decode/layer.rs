//! Decoded bytes, each with where it stands in the text it was decoded from.
//!
//! A chain of encodings is a chain of frames; a range is led outwards through them, to the bytes of the blob.

use super::base64;
use std::ops::Range;

/// What one step of decoding gave.
pub(super) struct Layer {
    /// The decoded bytes.
    pub bytes: Vec<u8>,
    spans: Spans,
}

/// Where decoded bytes stand.
enum Spans {
    /// Each byte's first and last source byte, relative to `base`; `is_split` where what lies between two bytes belongs to none.
    Each { base: usize, ends: Vec<(u32, u32)>, is_split: bool },
    /// All of them together: no part of a compressed stream stands for one byte.
    Whole(Range<usize>),
}

impl Layer {
    /// Empty, with sources at `base` or later.
    pub const fn at(base: usize) -> Self {
        Self { bytes: Vec::new(), spans: Spans::Each { base, ends: Vec::new(), is_split: false } }
    }

    /// Empty, for a text that stands in pieces.
    pub const fn of_pieces(base: usize) -> Self {
        Self { bytes: Vec::new(), spans: Spans::Each { base, ends: Vec::new(), is_split: true } }
    }

    /// `bytes`, all of which come from all of `source`.
    pub const fn whole(bytes: Vec<u8>, source: Range<usize>) -> Self {
        Self { bytes, spans: Spans::Whole(source) }
    }

    /// Adds a byte that stands at `source`.
    pub fn push(&mut self, byte: u8, source: Range<usize>) {
        if let Spans::Each { base, ends, .. } = &mut self.spans {
            let of = |at: usize| u32::try_from(at.saturating_sub(*base)).unwrap_or(u32::MAX);
            ends.push((of(source.start), of(source.end)));
            self.bytes.push(byte);
        }
    }

    /// Makes room for `len` bytes.
    pub fn reserve(&mut self, len: usize) {
        self.bytes.reserve(len);
        if let Spans::Each { ends, .. } = &mut self.spans {
            ends.reserve(len);
        }
    }

    /// Adds three bytes that four characters at `at` write, six bits each.
    pub fn push_group(&mut self, bytes: [u8; 3], at: usize) {
        if let Spans::Each { base, ends, .. } = &mut self.spans {
            let at = u32::try_from(at - *base).unwrap_or(u32::MAX - 4);
            ends.extend_from_slice(&[(at, at + 2), (at + 1, at + 3), (at + 2, at + 4)]);
            self.bytes.extend_from_slice(&bytes);
        }
    }

    /// Lets the last byte reach to `to`, if it ends at `from`.
    pub fn extend_last(&mut self, from: usize, to: usize) {
        if let Spans::Each { base, ends, .. } = &mut self.spans
            && let Some(last) = ends.last_mut().filter(|last| *base + last.1 as usize == from)
        {
            last.1 = u32::try_from(to - *base).unwrap_or(u32::MAX);
        }
    }

    /// Adds a character that stands at `source`.
    pub fn push_char(&mut self, character: char, source: &Range<usize>) {
        for &byte in character.encode_utf8(&mut [0; 4]).as_bytes() {
            self.push(byte, source.clone());
        }
    }

    /// Where the bytes at `range` stand: one range, or one a piece.
    pub fn sources(&self, range: &Range<usize>) -> Vec<Range<usize>> {
        match &self.spans {
            Spans::Whole(source) => vec![source.clone()],
            Spans::Each { base, ends, is_split } => {
                let ends = ends.get(range.clone()).unwrap_or_default();
                let parts = ends.chunk_by(|left, right| !is_split || left.1 == right.0);
                let of = |part: &[(u32, u32)]| {
                    let (first, last) = (part.first()?, part.last()?);
                    Some(base + first.0 as usize..base + last.1 as usize)
                };
                parts.filter_map(of).collect()
            }
        }
    }
}

/// One step of a chain of encodings.
pub(super) struct Frame<'f> {
    /// The step outside this one.
    pub parent: Option<&'f Self>,
    /// What it gave.
    pub layer: &'f Layer,
    /// The text it was decoded from.
    pub outer: &'f [u8],
    /// Its name in reports.
    pub name: &'static str,
}

impl Frame<'_> {
    /// Where the bytes at `range` stand in the outermost text.
    pub fn outward(&self, range: &Range<usize>) -> Vec<Range<usize>> {
        let sources = self.layer.sources(range);
        match self.parent {
            None => sources,
            Some(parent) => sources.iter().flat_map(|source| parent.outward(source)).collect(),
        }
    }

    /// The names of the steps that changed the bytes at `range`, outermost first.
    pub fn chain(&self, range: &Range<usize>) -> Vec<&'static str> {
        let sources = self.layer.sources(range);
        let whole = sources.first().map_or(0, |first| first.start)..sources.last().map_or(0, |last| last.end);
        let mut chain = self.parent.map(|parent| parent.chain(&whole)).unwrap_or_default();
        if !self.is_plain(range) {
            chain.push(self.name);
        }
        chain
    }

    /// Whether a line of base64 ends between the bytes at `left` and `right`, in the text outside or further out.
    pub fn breaks(&self, left: usize, right: usize) -> bool {
        let source = |at: usize| self.layer.sources(&(at..at + 1)).pop();
        let (Some(left), Some(right)) = (source(left), source(right)) else { return false };
        if left == right {
            return false;
        }
        // A character may belong to both.
        let next = if right.start < left.end { right.end - 1 } else { right.start };
        let between = self.outer.get(left.end..next).unwrap_or_default();
        (self.name == base64::NAME && base64::has_break(between))
            || self.parent.is_some_and(|parent| parent.breaks(left.end - 1, next))
    }

    /// Whether the bytes at `range` stand in the text outside as they are, so that nothing was hidden.
    pub fn is_plain(&self, range: &Range<usize>) -> bool {
        let sources = self.layer.sources(range);
        matches!(&sources[..], [source] if self.outer.get(source.clone()) == self.layer.bytes.get(range.clone()))
    }
}
