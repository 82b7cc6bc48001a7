//! Compressed streams inside other encodings: gzip, zlib, raw deflate, zstd and brotli.
//!
//! Streaming, and counted on what comes out. Files that are compressed themselves are not this module's.

use std::io::Read;

/// Bytes of a stream that are inflated to see whether it is one.
const TRIAL_BYTES: usize = 64;
/// The least that a trial has to give.
const TRIAL_BYTES_MIN: usize = 24;
/// How many times the size of a stream its content may be, where that is a sign of one.
const RATIO_MAX: u64 = 100;
/// Bytes inflated in one step.
const STEP_BYTES: usize = 16 * 1024;

/// How a stream is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    Gzip,
    Zlib,
    Deflate,
    Zstd,
    Brotli,
}

/// What came out of a stream.
pub(super) struct Unpacked {
    pub bytes: Vec<u8>,
    pub end: End,
}

/// How inflating ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The stream is over.
    Whole,
    /// It is damaged or cut off.
    Damaged,
    /// More would have come.
    Limit,
}

impl Packing {
    /// The packing that the first bytes of a stream name.
    pub fn named(head: &[u8]) -> Option<Self> {
        match head {
            [0x1f, 0x8b, 8, ..] => Some(Self::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Self::Zstd),
            // The usual window, no dictionary, and a check that makes the two bytes a multiple of 31.
            [0x78, flags @ (0x01 | 0x5e | 0x9c | 0xda), ..] if (0x7800 + u16::from(*flags)).is_multiple_of(31) => {
                Some(Self::Zlib)
            }
            _ => None,
        }
    }

    /// Whether the first bits of a stream that names no packing allow for one.
    pub fn may_be_tried(head: &[u8; 24]) -> bool {
        may_be_deflate(head) || matches!(head[0] & 0x0f, 0x0b | 0x0d | 0x0f | 0x01)
    }

    /// The packing of a stream that names none, found by trying; what comes out has to be text. `bytes` are all of it.
    pub fn tried(bytes: &[u8], is_texty: &dyn Fn(&[u8]) -> bool) -> Option<Self> {
        let gives_text = |packing: &Self| {
            let head = packing.unpack(bytes, TRIAL_BYTES).bytes;
            head.len() >= TRIAL_BYTES_MIN && is_texty(&head)
        };
        let deflate = may_be_deflate(bytes).then_some(Self::Deflate).filter(gives_text);
        deflate.or_else(|| may_be_brotli(bytes).then_some(Self::Brotli).filter(gives_text))
    }

    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zlib => "zlib",
            Self::Deflate => "deflate",
            Self::Zstd => "zstd",
            Self::Brotli => "brotli",
        }
    }

    /// At most `bytes_max` bytes of what `bytes` inflate to.
    pub fn unpack(self, bytes: &[u8], bytes_max: usize) -> Unpacked {
        match self {
            Self::Gzip => read(&mut flate2::read::MultiGzDecoder::new(bytes), bytes_max),
            Self::Zlib => read(&mut flate2::read::ZlibDecoder::new(bytes), bytes_max),
            Self::Deflate => read(&mut flate2::read::DeflateDecoder::new(bytes), bytes_max),
            Self::Zstd => match zstd::stream::read::Decoder::new(bytes) {
                Ok(mut decoder) => read(&mut decoder, bytes_max),
                Err(_) => Unpacked { bytes: Vec::new(), end: End::Damaged },
            },
            Self::Brotli => read(&mut brotli_decompressor::Decompressor::new(bytes, STEP_BYTES), bytes_max),
        }
    }
}

