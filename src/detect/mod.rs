//! Finds candidates for keys in bytes, and tells keys from placeholders.
//!
//! Pure: bytes in, candidates out. It knows nothing of files, sides or reports, and gives a key's bytes to nobody but [`Secret`].

mod decode;
mod excerpt;
mod grammar;
mod placeholder;
mod position;
mod prefix;
mod text;

pub use decode::{Bounds, Budget, Exploration, Hidden};
pub use excerpt::{excerpt, mask};
pub use placeholder::Class;
pub use position::Cursor;
pub use text::{Decoded, Form};

use crate::rule::{Environment, RuleError, Rules};
use crate::secret::Secret;
use decode::{Anchors, Explorer, Mode};
use grammar::Run;
use placeholder::Placeholder;
use prefix::{Guarded, Needle, Prefixes, trigger};
use std::ops::Range;

/// The lengths of identifiers that Ansa publishes: base64 of 24 bytes, and a UUID.
const PUBLISHED_LENS: [usize; 2] = [32, 36];

/// Whether a candidate is a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A key.
    Key,
    /// None, for the reason given.
    Ignored(Class),
}

/// One occurrence of a prefix and what follows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Index into the kinds of `rules/keys.toml`.
    pub kind: usize,
    /// None where the prefix is not followed by an environment; such a candidate is never a key.
    pub environment: Option<Environment>,
    /// Byte range in the searched bytes, from the prefix to the end of the identifier.
    pub range: Range<usize>,
    /// Bytes that every character takes: 1, 2 as in UTF-16, or 4 as in UTF-32.
    pub width: usize,
    /// What it is.
    pub verdict: Verdict,
}

/// The compiled rules.
pub struct Detector {
    prefixes: Prefixes,
    anchors: Anchors,
    /// Needles of names and calls, for texts in which anything stands.
    triggers: Guarded,
    environments: Vec<(Environment, String)>,
    placeholder: Placeholder,
    bounds: Bounds,
}

impl Detector {
    /// Compiles `rules`.
    pub fn new(rules: &Rules) -> Result<Self, RuleError> {
        let environments =
            rules.keys.environments.iter().map(|&environment| (environment, format!("{}_", environment.as_str())));
        Ok(Self {
            prefixes: Prefixes::new(&rules.keys),
            anchors: Anchors::new(&rules.calls.needles),
            triggers: Guarded::new(rules.calls.needles.iter().map(|one| trigger(one))),
            environments: environments.collect(),
            placeholder: Placeholder::new(&rules.keys, &rules.placeholders)?,
            bounds: Bounds::default(),
        })
    }

    /// The same with other bounds.
    #[must_use]
    pub fn bounded(self, bounds: Bounds) -> Self {
        Self { bounds, ..self }
    }

    /// What may be decoded of one blob.
    pub const fn budget(&self) -> Budget {
        Budget::new(self.bounds)
    }

    /// What is decoded of a text that is shown: never less than by default, since what is not found is not masked.
    fn masking_budget(&self) -> Budget {
        Budget::new(self.bounds.at_least(&Bounds::default()))
    }

    /// Whether anything in `bytes`, which are a whole blob, may be a key, plain or encoded; almost always `false`, and then nothing
    /// more is to be done.
    pub fn any(&self, bytes: &[u8]) -> bool {
        self.any_in(Form::of(bytes), bytes)
    }

    /// The same of a part of a blob in `form`.
    pub fn any_in(&self, form: Form, bytes: &[u8]) -> bool {
        let mut budget = self.budget();
        budget.grant(bytes.len(), false);
        if Explorer::new(self, &mut budget, Mode::Any).any(bytes) {
            return true;
        }
        budget.is_cut() || (form != Form::Utf8 && self.any_in(Form::Utf8, Decoded::new(form, bytes, 0).text.as_bytes()))
    }

