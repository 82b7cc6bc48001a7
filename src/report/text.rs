//! The report for people: excerpts with the key masked, the side and why, what to do now, and a summary line.
//!
//! Everything that comes from a scanned file is escaped before it is laid out; no scanned byte moves a cursor.

use super::wording::{self, count, counts};
use super::{Report, escape, timeline};
use crate::finding::{Excerpt, Finding, Position, Suppressed};
use crate::rule::{Level, Rules};
use annotate_snippets::{AnnotationKind, Element, Level as Mark, Message, Renderer, Snippet};
use std::collections::BTreeSet;
use std::io::{self, Write};
use std::ops::Range;

/// Findings shown; the rest is counted.
const FINDINGS_MAX: usize = 500;
/// Paths listed of what was not read, and of what git ignores.
const PATHS_MAX: usize = 20;
/// Lines named of further places.
const PLACES_MAX: usize = 5;
/// Further findings of one key in a history that get a line each.
const OCCURRENCES_MAX: usize = 20;
/// Columns an excerpt may take; excerpts are cut to less when they are made.
const WIDTH: usize = 240;

/// How to lay a report out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextStyle {
    /// Whether to colour.
    pub colour: bool,
    /// Findings alone.
    pub quiet: bool,
}

/// Writes `report` for people.
pub fn write(report: &Report, rules: &Rules, style: TextStyle, out: &mut dyn Write) -> io::Result<()> {
    let renderer = if style.colour { Renderer::styled() } else { Renderer::plain() }.term_width(WIDTH);
    let (folded, shown): (Vec<&Finding>, Vec<&Finding>) =
        report.findings.iter().partition(|finding| is_folded(finding));
    let mut explained = BTreeSet::new();
    // In a history, one secret is told of once, with the other places it stood at.
    let is_history = report.findings.iter().any(|finding| finding.history.is_some());
    let is_same = |one: &&Finding, other: &&Finding| is_history && one.fingerprint() == other.fingerprint();
    for same in shown[..shown.len().min(FINDINGS_MAX)].chunk_by(is_same) {
        let Some((finding, others)) = same.split_first() else { continue };
        let is_first = explained.insert(&finding.rule);
        let laid_out = renderer.render(&[group(finding, others, rules, (is_first, &report.command))]);
        let (title, rest) = laid_out.split_once('\n').unwrap_or((&laid_out, ""));
        writeln!(out, "{title}\n{}\n{rest}\n", origin(finding, style.colour))?;
    }
    if shown.len() > FINDINGS_MAX {
        writeln!(out, "… and {} more findings; --format json has them all\n", shown.len() - FINDINGS_MAX)?;
    }
    if style.quiet {
        return Ok(());
    }
    ignored_by_git(&folded, out)?;
    rejected(report, out)?;
    suppressed(report, out)?;
    unread(report, out)?;
    for remark in &report.remarks {
        writeln!(out, "note: {}", escape(remark))?;
    }
    for advice in &report.advice {
        writeln!(out)?;
        advice.lines().try_for_each(|line| writeln!(out, "{}", escape(line)))?;
        writeln!(out)?;
    }
    writeln!(out, "{}", summary(report))
}

/// Notes about files where a server key belongs are told in one line together.
fn is_folded(finding: &Finding) -> bool {
    finding.git_ignored && finding.level == Level::Note
}

