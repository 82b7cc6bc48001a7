//! A JSON report read by what a test wants to know of it, and what no report may hold.

use crate::template::fingerprint;
use crate::workspace::{Run, Workspace};
use regex::Regex;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

/// A report, and how the run that wrote it ended.
pub struct Told {
    pub code: i32,
    pub report: Value,
}

impl Workspace {
    /// The report of a command.
    pub fn told(&self, args: &[&str]) -> Told {
        Told::of(&self.run(&[args, &["--format", "json"]].concat()))
    }

    /// The report of `history` on this folder.
    pub fn history(&self) -> Told {
        self.told(&["history", "."])
    }
}

impl Told {
    /// Of a run, which showed no key and no e-mail address.
    pub fn of(run: &Run) -> Self {
        check_silence(run);
        Self { code: run.code.expect("no signal"), report: run.json() }
    }

    /// Findings of a key, in the order of the report.
    pub fn findings(&self, key: &str) -> Vec<&Value> {
        let fingerprint = fingerprint(key);
        let findings = self.report["findings"].as_array().unwrap();
        findings.iter().filter(|finding| finding["key"]["fingerprint"] == fingerprint.as_str()).collect()
    }

    /// The only finding of a key.
    pub fn one(&self, key: &str) -> &Value {
        let findings = self.findings(key);
        assert_eq!(findings.len(), 1, "{:#}", self.report);
        findings[0]
    }

    /// The finding of a key at a path.
    pub fn at(&self, key: &str, path: &str) -> &Value {
        let findings = self.findings(key);
        findings.into_iter().find(|one| one["path"] == path).unwrap_or_else(|| panic!("{path}: {:#}", self.report))
    }

    pub fn has(&self, key: &str) -> bool {
        !self.findings(key).is_empty()
    }

    /// Paths at which a key was found.
    pub fn paths(&self, key: &str) -> Vec<String> {
        self.findings(key).iter().map(|finding| finding["path"].as_str().unwrap().to_owned()).collect()
    }

    /// Kinds of the places a key was found in.
    pub fn kinds(&self, key: &str) -> Vec<String> {
        self.findings(key).iter().map(|finding| finding["origin"]["kind"].as_str().unwrap().to_owned()).collect()
    }

    pub fn complete(&self) -> bool {
        self.report["complete"].as_bool().unwrap()
    }

    /// `path: reason` of each thing that was not read.
    pub fn left_out(&self) -> Vec<String> {
        let left_out = self.report["coverage"]["left_out"].as_array().unwrap();
        left_out.iter().map(|one| format!("{}: {}", text(&one["path"]), text(&one["reason"]))).collect()
    }

    /// Nothing found and nothing left out.
    pub fn assert_clean(&self) {
        assert_eq!((self.code, self.complete()), (0, true), "{:#}", self.report);
    }

    /// All was read, and what was found makes the run fail.
    pub fn assert_found(&self) {
        assert_eq!((self.code, self.complete()), (1, true), "{:#}", self.report);
    }

    /// Something that was not read has `part` in its path or its reason.
    pub fn assert_left_out(&self, part: &str) {
        assert!(self.left_out().iter().any(|one| one.contains(part)), "{part}: {:#}", self.report);
        assert!(!self.complete());
        assert!([1, 3].contains(&self.code));
    }
}

/// No key and no address is shown, whatever the format.
pub fn check_silence(run: &Run) {
    let key = Regex::new(r"ansa_(?:sk|cs)_(?:live|sandbox)_[A-Za-z0-9+/_-]{8}").unwrap();
    for text in [&run.stdout, &run.stderr] {
        assert!(!key.is_match(text), "a key is shown: {text}");
        assert!(!text.contains("example.invalid"), "an address is shown: {text}");
    }
}

/// In hex.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}

/// A string of a report.
pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Strings of a list in a report.
pub fn list(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(text).collect()
}
