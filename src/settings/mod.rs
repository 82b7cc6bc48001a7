//! What `ansalint.toml` says, checked.
//!
//! Text in, settings out: where the file lies and whether it may be trusted is settled by whoever reads it.

mod changes;
mod date;
mod globs;
mod parse;
mod tighten;

pub use changes::changes;
pub use date::Date;
pub use globs::Globs;
pub use parse::{SettingsError, cut, line_and_column, nearest, parse, text_of};
pub use tighten::under;
pub use toml::Spanned;

use crate::rule::{Level, Rules};
use crate::secret::{is_fingerprint, long_digest};
use crate::side::Side;
use parse::listed;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The name of the file at the root of a repository.
pub const FILE_NAME: &str = "ansalint.toml";
/// The name of the baseline beside it.
pub const BASELINE_NAME: &str = "ansalint-baseline.jsonl";
/// Days that an allowance of a live key in client code holds, unless it says so itself.
pub const DAYS: u16 = 90;

/// A level that a rule is set to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RuleLevel {
    /// Its findings count as suppressed.
    Off,
    /// As of the level.
    Note,
    /// As of the level.
    Warning,
    /// As of the level.
    Error,
}

impl RuleLevel {
    /// The level; none for off.
    pub const fn level(self) -> Option<Level> {
        match self {
            Self::Off => None,
            Self::Note => Some(Level::Note),
            Self::Warning => Some(Level::Warning),
            Self::Error => Some(Level::Error),
        }
    }

    /// Of a level.
    pub const fn of(level: Level) -> Self {
        match level {
            Level::Note => Self::Note,
            Level::Warning => Self::Warning,
            Level::Error => Self::Error,
        }
    }

    /// The word in the file.
    pub fn as_str(self) -> &'static str {
        self.level().map_or("off", Level::as_str)
    }
}

/// What to do about an incomplete scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnIncomplete {
    /// Exit with 3.
    Fail,
    /// Only list what was not read.
    Warn,
}

/// One `[[allow]]`: a key that may stay for a while.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Entry {
    /// Of the key, as reports show it.
    pub fingerprint: Spanned<String>,
    /// Why.
    pub reason: Spanned<String>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// The last day it holds.
    pub expires: Option<Date>,
    /// The one path it holds at, below the root; everywhere if absent.
    pub path: Option<Spanned<String>>,
}

/// One `[[accept-unread]]`: something that is not read and need not be.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AcceptUnread {
    /// As in `coverage.left_out`.
    pub path: Spanned<String>,
    /// Why.
    pub reason: Spanned<String>,
    /// SHA-256 of the file, in hexadecimal; of a git object its name.
    pub hash: Spanned<String>,
}

/// One `[[deactivated]]`: a key that opens nothing any more.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Deactivated {
    /// Of the key, as reports show it.
    pub fingerprint: Spanned<String>,
    /// The day it was deactivated.
    pub date: Date,
    /// Where that is written down.
    pub ticket: Spanned<String>,
}

/// Bounds that a repository may set for itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Limits {
    /// Threads, at most.
    pub jobs: Option<Spanned<u16>>,
    /// Archives within archives.
    pub archive_depth: Option<Spanned<u32>>,
    /// Members of one archive.
    pub archive_entries: Option<Spanned<u64>>,
    /// Bytes that may come out of one archive.
    pub archive_bytes: Option<Spanned<u64>>,
    /// Bytes that may come out of one member.
    pub archive_entry_bytes: Option<Spanned<u64>>,
    /// Bytes that may come out for each byte of an archive.
    pub archive_ratio: Option<Spanned<u64>>,
    /// Seconds that opening one archive may take.
    pub archive_seconds: Option<Spanned<u64>>,
    /// Encodings inside each other.
    pub decode_depth: Option<Spanned<u32>>,
    /// Bytes that any file may decode to.
    pub decode_bytes: Option<Spanned<u64>>,
    /// Bytes that may be decoded for each byte of a file, beyond those.
    pub decode_ratio: Option<Spanned<u64>>,
    /// Encoded keys of one window of a file.
    pub decode_keys: Option<Spanned<usize>>,
}

