//! Base64 and base64url at any alignment, padded or not, in one line or wrapped.
//!
//! Wrapped means lines of nothing else, none longer than the one before, however they are indented or escaped.

use super::layer::Layer;
use std::ops::Range;

pub(super) const NAME: &str = "base64";
/// Characters of a run that are looked at to tell whether it is text.
const SAMPLE_CHARS: usize = 20;
/// From one sample of a long run to the next.
const SAMPLE_STEP: usize = 2048;
/// The shortest line that may go on in the next one.
const LINE_MIN: usize = 20;
/// Bytes that there is room for at first.
const RESERVED_BYTES: usize = 1024;
/// More bytes are no line break and indentation.
const BREAK_MAX: usize = 64;
/// The most characters of the line before that may hold the start of a key.
const LINE_BEFORE_CHARS: usize = 128;
/// The longest line that is looked at as a whole; a line that a wrap ends is never as long.
const LINE_MAX: usize = 1024;

/// The value of each character; 64 for what is none.
const VALUES: [u8; 256] = values();

const fn values() -> [u8; 256] {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut values = [64; 256];
    let (mut at, mut value) = (0, 0);
    while at < 64 {
        values[alphabet[at] as usize] = value;
        at += 1;
        value += 1;
    }
    values[b'-' as usize] = 62;
    values[b'_' as usize] = 63;
    values
}

/// Reads the characters of a run, one by one.
pub(super) struct Reader<'t> {
    text: &'t [u8],
    /// Where the next character stands, or what is between it and the last.
    pub at: usize,
    /// Characters of the line so far, those before the start included.
    chars: usize,
    /// Whether lines may follow.
    wraps: bool,
    /// Lines before this one that were read, characters of the last of them, and where it ended.
    lines: usize,
    chars_before: usize,
    line_end: usize,
}

impl<'t> Reader<'t> {
    /// At `start` of `text`; `wraps` says whether the next line may belong to it.
    pub fn new(text: &'t [u8], start: usize, wraps: bool) -> Self {
        let before = || text[..start].iter().rev().take(LINE_MAX).take_while(|&&byte| is_char(byte)).count();
        let chars = if wraps { before() } else { 0 };
        Self { text, at: start, chars, wraps, lines: 0, chars_before: 0, line_end: start }
    }

    /// Where the line before the last one ended, if the last is shorter: it may be something else.
    pub fn before_short_line(&self) -> Option<usize> {
        (self.lines > 0 && self.chars < self.chars_before).then_some(self.line_end)
    }

    /// The next character's value, and where it stands.
    fn next(&mut self) -> Option<(u8, usize, usize)> {
        loop {
            let rest = self.text.get(self.at..)?;
            let value = VALUES[usize::from(*rest.first()?)];
            if value < 64 {
                self.chars += 1;
                self.at += 1;
                return Some((value, self.at - 1, self.at));
            }
            if let Some((value, len)) = escaped(rest) {
                self.chars += 1;
                self.at += len;
                return Some((value, self.at - len, self.at));
            }
            let len = self.wrap(rest).filter(|_| self.wraps)?;
            (self.line_end, self.chars_before, self.lines) = (self.at, self.chars, self.lines + 1);
            self.at += len;
            self.chars = 0;
        }
    }

    /// Decodes whole groups of four for as long as nothing else stands between their characters.
    fn groups(&mut self, layer: &mut Layer, bytes_max: usize) {
        while layer.bytes.len() + 3 <= bytes_max
            && let Some(group) = self.text.get(self.at..).and_then(|rest| rest.first_chunk::<4>())
        {
            let values = group.map(|byte| VALUES[usize::from(byte)]);
            if values.iter().fold(0, |all, value| all | value) >= 64 {
                return;
            }
            let bits = values.iter().fold(0_u32, |bits, &value| bits << 6 | u32::from(value));
            let [_, first, second, third] = bits.to_be_bytes();
            layer.push_group([first, second, third], self.at);
            self.at += 4;
            self.chars += 4;
        }
    }

