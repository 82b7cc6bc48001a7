//! A key in memory: the one type that holds its bytes.
//!
//! It has no `Display`, `Debug`, `Clone` or access to the bytes outside this file: what leaves is a
//! fingerprint or a masked form. It does not judge whether the bytes are a real key.

use sha2::{Digest, Sha256};

/// Hexadecimal digits kept of a SHA-256: 128 bits.
const DIGITS: usize = 32;
/// The most trailing characters a masked key shows.
const TAIL_SHOWN_MAX: usize = 4;

/// The bytes of one candidate, prefix included, all of them ASCII.
pub struct Secret {
    bytes: Vec<u8>,
    prefix_len: usize,
}

impl Secret {
    /// `bytes` start with a prefix of `prefix_len` bytes.
    pub fn new(bytes: Vec<u8>, prefix_len: usize) -> Self {
        debug_assert!(prefix_len <= bytes.len() && bytes.is_ascii());
        Self { bytes, prefix_len }
    }

    /// Whether `other` is this and more.
    pub fn is_start_of(&self, other: &Self) -> bool {
        other.bytes.len() > self.bytes.len() && other.bytes.starts_with(&self.bytes)
    }

    /// First 32 hexadecimal digits of SHA-256 over the key's bytes.
    pub fn fingerprint(&self) -> String {
        digest(&[&self.bytes])
    }

    /// The prefix, an ellipsis, and at most four trailing characters, never more than a quarter of the rest.
    pub fn masked(&self) -> String {
        let (prefix, rest) = self.bytes.split_at(self.prefix_len);
        if rest.is_empty() {
            return String::from_utf8_lossy(prefix).into_owned();
        }
        let shown = TAIL_SHOWN_MAX.min(rest.len() / 4);
        let tail = &rest[rest.len() - shown..];
        format!("{}…{}", String::from_utf8_lossy(prefix), String::from_utf8_lossy(tail))
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.bytes.fill(0);
        std::hint::black_box(&self.bytes);
    }
}

/// First 32 hexadecimal digits of SHA-256 over `parts`, separated by NUL bytes.
pub fn digest(parts: &[&[u8]]) -> String {
    let mut hex = long_digest(parts);
    hex.truncate(DIGITS);
    hex
}

/// Whether `text` has the form of a fingerprint.
pub fn is_fingerprint(text: &str) -> bool {
    text.len() == DIGITS && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// All 64 hexadecimal digits of SHA-256 over `parts`, separated by NUL bytes.
pub fn long_digest(parts: &[&[u8]]) -> String {
    let mut hasher = Sha256::new();
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            hasher.update([0]);
        }
        hasher.update(part);
    }
    hex(&hasher.finalize())
}

/// All 64 hexadecimal digits of SHA-256 over what `reader` gives.
pub fn hash_of(mut reader: impl std::io::Read) -> std::io::Result<String> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match reader.read(&mut buffer)? {
            0 => return Ok(hex(&hasher.finalize())),
            count => hasher.update(&buffer[..count]),
        }
    }
}

/// `bytes` in lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut hex, byte| {
        // Writing to a `String` cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
