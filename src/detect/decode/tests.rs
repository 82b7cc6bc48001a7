//! Runs the examples of every encoding, in a small language of templates, so that no key stands here.
//!
//! `{key}` is a key; `{key:_=F}` the same with every underscore in format F, `{key:a=F}` with its first `a` so, `{key:*=F}` with all;
//! `{key64:…}` is its base64; `{key@N:J}` is it with J behind N characters, `{key64@…}` and `{key16@…}` its base64 and hexadecimal; `{NAME …}` writes what follows in the encoding NAME.

#[path = "../../../tests/integration/template.rs"]
#[allow(dead_code, reason = "the other half of it is for the integration tests")]
mod template;

use super::super::{Budget, Detector, Verdict};
use super::{Examples, backslash, base64, css, decimal, entity, hex, packed, percent, quoted_printable, split};
use crate::rule::{RuleFiles, Rules};
use std::collections::BTreeSet;
use std::io::Write as _;

const ALL: &[(&str, &Examples)] = &[
    ("backslash", &backslash::EXAMPLES),
    ("base64", &base64::EXAMPLES),
    ("css", &css::EXAMPLES),
    ("decimal", &decimal::EXAMPLES),
    ("entity", &entity::EXAMPLES),
    ("hex", &hex::EXAMPLES),
    ("packed", &packed::EXAMPLES),
    ("percent", &percent::EXAMPLES),
    ("quoted_printable", &quoted_printable::EXAMPLES),
    ("split", &split::EXAMPLES),
];

/// What the name and content of a brace write; none where it is no template.
fn fill(inner: &str, seed: u64) -> Option<Vec<u8>> {
    let key = template::live_key(seed);
    let spelled =
        [("key@", key.clone()), ("key64@", template::base64(key.as_bytes())), ("key16@", respell(&key, "*", "%02x"))];
    for (name, text) in spelled {
        if let Some((at, joint)) = inner.strip_prefix(name).and_then(|rest| rest.split_once(':')) {
            let (head, tail) = text.split_at(at.parse().ok()?);
            return Some([head, &joint.replace("OPEN", "${\""), tail].concat().into_bytes());
        }
    }
    for (name, text) in [("key:", key.clone()), ("key64:", template::base64(key.as_bytes()))] {
        if let Some((what, format)) = inner.strip_prefix(name).and_then(|rest| rest.split_once('=')) {
            return Some(respell(&text, what, format).into_bytes());
        }
    }
    if let Some(spelling) = inner.strip_prefix("padded=") {
        return Some(
            format!("ansa_sk_live_{}{}", template::identifier("base64", 31, seed).replace('/', "Q"), spelling).into(),
        );
    }
    if let Some((letter @ ("p" | "q"), len)) = inner.split_once(':') {
        return Some(letter.repeat(len.parse().ok()?).into());
    }
    if let Some(len) = inner.strip_prefix("noise:") {
        return Some(template::identifier("base62", len.parse().ok()?, seed).into());
    }
    if let Some(len) = inner.strip_prefix("xml:") {
        return Some("<saml:Issuer>https://idp.example/metadata</saml:Issuer>\n".repeat(9)[..len.parse().ok()?].into());
    }
    match inner {
        "key" => return Some(key.into()),
        "slashed" => return Some(slashed(seed).replace('/', "\\/").into()),
        _ => {}
    }
    let (name, content) = inner.split_once(' ')?;
    let content = || expand(content, seed);
    Some(match name {
        "base64" => template::base64(&content()).into(),
        "base64url" => template::base64url(&content()).into(),
        "wrapped" => wrap(&template::base64(&content()), "").into(),
        "indented" => wrap(&template::base64(&content()), "    ").into(),
        "hexed" => crate::secret::hex(&content()).into(),
        "utf16" => String::from_utf8(content()).unwrap().encode_utf16().flat_map(u16::to_le_bytes).collect(),
        "utf32" => String::from_utf8(content()).unwrap().chars().flat_map(|one| u32::from(one).to_le_bytes()).collect(),
        "gzip" => read(flate2::read::GzEncoder::new(&*content(), flate2::Compression::default())),
        "zlib" => read(flate2::read::ZlibEncoder::new(&*content(), flate2::Compression::default())),
        "deflate" => read(flate2::read::DeflateEncoder::new(&*content(), flate2::Compression::default())),
        "zstd" => zstd::encode_all(&*content(), 3).unwrap(),
        "brotli" => {
            let mut packed = Vec::new();
            brotli::CompressorWriter::new(&mut packed, 4096, 9, 22).write_all(&content()).unwrap();
            packed
        }
        _ => return None,
    })
}

fn slashed(seed: u64) -> String {
    let identifier = template::identifier("base62", 30, seed);
    format!("ansa_sk_live_{}/{}/", &identifier[..20], &identifier[20..])
}

fn read(mut reader: impl std::io::Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).unwrap();
    bytes
}

