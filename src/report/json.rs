//! The JSON report, version 1; `schemas/ansalint-1.schema.json` is its public description.
//!
//! The serialised forms are private to this file: a change of the model does not change the report by accident.

use super::date;
use super::escape::Plain;
use super::{Coverage as Covered, LeftOut, Report, Withheld};
use crate::finding::{Event, Finding, History, Ignored, Place, Position, Suppressed, Suppression};
use crate::rule::Level;
use crate::side::Side;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::{self, Write};

/// Writes `report` as JSON, all of it, with a newline at the end.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut Plain(&mut *out), &Document::new(report))?;
    out.write_all(b"\n")
}

#[derive(Serialize)]
pub(super) struct Document<'r> {
    schema: &'static str,
    tool: Tool<'r>,
    command: &'r str,
    repository: Repository<'r>,
    complete: bool,
    coverage: Coverage<'r>,
    summary: Summary<'r>,
    pub(super) findings: Vec<FindingV1<'r>>,
    pub(super) suppressed: Vec<SuppressedV1<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ignored: Option<Vec<IgnoredV1<'r>>>,
    remarks: &'r [String],
}

#[derive(Serialize)]
struct Tool<'r> {
    name: &'static str,
    version: &'static str,
    rules_digest: &'r str,
    config_digest: Option<&'r str>,
}

#[derive(Serialize)]
struct Repository<'r> {
    id: Option<&'r str>,
    url: Option<&'r str>,
    head: Option<&'r str>,
}

#[derive(Serialize)]
struct Coverage<'r> {
    files: u64,
    objects: u64,
    bytes: u64,
    left_out: Vec<LeftOutV1<'r>>,
    skipped: &'r BTreeMap<String, u64>,
}

#[derive(Serialize)]
struct LeftOutV1<'r> {
    path: &'r str,
    reason: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    accepted: Option<&'r str>,
}

#[derive(Serialize)]
struct Summary<'r> {
    secrets: usize,
    findings: usize,
    error: usize,
    warning: usize,
    note: usize,
    suppressed: usize,
    suppressed_by: BTreeMap<&'static str, u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    withheld: Option<WithheldV1>,
    ignored: IgnoredCounts<'r>,
}

#[derive(Serialize)]
struct WithheldV1 {
    secrets: u64,
    error: u64,
    warning: u64,
    note: u64,
    suppressed_by: BTreeMap<&'static str, u64>,
}

#[derive(Serialize)]
struct IgnoredCounts<'r> {
    total: u64,
    by_class: &'r BTreeMap<String, u64>,
}

#[derive(Serialize)]
pub(super) struct FindingV1<'r> {
    id: String,
    code: &'r str,
    rule: &'r str,
    level: &'static str,
    new: bool,
    key: Option<Key<'r>>,
    subject: Option<&'r str>,
    side: SideV1<'r>,
    origin: OriginV1<'r>,
    path: &'r str,
    places: Vec<PlaceV1<'r>>,
    history: Option<HistoryV1<'r>>,
}

#[derive(Serialize)]
pub(super) struct SuppressedV1<'r> {
    #[serde(flatten)]
    finding: FindingV1<'r>,
    suppression: SuppressionV1<'r>,
}

#[derive(Serialize)]
struct SuppressionV1<'r> {
    by: &'static str,
    reason: Option<&'r str>,
    owner: Option<&'r str>,
    expires: Option<&'r str>,
}

#[derive(Serialize)]
struct Key<'r> {
    kind: &'r str,
    environment: &'static str,
    masked: &'r str,
    fingerprint: &'r str,
}

#[derive(Serialize)]
struct SideV1<'r> {
    value: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    overruled: Option<&'static str>,
    evidence: &'r [String],
}

#[derive(Serialize)]
struct OriginV1<'r> {
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    commit: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    blob: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refs: Option<&'r [String]>,
}

#[derive(Serialize)]
struct HistoryV1<'r> {
    introduced: Option<EventV1<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reintroduced: Option<EventV1<'r>>,
    removed: Option<EventV1<'r>>,
    at_head: bool,
    refs: &'r [String],
    refs_total: u64,
    reachable: bool,
    days_in_history: Option<u64>,
    paths_total: Option<u64>,
}

#[derive(Serialize)]
struct EventV1<'r> {
    commit: &'r str,
    date: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    author: Option<&'r str>,
}

#[derive(Serialize)]
struct PlaceV1<'r> {
    blob: Option<&'r str>,
    start: PositionV1,
    end: PositionV1,
    encoding: &'r [&'static str],
}

#[derive(Serialize)]
struct PositionV1 {
    line: u64,
    column: u64,
}

#[derive(Serialize)]
struct IgnoredV1<'r> {
    path: &'r str,
    position: PositionV1,
    class: &'r str,
    masked: &'r str,
}

impl<'r> Document<'r> {
    pub(super) fn new(report: &'r Report) -> Self {
        let coverage = &report.coverage;
        Self {
            schema: "ansalint/1",
            tool: Tool {
                name: "ansalint",
                version: env!("CARGO_PKG_VERSION"),
                rules_digest: &report.rules_digest,
                config_digest: report.config_digest.as_deref(),
            },
            command: &report.command,
            repository: Repository { id: None, url: None, head: report.repository.head.as_deref() },
            complete: report.complete(),
            coverage: Coverage {
                files: coverage.files,
                objects: coverage.objects,
                bytes: coverage.bytes,
                left_out: left_out(coverage),
                skipped: &coverage.skipped,
            },
            summary: Summary::new(report),
            findings: report.findings.iter().map(FindingV1::new).collect(),
            suppressed: report.suppressed.iter().map(SuppressedV1::new).collect(),
            ignored: report.ignored.as_ref().map(|ignored| ignored.iter().map(IgnoredV1::new).collect()),
            remarks: &report.remarks,
        }
    }
}

