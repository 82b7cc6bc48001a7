//! `ansalint baseline`: makes and keeps the list of findings that were there before.
//!
//! The whole repository is looked at each time, or stored reports stand in for that. Nothing is renewed in silence.

use crate::cli::{BaselineArgs, BaselineCommand, ShowFormatArg};
use crate::conclude::settle;
use crate::config::{Config, Terms};
use crate::exit::Exit;
use crate::finding::Finding;
use crate::output::Destination;
use crate::report::{Report, escape};
use crate::rule::Rules;
use crate::scan;
use crate::settings::{DAYS, Date};
use crate::suppress::{Baseline, Known, Settled, is_guarded};
use anyhow::{Context as _, Result, bail};
use std::path::PathBuf;

/// What was changed, for the line at the end.
#[derive(Default)]
struct Tally {
    added: usize,
    changed: usize,
    moved: usize,
    removed: usize,
    /// Live keys in client code, for want of an owner.
    unowned: usize,
    /// Entries whose day has passed.
    expired: usize,
}

/// Words that new entries take.
struct Words {
    owner: Option<String>,
    expires: Option<Date>,
    reason: Option<String>,
    today: Date,
}

/// What a run knows when it changes the baseline.
struct Work {
    terms: Terms,
    rules: Rules,
    report: Report,
    settled: Settled,
    words: Words,
}

/// Runs `command`.
pub(super) fn run(command: BaselineCommand) -> Result<Exit> {
    match command {
        BaselineCommand::Create(args) => create(args),
        BaselineCommand::Update(args) => update(args),
        BaselineCommand::Prune(args) => prune(args),
        BaselineCommand::Show(args) => show(&Config::terms(&args.policy, &args.path)?, args.format),
    }
}

fn create(mut args: BaselineArgs) -> Result<Exit> {
    args.policy.baseline_may_be_missing = true;
    let work = Work::new(args)?;
    let path = &work.terms.origin.baseline_path;
    if path.symlink_metadata().is_ok() {
        bail!("{}: there is a baseline already; `ansalint baseline update` adds to it", path.display());
    }
    let (mut baseline, mut tally) = (Baseline::default(), Tally::default());
    work.add(&mut baseline, &mut tally);
    work.write(&baseline, &tally)
}

fn update(mut args: BaselineArgs) -> Result<Exit> {
    args.policy.baseline_may_be_missing = true;
    let work = Work::new(args)?;
    let (mut baseline, mut tally) = (work.terms.suppressions.baseline.clone(), Tally::default());
    work.follow(&mut baseline, &mut tally);
    work.add(&mut baseline, &mut tally);
    work.write(&baseline, &tally)
}

fn prune(args: BaselineArgs) -> Result<Exit> {
    let work = Work::new(args)?;
    if !work.report.complete() {
        bail!("something was not read, and may hold what the baseline knows; nothing was pruned. See `ansalint scan`");
    }
    let (mut baseline, mut tally) = (work.terms.suppressions.baseline.clone(), Tally::default());
    work.follow(&mut baseline, &mut tally);
    let is_stale =
        |known: &&Known| !work.settled.matched.contains_key(&(known.fingerprint.clone(), known.path.clone()));
    for known in work.terms.suppressions.baseline.entries().filter(is_stale) {
        tally.removed += usize::from(baseline.remove(&known.fingerprint, &known.path).is_some());
    }
    work.write(&baseline, &tally)
}

impl Work {
    fn new(args: BaselineArgs) -> Result<Self> {
        let expires = args.expires.as_deref().map(|text| {
            Date::parse(text).with_context(|| format!("--expires: `{}` is no day such as 2027-01-31", escape(text)))
        });
        let (owner, expires, reason) = (args.owner.clone(), expires.transpose()?, args.reason.clone());
        let stored = super::convert::joined(&args.from)?;
        let Config { options, policy, terms, .. } = Config::baseline(args)?;
        let mut report = match stored {
            // What did not count then is settled again.
            Some(mut report) => {
                report.findings.extend(std::mem::take(&mut report.suppressed).into_iter().map(|one| one.finding));
                report
            }
            None => scan::run(&options)?,
        };
        let words = Words { owner, expires, reason, today: terms.suppressions.today };
        let settled = settle(&mut report, &terms, &options.rules, policy);
        Ok(Self { terms, rules: options.rules, report, settled, words })
    }

