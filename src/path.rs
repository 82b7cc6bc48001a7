//! Paths as reports write them: `/` between parts, every byte kept.
//!
//! Bytes that are not UTF-8, and `%`, are percent-encoded, so the encoding can be undone.
//! No disk is touched and no link resolved.

use std::fmt::Write as _;

/// The reported form of a path given as bytes with `/` between its parts.
pub fn encode(path: &[u8]) -> String {
    let mut text = String::with_capacity(path.len());
    for chunk in path.utf8_chunks() {
        text.push_str(&chunk.valid().replace('%', "%25"));
        for byte in chunk.invalid() {
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

/// The bytes of a path that [`encode`] gave.
pub fn decode(path: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((&byte, behind)) = rest.split_first() {
        let hex = behind.get(..2).filter(|_| byte == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        if let Some(decoded) = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            bytes.push(decoded);
            rest = &behind[2..];
        } else {
            bytes.push(byte);
            rest = behind;
        }
    }
    bytes
}

/// The reported path `path` as a relative URI reference: RFC 3986 unreserved bytes and `/` stay as they are.
///
/// Bytes that [`encode`] had already percent-encoded stay encoded once.
pub fn to_uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' | b'%' => uri.push(byte.into()),
            other => {
                let _ = write!(uri, "%{other:02X}");
            }
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_survives() {
        assert_eq!(encode(b"a/\xff%.env"), "a/%FF%25.env");
        assert_eq!(encode("ü.env".as_bytes()), "ü.env");
        for path in [&b"a/\xff%.env"[..], b"%", b"%4", b"a%41"] {
            assert_eq!(decode(&encode(path)), path);
        }
        assert_eq!(to_uri(&encode("a b#c?d%/ü\n".as_bytes())), "a%20b%23c%3Fd%25/%C3%BC%0A");
    }
}
