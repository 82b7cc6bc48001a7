//! What the one pass over every byte looks for: the stem of all prefixes, plain and in each form that has a fixed spelling.
//!
//! Few and long, so that hardly any text holds one by chance. Forms without a fixed spelling are found by [`super::runs`].

use super::super::prefix::{Guarded, trigger};
use std::ops::Range;

/// What an anchor says about the text around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// The stem and an underscore: a plain key, the first piece of one, or one with an escape in it.
    Plain,
    /// The stem and a quote, or what an escape starts with.
    Stem,
    /// A prefix without its first letters: they are written otherwise, or in another piece.
    Tail,
    /// The stem with NULs between the letters.
    Wide,
    /// The stem in hexadecimal.
    Hex,
    /// Base64; so many characters stand before it that the group of four it starts in begins there.
    Base64(usize),
    /// The end of a prefix in base64, likewise.
    Base64Tail(usize),
    /// No key, but something that is told of without one.
    Trigger,
}

/// The letters that all prefixes start with, and the underscore behind them.
const STEM: &str = "ansa_";
/// What may follow the letters of the stem where the underscore is an escape or stands in another literal.
const STEM_ENDS: &[u8] = b"\\%&=\"'`";
/// Prefixes of kinds that matter wherever they are found, without the letters of the stem.
const TAILS: &[&str] = &["_sk_live_", "_sk_sandbox_", "_cs_live_", "_cs_sandbox_"];
/// How prefixes end.
const ENDS: &[&str] = &["_live_", "_sandbox_"];

/// An occurrence.
#[derive(Clone, Debug)]
pub(super) struct Anchor {
    pub form: Form,
    pub range: Range<usize>,
}

/// All of them, in one searcher.
pub(in super::super) struct Anchors {
    finder: Guarded,
    forms: Vec<Form>,
    len_max: usize,
    pairs: Vec<[u8; 2]>,
}

impl Anchors {
    /// With `triggers`, which are no keys and are found in the same pass.
    pub fn new(triggers: &[String]) -> Self {
        let mut needles: Vec<(Vec<u8>, Vec<u8>, Form)> =
            needles().into_iter().map(|(text, form)| (Vec::new(), text, form)).collect();
        // What starts with the stem is found with it.
        for one in triggers.iter().filter(|one| !one.starts_with(STEM)) {
            let (before, text) = trigger(one);
            needles.push((before, text, Form::Trigger));
        }
        let len_max = needles.iter().map(|(before, text, _)| text.len() + before.len().min(1)).max().unwrap_or(0);
        let pairs = needles.iter().flat_map(|(before, text, _)| {
            let guards = before.iter().map(|&guard| [guard, text[0]]);
            guards.chain(text.windows(2).map(|pair| [pair[0], pair[1]]))
        });
        let pairs = pairs.collect();
        let forms = needles.iter().map(|(.., form)| *form).collect();
        let finder = Guarded::new(needles.into_iter().map(|(before, text, _)| (before, text)));
        Self { finder, forms, len_max, pairs }
    }

    /// Bytes of the longest.
    pub const fn len_max(&self) -> usize {
        self.len_max
    }

    /// Bytes that follow one another in them.
    pub fn pairs(&self) -> impl Iterator<Item = [u8; 2]> + '_ {
        self.pairs.iter().copied()
    }

    /// Whether there is any.
    pub fn any(&self, text: &[u8]) -> bool {
        self.finder.find(text, 0).is_some()
    }

    /// The first that may be a key's and starts at `from` or later.
    pub(super) fn next(&self, text: &[u8], mut from: usize) -> Option<Anchor> {
        loop {
            let (index, range) = self.finder.find(text, from)?;
            if self.forms[index] != Form::Trigger {
                return Some(Anchor { form: self.forms[index], range });
            }
            from = range.end;
        }
    }
}

fn needles() -> Vec<(Vec<u8>, Form)> {
    let letters = &STEM[..STEM.len() - 1];
    let mut needles = vec![(STEM.into(), Form::Plain)];
    needles.extend(STEM_ENDS.iter().map(|&end| ([letters.as_bytes(), &[end]].concat(), Form::Stem)));
    needles.extend(TAILS.iter().map(|tail| (tail.as_bytes().to_vec(), Form::Tail)));
    for width in [2, 4] {
        let mut wide: Vec<u8> = STEM.bytes().flat_map(|byte| std::iter::once(byte).chain(vec![0; width - 1])).collect();
        wide.truncate(wide.len() + 1 - width);
        needles.push((wide, Form::Wide));
    }
    let lower = crate::secret::hex(STEM.as_bytes());
    needles.push((lower.to_uppercase().into(), Form::Hex));
    needles.push((lower.into(), Form::Hex));
    needles.extend(aligned(STEM).map(|(text, before)| (text, Form::Base64(before))));
    needles.extend(ENDS.iter().flat_map(|end| aligned(end)).map(|(text, before)| (text, Form::Base64Tail(before))));
    needles
}

/// `text` in base64 at its three alignments, without the characters that also depend on what stands around it,
/// and how many characters stand before in the group of four.
fn aligned(text: &str) -> impl Iterator<Item = (Vec<u8>, usize)> + '_ {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    [0, 8, 16].into_iter().map(move |bits_before: usize| {
        let bit = |at: usize| text.as_bytes()[at / 8] >> (7 - at % 8) & 1;
        let first = bits_before.next_multiple_of(6) - bits_before;
        let chars = (first..=text.len() * 8 - 6).step_by(6).map(|from| {
            let value = (from..from + 6).fold(0, |value, at| value << 1 | bit(at));
            alphabet[usize::from(value)]
        });
        (chars.collect(), (bits_before + first) / 6)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alignments_are_what_base64_writes() {
        let texts = |text: &str| -> Vec<(String, usize)> {
            aligned(text).map(|(text, before)| (String::from_utf8(text).unwrap(), before)).collect()
        };
        let expected = |all: [(&str, usize); 3]| all.map(|(text, before)| (text.to_owned(), before)).to_vec();
        assert_eq!(texts("ansa_"), expected([("YW5zYV", 0), ("Fuc2Ff", 2), ("hbnNhX", 3)]));
        assert_eq!(texts("_live_"), expected([("X2xpdmVf", 0), ("9saXZlX", 2), ("fbGl2ZV", 3)]));
    }

    #[test]
    fn anchors_are_few_enough_for_the_fast_searcher() {
        let rules = crate::rule::Rules::load(&crate::rule::RuleFiles::embedded()).unwrap();
        let anchors = Anchors::new(&rules.calls.needles);
        assert!(anchors.forms.len() <= 32, "{}", anchors.forms.len());
        assert!(needles().iter().all(|(text, _)| text.len() >= 5));
    }
}