fn wrap(text: &str, indent: &str) -> String {
    let lines = text.as_bytes().chunks(76).map(|line| [indent, std::str::from_utf8(line).unwrap(), "\n"].concat());
    lines.collect::<Vec<_>>().concat()
}

fn respell(text: &str, what: &str, format: &str) -> String {
    let spell = |byte: u8| {
        let forms = [
            ("%02x", format!("{byte:02x}")),
            ("%02X", format!("{byte:02X}")),
            ("%04x", format!("{byte:04x}")),
            ("%06x", format!("{byte:06x}")),
            ("%03o", format!("{byte:03o}")),
            ("%05d", format!("{byte:05}")),
            ("%d", format!("{byte}")),
            ("%x", format!("{byte:x}")),
        ];
        let format = format.replace("%%", "\0");
        forms.iter().fold(format, |spelt, (form, value)| spelt.replace(form, value)).replace('\0', "%")
    };
    match what {
        "*" => text.bytes().map(spell).collect(),
        "_" => text.replace('_', format),
        letter => text.replacen(letter, format, 1),
    }
}

/// Replaces every template in `text`; braces that are none stay.
fn expand(text: &str, seed: u64) -> Vec<u8> {
    let text = template::expand(text, seed);
    let (mut expanded, mut at) = (Vec::new(), 0);
    while at < text.len() {
        let filled = text[at..].starts_with('{').then(|| close(&text[at..])).flatten();
        let filled = filled.and_then(|len| Some((len, fill(&text[at + 1..at + len - 1], seed)?)));
        if let Some((len, bytes)) = filled {
            expanded.extend(bytes);
            at += len;
        } else {
            expanded.push(text.as_bytes()[at]);
            at += 1;
        }
    }
    expanded
}

/// The length of the braces that `text` starts with.
fn close(text: &str) -> Option<usize> {
    let mut depth = 0;
    for (at, byte) in text.bytes().enumerate() {
        depth += i32::from(byte == b'{') - i32::from(byte == b'}');
        if depth == 0 {
            return Some(at + 1);
        }
    }
    None
}

fn detector() -> Detector {
    Detector::new(&Rules::load(&RuleFiles::embedded()).unwrap()).unwrap()
}

/// Fingerprint and chain of every key in `text`.
fn keys(detector: &Detector, text: &[u8]) -> BTreeSet<(String, Vec<&'static str>)> {
    let mut budget = Budget::default();
    let explored = detector.explore(text, &mut budget);
    assert_eq!(budget.cuts().collect::<Vec<_>>(), Vec::<String>::new());
    let mut keys = BTreeSet::new();
    for hidden in explored.hidden.iter().filter(|hidden| hidden.verdict == Verdict::Key) {
        assert!(!hidden.pieces.is_empty() && hidden.pieces.iter().all(|piece| piece.end <= text.len()));
        keys.insert((hidden.secret.fingerprint(), hidden.encoding.clone()));
    }
    detector.search(text, &mut |candidate| {
        if candidate.verdict == Verdict::Key && !explored.superseded.contains(&candidate.range.start) {
            keys.insert((detector.secret(text, &candidate).fingerprint(), Vec::new()));
        }
    });
    keys
}

/// The key that a template is about.
fn planted(template: &str, seed: u64) -> String {
    let text = if template.contains("{slashed}") {
        slashed(seed)
    } else if template.contains("{padded=") {
        format!("ansa_sk_live_{}=", template::identifier("base64", 31, seed).replace('/', "Q"))
    } else {
        template::live_key(seed)
    };
    crate::secret::digest(&[text.as_bytes()])
}

#[test]
fn every_encoding_finds_its_examples_and_passes_over_the_others() {
    let detector = detector();
    let mut faults = Vec::new();
    for (name, examples) in ALL {
        assert!(!examples.found.is_empty() && !examples.passed_over.is_empty());
        for seed in 0..8 {
            for (template, chain) in examples.found {
                let text = expand(template, seed);
                let found = keys(&detector, &text);
                let expected = (planted(template, seed), chain.to_vec());
                if found != BTreeSet::from([expected.clone()]) || !detector.any(&text) {
                    let others: Vec<_> = found.iter().map(|one| (one.0 == expected.0, &one.1)).collect();
                    faults.push(format!("{name} {seed}: {template} gives {others:?}, any {}", detector.any(&text)));
                }
            }
            for template in examples.passed_over {
                let found = keys(&detector, &expand(template, seed));
                if !found.is_empty() {
                    faults.push(format!("{name} {seed}: {template} has a key: {found:?}"));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn templates_do_what_they_say() {
    assert_eq!(expand("{base64 ab{p:1}}", 0), b"YWJw");
    assert_eq!(expand("a{{p:2}}", 0), b"a{pp}");
    assert_eq!(expand("{\"k\":{base64url ~~~}}", 0), b"{\"k\":fn5-}");
    assert_eq!(fill("key@2:+", 1).unwrap().len(), 46);
}
