//! JSON lines: each finding on a line of its own, then one line with everything else.
//!
//! A line is what the JSON report has for a finding, with a `type` before it.

use super::Report;
use super::escape::Plain;
use super::json::{Document, FindingV1, SuppressedV1};
use serde::Serialize;
use std::io::{self, Write};

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Line<'l, 'r> {
    Finding(&'l FindingV1<'r>),
    Suppressed(&'l SuppressedV1<'r>),
    Report(&'l Document<'r>),
}

/// Writes `report`; the last line is the report with its lists of findings empty.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let mut document = Document::new(report);
    let findings = std::mem::take(&mut document.findings);
    let suppressed = std::mem::take(&mut document.suppressed);
    findings.iter().try_for_each(|finding| line(&Line::Finding(finding), out))?;
    suppressed.iter().try_for_each(|one| line(&Line::Suppressed(one), out))?;
    line(&Line::Report(&document), out)
}

fn line(line: &Line<'_, '_>, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(&mut Plain(&mut *out), line)?;
    out.write_all(b"\n")
}
