//! Keys for tests, derived when the tests run, so that no key stands in the repository.

use sha2::{Digest as _, Sha256};

/// Characters of each shape's alphabet.
fn alphabet(shape: &str) -> &'static [u8] {
    match shape {
        "hex" => b"0123456789abcdef",
        "base62" => b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
        "base64" => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
        "base64url" => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
        other => panic!("no shape called {other}"),
    }
}

/// `len` characters of `shape`, the same for the same `seed`.
pub fn identifier(shape: &str, len: usize, seed: u64) -> String {
    let alphabet = alphabet(shape);
    let digest =
        |block: u64| Sha256::new().chain_update(seed.to_le_bytes()).chain_update(block.to_le_bytes()).finalize();
    let bytes = (0..).flat_map(|block| digest(block).to_vec());
    bytes.take(len).map(|byte| char::from(alphabet[usize::from(byte) % alphabet.len()])).collect()
}

/// A random-looking UUID.
pub fn uuid(seed: u64) -> String {
    let hex = identifier("hex", 32, seed);
    format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
}

/// Replaces `{uuid}`, `{base64:32}` and the like in `text`; other braces stay as they are.
pub fn expand(text: &str, seed: u64) -> String {
    let mut expanded = String::new();
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        expanded.push_str(&rest[..open]);
        let close = rest[open..].find('}').map(|close| open + close);
        let filled = close.and_then(|close| fill(&rest[open + 1..close], seed));
        if let (Some(identifier), Some(close)) = (filled, close) {
            expanded.push_str(&identifier);
            rest = &rest[close + 1..];
        } else {
            expanded.push('{');
            rest = &rest[open + 1..];
        }
    }
    expanded + rest
}

fn fill(name: &str, seed: u64) -> Option<String> {
    match name {
        "uuid" => return Some(uuid(seed)),
        // Names that would be findings if they stood whole in the repository.
        "ANSA" | "ansa" => return Some(name.into()),
        _ => {}
    }
    let (shape, len) = name.split_once(':')?;
    let is_shape = ["hex", "base62", "base64", "base64url"].contains(&shape);
    is_shape.then(|| identifier(shape, len.parse().expect("a length"), seed))
}

/// A live merchant secret key.
pub fn live_key(seed: u64) -> String {
    expand("ansa_sk_live_{base62:32}", seed)
}

/// What reports call `key`.
pub fn fingerprint(key: &str) -> String {
    let digest = Sha256::digest(key);
    let digits = digest.iter().take(16).flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(alphabet("hex")[usize::from(digit)])).collect()
}

/// `bytes` in base64, padded.
pub fn base64(bytes: &[u8]) -> String {
    let alphabet = alphabet("base64");
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0_u32, |bits, &byte| bits << 8 | u32::from(byte)) << (8 * (3 - group.len()));
        let chars = (0..=group.len()).map(|at| char::from(alphabet[(bits >> (18 - 6 * at) & 63) as usize]));
        text.extend(chars.chain(std::iter::repeat_n('=', 3 - group.len())));
    }
    text
}

/// `bytes` in base64url, without padding.
pub fn base64url(bytes: &[u8]) -> String {
    base64(bytes).trim_end_matches('=').replace('+', "-").replace('/', "_")
}
