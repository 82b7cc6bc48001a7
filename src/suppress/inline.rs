//! Comments that allow a key: `ansalint: allow FINGERPRINT -- reason`, on the key's line or the one above.
//!
//! A comment names the key, so another key on the same line is not allowed by it. Whether it holds is decided elsewhere.

use crate::secret::is_fingerprint;
use memchr::memmem;

/// What every such comment holds.
const MARK: &[u8] = b"ansalint:";
/// Digits of a fingerprint.
const DIGITS: usize = 32;
/// Bytes of a reason that are kept.
const REASON_MAX: usize = 200;
/// Comments taken from one text.
const COMMENTS_MAX: usize = 10_000;

/// One comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// Where it starts, in bytes.
    pub at: usize,
    /// Of the key it allows.
    pub fingerprint: String,
    /// Why; none where it says nothing, and then it does not hold.
    pub reason: Option<String>,
}

/// Every such comment in `text`, in order.
pub fn comments(text: &[u8]) -> Vec<Comment> {
    memmem::find_iter(text, MARK).filter_map(|at| comment(text, at)).take(COMMENTS_MAX).collect()
}

fn comment(text: &[u8], at: usize) -> Option<Comment> {
    let rest = blanks(&text[at + MARK.len()..]).strip_prefix(b"allow")?;
    let behind = blanks(rest);
    let fingerprint = behind.get(..DIGITS).filter(|_| behind.len() < rest.len())?;
    let fingerprint = std::str::from_utf8(fingerprint).ok().filter(|text| is_fingerprint(text))?;
    let rest = &behind[DIGITS..];
    if rest.first().is_some_and(u8::is_ascii_alphanumeric) {
        return None;
    }
    let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
    let said = blanks(&rest[..end]).strip_prefix(b"--").and_then(reason);
    Some(Comment { at, fingerprint: fingerprint.into(), reason: said })
}

/// The words behind the dashes, without what closes the comment.
fn reason(said: &[u8]) -> Option<String> {
    let said = String::from_utf8_lossy(&said[..said.len().min(REASON_MAX)]);
    let mut said = said.trim();
    for close in ["*/", "-->", "#}", "%>", "--%>", "*)"] {
        said = said.strip_suffix(close).unwrap_or(said).trim_end();
    }
    (said.chars().any(char::is_alphanumeric)).then(|| said.to_owned())
}

fn blanks(text: &[u8]) -> &[u8] {
    let count = text.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    &text[count..]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(bool, Option<String>)> {
        let known = "0123456789abcdef0123456789abcdef";
        let text = text.replace("FP", known);
        comments(text.as_bytes()).into_iter().map(|one| (one.fingerprint == known, one.reason)).collect()
    }

    #[test]
    fn comments_of_many_languages() {
        for text in [
            "// ansalint: allow FP -- a test key",
            "/* ansalint: allow FP -- a test key */",
            "<!-- ansalint: allow FP -- a test key -->",
            "# ansalint:allow\tFP --a test key\r\nmore",
        ] {
            assert_eq!(read(text), [(true, Some("a test key".into()))], "{text}");
        }
        assert_eq!(read("ansalint: allow FP -- a ansalint: allow FP -- b").len(), 2);
    }

    #[test]
    fn what_names_no_key_or_no_reason_allows_nothing() {
        for text in
            ["ansalint: allow", "ansalint: allowFP -- x", "ansalint: allow abc -- x", "ansalint: allow FPa -- x"]
        {
            assert_eq!(read(text), [], "{text}");
        }
        for text in
            ["ansalint: allow FP", "ansalint: allow FP -- ", "ansalint: allow FP -- -->", "ansalint: allow FP\n-- x"]
        {
            assert_eq!(read(text), [(true, None)], "{text}");
        }
    }
}
