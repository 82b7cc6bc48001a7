//! Text from scanned files, made safe to print.
//!
//! Controls, format characters, bidirectional marks and other separators become visible escapes; nothing else changes.

use regex::Regex;
use std::borrow::Cow;
use std::sync::LazyLock;

/// Everything that could move a cursor, reorder text or hide in it.
static UNSAFE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}\u{115f}\u{1160}\u{3164}\u{ffa0}\u{2800}]").ok()
});

/// How a command starts: `##[error]`, `##vso[task.setvariable …]`.
static COMMAND: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"##([A-Za-z-]*)\[").ok());

/// `text` with every unsafe character as `\xNN` or `\u{N}`.
pub fn escape(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        return unmarked(Cow::Borrowed(text));
    }
    let escaped = UNSAFE.as_ref().map_or_else(
        || Cow::Owned(text.escape_default().to_string()),
        |pattern| {
            pattern.replace_all(text, |found: &regex::Captures<'_>| found[0].chars().map(visible).collect::<String>())
        },
    );
    unmarked(escaped)
}

/// `text` without commands to the runners of GitHub and Azure, which read them anywhere in a line.
fn unmarked(text: Cow<'_, str>) -> Cow<'_, str> {
    let Some(pattern) = COMMAND.as_ref().filter(|_| text.contains("##")) else { return text };
    match pattern.replace_all(&text, "##${1}\\x5b") {
        Cow::Borrowed(_) => text,
        Cow::Owned(unmarked) => Cow::Owned(unmarked),
    }
}

fn visible(one: char) -> String {
    match u32::from(one) {
        code @ 0..=0x7f => format!("\\x{code:02x}"),
        code => format!("\\u{{{code:x}}}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_unsafe_characters_change() {
        assert_eq!(escape("päth – 日本語 😀.env"), "päth – 日本語 😀.env");
        assert_eq!(escape("a\n\r\t\u{1b}[2J\u{9b}"), "a\\x0a\\x0d\\x09\\x1b[2J\\u{9b}");
        assert_eq!(escape("a ##vso[x] ##[y] # # [z]"), "a ##vso\\x5bx] ##\\x5by] # # [z]");
        assert_eq!(escape("\u{202e}\u{200b}\u{2028}\u{feff}\u{e000}"), "\\u{202e}\\u{200b}\\u{2028}\\u{feff}\\u{e000}");
    }
}
