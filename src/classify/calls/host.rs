//! A key beside the host of the other environment.
//!
//! The smallest block around the key that names a host decides; a document that holds both environments decides nothing, and
//! comments never do.

use super::{Call, Surroundings, is_comment};
use crate::rule::{CallRules, Environment, Needs};
use memchr::memmem;
use std::ops::Range;

/// Bytes on either side of a key in which its block is looked for.
const BLOCK_BYTES: usize = 2_048;
/// Places of a host in one block that are looked at, and bytes of a line before one.
const HOSTS_MAX: usize = 16;
const LINE_BYTES: usize = 400;
/// Blocks around a key.
const BLOCKS_MAX: usize = 4;

pub(super) fn mismatches(rules: &CallRules, around: &Surroundings<'_>) -> Vec<Call> {
    let mut calls = Vec::new();
    for (key, environment) in around.keys.iter().take(super::CALLS_MAX) {
        let Some((host, range)) = wrong_host(rules, around, key, *environment) else { continue };
        let why = format!("a {} key stands beside `{host}`", environment.as_str());
        calls.push(Call {
            range,
            needs: Needs::OtherEnvironment,
            subject: host.into(),
            why,
            environment: *environment,
        });
    }
    calls
}

/// The host of the other environment, where it and no other stands with the key.
fn wrong_host<'r>(
    rules: &'r CallRules,
    around: &Surroundings<'_>,
    key: &Range<usize>,
    environment: Environment,
) -> Option<(&'r str, Range<usize>)> {
    let text = around.text;
    let own = rules.host.get(&environment)?;
    let (_, other) = rules.host.iter().find(|(known, _)| **known != environment)?;
    if is_said(text, key.start) {
        return None;
    }
    let whole = document(text, key);
    for block in blocks(text, key, &whole) {
        match (named(text, &block, own), named(text, &block, other)) {
            (Some(_), _) => return None,
            (None, Some(at)) => return Some((other, at..at + other.len())),
            (None, None) => {}
        }
    }
    let in_whole = |(key, _): &&(Range<usize>, Environment)| whole.contains(&key.start) && !is_said(text, key.start);
    let has_both = around.keys.iter().filter(in_whole).any(|(_, other)| *other != environment);
    if has_both || named(text, &whole, own).is_some() {
        return None;
    }
    named(text, &whole, other).map(|at| (other.as_str(), at..at + other.len()))
}

/// Where `host` stands in `block`, but for comments.
fn named(text: &[u8], block: &Range<usize>, host: &str) -> Option<usize> {
    let found = memmem::find_iter(&text[block.clone()], host.as_bytes()).map(|at| block.start + at);
    found.take(HOSTS_MAX).find(|&at| !is_said(text, at))
}

/// Whether what stands at `at` is only said in a comment.
fn is_said(text: &[u8], at: usize) -> bool {
    let near = &text[at.saturating_sub(LINE_BYTES)..at];
    let line = &near[memchr::memrchr(b'\n', near).map_or(0, |newline| newline + 1)..];
    let starts = |marks: &[&[u8]]| marks.iter().any(|mark| memmem::find(line, mark).is_some());
    is_comment(text, at) || starts(&[b" # ", b"\t# ", b" // ", b"\t// ", b" /* ", b" -- ", b"<!--"])
}

/// The document around `key`, of a text that holds several as YAML does.
fn document(text: &[u8], key: &Range<usize>) -> Range<usize> {
    let is_end = |at: &usize| matches!(text.get(at + 4), None | Some(b'\n' | b'\r' | b' '));
    let ends: Vec<usize> = memmem::find_iter(text, b"\n---").filter(is_end).collect();
    let start = ends.iter().rev().find(|&&at| at < key.start).copied().unwrap_or(0);
    let end = ends.iter().find(|&&at| at >= key.end).copied().unwrap_or(text.len());
    start..end
}

