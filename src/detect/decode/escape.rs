//! Texts in which characters are written by escapes: what the formats have in common.
//!
//! A format says what one escape is; here regions are found and decoded. Which format is tried where is the explorer's.

use super::layer::Layer;
use std::ops::Range;

/// Bytes before an anchor that may belong to the same key.
const BEFORE_MAX: usize = 256;
/// Bytes from an anchor to the end of what is decoded for it.
const BEHIND_MAX: usize = 16 * 1024;
/// Escapes in a row that make a region dense.
const DENSE_MIN: usize = 4;
/// The longest escape of any format.
const UNIT_MAX: usize = 16;

/// What one escape stands for.
pub(super) enum Value {
    /// A byte of UTF-8.
    Byte(u8),
    /// A character.
    Char(char),
    /// Nothing: the text goes on behind it.
    Nothing,
}

/// How a format writes characters.
pub(super) struct Format {
    /// Its name in reports.
    pub name: &'static str,
    /// The byte that an escape starts with.
    pub lead: u8,
    /// The escape that a text starts with: its length and what it stands for.
    pub unit: fn(&[u8]) -> Option<(usize, Value)>,
}

impl Format {
    /// What an anchor at `anchor` may stand in: up to the nearest quote or space that no escape covers.
    pub fn around(&self, text: &[u8], anchor: &Range<usize>) -> Range<usize> {
        let from = before(anchor.start);
        let start = (from..anchor.start).rev().find(|&at| {
            // A soft break is an escape that ends with a line.
            let is_broken = || self.lead == b'=' && text[..at].iter().rev().find(|&&byte| byte != b'\r') == Some(&b'=');
            match text[at] {
                b' ' => false,
                b'\r' | b'\n' => !is_broken(),
                byte => ends_token(byte),
            }
        });
        let to = text.len().min(anchor.end + BEHIND_MAX);
        let mut end = anchor.start;
        while end < to {
            match self.escape(&text[end..to]) {
                Some((len, _)) => end += len,
                None if ends_token(text[end]) => break,
                None => end += 1,
            }
        }
        start.map_or(from, |at| at + 1)..end
    }

    /// The run of escapes that has `probe` in it, if there are several in a row.
    pub fn dense(&self, text: &[u8], probe: usize) -> Option<Range<usize>> {
        let near = &text[probe..text.len().min(probe + UNIT_MAX / 2)];
        let mut start = probe + memchr::memchr(self.lead, near)?;
        let mut end = start;
        for _ in 0..DENSE_MIN {
            end += self.whole(&text[end..])?;
        }
        while let Some(len) = self.whole(&text[end..]) {
            end += len;
        }
        loop {
            let from = start.saturating_sub(UNIT_MAX);
            let is_unit = |at: usize| {
                let single = self.escape(&text[at..]).map(|(len, _)| len);
                single.is_some_and(|len| at + len == start)
                    || self.whole(&text[at..]).is_some_and(|len| at + len == start)
            };
            let mut leads = memchr::memrchr_iter(self.lead, &text[from..start]).map(|at| from + at);
            match leads.find(|&at| is_unit(at)) {
                Some(at) => start = at,
                None => return Some(start..end),
            }
        }
    }

    /// `range` of `text` with its escapes undone.
    pub fn decode(&self, text: &[u8], range: Range<usize>) -> Layer {
        let mut layer = Layer::at(range.start);
        let mut at = range.start;
        while at < range.end {
            let Some((len, value)) = self.escape(&text[at..range.end]) else {
                layer.push(text[at], at..at + 1);
                at += 1;
                continue;
            };
            match value {
                Value::Byte(byte) => layer.push(byte, at..at + len),
                Value::Char(character) => layer.push_char(character, &(at..at + len)),
                Value::Nothing => {}
            }
            at += len;
        }
        layer
    }

    /// The length of the escape that `text` starts with, whose own lead may be escaped in turn.
    fn whole(&self, text: &[u8]) -> Option<usize> {
        let (mut len, mut value) = self.escape(text)?;
        let is_lead = |value: &Value| match value {
            Value::Byte(byte) => *byte == self.lead,
            Value::Char(character) => u32::from(*character) == u32::from(self.lead),
            Value::Nothing => false,
        };
        while is_lead(&value) {
            let rest = &text[len..text.len().min(len + UNIT_MAX)];
            let Some((more, next)) = self.escape(&[&[self.lead], rest].concat()) else { break };
            (len, value) = (len + more - 1, next);
        }
        Some(len)
    }

    fn escape(&self, text: &[u8]) -> Option<(usize, Value)> {
        if text.first() == Some(&self.lead) { (self.unit)(text) } else { None }
    }
}

/// The first byte that may belong to the same key as an anchor at `anchor`.
pub(super) const fn before(anchor: usize) -> usize {
    anchor.saturating_sub(BEFORE_MAX)
}

/// The number that the first `len` bytes write in `radix`.
pub(super) fn number(text: &[u8], len: usize, radix: u32) -> Option<u32> {
    let digits = text.get(..len)?;
    digits.iter().try_fold(0_u32, |sum, &digit| sum.checked_mul(radix)?.checked_add(char::from(digit).to_digit(radix)?))
}

/// How many of the first bytes are digits in `radix`, at most `most`.
pub(super) fn digits(text: &[u8], radix: u32, most: usize) -> usize {
    text.iter().take(most).take_while(|&&byte| char::from(byte).is_digit(radix)).count()
}

const fn ends_token(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b'"' | b'\'' | b'`' | b'<' | b'>' | 0)
}
