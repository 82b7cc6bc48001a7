//! The line a key stands on, cut to a readable length, with every key in it masked.
//!
//! Masks real keys and placeholders alike: an excerpt never shows an identifier. Control characters are left to the reports.

use super::grammar::{REST_BYTES_MAX, is_identifier};
use super::{Candidate, Detector};
use crate::blob::Part;
use crate::finding::Excerpt;
use std::ops::Range;

/// Bytes looked at on either side of a key: more than the longest key, so that none is cut before it is masked.
const CONTEXT_BYTES: usize = 4096;
/// Characters shown on either side of a key.
const SHOWN_MAX: usize = 80;

/// The line of `text` around the key at `key`; `part` says whether more text came before.
pub fn excerpt(detector: &Detector, text: &[u8], part: Part, key: &Range<usize>) -> Excerpt {
    let from = key.start.saturating_sub(CONTEXT_BYTES);
    let to = text.len().min(key.end + CONTEXT_BYTES);
    let line_start = memchr::memrchr(b'\n', &text[from..key.start]).map(|newline| from + newline + 1);
    let line_end = memchr::memchr(b'\n', &text[key.end..to]).map(|newline| key.end + newline);
    let is_cut = line_start.is_none() && (from > 0 || part == Part::Later);
    // What the cut went through may be the rest of a key whose prefix is out of sight.
    let rest = text[from..key.start].iter().take_while(|&&byte| is_identifier(byte) || b"\0\\%&#;".contains(&byte));
    let from = if is_cut { from + rest.count() } else { from };
    let (start, end) = (line_start.unwrap_or(from), line_end.unwrap_or(to));
    let line = text[start..end].strip_suffix(b"\r").unwrap_or(&text[start..end]);
    let own = key.start - start..key.end - start;
    let (masked, own) = mask_around(detector, line, &own);
    let (before, shown) = (&masked[..own.start], &masked[own.clone()]);
    let after = &masked[own.end..];
    let cut = before.char_indices().rev().nth(SHOWN_MAX - 1).map_or(0, |(at, _)| at);
    let after_len = after.char_indices().nth(SHOWN_MAX).map_or(after.len(), |(at, _)| at);
    Excerpt {
        text: format!("{}{shown}{}", &before[cut..], &after[..after_len]),
        key: own.start - cut..own.end - cut,
        cut_before: cut > 0 || is_cut,
        cut_after: after_len < after.len() || (line_end.is_none() && to < text.len()),
    }
}

/// `text` with every key and placeholder in it masked.
pub fn mask(detector: &Detector, text: &[u8]) -> String {
    mask_around(detector, text, &(0..0)).0
}

/// `text` masked, and where the candidate that starts at `own.start` went.
fn mask_around(detector: &Detector, text: &[u8], own: &Range<usize>) -> (String, Range<usize>) {
    let mut candidates: Vec<Candidate> = Vec::new();
    detector.spans(text, &mut |candidate| candidates.push(candidate));
    let mut masked = String::with_capacity(text.len());
    let (mut done, mut at) = (0, 0..0);
    for candidate in candidates {
        masked.push_str(&String::from_utf8_lossy(&text[done.min(candidate.range.start)..candidate.range.start]));
        let start = masked.len();
        masked.push_str(&detector.secret(text, &candidate).masked());
        if candidate.range.start == own.start {
            at = start..masked.len();
        }
        done = candidate.range.end + hidden(text, &candidate);
    }
    masked.push_str(&String::from_utf8_lossy(&text[done..]));
    (masked, at)
}

/// Bytes behind a candidate that would have gone on with it: cut for length, or written with an escape.
fn hidden(text: &[u8], candidate: &Candidate) -> usize {
    let behind = &text[candidate.range.end..];
    let is_more = |byte: &&u8| is_identifier(**byte) || (candidate.wide && **byte == 0);
    let mut hidden = if candidate.range.len() < REST_BYTES_MAX { 0 } else { behind.iter().take_while(is_more).count() };
    while let Some(escape) = escape_len(&behind[hidden..]) {
        let run = behind[hidden + escape..].iter().take_while(is_more).count();
        if run == 0 {
            break;
        }
        hidden += escape + run;
    }
    hidden
}

/// Bytes of the escape that `text` starts with, of those in which JSON, URLs and HTML write `+`, `/` and `=`.
fn escape_len(text: &[u8]) -> Option<usize> {
    let hex = |digits: usize, from: usize| {
        let part = text.get(from..from + digits)?;
        part.iter().all(u8::is_ascii_hexdigit).then_some(from + digits)
    };
    match text {
        [b'\\', b'/', ..] => Some(2),
        [b'\\', b'u', ..] => hex(4, 2),
        [b'\\', b'x', ..] => hex(2, 2),
        [b'%', ..] => hex(2, 1),
        [b'&', ..] => text.iter().take(10).position(|&byte| byte == b';').map(|end| end + 1),
        _ => None,
    }
}