impl Limits {
    /// Those that are set, as the file calls them.
    pub fn set(&self) -> Vec<(&'static str, Spanned<u64>)> {
        let Self {
            jobs,
            archive_depth,
            archive_entries,
            archive_bytes,
            archive_entry_bytes,
            archive_ratio,
            archive_seconds,
            decode_depth,
            decode_bytes,
            decode_ratio,
            decode_keys,
        } = self;
        let narrow = |value: &Spanned<u32>| Spanned::new(value.span(), u64::from(*value.get_ref()));
        let all = [
            ("jobs", jobs.as_ref().map(|value| Spanned::new(value.span(), u64::from(*value.get_ref())))),
            ("archive-depth", archive_depth.as_ref().map(narrow)),
            ("archive-entries", archive_entries.clone()),
            ("archive-bytes", archive_bytes.clone()),
            ("archive-entry-bytes", archive_entry_bytes.clone()),
            ("archive-ratio", archive_ratio.clone()),
            ("archive-seconds", archive_seconds.clone()),
            ("decode-depth", decode_depth.as_ref().map(narrow)),
            ("decode-bytes", decode_bytes.clone()),
            ("decode-ratio", decode_ratio.clone()),
            ("decode-keys", decode_keys.as_ref().map(|value| Spanned::new(value.span(), *value.get_ref() as u64))),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

/// A whole `ansalint.toml`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// The lowest level that makes a run fail.
    pub fail_on: Option<Spanned<Level>>,
    /// Whether an incomplete scan fails.
    pub on_incomplete: Option<Spanned<OnIncomplete>>,
    /// Whether publishable keys are listed.
    pub publishable: Option<Spanned<bool>>,
    /// Where the baseline is, below the root.
    pub baseline: Option<Spanned<String>>,
    /// Paths whose hits count as suppressed.
    #[serde(default)]
    pub exclude: Vec<Spanned<String>>,
    /// Levels by rule name or code.
    #[serde(default)]
    pub rules: BTreeMap<Spanned<String>, Spanned<RuleLevel>>,
    /// Sides by glob; the last one that matches holds.
    #[serde(default)]
    pub sides: BTreeMap<Spanned<String>, Spanned<Side>>,
    /// Bounds.
    #[serde(default)]
    pub limits: Limits,
    /// Keys that may stay.
    #[serde(default)]
    pub allow: Vec<Entry>,
    /// What need not be read.
    #[serde(default)]
    pub accept_unread: Vec<AcceptUnread>,
    /// Keys that are dead.
    #[serde(default)]
    pub deactivated: Vec<Deactivated>,
}

/// A file with nothing but `[[deactivated]]`, shared by many repositories.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct DeactivatedFile {
    #[serde(default)]
    deactivated: Vec<Deactivated>,
}

impl Settings {
    /// Parses and checks `bytes`, the content of the file `name`.
    ///
    /// # Errors
    /// The first fault, with line, column and what was probably meant.
    pub fn read(name: &str, bytes: &[u8], rules: &Rules) -> Result<Self, SettingsError> {
        let text = text_of(name, bytes)?;
        let settings: Self = parse(name, text)?;
        settings.check(rules).map_err(|(at, message)| SettingsError::at(name, text, at, message))?;
        Ok(settings)
    }

    /// The globs of `[sides]` in the order of the file, each with its side.
    pub fn sides(&self) -> Vec<(&str, Side)> {
        let mut sides: Vec<_> = self.sides.iter().collect();
        sides.sort_by_key(|(glob, _)| glob.span().start);
        sides.into_iter().map(|(glob, side)| (glob.get_ref().as_str(), *side.get_ref())).collect()
    }

    fn check(&self, rules: &Rules) -> Result<(), (usize, String)> {
        self.check_rules(rules)?;
        let exclude: Vec<&str> = self.exclude.iter().map(|glob| glob.get_ref().as_str()).collect();
        let compiled = Globs::new(exclude.iter().copied())
            .map_err(|(number, fault)| (self.exclude[number].span().start, bad_glob(exclude[number], &fault)))?;
        if compiled.match_anything() {
            let at = self.exclude.first().map_or(0, |glob| glob.span().start);
            let message = "`exclude` would leave out everything; name the folders that hold nothing of yours";
            return Err((at, message.into()));
        }
        let sides: Vec<&str> = self.sides().into_iter().map(|(glob, _)| glob).collect();
        if let Err((number, fault)) = Globs::new(sides.iter().copied()) {
            let at = self.sides.keys().find(|glob| glob.get_ref() == sides[number]).map_or(0, |glob| glob.span().start);
            return Err((at, bad_glob(sides[number], &fault)));
        }
        for (glob, side) in &self.sides {
            let compiled = Globs::new([glob.get_ref().as_str()])
                .map_err(|(_, fault)| (glob.span().start, bad_glob(glob.get_ref(), &fault)))?;
            if compiled.match_anything() && !side.get_ref().reaches_client() {
                let message =
                    "a glob in `[sides]` that matches everything would take every key out of client code; name folders";
                return Err((glob.span().start, message.into()));
            }
        }
        if let Some(jobs) = self.limits.jobs.as_ref().filter(|jobs| !(1..=1_024).contains(jobs.get_ref())) {
            return Err((jobs.span().start, "`jobs` is a number from 1 to 1024".into()));
        }
        if let Some(depth) = self.limits.archive_depth.as_ref().filter(|depth| *depth.get_ref() > 64) {
            return Err((depth.span().start, "`archive-depth` is a number from 0 to 64".into()));
        }
        if let Some(depth) = self.limits.decode_depth.as_ref().filter(|depth| !(1..=8).contains(depth.get_ref())) {
            return Err((depth.span().start, "`decode-depth` is a number from 1 to 8".into()));
        }
        if let Some(baseline) = &self.baseline {
            check_path(baseline)?;
        }
        self.check_entries()
    }