    /// The length of the line break that `rest` starts with, if the next line goes on with this one.
    fn wrap(&self, rest: &[u8]) -> Option<usize> {
        // Of lines that are as long as can be only the last is shorter; what stands before the first may count as a part of it.
        let is_last = self.lines > 1 && self.chars != self.chars_before;
        if self.chars < LINE_MIN || self.chars > LINE_MAX || is_last {
            return None;
        }
        let len = break_len(rest)?;
        let next = rest[len..].iter().take(self.chars + 1).take_while(|&&byte| VALUES[usize::from(byte)] < 64).count();
        let behind = &rest[len + next..];
        let behind = &behind[behind.iter().take(2).take_while(|&&byte| byte == b'=').count()..];
        // Such a break stands in nothing but what was written as a whole.
        let is_carried = matches!(rest[0], b'%' | b'&');
        let is_all =
            is_carried || matches!(behind, [] | [b'\n' | b'\r' | b'"' | b'\'' | b'<' | b'\\' | b'`' | b'%' | b'&', ..]);
        (next > 0 && next <= self.chars && is_all && !rest[len..].starts_with(b"--")).then_some(len)
    }
}

/// Decodes from `start`, where `missing` characters of a group of four stand before, at most `bytes_max` bytes;
/// gives where it ended, in front of what was not read.
pub(super) fn decode(reader: &mut Reader<'_>, missing: usize, bytes_max: usize) -> Layer {
    let start = reader.at;
    let mut layer = Layer::at(start);
    let (mut bits, mut held, mut from) = (0_u32, missing * 6 % 8, start);
    layer.reserve(bytes_max.min(RESERVED_BYTES));
    while layer.bytes.len() < bytes_max {
        if held == 0 {
            reader.groups(&mut layer, bytes_max);
        }
        let Some((value, first, last)) = reader.next() else { break };
        if held == 0 {
            from = first;
        }
        bits = bits << 6 | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            layer.push((bits >> held).to_le_bytes()[0], from..last);
            from = first;
        }
    }
    let padding = reader.text[reader.at..].iter().take(2).take_while(|&&byte| byte == b'=').count();
    layer.extend_last(reader.at, reader.at + padding);
    layer
}

/// The first bytes of what stands at `start`.
pub(super) fn head<const N: usize>(text: &[u8], start: usize) -> [u8; N] {
    let mut first = [0; N];
    let (mut bits, mut held, mut len) = (0_u32, 0, 0);
    for &byte in text.get(start..).unwrap_or_default() {
        let value = VALUES[usize::from(byte)];
        if value == 64 || len == N {
            break;
        }
        bits = bits << 6 | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            first[len] = (bits >> held).to_le_bytes()[0];
            len += 1;
        }
    }
    first
}

/// The start, 0 to 3, of the groups of the run `run` that make it text, if any sample of it is.
pub(super) fn is_text(run: &[u8], is_texty: &dyn Fn(&[u8]) -> bool) -> Option<usize> {
    (0..run.len().saturating_sub(SAMPLE_CHARS + 3)).step_by(SAMPLE_STEP).find_map(|from| {
        let from = from & !3;
        (0..4).find(|phase| {
            let sample: [u8; SAMPLE_CHARS / 4 * 3] = head(run, from + phase);
            is_texty(&sample)
        })
    })
}

/// Where the character `count` characters before `at` stands, or the first there is, and how many are missing.
pub(super) fn back(text: &[u8], at: usize, count: usize) -> (usize, usize) {
    let mut at = at;
    for done in 0..count {
        let from = at - break_len_before(&text[..at]);
        match one_before(text, from) {
            Some(one) => at = one,
            None => return (at, count - done),
        }
    }
    (at, 0)
}