fn group<'f>(
    finding: &'f Finding,
    others: &[&Finding],
    rules: &'f Rules,
    (is_first, command): (bool, &str),
) -> annotate_snippets::Group<'f> {
    let mark = match finding.level {
        Level::Note => Mark::NOTE,
        Level::Warning => Mark::WARNING,
        Level::Error => Mark::ERROR,
    };
    let rule = rules.finding(&finding.rule);
    let title = rule.map_or(finding.rule.as_str(), |rule| rule.title.as_str());
    let title = mark.primary_title(title).id(&finding.code);
    let mut group = annotate_snippets::Group::with_title(title);
    if let (Some(excerpt), Some(place)) = (&finding.excerpt, finding.places.first()) {
        group = group.element(snippet(excerpt, place.start.line, label(finding, rules)));
    }
    group = group.element(told("side", &side(finding)));
    if !finding.new {
        group = group.element(told("not new", "it was there before this change, and does not make it fail"));
    }
    if let Some(history) = &finding.history {
        let lines: Vec<_> = timeline::lines(history, command).iter().map(|line| escape(line).into_owned()).collect();
        group = group.element(told("history", &lines.join("\n")));
    }
    if let Some(more) = further(finding) {
        group = group.element(told("also", &more));
    }
    if !others.is_empty() {
        group = group.element(told("other occurrences", &occurrences(others)));
    }
    if let Some(key) = &finding.key {
        group = group.element(told("key", &format!("{}, fingerprint {}", key.masked, key.fingerprint)));
    }
    match rule {
        Some(rule) if is_first => group.element(told("do now", rule.help.trim())),
        _ => group.element(told("do now", &format!("as for {} above", finding.code))),
    }
}

/// `--> path:line:column`, on one line whatever the path. The layout crate would count columns in the cut excerpt.
fn origin(finding: &Finding, colour: bool) -> String {
    let place = finding.places.first().map(|place| place.start);
    let indent = place.map_or(0, |start| start.line.to_string().len());
    let position = place.map_or_else(String::new, |start| format!(":{}:{}", start.line, start.column));
    let arrow = if colour { "\u{1b}[1m\u{1b}[94m-->\u{1b}[0m" } else { "-->" };
    format!("{:indent$}{arrow} {}{position}", "", escape(&finding.path))
}

fn snippet(excerpt: &Excerpt, line: u64, label: String) -> Element<'static> {
    let (text, key) = printable(excerpt);
    let annotation = AnnotationKind::Primary.span(key).label(label);
    Snippet::source(text).line_start(usize::try_from(line).unwrap_or(usize::MAX)).annotation(annotation).into()
}

/// The excerpt as it may be printed, and where the key stands in it.
fn printable(excerpt: &Excerpt) -> (String, Range<usize>) {
    let clean = |part: &str| escape(&part.replace('\t', "    ")).into_owned();
    let mut text = String::from(if excerpt.cut_before { "…" } else { "" });
    text.push_str(&clean(&excerpt.text[..excerpt.key.start]));
    let start = text.len();
    text.push_str(&clean(&excerpt.text[excerpt.key.clone()]));
    let end = text.len();
    text.push_str(&clean(&excerpt.text[excerpt.key.end..]));
    text.push_str(if excerpt.cut_after { "…" } else { "" });
    (text, start..end)
}

fn label(finding: &Finding, rules: &Rules) -> String {
    let Some(key) = &finding.key else {
        return finding.subject.as_deref().map(escape).unwrap_or_default().into_owned();
    };
    let kind = rules.keys.kind.iter().find(|kind| kind.name == key.kind);
    format!("{} {}", key.environment.as_str(), kind.map_or(key.kind.as_str(), |kind| kind.title.as_str()))
}

fn side(finding: &Finding) -> String {
    let sentences = finding.evidence.iter().map(|sentence| escape(sentence));
    std::iter::once(finding.side.as_str().into()).chain(sentences).collect::<Vec<_>>().join("\n")
}

fn occurrences(others: &[&Finding]) -> String {
    let mut lines: Vec<String> = others
        .iter()
        .take(OCCURRENCES_MAX)
        .map(|finding| escape(&timeline::occurrence(finding)).into_owned())
        .collect();
    if others.len() > OCCURRENCES_MAX {
        lines.push(format!("{} more", others.len() - OCCURRENCES_MAX));
    }
    lines.join("\n")
}

fn further(finding: &Finding) -> Option<String> {
    let first = finding.places.first()?.start;
    // A file on disk and the same in a commit have places of their own, and people one.
    let rest: BTreeSet<Position> =
        finding.places.iter().map(|place| place.start).filter(|start| *start != first).collect();
    if rest.is_empty() {
        return None;
    }
    let mut lines: Vec<String> =
        rest.iter().take(PLACES_MAX).map(|start| format!("{}:{}", start.line, start.column)).collect();
    if rest.len() > PLACES_MAX {
        lines.push(format!("{} more", rest.len() - PLACES_MAX));
    }
    Some(format!("at {}", lines.join(", ")))
}

