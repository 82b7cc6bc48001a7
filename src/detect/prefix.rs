//! The one pass over every byte: a SIMD search for all prefixes, plain and as UTF-16.
//!
//! It says where a prefix stands and of which kind; what follows is the grammar's.

use crate::rule::{Keys, NEEDLE_BYTES_MAX};
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
    /// Whether it is written with two bytes a character.
    pub wide: bool,
}

/// Every prefix in both widths.
pub(super) struct Prefixes {
    prefixes: Vec<Vec<u8>>,
    /// Even entries are plain, odd ones wide; the kind is half the index.
    finder: Finder,
}

enum Finder {
    /// Teddy, where the processor has the instructions.
    Packed(Box<Searcher>),
    /// One search a needle, elsewhere.
    Each(Vec<memmem::Finder<'static>>),
}

impl Prefixes {
    /// Every prefix of `keys`, and `triggers`, which are no prefixes and are found in the same pass.
    pub fn new(keys: &Keys, triggers: &[String]) -> Self {
        let prefixes: Vec<Vec<u8>> = keys.kind.iter().map(|kind| kind.prefix.clone().into_bytes()).collect();
        let widths = prefixes.iter().flat_map(|prefix| [prefix.clone(), widen(prefix)]);
        // A prefix comes before a trigger that it starts with.
        let needles: Vec<Vec<u8>> = widths.chain(triggers.iter().map(|one| one.clone().into_bytes())).collect();
        let packed = packed::Config::new().builder().extend(&needles).build();
        let finder = match packed {
            Some(searcher) => Finder::Packed(Box::new(searcher)),
            None => Finder::Each(needles.iter().map(|needle| memmem::Finder::new(needle).into_owned()).collect()),
        };
        Self { prefixes, finder }
    }

    pub fn prefix(&self, kind: usize) -> &[u8] {
        &self.prefixes[kind]
    }

    pub fn prefix_len(&self, kind: usize) -> usize {
        self.prefixes[kind].len()
    }

    /// Bytes of the longest needle.
    pub fn reach(&self) -> usize {
        self.prefixes.iter().map(|prefix| 2 * prefix.len()).max().unwrap_or(0).max(NEEDLE_BYTES_MAX)
    }

    /// Whether anything stands in `bytes` that is looked for.
    pub fn any(&self, bytes: &[u8]) -> bool {
        self.find(bytes, 0).is_some()
    }

    /// Where the triggers stand.
    pub fn triggers(&self, bytes: &[u8]) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        let mut from = 0;
        while let Some((index, range)) = self.find(bytes, from) {
            from = range.end;
            if index >= 2 * self.prefixes.len() {
                found.push(range);
            }
        }
        found
    }

    pub fn first(&self, bytes: &[u8]) -> Option<Needle> {
        self.next(bytes, 0)
    }

    /// The first prefix that starts at `from` or later.
    pub fn next(&self, bytes: &[u8], mut from: usize) -> Option<Needle> {
        loop {
            let (index, range) = self.find(bytes, from)?;
            if index < 2 * self.prefixes.len() {
                return Some(Needle { kind: index / 2, range, wide: index % 2 == 1 });
            }
            // No prefix starts inside a trigger.
            from = range.end;
        }
    }

    /// The first needle that starts at `from` or later, by number.
    fn find(&self, bytes: &[u8], from: usize) -> Option<(usize, Range<usize>)> {
        let (index, start, end) = match &self.finder {
            Finder::Packed(searcher) => {
                let found = searcher.find_in(bytes, (from..bytes.len()).into())?;
                (found.pattern().as_usize(), found.start(), found.end())
            }
            Finder::Each(finders) => {
                let starts = finders
                    .iter()
                    .enumerate()
                    .filter_map(|(index, finder)| Some((finder.find(&bytes[from..])?, index)));
                let (start, index) = starts.min()?;
                (index, from + start, from + start + finders[index].needle().len())
            }
        };
        Some((index, start..end))
    }
}

/// `text` with a NUL between its characters: the bytes that UTF-16 LE and BE of it have in common.
fn widen(text: &[u8]) -> Vec<u8> {
    let mut wide: Vec<u8> = text.iter().flat_map(|&byte| [byte, 0]).collect();
    wide.pop();
    wide
}
