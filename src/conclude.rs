//! From a scan's report to what counts of it: settles findings, accepts what need not be read, and says what a change
//! tried to allow itself.
//!
//! It reads the few files it needs for that, and prints nothing.

use crate::config::{Base, Moment, Terms};
use crate::exit::{Exit, Policy};
use crate::finding::{Finding, Suppressed};
use crate::path::decode;
use crate::report::{LeftOut, Report};
use crate::rule::Rules;
use crate::scan::NOTHING_STAGED;
use crate::secret::hash_of;
use crate::settings::AcceptUnread;
use crate::source::open::{OpenError, Root};
use crate::suppress::{Around, Settled, entry_for};
use bstr::ByteSlice as _;
use std::collections::BTreeMap;

/// Findings for which the entry to add is spelt out.
const OFFERS_MAX: usize = 5;
/// The largest file whose hash is taken to accept it unread.
const HASHED_BYTES_MAX: u64 = 4 << 30;

/// Settles `report` by `terms`; gives what settling matched.
pub fn settle(report: &mut Report, terms: &Terms, rules: &Rules, policy: Policy) -> Settled {
    let root = Root::open(&terms.root).ok();
    let is_gone = |path: &str| {
        let bytes = decode(path);
        let node = root.as_ref().zip(bytes.to_path().ok()).map(|(root, path)| root.node(path));
        matches!(node, Some(Err(OpenError::NotFound)))
    };
    let was_there = |path: &str| terms.base.as_ref().is_none_or(|base| base.has_file(path));
    let around = Around {
        rules,
        is_whole: terms.is_whole && report.command == "scan",
        is_gone: &is_gone,
        was_there: &was_there,
        is_change: matches!(report.command.as_str(), "staged" | "range"),
    };
    let mut findings = std::mem::take(&mut report.findings);
    report.config_digest.clone_from(&terms.digest);
    report.remarks.extend(terms.remarks.iter().cloned());
    let tried = terms.tried.as_ref().map(|tried| tried.settle(findings.clone(), &around));
    if let Some(base) = &terms.base {
        distrust_comments(&mut findings, terms, base);
    }
    let mut settled = terms.suppressions.settle(findings, &around);
    if let Some(tried) = tried {
        report.remarks.extend(attempts(&settled.findings, &tried));
    }
    if let Some(base) = &terms.base {
        let failing = settled.findings.iter().filter(|finding| finding.new && finding.level >= policy.fail_on);
        report.advice = failing.take(OFFERS_MAX).map(|one| entry_for(one, &terms.suppressions, &base.name)).collect();
    }
    report.findings = std::mem::take(&mut settled.findings);
    report.suppressed = std::mem::take(&mut settled.suppressed);
    report.remarks.append(&mut settled.remarks);
    if matches!(report.command.as_str(), "staged" | "range") && terms.base.is_none() {
        report.remarks.extend(unmerged(&report.suppressed, terms, &around, policy));
    }
    report.remarks.sort();
    report.remarks.dedup();
    accept(report, terms, root.as_ref());
    settled
}

/// Says what is to be done where it is not too late: nobody else has seen what is about to be committed or pushed.
pub fn encourage(report: &mut Report, moment: Moment, policy: Policy) {
    let is_late = moment == Moment::Later || report.remarks.iter().any(|remark| remark == NOTHING_STAGED);
    if is_late || Exit::of(report, policy) != Exit::Findings {
        return;
    }
    let told = match (moment, report.command.as_str()) {
        (Moment::BeforePush, _) => {
            "nothing is pushed yet: take the keys out of the commits that hold them (`git rebase -i`), and push again"
        }
        (_, "message") => "nothing is committed yet: commit again, with a message that has no key in it",
        _ => "nothing is committed yet: take the keys out of the files, stage these again, and commit",
    };
    report.advice.push(told.into());
}

/// Forgets comments that the revision in force does not have.
fn distrust_comments(findings: &mut [Finding], terms: &Terms, base: &Base) {
    for finding in findings.iter_mut().filter(|finding| finding.allowed_inline.is_some()) {
        let path = terms.suppressions.anchor.below_root(&finding.path);
        if !path.is_some_and(|path| base.has_comment(&path, &finding.fingerprint())) {
            finding.allowed_inline = None;
        }
    }
}