/// What was not read, sorted, accepted or not.
fn left_out(coverage: &Covered) -> Vec<LeftOutV1<'_>> {
    let open = coverage.left_out.iter().map(|left_out| LeftOutV1::new(left_out, None));
    let accepted = coverage.accepted.iter().map(|(left_out, why)| LeftOutV1::new(left_out, Some(why)));
    let mut all: Vec<_> = open.chain(accepted).collect();
    all.sort_by_key(|left_out| (left_out.path, left_out.reason));
    all
}

impl<'r> LeftOutV1<'r> {
    fn new(left_out: &'r LeftOut, accepted: Option<&'r str>) -> Self {
        Self { path: &left_out.path, reason: &left_out.reason, accepted }
    }
}

impl<'r> SuppressedV1<'r> {
    fn new(suppressed: &'r Suppressed) -> Self {
        let Suppression { by, reason, owner, expires } = &suppressed.suppression;
        Self {
            finding: FindingV1::new(&suppressed.finding),
            suppression: SuppressionV1 {
                by: by.as_str(),
                reason: reason.as_deref(),
                owner: owner.as_deref(),
                expires: expires.as_deref(),
            },
        }
    }
}

impl WithheldV1 {
    fn new(withheld: &Withheld) -> Self {
        let of = |level| withheld.levels.get(&level).copied().unwrap_or_default();
        Self {
            secrets: withheld.secrets,
            error: of(Level::Error),
            warning: of(Level::Warning),
            note: of(Level::Note),
            suppressed_by: withheld.suppressed.iter().map(|(by, count)| (by.as_str(), *count)).collect(),
        }
    }
}

impl<'r> Summary<'r> {
    fn new(report: &'r Report) -> Self {
        Self {
            secrets: report.secrets(),
            findings: report.findings.len(),
            error: report.count(Level::Error),
            warning: report.count(Level::Warning),
            note: report.count(Level::Note),
            suppressed: report.suppressed.len(),
            suppressed_by: report.suppressed_by().into_iter().map(|(by, count)| (by.as_str(), count)).collect(),
            withheld: (report.withheld != Withheld::default()).then(|| WithheldV1::new(&report.withheld)),
            ignored: IgnoredCounts {
                total: report.ignored_by_class.values().sum(),
                by_class: &report.ignored_by_class,
            },
        }
    }
}

impl<'r> FindingV1<'r> {
    fn new(finding: &'r Finding) -> Self {
        Self {
            id: finding.id(),
            code: &finding.code,
            rule: &finding.rule,
            level: finding.level.as_str(),
            new: finding.new,
            key: finding.key.as_ref().map(|key| Key {
                kind: &key.kind,
                environment: key.environment.as_str(),
                masked: &key.masked,
                fingerprint: &key.fingerprint,
            }),
            subject: finding.subject.as_deref(),
            side: SideV1 {
                value: finding.side.as_str(),
                overruled: finding.overruled.map(Side::as_str),
                evidence: &finding.evidence,
            },
            origin: OriginV1::new(finding),
            path: &finding.path,
            places: finding.places.iter().map(PlaceV1::new).collect(),
            history: finding.history.as_ref().map(HistoryV1::new),
        }
    }
}

impl<'r> OriginV1<'r> {
    fn new(finding: &'r Finding) -> Self {
        let blob = finding.places.first().and_then(|place| place.blob.as_deref());
        Self {
            kind: finding.origin.as_str(),
            commit: finding.commit.as_deref(),
            blob: blob.filter(|_| finding.commit.as_deref() != blob),
            refs: finding.history.as_ref().map(|history| history.refs.as_slice()),
        }
    }
}

impl<'r> HistoryV1<'r> {
    fn new(history: &'r History) -> Self {
        Self {
            introduced: history.introduced.as_ref().map(EventV1::new),
            reintroduced: history.reintroduced.as_ref().map(EventV1::new),
            removed: history.removed.as_ref().map(EventV1::new),
            at_head: history.at_head,
            refs: &history.refs,
            refs_total: history.refs_total,
            reachable: history.reachable,
            days_in_history: history.days,
            paths_total: history.paths_total,
        }
    }
}

impl<'r> EventV1<'r> {
    fn new(event: &'r Event) -> Self {
        Self { commit: &event.commit, date: date(event.time), author: event.author.as_deref() }
    }
}

impl<'r> PlaceV1<'r> {
    fn new(place: &'r Place) -> Self {
        Self {
            blob: place.blob.as_deref(),
            start: place.start.into(),
            end: place.end.into(),
            encoding: &place.encoding,
        }
    }
}

impl From<Position> for PositionV1 {
    fn from(position: Position) -> Self {
        Self { line: position.line, column: position.column }
    }
}

impl<'r> IgnoredV1<'r> {
    fn new(ignored: &'r Ignored) -> Self {
        let position = ignored.position.into();
        Self { path: &ignored.path, position, class: &ignored.class, masked: &ignored.masked }
    }
}
