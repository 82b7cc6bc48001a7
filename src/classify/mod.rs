//! Which side a key's code is on, with evidence.
//!
//! Pure: works on the text, the path and the facts it is given.

use crate::rule::RuleError;
use crate::side::{Facts, Judgement, Side, Wanted};

/// What is judged: one key in one text.
pub struct Subject<'a> {
    /// Path below the top of the tree the facts describe, with `/`.
    pub path: &'a str,
    /// The text around the key: all of a small file, a window of a large one. UTF-16 comes decoded.
    pub text: &'a [u8],
    /// Byte range of the key in `text`.
    pub key: std::ops::Range<usize>,
}

/// The compiled side rules.
pub struct Classifier {}

impl Classifier {
    /// Compiles side rules: file name and TOML text each.
    pub fn new(_sides: &[(String, String)]) -> Result<Self, RuleError> {
        Ok(Self {})
    }

    /// The side of `subject`, and why.
    pub fn judge(&self, _subject: &Subject<'_>, _facts: &Facts) -> Judgement {
        Judgement { side: Side::Unknown, evidence: vec![], public_variable: None }
    }
}

impl Wanted for Classifier {
    fn is_manifest(&self, _name: &str) -> bool {
        false
    }
    fn nested(&self) -> &[String] {
        &[]
    }
}
