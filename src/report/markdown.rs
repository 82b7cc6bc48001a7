//! A summary in Markdown, as GitHub and GitLab show it beside a job.
//!
//! Whatever comes from a scanned file stands in a code span and is inert there. GitHub refuses a summary over 1 MiB
//! whole, so rows are left out, and counted, well before that.

use super::wording::{counts, keys, read, suppressed, title};
use super::{Report, escape};
use crate::finding::Finding;
use crate::rule::Rules;
use std::fmt::Write as _;
use std::io::{self, Write};

/// Bytes of all rows together.
const ROWS_BYTES_MAX: usize = 600 * 1024;
/// Rows of each smaller list.
const LINES_MAX: usize = 50;
/// Characters of one text.
const SPAN_MAX: usize = 1_000;
const HELP: &str = "https://github.com/ansalint/ansalint/blob/main/docs/rules.md";

/// Writes `report`.
pub fn write(report: &Report, rules: &Rules, out: &mut dyn Write) -> io::Result<()> {
    let aside = suppressed(report).map_or_else(String::new, |told| format!("; {told}"));
    writeln!(out, "## ansalint: {}\n", counts(report))?;
    writeln!(out, "{}; read {}{aside}.\n", keys(report), read(report))?;
    if !report.complete() {
        writeln!(out, "**Incomplete**: {} not read.\n", report.coverage.left_out.len())?;
    }
    table(report, rules, out)?;
    let unread = report.coverage.left_out.iter().map(|one| format!("{}: {}", one.path, one.reason));
    list("Not read", unread, out)?;
    let reminders = report.remarks.iter().cloned();
    list("Notes", reminders, out)?;
    let reasons = report.suppressed.iter().map(|one| {
        let why = one.suppression.reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
        format!("{} {} by {}{why}", one.finding.path, one.finding.code, one.suppression.by.phrase(1))
    });
    list("Suppressed", reasons, out)?;
    for advice in &report.advice {
        writeln!(out, "```text")?;
        advice.lines().try_for_each(|line| writeln!(out, "{}", escape(line).replace("```", "` ` `")))?;
        writeln!(out, "```\n")?;
    }
    Ok(())
}

fn table(report: &Report, rules: &Rules, out: &mut dyn Write) -> io::Result<()> {
    if report.findings.is_empty() {
        return Ok(());
    }
    writeln!(out, "| level | rule | where | side | key |\n|---|---|---|---|---|")?;
    let (mut bytes, mut shown) = (0, 0);
    let mut findings: Vec<&Finding> = report.findings.iter().collect();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.level));
    for finding in &findings {
        let row = row(finding, rules);
        bytes += row.len();
        if bytes > ROWS_BYTES_MAX {
            break;
        }
        shown += 1;
        writeln!(out, "{row}")?;
    }
    if shown < findings.len() {
        writeln!(out, "\n… and {} more; the JSON report has them all.", findings.len() - shown)?;
    }
    writeln!(out)
}

fn row(finding: &Finding, rules: &Rules) -> String {
    let code = &finding.code;
    let line = finding.places.first().map_or_else(String::new, |place| format!(":{}", place.start.line));
    let place = span(&format!("{}{line}", finding.path));
    let mut side = finding.side.as_str().to_owned();
    if let Some(reason) = finding.evidence.first() {
        // Writing to a `String` cannot fail.
        let _ = write!(side, ": {}", span(reason));
    }
    let key = finding.key.as_ref().map_or_else(
        || finding.subject.as_deref().map(span).unwrap_or_default(),
        |key| format!("{} {}", span(&key.masked), span(&key.fingerprint)),
    );
    let (level, title) = (finding.level.as_str(), title(finding, rules));
    let old = if finding.new { "" } else { ", not new" };
    format!("| {level}{old} | [{code}]({HELP}#{}) {title} | {place} | {side} | {key} |", code.to_lowercase())
}

fn list(name: &str, lines: impl ExactSizeIterator<Item = String>, out: &mut dyn Write) -> io::Result<()> {
    let total = lines.len();
    if total == 0 {
        return Ok(());
    }
    writeln!(out, "<details><summary>{name}: {total}</summary>\n")?;
    for line in lines.take(LINES_MAX) {
        writeln!(out, "- {}", span(&line))?;
    }
    if total > LINES_MAX {
        writeln!(out, "- and {} more", total - LINES_MAX)?;
    }
    writeln!(out, "\n</details>\n")
}

/// `text` in a code span that nothing in it ends; a table's own mark becomes a look-alike.
fn span(text: &str) -> String {
    let mut clean: String = escape(text).replace('|', "¦");
    if let Some((end, _)) = clean.char_indices().nth(SPAN_MAX) {
        clean.truncate(end);
        clean.push('…');
    }
    let longest = clean.split(|one| one != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    format!("{fence} {clean} {fence}")
}

#[cfg(test)]
mod tests {
    use super::span;

    #[test]
    fn nothing_leaves_its_span() {
        assert_eq!(span("a|b"), "` a¦b `");
        assert_eq!(span("`` ` @x"), "``` `` ` @x ```");
        assert_eq!(span("<img>\n"), "` <img>\\x0a `");
        assert!(span(&"x".repeat(5_000)).len() < 1_100);
    }
}
