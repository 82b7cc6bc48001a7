//! The one pass over every byte: a SIMD search for all prefixes, plain and as UTF-16 or UTF-32.
//!
//! It says where a prefix stands and of which kind; what follows is the grammar's.

use crate::rule::Keys;
use aho_corasick::packed::{self, Searcher};
use memchr::memmem;
use std::ops::Range;

/// One occurrence of a prefix.
#[derive(Clone, Debug)]
pub(super) struct Needle {
    /// Index into the kinds.
    pub kind: usize,
    /// Where, in bytes.
    pub range: Range<usize>,
    /// Bytes a character.
    pub width: usize,
}

/// Every prefix in every width.
pub(super) struct Prefixes {
    prefixes: Vec<Vec<u8>>,
    /// One entry a width for each kind, in the order of [`WIDTHS`].
    finder: Finder,
}

/// Bytes that a character may take: UTF-8, UTF-16, UTF-32.
const WIDTHS: [usize; 3] = [1, 2, 4];

impl Prefixes {
    pub fn new(keys: &Keys) -> Self {
        let prefixes: Vec<Vec<u8>> = keys.kind.iter().map(|kind| kind.prefix.clone().into_bytes()).collect();
        let needles: Vec<Vec<u8>> =
            prefixes.iter().flat_map(|prefix| WIDTHS.map(|width| widen(prefix, width))).collect();
        Self { prefixes, finder: Finder::new(&needles) }
    }

    pub fn prefix(&self, kind: usize) -> &[u8] {
        &self.prefixes[kind]
    }

    pub fn prefix_len(&self, kind: usize) -> usize {
        self.prefixes[kind].len()
    }

    pub fn first(&self, bytes: &[u8]) -> Option<Needle> {
        self.next(bytes, 0)
    }

    /// The first prefix that starts at `from` or later.
    pub fn next(&self, bytes: &[u8], from: usize) -> Option<Needle> {
        let (index, range) = self.finder.find(bytes, from)?;
        Some(Needle { kind: index / WIDTHS.len(), range, width: WIDTHS[index % WIDTHS.len()] })
    }
}

/// A search for several needles at once.
pub(super) enum Finder {
    /// Teddy, where the processor has the instructions.
    Packed(Box<Searcher>),
    /// One search a needle, elsewhere.
    Each(Vec<memmem::Finder<'static>>),
}

impl Finder {
    pub fn new(needles: &[Vec<u8>]) -> Self {
        match packed::Config::new().builder().extend(needles).build() {
            Some(searcher) => Self::Packed(Box::new(searcher)),
            None => Self::Each(needles.iter().map(|needle| memmem::Finder::new(needle).into_owned()).collect()),
        }
    }

    /// The index of the first needle that starts at `from` or later, and where it stands.
    pub fn find(&self, bytes: &[u8], from: usize) -> Option<(usize, Range<usize>)> {
        match self {
            Self::Packed(searcher) => {
                let found = searcher.find_in(bytes, (from..bytes.len()).into())?;
                Some((found.pattern().as_usize(), found.start()..found.end()))
            }
            Self::Each(finders) => {
                let starts = finders
                    .iter()
                    .enumerate()
                    .filter_map(|(index, finder)| Some((finder.find(&bytes[from..])?, index)));
                let (start, index) = starts.min()?;
                Some((index, from + start..from + start + finders[index].needle().len()))
            }
        }
    }
}

/// `text` with NULs between its characters, `width` bytes each: the bytes that both byte orders of it have in common.
fn widen(text: &[u8], width: usize) -> Vec<u8> {
    let mut wide: Vec<u8> =
        text.iter().flat_map(|&byte| std::iter::once(byte).chain(std::iter::repeat_n(0, width - 1))).collect();
    wide.truncate(wide.len() + 1 - width);
    wide
}

/// A search for needles that may want one of some bytes before them.
pub(super) struct Guarded {
    finder: Finder,
    /// The bytes, for each needle; most often none.
    before: Vec<Vec<u8>>,
}

impl Guarded {
    /// Of pairs of those bytes and a needle.
    pub fn new(needles: impl Iterator<Item = (Vec<u8>, Vec<u8>)>) -> Self {
        let (before, needles): (Vec<_>, Vec<_>) = needles.unzip();
        Self { finder: Finder::new(&needles), before }
    }

    /// The index of the first that starts at `from` or later, and where it stands.
    pub fn find(&self, bytes: &[u8], mut from: usize) -> Option<(usize, Range<usize>)> {
        loop {
            let (index, range) = self.finder.find(bytes, from)?;
            let before = &self.before[index];
            if before.is_empty() || range.start.checked_sub(1).is_some_and(|last| before.contains(&bytes[last])) {
                return Some((index, range));
            }
            from = range.start + 1;
        }
    }
}

/// A trigger as the rules write it: what has to stand before it in brackets, if anything, and what it is found by.
pub(super) fn trigger(text: &str) -> (Vec<u8>, Vec<u8>) {
    let (before, needle) = text.strip_prefix('[').and_then(|rest| rest.split_once(']')).unwrap_or(("", text));
    (before.into(), needle.into())
}
