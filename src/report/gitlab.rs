//! GitLab's secret detection report, schema 15.2.1.
//!
//! The schema asks for a commit with every finding, found in a tree or not, and for the time of the scan.

use super::escape::Plain;
use super::wording::{sentence, suppressed, title};
use super::{Report, date, escape};
use crate::finding::Finding;
use crate::path::decode;
use crate::rule::{FindingRule, Level, Rules};
use serde_json::{Value, json};
use std::io::{self, Write};

const SCHEMA: &str = "https://gitlab.com/gitlab-org/security-products/security-report-schemas/-/raw/v15.2.1/dist/secret-detection-report-format.json";
const VERSION: &str = "15.2.1";
/// Where no commit is known.
const NO_COMMIT: &str = "0000000000000000000000000000000000000000";
/// Messages of a kind.
const MESSAGES_MAX: usize = 100;
/// Characters that the schema allows a solution.
const SOLUTION_MAX: usize = 7_000;

/// Writes `report`, made at `now`, in seconds since 1970.
pub fn write(report: &Report, rules: &Rules, now: i64, out: &mut dyn Write) -> io::Result<()> {
    let tool = json!({
        "id": "ansalint",
        "name": "ansalint",
        "version": env!("CARGO_PKG_VERSION"),
        "vendor": {"name": "ansalint"},
        "url": env!("CARGO_PKG_REPOSITORY"),
    });
    let time = date(now).trim_end_matches('Z').to_owned();
    let counting = report.findings.iter().filter(|finding| !finding.inventory);
    let document = json!({
        "schema": SCHEMA,
        "version": VERSION,
        "scan": {
            "analyzer": tool,
            "scanner": tool,
            "type": "secret_detection",
            "status": "success",
            "start_time": time,
            "end_time": time,
            "messages": messages(report),
        },
        "vulnerabilities": counting.map(|finding| vulnerability(finding, report, rules)).collect::<Vec<_>>(),
    });
    serde_json::to_writer_pretty(&mut Plain(&mut *out), &document)?;
    out.write_all(b"\n")
}

fn messages(report: &Report) -> Vec<Value> {
    let left_out = &report.coverage.left_out;
    let told = left_out
        .iter()
        .take(MESSAGES_MAX)
        .map(|one| escape(&format!("Not read: {}: {}", one.path, one.reason)).into_owned());
    let more = left_out.len().saturating_sub(MESSAGES_MAX);
    let more = (more > 0).then(|| format!("{more} more were not read"));
    let warnings = told.chain(more).map(|value| json!({"level": "warn", "value": value}));
    let remarks = report.remarks.iter().take(MESSAGES_MAX).map(|remark| escape(remark).into_owned());
    let infos = suppressed(report).into_iter().chain(remarks).map(|value| json!({"level": "info", "value": value}));
    warnings.chain(infos).collect()
}

fn vulnerability(finding: &Finding, report: &Report, rules: &Rules) -> Value {
    let rule = rules.finding(&finding.rule);
    let commit = finding.commit.as_ref().or(report.repository.head.as_ref());
    let mut location = json!({
        "file": file(&finding.path),
        "commit": {"sha": commit.map_or(NO_COMMIT, String::as_str)},
    });
    if let Some(place) = finding.places.first() {
        location["start_line"] = place.start.line.into();
        location["end_line"] = place.end.line.into();
    }
    json!({
        "id": finding.id(),
        "name": title(finding, rules),
        "description": sentence(finding),
        "severity": severity(finding, rule),
        "solution": rule.map_or("", |rule| rule.help.trim()).chars().take(SOLUTION_MAX).collect::<String>(),
        "identifiers": [{
            "type": "ansalint_rule_id",
            "name": format!("ansalint {}", finding.code),
            "value": finding.code,
        }],
        "location": location,
        "details": {
            "side": {"type": "text", "name": "Side", "value": finding.side.as_str()},
            "fingerprint": {"type": "text", "name": "Fingerprint of the key", "value": finding.fingerprint()},
        },
    })
}

/// The path as GitLab knows it, where it is text.
fn file(path: &str) -> String {
    String::from_utf8(decode(path)).unwrap_or_else(|_| path.to_owned())
}

/// By the rule's own severity, where the level was not lowered.
fn severity(finding: &Finding, rule: Option<&FindingRule>) -> &'static str {
    let grade = rule.zip(finding.key.as_ref()).map(|(rule, key)| rule.grade(key.environment));
    let own = grade.filter(|grade| grade.level == finding.level).and_then(|grade| grade.severity.as_ref());
    match (own.and_then(|text| text.parse::<f32>().ok()), finding.level) {
        (Some(9.0..), _) => "Critical",
        (Some(7.0..), _) | (None, Level::Error) => "High",
        (Some(4.0..), _) | (None, Level::Warning) => "Medium",
        (Some(_), _) => "Low",
        (None, Level::Note) => "Info",
    }
}
