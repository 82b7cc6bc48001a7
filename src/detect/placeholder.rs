//! Tells keys from placeholders: each rejected candidate gets the name of the class that rejected it.
//!
//! Shape decides, never a path or a neighbouring word. The numbers and words are data in `rules/placeholders.toml`.

use super::Verdict;
use crate::rule::{Keys, Placeholders, RuleError, Words};
use regex::bytes::Regex;

/// Why a candidate is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// The prefix is followed by neither `live_` nor `sandbox_`.
    NoEnvironment,
    /// Ansa's documents show this very key.
    DocumentedExample,
    /// A bare prefix before a template, a pattern or a mask.
    Template,
    /// Too short.
    TooShort,
    /// Few different characters.
    FewDistinct,
    /// Along the alphabet, the digits or the keyboard.
    Sequence,
    /// One piece over and over.
    Periodic,
    /// Words joined together.
    Words,
    /// A word that says so.
    Stopword,
    /// Letters of one case.
    SingleCaseAlpha,
    /// Little information.
    LowEntropy,
}

impl Class {
    /// Every class.
    pub const ALL: [Self; 11] = [
        Self::NoEnvironment,
        Self::DocumentedExample,
        Self::Template,
        Self::TooShort,
        Self::FewDistinct,
        Self::Sequence,
        Self::Periodic,
        Self::Words,
        Self::Stopword,
        Self::SingleCaseAlpha,
        Self::LowEntropy,
    ];

    /// The word used in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoEnvironment => "no-environment",
            Self::DocumentedExample => "documented-example",
            Self::Template => "template",
            Self::TooShort => "too-short",
            Self::FewDistinct => "few-distinct",
            Self::Sequence => "sequence",
            Self::Periodic => "periodic",
            Self::Words => "words",
            Self::Stopword => "stopword",
            Self::SingleCaseAlpha => "single-case-alpha",
            Self::LowEntropy => "low-entropy",
        }
    }
}

/// The compiled classes.
pub(super) struct Placeholder {
    rules: Placeholders,
    /// Shapes in order, with their least entropy in bits a character.
    shapes: Vec<(Regex, Option<f64>)>,
    rows: Rows,
}

impl Placeholder {
    pub fn new(keys: &Keys, rules: &Placeholders) -> Result<Self, RuleError> {
        let shapes = keys.shape.iter().map(|shape| {
            let pattern = Regex::new(&shape.pattern);
            let pattern =
                pattern.map_err(|error| RuleError::new("keys.toml", format!("shape `{}`: {error}", shape.name)))?;
            Ok((pattern, shape.entropy_min))
        });
        Ok(Self {
            rules: rules.clone(),
            shapes: shapes.collect::<Result<_, _>>()?,
            rows: Rows::new(&rules.sequence.rows),
        })
    }

    /// Judges `identifier`; `follows` are the bytes behind it, `fingerprint` is that of the whole candidate.
    pub fn judge(&self, identifier: &[u8], follows: &[u8], fingerprint: &dyn Fn() -> String) -> Verdict {
        if identifier.is_empty() {
            let class = if self.is_template(follows) { Class::Template } else { Class::TooShort };
            return Verdict::Ignored(class);
        }
        if self.rules.documented.lengths.contains(&identifier.len())
            && self.rules.documented.fingerprints.contains(&fingerprint())
        {
            return Verdict::Ignored(Class::DocumentedExample);
        }
        self.reject(identifier).map_or(Verdict::Key, Verdict::Ignored)
    }

    fn reject(&self, identifier: &[u8]) -> Option<Class> {
        let rules = &self.rules;
        if identifier.len() < rules.too_short.bytes_min {
            return Some(Class::TooShort);
        }
        let tests: [(Class, &dyn Fn() -> bool); 7] = [
            (Class::FewDistinct, &|| distinct(identifier) <= rules.few_distinct.distinct_max),
            (Class::Sequence, &|| is_sequence(identifier, rules.sequence.steps_share_min, &self.rows)),
            (Class::Periodic, &|| self.is_periodic(identifier)),
            (Class::Words, &|| is_words(identifier, &rules.words)),
            (Class::Stopword, &|| self.has_stopword(identifier)),
            (Class::SingleCaseAlpha, &|| is_single_case(identifier)),
            (Class::LowEntropy, &|| self.is_low_entropy(identifier)),
        ];
        tests.into_iter().find(|(_, test)| test()).map(|(class, _)| class)
    }

