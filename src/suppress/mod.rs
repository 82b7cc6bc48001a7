//! Which findings count: levels that a configuration sets, keys that are dead, and what allows a key to stay.
//!
//! Pure: findings and settings in, findings and sentences out. Nothing is dropped: what does not count is kept aside
//! with the reason, and what holds no longer is said.

mod anchor;
mod baseline;
pub mod inline;
mod offer;
mod remarks;

pub use anchor::Anchor;
pub use baseline::{Baseline, Known, Reach};
pub use offer::entry_for;

use crate::finding::{Finding, Silencer, Suppressed, Suppression};
use crate::rule::{Environment, Needs, Rules};
use crate::settings::{Date, Deactivated, Entry, Globs, Settings};
use std::collections::{BTreeMap, BTreeSet};

/// Everything that decides which findings count.
#[derive(Clone, Debug)]
pub struct Suppressions {
    /// What the configuration says.
    pub settings: Settings,
    /// The globs of its `exclude`.
    pub excluded: Globs,
    /// Findings that were there before.
    pub baseline: Baseline,
    /// Fingerprints allowed from outside.
    pub arguments: Vec<String>,
    /// Dead keys named in a file of their own.
    pub deactivated: Vec<Deactivated>,
    /// From reported paths to those below the root.
    pub anchor: Anchor,
    /// The day it is.
    pub today: Date,
}

/// What a run knows beside its findings.
pub struct Around<'a> {
    /// The rules in force.
    pub rules: &'a Rules,
    /// Whether everything below the root was looked at, so that what matches nothing is unused.
    pub is_whole: bool,
    /// Whether nothing is at a path below the root any more.
    pub is_gone: &'a dyn Fn(&str) -> bool,
    /// Whether something was at a path below the root where the change that is judged began; true where nothing tells.
    pub was_there: &'a dyn Fn(&str) -> bool,
    /// Whether what a change adds is looked at: that told renames from keys that are new.
    pub is_change: bool,
}

/// Findings, settled.
#[derive(Debug, Default)]
pub struct Settled {
    /// Those that count.
    pub findings: Vec<Finding>,
    /// Those that do not, and why.
    pub suppressed: Vec<Suppressed>,
    /// What people should know: reminders, what has expired, what is unused.
    pub remarks: Vec<String>,
    /// Entries of the baseline that matched, by fingerprint and path, each with the path the key is at now.
    pub matched: BTreeMap<(String, String), String>,
}

/// What settling has seen so far.
struct Course<'s> {
    terms: &'s Suppressions,
    around: &'s Around<'s>,
    settled: Settled,
    /// Numbers of the entries that matched.
    used: BTreeSet<usize>,
    /// Arguments that matched.
    named: BTreeSet<&'s str>,
    remarks: BTreeSet<String>,
    /// Paths below the root at which each fingerprint is now.
    paths: BTreeMap<String, BTreeSet<String>>,
}

/// Whether a finding is a live key in client code: what no comment, glob or level silences. What the code itself says
/// counts, whatever side the configuration puts it on.
pub fn is_guarded(finding: &Finding, rules: &Rules) -> bool {
    let Some(key) = finding.key.as_ref().filter(|key| key.environment == Environment::Live) else { return false };
    let needs = |name: &String| rules.finding(name).map(|rule| rule.needs);
    let kind = rules.keys.kind.iter().find(|kind| kind.name == key.kind);
    let minds_clients =
        || kind.is_some_and(|kind| kind.rules.iter().any(|name| needs(name) == Some(Needs::ClientSide)));
    needs(&finding.rule).is_some_and(|needs| needs != Needs::Anything)
        || (finding.is_taken_from_client() && minds_clients())
}

impl Suppressions {
    /// With nothing in force.
    pub fn none(today: Date) -> Self {
        Self {
            settings: Settings::default(),
            excluded: Globs::default(),
            baseline: Baseline::default(),
            arguments: Vec::new(),
            deactivated: Vec::new(),
            anchor: Anchor::default(),
            today,
        }
    }

    /// Parts findings that count from those that do not.
    pub fn settle(&self, findings: Vec<Finding>, around: &Around<'_>) -> Settled {
        let mut paths: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for finding in &findings {
            if let Some(path) = self.anchor.below_root(&finding.path) {
                paths.entry(finding.fingerprint()).or_default().insert(path);
            }
        }
        let mut course = Course {
            terms: self,
            around,
            settled: Settled::default(),
            used: BTreeSet::new(),
            named: BTreeSet::new(),
            remarks: BTreeSet::new(),
            paths,
        };
        for finding in findings {
            course.take(finding);
        }
        course.finish()
    }

