//! A key beside the host of the other environment.
//!
//! The smallest block around the key that names a host decides; a file that holds both environments decides nothing.

use super::{Call, Surroundings};
use crate::rule::{CallRules, Environment, Needs};
use memchr::memmem;
use std::ops::Range;

/// Bytes on either side of a key in which its block is looked for.
const BLOCK_BYTES: usize = 2_048;
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
    let mut block = key.clone();
    for _ in 0..BLOCKS_MAX {
        let Some(wider) = enclosing(text, &block) else { break };
        block = wider;
        let inside = &text[block.clone()];
        match (memmem::find(inside, own.as_bytes()), memmem::find(inside, other.as_bytes())) {
            (Some(_), _) => return None,
            (None, Some(at)) => return Some((other, block.start + at..block.start + at + other.len())),
            (None, None) => {}
        }
    }
    let has_both = around.keys.iter().any(|(_, other)| *other != environment);
    if has_both || memmem::find(text, own.as_bytes()).is_some() {
        return None;
    }
    memmem::find(text, other.as_bytes()).map(|at| (other.as_str(), at..at + other.len()))
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
