//! Escapes of style sheets: a backslash, one to six hexadecimal digits, and a space that belongs to them.

use super::escape::{Format, Value, digits, number};

pub(super) const FORMAT: Format = Format { name: "css", lead: b'\\', unit };

fn unit(text: &[u8]) -> Option<(usize, Value)> {
    let len = digits(&text[1..], 16, 6);
    let character = char::from_u32(number(&text[1..], len, 16).filter(|_| len >= 2)?)?;
    let has_space = text.get(1 + len).is_some_and(u8::is_ascii_whitespace);
    Some((1 + len + usize::from(has_space), Value::Char(character)))
}

#[cfg(test)]
pub(super) const EXAMPLES: super::Examples = super::Examples {
    found: &[
        (".a::after{content:\"{key:_=\\5f }\"}", &["css"]),
        (".a::after{content:\"{key:_=\\00005f}\"}", &["css"]),
        (".a::after{content:\"{key:*=\\%x }\"}", &["css"]),
        (".a::after{content:\"{key:*=\\%06x}\"}", &["css"]),
    ],
    passed_over: &["content:\"ansa\\g5fsk\""],
};
