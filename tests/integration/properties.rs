//! What must hold for any archive: a key in it is found at its place, and nothing that is thrown at the reader goes beyond its bounds.

use super::pack::{self, Method};
use super::template::live_key;
use super::workspace::Workspace;
use ansalint::blob::{ReadAt, Window};
use ansalint::unpack::{Ending, Inner, Kind, Limits, Piece, Text, Unpacker, Visitor};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// Counts what comes out.
#[derive(Default)]
struct Counter {
    bytes: u64,
    texts: u64,
    begun: u64,
}

/// Counts the bytes of one text.
struct Counted {
    end: u64,
}

impl Text for Counted {
    fn window(&mut self, window: &Window<'_>) {
        assert!(window.offset <= self.end, "windows leave no gap");
        self.end = window.offset + window.bytes.len() as u64;
    }
}

impl Visitor for Counter {
    type Text = Counted;

    fn text(&mut self, _: &Inner) -> Counted {
        self.begun += 1;
        Counted { end: 0 }
    }

    fn end(&mut self, _: &Inner, text: Counted, ending: Ending<'_>) {
        self.texts += 1;
        self.bytes += text.end;
        let covered = ending.covered.unwrap_or_default();
        assert!(covered.is_sorted_by_key(|part| part.start));
    }

    fn name(&mut self, _: &Inner) {}

    fn piece(&mut self, _: &Inner, _: &dyn ReadAt, _: Piece<'_>) -> bool {
        true
    }

    fn pack(&mut self, _: &Inner, _: &dyn ReadAt, _: u64, _: u64) -> Result<u64, String> {
        Ok(0)
    }

    fn left_out(&mut self, _: &Inner, reason: &str) {
        assert!(!reason.is_empty());
    }
}

/// What it adds to the path of a member, and how the member is put in.
type Layer = (&'static str, fn(&[u8]) -> Vec<u8>);

/// Every kind of container that tests can write.
fn layers() -> [Layer; 13] {
    [
        ("!/m", |content| pack::zip(&[("first", b"x"), ("m", content)])),
        ("!/m", |content| pack::zip_of(&[("m", content, true), ("last", b"ABC", true)], Method::Stored)),
        ("!/m", |content| pack::zip_of(&[("m", content, true)], Method::Streamed)),
        ("!/m", |content| pack::zip_of(&[("m", content, false)], Method::Bzip2)),
        ("!/m", |content| pack::tar(&[("m", content), ("last", b"ABC")])),
        ("!/m", |content| pack::ar(&[("m", content)])),
        ("!/m", |content| pack::cpio(&[("m", content)])),
        ("!/m", |content| pack::asar(&[("m", content), ("n", b"ABC")])),
        ("", pack::gzip),
        ("", pack::bzip2),
        ("", pack::xz),
        ("", |content| zstd::encode_all(content, 1).unwrap()),
        ("", pack::lz4),
    ]
}

/// An archive of some layers around `content`, and the path of the content in it.
fn nested(content: &[u8], chosen: &[usize]) -> (Vec<u8>, String) {
    let bytes = chosen.iter().fold(content.to_vec(), |bytes, &layer| layers()[layer].1(&bytes));
    let (mut path, mut name) = (String::new(), "f");
    for (inside, &layer) in chosen.iter().enumerate().rev() {
        // A compressed stream around a container is called as the container is; around anything else it has a member.
        let is_archive = !layers()[layer].0.is_empty();
        name = if is_archive { "m" } else { name };
        if is_archive || inside == 0 {
            path = format!("{path}!/{name}");
        }
    }
    (bytes, path)
}

fn limits() -> Limits {
    Limits { depth: 8, entries: 500, bytes: 4 << 20, entry_bytes: 1 << 20, ratio: 250, seconds: 20 }
}

fn open(bytes: &[u8]) -> Counter {
    let mut counter = Counter::default();
    if let Some(kind) = Kind::of(bytes, b"f") {
        Unpacker::new(&mut counter, limits(), bytes.len() as u64).open(kind, b"f", &bytes);
    }
    counter
}

fn check(bytes: &[u8]) {
    let counter = open(bytes);
    assert_eq!(counter.texts, counter.begun, "every text that begins ends");
    // Each byte that comes out is one of at most nine texts around it.
    assert!(counter.bytes <= 9 * ((4 << 20) + (1 << 20) + bytes.len() as u64));
    assert!(counter.begun <= 9 * 500);
}

proptest! {
    // The same cases in every run; another seed looks further.
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, rng_seed: RngSeed::Fixed(20_261_125), ..ProptestConfig::default() })]

    #[test]
    fn any_key_in_up_to_two_archives_is_found(
        seed in 0_u64..1 << 40,
        before in "[ a-z\n=é]{0,300}",
        behind in "[ ;,.:<>{}()!?é][A-Za-z ]{0,40}",
        chosen in vec(0_usize..13, 1..=2),
    ) {
        let key = live_key(seed);
        let (bytes, path) = nested(format!("{before}{key}{behind}").as_bytes(), &chosen);
        let workspace = Workspace::new();
        workspace.write("f", bytes);
        let run = workspace.run(&["scan", "--format", "json"]);
        let report = run.json();
        let findings = report["findings"].as_array().unwrap();
        prop_assert_eq!(findings.len(), 1, "{}", run.stdout);
        let line = before.matches('\n').count() as u64 + 1;
        let column = before.rsplit('\n').next().unwrap().chars().count() as u64 + 1;
        prop_assert_eq!(&findings[0]["path"], &format!("f{path}"));
        prop_assert_eq!(&findings[0]["places"][0]["start"], &serde_json::json!({"line": line, "column": column}));
        let masked = findings[0]["key"]["masked"].as_str().unwrap();
        prop_assert!(masked.ends_with(&key[key.len() - 4..]));
        prop_assert!(!run.stdout.contains(&key));
    }

    #[test]
    fn cut_and_changed_archives_stay_in_bounds(
        content in vec(any::<u8>(), 0..2_000),
        chosen in vec(0_usize..13, 1..=3),
        cut in any::<prop::sample::Index>(),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
    ) {
        let (mut bytes, _) = nested(&content, &chosen);
        check(&bytes[..cut.index(bytes.len() + 1)]);
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        check(&bytes);
    }

    #[test]
    fn random_bytes_behind_any_mark_stay_in_bounds(
        mark in prop::sample::select(MARKS.to_vec()),
        noise in vec(any::<u8>(), 0..4_000),
        sparse in vec(prop::sample::select(vec![0_u8, 1, 2, 16, 127, 128, 255]), 0..400),
    ) {
        check(&[mark, &noise].concat());
        check(&[mark, &sparse, &noise].concat());
    }
}

const MARKS: &[&[u8]] = &[
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"Cr24",
    b"\x1f\x8b\x08",
    b"BZh91AY&SY",
    b"\xfd7zXZ\0",
    b"\x5d\0\0\x80\0\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\x28\xb5\x2f\xfd",
    b"\x04\x22\x4d\x18",
    b"7z\xbc\xaf\x27\x1c\0\x04",
    b"!<arch>\n",
    b"070701",
    b"\xed\xab\xee\xdb",
    b"\x04\0\0\0\x10\0\0\0\x0c\0\0\0\x0a\0\0\0{\"files\":{}",
    b"SQLite format 3\0\x02\0\x01\x01\0",
    b"%PDF-1.5\n1 0 obj <</FlateDecode >>stream\n",
    b"bplist00",
    b"\xc6\x1f\xbc\x03\xc1\x03\x19\x1f",
    b"# v2 git bundle\n",
];