    /// Where in `bytes` something stands that names and calls are looked for around.
    pub fn triggers(&self, bytes: &[u8]) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        let mut from = 0;
        while let Some((_, range)) = self.triggers.find(bytes, from) {
            from = range.end;
            found.push(range);
        }
        found
    }

    /// Every candidate in `bytes` that does not stand there as it is, as far as `budget` reaches.
    pub fn explore(&self, bytes: &[u8], budget: &mut Budget) -> Exploration {
        Explorer::new(self, budget, Mode::All).explore(bytes)
    }

    /// Whether `candidate` is as long as keys that Ansa publishes.
    fn has_published_len(&self, candidate: &Candidate) -> bool {
        PUBLISHED_LENS.contains(&(candidate.range.len() / candidate.width - self.start_len(candidate)))
    }

    /// The length of prefix and environment of `candidate`.
    fn start_len(&self, candidate: &Candidate) -> usize {
        let environment = self.environments.iter().find(|(known, _)| Some(*known) == candidate.environment);
        self.prefixes.prefix_len(candidate.kind) + environment.map_or(0, |(_, word)| word.len())
    }

    /// The most bytes of what [`Detector::any`] tells by its spelling; runs it tells by their sample are longer.
    pub fn reach(&self) -> usize {
        self.anchors.len_max()
    }

    /// The fewest bytes of what [`Detector::any`] tells by its sample.
    pub const fn run_min(&self) -> usize {
        decode::RUN_MIN
    }

    /// Bytes that follow one another in what [`Detector::any`] tells by its spelling, all of which has three bytes or more.
    pub fn pairs(&self) -> impl Iterator<Item = [u8; 2]> + '_ {
        self.anchors.pairs()
    }

    /// Gives every candidate in `bytes` to `take`, in order of position.
    pub fn search(&self, bytes: &[u8], take: &mut dyn FnMut(Candidate)) {
        self.walk(bytes, &mut |needle, limit| take(self.candidate(bytes, needle, limit)));
    }

    /// As [`Detector::search`], without telling keys from placeholders: every verdict says key.
    fn spans(&self, bytes: &[u8], take: &mut dyn FnMut(Candidate)) {
        self.walk(bytes, &mut |needle, limit| take(self.span(bytes, needle, limit).0));
    }

    fn walk(&self, bytes: &[u8], take: &mut dyn FnMut(&Needle, usize)) {
        let mut next = self.prefixes.first(bytes);
        while let Some(needle) = next {
            next = self.prefixes.next(bytes, needle.range.end);
            let limit = next.as_ref().map_or(bytes.len(), |next| next.range.start);
            take(&needle, limit);
        }
    }

    /// The bytes of `candidate`, which a search of `bytes` gave.
    pub fn secret(&self, bytes: &[u8], candidate: &Candidate) -> Secret {
        let narrow: Vec<u8> = bytes[candidate.range.clone()].iter().copied().step_by(candidate.width).collect();
        Secret::new(narrow, self.start_len(candidate))
    }

    /// Reads the candidate that starts at `needle` and ends before `limit`, where the next prefix stands.
    fn candidate(&self, bytes: &[u8], needle: &Needle, limit: usize) -> Candidate {
        let (mut candidate, mut run) = self.span(bytes, needle, limit);
        let word = self.environments.iter().find(|(known, _)| Some(*known) == candidate.environment);
        let Some((_, word)) = word else {
            candidate.verdict = Verdict::Ignored(Class::NoEnvironment);
            return candidate;
        };
        let judge = |run: &Run| {
            let narrow = run.narrow(bytes);
            let whole = || self.whole(needle, &narrow);
            self.placeholder.judge(&narrow[word.len()..], &run.follows(bytes), &whole)
        };
        candidate.verdict = judge(&run);
        if candidate.verdict == Verdict::Ignored(Class::Periodic) {
            let len = placeholder::filled(&run.narrow(bytes)[word.len()..]);
            if let Some(len) = len.filter(|len| PUBLISHED_LENS.contains(len)) {
                run.cut(word.len() + len);
                candidate.verdict = judge(&run);
                candidate.range.end = run.end();
            }
        }
        candidate
    }

    /// Where the candidate at `needle` stands, not yet judged.
    fn span(&self, bytes: &[u8], needle: &Needle, limit: usize) -> (Candidate, Run) {
        let run = Run::read(bytes, needle, limit);
        let narrow = run.narrow(bytes);
        let environment = self.environments.iter().find(|(_, word)| narrow.starts_with(word.as_bytes()));
        let candidate = Candidate {
            kind: needle.kind,
            environment: environment.map(|&(environment, _)| environment),
            range: needle.range.start..run.end(),
            width: needle.width,
            verdict: Verdict::Key,
        };
        (candidate, run)
    }

    /// The fingerprint of prefix and `rest` together.
    fn whole(&self, needle: &Needle, rest: &[u8]) -> String {
        let mut bytes = self.prefixes.prefix(needle.kind).to_vec();
        let prefix_len = bytes.len();
        bytes.extend_from_slice(rest);
        Secret::new(bytes, prefix_len).fingerprint()
    }
}
