//! Character references of HTML and XML: `&#95;`, `&#x5f;`, `&lowbar;`. `&amp;#95;` is that twice.

use super::escape::{Format, Value, digits, number};

pub(super) const FORMAT: Format = Format { name: "entity", lead: b'&', unit };

/// Names of the characters that keys are made of, and of those that write other references.
const NAMES: &[(&[u8], char)] = &[
    (b"lowbar;", '_'),
    (b"UnderBar;", '_'),
    (b"plus;", '+'),
    (b"sol;", '/'),
    (b"equals;", '='),
    (b"amp;", '&'),
    (b"quot;", '"'),
    (b"apos;", '\''),
    (b"num;", '#'),
    (b"semi;", ';'),
    (b"percnt;", '%'),
    (b"bsol;", '\\'),
    (b"NewLine;", '\n'),
    (b"Tab;", '\t'),
];

fn unit(text: &[u8]) -> Option<(usize, Value)> {
    let (head, radix) = match &text[1..] {
        [b'#', b'x' | b'X', ..] => (3, 16),
        [b'#', ..] => (2, 10),
        name => {
            let (name, character) = NAMES.iter().find(|(known, _)| name.starts_with(known))?;
            return Some((1 + name.len(), Value::Char(*character)));
        }
    };
    let len = digits(&text[head..], radix, 7);
    let character = char::from_u32(number(&text[head..], len, radix).filter(|_| len > 0)?)?;
    let has_end = text.get(head + len) == Some(&b';');
    Some((head + len + usize::from(has_end), Value::Char(character)))
}

#[cfg(test)]
pub(super) const EXAMPLES: super::Examples = super::Examples {
    found: &[
        ("<k>{key:_=&#95;}</k>", &["entity"]),
        ("<k v='{key:_=&#x5F;}'/>", &["entity"]),
        ("<k>{key:_=&lowbar;}</k>", &["entity"]),
        ("<k>{key:_=&amp;#95;}</k>", &["entity", "entity"]),
        ("<k>{key:*=&#%d;}</k>", &["entity"]),
        ("<k>{key:*=&#x%x;}</k>", &["entity"]),
        ("<k>{key:*=&#%05d;}</k>", &["entity"]),
        ("<k>{key:a=&#97;}</k>", &["entity"]),
    ],
    passed_over: &["ansa&sk&live&{base62:32}"],
};