    /// The dead key of this fingerprint.
    fn dead(&self, fingerprint: &str) -> Option<&Deactivated> {
        let mut all = self.settings.deactivated.iter().chain(&self.deactivated);
        // What is to be deactivated some day is alive.
        all.find(|dead| dead.fingerprint.get_ref() == fingerprint && dead.date <= self.today)
    }

    fn has_expired(&self, expires: Option<Date>) -> bool {
        expires.is_some_and(|expires| expires < self.today)
    }
}

impl<'s> Course<'s> {
    fn take(&mut self, mut finding: Finding) {
        if finding.is_taken_from_client() {
            self.remarks.insert(remarks::taken_from_client(&finding, is_guarded(&finding, self.around.rules)));
        }
        let off = self.relevel(&mut finding);
        self.bury(&mut finding);
        match self.silence(&finding).or(off) {
            Some(suppression) => {
                if is_guarded(&finding, self.around.rules) {
                    self.remarks.insert(remarks::reminder(&finding, &suppression));
                }
                self.settled.suppressed.push(Suppressed { finding, suppression });
            }
            None => self.settled.findings.push(finding),
        }
    }

    /// Sets the level that the configuration wants; a rule turned off gives a suppression.
    fn relevel(&mut self, finding: &mut Finding) -> Option<Suppression> {
        let key = finding.key.as_ref();
        let rule = self.around.rules.finding(&finding.rule)?;
        let levels = &self.terms.settings.rules;
        let named = |name: &str| levels.iter().find(|(known, _)| known.get_ref() == name);
        let (name, wanted) = named(&finding.code).or_else(|| named(&finding.rule))?;
        let wanted = *wanted.get_ref();
        let usual = rule.grade(key.map_or(Environment::Live, |key| key.environment)).level;
        if is_guarded(finding, self.around.rules) {
            if wanted.level().is_none_or(|level| level < usual) {
                self.remarks.insert(remarks::not_lowered(name.get_ref(), &finding.code, wanted));
            }
            return None;
        }
        match wanted.level() {
            None => return Some(suppression(Silencer::Rule, Some(format!("the rule `{}` is off", name.get_ref())))),
            Some(level) if level < usual => finding.level = finding.level.min(level),
            // What was lowered for where it stands stays lowered.
            Some(level) if finding.level == usual => finding.level = level,
            Some(_) => {}
        }
        None
    }

    /// Makes the history of a dead key a note; its use after it died stays what it is.
    fn bury(&mut self, finding: &mut Finding) {
        let Some(dead) = self.terms.dead(&finding.fingerprint()) else { return };
        let when = format!("{} ({})", dead.date, dead.ticket.get_ref());
        let newest = finding.history.as_ref().and_then(|history| history.newest());
        let is_past = finding.history.as_ref().is_some_and(|history| !history.at_head);
        let is_before = newest.is_some_and(|event| Date::of_seconds(event.time) <= dead.date);
        if is_past && is_before {
            finding.level = crate::rule::Level::Note;
            finding.evidence.push(format!("the key was deactivated on {when}, and this is from before"));
        } else {
            finding.evidence.push(format!("the key was deactivated on {when}, and is used here all the same"));
        }
    }

    /// What keeps `finding` from counting, the most explicit first.
    fn silence(&mut self, finding: &Finding) -> Option<Suppression> {
        let fingerprint = finding.fingerprint();
        if let Some(argument) = self.terms.arguments.iter().find(|argument| **argument == fingerprint) {
            self.named.insert(argument);
            return Some(suppression(Silencer::Argument, Some("allowed with --allow".into())));
        }
        let path = self.terms.anchor.below_root(&finding.path);
        let entry = self.entry(finding, &fingerprint, path.as_deref());
        let comment = entry.or_else(|| self.comment(finding));
        let baseline = comment.or_else(|| self.baseline(finding, &fingerprint, path.as_deref()?));
        baseline.or_else(|| self.path(finding, path.as_deref()?))
    }

    fn entry(&mut self, finding: &Finding, fingerprint: &str, path: Option<&str>) -> Option<Suppression> {
        let is_here = |entry: &Entry| {
            entry.fingerprint.get_ref() == fingerprint
                && entry.path.as_ref().is_none_or(|wanted| Some(wanted.get_ref().as_str()) == path)
        };
        let mut held = None;
        for (number, entry) in self.terms.settings.allow.iter().enumerate().filter(|(_, entry)| is_here(entry)) {
            self.used.insert(number);
            if self.terms.has_expired(entry.expires) {
                continue;
            }
            let is_complete =
                entry.owner.as_ref().is_some_and(|owner| !owner.trim().is_empty()) && entry.expires.is_some();
            if is_guarded(finding, self.around.rules) && !is_complete {
                self.remarks.insert(remarks::incomplete_entry(finding, self.terms.today));
                continue;
            }
            held = held.or(Some(Suppression {
                by: Silencer::Entry,
                reason: Some(entry.reason.get_ref().clone()),
                owner: entry.owner.clone(),
                expires: entry.expires.map(|date| date.to_string()),
            }));
        }
        held
    }

