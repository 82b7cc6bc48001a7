//! Reads a stored JSON report, version 1, and joins several.
//!
//! What is read came from a file and is trusted no more than a scanned one: unknown words are faults, keys in texts are
//! masked, however the texts were spelt, and texts are escaped again when they are written. Excerpts and hashes of lines are not stored, and so not restored.

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

/// What masks keys in a text.
pub type Mask<'m> = &'m dyn Fn(String) -> String;

/// A text as it was stored; only masked does it get out.
#[derive(Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(transparent)]
struct Text(String);

impl Text {
    fn shown(self, mask: Mask<'_>) -> String {
        mask(self.0)
    }

    /// Whether it is exactly `word`.
    fn is(&self, word: &str) -> bool {
        self.0 == word
    }
}

#[derive(Deserialize)]
struct Document {
    schema: Text,
    tool: Tool,
    command: Text,
    repository: Stored,
    coverage: Covered,
    summary: Summary,
    findings: Vec<FindingV1>,
    #[serde(default)]
    suppressed: Vec<FindingV1>,
    ignored: Option<Vec<IgnoredV1>>,
    #[serde(default)]
    remarks: Vec<Text>,
}

#[derive(Deserialize)]
struct Tool {
    rules_digest: Text,
    config_digest: Option<Text>,
}

#[derive(Deserialize)]
struct Stored {
    head: Option<Text>,
}

#[derive(Deserialize)]
struct Covered {
    files: u64,
    objects: u64,
    bytes: u64,
    left_out: Vec<LeftOutV1>,
    skipped: BTreeMap<Text, u64>,
}

#[derive(Deserialize)]
struct LeftOutV1 {
    path: Text,
    reason: Text,
    accepted: Option<Text>,
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
    suppressed_by: BTreeMap<Text, u64>,
}

#[derive(Deserialize)]
struct Counts {
    by_class: BTreeMap<Text, u64>,
}

#[derive(Deserialize)]
struct FindingV1 {
    code: Text,
    rule: Text,
    level: Level,
    new: bool,
    key: Option<KeyV1>,
    subject: Option<Text>,
    side: SideV1,
    origin: OriginV1,
    path: Text,
    places: Vec<PlaceV1>,
    history: Option<HistoryV1>,
    suppression: Option<SuppressionV1>,
}

#[derive(Deserialize)]
struct KeyV1 {
    kind: Text,
    environment: Environment,
    masked: Text,
    fingerprint: Text,
}

#[derive(Deserialize)]
struct SideV1 {
    value: Side,
    overruled: Option<Side>,
    evidence: Vec<Text>,
}

#[derive(Deserialize)]
struct OriginV1 {
    kind: Text,
    commit: Option<Text>,
}

#[derive(Deserialize)]
struct PlaceV1 {
    blob: Option<Text>,
    start: PositionV1,
    end: PositionV1,
    encoding: Vec<Text>,
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
    refs: Vec<Text>,
    refs_total: u64,
    reachable: bool,
    days_in_history: Option<u64>,
    paths_total: Option<u64>,
}

#[derive(Deserialize)]
struct EventV1 {
    commit: Text,
    date: Text,
    author: Option<Text>,
}

#[derive(Deserialize)]
struct SuppressionV1 {
    by: Text,
    reason: Option<Text>,
    owner: Option<Text>,
    expires: Option<Text>,
}

#[derive(Deserialize)]
struct IgnoredV1 {
    path: Text,
    position: PositionV1,
    class: Text,
    masked: Text,
}

/// The report in `bytes`, with keys in its texts masked by `mask`.
///
/// # Errors
/// A short sentence that repeats nothing of them.
pub fn read(bytes: &[u8], mask: Mask<'_>) -> Result<Report, String> {
    let document: Document = serde_json::from_slice(bytes).map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        match error.classify() {
            serde_json::error::Category::Data => format!("{place}: this is no report that ansalint wrote"),
            _ => format!("{place}: this is no JSON"),
        }
    })?;
    if !document.schema.is("ansalint/1") {
        return Err("not a report of version 1 (`\"schema\": \"ansalint/1\"`)".into());
    }
    Reader { mask }.report(document)
}

/// Makes the model of what was stored.
#[derive(Clone, Copy)]
struct Reader<'m> {
    mask: Mask<'m>,
}

