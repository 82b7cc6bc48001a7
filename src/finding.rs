//! A finding: one key and path, with every place it stands, as reports show it.
//!
//! The raw key stops before this module: a finding holds a fingerprint, a masked form and a masked excerpt.

use crate::blob::Origin;
use crate::rule::{Environment, Level};
use crate::secret::digest;
use crate::side::{Side, Step};

/// A point in a text; both numbers count from 1, columns in UTF-16 code units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line, from 1.
    pub line: u64,
    /// Column in UTF-16 code units, from 1.
    pub column: u64,
}

/// One occurrence of a key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The git object it stands in, in hexadecimal; none for files on disk.
    pub blob: Option<String>,
    /// The first character.
    pub start: Position,
    /// Just behind the last character; on a later line where encoded text is wrapped.
    pub end: Position,
    /// The chain of encodings, outermost first; empty for plain text.
    pub encoding: Vec<&'static str>,
    /// GitHub's rolling hash of the line (`primaryLocationLineHash`), where the blob could be read twice.
    pub line_hash: Option<String>,
}

/// The line of the first place, masked and cut to a readable length. May hold control characters: reports escape.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Excerpt {
    /// The text, every key in it masked.
    pub text: String,
    /// Byte range in `text` of the masked key this finding is about.
    pub key: std::ops::Range<usize>,
    /// Whether the line goes on before the text.
    pub cut_before: bool,
    /// Whether the line goes on behind the text.
    pub cut_after: bool,
}

/// What a finding may say about its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The kind's name in `rules/keys.toml`, such as `merchant-secret`.
    pub kind: String,
    /// Live or sandbox.
    pub environment: Environment,
    /// Prefix, ellipsis, at most four trailing characters.
    pub masked: String,
    /// First 32 hexadecimal digits of SHA-256 of the key.
    pub fingerprint: String,
}

/// A commit that brought a key or took it away.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Event {
    /// When it was committed, in seconds since 1970.
    pub time: i64,
    /// Its place among the commits looked at, parents first: tells those of one second apart.
    pub rank: u32,
    /// Its name, in hexadecimal.
    pub commit: String,
    /// The name of its author, only where it was asked for; never an address.
    pub author: Option<String>,
}

/// How long a key has been in a repository, and what still leads to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// The oldest commit that has it at this path while none of its parents has.
    pub introduced: Option<Event>,
    /// The newest commit that has it at this path while none of its parents has; none where it came but once.
    pub reintroduced: Option<Event>,
    /// The newest commit that no longer has it while its parents have; none where `HEAD` still has it.
    pub removed: Option<Event>,
    /// Whether the commit at `HEAD` has it at this path.
    pub at_head: bool,
    /// Names that lead to it, sorted, at most [`REFS_MAX`].
    pub refs: Vec<String>,
    /// How many there are.
    pub refs_total: u64,
    /// Whether anything leads to it; if not, only its object is left.
    pub reachable: bool,
    /// Whole days since it was introduced.
    pub days: Option<u64>,
    /// How many paths the object has in the trees looked at; none where counting was cut off.
    pub paths_total: Option<u64>,
}

impl History {
    /// When it last came to this path.
    pub fn newest(&self) -> Option<&Event> {
        self.reintroduced.as_ref().or(self.introduced.as_ref())
    }

    /// Takes over from `other`, of the same key and path, if it came again later there.
    pub fn renew(&mut self, other: &Self) {
        let newest = self.newest().max(other.newest()).cloned();
        let first = self.introduced.as_ref();
        self.reintroduced = newest.filter(|newest| first.is_some_and(|first| first.commit != newest.commit));
    }
}

/// The most refs that a finding lists.
pub const REFS_MAX: usize = 100;

