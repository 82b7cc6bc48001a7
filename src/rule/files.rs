//! The texts of the rules: embedded in the binary, or read from a folder by whoever starts the program.
//!
//! Parses TOML and points at the fault; what the rules mean is the parent module's.

use crate::secret::hex;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};
use std::fmt;

/// The texts of all rule files.
#[derive(Clone, Debug)]
pub struct RuleFiles {
    /// `keys.toml`.
    pub keys: String,
    /// `placeholders.toml`.
    pub placeholders: String,
    /// `findings.toml`.
    pub findings: String,
    /// `calls.toml`.
    pub calls: String,
    /// `sides/*.toml`: file name and text, sorted by name.
    pub sides: Vec<(String, String)>,
}

/// Side rules as the build found them.
const SIDES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/sides.rs"));

impl RuleFiles {
    /// The rules this program was built with.
    pub fn embedded() -> Self {
        Self {
            keys: include_str!("../../rules/keys.toml").into(),
            placeholders: include_str!("../../rules/placeholders.toml").into(),
            findings: include_str!("../../rules/findings.toml").into(),
            calls: include_str!("../../rules/calls.toml").into(),
            sides: SIDES.iter().map(|&(name, text)| (name.into(), text.into())).collect(),
        }
    }

    /// Parses `text`, the content of the rule file `name`.
    pub fn parse<T: DeserializeOwned>(name: &str, text: &str) -> Result<T, RuleError> {
        toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start.min(text.len()));
            let before = &text.as_bytes()[..at];
            let line = memchr::memchr_iter(b'\n', before).count() + 1;
            let column = before.len() - memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1) + 1;
            RuleError::new(&format!("{name}:{line}:{column}"), error.message().to_owned())
        })
    }

    /// SHA-256 over every text, 64 hexadecimal digits.
    pub fn digest(&self) -> String {
        let mut hasher = Sha256::new();
        let sides = self.sides.iter().map(|(_, text)| text);
        for text in [&self.keys, &self.placeholders, &self.findings, &self.calls].into_iter().chain(sides) {
            hasher.update(text.len().to_le_bytes());
            hasher.update(text);
        }
        hex(&hasher.finalize())
    }
}

/// A rule file that cannot be used.
#[derive(Debug)]
pub struct RuleError {
    place: String,
    message: String,
}

impl RuleError {
    /// `place` is a file name, with line and column where known.
    pub fn new(place: &str, message: String) -> Self {
        Self { place: place.into(), message }
    }
}

impl fmt::Display for RuleError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "rules: {}: {}", self.place, self.message)
    }
}

impl std::error::Error for RuleError {}