/// Whether `bytes` can start a stream of RFC 1951: a block with fixed codes, or with codes that are complete. Few others have those.
fn may_be_deflate(bytes: &[u8]) -> bool {
    let bits = |from: usize, len: usize| {
        (0..len).fold(0, |bits, at| bits | usize::from(bytes[(from + at) / 8] >> ((from + at) % 8) & 1) << at)
    };
    if bytes.len() < 12 {
        return false;
    }
    match bits(1, 2) {
        // Text starts with two letters; their codes are written from the highest bit on.
        1 => [3, 11]
            .iter()
            .all(|&from| (0x50..0xaf).contains(&(0..8).fold(0, |code, at| code << 1 | bits(from + at, 1)))),
        2 => {
            let lengths = (0..bits(13, 4) + 4).map(|at| bits(17 + 3 * at, 3)).filter(|&len| len > 0);
            bits(3, 5) < 30 && bits(8, 5) < 30 && lengths.map(|len| 128 >> len).sum::<usize>() == 128
        }
        _ => false,
    }
}

/// Whether `bytes` can be a stream of RFC 7932: its window has 10 to 15 bits, as the program chooses for short input, or 22 and more,
/// as libraries do; and it is one block of a likely length, or it ends with an empty one. A decoder makes room for the window, so this is worth asking.
fn may_be_brotli(bytes: &[u8]) -> bool {
    let Some(head) = bytes.first_chunk::<5>() else { return false };
    let bits = head.iter().rev().fold(0_u64, |bits, &byte| bits << 8 | u64::from(byte));
    let behind = match bits & 0x0f {
        0x0b | 0x0d | 0x0f => bits >> 4,
        0x01 if bits >> 4 & 7 > 1 => bits >> 7,
        _ => return false,
    };
    if behind & 1 == 0 {
        return behind >> 1 & 3 != 3 && bytes.last() == Some(&3);
    }
    let nibbles = (behind >> 2 & 3) + 4;
    let content = (behind >> 4 & ((1 << (4 * nibbles)) - 1)) + 1;
    let packed = bytes.len() as u64;
    behind & 2 == 0 && nibbles < 7 && (packed..packed * RATIO_MAX).contains(&content)
}

fn read(reader: &mut dyn Read, bytes_max: usize) -> Unpacked {
    let mut bytes = Vec::new();
    let mut step = vec![0; STEP_BYTES.min(bytes_max + 1)];
    let end = loop {
        match reader.read(&mut step) {
            Ok(0) => break End::Whole,
            Ok(len) if bytes.len() + len > bytes_max => {
                bytes.extend_from_slice(&step[..bytes_max - bytes.len()]);
                break End::Limit;
            }
            Ok(len) => bytes.extend_from_slice(&step[..len]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => break End::Damaged,
        }
    };
    Unpacked { bytes, end }
}

#[cfg(test)]
pub(super) const EXAMPLES: super::Examples = super::Examples {
    found: &[
        ("release: {base64 {gzip K={key}\n}}\n", &["base64", "gzip"]),
        ("release: {base64 {base64 {gzip K={key}\n}}}\n", &["base64", "base64", "gzip"]),
        (
            "//# x=data:application/json;base64,{base64 {zlib {\"sourcesContent\":[\"k='{key}'\"]}}}\n",
            &["base64", "zlib"],
        ),
        (
            "?SAMLRequest={base64 {deflate <samlp:AuthnRequest ID=\"{key}\">{xml:400}</samlp:AuthnRequest>}}&x=1",
            &["base64", "deflate"],
        ),
        ("b={base64 {zstd K={key}\n{p:80}}}\n", &["base64", "zstd"]),
        ("b={base64 {brotli const key = '{key}'; export default key; {xml:200}}}\n", &["base64", "brotli"]),
        ("{wrapped {deflate <samlp:AuthnRequest ID=\"{key}\">{xml:400}</samlp:AuthnRequest>}}", &["base64", "deflate"]),
        ("{wrapped {brotli const key = '{key}'; export default key; {xml:200}}}", &["base64", "brotli"]),
        ("{wrapped {gzip {noise:2000} {key} }}", &["base64", "gzip"]),
        ("h={hexed {gzip K={key}}}\n", &["hex", "gzip"]),
    ],
    passed_over: &["{base64 {gzip {p:200}}}", "H4sIAAAAAAAAA{base62:60}"],
};
