//! Hexadecimal: in either case, in one run, with a `0x` before each byte, or with separators.

use super::layer::Layer;
use std::ops::Range;

pub(super) const NAME: &str = "hex";
/// Digits of a run that are looked at to tell whether it is text.
const SAMPLE_DIGITS: usize = 32;
/// Bytes in a row that make a dense region.
const DENSE_MIN: usize = 8;
/// Digits of a line that may go on in the next one.
const LINE_MIN: usize = 32;

/// Decodes the run of digits at `start`, at most `bytes_max` bytes; gives where it ended.
pub(super) fn decode(text: &[u8], start: usize, bytes_max: usize) -> (Layer, usize) {
    let mut layer = Layer::at(start);
    let (mut at, mut line) = (start, start);
    while layer.bytes.len() < bytes_max {
        if let Some(byte) = pair(&text[at..]) {
            layer.push(byte, at..at + 2);
            at += 2;
            continue;
        }
        match wrap(&text[at..]).filter(|_| at - line >= LINE_MIN) {
            Some(len) => (at, line) = (at + len, at + len),
            None => break,
        }
    }
    (layer, at)
}

/// Where in the run at `run` text in hexadecimal starts, if its first bytes are text.
pub(super) fn is_text(run: &[u8], is_texty: &dyn Fn(&[u8]) -> bool) -> Option<usize> {
    let is_hex =
        |from: usize| run.get(from..from + SAMPLE_DIGITS).filter(|sample| sample.iter().all(u8::is_ascii_hexdigit));
    (0..2).find(|&from| {
        is_hex(from).is_some_and(|sample| {
            let mut bytes = [0; SAMPLE_DIGITS / 2];
            bytes.iter_mut().zip(sample.chunks(2)).for_each(|(byte, digits)| *byte = pair(digits).unwrap_or(0));
            is_texty(&bytes)
        })
    })
}

/// The region of bytes apart from each other that has `probe` in it: `0x61, 0x6e`, `61 6e`, `61:6e`.
pub(super) fn dense(text: &[u8], probe: usize) -> Option<Range<usize>> {
    let near = probe..text.len().min(probe + 8);
    let start = near.clone().find(|&at| unit(&text[at..]).is_some() && !is_digit_before(text, at))?;
    let is_prefixed = has_prefix(&text[start..]);
    let (mut end, mut count) = (start, 0);
    while let Some((_, len)) = unit(&text[end..]).filter(|_| has_prefix(&text[end..]) == is_prefixed) {
        (end, count) = (end + len, count + 1);
    }
    if count < DENSE_MIN {
        return None;
    }
    let mut start = start;
    // The longest unit is `0x61`, a comma, and the way to the next line.
    while let Some(at) = (start.saturating_sub(UNIT_MAX)..start).find(|&at| {
        let is_unit = has_prefix(&text[at..]) == is_prefixed && !is_digit_before(text, at);
        is_unit && unit(&text[at..]).is_some_and(|(_, len)| at + len == start)
    }) {
        start = at;
    }
    Some(start..end)
}

/// The bytes of a dense region.
pub(super) fn decode_dense(text: &[u8], range: &Range<usize>) -> Layer {
    let mut layer = Layer::at(range.start);
    let mut at = range.start;
    while let Some((byte, len)) = unit(&text[at..range.end]) {
        let digits = if has_prefix(&text[at..]) { 4 } else { 2 };
        layer.push(byte, at..at + digits);
        at += len;
    }
    layer
}

/// The longest unit of a dense region.
const UNIT_MAX: usize = 24;
/// The most bytes between two units.
const GAP_MAX: usize = 16;

/// One byte and the separators behind it: its value and length. Two digits alone are no unit unless something follows them.
fn unit(text: &[u8]) -> Option<(u8, usize)> {
    let digits = if has_prefix(text) { 2 } else { 0 };
    let byte = pair(text.get(digits..)?)?;
    let behind = &text[digits + 2..];
    let gap = behind.iter().take(GAP_MAX).take_while(|byte| b" ,:-;\t\r\n".contains(byte)).count();
    let is_next = digits == 2 && behind[gap..].starts_with(b"0x");
    (gap > 0 || is_next || !behind.first().is_some_and(u8::is_ascii_alphanumeric)).then_some((byte, digits + 2 + gap))
}

fn has_prefix(text: &[u8]) -> bool {
    text.starts_with(b"0x") || text.starts_with(b"0X")
}

fn is_digit_before(text: &[u8], at: usize) -> bool {
    at > 0 && text[at - 1].is_ascii_alphanumeric()
}

fn pair(text: &[u8]) -> Option<u8> {
    let digit = |at: usize| char::from(*text.get(at)?).to_digit(16);
    u8::try_from(digit(0)? * 16 + digit(1)?).ok()
}

/// The length of a line break and indentation before more digits.
fn wrap(text: &[u8]) -> Option<usize> {
    let newline = if text.starts_with(b"\r\n") { 2 } else { usize::from(text.starts_with(b"\n")) };
    let indent = text[newline..].iter().take_while(|&&byte| byte == b' ' || byte == b'\t').count();
    let next = text[newline + indent..].iter().take(8);
    (newline > 0 && next.len() == 8 && next.clone().all(u8::is_ascii_hexdigit)).then_some(newline + indent)
}

#[cfg(test)]
pub(super) const EXAMPLES: super::Examples = super::Examples {
    found: &[
        ("k={key:*=%02x}\n", &["hex"]),
        ("k={key:*=%02X}\n", &["hex"]),
        ("k=0x{key:*=%02x}\n", &["hex"]),
        ("char k[] = { {key:*=0x%02x, } };", &["hex"]),
        ("char k[] = {{key:*=0x%02X,}0};", &["hex"]),
        ("{key:*=%02x:}\n", &["hex"]),
        ("{key:*=%02X }\n", &["hex"]),
        ("{key:*=%02x-}\n", &["hex"]),
        ("{key:*=%02x00}\n", &["hex", "utf-16le"]),
    ],
    passed_over: &["616e73615f736b5f", "61 6e 73 61 5f 73 6b 5f"],
};
