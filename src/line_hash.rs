//! GitHub's hash of a line, `primaryLocationLineHash`, as code scanning computes it for files on disk.
//!
//! A rolling hash over the 100 characters from the start of a line, blanks left out; from `src/fingerprints.ts` of
//! github/codeql-action (MIT). It reads text and nothing else, and needs the text from its start.

use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Characters that go into one hash.
const BLOCK: usize = 100;
const FACTOR: u64 = 37;
/// What the original appends to the text.
const END: u16 = 65_535;
const TAB: u16 = 9;
const LF: u16 = 10;
const CR: u16 = 13;
const SPACE: u16 = 32;

/// Hashes the lines that are wanted of a text that is pushed piece by piece.
pub struct LineHasher {
    wanted: BTreeSet<u64>,
    hashes: BTreeMap<u64, String>,
    /// The last characters, and for each the line it starts, if it starts one.
    window: [(u16, Option<u64>); BLOCK],
    index: usize,
    hash: u64,
    /// `FACTOR` to the power of `BLOCK`, for taking the oldest character out.
    first: u64,
    line: u64,
    at_line_start: bool,
    after_cr: bool,
    seen: HashMap<u64, u32>,
    /// The start of a character whose end has not come yet.
    pending: Vec<u8>,
}

impl LineHasher {
    /// For the lines `wanted`, counted from 1.
    pub fn new(wanted: BTreeSet<u64>) -> Self {
        Self {
            wanted,
            hashes: BTreeMap::new(),
            window: [(0, None); BLOCK],
            index: 0,
            hash: 0,
            first: (0..BLOCK).fold(1, |power: u64, _| power.wrapping_mul(FACTOR)),
            line: 0,
            at_line_start: true,
            after_cr: false,
            seen: HashMap::new(),
            pending: Vec::new(),
        }
    }

    /// Takes the next bytes of the text; a character may be split between two calls.
    pub fn push(&mut self, bytes: &[u8]) {
        let mut joined = std::mem::take(&mut self.pending);
        joined.extend_from_slice(bytes);
        let mut rest = joined.as_slice();
        while !rest.is_empty() {
            let (text, bad) = match std::str::from_utf8(rest) {
                Ok(text) => (text, Some(0)),
                Err(error) => {
                    let text = std::str::from_utf8(&rest[..error.valid_up_to()]).unwrap_or_default();
                    (text, error.error_len())
                }
            };
            self.characters(text);
            rest = &rest[text.len()..];
            let Some(bad) = bad else {
                self.pending = rest.to_vec();
                return;
            };
            if bad > 0 {
                self.characters("\u{fffd}");
            }
            rest = &rest[bad..];
        }
    }

    /// The hash of each wanted line there is.
    pub fn finish(mut self) -> BTreeMap<u64, String> {
        if !self.pending.is_empty() {
            self.characters("\u{fffd}");
        }
        self.character(END);
        for _ in 0..BLOCK {
            self.emit();
            self.roll(0);
        }
        self.hashes
    }

    fn characters(&mut self, text: &str) {
        for unit in text.encode_utf16() {
            self.character(unit);
        }
    }

    fn character(&mut self, unit: u16) {
        if unit == SPACE || unit == TAB || (self.after_cr && unit == LF) {
            self.after_cr = false;
            return;
        }
        self.after_cr = unit == CR;
        let unit = if self.after_cr { LF } else { unit };
        self.emit();
        if self.at_line_start {
            self.at_line_start = false;
            self.line += 1;
            self.window[self.index].1 = Some(self.line);
        }
        self.at_line_start = unit == LF;
        self.roll(unit);
    }

    /// Gives the hash of the line whose first character is the oldest in the window.
    fn emit(&mut self) {
        let Some(line) = self.window[self.index].1.take() else { return };
        let count = self.seen.entry(self.hash).or_default();
        *count += 1;
        if self.wanted.contains(&line) {
            self.hashes.insert(line, format!("{:x}:{count}", self.hash));
        }
    }

    const fn roll(&mut self, unit: u16) {
        let oldest = self.window[self.index].0;
        self.window[self.index].0 = unit;
        let grown = self.hash.wrapping_mul(FACTOR).wrapping_add(unit as u64);
        self.hash = grown.wrapping_sub(self.first.wrapping_mul(oldest as u64));
        self.index = (self.index + 1) % BLOCK;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hashes(text: &[u8]) -> Vec<String> {
        let whole = {
            let mut hasher = LineHasher::new((1..100).collect());
            hasher.push(text);
            hasher.finish()
        };
        let mut hasher = LineHasher::new((1..100).collect());
        text.chunks(1).for_each(|byte| hasher.push(byte));
        assert_eq!(whole, hasher.finish());
        whole.into_values().collect()
    }

    /// The vectors of `src/fingerprints.test.ts` in github/codeql-action.
    #[test]
    fn agrees_with_the_original() {
        assert_eq!(hashes(b""), ["c129715d7a2bc9a3:1"]);
        let text = b" a\nb\n  \t\tc\n d";
        let expected = ["271789c17abda88f:1", "54703d4cd895b18:1", "180aee12dab6264:1", "a23a3dc5e078b07b:1"];
        assert_eq!(hashes(text), expected);
        let hello = ["e9496ae3ebfced30:1", "fb7c023a8b9ccb3f:1", "ce8ba1a563dcdaca:1", "e20e36e16fcb0cc8:1"];
        let end = ["b3edc88f2938467e:1", "c8e28b0b4002a3a0:1", "c129715d7a2bc9a3:1"];
        let expected = [&hello[..], &end[..]].concat();
        for text in [
            " hello; \t\nworld!!!\n\n\n  \t\tGreetings\n End\n",
            " hello; \t\nworld!!!\r\r\r  \t\tGreetings\r End\r",
            " hello; \t\r\nworld!!!\r\n\r\n\r\n  \t\tGreetings\r\n End\r\n",
            " hello; \t\nworld!!!\r\n\n\r  \t\tGreetings\r End\r\n",
        ] {
            assert_eq!(hashes(text.as_bytes()), expected);
        }
        let repeated = hashes("Lorem ipsum dolor sit amet.\n".repeat(10).as_bytes());
        assert_eq!(repeated[..2], ["a7f2ff13bc495cf2:1", "a7f2ff13bc495cf2:2"]);
        assert_eq!(repeated[5..8], ["a7f2ff13bc495cf2:6", "a7f2ff1481e87703:1", "a9cf91f7bbf1862b:1"]);
    }

    #[test]
    fn bytes_that_are_no_text_become_replacement_characters() {
        assert_eq!(hashes(b"a\xffb\xe2\x82"), hashes("a\u{fffd}b\u{fffd}".as_bytes()));
    }
}
