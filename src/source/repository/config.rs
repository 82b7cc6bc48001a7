//! The few settings of `.git/config` that say how to read the repository.
//!
//! Includes are not followed, and no other configuration, of the user or the system, is read.

use std::path::Path;

use crate::source::open::Root;

const BYTES_MAX: u64 = 1 << 20;

/// Settings outside subsections, in the order of the file; names in lower case.
#[derive(Debug, Default)]
pub struct Config {
    values: Vec<(String, Vec<u8>)>,
}

impl Config {
    /// Reads the file called `name`; an absent one is empty.
    pub fn read(folder: &Root, name: &str) -> Result<Self, String> {
        match folder.read_bounded(Path::new(name), BYTES_MAX) {
            Ok(bytes) => Ok(Self::parse(&bytes.unwrap_or_default())),
            Err(error) => Err(format!("{name}: {error}")),
        }
    }

    /// Settings of `other` come after, so they win.
    pub fn extend(&mut self, other: Self) {
        self.values.extend(other.values);
    }

    /// The last value of `section.name`, both in lower case.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.values.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_slice())
    }

    /// Whether `section.name` is set to one of git's words for true.
    pub fn is_true(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| {
            ["true", "yes", "on", "1"].iter().any(|word| value.eq_ignore_ascii_case(word.as_bytes()))
        })
    }

    /// The names set in `section`.
    pub fn names<'a>(&'a self, section: &'a str) -> impl Iterator<Item = &'a str> {
        self.values.iter().filter_map(move |(name, _)| name.strip_prefix(section)?.strip_prefix('.'))
    }

    fn parse(text: &[u8]) -> Self {
        let mut values = Vec::new();
        let mut section = None;
        let mut rest = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        while !rest.is_empty() {
            let first = rest[0];
            if first.is_ascii_whitespace() {
                rest = &rest[1..];
            } else if first == b'#' || first == b';' {
                rest = after_line(rest);
            } else if first == b'[' {
                let end = header_end(rest);
                section = header(&rest[..end]);
                rest = &rest[end..];
            } else {
                let (name, value, after) = setting(rest);
                if let Some(section) = &section {
                    values.push((format!("{section}.{}", name.to_ascii_lowercase()), value));
                }
                rest = after;
            }
        }
        Self { values }
    }
}

fn after_line(text: &[u8]) -> &[u8] {
    memchr::memchr(b'\n', text).map_or(&[], |end| &text[end + 1..])
}

/// Where a header that starts `text` ends: after its `]`, or at the end of the line.
fn header_end(text: &[u8]) -> usize {
    let mut quoted = false;
    let mut at = 1;
    while at < text.len() {
        match text[at] {
            b'\n' => return at,
            b']' if !quoted => return at + 1,
            b'"' => quoted = !quoted,
            b'\\' if quoted => at += 1,
            _ => {}
        }
        at += 1;
    }
    text.len()
}

/// The section's name, unless it is a subsection.
fn header(text: &[u8]) -> Option<String> {
    let name = text.strip_prefix(b"[")?.strip_suffix(b"]")?;
    let plain = name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-');
    plain.then(|| String::from_utf8_lossy(name).to_ascii_lowercase())
}

/// A setting that starts `text`: its name, its value, and what follows it.
fn setting(text: &[u8]) -> (String, Vec<u8>, &[u8]) {
    let end = text.iter().position(|byte| matches!(byte, b'=' | b'\n' | b'#' | b';')).unwrap_or(text.len());
    let name = String::from_utf8_lossy(&text[..end]).trim().to_owned();
    if text.get(end) != Some(&b'=') {
        return (name, b"true".to_vec(), after_line(&text[end..]));
    }
    let (value, after) = value(&text[end + 1..]);
    (name, value, after)
}

/// A value with its quotes, escapes and continued lines undone.
fn value(text: &[u8]) -> (Vec<u8>, &[u8]) {
    let mut value = Vec::new();
    let mut kept = 0;
    let mut quoted = false;
    let mut at = 0;
    while at < text.len() {
        let byte = text[at];
        at += 1;
        match byte {
            b'\n' => break,
            b'"' => quoted = !quoted,
            b'#' | b';' if !quoted => {
                value.truncate(kept);
                return (value, after_line(&text[at..]));
            }
            b'\\' => {
                let escaped = text.get(at).copied();
                at += 1;
                match escaped {
                    Some(b'n') => value.push(b'\n'),
                    Some(b't') => value.push(b'\t'),
                    Some(b'\n') | None => {}
                    Some(other) => value.push(other),
                }
                kept = value.len();
            }
            b' ' | b'\t' | b'\r' if !quoted && value.is_empty() => {}
            _ => {
                value.push(byte);
                if quoted || !byte.is_ascii_whitespace() {
                    kept = value.len();
                }
            }
        }
    }
    value.truncate(kept);
    (value, text.get(at..).unwrap_or(&[]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_git_reads_them() {
        let text = b"[core]\n\tworktree = \"../a b\" # c\n  bare\n[Extensions] objectFormat=sha256 ; x\n\
            [remote \"core\"]\nworktree = no\n[core]\nname = a\\\n b\\tc  \nlast = x";
        let config = Config::parse(text);
        assert_eq!(config.get("core.worktree").unwrap(), b"../a b");
        assert!(config.is_true("core.bare"));
        assert_eq!(config.get("extensions.objectformat").unwrap(), b"sha256");
        assert_eq!(config.get("core.name").unwrap(), b"a b\tc");
        assert_eq!(config.get("core.last").unwrap(), b"x");
        assert_eq!(config.names("extensions").collect::<Vec<_>>(), ["objectformat"]);
        assert!(Config::parse(b"[core\n[\n]\n=\n\\").get("core.x").is_none());
    }
}
