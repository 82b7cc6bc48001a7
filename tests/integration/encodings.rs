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

/// One way to write bytes as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Base64,
    Base64Url,
    Wrapped,
    HexLower,
    HexUpper,
    HexList,
    Decimal,
    Percent,
    Unicode,
    Hex2,
    Octal,
    Css,
    EntityHex,
    EntityDecimal,
    QuotedPrintable,
    Utf16,
    Gzip,
}

const ENCODINGS: [Encoding; 17] = [
    Encoding::Base64,
    Encoding::Base64Url,
    Encoding::Wrapped,
    Encoding::HexLower,
    Encoding::HexUpper,
    Encoding::HexList,
    Encoding::Decimal,
    Encoding::Percent,
    Encoding::Unicode,
    Encoding::Hex2,
    Encoding::Octal,
    Encoding::Css,
    Encoding::EntityHex,
    Encoding::EntityDecimal,
    Encoding::QuotedPrintable,
    Encoding::Utf16,
    Encoding::Gzip,
];

impl Encoding {
    const fn name(self) -> &'static str {
        match self {
            Self::Base64 | Self::Base64Url | Self::Wrapped => "base64",
            Self::HexLower | Self::HexUpper | Self::HexList => "hex",
            Self::Decimal => "decimal",
            Self::Percent => "percent",
            Self::Unicode | Self::Hex2 | Self::Octal => "backslash",
            Self::Css => "css",
            Self::EntityHex | Self::EntityDecimal => "entity",
            Self::QuotedPrintable => "quoted-printable",
            Self::Utf16 => "utf-16le",
            Self::Gzip => "gzip",
        }
    }

    /// Whether it gives bytes that only base64 and hexadecimal can carry on.
    const fn is_binary(self) -> bool {
        matches!(self, Self::Utf16 | Self::Gzip)
    }

    const fn carries_bytes(self) -> bool {
        matches!(self, Self::Base64 | Self::Base64Url | Self::HexLower | Self::HexUpper)
    }

    fn encode(self, bytes: &[u8]) -> Vec<u8> {
        let each =
            |spell: &dyn Fn(u8) -> String| bytes.iter().map(|&byte| spell(byte)).collect::<String>().into_bytes();
        match self {
            Self::Base64 => base64(bytes).into(),
            Self::Base64Url => base64url(bytes).into(),
            Self::Wrapped => base64(bytes).as_bytes().chunks(76).collect::<Vec<_>>().join(&b'\n'),
            Self::HexLower => each(&|byte| format!("{byte:02x}")),
            Self::HexUpper => each(&|byte| format!("{byte:02X}")),
            Self::HexList => each(&|byte| format!(", 0x{byte:02x}"))[2..].to_vec(),
            Self::Decimal => each(&|byte| format!(",{byte}"))[1..].to_vec(),
            Self::Percent => each(&|byte| format!("%{byte:02X}")),
            Self::Unicode => each(&|byte| format!("\\u{byte:04x}")),
            Self::Hex2 => each(&|byte| format!("\\x{byte:02x}")),
            Self::Octal => each(&|byte| format!("\\{byte:03o}")),
            Self::Css => each(&|byte| format!("\\{byte:06x}")),
            Self::EntityHex => each(&|byte| format!("&#x{byte:x};")),
            Self::EntityDecimal => each(&|byte| format!("&#{byte};")),
            Self::QuotedPrintable => each(&|byte| format!("={byte:02X}")),
            Self::Utf16 => bytes.iter().flat_map(|&byte| [byte, 0]).collect(),
            Self::Gzip => {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
                std::io::Write::write_all(&mut encoder, bytes).unwrap();
                encoder.finish().unwrap()
            }
        }
    }
}

/// Chains, innermost first, of one to three steps in which bytes are carried by what can carry them.
fn chains() -> impl Strategy<Value = Vec<Encoding>> {
    let is_sound = |chain: &Vec<Encoding>| {
        let is_carried = chain.windows(2).all(|pair| !pair[0].is_binary() || pair[1].carries_bytes());
        is_carried && !chain.last().unwrap().is_binary()
    };
    prop::collection::vec(prop::sample::select(&ENCODINGS[..]), 1..=3).prop_filter("bytes need a carrier", is_sound)
}

fn keys(text: &[u8]) -> Vec<Hidden> {
    let explored = DETECTOR.explore(text, &mut Budget::default());
    explored.hidden.into_iter().filter(|hidden| hidden.verdict == Verdict::Key).collect()
}

/// What names the chain in reports: escapes of escapes may be undone at once.
fn names(chain: &[Encoding]) -> Vec<&'static str> {
    chain.iter().rev().map(|encoding| encoding.name()).collect()
}

proptest! {
    // The same cases in every run; another seed looks further.
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, rng_seed: RngSeed::Fixed(20_261_125), ..ProptestConfig::default() })]

    #[test]
    fn any_key_in_any_chain_of_three_is_found_where_it_stands(
        seed in 0_u64..1_000_000,
        shape in prop::sample::select(&["{base62:32}", "{base64:32}", "{uuid}", "{base64url:43}", "{hex:64}"][..]),
        chain in chains(),
        before in "[ -~]{0,60}[ (]",
        after in "[) ][ -~]{0,60}",
    ) {
        let key = expand(&format!("ansa_sk_live_{shape}"), seed);
        let encoded = chain.iter().fold(key.clone().into_bytes(), |text, encoding| encoding.encode(&text));
        // Lines of base64 end with their line; a space behind a style sheet's escape belongs to it.
        let end = match chain.last() {
            Some(Encoding::Wrapped) => "\n",
            Some(Encoding::Css) => ")",
            _ => "",
        };
        let text = [before.as_bytes(), &encoded, end.as_bytes(), after.as_bytes()].concat();
        prop_assert!(DETECTOR.any(&text), "{chain:?}: nothing to look at in {}", String::from_utf8_lossy(&text));
        let found = keys(&text);
        let own: Vec<&Hidden> = found.iter().filter(|one| one.secret.fingerprint() == fingerprint(&key)).collect();
        prop_assert!(!own.is_empty(), "{chain:?}: {:?} in {}", found.iter().map(|one| (one.secret.masked(), &one.encoding)).collect::<Vec<_>>(), String::from_utf8_lossy(&text));
        let exact = before.len()..before.len() + encoded.len();
        prop_assert!(own.iter().any(|one| one.range() == exact && one.encoding == names(&chain)),
            "{chain:?}: {:?} rather than {exact:?} in {}", own.iter().map(|one| (one.range(), &one.encoding)).collect::<Vec<_>>(), String::from_utf8_lossy(&text));
    }

    #[test]
    fn random_bytes_and_truncations_cost_no_more_than_the_bounds(
        seed in 0_u64..1_000_000,
        chain in chains(),
        noise in prop::collection::vec(any::<u8>(), 0..400),
        cut in 0.0..1.0_f64,
    ) {
        let encoded = chain.iter().fold(live_key(seed).into_bytes(), |text, encoding| encoding.encode(&text));
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
