//! What a person reads about one finding, in one sentence; the same in every format.
//!
//! Every sentence is escaped already.

use super::{Report, escape};
use crate::finding::Finding;
use crate::rule::{Level, Rules};

/// What is written where, and why that side.
pub fn sentence(finding: &Finding) -> String {
    let side = finding.side.as_str();
    let why = finding.evidence.first().map_or_else(String::new, |reason| format!(": {reason}"));
    let Some(key) = &finding.key else {
        let subject = finding.subject.as_deref().unwrap_or_default();
        return escape(&format!("`{subject}` stands here, in code of side {side}{why}.")).into_owned();
    };
    let what = format!("{} {} {}", key.environment.as_str(), key.kind.replace('-', " "), key.masked);
    escape(&format!("The {what} is written here, in code of side {side}{why}.")).into_owned()
}

/// The headline of a finding's rule.
pub fn title<'f>(finding: &'f Finding, rules: &'f Rules) -> &'f str {
    rules.finding(&finding.rule).map_or(finding.rule.as_str(), |rule| rule.title.as_str())
}

/// `2 errors, 1 warning`, or `nothing found`; with how many of them are not shown.
pub fn counts(report: &Report) -> String {
    let levels = [(Level::Error, "error"), (Level::Warning, "warning"), (Level::Note, "note")];
    let counts: Vec<String> = levels
        .into_iter()
        .map(|(level, word)| (report.count(level) as u64 + withheld(report, level), word))
        .filter(|(number, _)| *number > 0)
        .map(|(number, word)| count(number, word))
        .collect();
    let hidden: u64 = report.withheld.levels.values().sum();
    match hidden {
        _ if counts.is_empty() => "nothing found".to_owned(),
        0 => counts.join(", "),
        hidden => format!("{}; {hidden} of them only in history, and not shown", counts.join(", ")),
    }
}

fn withheld(report: &Report, level: Level) -> u64 {
    report.withheld.levels.get(&level).copied().unwrap_or_default()
}

/// `2 different keys`, shown or not.
pub fn keys(report: &Report) -> String {
    count(report.secrets() as u64 + report.withheld.secrets, "different key")
}

/// What does not count, and what keeps it from counting; nothing where everything counts.
pub fn suppressed(report: &Report) -> Option<String> {
    let mut all = report.suppressed_by();
    for (by, number) in &report.withheld.suppressed {
        *all.entry(*by).or_default() += number;
    }
    let told: Vec<String> = all.into_iter().map(|(by, number)| format!("{number} by {}", by.phrase(number))).collect();
    (!told.is_empty()).then(|| format!("suppressed {}", told.join(", ")))
}

/// `3 objects, 1 file`: what was read of either, and never that none of one was where the other was.
pub fn read(report: &Report) -> String {
    let (objects, files) = (report.coverage.objects, report.coverage.files);
    let told = [(objects, "object"), (files, "file")].into_iter().filter(|(number, _)| *number > 0);
    let told: Vec<String> = told.map(|(number, word)| count(number, word)).collect();
    if told.is_empty() { "nothing".to_owned() } else { told.join(", ") }
}

/// `1 file`, `2 files`, `2 git directories`.
pub fn count(number: u64, word: &str) -> String {
    match (number, word.strip_suffix('y')) {
        (1, _) => format!("1 {word}"),
        (_, Some(stem)) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{number} {stem}ies"),
        _ => format!("{number} {word}s"),
    }
}
