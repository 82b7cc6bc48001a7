//! Keys in any chain of encodings, with their places, as the detector gives them; and what hostile input costs.
//!
//! Chains are made here by encoders that share nothing with the decoders.

use crate::template::{base64, base64url, expand, fingerprint, live_key};
use ansalint::detect::{Budget, Detector, Hidden, Verdict};
use ansalint::rule::{RuleFiles, Rules};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use std::sync::LazyLock;

static DETECTOR: LazyLock<Detector> =
    LazyLock::new(|| Detector::new(&Rules::load(&RuleFiles::embedded()).unwrap()).unwrap());

/// One way to write bytes as text, or as other bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Base64,
    Base64Url,
    /// Base64 in lines of so many characters, with so many spaces before all but the first.
    Wrapped(usize, usize),
    HexLower,
    HexUpper,
    HexList,
    Decimal,
    Percent,
    Unicode,
    Braced,
    Hex2,
    Octal,
    Css,
    EntityHex,
    EntityDecimal,
    QuotedPrintable,
    /// Lines of 76 characters with soft breaks, and nothing else but equals signs escaped.
    SoftBreaks,
    /// Only what is neither letter nor digit escaped.
    PercentSome,
    UnicodeSome,
    EntitySome,
    Utf16,
    Utf16Be,
    Utf16Marked,
    Utf32,
    Utf32Be,
    Gzip,
    Zlib,
    Zstd,
}

const ENCODINGS: [Encoding; 30] = [
    Encoding::Base64,
    Encoding::Base64Url,
    Encoding::Wrapped(76, 0),
    Encoding::Wrapped(64, 4),
    Encoding::Wrapped(72, 2),
    Encoding::HexLower,
    Encoding::HexUpper,
    Encoding::HexList,
    Encoding::Decimal,
    Encoding::Percent,
    Encoding::Unicode,
    Encoding::Braced,
    Encoding::Hex2,
    Encoding::Octal,
    Encoding::Css,
    Encoding::EntityHex,
    Encoding::EntityDecimal,
    Encoding::QuotedPrintable,
    Encoding::SoftBreaks,
    Encoding::PercentSome,
    Encoding::UnicodeSome,
    Encoding::EntitySome,
    Encoding::Utf16,
    Encoding::Utf16Be,
    Encoding::Utf16Marked,
    Encoding::Utf32,
    Encoding::Utf32Be,
    Encoding::Gzip,
    Encoding::Zlib,
    Encoding::Zstd,
];