/// What is allowed here and not on the branch others start from, where a check that trusts that branch would fail.
fn unmerged(suppressed: &[Suppressed], terms: &Terms, around: &Around<'_>, policy: Policy) -> Vec<String> {
    let is_failing = |one: &&Suppressed| one.finding.new && one.finding.level >= policy.fail_on;
    let mut findings: Vec<Finding> = suppressed.iter().filter(is_failing).map(|one| one.finding.clone()).collect();
    if findings.is_empty() {
        return Vec::new();
    }
    let Some((upstream, base)) = terms.upstream(around.rules) else { return Vec::new() };
    distrust_comments(&mut findings, terms, &base);
    let told = upstream.settle(findings, around).findings.into_iter().map(|finding| {
        let (key, path) = (finding.fingerprint(), finding.path);
        format!(
            "{key} at {path} is allowed here and not yet on {}; a check that takes its policy from there fails",
            base.name
        )
    });
    told.collect()
}

/// What the files on disk would have silenced or lowered, and the revision in force does not.
fn attempts(findings: &[Finding], tried: &Settled) -> Vec<String> {
    let silenced: BTreeMap<String, &str> =
        tried.suppressed.iter().map(|one| (one.finding.id(), one.suppression.by.as_str())).collect();
    let levels: BTreeMap<String, _> = tried.findings.iter().map(|one| (one.id(), one.level)).collect();
    let told = findings.iter().filter_map(|finding| {
        let id = finding.id();
        let key = format!("{} {} at {}", finding.code, finding.fingerprint(), finding.path);
        if let Some(by) = silenced.get(&id) {
            return Some(format!("suppression added in this change, and not applied: {key}, by {by}"));
        }
        let lower = levels.get(&id).filter(|level| **level < finding.level)?;
        Some(format!("level lowered in this change, and not applied: {key}, to {}", lower.as_str()))
    });
    told.collect()
}

/// Takes what the configuration accepts unread off what makes the scan incomplete; it stays listed.
fn accept(report: &mut Report, terms: &Terms, root: Option<&Root>) {
    let entries = &terms.suppressions.settings.accept_unread;
    if entries.is_empty() {
        return;
    }
    let mut hashes = BTreeMap::new();
    let mut used = vec![false; entries.len()];
    for left_out in std::mem::take(&mut report.coverage.left_out) {
        let path = terms.suppressions.anchor.below_root(&left_out.path);
        let is_meant = |entry: &AcceptUnread| {
            Some(entry.path.get_ref()) == path.as_ref()
                && hash(&left_out, entry.path.get_ref(), root, &mut hashes).as_ref()
                    == Some(&entry.hash.get_ref().to_lowercase())
        };
        match entries.iter().position(is_meant) {
            Some(number) => {
                used[number] = true;
                report.coverage.accepted.push((left_out, entries[number].reason.get_ref().clone()));
            }
            None => report.coverage.left_out.push(left_out),
        }
    }
    let unused = entries.iter().zip(used).filter(|(_, used)| !used && terms.is_whole);
    report.remarks.extend(unused.map(|(entry, _)| {
        format!(
            "the [[accept-unread]] entry for {} is unused, or its hash is not that of the file",
            entry.path.get_ref()
        )
    }));
}

/// The hash that accepts something unread: the name of a git object, else that of the file it is or lies in.
fn hash(
    left_out: &LeftOut,
    path: &str,
    root: Option<&Root>,
    known: &mut BTreeMap<String, Option<String>>,
) -> Option<String> {
    if let Some((_, name)) = left_out.path.rsplit_once("objects/")
        && name.len() >= 41
        && name.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'/')
    {
        return Some(name.replace('/', ""));
    }
    let file = path.split("!/").next().unwrap_or(path);
    let read = || {
        let bytes = decode(file);
        let opened = root?.file(bytes.to_path().ok()?).ok()?;
        if opened.bytes > HASHED_BYTES_MAX { None } else { hash_of(opened.file).ok() }
    };
    known.entry(file.to_owned()).or_insert_with(read).clone()
}