    fn is_template(&self, follows: &[u8]) -> bool {
        self.rules.template.openers.iter().any(|opener| follows.starts_with(opener.as_bytes()))
    }

    fn is_periodic(&self, identifier: &[u8]) -> bool {
        let rules = &self.rules.periodic;
        let repeats = |period: usize| {
            let pairs = identifier.len().saturating_sub(period);
            let same = identifier
                .iter()
                .zip(&identifier[period.min(identifier.len())..])
                .filter(|(left, right)| left == right);
            // Nine pairs in ten, so that a counter at the end hides nothing.
            pairs >= period && pairs >= rules.run_min && same.count() * 10 >= pairs * 9
        };
        (1..=rules.period_max).any(repeats) || longest_run(identifier) >= rules.run_min
    }

    fn has_stopword(&self, identifier: &[u8]) -> bool {
        let rules = &self.rules.stopword;
        let digits = identifier.iter().filter(|byte| byte.is_ascii_digit()).count();
        let weak =
            digits <= rules.digits_max || (!self.is_mixed(identifier) && entropy(identifier) < rules.entropy_max);
        weak && rules.words.iter().any(|word| contains_word(identifier, word.as_bytes()))
    }

    fn is_low_entropy(&self, identifier: &[u8]) -> bool {
        let shape = self.shapes.iter().find(|(pattern, _)| pattern.is_match(identifier));
        let least = shape.and_then(|(_, least)| *least);
        least.is_some_and(|least| !self.is_mixed(identifier) && entropy(identifier) < least)
    }

    /// Long, and of three classes of character: too rich for entropy to have a say.
    fn is_mixed(&self, identifier: &[u8]) -> bool {
        let classes: [fn(&u8) -> bool; 4] =
            [u8::is_ascii_lowercase, u8::is_ascii_uppercase, u8::is_ascii_digit, u8::is_ascii_punctuation];
        let present = classes.into_iter().filter(|&class| identifier.iter().any(class)).count();
        identifier.len() >= self.rules.low_entropy.mixed_bytes_min && present >= 3
    }
}

/// The least characters that fill a field up behind a key.
const FILL_MIN: usize = 8;

/// The length of `identifier` without the run of one character that it ends with, if there is one.
pub(super) fn filled(identifier: &[u8]) -> Option<usize> {
    let last = identifier.last()?;
    let run = identifier.iter().rev().take_while(|byte| *byte == last).count();
    (run >= FILL_MIN).then(|| identifier.len() - run)
}

fn distinct(identifier: &[u8]) -> usize {
    let mut seen = [false; 256];
    for &byte in identifier.iter().filter(|byte| byte.is_ascii_alphanumeric()) {
        seen[usize::from(byte)] = true;
    }
    seen.iter().filter(|&&seen| seen).count()
}

/// Bits a character, by Shannon.
fn entropy(identifier: &[u8]) -> f64 {
    let mut counts = [0_u32; 256];
    for &byte in identifier {
        counts[usize::from(byte)] += 1;
    }
    let total = f64::from(u32::try_from(identifier.len()).unwrap_or(u32::MAX));
    let share = |&count: &u32| f64::from(count) / total;
    counts.iter().filter(|&&count| count > 0).map(share).map(|share| -share * share.log2()).sum()
}

fn longest_run(identifier: &[u8]) -> usize {
    identifier.chunk_by(|left, right| left == right).map(<[u8]>::len).max().unwrap_or(0)
}

fn is_single_case(identifier: &[u8]) -> bool {
    identifier.iter().all(u8::is_ascii_lowercase) || identifier.iter().all(u8::is_ascii_uppercase)
}

/// For each row that a sequence may go along, the character that follows each; the first follows the last.
#[derive(Debug)]
struct Rows(Vec<[u8; 256]>);

impl Rows {
    fn new(rows: &[String]) -> Self {
        let table = |row: &String| {
            let mut follows = [0; 256];
            for (from, to) in row.bytes().zip(row.bytes().cycle().skip(1)) {
                follows[usize::from(from)] = to;
            }
            follows
        };
        Self(rows.iter().map(table).collect())
    }