impl Encoding {
    const fn name(self) -> &'static str {
        match self {
            Self::Base64 | Self::Base64Url | Self::Wrapped(..) => "base64",
            Self::HexLower | Self::HexUpper | Self::HexList => "hex",
            Self::Decimal => "decimal",
            Self::Percent | Self::PercentSome => "percent",
            Self::Unicode | Self::UnicodeSome | Self::Braced | Self::Hex2 | Self::Octal => "backslash",
            Self::Css => "css",
            Self::EntityHex | Self::EntityDecimal | Self::EntitySome => "entity",
            Self::QuotedPrintable | Self::SoftBreaks => "quoted-printable",
            Self::Utf16 | Self::Utf16Marked => "utf-16le",
            Self::Utf16Be => "utf-16be",
            Self::Utf32 => "utf-32le",
            Self::Utf32Be => "utf-32be",
            Self::Gzip => "gzip",
            Self::Zlib => "zlib",
            Self::Zstd => "zstd",
        }
    }

    /// Whether it gives bytes that only base64 and hexadecimal can carry on.
    const fn is_binary(self) -> bool {
        matches!(
            self,
            Self::Utf16
                | Self::Utf16Be
                | Self::Utf16Marked
                | Self::Utf32
                | Self::Utf32Be
                | Self::Gzip
                | Self::Zlib
                | Self::Zstd
        )
    }

    const fn carries_bytes(self) -> bool {
        matches!(self, Self::Base64 | Self::Base64Url | Self::Wrapped(..) | Self::HexLower | Self::HexUpper)
    }

    /// Whether it leaves most of a text as it is. What is escaped whole and again so is not looked for.
    const fn is_sparse(self) -> bool {
        matches!(self, Self::SoftBreaks | Self::PercentSome | Self::UnicodeSome | Self::EntitySome)
    }

    /// Whether most of what it gives are letters and digits, in words.
    const fn is_in_words(self) -> bool {
        matches!(self, Self::Base64 | Self::Base64Url | Self::HexLower | Self::HexUpper) || self.is_sparse()
    }

    fn encode(self, bytes: &[u8]) -> Vec<u8> {
        let each =
            |spell: &dyn Fn(u8) -> String| bytes.iter().map(|&byte| spell(byte)).collect::<String>().into_bytes();
        let some = |spell: &dyn Fn(u8) -> String| {
            each(&|byte| if byte.is_ascii_alphanumeric() { char::from(byte).into() } else { spell(byte) })
        };
        match self {
            Self::Base64 => base64(bytes).into(),
            Self::Base64Url => base64url(bytes).into(),
            Self::Wrapped(width, indent) => {
                let joint = format!("\n{}", " ".repeat(indent));
                base64(bytes).as_bytes().chunks(width).collect::<Vec<_>>().join(joint.as_bytes())
            }
            Self::HexLower => each(&|byte| format!("{byte:02x}")),
            Self::HexUpper => each(&|byte| format!("{byte:02X}")),
            Self::HexList => each(&|byte| format!(", 0x{byte:02x}"))[2..].to_vec(),
            Self::Decimal => each(&|byte| format!(",{byte}"))[1..].to_vec(),
            Self::Percent => each(&|byte| format!("%{byte:02X}")),
            Self::PercentSome => some(&|byte| format!("%{byte:02x}")),
            Self::Unicode => each(&|byte| format!("\\u{byte:04x}")),
            Self::UnicodeSome => some(&|byte| format!("\\u{byte:04x}")),
            Self::Braced => each(&|byte| format!("\\u{{{byte:x}}}")),
            Self::Hex2 => each(&|byte| format!("\\x{byte:02x}")),
            Self::Octal => each(&|byte| format!("\\{byte:03o}")),
            Self::Css => each(&|byte| format!("\\{byte:06x}")),
            Self::EntityHex => each(&|byte| format!("&#x{byte:x};")),
            Self::EntityDecimal => each(&|byte| format!("&#{byte};")),
            Self::EntitySome => some(&|byte| format!("&#{byte};")),
            Self::QuotedPrintable => each(&|byte| format!("={byte:02X}")),
            Self::SoftBreaks => {
                let escaped = each(&|byte| if byte == b'=' { "=3D".into() } else { char::from(byte).into() });
                escaped.chunks(73).collect::<Vec<_>>().join(&b"=\r\n"[..])
            }
            _ => self.encode_binary(bytes),
        }
    }

    fn encode_binary(self, bytes: &[u8]) -> Vec<u8> {
        let each = |unit: &dyn Fn(u8) -> Vec<u8>| bytes.iter().flat_map(|&byte| unit(byte)).collect::<Vec<u8>>();
        let read = |reader: &mut dyn std::io::Read| {
            let mut packed = Vec::new();
            reader.read_to_end(&mut packed).unwrap();
            packed
        };
        match self {
            Self::Utf16 => each(&|byte| vec![byte, 0]),
            Self::Utf16Be => each(&|byte| vec![0, byte]),
            Self::Utf16Marked => [vec![0xff, 0xfe], each(&|byte| vec![byte, 0])].concat(),
            Self::Utf32 => each(&|byte| vec![byte, 0, 0, 0]),
            Self::Utf32Be => each(&|byte| vec![0, 0, 0, byte]),
            Self::Gzip => read(&mut flate2::read::GzEncoder::new(bytes, flate2::Compression::default())),
            Self::Zlib => read(&mut flate2::read::ZlibEncoder::new(bytes, flate2::Compression::default())),
            Self::Zstd => zstd::encode_all(bytes, 3).unwrap(),
            _ => unreachable!("{self:?} gives text"),
        }
    }
}

/// Chains, innermost first, of one to three steps in which bytes are carried by what can carry them.
fn chains() -> impl Strategy<Value = Vec<Encoding>> {
    let is_sound = |chain: &Vec<Encoding>| {
        let is_carried = chain.windows(2).all(|pair| {
            let is_readable = !pair[0].is_binary() || pair[1].carries_bytes();
            is_readable && (!pair[1].is_sparse() || pair[0].is_in_words())
        });
        let is_first_sparse = chain[1..].iter().all(|step| *step != Encoding::SoftBreaks);
        // Compressed text is told by runs of base64 in one piece.
        let is_run_cut = chain.iter().any(|step| step.is_binary()) && chain.iter().any(|step| step.is_sparse());
        is_carried && is_first_sparse && !is_run_cut && !chain.last().unwrap().is_binary()
    };
    prop::collection::vec(prop::sample::select(&ENCODINGS[..]), 1..=3).prop_filter("bytes need a carrier", is_sound)
}

/// The same cases in every run, or as many others as `PROPTEST_CASES` asks for.
fn config() -> ProptestConfig {
    let asked = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    match std::env::var_os("PROPTEST_CASES") {
        Some(_) => asked,
        None => ProptestConfig { cases: 200, rng_seed: RngSeed::Fixed(20_261_125), ..asked },
    }
}

fn keys(text: &[u8]) -> Vec<Hidden> {
    let explored = DETECTOR.explore(text, &mut Budget::default());
    explored.hidden.into_iter().filter(|hidden| hidden.verdict == Verdict::Key).collect()
}

