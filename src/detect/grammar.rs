//! Where a candidate ends: at the first byte outside the identifier alphabet, or at the next prefix.
//!
//! At most two trailing `=` belong to it and nothing else is stripped.

use super::prefix::Needle;
use std::borrow::Cow;

/// The most bytes of environment and identifier that are read; published keys have at most 50.
/// A longer run is cut here and judged by its start.
pub(super) const REST_BYTES_MAX: usize = 1024;
/// Characters behind a candidate that its judgement may look at.
const FOLLOWS_MAX: usize = 4;

/// What stands behind a prefix.
pub(super) struct Run {
    /// Where the first character stands, in bytes.
    start: usize,
    /// Characters in the run.
    len: usize,
    /// Bytes from one character to the next: 1, 2 or 4.
    step: usize,
}

impl Run {
    /// Reads behind `needle`, not beyond `limit`.
    pub fn read(bytes: &[u8], needle: &Needle, limit: usize) -> Self {
        let step = needle.width;
        // A wide needle ends with a character's low byte; NULs stand before the next character.
        let start = needle.range.end + step - 1;
        let mut run = Self { start, len: 0, step };
        while run.len < REST_BYTES_MAX && run.at(run.len) < limit && run.byte(bytes, run.len).is_some_and(is_identifier)
        {
            run.len += 1;
        }
        run.trim_padding(bytes);
        run
    }

    /// Leaves the first `len` characters.
    pub fn cut(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// Just behind the last byte of the last character.
    pub const fn end(&self) -> usize {
        self.start + self.len * self.step + 1 - self.step
    }

    /// The run with one byte a character.
    pub fn narrow<'a>(&self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        if self.step == 1 {
            return Cow::Borrowed(&bytes[self.start.min(bytes.len())..self.end()]);
        }
        Cow::Owned((0..self.len).filter_map(|index| self.byte(bytes, index)).collect())
    }

    /// A few bytes of what follows, with one byte a character for as long as they are ASCII.
    pub fn follows(&self, bytes: &[u8]) -> Vec<u8> {
        if self.step == 1 {
            let end = self.end().min(bytes.len());
            return bytes[end..bytes.len().min(end + FOLLOWS_MAX)].to_vec();
        }
        (self.len..self.len + FOLLOWS_MAX).map_while(|index| self.byte(bytes, index)).collect()
    }

    const fn at(&self, index: usize) -> usize {
        self.start + index * self.step
    }

    /// The character at `index`, if its value is below 256; a wide one has NULs before it.
    fn byte(&self, bytes: &[u8], index: usize) -> Option<u8> {
        let at = self.at(index);
        let is_wide = || bytes.get(at + 1 - self.step..at).is_some_and(|before| before.iter().all(|&byte| byte == 0));
        if self.step > 1 && !is_wide() {
            return None;
        }
        bytes.get(at).copied()
    }

    fn trim_padding(&mut self, bytes: &[u8]) {
        let padding = (0..self.len).rev().take_while(|&index| self.byte(bytes, index) == Some(b'=')).count();
        self.len -= padding.saturating_sub(2);
    }
}

/// How many identifier characters `text` starts with, as far as a key may reach.
pub(super) fn run_len(text: &[u8]) -> usize {
    text.iter().take(REST_BYTES_MAX).take_while(|&&byte| is_identifier(byte)).count()
}

pub(super) const fn is_identifier(byte: u8) -> bool {
    matches!(byte, b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' | b'=' | b'_' | b'-')
}