    fn check_rules(&self, rules: &Rules) -> Result<(), (usize, String)> {
        let codes: Vec<String> = rules.codes().into_iter().map(|(code, ..)| code).collect();
        let names = rules.findings.iter().map(|rule| rule.name.as_str());
        let known: Vec<&str> = names.clone().chain(codes.iter().map(String::as_str)).collect();
        for name in self.rules.keys() {
            let wrong = name.get_ref().as_str();
            if !known.contains(&wrong) {
                let help = match nearest(wrong, &known) {
                    Some(right) => format!("did you mean `{right}`?"),
                    None => format!("there are {}", listed(&names.collect::<Vec<_>>())),
                };
                return Err((name.span().start, format!("unknown rule `{}`; {help}", cut(wrong))));
            }
        }
        Ok(())
    }

    fn check_entries(&self) -> Result<(), (usize, String)> {
        for entry in &self.allow {
            check_fingerprint(&entry.fingerprint)?;
            check_said(&entry.reason, "reason")?;
            entry.path.as_ref().map_or(Ok(()), check_path)?;
        }
        for accepted in &self.accept_unread {
            check_path(&accepted.path)?;
            check_said(&accepted.reason, "reason")?;
            let hash = accepted.hash.get_ref();
            let is_hash = [40, 64].contains(&hash.len()) && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
            if !is_hash {
                let message = "`hash` is the SHA-256 of the file, 64 hexadecimal digits, or the name of a git object";
                return Err((accepted.hash.span().start, message.into()));
            }
        }
        self.deactivated.iter().try_for_each(check_deactivated)
    }
}

/// Parses and checks a file of `[[deactivated]]` alone.
///
/// # Errors
/// As [`Settings::read`].
pub fn deactivated(name: &str, bytes: &[u8]) -> Result<Vec<Deactivated>, SettingsError> {
    let text = text_of(name, bytes)?;
    let file: DeactivatedFile = parse(name, text)?;
    let fault = |(at, message): (usize, String)| SettingsError::at(name, text, at, message);
    file.deactivated.iter().try_for_each(check_deactivated).map_err(fault)?;
    Ok(file.deactivated)
}

fn check_deactivated(deactivated: &Deactivated) -> Result<(), (usize, String)> {
    check_fingerprint(&deactivated.fingerprint)?;
    check_said(&deactivated.ticket, "ticket")
}

fn check_fingerprint(fingerprint: &Spanned<String>) -> Result<(), (usize, String)> {
    if is_fingerprint(fingerprint.get_ref()) {
        return Ok(());
    }
    let message = "a fingerprint is 32 hexadecimal digits in lower case, as reports show it; never the key";
    Err((fingerprint.span().start, message.into()))
}

fn check_said(text: &Spanned<String>, what: &str) -> Result<(), (usize, String)> {
    if text.get_ref().trim().is_empty() { Err((text.span().start, format!("`{what}` is empty"))) } else { Ok(()) }
}

fn check_path(path: &Spanned<String>) -> Result<(), (usize, String)> {
    let text = path.get_ref();
    let is_plain = !text.is_empty() && !text.starts_with('/') && !text.split('/').any(|part| part == "..");
    if text.contains(['*', '?']) {
        return Err((path.span().start, "one path is named here, and no glob: no glob suppresses a key".into()));
    }
    if is_plain { Ok(()) } else { Err((path.span().start, "a path below the root is wanted".into())) }
}

fn bad_glob(glob: &str, fault: &str) -> String {
    format!("`{}` is no glob: {fault}", cut(glob))
}

/// SHA-256 over texts that together are the configuration in force; none where there are none.
pub fn digest_of(parts: &[Vec<u8>]) -> Option<String> {
    let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
    (!parts.is_empty()).then(|| long_digest(&parts))
}