    fn comment(&mut self, finding: &Finding) -> Option<Suppression> {
        let reason = finding.allowed_inline.clone()?;
        if is_guarded(finding, self.around.rules) {
            self.remarks.insert(remarks::comment_too_weak(finding));
            return None;
        }
        Some(suppression(Silencer::Comment, Some(reason)))
    }

    fn baseline(&mut self, finding: &Finding, fingerprint: &str, path: &str) -> Option<Suppression> {
        let known = match self.terms.baseline.get(fingerprint, path) {
            Some(known) => known,
            None => self.moved(fingerprint).filter(|_| !(self.around.is_change && finding.new))?,
        };
        if known.reach.is_some() && finding.is_in_files() && finding.new {
            self.remarks.insert(remarks::back_in_files(finding));
            return None;
        }
        let key = (known.fingerprint.clone(), known.path.clone());
        self.settled.matched.insert(key, path.into());
        if known.path != path {
            self.remarks.insert(remarks::moved(known, path));
        }
        if known.is_outgrown_by(finding, self.around.rules) {
            self.remarks.insert(remarks::worse(finding, known));
            return None;
        }
        if self.terms.has_expired(known.expires) {
            self.remarks.insert(remarks::expired_baseline(finding, known));
            return None;
        }
        if is_guarded(finding, self.around.rules)
            && (known.owner.as_ref().is_none_or(|owner| owner.trim().is_empty()) || known.expires.is_none())
        {
            self.remarks.insert(remarks::incomplete_baseline(finding));
            return None;
        }
        Some(Suppression {
            by: Silencer::Baseline,
            reason: known.reason.clone(),
            owner: known.owner.clone(),
            expires: known.expires.map(|date| date.to_string()),
        })
    }

    /// An entry of the baseline whose path is gone and that no other finding has taken.
    fn moved(&self, fingerprint: &str) -> Option<&'s Known> {
        let here = self.paths.get(fingerprint);
        self.terms.baseline.of_fingerprint(fingerprint).find(|known| {
            let is_found = here.is_some_and(|paths| paths.contains(&known.path));
            let is_taken = self.settled.matched.contains_key(&(known.fingerprint.clone(), known.path.clone()));
            let is_gone = self.around.is_whole || (self.around.is_gone)(&known.path);
            // What only the history has cannot move, nor what was gone before the change.
            known.reach.is_none() && !is_found && !is_taken && is_gone && (self.around.was_there)(&known.path)
        })
    }

    fn path(&mut self, finding: &Finding, path: &str) -> Option<Suppression> {
        let number = self.terms.excluded.last_match(path)?;
        let glob = self.terms.settings.exclude.get(number)?.get_ref();
        if is_guarded(finding, self.around.rules) {
            self.remarks.insert(remarks::glob_too_weak(finding, glob));
            return None;
        }
        Some(suppression(Silencer::Path, Some(format!("`{glob}` is left out by the configuration"))))
    }

    fn finish(mut self) -> Settled {
        let terms = self.terms;
        let named = |number: &usize| &terms.settings.allow[*number];
        let numbers: BTreeSet<usize> = (0..terms.settings.allow.len()).collect();
        let (expired, valid): (Vec<usize>, Vec<usize>) =
            numbers.iter().partition(|number| terms.has_expired(named(number).expires));
        self.remarks.extend(expired.iter().map(|number| remarks::expired_entry(named(number))));
        if self.around.is_whole {
            let unused = valid.iter().filter(|number| !self.used.contains(number));
            self.remarks.extend(unused.map(|number| remarks::unused_entry(named(number))));
            let arguments = terms.arguments.iter().filter(|one| !self.named.contains(one.as_str()));
            self.remarks.extend(arguments.map(|one| remarks::unused_argument(one)));
            let is_stale = |known: &&Known| {
                let key = (known.fingerprint.clone(), known.path.clone());
                known.reach.is_none() && !self.settled.matched.contains_key(&key)
            };
            let stale = terms.baseline.entries().filter(is_stale).count();
            self.remarks.extend((stale > 0).then(|| remarks::unused_baseline(stale)));
        }
        self.settled.remarks = self.remarks.into_iter().collect();
        self.settled
    }
}

const fn suppression(by: Silencer, reason: Option<String>) -> Suppression {
    Suppression { by, reason, owner: None, expires: None }
}
