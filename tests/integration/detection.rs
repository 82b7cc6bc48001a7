//! The grammar of keys, held to the examples that stand beside the rules, and to keys nobody wrote down.

use crate::template::{expand, identifier, live_key, uuid};
use ansalint::detect::{Candidate, Class, Detector, Verdict};
use ansalint::rule::{RuleFiles, Rules};
use std::collections::BTreeMap;

fn rules() -> Rules {
    Rules::load(&RuleFiles::embedded()).unwrap()
}

fn detector() -> Detector {
    Detector::new(&rules()).unwrap()
}

fn candidates(detector: &Detector, bytes: &[u8]) -> Vec<Candidate> {
    let mut found = Vec::new();
    detector.search(bytes, &mut |candidate| found.push(candidate));
    found
}

fn keys(detector: &Detector, bytes: &[u8]) -> Vec<String> {
    let found = candidates(detector, bytes).into_iter().filter(|candidate| candidate.verdict == Verdict::Key);
    found.map(|candidate| String::from_utf8(bytes[candidate.range].to_vec()).unwrap()).collect()
}

fn utf16(text: &str, big: bool) -> Vec<u8> {
    text.encode_utf16().flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
}

#[test]
fn every_kind_finds_its_positive_examples_and_none_of_its_negative_ones() {
    let (rules, detector) = (rules(), detector());
    for (index, kind) in rules.keys.kind.iter().enumerate() {
        for seed in 0..50 {
            for template in &kind.positive {
                let text = expand(template, seed);
                let found = candidates(&detector, text.as_bytes());
                assert!(
                    found.iter().all(|one| one.kind == index && one.verdict == Verdict::Key),
                    "{template}: {found:?}"
                );
                assert_eq!(found.len(), 1, "{template}");
            }
            for template in &kind.negative {
                assert_eq!(keys(&detector, expand(template, seed).as_bytes()), [""; 0], "{template}");
            }
        }
    }
}

#[test]
fn every_placeholder_class_names_its_examples() {
    let (rules, detector) = (rules().placeholders, detector());
    let classes = [
        (Class::Template, &rules.template.examples),
        (Class::TooShort, &rules.too_short.examples),
        (Class::FewDistinct, &rules.few_distinct.examples),
        (Class::Sequence, &rules.sequence.examples),
        (Class::Periodic, &rules.periodic.examples),
        (Class::Words, &rules.words.examples),
        (Class::Stopword, &rules.stopword.examples),
        (Class::SingleCaseAlpha, &rules.single_case_alpha.examples),
        (Class::LowEntropy, &rules.low_entropy.examples),
    ];
    for (class, examples) in classes {
        assert!(!examples.is_empty(), "{class:?}");
        for example in examples {
            let text = format!("key = \"ansa_sk_live_{example}\"\n");
            let found = candidates(&detector, text.as_bytes());
            assert_eq!(found[0].verdict, Verdict::Ignored(class), "{example}");
        }
    }
}

#[test]
fn documented_examples_are_known_to_the_byte() {
    let detector = detector();
    let documented = ["ansa_sk_sandbox_", "c06f7fee-5875-4fb0-81f2-ff29402e101d"].concat();
    assert_eq!(candidates(&detector, documented.as_bytes())[0].verdict, Verdict::Ignored(Class::DocumentedExample));
    let publishable = ["ansa_pk_sandbox_", "huRltYRsD2hXD0yeMxA/7i88UJan4Ez+"].concat();
    assert_eq!(candidates(&detector, publishable.as_bytes())[0].verdict, Verdict::Ignored(Class::DocumentedExample));
    let other = documented.replace("101d", "101e");
    assert_eq!(keys(&detector, other.as_bytes()), [other]);
}

#[test]
fn random_identifiers_are_hardly_ever_taken_for_placeholders() {
    let detector = detector();
    let mut lost: BTreeMap<&str, usize> = BTreeMap::new();
    for seed in 0..6_000 {
        let shapes = [
            ("base62×32", identifier("base62", 32, seed)),
            ("base64×32", identifier("base64", 32, seed)),
            ("base64url×43", identifier("base64url", 43, seed)),
            ("hex×32", identifier("hex", 32, seed)),
            ("uuid", uuid(seed)),
            ("base62×24", identifier("base62", 24, seed)),
            ("base62×16", identifier("base62", 16, seed)),
        ];
        for (shape, identifier) in shapes {
            let text = format!("ansa_sk_live_{identifier}");
            *lost.entry(shape).or_default() += usize::from(keys(&detector, text.as_bytes()).is_empty());
        }
    }
    let most = |shape: &str| if shape == "base62×16" { 8 } else { usize::from(shape == "base62×24") };
    assert!(lost.iter().all(|(shape, &count)| count <= most(shape)), "{lost:?}");
}

#[test]
fn a_candidate_ends_at_the_next_prefix_and_keeps_two_padding_characters() {
    let detector = detector();
    let (first, second) = (live_key(1), live_key(2).replace("_sk_live_", "_pk_sandbox_"));
    assert_eq!(keys(&detector, format!("{first}{second}{first}").as_bytes()), [first.clone(), second, first.clone()]);
    assert_eq!(keys(&detector, format!("{first}====").as_bytes()), [format!("{first}==")]);
    assert_eq!(keys(&detector, format!("{first}+-_/").as_bytes()), [format!("{first}+-_/")]);
}

#[test]
fn utf16_is_text_at_any_offset() {
    let detector = detector();
    let key = live_key(3);
    for big in [false, true] {
        for before in [&b""[..], b"x", b"\xff\xfe", b"\0\0\0"] {
            for after in ["", "\"\n", "é"] {
                let bytes = [before, &utf16(&format!("k={key}{after}"), big)].concat();
                let found = candidates(&detector, &bytes);
                assert_eq!(found.len(), 1);
                let secret = detector.secret(&bytes, &found[0]);
                let plain = candidates(&detector, key.as_bytes());
                assert_eq!(secret.fingerprint(), detector.secret(key.as_bytes(), &plain[0]).fingerprint());
            }
        }
    }
}

#[test]
fn masks_hide_every_key_on_a_line() {
    let detector = detector();
    let (one, other) = (live_key(4), live_key(5));
    let line = format!("a={one};b={other};c=ansa_sk_live_{}", "Z9y".repeat(800));
    let masked = ansalint::detect::mask(&detector, line.as_bytes());
    assert!(masked.starts_with("a=ansa_sk_live_…") && masked.len() < 90, "{masked}");
    assert!(!masked.contains(&one[13..30]) && !masked.contains(&other[13..30]));
    let excerpt = ansalint::detect::excerpt(
        &detector,
        line.as_bytes(),
        ansalint::blob::Part::Start,
        (&[std::ops::Range { start: 2, end: 2 + one.len() }], &masked[2..2 + "ansa_sk_live_…1234".len()]),
    );
    assert_eq!(&excerpt.text[excerpt.key], &masked[2..2 + "ansa_sk_live_…1234".len()]);
}
