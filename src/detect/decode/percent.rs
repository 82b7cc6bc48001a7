//! Percent-encoding, as in URLs: `%5F`. `%255F` is that twice.

use super::escape::{Format, Value, number};

pub(super) const FORMAT: Format = Format { name: "percent", lead: b'%', unit };

fn unit(text: &[u8]) -> Option<(usize, Value)> {
    let byte = u8::try_from(number(&text[1..], 2, 16)?).ok()?;
    Some((3, Value::Byte(byte)))
}

#[cfg(test)]
pub(super) const EXAMPLES: super::Examples = super::Examples {
    found: &[
        ("{key:_=%5f}", &["percent"]),
        ("{key:_=%255F}", &["percent", "percent"]),
        ("{key:a=%61}", &["percent"]),
        ("?q=1&k={key:*=%%%02x}#x", &["percent"]),
        ("{key:*=%%25%02X}", &["percent", "percent"]),
    ],
    passed_over: &["100%ansa%5", "ansa%5xsk%5flive%5f{base62:32}"],
};