/// From where to read what is aligned at `at`, in the first characters of a line: the groups of the line before that may hold the start of a key, if that goes on in this one.
pub(super) fn with_line_before(text: &[u8], at: usize) -> usize {
    let line = at - text[..at].iter().rev().take(4).take_while(|&&byte| is_char(byte)).count();
    let before = line - break_len_before(&text[..line]);
    let goes_on = before < line && Reader::new(text, before, true).wrap(&text[before..]).is_some();
    let chars = text[..before].iter().rev().take(LINE_BEFORE_CHARS).take_while(|&&byte| is_char(byte)).count();
    match back(text, at, (chars + at - line) & !3) {
        (start, 0) if goes_on => start,
        _ => at,
    }
}

/// Whether the line at `run` goes on in the next one.
pub(super) fn goes_on(text: &[u8], run: &Range<usize>) -> bool {
    Reader::new(text, run.end, true).wrap(&text[run.end..]).is_some()
}

/// Whether a line ends in `text`.
pub(super) fn has_break(text: &[u8]) -> bool {
    (0..text.len()).any(|at| break_len(&text[at..]).is_some())
}

/// Whether a byte is of the alphabet.
#[inline]
pub(super) const fn is_char(byte: u8) -> bool {
    VALUES[byte as usize] < 64
}

/// `+` and `/` as URLs and JSON write them: the value and length.
fn escaped(text: &[u8]) -> Option<(u8, usize)> {
    match text {
        [b'%', b'2', b'B' | b'b', ..] => Some((62, 3)),
        [b'%', b'2', b'F' | b'f', ..] => Some((63, 3)),
        [b'\\', b'/', ..] => Some((63, 2)),
        [b'\\', b'u', b'0', b'0', b'2', b'b' | b'B', ..] => Some((62, 6)),
        [b'\\', b'u', b'0', b'0', b'2', b'f' | b'F', ..] => Some((63, 6)),
        [b'&', b'#', ..] => {
            let forms = [
                (62, &b"&#43;"[..]),
                (63, b"&#47;"),
                (62, b"&#x2B;"),
                (62, b"&#x2b;"),
                (63, b"&#x2F;"),
                (63, b"&#x2f;"),
            ];
            forms.into_iter().find(|(_, form)| text.starts_with(form)).map(|(value, form)| (value, form.len()))
        }
        _ => None,
    }
}

/// Where the character before `at` stands, escaped or not.
fn one_before(text: &[u8], at: usize) -> Option<usize> {
    let one = at.checked_sub(1)?;
    if let Some(start) = escape_before(text, at) {
        return Some(start);
    }
    is_char(text[one]).then_some(one)
}

/// Where the escaped character stands that ends at `at`.
fn escape_before(text: &[u8], at: usize) -> Option<usize> {
    if !matches!(text.get(at.checked_sub(1)?)?, b'B' | b'b' | b'F' | b'f' | b'/' | b';') {
        return None;
    }
    let is_one = |len: &usize| {
        at.checked_sub(*len).is_some_and(|from| escaped(&text[from..at]).is_some_and(|(_, all)| all == *len))
    };
    [2, 3, 5, 6].into_iter().find(is_one).map(|len| at - len)
}

/// `at`, or where an escape ends that the characters there belong to.
pub(super) fn behind_escape(text: &[u8], at: usize) -> usize {
    at.checked_sub(1).and_then(|from| Some(from + escaped(&text[from..])?.1)).unwrap_or(at)
}

/// Where the characters begin that stand before `at` in one piece, escaped or not, beyond `from` at least.
pub(super) fn begin(text: &[u8], at: usize, from: usize) -> usize {
    let mut at = at;
    while let Some(before) = one_before(text, at).filter(|&before| before >= from) {
        at = before;
    }
    at
}

