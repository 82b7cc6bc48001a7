//! The line a key stands on, cut to a readable length, with every key in it masked.
//!
//! Masks real keys and placeholders alike: an excerpt never shows an identifier. Control characters are left to the reports.

use super::grammar::{REST_BYTES_MAX, is_identifier};
use super::{Candidate, Detector};
use crate::finding::Excerpt;
use std::ops::Range;

/// Bytes looked at on either side of a key: more than the longest key, so that none is cut before it is masked.
const CONTEXT_BYTES: usize = 4096;
/// Characters shown on either side of a key.
const SHOWN_MAX: usize = 80;

/// The line of `text` around the key at `key`.
pub fn excerpt(detector: &Detector, text: &[u8], key: &Range<usize>) -> Excerpt {
    let from = key.start.saturating_sub(CONTEXT_BYTES);
    let to = text.len().min(key.end + CONTEXT_BYTES);
    let line_start = memchr::memrchr(b'\n', &text[from..key.start]).map(|newline| from + newline + 1);
    let line_end = memchr::memchr(b'\n', &text[key.end..to]).map(|newline| key.end + newline);
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
        cut_before: cut > 0 || (line_start.is_none() && from > 0),
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
    detector.search(text, &mut |candidate| candidates.push(candidate));
    let mut masked = String::with_capacity(text.len());
    let (mut done, mut at) = (0, 0..0);
    for candidate in candidates {
        masked.push_str(&String::from_utf8_lossy(&text[done.min(candidate.range.start)..candidate.range.start]));
        let start = masked.len();
        masked.push_str(&detector.secret(text, &candidate).masked());
        if candidate.range.start == own.start {
            at = start..masked.len();
        }
        done = candidate.range.end + overlong(text, &candidate);
    }
    masked.push_str(&String::from_utf8_lossy(&text[done..]));
    (masked, at)
}

/// Bytes behind a candidate that was cut for its length and that would have gone on with it.
fn overlong(text: &[u8], candidate: &Candidate) -> usize {
    if candidate.range.len() < REST_BYTES_MAX {
        return 0;
    }
    let is_more = |byte: &&u8| is_identifier(**byte) || (candidate.wide && **byte == 0);
    text[candidate.range.end..].iter().take_while(is_more).count()
}
