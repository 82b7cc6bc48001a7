//! What a few bytes of a run tell: whether it is text, which packing it starts with, whether it is an identifier of a known form.

use super::packed::Packing;
use super::{base64, hex, runs};
use std::ops::Range;

/// The shortest run that is tried as a compressed stream without a name.
const TRIED_MIN: usize = 80;
/// Bytes of a stream that is tried: more than its tables take, and what makes a trial of text.
const TRIED_BYTES: usize = 4 * 1024;
/// The most between two lines of a run.
const BREAK_MAX: usize = 64;

/// The packing that a run in hexadecimal starts with.
pub(super) fn hex_packing(run: &[u8]) -> Option<Packing> {
    if !run[..8].iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    Packing::named(&hex::decode(run, 0, 4).0.bytes)
}

/// The packing of the base64 that starts at `start`, named or found by trying; `range` is a run in it.
pub(super) fn base64_packing(text: &[u8], start: usize, range: &Range<usize>) -> Option<Packing> {
    let layer = base64::decode(&mut base64::Reader::new(text, start, true), 0, 24);
    let head: [u8; 24] = *layer.bytes.first_chunk()?;
    if let Some(packing) = Packing::named(&head) {
        return Some(packing);
    }
    let run = &text[range.clone()];
    let has = |class: fn(&u8) -> bool| run.iter().take(runs::RUN_MIN).any(class);
    let is_mixed = has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase) && has(u8::is_ascii_digit);
    if !is_mixed || !Packing::may_be_tried(&head) || run.starts_with(b"sha") || is_next_line(text, start) {
        return None;
    }
    let is_long = range.end - start >= TRIED_MIN || base64::goes_on(text, range);
    let mut reader = base64::Reader::new(text, start, true);
    is_long
        .then(|| base64::decode(&mut reader, 0, TRIED_BYTES))
        .and_then(|layer| Packing::tried(&layer.bytes, &is_texty))
}

/// Whether a run goes on at `start` that a line before it began: no stream starts there.
fn is_next_line(text: &[u8], start: usize) -> bool {
    let before = &text[..start];
    let gap = before.iter().rev().take(BREAK_MAX).take_while(|byte| byte.is_ascii_whitespace()).count();
    let (line, gap) = before.split_at(start - gap);
    let end = line.iter().rev().take(runs::RUN_MIN);
    gap.contains(&b'\n') && line.len() >= runs::RUN_MIN && end.into_iter().all(|&byte| base64::is_char(byte))
}

/// Controls that text does not have.
const CONTROLS: [bool; 256] = {
    let mut controls = [false; 256];
    let mut byte = 0_u8;
    while byte < 0x20 {
        controls[byte as usize] = !matches!(byte, b'\t' | b'\r' | b'\n' | 0x1b);
        byte += 1;
    }
    controls[0x7f] = true;
    controls
};

/// Whether `sample` is text, in UTF-8, UTF-16 or UTF-32; its ends may cut a character.
pub(super) fn is_texty(sample: &[u8]) -> bool {
    let start = sample.iter().take(3).take_while(|&&byte| byte & 0xc0 == 0x80).count();
    let is_control = |byte: &u8| CONTROLS[usize::from(*byte)];
    let narrow = &sample[start..];
    let is_utf8 = || match std::str::from_utf8(narrow) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none() && narrow.len() - error.valid_up_to() < 4,
    };
    if !narrow.iter().any(is_control) && is_utf8() {
        return true;
    }
    // Wider characters have some; what follows takes longer.
    if !sample.contains(&0) {
        return false;
    }
    let wide = |from: usize| {
        let zeros = sample.iter().skip(from).step_by(2).filter(|&&byte| byte == 0).count();
        let others = sample
            .iter()
            .skip(1 - from)
            .step_by(2)
            .filter(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace());
        zeros + 1 >= sample.len() / 2 && others.count() + 1 >= sample.len() / 2
    };
    let is_one = |byte: &u8| byte.is_ascii_graphic() || byte.is_ascii_whitespace();
    let is_utf32 = |first: usize| {
        let is_right = |(at, byte): (usize, &u8)| if at % 4 == first { is_one(byte) } else { *byte == 0 };
        sample.len() >= 8 && sample.iter().enumerate().all(is_right)
    };
    wide(0) || wide(1) || (0..4).any(is_utf32)
}

/// Whether a key ends in a UUID.
pub(super) fn is_uuid(key: &[u8]) -> bool {
    key.len().checked_sub(36).is_some_and(|start| starts_uuid(&key[start..]))
}

/// Whether a UUID may start with `identifier`.
pub(super) fn starts_uuid(identifier: &[u8]) -> bool {
    let is_right = |(at, byte): (usize, &u8)| match at {
        8 | 13 | 18 | 23 => *byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    identifier.iter().enumerate().all(is_right)
}
