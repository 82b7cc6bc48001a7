//! Escapes of string literals: `\u005f`, `\u{5f}`, `\x5f`, `\137`, `\/`. Backslashes that are themselves escaped make no difference.

use super::escape::{Format, Value, digits, number};

pub(super) const FORMAT: Format = Format { name: "backslash", lead: b'\\', unit };

fn unit(text: &[u8]) -> Option<(usize, Value)> {
    let slashes = text.iter().take(8).take_while(|&&byte| byte == b'\\').count();
    let rest = &text[slashes..];
    let (len, value) = match rest {
        [b'u' | b'U' | b'x', b'{', digits_on @ ..] => {
            let len = digits(digits_on, 16, 6);
            (digits_on.get(len) == Some(&b'}')).then_some(())?;
            (len + 3, number(digits_on, len, 16)?)
        }
        [b'u', four @ ..] => (5, number(four, 4, 16)?),
        [b'U', eight @ ..] => (9, number(eight, 8, 16)?),
        [b'x', two @ ..] => (3, number(two, 2, 16)?),
        [b'0'..=b'7', ..] => {
            // Bash and C take three digits, `printf` and `echo -e` a 0 before them.
            let len = digits(rest, 8, if rest[0] == b'0' { 4 } else { 3 });
            (len >= 3).then_some((len, number(rest, len, 8)?))?
        }
        [b'/', ..] => (1, u32::from(b'/')),
        _ => return None,
    };
    Some((slashes + len, Value::Char(char::from_u32(value)?)))
}

#[cfg(test)]
pub(super) const EXAMPLES: super::Examples = super::Examples {
    found: &[
        ("{\"k\":\"{key:_=\\u005f}\"}", &["backslash"]),
        ("'{key:_=\\x5F}'", &["backslash"]),
        ("\"{key:_=\\137}\"", &["backslash"]),
        ("\"{key:_=\\u{5f}}\"", &["backslash"]),
        ("%0a({key:_=\\u005f})", &["backslash"]),
        ("{\\\"k\\\":\\\"{key:_=\\\\u005f}\\\"}", &["backslash"]),
        ("'{key:*=\\x%02x}'", &["backslash"]),
        ("'{key:*=\\u%04x}'", &["backslash"]),
        ("'{key:*=\\u{%x}}'", &["backslash"]),
        ("'{key:*=\\%03o}'", &["backslash"]),
        ("'{key:a=\\x61}'", &["backslash"]),
        ("{\"k\":\"{slashed}\"}", &["backslash"]),
    ],
    passed_over: &["ansa\\nsk\\nlive\\n{base62:32}", "C:\\ansa\\sk_live_{base62:32}"],
};
