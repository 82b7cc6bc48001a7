//! A finished report, and one pure writer per format.
//!
//! Writers take a [`Report`] and a `Write`; they open no file, read no clock and print no key.

mod account;
mod csv;
mod escape;
mod github;
mod gitlab;
mod join;
mod json;
mod junit;
mod lines;
mod markdown;
mod page;
mod sarif;
mod stored;
mod text;
mod timeline;
mod wording;

pub use account::write as account;
pub use csv::write as csv;
pub use escape::{escape, plain_json};
pub use github::write as github;
pub use gitlab::write as gitlab;
pub use join::join;
pub use json::write as json;
pub use junit::write as junit;
pub use lines::write as lines;
pub use markdown::write as markdown;
pub use page::rules_page;
pub use sarif::{SuppressedResults, write as sarif};
pub use stored::read;
pub use text::{TextStyle, write as text};

use crate::finding::{Finding, Ignored, Silencer, Suppressed};
use crate::rule::Level;
use std::collections::BTreeMap;

/// A time in seconds since 1970 as RFC 3339 writes it, in UTC.
fn date(time: i64) -> String {
    jiff::Timestamp::from_second(time).map_or_else(|_| format!("@{time}"), |time| time.to_string())
}

/// The time that [`date`] gave `text` for; 1970 for anything else.
fn time_of(text: &str) -> i64 {
    let seconds = text.strip_prefix('@').map(|seconds| seconds.parse().ok());
    seconds.unwrap_or_else(|| text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_second)).unwrap_or(0)
}

/// Something that belongs to the scan and was not read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LeftOut {
    /// As in [`Finding::path`].
    pub path: String,
    /// A few words: `permission denied`, `changed while it was read`, …
    pub reason: String,
}

/// What was read and what was not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Files whose content was read to its end.
    pub files: u64,
    /// Git objects read.
    pub objects: u64,
    /// Bytes of content searched.
    pub bytes: u64,
    /// Sorted; not empty means the scan is incomplete.
    pub left_out: Vec<LeftOut>,
    /// What was not read either, and that the configuration accepts; with its reason, sorted.
    pub accepted: Vec<(LeftOut, String)>,
    /// Counts of what is not content: `link`, `fifo`, `socket`, `device`, `git-directory`.
    pub skipped: BTreeMap<String, u64>,
}

/// The repository the scanned path lies in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repository {
    /// The commit `HEAD` names, in hexadecimal; none when unborn, unreadable, or outside a repository.
    pub head: Option<String>,
}

/// What is counted and not shown, since it is only in history and anybody may read the report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Withheld {
    /// Findings of each level.
    pub levels: BTreeMap<Level, u64>,
    /// Their keys that no finding shown is about.
    pub secrets: u64,
    /// Findings that do not count, by what keeps them from it.
    pub suppressed: BTreeMap<Silencer, u64>,
}

/// Everything a writer may show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The command that made it: `scan`, …
    pub command: String,
    /// SHA-256 over the rules in force, 64 hexadecimal digits.
    pub rules_digest: String,
    /// SHA-256 over the configuration in force, 64 hexadecimal digits; none where there is none.
    pub config_digest: Option<String>,
    /// The repository scanned.
    pub repository: Repository,
    /// What was read.
    pub coverage: Coverage,
    /// Sorted by path, first place, code, fingerprint.
    pub findings: Vec<Finding>,
    /// Findings that do not count, in the same order.
    pub suppressed: Vec<Suppressed>,
    /// What is counted beside that.
    pub withheld: Withheld,
    /// Counts of rejected candidates by class.
    pub ignored_by_class: BTreeMap<String, u64>,
    /// The rejected candidates themselves, only when asked for; sorted.
    pub ignored: Option<Vec<Ignored>>,
    /// Things a person should know that are neither findings nor left out, such as an index that could not be read.
    pub remarks: Vec<String>,
    /// What to write where, to allow a finding; several lines each, for people alone.
    pub advice: Vec<String>,
}

impl Report {
    /// Whether every byte that belongs to the scan was read.
    pub fn complete(&self) -> bool {
        self.coverage.left_out.is_empty()
    }

    /// How many findings are at exactly `level`.
    pub fn count(&self, level: Level) -> usize {
        self.findings.iter().filter(|finding| finding.level == level).count()
    }

    /// How many findings each silencer keeps from counting.
    pub fn suppressed_by(&self) -> BTreeMap<Silencer, u64> {
        let mut counts = BTreeMap::new();
        for suppressed in &self.suppressed {
            *counts.entry(suppressed.suppression.by).or_default() += 1;
        }
        counts
    }

    /// How many different keys the findings hold.
    pub fn secrets(&self) -> usize {
        let keys = self.findings.iter().filter_map(|finding| finding.key.as_ref());
        keys.map(|key| key.fingerprint.as_str()).collect::<std::collections::BTreeSet<_>>().len()
    }
}