/// `text` in `chain`, and what names that in reports, outermost first: a step that has nothing to do is none.
fn encoded(text: &str, chain: &[Encoding]) -> (Vec<u8>, Vec<&'static str>) {
    let mut names = Vec::new();
    let written = chain.iter().fold(text.as_bytes().to_vec(), |text, encoding| {
        let written = encoding.encode(&text);
        names.splice(0..0, (written != text).then(|| encoding.name()));
        written
    });
    (written, names)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_key_in_any_chain_of_three_is_found_where_it_stands(
        seed in 0_u64..1_000_000,
        shape in prop::sample::select(&["{base62:32}", "{base64:32}", "{uuid}", "{base64url:43}", "{hex:64}"][..]),
        chain in chains(),
        before in "[ -~]{0,60}[ (]",
        after in "[) ][ -~]{0,60}",
    ) {
        let key = expand(&format!("ansa_sk_live_{shape}"), seed);
        let (encoded, names) = encoded(&key, &chain);
        prop_assume!(!names.is_empty());
        // Lines of base64 end with their line; a space behind a style sheet's escape belongs to it.
        let end = match chain.last() {
            Some(Encoding::Wrapped(..) | Encoding::SoftBreaks) => "\n)",
            Some(Encoding::Css) => ")",
            _ => "",
        };
        let text = [before.as_bytes(), &encoded, end.as_bytes(), after.as_bytes()].concat();
        prop_assert!(DETECTOR.any(&text), "{chain:?}: nothing to look at in {}", String::from_utf8_lossy(&text));
        let found = keys(&text);
        let own: Vec<&Hidden> = found.iter().filter(|one| one.secret.fingerprint() == fingerprint(&key)).collect();
        // A line that ends where a key of a published length would is read so: documented.
        let is_cut = key.len() != 49 && found.iter().any(|one| one.secret.fingerprint() == fingerprint(&key[..45]));
        prop_assume!(!own.is_empty() || !is_cut || !chain.iter().any(|step| matches!(step, Encoding::Wrapped(..))));
        prop_assert!(!own.is_empty(), "{chain:?}: {:?} in {}", found.iter().map(|one| (one.secret.masked(), &one.encoding)).collect::<Vec<_>>(), String::from_utf8_lossy(&text));
        let exact = before.len()..before.len() + encoded.len();
        // A mark of byte order is no part of a key, and padding needs no undoing of what it is written in.
        let has_mark = chain.contains(&Encoding::Utf16Marked);
        let is_padded = chain.windows(2).any(|pair| pair[0] == Encoding::Base64 && pair[1].is_sparse());
        let is_there = |range: &std::ops::Range<usize>| {
            let (first, last) = (range.start - exact.start, exact.end - range.end);
            (first == 0 || has_mark && first < 80) && (last == 0 || is_padded && last < 80)
        };
        prop_assert!(own.iter().any(|one| is_there(&one.range()) && (is_padded || one.encoding == names)),
            "{chain:?}: {:?} rather than {exact:?} in {}", own.iter().map(|one| (one.range(), &one.encoding)).collect::<Vec<_>>(), String::from_utf8_lossy(&text));
    }

    #[test]
    fn random_bytes_and_truncations_cost_no_more_than_the_bounds(
        seed in 0_u64..1_000_000,
        chain in chains(),
        noise in prop::collection::vec(any::<u8>(), 0..400),
        cut in 0.0..1.0_f64,
    ) {
        let encoded = encoded(&live_key(seed), &chain).0;
        let text = [&noise[..], &encoded, &noise].concat();
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "any place will do")]
        let cut = (text.len() as f64 * cut) as usize;
        for part in [&text[..cut], &text[cut..], &noise] {
            DETECTOR.any(part);
            for hidden in DETECTOR.explore(part, &mut Budget::default()).hidden {
                prop_assert!(hidden.pieces.iter().all(|piece| piece.start <= piece.end && piece.end <= part.len()));
            }
            ansalint::detect::mask(&DETECTOR, part);
        }
    }

    #[test]
    fn a_key_split_at_any_place_is_found_in_its_pieces(
        seed in 0_u64..1_000_000,
        at in 1_usize..44,
        joint in prop::sample::select(&["\" + \"", "' . '", "\" .. \"", "\" & \"", "\".concat(\"", "\" +\n    \"", "' ~ '", "\" << \""][..]),
    ) {
        let key = live_key(seed);
        let (head, tail) = key.split_at(at);
        let text = format!("let k = {}{head}{joint}{tail}{};\n", &joint[..1], &joint[joint.len() - 1..]);
        let found = keys(text.as_bytes());
        let own: Vec<&Hidden> = found.iter().filter(|one| one.secret.fingerprint() == fingerprint(&key)).collect();
        prop_assert_eq!(own.len(), 1, "{}", text);
        let start = text.find(head).unwrap();
        prop_assert_eq!(&own[0].encoding, &["split"]);
        let second = start + head.len() + joint.len();
        prop_assert_eq!(&own[0].pieces, &[start..start + head.len(), second..second + tail.len()]);
        let plain = DETECTOR.explore(text.as_bytes(), &mut Budget::default()).superseded;
        let mut others = 0;
        DETECTOR.search(text.as_bytes(), &mut |one| others += usize::from(one.verdict == Verdict::Key && !plain.contains(&one.range.start)));
        prop_assert_eq!(others, 0, "{}", text);
    }
}
