//! The line a key stands on, cut to a readable length, with every key in it masked.
//!
//! Masks real keys and placeholders alike: an excerpt never shows an identifier. Control characters are left to the reports.

use super::Detector;
use super::grammar::{REST_BYTES_MAX, is_identifier};
use crate::blob::Part;
use crate::finding::Excerpt;
use std::ops::Range;

/// Bytes looked at on either side of a key: more than the longest key, so that none is cut before it is masked.
const CONTEXT_BYTES: usize = 4096;
/// Characters shown on either side of a key.
const SHOWN_MAX: usize = 80;
/// The shortest unbroken run that is not shown.
const OPAQUE_MIN: usize = 40;
/// Stands for what is not shown.
const ELLIPSIS: &str = "…";

/// The line of `text` around a key: its pieces, and its masked form. `part` says whether more text came before.
pub fn excerpt(detector: &Detector, text: &[u8], part: Part, (pieces, masked): (&[Range<usize>], &str)) -> Excerpt {
    let key = pieces.first().cloned().unwrap_or_default();
    let from = key.start.saturating_sub(CONTEXT_BYTES);
    let to = text.len().min(key.end + CONTEXT_BYTES);
    let line_start = memchr::memrchr(b'\n', &text[from..key.start]).map(|newline| from + newline + 1);
    let line_end = memchr::memchr(b'\n', &text[key.end..to]).map(|newline| key.end + newline);
    let is_cut = line_start.is_none() && (from > 0 || part == Part::Later);
    // What the cut went through may be the rest of a key whose prefix is out of sight.
    let rest = text[from..key.start].iter().take_while(|&&byte| is_identifier(byte) || b"\0\\%&#;".contains(&byte));
    let from = if is_cut { from + rest.count() } else { from };
    let (start, end) = (line_start.unwrap_or(from), line_end.unwrap_or(to));
    let end = if text[key.end..end].ends_with(b"\r") { end - 1 } else { end };
    let behind = (key.end + more(text, key.end, key.len(), 1)).min(end);
    let own: Vec<Range<usize>> = pieces.iter().skip(1).map(|piece| local(piece, behind, end)).collect();
    let before = elide(&masked_with(detector, &text[start..key.start], &[]));
    let after = elide(&masked_with(detector, &text[behind..end], &own));
    let cut = before.char_indices().rev().nth(SHOWN_MAX - 1).map_or(0, |(at, _)| at);
    let after_len = after.char_indices().nth(SHOWN_MAX).map_or(after.len(), |(at, _)| at);
    let before = &before[cut..];
    Excerpt {
        text: format!("{before}{masked}{}", &after[..after_len]),
        key: before.len()..before.len() + masked.len(),
        cut_before: cut > 0 || is_cut,
        cut_after: after_len < after.len() || (line_end.is_none() && to < text.len()),
    }
}

/// `text` with every key and placeholder in it masked, in whatever form it stands there.
pub fn mask(detector: &Detector, text: &[u8]) -> String {
    masked_with(detector, text, &[])
}

/// `text` masked; what stands at `own` is masked too.
fn masked_with(detector: &Detector, text: &[u8], own: &[Range<usize>]) -> String {
    let mut hits: Vec<(Range<usize>, String)> = Vec::new();
    detector.spans(text, &mut |candidate| {
        let masked = detector.secret(text, &candidate).masked();
        let more = more(text, candidate.range.end, candidate.range.len(), candidate.width);
        hits.push((candidate.range.start..candidate.range.end + more, masked));
    });
    for hidden in detector.explore(text, &mut detector.masking_budget()).hidden {
        let masked = hidden.secret.masked();
        let rest = std::iter::repeat(ELLIPSIS.to_owned());
        hits.extend(hidden.pieces.into_iter().zip(std::iter::once(masked).chain(rest)));
    }
    hits.extend(own.iter().filter(|piece| !piece.is_empty()).map(|piece| (piece.clone(), ELLIPSIS.into())));
    hits.sort_by_key(|(range, _)| (range.start, std::cmp::Reverse(range.end)));
    let mut masked = String::with_capacity(text.len());
    let mut done = 0;
    for (range, shown) in hits {
        if range.end <= done {
            continue;
        }
        masked.push_str(&String::from_utf8_lossy(&text[done.min(range.start)..range.start]));
        masked.push_str(&shown);
        done = range.end;
    }
    masked.push_str(&String::from_utf8_lossy(&text[done..]));
    masked
}

/// `piece` relative to `start`, as far as it is before `end`.
fn local(piece: &Range<usize>, start: usize, end: usize) -> Range<usize> {
    let clamp = |at: usize| at.clamp(start, end) - start;
    clamp(piece.start)..clamp(piece.end)
}

/// `text` without its long unbroken runs: they may be encoded, and what is shown of them could be decoded.
fn elide(text: &str) -> String {
    let is_opaque = |byte: u8| is_identifier(byte) || b"\\%&#;{}".contains(&byte);
    let mut elided = String::with_capacity(text.len());
    for run in text.as_bytes().chunk_by(|&left, &right| is_opaque(left) == is_opaque(right)) {
        if run.len() >= OPAQUE_MIN && is_opaque(run[0]) {
            elided.push_str(ELLIPSIS);
        } else {
            elided.push_str(&String::from_utf8_lossy(run));
        }
    }
    elided
}

/// Bytes from `end` on that would have gone on with the candidate of `len` bytes there: cut for length, or written with an escape.
fn more(text: &[u8], end: usize, len: usize, width: usize) -> usize {
    let behind = &text[end..];
    let is_more = |byte: &&u8| is_identifier(**byte) || (width > 1 && **byte == 0);
    let mut more = if len < REST_BYTES_MAX { 0 } else { behind.iter().take_while(is_more).count() };
    while let Some(escape) = escape_len(&behind[more..]) {
        let run = behind[more + escape..].iter().take_while(is_more).count();
        if run == 0 {
            break;
        }
        more += escape + run;
    }
    more
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
