//! Quoted-printable, as in mail: `=5F`, and lines broken by `=` at their end.

use super::escape::{Format, Value, number};

pub(super) const FORMAT: Format = Format { name: "quoted-printable", lead: b'=', unit };

/// The least and most characters of a line that a soft break ends; mail allows 76, and writers fill their lines.
const LINE: std::ops::RangeInclusive<usize> = 40..=78;

fn unit(text: &[u8]) -> Option<(usize, Value)> {
    match &text[1..] {
        [b'\n', ..] => Some((2, Value::Nothing)),
        [b'\r', b'\n', ..] => Some((3, Value::Nothing)),
        rest => Some((3, Value::Byte(u8::try_from(number(rest, 2, 16)?).ok()?))),
    }
}

/// Whether the run of identifier characters that ends at `end` may go on by quoted-printable: an escape in it, or a soft break behind it.
pub(super) fn goes_on(text: &[u8], start: usize, end: usize) -> bool {
    let run = &text[start..end];
    let is_escape = |at: usize| number(&run[at + 1..], 2, 16).is_some_and(|byte| byte < 0x80);
    if memchr::memchr_iter(b'=', run).any(is_escape) {
        return true;
    }
    let is_broken = run.ends_with(b"=") && matches!(&text[end..], [b'\n', ..] | [b'\r', b'\n', ..]);
    let line_len = || {
        let from = end.saturating_sub(*LINE.end() + 1);
        memchr::memrchr(b'\n', &text[from..end]).map_or(end - from, |at| end - from - at - 1)
    };
    is_broken && (LINE.contains(&line_len()) || !is_padded(run))
}

/// Whether the `=` that `run` ends with fills a group of four.
fn is_padded(run: &[u8]) -> bool {
    let identifier = run.get(8..).unwrap_or_default();
    let identifier = identifier.strip_prefix(b"live_").or_else(|| identifier.strip_prefix(b"sandbox_"));
    identifier.is_some_and(|identifier| identifier.len().is_multiple_of(4))
}

#[cfg(test)]
pub(super) const EXAMPLES: super::Examples = super::Examples {
    found: &[
        ("{key:_==5F}", &["quoted-printable"]),
        ("{key:*==%02X}", &["quoted-printable"]),
        ("the key that we have been given by the shop is {key@20:=\r\n}\r\n", &["quoted-printable"]),
        ("the key that we have been given by the shop is now here a{key@2:=\n}\n", &["quoted-printable"]),
        ("K={key@31:=\n}\n", &["quoted-printable"]),
        ("K={key@10:=\r\n}\n", &["quoted-printable"]),
        ("{padded==3D}", &["quoted-printable"]),
    ],
    passed_over: &["ansa=sk=live={base62:32}"],
};
