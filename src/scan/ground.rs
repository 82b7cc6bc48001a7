//! What surrounds the files of one target: the facts of their folders, and git's view of them.
//!
//! Asked only about files with a hit, except where only tracked files are wanted.

use super::Selection;
use super::decide::Standing;
use super::target::Target;
use crate::side::{Facts, Wanted};
use anyhow::Result;

/// The surroundings of one target.
pub(super) struct Ground {
    prefix: Vec<u8>,
    top_prefix: Vec<u8>,
}

impl Ground {
    pub fn new(target: &Target, _selection: Selection) -> Result<Self> {
        Ok(Self { prefix: target.prefix.clone(), top_prefix: Vec::new() })
    }

    /// Of standard input, which has none.
    pub const fn none() -> Self {
        Self { prefix: Vec::new(), top_prefix: Vec::new() }
    }

    /// What reports put before a path of this target.
    pub fn prefix(&self) -> &[u8] {
        &self.prefix
    }

    /// What facts put before a path of this target.
    pub fn top_prefix(&self) -> &[u8] {
        &self.top_prefix
    }

    pub fn head(&self) -> Option<String> {
        None
    }

    pub fn wants(&self, _path: &[u8]) -> bool {
        true
    }

    pub fn facts(&self, _wanted: &dyn Wanted, _path: &str) -> Facts {
        Facts::default()
    }

    pub fn standing(&self, _path: &[u8]) -> Standing {
        Standing::Kept
    }
}
