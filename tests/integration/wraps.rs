//! Wrapped base64, and what stands on the lines around it: no key gets another's bytes, and none loses its own.

use crate::template::{base64, base64url, expand, fingerprint, identifier};
use ansalint::detect::{Budget, Detector, Verdict};
use ansalint::rule::{RuleFiles, Rules};
use std::collections::BTreeSet;

/// Words of base64 characters, of which some decode to what may stand in a key.
const STRANGERS: [&str; 8] =
    ["second", "abcd", "YWJj", "MTIzNDU2", "done", "QUJDREVG/x", "src/components/pages/Checkout", "a"];

fn wrapped(text: &str, width: usize, indent: usize) -> String {
    let joint = format!("\n{}", " ".repeat(indent));
    let lines: Vec<&str> = (0..text.len()).step_by(width).map(|at| &text[at..text.len().min(at + width)]).collect();
    lines.join(&joint)
}

/// The fingerprints of the keys that are hidden in each text have to be those of the given keys.
#[derive(Default)]
struct Check {
    detector: Option<Detector>,
    faults: Vec<String>,
}

impl Check {
    fn new() -> Self {
        let detector = Detector::new(&Rules::load(&RuleFiles::embedded()).unwrap()).unwrap();
        Self { detector: Some(detector), faults: Vec::new() }
    }

    fn is(&mut self, what: &str, text: impl AsRef<[u8]>, keys: &[&str]) {
        let explored = self.detector.as_ref().unwrap().explore(text.as_ref(), &mut Budget::default());
        let hidden = explored.hidden.iter().filter(|hidden| hidden.verdict == Verdict::Key);
        let found: BTreeSet<String> = hidden.clone().map(|hidden| hidden.secret.fingerprint()).collect();
        let planted: BTreeSet<String> = keys.iter().map(|key| fingerprint(key)).collect();
        if found != planted {
            let missed = planted.difference(&found).count();
            let wrong = found.difference(&planted).count();
            self.faults
                .push(format!("{what}: {missed} missed, {wrong} wrong\n{}", String::from_utf8_lossy(text.as_ref())));
        }
    }

    fn end(self) {
        let count = self.faults.len();
        assert!(
            self.faults.is_empty(),
            "{count} faults\n{}",
            self.faults.iter().take(12).cloned().collect::<Vec<_>>().join("\n")
        );
    }
}

fn keys(seed: u64) -> [String; 3] {
    ["{base62:32}", "{base64:32}", "{uuid}"].map(|shape| expand(&format!("ansa_sk_live_{shape}"), seed))
}

#[test]
fn a_key_that_wraps_where_another_would_end_is_read_whole() {
    let mut check = Check::new();
    for seed in 0..20 {
        for key in keys(seed) {
            for (width, before) in [(60, 0), (64, 3), (68, 6), (72, 9), (76, 12), (76, 69), (64, 99), (60, 45)] {
                let text = base64(format!("{}{key}", "k=".repeat(60)[120 - before..].to_owned()).as_bytes());
                check.is("block", format!("d: |\n  {}\nend: 1\n", wrapped(&text, width, 2)), &[&key]);
                check.is("alone", wrapped(&text, width, 0), &[&key]);
            }
        }
    }
    check.end();
}

/// A text in lines of so many characters, in one encoding and in two, with a word on the line behind.
fn with_strangers(check: &mut Check, plain: &str, key: &str, width: usize) {
    for stranger in STRANGERS {
        let once = wrapped(&base64(plain.as_bytes()), width, 0);
        check.is("once", format!("\n{once}\n{stranger}\n"), &[key]);
        let bare = wrapped(&base64url(plain.as_bytes()), width, 0);
        check.is("bare", format!("\n{bare}\n{stranger}\n"), &[key]);
        let twice = wrapped(&base64(once.as_bytes()), width, 0);
        check.is("twice", format!("\n{twice}\n{stranger}\n"), &[key]);
    }
}

#[test]
fn a_word_on_the_next_line_is_no_part_of_a_key() {
    let mut check = Check::new();
    for (seed, width) in [(0, 60), (0, 64), (0, 76), (1, 76), (1, 10_000)] {
        for key in keys(seed) {
            for before in (0..60).step_by(2) {
                let plain = format!("{}{key}", &"password = ".repeat(6)[66 - before..]);
                with_strangers(&mut check, &plain, &key, width);
            }
        }
    }
    check.end();
}

#[test]
fn keys_that_follow_each_other_line_by_line_are_told_apart() {
    let mut check = Check::new();
    for seed in 0..20 {
        let all = keys(seed);
        let [one, two, three] = [&all[0], &all[1], &all[2]];
        let lines = |steps: u32| {
            let line = |text: &str| (0..steps).fold(text.to_owned(), |text, _| base64(text.as_bytes()));
            let words = identifier("base62", 45, seed);
            [one, two, &words, one, three, &words].map(|text| line(text)).join("\n") + "\n"
        };
        check.is("once", lines(1), &[one, two, three]);
        check.is("twice", lines(2), &[one, two, three]);
    }
    check.end();
}

#[test]
fn a_key_in_wrapped_binary_is_read_over_the_ends_of_lines() {
    let mut check = Check::new();
    for seed in 0..2 {
        for key in keys(seed) {
            for before in 0..120_u8 {
                let noise: Vec<u8> = (0..before).map(|at| at.wrapping_mul(37) ^ 0x80 | 0x80).collect();
                let bytes = [&noise[..], key.as_bytes(), &[0x80, 0xff, 0x90].repeat(40)].concat();
                for width in [60, 64, 72, 76] {
                    check.is(&format!("{before} at {width}"), wrapped(&base64(&bytes), width, 0) + "\n", &[&key]);
                }
            }
        }
    }
    check.end();
}

#[test]
fn signs_may_be_escaped_and_the_first_of_them_too() {
    let mut check = Check::new();
    let deflate = |text: &str| {
        let mut packed = Vec::new();
        let mut encoder = flate2::read::DeflateEncoder::new(text.as_bytes(), flate2::Compression::default());
        std::io::Read::read_to_end(&mut encoder, &mut packed).unwrap();
        packed
    };
    let forms = [
        ("+", "/", "="),
        ("%2B", "%2F", "%3D"),
        ("%2b", "%2f", "%3d"),
        ("\\u002b", "\\u002f", "="),
        ("+", "\\/", "="),
        ("&#43;", "&#47;", "="),
    ];
    for seed in 0..20 {
        for key in keys(seed) {
            let marked: Vec<u8> = [0xff, 0xfe].into_iter().chain(key.bytes().flat_map(|byte| [byte, 0])).collect();
            let noise = identifier("base62", 600, seed);
            let saml = deflate(&format!("<samlp:AuthnRequest ID=\"{noise}\" Key=\"{key}\">"));
            for (plus, slash, equals) in forms {
                for (name, bytes) in [("utf-16", &marked), ("saml", &saml)] {
                    let text = base64(bytes).replace('+', plus).replace('/', slash).replace('=', equals);
                    check.is(name, format!("https://idp.example/?SAMLRequest={text}&RelayState=x"), &[&key]);
                }
            }
        }
    }
    check.end();
}
