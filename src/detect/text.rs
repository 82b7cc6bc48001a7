//! How a blob writes its characters, and UTF-16 and UTF-32 as UTF-8.
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
    /// UTF-32, low byte first.
    Utf32Le,
    /// UTF-32, high byte first.
    Utf32Be,
}

impl Form {
    /// Settles the form from the first bytes of a blob: by its mark, else by where its NULs are.
    pub fn of(head: &[u8]) -> Self {
        match head {
            [0xff, 0xfe, 0, 0, ..] => return Self::Utf32Le,
            [0, 0, 0xfe, 0xff, ..] => return Self::Utf32Be,
            [0xff, 0xfe, ..] => return Self::Utf16Le,
            [0xfe, 0xff, ..] => return Self::Utf16Be,
            _ => {}
        }
        let sample = &head[..head.len().min(SAMPLE_BYTES)];
        if memchr::memchr(0, sample).is_none() {
            return Self::Utf8;
        }
        let zeros =
            |from: usize, step: usize| sample.iter().skip(from).step_by(step).filter(|&&byte| byte == 0).count();
        let quarter = sample.len() / 4;
        let quarters = [0, 1, 2, 3].map(|from| zeros(from, 4));
        let (is_full, is_empty) = (|count: usize| count * 10 >= quarter * 9, |count: usize| count * 10 <= quarter);
        if quarter >= 2 && is_full(quarters[3]) && is_full(quarters[2]) && is_full(quarters[1]) && is_empty(quarters[0])
        {
            return Self::Utf32Le;
        }
        if quarter >= 2 && is_full(quarters[0]) && is_full(quarters[1]) && is_full(quarters[2]) && is_empty(quarters[3])
        {
            return Self::Utf32Be;
        }
        let (even, odd, half) = (zeros(0, 2), zeros(1, 2), sample.len() / 2);
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
            Self::Utf32Le if head.starts_with(b"\xff\xfe\0\0") => 4,
            Self::Utf32Be if head.starts_with(b"\0\0\xfe\xff") => 4,
            _ => 0,
        }
    }

    /// Bytes that a character takes at least.
    pub const fn width(self) -> usize {
        match self {
            Self::Utf8 => 1,
            Self::Utf16Le | Self::Utf16Be => 2,
            Self::Utf32Le | Self::Utf32Be => 4,
        }
    }

    /// The name of the encoding as reports give it; none for UTF-8.
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::Utf8 => None,
            Self::Utf16Le => Some("utf-16le"),
            Self::Utf16Be => Some("utf-16be"),
            Self::Utf32Le => Some("utf-32le"),
            Self::Utf32Be => Some("utf-32be"),
        }
    }

    /// The characters of `bytes`, each with the bytes it takes; what is none is U+FFFD, and a rest at the end is left out.
    /// None for UTF-8.
    pub fn characters(self, bytes: &[u8]) -> impl Iterator<Item = (char, usize)> + '_ {
        let is_wide = self.width() == 4;
        let pairs = if is_wide { &[][..] } else { bytes.as_chunks::<2>().0 };
        let units = pairs
            .iter()
            .map(move |&pair| if self == Self::Utf16Be { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) });
        let narrow = char::decode_utf16(units).map(|unit| {
            let character = unit.unwrap_or(char::REPLACEMENT_CHARACTER);
            (character, character.len_utf16() * 2)
        });
        let fours = if is_wide { bytes.as_chunks::<4>().0 } else { &[] };
        let wide = fours.iter().map(move |&four| {
            let value = if self == Self::Utf32Be { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) };
            (char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER), 4)
        });
        narrow.chain(wide)
    }
}

/// UTF-16 or UTF-32 bytes as UTF-8.
pub struct Decoded {
    /// The text; unpaired surrogates are U+FFFD.
    pub text: String,
    /// Bytes of `text` that the first `owned` bytes became.
    pub owned: usize,
}

impl Decoded {
    /// Decodes `bytes`, which are in `form`; `owned` is an index into them between two units.
    pub fn new(form: Form, bytes: &[u8], owned: usize) -> Self {
        let text = |part: &[u8]| -> String { form.characters(part).map(|(character, _)| character).collect() };
        let (first, rest) = bytes.split_at(owned);
        let mut decoded = text(first);
        let owned = decoded.len();
        decoded.push_str(&text(rest));
        Self { text: decoded, owned }
    }
}
