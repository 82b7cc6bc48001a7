//! Long runs of what may be encoded text, found by looking at a few bytes in a hundred.
//!
//! This finds chains of encodings that no prefix names. It says where to look closer, and nothing more.

use super::base64;
use std::ops::Range;

/// The shortest run of base64 characters that is looked at: a key of 32 characters in two encodings has more.
pub(in super::super) const RUN_MIN: usize = 60;
/// From one probe for escapes to the next: an escaped key is longer than this and what a probe looks at. A prime, which the lines of
/// a list that all have one length do not keep step with.
const PROBE_STEP: usize = 61;
/// Bytes that a probe looks at.
const PROBE_BYTES: usize = 8;

/// The next run of [`RUN_MIN`] characters of base64 or more that starts at `from` or later.
///
/// From the place where a run would be long enough it looks backwards: most text has a space or a bracket there, and all before it is passed over.
pub(super) fn next(text: &[u8], from: usize) -> Option<Range<usize>> {
    let mut start = from;
    loop {
        let window = text.get(start..start + RUN_MIN)?;
        if let Some(at) = window.last_chunk().and_then(|last| last_below_plus(*last)) {
            start += RUN_MIN - 8 + at + 1;
            continue;
        }
        let Some(at) = window.iter().rposition(|&byte| !base64::is_char(byte)) else {
            let more = text[start + RUN_MIN..].iter().take_while(|&&byte| base64::is_char(byte)).count();
            return Some(start..start + RUN_MIN + more);
        };
        start += at + 1;
    }
}

/// Where the last byte stands that is below `+`, the first character of base64: most often a space, a quote or a bracket.
fn last_below_plus(bytes: [u8; 8]) -> Option<usize> {
    const HIGH: u64 = 0x8080_8080_8080_8080;
    const REST: u64 = 0x0101_0101_0101_0101 * (0x80 - b'+' as u64);
    let word = u64::from_le_bytes(bytes);
    // The high bit of each byte: whether its low seven bits are at least `+`; no byte carries into the next.
    let below = !(((word & !HIGH) + REST) | word) & HIGH;
    (below != 0).then(|| 7 - below.leading_zeros() as usize / 8)
}

/// What a probe saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sight(u8);

impl Sight {
    const PERCENT: u8 = 1;
    const BACKSLASH: u8 = 2;
    const AMPERSAND: u8 = 4;
    const EQUALS: u8 = 8;
    /// A decimal digit.
    const DIGIT: u8 = 16;
    /// Something that is no part of a list of bytes.
    const OTHER: u8 = 32;
    /// Something between the bytes of a list.
    const SEPARATOR: u8 = 64;

    /// Whether the byte that the escapes of a format start with is there.
    pub const fn has_lead(self, lead: u8) -> bool {
        let bit = match lead {
            b'%' => Self::PERCENT,
            b'\\' => Self::BACKSLASH,
            b'&' => Self::AMPERSAND,
            b'=' => Self::EQUALS,
            _ => 0,
        };
        self.0 & bit != 0
    }

    /// Whether it may be a list of bytes.
    pub const fn is_list(self) -> bool {
        self.0 & Self::OTHER == 0 && self.0 & Self::DIGIT != 0 && self.0 & Self::SEPARATOR != 0
    }

    const fn is_anything(self) -> bool {
        self.0 & (Self::PERCENT | Self::BACKSLASH | Self::AMPERSAND | Self::EQUALS) != 0 || self.is_list()
    }
}

const SIGHTS: [u8; 256] = sights();

const fn sights() -> [u8; 256] {
    let mut sights = [Sight::OTHER; 256];
    let mut byte = 0_u8;
    loop {
        sights[byte as usize] = match byte {
            b'%' => Sight::PERCENT | Sight::OTHER,
            b'\\' => Sight::BACKSLASH | Sight::OTHER,
            b'&' => Sight::AMPERSAND | Sight::OTHER,
            b'=' => Sight::EQUALS | Sight::OTHER,
            b'0'..=b'9' => Sight::DIGIT,
            b'a'..=b'f' | b'A'..=b'F' | b'x' | b'X' => 0,
            b' ' | b',' | b':' | b';' | b'-' | b'\t' | b'\r' | b'\n' => Sight::SEPARATOR,
            _ => Sight::OTHER,
        };
        if byte == u8::MAX {
            return sights;
        }
        byte += 1;
    }
}

/// The next place at `from` or later, on the grid of probes, where something was seen.
pub(super) fn probe(text: &[u8], from: usize) -> Option<(usize, Sight)> {
    let first = from.next_multiple_of(PROBE_STEP);
    let rest = text.get(first..)?;
    for (index, block) in rest.chunks(PROBE_STEP).enumerate() {
        let Some(head) = block.first_chunk::<PROBE_BYTES>() else { break };
        let sight = Sight(head.iter().fold(0, |seen, &byte| seen | SIGHTS[usize::from(byte)]));
        if sight.is_anything() {
            return Some((first + index * PROBE_STEP, sight));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_found_wherever_it_stands() {
        for before in 0..200 {
            let text = format!("{}{}{}", ".a".repeat(before), "Q".repeat(RUN_MIN), ". ".repeat(20));
            let run = next(text.as_bytes(), 0).unwrap();
            assert_eq!((run.end, run.len()), (before * 2 + RUN_MIN, RUN_MIN + usize::from(before > 0)));
            assert_eq!(next(text.as_bytes(), run.end), None);
            let short = text.replacen('Q', ".", 1).replacen('Q', ".", 1);
            assert_eq!(next(short.as_bytes(), 0), None);
        }
    }

    #[test]
    fn eight_bytes_at_once_are_as_good_as_one_by_one() {
        for byte in 0..=u8::MAX {
            for other in [0, b' ', b'*', b'+', b',', b'z', 0x80, 0xab, 0xff] {
                let bytes = [other, byte, other, other, byte, b'+', byte, other];
                assert_eq!(last_below_plus(bytes), bytes.iter().rposition(|&byte| byte < b'+'), "{bytes:?}");
            }
        }
    }

    #[test]
    fn probes_see_escapes_and_lists_but_not_code() {
        let sees = |text: &str| probe(text.repeat(40).as_bytes(), 0).map(|(_, sight)| sight);
        assert!(sees("%61").unwrap().has_lead(b'%'));
        assert!(sees("\\x61").unwrap().has_lead(b'\\'));
        assert!(sees("0x61, ").unwrap().is_list());
        assert!(sees("97,").unwrap().is_list());
        assert_eq!(sees("        "), None);
        assert_eq!(sees("let x(y) "), None);
    }
}
