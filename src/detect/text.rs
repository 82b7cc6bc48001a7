//! How a blob writes its characters, and UTF-16 as UTF-8.
//!
//! The form is settled once, from the blob's first bytes; it is about positions and excerpts, not about what is found.

/// Bytes of a blob's start that are looked at where it has no mark.
const SAMPLE_BYTES: usize = 512;

/// How a blob writes its characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// UTF-8, or bytes that are no text at all.
    #[default]
    Utf8,
    /// UTF-16, low byte first.
    Utf16Le,
    /// UTF-16, high byte first.
    Utf16Be,
}

impl Form {
    /// Settles the form from the first bytes of a blob: by its mark, else by where its NULs are.
    pub fn of(head: &[u8]) -> Self {
        match head {
            [0xff, 0xfe, 0, 0, ..] => return Self::Utf8,
            [0xff, 0xfe, ..] => return Self::Utf16Le,
            [0xfe, 0xff, ..] => return Self::Utf16Be,
            _ => {}
        }
        let sample = &head[..head.len().min(SAMPLE_BYTES)];
        let zeros = |from: usize| sample.iter().skip(from).step_by(2).filter(|&&byte| byte == 0).count();
        let (even, odd, half) = (zeros(0), zeros(1), sample.len() / 2);
        if half > 0 && odd * 10 >= half * 7 && even * 10 <= half {
            Self::Utf16Le
        } else if half > 0 && even * 10 >= half * 7 && odd * 10 <= half {
            Self::Utf16Be
        } else {
            Self::Utf8
        }
    }

    /// Bytes of the mark at the start of a blob that begins with `head`.
    pub fn mark_len(self, head: &[u8]) -> usize {
        match self {
            Self::Utf8 if head.starts_with(b"\xef\xbb\xbf") => 3,
            Self::Utf16Le if head.starts_with(b"\xff\xfe") => 2,
            Self::Utf16Be if head.starts_with(b"\xfe\xff") => 2,
            _ => 0,
        }
    }

    /// The name of the encoding as reports give it; none for UTF-8.
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::Utf8 => None,
            Self::Utf16Le => Some("utf-16le"),
            Self::Utf16Be => Some("utf-16be"),
        }
    }

    /// The UTF-16 code units of `bytes`; a last odd byte is left out. None for UTF-8.
    pub fn units(self, bytes: &[u8]) -> impl Iterator<Item = u16> + '_ {
        let (pairs, _) = bytes.as_chunks::<2>();
        pairs
            .iter()
            .map(move |&pair| if self == Self::Utf16Be { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) })
    }
}

/// UTF-16 bytes as UTF-8.
pub struct Decoded {
    /// The text; unpaired surrogates are U+FFFD.
    pub text: String,
    /// Bytes of `text` that the first `owned` bytes became.
    pub owned: usize,
}

impl Decoded {
    /// Decodes `bytes`, which are UTF-16 in `form`; `owned` is an even index into them.
    pub fn new(form: Form, bytes: &[u8], owned: usize) -> Self {
        let text = |part: &[u8]| -> String {
            char::decode_utf16(form.units(part)).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
        };
        let (first, rest) = bytes.split_at(owned);
        let mut decoded = text(first);
        let owned = decoded.len();
        decoded.push_str(&text(rest));
        Self { text: decoded, owned }
    }
}