/// Blocks around `key`, the smallest first: braces, or lines that are as far to the right, or a section in brackets.
fn blocks(text: &[u8], key: &Range<usize>, whole: &Range<usize>) -> Vec<Range<usize>> {
    let mut blocks: Vec<Range<usize>> = Vec::new();
    while blocks.len() < BLOCKS_MAX {
        let Some(wider) = enclosing(text, blocks.last().unwrap_or(key)) else { break };
        blocks.push(wider);
    }
    if !blocks.is_empty() {
        return blocks;
    }
    let line = |at: usize| memchr::memrchr(b'\n', &text[..at]).map_or(0, |newline| newline + 1);
    let mut at = line(key.start);
    while blocks.len() < BLOCKS_MAX {
        let indent = indent_of(&text[at..]);
        if indent == 0 {
            break;
        }
        let (block, above) = indented(text, at, indent, whole);
        blocks.push(block);
        let Some(above) = above else { break };
        at = above;
    }
    blocks.extend(section(text, key, whole));
    blocks
}

/// Spaces and tabs that the line at the start of `text` begins with, and the sign of an entry of a list.
fn indent_of(text: &[u8]) -> usize {
    text.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'-')).count()
}

/// The lines around the one at `at` that begin no further left than `indent`, and the line above them.
fn indented(text: &[u8], at: usize, indent: usize, whole: &Range<usize>) -> (Range<usize>, Option<usize>) {
    let (mut start, mut end) = (at, at);
    let mut above = None;
    let is_in = |line: &[u8]| line.trim_ascii().is_empty() || indent_of(line) >= indent;
    // An entry of a list starts where its sign stands, and the one above it is another.
    let starts = |line: &[u8]| {
        let line = line.split(|&byte| byte == b'\n').next().unwrap_or_default();
        line.trim_ascii_start().starts_with(b"- ")
    };
    while start > whole.start && at - start < BLOCK_BYTES && !starts(&text[start..]) {
        let before = memchr::memrchr(b'\n', &text[..start - 1]).map_or(0, |newline| newline + 1);
        if !is_in(&text[before..start]) {
            above = Some(before);
            break;
        }
        start = before;
    }
    while end < whole.end && end - at < BLOCK_BYTES {
        let next = memchr::memchr(b'\n', &text[end..]).map_or(text.len(), |newline| end + newline + 1);
        if end > at && (!is_in(&text[end..next]) || starts(&text[end..next])) {
            break;
        }
        end = next;
    }
    (start..end, above)
}

/// The section in brackets around `key`, as INI files and TOML have.
fn section(text: &[u8], key: &Range<usize>, whole: &Range<usize>) -> Option<Range<usize>> {
    let is_title = |at: usize| {
        let line = text[at..].split(|&byte| byte == b'\n').next().unwrap_or_default().trim_ascii_end();
        line.starts_with(b"[") && line.ends_with(b"]") && !line.contains(&b',')
    };
    let lines =
        |range: Range<usize>| memchr::memchr_iter(b'\n', &text[range.clone()]).map(move |at| range.start + at + 1);
    let start = std::iter::once(whole.start).chain(lines(whole.start..key.start)).rfind(|&at| is_title(at))?;
    let end = lines(key.end..whole.end).find(|&at| at < text.len() && is_title(at)).unwrap_or(whole.end);
    Some(start..end)
}

/// The block in braces right around `inner`.
fn enclosing(text: &[u8], inner: &Range<usize>) -> Option<Range<usize>> {
    let from = inner.start.saturating_sub(BLOCK_BYTES);
    let mut depth = 0;
    let start = text[from..inner.start].iter().rposition(|byte| {
        depth += i32::from(*byte == b'}') - i32::from(*byte == b'{');
        depth < 0
    })?;
    let to = text.len().min(inner.end + BLOCK_BYTES);
    let mut depth = 0;
    let end = text[inner.end..to].iter().position(|byte| {
        depth += i32::from(*byte == b'{') - i32::from(*byte == b'}');
        depth < 0
    })?;
    Some(from + start..inner.end + end + 1)
}
