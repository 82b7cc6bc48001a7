//! The exit codes, all of them.
//!
//! Only the decision; nothing is printed and no process ended here.

use crate::report::Report;
use crate::rule::Level;
use std::process::ExitCode;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Complete, and nothing at or above the level to fail on.
    Clean = 0,
    /// Findings at or above it.
    Findings = 1,
    /// Bad usage, a missing path, nothing to scan, a report that could not be written.
    Error = 2,
    /// Nothing at or above it, but something was not read.
    Incomplete = 3,
}

/// What makes a run fail.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// The lowest level that is a failure.
    pub fail_on: Level,
    /// Findings are no failure.
    pub exit_zero: bool,
    /// An incomplete scan is no failure.
    pub allow_incomplete: bool,
}

impl Exit {
    /// How a run that made `report` ends under `policy`.
    pub fn of(report: &Report, policy: Policy) -> Self {
        let fails = report.findings.iter().any(|finding| finding.new && !finding.inventory && finding.level >= policy.fail_on);
        if fails && !policy.exit_zero {
            Self::Findings
        } else if !fails && !report.complete() && !policy.allow_incomplete {
            Self::Incomplete
        } else {
            Self::Clean
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
