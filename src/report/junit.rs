//! `JUnit` XML, as test viewers of CI systems read it: a case for each finding.
//!
//! Well-formed XML 1.0 whatever a path is called: controls are escaped visibly before XML's own escapes.

use super::wording::{sentence, title};
use super::{Report, escape};
use crate::finding::{Finding, Suppression};
use crate::rule::{Level, Rules};
use std::io::{self, Write};

/// Writes `report` as one suite.
pub fn write(report: &Report, rules: &Rules, out: &mut dyn Write) -> io::Result<()> {
    let failures = report.findings.iter().filter(|finding| is_failure(finding)).count();
    let (errors, skipped) = (report.coverage.left_out.len(), report.suppressed.len());
    let cases = report.findings.len() + errors + skipped;
    // A suite without a case reads as one that did not run.
    let tests = cases.max(1);
    let counts = format!("tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\"");
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(out, "<testsuites name=\"ansalint\" {counts}>")?;
    writeln!(out, "  <testsuite name=\"ansalint {}\" {counts}>", attribute(&report.command))?;
    for finding in &report.findings {
        case(finding, rules, out)?;
    }
    for suppressed in &report.suppressed {
        skip(&suppressed.finding, &suppressed.suppression, rules, out)?;
    }
    for left_out in &report.coverage.left_out {
        let (path, reason) = (attribute(&left_out.path), attribute(&left_out.reason));
        writeln!(out, "    <testcase classname=\"not read\" name=\"{path}\">")?;
        writeln!(out, "      <error type=\"incomplete\" message=\"{reason}\"/>\n    </testcase>")?;
    }
    if cases == 0 {
        writeln!(out, "    <testcase classname=\"ansalint\" name=\"nothing found\"/>")?;
    }
    writeln!(out, "  </testsuite>\n</testsuites>")
}

fn is_failure(finding: &Finding) -> bool {
    finding.level > Level::Note && finding.new && !finding.inventory
}

fn open(finding: &Finding, rules: &Rules, out: &mut dyn Write) -> io::Result<()> {
    let line = finding.places.first().map(|place| place.start.line);
    let name = match line {
        Some(line) => format!("{}:{line} {}", finding.path, title(finding, rules)),
        None => format!("{} {}", finding.path, title(finding, rules)),
    };
    let line = line.map_or_else(String::new, |line| format!(" line=\"{line}\""));
    let (code, name, file) = (attribute(&finding.code), attribute(&name), attribute(&finding.path));
    writeln!(out, "    <testcase classname=\"{code}\" name=\"{name}\" file=\"{file}\"{line}>")
}

fn case(finding: &Finding, rules: &Rules, out: &mut dyn Write) -> io::Result<()> {
    open(finding, rules, out)?;
    let text = body(finding);
    if is_failure(finding) {
        let (level, message) = (finding.level.as_str(), attribute(&sentence(finding)));
        writeln!(out, "      <failure type=\"{level}\" message=\"{message}\">{text}</failure>")?;
    } else {
        writeln!(out, "      <system-out>{text}</system-out>")?;
    }
    writeln!(out, "    </testcase>")
}

fn skip(finding: &Finding, suppression: &Suppression, rules: &Rules, out: &mut dyn Write) -> io::Result<()> {
    open(finding, rules, out)?;
    let why = suppression.reason.as_deref().unwrap_or("known");
    let message = format!("suppressed by {}: {why}", suppression.by.phrase(1));
    writeln!(out, "      <skipped message=\"{}\"/>\n    </testcase>", attribute(&message))
}

/// The sentence, the evidence and the fingerprint, as text of an element.
fn body(finding: &Finding) -> String {
    let mut lines = vec![sentence(finding)];
    lines.extend(finding.evidence.iter().map(|evidence| escape(evidence).into_owned()));
    lines.push(format!("fingerprint {}", finding.fingerprint()));
    lines.iter().map(|line| attribute(line)).collect::<Vec<_>>().join("\n")
}

/// `text` as the value of an attribute, or as text.
fn attribute(text: &str) -> String {
    let mut value = String::with_capacity(text.len());
    for one in escape(text).chars() {
        match one {
            '&' => value.push_str("&amp;"),
            '<' => value.push_str("&lt;"),
            '>' => value.push_str("&gt;"),
            '"' => value.push_str("&quot;"),
            '\'' => value.push_str("&apos;"),
            // What XML 1.0 has no room for, if the escapes let any through.
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {}
            _ => value.push(one),
        }
    }
    value
}
