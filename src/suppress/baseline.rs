//! The baseline: findings that were there before, one a line, sorted, so that changes of it merge.
//!
//! It names keys by fingerprint and remembers rule and side; it holds no key. Text in, text out: no file is touched.

use crate::finding::Finding;
use crate::rule::Rules;
use crate::secret::is_fingerprint;
use crate::settings::{Date, SettingsError, text_of};
use crate::side::Side;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const SCHEMA: &str = "ansalint-baseline/1";
/// Entries of one file.
const ENTRIES_MAX: usize = 1_000_000;

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Header {
    schema: String,
}

/// What of a repository an entry is about, where that is not its files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Reach {
    /// What git stored alone: no file has the key at that path any more.
    History,
}

/// One finding that was there before.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    /// Of the key, or of the subject of a finding without one.
    pub fingerprint: String,
    /// Below the root, as reports encode paths.
    pub path: String,
    /// The rule that fired.
    pub rule: String,
    /// The side it was on.
    pub side: Side,
    /// Absent where a look at the files finds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reach: Option<Reach>,
    /// Who answers for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The last day it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Date>,
    /// Why it may stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A baseline, by fingerprint and path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    entries: BTreeMap<(String, String), Known>,
}

impl Baseline {
    /// Parses and checks `bytes`, the content of the file `name`.
    ///
    /// # Errors
    /// The first line that is no entry.
    pub fn read(name: &str, bytes: &[u8]) -> Result<Self, SettingsError> {
        let text = text_of(name, bytes)?;
        let mut baseline = Self::default();
        let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let header = lines.next().map(|(_, line)| serde_json::from_str::<Header>(line));
        if !matches!(header, Some(Ok(header)) if header.schema == SCHEMA) {
            let message = format!("the first line of a baseline is {{\"schema\":\"{SCHEMA}\"}}");
            return Err(SettingsError::of_file(name, message));
        }
        for (number, line) in lines {
            let fault = |message: &str| Err(SettingsError::of_file(&format!("{name}:{}", number + 1), message));
            if ["<<<<<<<", "|||||||", "=======", ">>>>>>>"].iter().any(|mark| line.starts_with(mark)) {
                return fault("a merge is not finished here; keep the entries of both sides, and take this line out");
            }
            let Ok(known) = serde_json::from_str::<Known>(line) else {
                return fault("no entry of a baseline; `ansalint baseline update` writes them");
            };
            if !is_fingerprint(&known.fingerprint) {
                return fault("a fingerprint is 32 hexadecimal digits");
            }
            if baseline.entries.len() >= ENTRIES_MAX {
                return fault("a baseline has a million entries at most");
            }
            if let Some(other) = baseline.get(&known.fingerprint, &known.path).filter(|other| **other != known) {
                let told = format!(
                    "{} at {} stands here twice, and not the same; keep one line",
                    other.fingerprint, other.path
                );
                return fault(&told);
            }
            baseline.insert(known);
        }
        Ok(baseline)
    }

    /// The file.
    pub fn to_text(&self) -> String {
        let mut text = format!("{{\"schema\":\"{SCHEMA}\"}}\n");
        for line in self.entries().filter_map(|known| serde_json::to_string(known).ok()) {
            text.push_str(&line);
            text.push('\n');
        }
        text
    }

    /// Sorted by fingerprint and path.
    pub fn entries(&self) -> impl Iterator<Item = &Known> {
        self.entries.values()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The entry of this fingerprint at this path.
    pub fn get(&self, fingerprint: &str, path: &str) -> Option<&Known> {
        self.entries.get(&(fingerprint.to_owned(), path.to_owned()))
    }

    /// The entries of this fingerprint, by path.
    pub fn of_fingerprint(&self, fingerprint: &str) -> impl Iterator<Item = &Known> {
        let from = (fingerprint.to_owned(), String::new());
        let fingerprint = fingerprint.to_owned();
        self.entries.range(from..).take_while(move |(key, _)| key.0 == fingerprint).map(|(_, known)| known)
    }

    /// Adds `known`, or replaces the entry of its fingerprint and path.
    pub fn insert(&mut self, known: Known) {
        self.entries.insert((known.fingerprint.clone(), known.path.clone()), known);
    }

    /// Takes out the entry of this fingerprint and path.
    pub fn remove(&mut self, fingerprint: &str, path: &str) -> Option<Known> {
        self.entries.remove(&(fingerprint.to_owned(), path.to_owned()))
    }
}

impl Known {
    /// `finding` as it is now, at `path` below the root.
    pub fn of(finding: &Finding, path: &str) -> Self {
        Self {
            fingerprint: finding.fingerprint(),
            path: path.into(),
            rule: finding.rule.clone(),
            side: finding.side,
            reach: (!finding.is_in_files()).then_some(Reach::History),
            owner: None,
            expires: None,
            reason: None,
        }
    }

    /// Whether `finding` is worse than it was: a more serious rule, or a side nearer to clients.
    pub fn is_outgrown_by(&self, finding: &Finding, rules: &Rules) -> bool {
        let kind = finding.key.as_ref().and_then(|key| rules.keys.kind.iter().find(|kind| kind.name == key.kind));
        let rank = |name: &str| match kind {
            Some(kind) => kind.rules.iter().position(|rule| rule == name).unwrap_or(usize::MAX),
            None => usize::from(name != finding.rule),
        };
        rank(&finding.rule) < rank(&self.rule) || nearness(finding.side) < nearness(self.side)
    }
}

/// How near code of a side is to clients, nearest first; a move between neighbours is no worsening.
const fn nearness(side: Side) -> u8 {
    match side {
        Side::Client | Side::Shared => 0,
        Side::Unknown | Side::Server | Side::Infra => 1,
        Side::Docs | Side::Test => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_baseline_survives_being_written() {
        let known = |digit: char, path: &str| Known {
            fingerprint: digit.to_string().repeat(32),
            path: path.into(),
            rule: "merchant-secret-key-in-source".into(),
            side: Side::Server,
            reach: (digit == 'b').then_some(Reach::History),
            owner: None,
            expires: Date::parse("2030-01-01"),
            reason: Some("old \"quoted\"\n".into()),
        };
        let mut baseline = Baseline::default();
        for one in [known('b', "b"), known('a', "z\n%25"), known('a', "c")] {
            baseline.insert(one);
        }
        let text = baseline.to_text();
        assert_eq!(text.lines().count(), 4);
        assert_eq!(Baseline::read("b", text.as_bytes()).unwrap(), baseline);
        assert_eq!(baseline.of_fingerprint(&"a".repeat(32)).count(), 2);
        let mut lines: Vec<&str> = text.lines().skip(1).collect();
        lines.sort_unstable();
        assert_eq!(lines, text.lines().skip(1).collect::<Vec<_>>());
        for bad in ["", "x", "{\"schema\":\"other\"}", &format!("{text}<<<<<<< HEAD\n"), "\0"] {
            assert!(Baseline::read("b", bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
