//! Workflow commands that GitHub Actions turns into annotations.
//!
//! Escaped as github.com/actions/toolkit does it (`command.ts`). GitHub shows ten of a kind for a step; the rest is
//! counted. No line starts a command that is not meant.

use super::wording::{counts, sentence, suppressed, title};
use super::{Report, escape};
use crate::finding::Finding;
use crate::path::decode;
use crate::rule::{Level, Rules};
use std::io::{self, Write};

/// Annotations of one kind that GitHub shows for a step.
const SHOWN_MAX: usize = 10;

/// Writes the most serious new findings as annotations, and a line that counts all.
pub fn write(report: &Report, rules: &Rules, out: &mut dyn Write) -> io::Result<()> {
    let mut hidden = 0;
    for level in [Level::Error, Level::Warning, Level::Note] {
        // One of the ten is for what was not read.
        let taken = usize::from(level == Level::Warning && !report.complete());
        if taken > 0 {
            unread(report, out)?;
        }
        let is_meant = |finding: &&Finding| finding.level == level && finding.new && !finding.inventory;
        let mut all = report.findings.iter().filter(is_meant);
        for finding in all.by_ref().take(SHOWN_MAX - taken) {
            annotation(finding, rules, out)?;
        }
        hidden += all.count();
    }
    for line in report.remarks.iter().chain(&report.advice).flat_map(|text| text.lines()) {
        writeln!(out, "ansalint: {}", escape(line))?;
    }
    let old = report.findings.iter().filter(|finding| !finding.new).count();
    let old = if old > 0 { format!("; {old} not new") } else { String::new() };
    let more = if hidden > 0 { format!("; {hidden} not shown as annotations") } else { String::new() };
    let aside = suppressed(report).map_or_else(String::new, |told| format!("; {told}"));
    writeln!(out, "ansalint: {}{old}{aside}{more}", counts(report))
}

fn annotation(finding: &Finding, rules: &Rules, out: &mut dyn Write) -> io::Result<()> {
    let command = match finding.level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Note => "notice",
    };
    let mut properties = vec![format!("file={}", property(&file(&finding.path)))];
    if let Some(place) = finding.places.first() {
        properties.push(format!("line={},endLine={}", place.start.line, place.end.line));
        properties.push(format!("col={},endColumn={}", place.start.column, place.end.column));
    }
    properties.push(format!("title={}", property(&format!("{} {}", finding.code, title(finding, rules)))));
    let message = format!("{} Fingerprint {}.", sentence(finding), finding.fingerprint());
    writeln!(out, "::{command} {}::{}", properties.join(","), data(&message))
}

fn unread(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let left_out = &report.coverage.left_out;
    let named: Vec<String> = left_out
        .iter()
        .take(SHOWN_MAX)
        .map(|one| escape(&format!("{}: {}", one.path, one.reason)).into_owned())
        .collect();
    let message = format!("{} not read: {}", left_out.len(), named.join("; "));
    writeln!(out, "::warning title={}::{}", property("ansalint: the scan is incomplete"), data(&message))
}

/// The path as GitHub knows it: its own bytes, with line ends kept, and nothing else that could move a cursor.
fn file(path: &str) -> String {
    match String::from_utf8(decode(path)) {
        Ok(raw) => raw.split_inclusive(['\r', '\n']).map(keep_line_end).collect(),
        Err(_) => escape(path).into_owned(),
    }
}

fn keep_line_end(part: &str) -> String {
    let text = part.trim_end_matches(['\r', '\n']);
    format!("{}{}", escape(text), &part[text.len()..])
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
