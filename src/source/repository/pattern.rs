//! One ignore file as a matcher of the `ignore` crate, limited to lines that mean the same to it as to git.
//!
//! A file with any other line decides nothing: the crate would match `{a,b}` as either, and `[!a]` a slash, where git
//! does not, and a file wrongly taken for ignored is judged too mildly.

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use std::path::Path;

/// Lines of one file.
const LINES_MAX: usize = 5_000;
/// Stars of one line; hostile ones have dozens.
const STARS_MAX: usize = 6;

/// The patterns of one file.
#[derive(Debug)]
pub struct Patterns(Gitignore);

/// What they say of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is ignored.
    Ignored,
    /// A line that starts with `!` takes it back.
    Kept,
    /// No line matches.
    Silent,
}

impl Patterns {
    /// Of the lines of `text`; none where a line cannot be trusted to mean what it means to git.
    pub fn parse(text: &[u8], fold: bool) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?;
        let mut builder = GitignoreBuilder::new("");
        builder.case_insensitive(fold).ok()?;
        for (index, line) in text.split('\n').enumerate() {
            let line = line.strip_suffix('\r').unwrap_or(line).trim_end_matches(' ');
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if index >= LINES_MAX {
                return None;
            }
            builder.add_line(None, &plain(line)?).ok()?;
        }
        builder.build().ok().map(Self)
    }

    /// The last line that matches `path`, which is relative to the file's folder, decides.
    pub fn decide(&self, path: &Path, is_folder: bool) -> Verdict {
        match self.0.matched(path, is_folder) {
            Match::Ignore(_) => Verdict::Ignored,
            Match::Whitelist(_) => Verdict::Kept,
            Match::None => Verdict::Silent,
        }
    }
}

/// `line` with its braces made literal; none if it has anything the crate may read differently.
fn plain(line: &str) -> Option<String> {
    let negation = if line.starts_with('!') { "!" } else { "" };
    let body = &line[negation.len()..];
    let is_odd = body.is_empty()
        || body == "/"
        || body.contains(['\\', '\0', '\t'])
        || body.contains("//")
        || body.contains("***");
    if is_odd || body.starts_with(['!', '#', ' ']) || body.matches('*').count() > STARS_MAX {
        return None;
    }
    // Two stars are special to git only as a whole part of the path.
    let is_whole = |part: &str| part == "**" || !part.contains("**");
    if !body.split('/').all(is_whole) {
        return None;
    }
    let mut plain = String::from(negation);
    let mut rest = body;
    while let Some(at) = rest.find(['[', ']', '{', '}']) {
        plain.push_str(&rest[..at]);
        let (special, behind) = rest[at..].split_at(1);
        rest = behind;
        if special == "]" {
            return None;
        }
        if special == "[" {
            let (class, behind) = rest.split_once(']')?;
            let is_simple =
                !class.is_empty() && class.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._".contains(&byte));
            if !is_simple && !is_range(class) {
                return None;
            }
            plain.extend(["[", class, "]"]);
            rest = behind;
        } else {
            plain.push('\\');
            plain.push_str(special);
        }
    }
    Some(plain + rest)
}

/// `a-z`, `0-9` and the like, one after the other.
fn is_range(class: &str) -> bool {
    let is_one = |range: &[u8]| matches!(range, [from, b'-', to] if from.is_ascii_alphanumeric() && to.is_ascii_alphanumeric() && from <= to);
    !class.is_empty() && class.len().is_multiple_of(3) && class.as_bytes().chunks(3).all(is_one)
}
