//! Reads a stored JSON report, version 1, and joins several.
//!
//! What is read came from a file and is trusted no more than a scanned one: unknown words are faults, and texts are
//! escaped again when they are written. Excerpts and hashes of lines are not stored, and so not restored.

use super::{Coverage, LeftOut, Report, Repository, Withheld};
use crate::blob::Origin;
use crate::finding::{Event, Finding, History, Ignored, Key, Place, Position, Silencer, Suppressed, Suppression};
use crate::rule::{Environment, Level};
use crate::side::Side;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

/// Different names of encodings that are kept in memory.
const ENCODINGS_MAX: usize = 1_000;

#[derive(Deserialize)]
struct Document {
    schema: String,
    tool: Tool,
    command: String,
    repository: Stored,
    coverage: Covered,
    summary: Summary,
    findings: Vec<FindingV1>,
    #[serde(default)]
    suppressed: Vec<FindingV1>,
    ignored: Option<Vec<IgnoredV1>>,
    #[serde(default)]
    remarks: Vec<String>,
}

#[derive(Deserialize)]
struct Tool {
    rules_digest: String,
    config_digest: Option<String>,
}

#[derive(Deserialize)]
struct Stored {
    head: Option<String>,
}

#[derive(Deserialize)]
struct Covered {
    files: u64,
    objects: u64,
    bytes: u64,
    left_out: Vec<LeftOutV1>,
    skipped: BTreeMap<String, u64>,
}

#[derive(Deserialize)]
struct LeftOutV1 {
    path: String,
    reason: String,
    accepted: Option<String>,
}

#[derive(Deserialize)]
struct Summary {
    withheld: Option<WithheldV1>,
    ignored: Counts,
}

#[derive(Deserialize)]
struct WithheldV1 {
    secrets: u64,
    error: u64,
    warning: u64,
    note: u64,
    suppressed_by: BTreeMap<String, u64>,
}

#[derive(Deserialize)]
struct Counts {
    by_class: BTreeMap<String, u64>,
}

#[derive(Deserialize)]
struct FindingV1 {
    code: String,
    rule: String,
    level: Level,
    new: bool,
    key: Option<KeyV1>,
    subject: Option<String>,
    side: SideV1,
    origin: OriginV1,
    path: String,
    places: Vec<PlaceV1>,
    history: Option<HistoryV1>,
    suppression: Option<SuppressionV1>,
}

#[derive(Deserialize)]
struct KeyV1 {
    kind: String,
    environment: Environment,
    masked: String,
    fingerprint: String,
}

#[derive(Deserialize)]
struct SideV1 {
    value: Side,
    overruled: Option<Side>,
    evidence: Vec<String>,
}

#[derive(Deserialize)]
struct OriginV1 {
    kind: String,
    commit: Option<String>,
}

#[derive(Deserialize)]
struct PlaceV1 {
    blob: Option<String>,
    start: PositionV1,
    end: PositionV1,
    encoding: Vec<String>,
}

#[derive(Deserialize)]
struct PositionV1 {
    line: u64,
    column: u64,
}

#[derive(Deserialize)]
struct HistoryV1 {
    introduced: Option<EventV1>,
    reintroduced: Option<EventV1>,
    removed: Option<EventV1>,
    at_head: bool,
    refs: Vec<String>,
    refs_total: u64,
    reachable: bool,
    days_in_history: Option<u64>,
    paths_total: Option<u64>,
}

#[derive(Deserialize)]
struct EventV1 {
    commit: String,
    date: String,
    author: Option<String>,
}

#[derive(Deserialize)]
struct SuppressionV1 {
    by: String,
    reason: Option<String>,
    owner: Option<String>,
    expires: Option<String>,
}

#[derive(Deserialize)]
struct IgnoredV1 {
    path: String,
    position: PositionV1,
    class: String,
    masked: String,
}

/// The report in `bytes`.
///
/// # Errors
/// A short sentence that repeats nothing of them.
pub fn read(bytes: &[u8]) -> Result<Report, String> {
    let document: Document = serde_json::from_slice(bytes).map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        match error.classify() {
            serde_json::error::Category::Data => format!("{place}: this is no report that ansalint wrote"),
            _ => format!("{place}: this is no JSON"),
        }
    })?;
    if document.schema != "ansalint/1" {
        return Err("not a report of version 1 (`\"schema\": \"ansalint/1\"`)".into());
    }
    let mut coverage = Coverage {
        files: document.coverage.files,
        objects: document.coverage.objects,
        bytes: document.coverage.bytes,
        skipped: document.coverage.skipped,
        ..Coverage::default()
    };
    for LeftOutV1 { path, reason, accepted } in document.coverage.left_out {
        let left_out = LeftOut { path, reason };
        match accepted {
            Some(why) => coverage.accepted.push((left_out, why)),
            None => coverage.left_out.push(left_out),
        }
    }
    let suppressed = document.suppressed.into_iter().map(suppressed).collect::<Result<_, _>>()?;
    let findings = document.findings.into_iter().map(finding).collect::<Result<_, _>>()?;
    let ignored = document.ignored.map(|all| all.into_iter().map(Ignored::from).collect());
    Ok(Report {
        command: document.command,
        rules_digest: document.tool.rules_digest,
        config_digest: document.tool.config_digest,
        repository: Repository { head: document.repository.head },
        coverage,
        findings,
        suppressed,
        withheld: document.summary.withheld.map(withheld).transpose()?.unwrap_or_default(),
        ignored_by_class: document.summary.ignored.by_class,
        ignored,
        remarks: document.remarks,
        advice: Vec::new(),
    })
}

