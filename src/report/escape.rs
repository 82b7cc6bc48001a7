//! Text from scanned files, made safe to print.
//!
//! Controls, format characters, bidirectional marks and other separators become visible escapes; nothing else changes.

use regex::Regex;
use std::borrow::Cow;
use std::io::{self, Write};
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

/// Takes JSON and passes it on with every unsafe character as an escape of JSON, which says the same.
pub(super) struct Plain<'o>(pub &'o mut dyn Write);

impl Write for Plain<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Of ASCII, only what deletes is not escaped already.
        let is_safe = bytes.is_ascii() && !bytes.contains(&0x7f);
        match std::str::from_utf8(bytes) {
            Ok(text) if !is_safe => self.0.write_all(plain_json(text).as_bytes())?,
            _ => self.0.write_all(bytes)?,
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// A text of JSON that says the same without unsafe characters.
pub fn plain_json(text: &str) -> Cow<'_, str> {
    let Some(pattern) = UNSAFE.as_ref() else { return Cow::Borrowed(text) };
    pattern.replace_all(text, |found: &regex::Captures<'_>| {
        // Line ends between the parts of a document stay; within a text they are escaped already.
        let all = found[0].chars().map(|one| if one < ' ' { one.to_string() } else { of_json(one) });
        all.collect::<String>()
    })
}

fn of_json(one: char) -> String {
    one.encode_utf16(&mut [0; 2]).iter().fold(String::new(), |text, unit| text + &format!("\\u{unit:04x}"))
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
    fn json_says_the_same_without_unsafe_characters() {
        let value = serde_json::json!({"ä\u{202e}": ["😀\u{9b}\u{1b}\n", "\u{e0001}\u{2028}", "plain \u{7f}"]});
        let mut written = Vec::new();
        serde_json::to_writer_pretty(&mut Plain(&mut written), &value).unwrap();
        let text = String::from_utf8(written).unwrap();
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
        assert!(text.contains("😀\\u009b") && text.contains("\\udb40\\udc01\\u2028"), "{text}");
        assert!(!text.contains(|one: char| one.is_control() && one != '\n') && !text.contains('\u{202e}'), "{text}");
    }

    #[test]
    fn only_unsafe_characters_change() {
        assert_eq!(escape("päth – 日本語 😀.env"), "päth – 日本語 😀.env");
        assert_eq!(escape("a\n\r\t\u{1b}[2J\u{9b}"), "a\\x0a\\x0d\\x09\\x1b[2J\\u{9b}");
        assert_eq!(escape("a ##vso[x] ##[y] # # [z]"), "a ##vso\\x5bx] ##\\x5by] # # [z]");
        assert_eq!(escape("\u{202e}\u{200b}\u{2028}\u{feff}\u{e000}"), "\\u{202e}\\u{200b}\\u{2028}\\u{feff}\\u{e000}");
    }
}
