//! The name of the variable or setting that a key is the value of.
//!
//! Looks at the text right before the key, in the ways that dotenv files, shells, YAML, JSON, Docker and code assign.

use regex::bytes::Regex;
use std::ops::Range;
use std::sync::LazyLock;

/// Bytes looked at before a key.
const BEFORE_BYTES: usize = 512;
/// Lines above a `value` that are looked at for its name.
const NAMED_LINES_MAX: usize = 10;
/// The longest name that is shown.
const NAME_MAX: usize = 80;

/// A whole name, an assignment sign, and nothing but quotes before the key; the tail of a base64 text is no name.
static ASSIGNED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"(?:^|[^A-Za-z0-9_+/=.\-])([A-Za-z_][A-Za-z0-9_.\-]*)["'\]]*(?:\s*(?::=|=>|=|:|\?\?|\|\|)\s*|\s+to\s+)(?:JSON\.stringify\(\s*)?["'`\\]*$"#)
        .ok()
});
/// `ENV NAME value` of a Dockerfile.
static DOCKER: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"(?i)^\s*(?:ENV|ARG)\s+([A-Za-z0-9_]+)\s+["']?$"#).ok());
/// The name in `- name: NAME` or `key = "NAME"`, on a line above a `value:`.
static NAMED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"(?:^|[\s{,"'])(?:name|key)["']?\s*[:=]\s*["']?([A-Za-z_][A-Za-z0-9_]*)["']?,?\s*$"#).ok()
});
/// A constant of the code, which no bundler fills in.
static CONSTANT: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\b(?:const|let|var|val|final|static|private|public)\s[^=:]*$").ok());

/// A variable that holds a key.
#[derive(Debug, PartialEq, Eq)]
pub struct Assigned {
    /// Its name.
    pub name: String,
    /// Whether it is declared in code, and so is no variable of an environment.
    pub is_constant: bool,
}

/// The variable whose value the key at `key` is.
pub fn assigned(text: &[u8], key: &Range<usize>) -> Option<Assigned> {
    let before = &text[key.start.saturating_sub(BEFORE_BYTES)..key.start];
    let line = &before[memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1)..];
    let above = &before[..before.len() - line.len()];
    if let Some(name) = capture(&DOCKER, line) {
        return Some(Assigned { name, is_constant: false });
    }
    let name = capture(&ASSIGNED, line)?;
    let is_value = name.eq_ignore_ascii_case("value") || name.eq_ignore_ascii_case("values");
    let named = if is_value { named_above(above) } else { None };
    let start = line.len() - line.len().min(name.len());
    let head = memchr::memmem::rfind(line, name.as_bytes()).map_or(&line[..start], |at| &line[..at]);
    let is_constant = CONSTANT.as_ref().is_some_and(|pattern| pattern.is_match(head));
    let last = name.rsplit('.').next().unwrap_or(&name).to_owned();
    Some(Assigned { name: named.unwrap_or(last), is_constant })
}

/// The nearest name among the lines above, in the same block.
fn named_above(above: &[u8]) -> Option<String> {
    let lines = above.rsplit(|&byte| byte == b'\n').take(NAMED_LINES_MAX);
    let same_block = |line: &&[u8]| !line.trim_ascii().starts_with(b"}");
    lines.take_while(same_block).find_map(|line| capture(&NAMED, line))
}

fn capture(pattern: &LazyLock<Option<Regex>>, text: &[u8]) -> Option<String> {
    let found = pattern.as_ref()?.captures(text)?;
    let name = String::from_utf8_lossy(found.get(1)?.as_bytes()).into_owned();
    (name.len() <= NAME_MAX).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assignments_of_many_languages_are_read() {
        let cases = [
            ("VITE_KEY=", "VITE_KEY"),
            ("export NEXT_PUBLIC_K=\"", "NEXT_PUBLIC_K"),
            ("  REACT_APP_K: '", "REACT_APP_K"),
            ("  - name: EXPO_PUBLIC_K\n    value: \"", "EXPO_PUBLIC_K"),
            ("ENV NUXT_PUBLIC_K ", "NUXT_PUBLIC_K"),
            ("ARG VITE_K=", "VITE_K"),
            ("{\"VITE_K\": \"", "VITE_K"),
            ("process.env.NEXT_PUBLIC_K = '", "NEXT_PUBLIC_K"),
            ("process.env['VITE_K'] = '", "VITE_K"),
        ];
        for (before, name) in cases {
            let found = assigned(format!("a\n{before}KEY").as_bytes(), &(2 + before.len()..5 + before.len()));
            assert_eq!(found, Some(Assigned { name: name.into(), is_constant: false }), "{before}");
        }
        let constant = assigned(b"export const VITE_K = 'KEY", &(23..26)).unwrap();
        assert!(constant.is_constant);
        assert_eq!(assigned(b"Authorization KEY", &(14..17)), None);
    }
}