fn told(name: &'static str, text: &str) -> Message<'static> {
    Mark::NOTE.with_name(name).message(text.to_owned())
}

fn ignored_by_git(folded: &[&Finding], out: &mut dyn Write) -> io::Result<()> {
    if folded.is_empty() {
        return Ok(());
    }
    let paths: BTreeSet<&str> = folded.iter().map(|finding| finding.path.as_str()).collect();
    let shown: Vec<_> = paths.iter().take(PATHS_MAX).map(|path| escape(path)).collect();
    let more = if paths.len() > PATHS_MAX { format!(", and {} more", paths.len() - PATHS_MAX) } else { String::new() };
    let keys = count(folded.len() as u64, "key");
    writeln!(out, "note: {keys} in files that git ignores and does not track: {}{more}", shown.join(", "))
}

fn rejected(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    for ignored in report.ignored.iter().flatten() {
        let place = format!("{}:{}:{}", ignored.path, ignored.position.line, ignored.position.column);
        writeln!(out, "ignored: {}: {} ({})", escape(&place), escape(&ignored.masked), ignored.class)?;
    }
    Ok(())
}

/// The findings that do not count, where everything is asked for.
fn suppressed(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let asked = report.suppressed.iter().filter(|_| report.ignored.is_some());
    for Suppressed { finding, suppression } in asked {
        let place = finding.places.first().map_or_else(String::new, |place| format!(":{}", place.start.line));
        let masked = finding.key.as_ref().map_or("", |key| key.masked.as_str());
        let why = suppression.reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
        let line = format!("{}{place}: {} {masked} by {}{why}", finding.path, finding.code, suppression.by.as_str());
        writeln!(out, "suppressed: {}", escape(&line))?;
    }
    Ok(())
}

fn unread(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let left_out = &report.coverage.left_out;
    for one in left_out.iter().take(PATHS_MAX) {
        writeln!(out, "not read: {}: {}", escape(&one.path), escape(&one.reason))?;
    }
    if left_out.len() > PATHS_MAX {
        writeln!(out, "not read: {} more; --format json has them all", left_out.len() - PATHS_MAX)?;
    }
    for (one, why) in report.coverage.accepted.iter().take(PATHS_MAX) {
        writeln!(out, "not read, and accepted ({}): {}: {}", escape(why), escape(&one.path), escape(&one.reason))?;
    }
    Ok(())
}

/// The last line: findings, keys, what was read, and what was not.
fn summary(report: &Report) -> String {
    let found = if report.findings.is_empty() && report.withheld.levels.is_empty() {
        counts(report)
    } else {
        format!("{} ({})", counts(report), wording::keys(report))
    };
    let mut parts = vec![found];
    let bytes = report.coverage.bytes;
    parts.push(format!(
        "read {}{}",
        wording::read(report),
        if bytes > 0 { ", ".to_owned() + &size(bytes) } else { String::new() }
    ));
    let rejected: u64 = report.ignored_by_class.values().sum();
    if rejected > 0 {
        parts.push(count(rejected, "placeholder"));
    }
    let skipped: Vec<String> =
        report.coverage.skipped.iter().map(|(what, number)| count(*number, &what.replace('-', " "))).collect();
    if !skipped.is_empty() {
        parts.push(format!("skipped {}", skipped.join(", ")));
    }
    parts.extend(wording::suppressed(report));
    if !report.complete() {
        parts.push(format!("INCOMPLETE: {} not read", report.coverage.left_out.len()));
    }
    parts.join("; ")
}

fn size(bytes: u64) -> String {
    let tenths = |unit: u64| format!("{}.{}", bytes / unit, bytes % unit * 10 / unit);
    match bytes {
        0..1_024 => count(bytes, "byte"),
        1_024..1_048_576 => format!("{} KiB", tenths(1 << 10)),
        1_048_576..1_073_741_824 => format!("{} MiB", tenths(1 << 20)),
        _ => format!("{} GiB", tenths(1 << 30)),
    }
}