impl Reader<'_> {
    fn report(self, document: Document) -> Result<Report, String> {
        let suppressed = document.suppressed.into_iter().map(|one| self.suppressed(one)).collect::<Result<_, _>>()?;
        let findings = document.findings.into_iter().map(|one| self.finding(one)).collect::<Result<_, _>>()?;
        let ignored = document.ignored.map(|all| all.into_iter().map(|one| self.ignored(one)).collect());
        Ok(Report {
            command: self.text(document.command),
            rules_digest: self.text(document.tool.rules_digest),
            config_digest: self.some(document.tool.config_digest),
            repository: Repository { head: self.some(document.repository.head) },
            coverage: self.coverage(document.coverage),
            findings,
            suppressed,
            withheld: document.summary.withheld.as_ref().map(withheld).transpose()?.unwrap_or_default(),
            ignored_by_class: self.counts(document.summary.ignored.by_class),
            ignored,
            remarks: self.texts(document.remarks),
            advice: Vec::new(),
        })
    }

    fn text(self, stored: Text) -> String {
        stored.shown(self.mask)
    }

    fn some(self, stored: Option<Text>) -> Option<String> {
        stored.map(|text| self.text(text))
    }

    fn texts(self, stored: Vec<Text>) -> Vec<String> {
        stored.into_iter().map(|text| self.text(text)).collect()
    }

    fn counts(self, stored: BTreeMap<Text, u64>) -> BTreeMap<String, u64> {
        stored.into_iter().map(|(what, number)| (self.text(what), number)).collect()
    }

    fn coverage(self, stored: Covered) -> Coverage {
        let mut coverage = Coverage {
            files: stored.files,
            objects: stored.objects,
            bytes: stored.bytes,
            skipped: self.counts(stored.skipped),
            ..Coverage::default()
        };
        for LeftOutV1 { path, reason, accepted } in stored.left_out {
            let left_out = LeftOut { path: self.text(path), reason: self.text(reason) };
            match accepted {
                Some(why) => coverage.accepted.push((left_out, self.text(why))),
                None => coverage.left_out.push(left_out),
            }
        }
        coverage
    }

    fn finding(self, stored: FindingV1) -> Result<Finding, String> {
        let places = stored.places.into_iter().map(|one| self.place(one)).collect::<Result<_, _>>()?;
        let evidence = self.texts(stored.side.evidence);
        let git_ignored = evidence.iter().any(|sentence| sentence.starts_with("git ignores this file and holds"));
        Ok(Finding {
            inventory: stored.rule.is("publishable-key"),
            code: self.text(stored.code),
            rule: self.text(stored.rule),
            level: stored.level,
            new: stored.new,
            key: stored.key.map(|key| self.key(key)),
            subject: self.some(stored.subject),
            side: stored.side.value,
            overruled: stored.side.overruled,
            evidence,
            // The sentences name the chain; reports keep no more of it.
            chain: Vec::new(),
            git_ignored,
            origin: origin(&stored.origin.kind)?,
            commit: self.some(stored.origin.commit),
            history: stored.history.map(|history| self.history(history)),
            generated: None,
            path: self.text(stored.path),
            places,
            excerpt: None,
            allowed_inline: None,
        })
    }

    fn key(self, key: KeyV1) -> Key {
        Key {
            kind: self.text(key.kind),
            environment: key.environment,
            masked: self.text(key.masked),
            fingerprint: self.text(key.fingerprint),
        }
    }

    fn suppressed(self, mut stored: FindingV1) -> Result<Suppressed, String> {
        let suppression = stored.suppression.take().ok_or("a suppressed finding says not why")?;
        let suppression = Suppression {
            by: silencer(&suppression.by)?,
            reason: self.some(suppression.reason),
            owner: self.some(suppression.owner),
            expires: self.some(suppression.expires),
        };
        Ok(Suppressed { finding: self.finding(stored)?, suppression })
    }

    fn place(self, stored: PlaceV1) -> Result<Place, String> {
        let encoding = stored.encoding.into_iter().map(|name| encoding(self.text(name)));
        Ok(Place {
            blob: self.some(stored.blob),
            start: stored.start.into(),
            end: stored.end.into(),
            encoding: encoding.collect::<Result<_, _>>()?,
            line_hash: None,
        })
    }

    fn history(self, stored: HistoryV1) -> History {
        History {
            introduced: stored.introduced.map(|event| self.event(event)),
            reintroduced: stored.reintroduced.map(|event| self.event(event)),
            removed: stored.removed.map(|event| self.event(event)),
            at_head: stored.at_head,
            refs: self.texts(stored.refs),
            refs_total: stored.refs_total,
            reachable: stored.reachable,
            days: stored.days_in_history,
            paths_total: stored.paths_total,
        }
    }

    fn event(self, stored: EventV1) -> Event {
        let time = super::time_of(&self.text(stored.date));
        Event { time, rank: 0, commit: self.text(stored.commit), author: self.some(stored.author) }
    }

    fn ignored(self, stored: IgnoredV1) -> Ignored {
        Ignored {
            path: self.text(stored.path),
            position: stored.position.into(),
            class: self.text(stored.class),
            masked: self.text(stored.masked),
        }
    }
}

fn withheld(stored: &WithheldV1) -> Result<Withheld, String> {
    let levels = [(Level::Error, stored.error), (Level::Warning, stored.warning), (Level::Note, stored.note)];
    let suppressed = stored.suppressed_by.iter().map(|(by, number)| Ok((silencer(by)?, *number)));
    Ok(Withheld {
        levels: levels.into_iter().filter(|(_, number)| *number > 0).collect(),
        secrets: stored.secrets,
        suppressed: suppressed.collect::<Result<_, String>>()?,
    })
}

fn silencer(word: &Text) -> Result<Silencer, String> {
    Silencer::of_word(&word.0).ok_or_else(|| "a suppressed finding says not by what".to_owned())
}

fn origin(word: &Text) -> Result<Origin, String> {
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
    all.into_iter().find(|origin| word.is(origin.as_str())).ok_or_else(|| "an origin is not known".to_owned())
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