    /// Adds what counts, and takes over what has changed.
    fn add(&self, baseline: &mut Baseline, tally: &mut Tally) {
        let counts = |finding: &&Finding| !finding.inventory && !finding.git_ignored;
        for finding in self.report.findings.iter().filter(counts) {
            let Some(path) = self.terms.suppressions.anchor.below_root(&finding.path) else { continue };
            let known = baseline.get(&finding.fingerprint(), &path).cloned();
            let has_expired = known.as_ref().and_then(|known| known.expires).is_some_and(|day| day < self.words.today);
            if has_expired && self.words.expires.is_none() {
                tally.expired += 1;
                continue;
            }
            let old = known.clone();
            let mut new = Known::of(finding, &path);
            new.owner = self.words.owner.clone().or_else(|| old.as_ref()?.owner.clone());
            new.expires = self.words.expires.or_else(|| old.as_ref()?.expires);
            new.reason = self.words.reason.clone().or_else(|| old.as_ref()?.reason.clone());
            if is_guarded(finding, &self.rules) {
                if new.owner.is_none() {
                    tally.unowned += 1;
                    continue;
                }
                new.expires = new.expires.or(Some(self.words.today.plus_days(DAYS)));
            }
            *(if known.is_some() { &mut tally.changed } else { &mut tally.added }) += 1;
            baseline.insert(new);
        }
    }

    /// Takes over where known keys are now, and how: an entry never stays worse than what it is about.
    fn follow(&self, baseline: &mut Baseline, tally: &mut Tally) {
        for ((fingerprint, old), new) in &self.settled.matched {
            if old != new
                && let Some(known) = baseline.remove(fingerprint, old)
            {
                tally.moved += 1;
                baseline.insert(Known { path: new.clone(), ..known });
            }
        }
        for finding in self.report.suppressed.iter().map(|one| &one.finding) {
            let path = self.terms.suppressions.anchor.below_root(&finding.path);
            let known = path.and_then(|path| baseline.get(&finding.fingerprint(), &path).cloned());
            if let Some(known) = known.filter(|known| (&known.rule, known.side) != (&finding.rule, finding.side)) {
                tally.changed += 1;
                baseline.insert(Known { rule: finding.rule.clone(), side: finding.side, ..known });
            }
        }
    }

    fn write(&self, baseline: &Baseline, tally: &Tally) -> Result<Exit> {
        let path: PathBuf = self.terms.origin.baseline_path.clone();
        let text = baseline.to_text();
        Destination::File(path.clone()).write(|out| out.write_all(text.as_bytes()))?;
        let name =
            path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned());
        let mut lines = vec![format!(
            "{name}: {} in all; {} added, {} changed, {} moved, {} removed",
            baseline.len(),
            tally.added,
            tally.changed,
            tally.moved,
            tally.removed
        )];
        if tally.unowned > 0 {
            lines.push(format!(
                "not added: {}, which needs somebody who answers for it: --owner NAME (holds for {DAYS} days, or until --expires)",
                counted(tally.unowned, "live key in client code", "live keys in client code")
            ));
        }
        if tally.expired > 0 {
            let entries = counted(tally.expired, "entry has", "entries have");
            lines.push(format!("{entries} expired, and was not renewed; --expires DATE renews"));
        }
        if !self.report.complete() {
            lines.push(format!("INCOMPLETE: {} not read", self.report.coverage.left_out.len()));
        }
        Destination::Stdout.write(|out| lines.iter().try_for_each(|line| writeln!(out, "{}", escape(line))))?;
        Ok(if self.report.complete() { Exit::Clean } else { Exit::Incomplete })
    }
}

fn counted(number: usize, one: &str, several: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { several })
}

fn show(terms: &Terms, format: ShowFormatArg) -> Result<Exit> {
    let baseline = &terms.suppressions.baseline;
    let today = terms.suppressions.today;
    Destination::Stdout.write(|out| {
        if format == ShowFormatArg::Json {
            return write!(out, "{}", baseline.to_text());
        }
        for known in baseline.entries() {
            let owner = known.owner.as_ref().map_or_else(String::new, |owner| format!(", {owner}"));
            let expires = known
                .expires
                .map_or_else(String::new, |day| format!(", {} {day}", if day < today { "EXPIRED" } else { "until" }));
            let reason = known.reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
            let (side, rule) = (known.side.as_str(), &known.rule);
            let line = format!("{} {}: {rule}, {side}{owner}{expires}{reason}", known.fingerprint, known.path);
            writeln!(out, "{}", escape(&line))?;
        }
        let name = terms.origin.baseline.as_deref().unwrap_or("no baseline");
        writeln!(out, "{}: {}", escape(name), counted(baseline.len(), "entry", "entries"))
    })?;
    Ok(Exit::Clean)
}
