//! Lists of bytes in decimal, as in arrays of source code and in JSON of a buffer: `97, 110, 115`.

use super::layer::Layer;
use std::ops::Range;

pub(super) const NAME: &str = "decimal";
/// Numbers in a row that make a dense region.
const DENSE_MIN: usize = 12;
/// The most bytes between two numbers.
const GAP_MAX: usize = 24;
/// The longest number and what follows it.
const UNIT_MAX: usize = GAP_MAX + 3;

/// The region of numbers that has `probe` in it.
pub(super) fn dense(text: &[u8], probe: usize) -> Option<Range<usize>> {
    let near = probe..text.len().min(probe + 8);
    let start = near.clone().find(|&at| text[at].is_ascii_digit() && !is_digit_before(text, at))?;
    let (mut end, mut count) = (start, 0);
    while let Some((_, digits, gap)) = unit(&text[end..]) {
        (end, count) = (end + digits + gap, count + 1);
        if gap == 0 {
            break;
        }
    }
    if count < DENSE_MIN {
        return None;
    }
    let mut start = start;
    while let Some(at) = (start.saturating_sub(UNIT_MAX)..start).find(|&at| {
        !is_digit_before(text, at) && unit(&text[at..]).is_some_and(|(_, digits, gap)| at + digits + gap == start)
    }) {
        start = at;
    }
    Some(start..end)
}

/// The bytes of a dense region.
pub(super) fn decode_dense(text: &[u8], range: &Range<usize>) -> Layer {
    let mut layer = Layer::at(range.start);
    let mut at = range.start;
    while let Some((byte, digits, gap)) = unit(&text[at..range.end]) {
        layer.push(byte, at..at + digits);
        at += digits + gap;
    }
    layer
}

/// A number below 256, its digits, and the bytes up to the next number.
fn unit(text: &[u8]) -> Option<(u8, usize, usize)> {
    let digits = text.iter().take(4).take_while(|byte| byte.is_ascii_digit()).count();
    let byte = std::str::from_utf8(&text[..digits]).ok()?.parse().ok()?;
    let behind = &text[digits..];
    let space =
        |from: usize| behind[from..].iter().take(GAP_MAX / 2).take_while(|byte| byte.is_ascii_whitespace()).count();
    let before = space(0);
    if behind.get(before) != Some(&b',') {
        return Some((byte, digits, 0));
    }
    let gap = before + 1 + space(before + 1);
    let has_more = behind.get(gap).is_some_and(u8::is_ascii_digit);
    Some((byte, digits, if has_more { gap } else { 0 }))
}

fn is_digit_before(text: &[u8], at: usize) -> bool {
    at > 0 && (text[at - 1].is_ascii_alphanumeric() || text[at - 1] == b'.')
}

#[cfg(test)]
pub(super) const EXAMPLES: super::Examples = super::Examples {
    found: &[
        ("{\"type\":\"Buffer\",\"data\":[{key:*=%d,}10]}", &["decimal"]),
        ("let k = [{key:*=%d, }10];", &["decimal"]),
        ("[\n{key:*=  %d,\n}  10\n]", &["decimal"]),
    ],
    passed_over: &["97,110,115,97,95,115,107,95"],
};