/// How the ends of lines are written, plainly and where something else carries the text; before each may stand one of [`RETURNS`].
const FEEDS: [&[u8]; 8] = [b"\n", b"\\n", b"\\\n", b"%0A", b"%0a", b"&#10;", b"&#xA;", b"\\u000a"];
const RETURNS: [&[u8]; 6] = [b"\r", b"\\r", b"%0D", b"%0d", b"&#13;", b"\\u000d"];
/// How indentation is written.
const SPACES: [&[u8]; 5] = [b" ", b"\t", b"%20", b"&#32;", b"\\u0020"];

/// The length of a line break and of the indentation behind it.
fn break_len(text: &[u8]) -> Option<usize> {
    if !matches!(text.first()?, b'\n' | b'\r' | b'\\' | b'%' | b'&') {
        return None;
    }
    let one =
        |from: usize, forms: &[&[u8]]| forms.iter().find(|form| text[from..].starts_with(form)).map(|form| form.len());
    let mut at = one(0, &RETURNS).unwrap_or(0);
    at += one(at, &FEEDS)?;
    while let Some(len) = one(at, &SPACES) {
        at += len;
    }
    Some(at)
}

/// Bytes at the end of `text` that belong to a line break or to indentation.
fn break_len_before(text: &[u8]) -> usize {
    let mut rest = text;
    while let Some(shorter) = [&FEEDS[..], &RETURNS, &SPACES].concat().iter().find_map(|form| rest.strip_suffix(*form))
    {
        rest = shorter;
        if text.len() - rest.len() > BREAK_MAX {
            break;
        }
    }
    text.len() - rest.len()
}

#[cfg(test)]
pub(super) const EXAMPLES: super::Examples = super::Examples {
    found: &[
        ("d: {base64 {key}}\n", &["base64"]),
        ("d: {base64 a{key}}\n", &["base64"]),
        ("d: {base64 ab{key}}\n", &["base64"]),
        ("d: {base64url {\"k\":\"{key}\"}}.x\n", &["base64"]),
        ("d: {base64 {base64 {key}}}\n", &["base64", "base64"]),
        ("d: {base64 {base64 {base64 a{key}}}}\n", &["base64", "base64", "base64"]),
        ("{wrapped {p:100}{key}{q:100}}", &["base64"]),
        ("data: |\n{indented {p:90}{key}{q:90}}", &["base64"]),
        ("data: |\n{indented {p:70}{base64 {key}}{q:90}}", &["base64", "base64"]),
        ("?d={base64 {p:45}}%0D%0A{base64 {key}}&x=1", &["base64"]),
        ("<d>{base64 {p:45}}&#10;&#32;{base64 {key}}</d>", &["base64"]),
        ("{\"pem\":\"{base64 {p:45}}\\n{base64 {key}}\\n\"}", &["base64"]),
        ("powershell -EncodedCommand {base64 {utf16 $env:K='{key}'; Start-Process x}}\r\n", &["base64", "utf-16le"]),
        ("k={base64 {utf32 set k='{key}'}}\n", &["base64", "utf-32le"]),
        ("eyJhbGciOiJub25lIn0.{base64url {\"k\":\"{key}\"}}.c2ln\n", &["base64"]),
        ("data:\n  A: {base64 {key}}\n  OTHER: {base64 {p:30}}\n", &["base64"]),
        ("{base64 {key}}\n{base64 second}\n", &["base64"]),
        ("x={base64 {key:_=%5f}}", &["base64", "percent"]),
        ("x={base64 {key:*=%02x}}", &["base64", "hex"]),
        ("x={key64:*=%%%02x}", &["percent", "base64"]),
        ("x={key64:*=%02X}", &["hex", "base64"]),
        ("x={key64:*=&#%d;}", &["entity", "base64"]),
        ("x={key64:*=\\u%04x}", &["backslash", "base64"]),
    ],
    passed_over: &["transaction YW5zYV9 Fuc2Ffc2tfbGl2ZV", "{base64 {p:300}}"],
};