    /// Neighbours in `part` that are one step apart: upwards and downwards.
    fn steps(&self, part: &[u8]) -> (usize, usize) {
        let is_step = |from: u8, to: u8| self.0.iter().any(|follows| follows[usize::from(from)] == to);
        let up = part.windows(2).filter(|pair| is_step(pair[0], pair[1])).count();
        let down = part.windows(2).filter(|pair| is_step(pair[1], pair[0])).count();
        (up, down)
    }
}

/// Whether most neighbours are one step apart along a row, all in one direction: in the text as it stands,
/// or among its letters and among its digits.
fn is_sequence(identifier: &[u8], share_min: f64, rows: &Rows) -> bool {
    let text: Vec<u8> =
        identifier.iter().filter(|byte| byte.is_ascii_alphanumeric()).map(u8::to_ascii_lowercase).collect();
    let (digits, letters): (Vec<u8>, Vec<u8>) = text.iter().partition(|byte| byte.is_ascii_digit());
    [&[text][..], &[digits, letters]].iter().any(|parts| {
        let pairs: usize = parts.iter().map(|part| part.len().saturating_sub(1)).sum();
        let (up, down) =
            parts.iter().map(|part| rows.steps(part)).fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        let share = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
        pairs > 0 && share(up.max(down)) >= share(pairs) * share_min
    })
}

/// How a word is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Lower,
    Upper,
    Capital,
}

/// Whether the identifier is made of words in one style: `with_separators`, `OR_LIKE_THIS`, `orLikeThis`.
fn is_words(identifier: &[u8], rules: &Words) -> bool {
    let total = identifier.iter().filter(|byte| byte.is_ascii_alphanumeric()).count();
    let words: Vec<&[u8]> = parts(identifier).filter(|part| is_word(part, rules)).collect();
    let covered: usize = words.iter().map(|word| word.len()).sum();
    let share = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    let styles: Vec<Option<Style>> = words.iter().map(|word| style(word)).collect();
    let is_separated = identifier.iter().any(|byte| b"_-".contains(byte));
    let is_one_style = if is_separated {
        styles.iter().all(|style| *style == styles[0])
    } else {
        styles.iter().skip(1).all(|style| *style == Some(Style::Capital))
            && covered >= words.len() * rules.letters_mean_min
    };
    words.len() >= rules.parts_min && share(covered) >= share(total) * rules.share_min && is_one_style
}

fn style(part: &[u8]) -> Option<Style> {
    let (first, rest) = part.split_first()?;
    match (first.is_ascii_uppercase(), rest.iter().all(u8::is_ascii_lowercase)) {
        (false, true) => Some(Style::Lower),
        (true, true) if !rest.is_empty() => Some(Style::Capital),
        _ => part.iter().all(u8::is_ascii_uppercase).then_some(Style::Upper),
    }
}

/// Runs of letters, cut where a capital begins a new word.
fn parts(identifier: &[u8]) -> impl Iterator<Item = &[u8]> {
    let runs = identifier.split(|byte| !byte.is_ascii_alphabetic());
    runs.flat_map(|run| run.chunk_by(|left, right| !(left.is_ascii_lowercase() && right.is_ascii_uppercase())))
}

fn is_word(part: &[u8], rules: &Words) -> bool {
    let lower = part.to_ascii_lowercase();
    let is_spoken = part.len() >= rules.letters_min && lower.iter().any(|byte| b"aeiouy".contains(byte));
    style(part).is_some() && (is_spoken || rules.short.iter().any(|short| short.as_bytes() == lower))
}

/// Whether `word` (lower case) stands in `identifier` in one case, or capitalised.
fn contains_word(identifier: &[u8], word: &[u8]) -> bool {
    identifier.windows(word.len()).any(|window| {
        window.eq_ignore_ascii_case(word) && {
            let rest = window.get(1..).unwrap_or_default();
            let has = |class: fn(&u8) -> bool, part: &[u8]| part.iter().any(class);
            !has(u8::is_ascii_uppercase, rest) || !has(u8::is_ascii_lowercase, window)
        }
    })
}