/// One key and path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Such as `ANSA1001`; `ANSA1101` for its sandbox form.
    pub code: String,
    /// The rule's name, the same for both environments.
    pub rule: String,
    /// After lowering.
    pub level: Level,
    /// Whether the change looked at adds it; always true where there is no change to compare with.
    pub new: bool,
    /// The key; none for rules about names and calls.
    pub key: Option<Key>,
    /// The variable or endpoint a rule without a key is about.
    pub subject: Option<String>,
    /// The side the code is on.
    pub side: Side,
    /// What the code itself says, where the configuration set another side by path.
    pub overruled: Option<Side>,
    /// Why, the deciding sentence first.
    pub evidence: Vec<String>,
    /// The imports that lead from a client entry to this file, the entry first; empty where none decided.
    pub chain: Vec<Step>,
    /// Whether a level was lowered because git ignores the path and does not track it.
    pub git_ignored: bool,
    /// Whether it is listed for information only and changes no exit code.
    pub inventory: bool,
    /// The kind of place.
    pub origin: Origin,
    /// The commit it was judged in, or the git object it stands in where that is no file, in hexadecimal.
    pub commit: Option<String>,
    /// Where it comes from, for keys found in a repository's history.
    pub history: Option<History>,
    /// As reported: `/` between parts, percent-encoded where it is not UTF-8, keys in it masked.
    pub path: String,
    /// The path of the bundle that this finding's file is the source map of.
    pub generated: Option<String>,
    /// Every place, sorted.
    pub places: Vec<Place>,
    /// The line of the first place; none where there is no text to show.
    pub excerpt: Option<Excerpt>,
    /// The reason a comment beside it gives, where every place has a comment that allows this very key.
    pub allowed_inline: Option<String>,
}

/// What keeps a finding from counting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Silencer {
    /// `--allow`.
    Argument,
    /// An `[[allow]]` entry.
    Entry,
    /// A comment beside the key.
    Comment,
    /// The baseline.
    Baseline,
    /// A path that the configuration leaves out.
    Path,
    /// A rule that the configuration turns off.
    Rule,
}

impl Silencer {
    /// The word used in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Argument => "argument",
            Self::Entry => "entry",
            Self::Comment => "comment",
            Self::Baseline => "baseline",
            Self::Path => "path",
            Self::Rule => "rule",
        }
    }

    /// The same in a sentence that counts `number` findings.
    pub const fn phrase(self, number: u64) -> &'static str {
        match (self, number) {
            (Self::Argument, _) => "--allow",
            (Self::Entry, 1) => "an entry",
            (Self::Entry, _) => "entries",
            (Self::Comment, 1) => "a comment",
            (Self::Comment, _) => "comments",
            (Self::Baseline, _) => "the baseline",
            (Self::Path, _) => "paths left out",
            (Self::Rule, _) => "rules turned off",
        }
    }

    /// The silencer that reports call `word`.
    pub fn of_word(word: &str) -> Option<Self> {
        let all = [Self::Argument, Self::Entry, Self::Comment, Self::Baseline, Self::Path, Self::Rule];
        all.into_iter().find(|silencer| silencer.as_str() == word)
    }
}

/// Why a finding does not count, and for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suppression {
    /// What keeps it from counting.
    pub by: Silencer,
    /// In the words of whoever wrote it.
    pub reason: Option<String>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// The last day it holds, such as `2027-01-31`.
    pub expires: Option<String>,
}

/// A finding that does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suppressed {
    /// The finding.
    pub finding: Finding,
    /// Why it does not count.
    pub suppression: Suppression,
}

/// The fingerprint of what `rule` says of `subject` where there is no key: 32 hexadecimal digits.
pub fn without_key(rule: &str, subject: &str) -> String {
    digest(&[rule.as_bytes(), subject.as_bytes()])
}

impl Finding {
    /// First 32 hexadecimal digits of SHA-256 over fingerprint, NUL, path: stable when lines move or rules change.
    pub fn id(&self) -> String {
        digest(&[self.fingerprint().as_bytes(), self.path.as_bytes()])
    }

    /// Whether a look at the files finds it, and not only one at the history.
    pub fn is_in_files(&self) -> bool {
        match self.origin {
            Origin::File | Origin::Link | Origin::Stdin | Origin::Index | Origin::Message => true,
            Origin::Blob | Origin::TreeEntry => self.history.as_ref().is_none_or(|history| history.at_head),
            _ => false,
        }
    }

    /// Whether the code itself is in a client, and only the configuration says that it is not.
    pub fn is_taken_from_client(&self) -> bool {
        !self.side.reaches_client() && self.overruled.is_some_and(Side::reaches_client)
    }

    /// That of the key; of rule and subject where there is none.
    pub fn fingerprint(&self) -> String {
        match &self.key {
            Some(key) => key.fingerprint.clone(),
            None => without_key(&self.rule, self.subject.as_deref().unwrap_or_default()),
        }
    }
}

/// A candidate that is not a finding, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ignored {
    /// As in [`Finding::path`].
    pub path: String,
    /// Where it stands.
    pub position: Position,
    /// Such as `words` or `documented-example`.
    pub class: String,
    /// Masked like a key, though it is none.
    pub masked: String,
}