fn finding(stored: FindingV1) -> Result<Finding, String> {
    let places = stored.places.into_iter().map(place).collect::<Result<_, _>>()?;
    let git_ignored =
        stored.side.evidence.iter().any(|sentence| sentence.starts_with("git ignores this file and holds"));
    Ok(Finding {
        inventory: stored.rule == "publishable-key",
        code: stored.code,
        rule: stored.rule,
        level: stored.level,
        new: stored.new,
        key: stored.key.map(|key| Key {
            kind: key.kind,
            environment: key.environment,
            masked: key.masked,
            fingerprint: key.fingerprint,
        }),
        subject: stored.subject,
        side: stored.side.value,
        overruled: stored.side.overruled,
        evidence: stored.side.evidence,
        // The sentences name the chain; reports keep no more of it.
        chain: Vec::new(),
        git_ignored,
        origin: origin(&stored.origin.kind)?,
        commit: stored.origin.commit,
        history: stored.history.map(History::from),
        generated: None,
        path: stored.path,
        places,
        excerpt: None,
        allowed_inline: None,
    })
}

fn suppressed(mut stored: FindingV1) -> Result<Suppressed, String> {
    let suppression = stored.suppression.take().ok_or("a suppressed finding says not why")?;
    let by = Silencer::of_word(&suppression.by).ok_or("a suppressed finding says not by what")?;
    let SuppressionV1 { reason, owner, expires, .. } = suppression;
    Ok(Suppressed { finding: finding(stored)?, suppression: Suppression { by, reason, owner, expires } })
}

fn withheld(stored: WithheldV1) -> Result<Withheld, String> {
    let levels = [(Level::Error, stored.error), (Level::Warning, stored.warning), (Level::Note, stored.note)];
    let by = |(word, number): (String, u64)| Some((Silencer::of_word(&word)?, number));
    let suppressed: Option<_> = stored.suppressed_by.into_iter().map(by).collect();
    Ok(Withheld {
        levels: levels.into_iter().filter(|(_, number)| *number > 0).collect(),
        secrets: stored.secrets,
        suppressed: suppressed.ok_or("a suppressed finding says not by what")?,
    })
}

fn origin(word: &str) -> Result<Origin, String> {
    let all = [
        Origin::File,
        Origin::TreeEntry,
        Origin::Stdin,
        Origin::Blob,
        Origin::Commit,
        Origin::Tag,
        Origin::Note,
        Origin::Index,
        Origin::Ref,
        Origin::Reflog,
        Origin::GitFile,
        Origin::Lfs,
        Origin::Message,
    ];
    all.into_iter().find(|origin| origin.as_str() == word).ok_or_else(|| "an origin is not known".to_owned())
}

fn place(stored: PlaceV1) -> Result<Place, String> {
    Ok(Place {
        blob: stored.blob,
        start: stored.start.into(),
        end: stored.end.into(),
        encoding: stored.encoding.into_iter().map(encoding).collect::<Result<_, _>>()?,
        line_hash: None,
    })
}

/// The name of an encoding, kept for as long as the program runs.
fn encoding(name: String) -> Result<&'static str, String> {
    static KNOWN: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = known.get(name.as_str()) {
        return Ok(known);
    }
    if known.len() >= ENCODINGS_MAX || name.len() > 64 {
        return Err("an encoding is not known".to_owned());
    }
    let kept: &'static str = Box::leak(name.into_boxed_str());
    known.insert(kept);
    Ok(kept)
}

impl From<PositionV1> for Position {
    fn from(stored: PositionV1) -> Self {
        Self { line: stored.line, column: stored.column }
    }
}

impl From<HistoryV1> for History {
    fn from(stored: HistoryV1) -> Self {
        Self {
            introduced: stored.introduced.map(Event::from),
            reintroduced: stored.reintroduced.map(Event::from),
            removed: stored.removed.map(Event::from),
            at_head: stored.at_head,
            refs: stored.refs,
            refs_total: stored.refs_total,
            reachable: stored.reachable,
            days: stored.days_in_history,
            paths_total: stored.paths_total,
        }
    }
}

impl From<EventV1> for Event {
    fn from(stored: EventV1) -> Self {
        Self { time: super::time_of(&stored.date), rank: 0, commit: stored.commit, author: stored.author }
    }
}

impl From<IgnoredV1> for Ignored {
    fn from(stored: IgnoredV1) -> Self {
        let position = stored.position.into();
        Self { path: stored.path, position, class: stored.class, masked: stored.masked }
    }
}
