//! `ansalint baseline`: makes and keeps the list of findings that were there before.
//!
//! The whole repository is looked at each time, or stored reports stand in for that. Nothing is renewed in silence, and
//! nothing is taken out that the history still needs: before an entry goes, git's store is asked.

use crate::cli::{BaselineArgs, BaselineCommand, PruneArgs, ShowFormatArg};
use crate::conclude::settle;
use crate::config::{Config, Terms};
use crate::exit::{Exit, Policy};
use crate::finding::Finding;
use crate::output::Destination;
use crate::report::{Report, escape, plain_json};
use crate::scan::{self, Options, Scope};
use crate::settings::{DAYS, Date};
use crate::suppress::{Anchor, Baseline, Known, Reach, Settled, is_guarded};
use anyhow::{Context as _, Result, bail};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Findings that are named one by one.
const NAMED_MAX: usize = 5;

/// What was changed, for the line at the end.
#[derive(Default)]
struct Tally {
    added: usize,
    changed: usize,
    moved: usize,
    removed: usize,
    /// Entries that only the history needs.
    kept: usize,
    /// Entries that the files need, which stored reports did not tell of.
    untold: usize,
    /// Live keys in client code that were not added for want of an owner.
    unowned: Vec<String>,
    /// Entries whose day has passed.
    expired: usize,
    /// Findings that make a scan fail all the same.
    failing: usize,
    /// What was not added or not renewed.
    left: Keys,
    /// Whether the history may have keys that nobody looked for.
    is_history_unasked: bool,
}

/// Words that new entries take.
struct Words {
    owner: Option<String>,
    expires: Option<Date>,
    reason: Option<String>,
    today: Date,
}

impl Words {
    fn new(args: &BaselineArgs, today: Date) -> Result<Self> {
        let day = |text: &str| {
            Date::parse(text).with_context(|| format!("--expires: `{}` is no day such as 2027-01-31", escape(text)))
        };
        let expires = args.expires.as_deref().map(day).transpose()?;
        if let Some(day) = expires.filter(|day| *day < today) {
            bail!(
                "--expires {day}: that day has passed, and the entries would allow nothing; name {today} or a later one"
            );
        }
        if args.owner.as_ref().is_some_and(|owner| owner.trim().is_empty()) {
            bail!("--owner is empty; name a person or team that answers for the keys");
        }
        Ok(Self { owner: args.owner.clone(), expires, reason: args.reason.clone(), today })
    }
}

/// What a run knows when it changes the baseline.
struct Work {
    terms: Terms,
    options: Options,
    policy: Policy,
    report: Report,
    settled: Settled,
    words: Words,
    /// Whether stored reports stand in for a scan.
    is_stored: bool,
    /// The baseline as it was.
    before: Baseline,
}

/// Fingerprints and paths below the root.
type Keys = BTreeSet<(String, String)>;

/// What is beside that which was looked at, or as much of it as could be read.
#[derive(Default)]
struct Beside {
    /// In the files, where stored reports need not tell of all.
    files: Keys,
    /// In git's store.
    history: Keys,
    /// Whether not all of it was read.
    is_cut: bool,
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
    let is_history_asked = args.history;
    let mut work = Work::new(args)?;
    let path = &work.terms.origin.baseline_path;
    if path.symlink_metadata().is_ok() {
        bail!("{}: there is a baseline already; `ansalint baseline update` adds to it", path.display());
    }
    let (mut baseline, mut tally) = (Baseline::default(), Tally::default());
    work.add(&mut baseline, &mut tally);
    if is_history_asked {
        work.add_history(&mut baseline, &mut tally)?;
    }
    tally.changed = 0;
    tally.is_history_unasked = !is_history_asked && !work.is_stored && work.has_history();
    work.write(&baseline, &tally, None)
}

fn update(mut args: BaselineArgs) -> Result<Exit> {
    args.policy.baseline_may_be_missing = true;
    let is_history_asked = args.history;
    let mut work = Work::new(args)?;
    let (mut baseline, mut tally) = (work.terms.suppressions.baseline.clone(), Tally::default());
    let has_moved = work.settled.matched.iter().any(|((_, old), new)| old != new);
    let beside = if has_moved { Some(work.beside()?) } else { None };
    work.follow(&mut baseline, &mut tally, beside.as_ref());
    work.add(&mut baseline, &mut tally);
    if is_history_asked {
        work.add_history(&mut baseline, &mut tally)?;
        // The history may put back what the files alone made milder.
        let before = &work.before;
        let is_other = |known: &&Known| before.get(&known.fingerprint, &known.path).is_some_and(|old| old != *known);
        tally.changed = baseline.entries().filter(is_other).count();
    }
    work.write(&baseline, &tally, None)
}

fn prune(args: PruneArgs) -> Result<Exit> {
    let mut work = Work::new(args.baseline)?;
    if !work.report.complete() {
        bail!("something was not read, and may hold what the baseline knows; nothing was pruned. See `ansalint scan`");
    }
    let (mut baseline, mut tally) = (work.terms.suppressions.baseline.clone(), Tally::default());
    let is_matched = |key: &(String, String)| work.settled.matched.get(key).is_some_and(|now| *now == key.1);
    let keys = baseline.entries().map(|known| (known.fingerprint.clone(), known.path.clone()));
    let loose: Vec<(String, String)> = keys.filter(|key| !is_matched(key)).collect();
    let is_asked = !loose.is_empty() && !args.is_tree_alone;
    let beside = if is_asked { Some(work.beside()?) } else { None };
    work.follow(&mut baseline, &mut tally, beside.as_ref());
    for (fingerprint, path) in &loose {
        // One that has moved was seen to.
        if work.settled.matched.contains_key(&(fingerprint.clone(), path.clone())) {
            continue;
        }
        let Some(known) = baseline.remove(fingerprint, path) else { continue };
        match beside.as_ref().map_or(Need::None, |beside| beside.need(fingerprint, path)) {
            Need::None => tally.removed += 1,
            Need::Files => {
                tally.untold += 1;
                baseline.insert(known);
            }
            Need::Unread => baseline.insert(known),
            Need::History => {
                tally.kept += 1;
                baseline.insert(Known { reach: Some(Reach::History), ..known });
            }
        }
    }
    work.write(&baseline, &tally, beside.as_ref())
}

/// What an entry is needed for.
enum Need {
    /// A file has the key.
    Files,
    /// Something that git stored has it.
    History,
    /// That cannot be told, since not all was read.
    Unread,
    /// Nothing.
    None,
}

impl Beside {
    /// What an entry of this key at this path is needed for, as far as is known.
    fn need(&self, fingerprint: &str, path: &str) -> Need {
        let key = (fingerprint.to_owned(), path.to_owned());
        if self.files.contains(&key) {
            Need::Files
        } else if self.history.contains(&key) {
            Need::History
        } else if self.is_cut {
            Need::Unread
        } else {
            Need::None
        }
    }
}

impl Work {
    fn new(args: BaselineArgs) -> Result<Self> {
        let (from, asked) = (args.from.clone(), args.clone());
        let stored = super::convert::joined(&from)?;
        let is_stored = stored.is_some();
        let Config { options, policy, terms, .. } = Config::baseline(args)?;
        let words = Words::new(&asked, terms.suppressions.today)?;
        let mut report = match stored {
            // What did not count then is settled again.
            Some(mut report) => {
                report.findings.extend(std::mem::take(&mut report.suppressed).into_iter().map(|one| one.finding));
                report
            }
            None => scan::run(&options)?,
        };
        let settled = settle(&mut report, &terms, &options.rules, policy);
        let before = terms.suppressions.baseline.clone();
        Ok(Self { terms, options, policy, report, settled, words, is_stored, before })
    }

    /// What is beside that which was looked at: the files, where a stored report need not be of all of them, and what
    /// git stored, where no report tells of it.
    fn beside(&mut self) -> Result<Beside> {
        let mut beside = Beside::default();
        if self.is_stored {
            let report = scan::run(&self.options)?;
            let key = |one: &Finding| Some((one.fingerprint(), self.terms.suppressions.anchor.below_root(&one.path)?));
            beside.files = report.findings.iter().filter_map(key).collect();
            beside.is_cut = !report.complete();
        }
        let is_told = self.report.command.split('+').any(|command| command == "history");
        if !is_told && self.has_history() {
            let report = self.history()?;
            beside.history = report.findings.iter().map(|one| (one.fingerprint(), one.path.clone())).collect();
            beside.is_cut |= !report.complete();
        }
        Ok(beside)
    }

    fn has_history(&self) -> bool {
        self.terms.root.join(".git").symlink_metadata().is_ok()
    }

    /// All that git stored; paths in it count from the root.
    fn history(&mut self) -> Result<Report> {
        let files = std::mem::replace(&mut self.options.scope, Scope::History(vec![self.terms.root.clone()]));
        let report = scan::run(&self.options).context("the history, which may need entries, cannot be read");
        self.options.scope = files;
        report
    }

    /// Adds what only the history has, or has in a worse form, beside what `baseline` knows by now.
    fn add_history(&mut self, baseline: &mut Baseline, tally: &mut Tally) -> Result<()> {
        if !self.has_history() {
            bail!("--history: {} is no repository with a history", self.terms.root.display());
        }
        let mut report = self.history()?;
        self.terms.suppressions.baseline = baseline.clone();
        self.terms.suppressions.anchor = Anchor::default();
        self.settled = settle(&mut report, &self.terms, &self.options.rules, self.policy);
        let left_out = std::mem::take(&mut self.report.coverage.left_out);
        report.coverage.left_out.extend(left_out);
        self.report = report;
        self.add(baseline, tally);
        Ok(())
    }

    /// Adds what counts, and takes over what has changed.
    fn add(&self, baseline: &mut Baseline, tally: &mut Tally) {
        let counts = |finding: &&Finding| !finding.inventory && !finding.git_ignored;
        for finding in self.report.findings.iter().filter(counts) {
            let Some(path) = self.terms.suppressions.anchor.below_root(&finding.path) else { continue };
            let key = (finding.fingerprint(), path.clone());
            if tally.left.contains(&key) {
                continue;
            }
            let known = baseline.get(&key.0, &path).cloned();
            let fails = finding.new && finding.level >= self.policy.fail_on;
            let has_expired = known.as_ref().and_then(|known| known.expires).is_some_and(|day| day < self.words.today);
            if has_expired && self.words.expires.is_none() {
                tally.expired += 1;
                tally.left.insert(key);
                tally.failing += usize::from(fails);
                continue;
            }
            let old = known.clone();
            let mut new = Known::of(finding, &path);
            // In a file it stays, whatever the history has there too.
            new.reach = new.reach.filter(|_| old.as_ref().is_none_or(|old| old.reach.is_some()));
            new.owner = self.words.owner.clone().or_else(|| old.as_ref()?.owner.clone());
            new.expires = self.words.expires.or_else(|| old.as_ref()?.expires);
            new.reason = self.words.reason.clone().or_else(|| old.as_ref()?.reason.clone());
            if is_guarded(finding, &self.options.rules) {
                if new.owner.is_none() {
                    tally.unowned.push(named(finding));
                    tally.left.insert(key);
                    tally.failing += usize::from(fails);
                    continue;
                }
                new.expires = new.expires.or(Some(self.words.today.plus_days(DAYS)));
            }
            *(if known.is_some() { &mut tally.changed } else { &mut tally.added }) += 1;
            baseline.insert(new);
        }
    }

    /// Takes over where known keys are now, and how: an entry never stays worse than what it is about.
    fn follow(&self, baseline: &mut Baseline, tally: &mut Tally, beside: Option<&Beside>) {
        for ((fingerprint, old), new) in &self.settled.matched {
            if old != new
                && let Some(known) = baseline.remove(fingerprint, old)
            {
                tally.moved += 1;
                match beside.map(|beside| beside.need(fingerprint, old)) {
                    Some(Need::History) => {
                        tally.kept += 1;
                        baseline.insert(Known { reach: Some(Reach::History), ..known.clone() });
                    }
                    Some(Need::Unread) => baseline.insert(known.clone()),
                    _ => {}
                }
                baseline.insert(Known { path: new.clone(), reach: None, ..known });
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

    fn write(&self, baseline: &Baseline, tally: &Tally, beside: Option<&Beside>) -> Result<Exit> {
        let path: PathBuf = self.terms.origin.baseline_path.clone();
        let text = baseline.to_text();
        Destination::File(path.clone()).write(|out| out.write_all(plain_json(&text).as_bytes()))?;
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
        lines.extend(tally.lines());
        let is_cut = beside.is_some_and(|beside| beside.is_cut);
        let is_complete = self.report.complete() && !is_cut;
        if !self.report.complete() {
            lines.push(format!("INCOMPLETE: {} not read", self.report.coverage.left_out.len()));
        }
        if is_cut {
            lines.push("INCOMPLETE: not all of the history could be read, so what it may need was kept; see `ansalint history`".into());
        }
        Destination::Stdout.write(|out| lines.iter().try_for_each(|line| writeln!(out, "{}", escape(line))))?;
        Ok(match (tally.failing, is_complete) {
            (0, true) => Exit::Clean,
            (0, false) => Exit::Incomplete,
            _ => Exit::Findings,
        })
    }
}

impl Tally {
    /// What there is to know beside the numbers.
    fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if self.kept > 0 {
            let needs = counted(self.kept, "entry is", "entries are");
            lines.push(format!(
                "kept: {needs} needed by the history alone, where `ansalint history` finds what the tree no longer has; `prune --tree-only` takes them out too"
            ));
        }
        if self.untold > 0 {
            let needs = counted(self.untold, "entry is", "entries are");
            lines.push(format!("kept: {needs} about files that the stored reports do not tell of"));
        }
        if !self.unowned.is_empty() {
            lines.push(format!(
                "NOT ADDED: {}, which needs somebody who answers for it: `ansalint baseline update --owner NAME` (holds for {DAYS} days, or until --expires)",
                counted(self.unowned.len(), "live key in client code", "live keys in client code")
            ));
            lines.extend(self.unowned.iter().take(NAMED_MAX).map(|one| format!("  {one}")));
            let more = self.unowned.len().saturating_sub(NAMED_MAX);
            lines.extend((more > 0).then(|| format!("  and {more} more; `ansalint scan` shows them")));
        }
        if self.is_history_unasked {
            lines.push(
                "the files alone were looked at; `ansalint baseline update --history` adds what only the history has"
                    .into(),
            );
        }
        if self.expired > 0 {
            let entries = counted(self.expired, "entry has", "entries have");
            lines.push(format!("{entries} expired, and was not renewed; --expires DATE renews"));
        }
        if self.failing > 0 {
            let findings = counted(self.failing, "finding still makes", "findings still make");
            lines.push(format!("{findings} a scan fail"));
        }
        lines
    }
}

/// A key and where it is.
fn named(finding: &Finding) -> String {
    let masked = finding.key.as_ref().map_or("", |key| key.masked.as_str());
    let line = finding.places.first().map_or(1, |place| place.start.line);
    format!("{}:{line}: {masked} ({})", finding.path, finding.fingerprint())
}

fn counted(number: usize, one: &str, several: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { several })
}

fn show(terms: &Terms, format: ShowFormatArg) -> Result<Exit> {
    let baseline = &terms.suppressions.baseline;
    let today = terms.suppressions.today;
    Destination::Stdout.write(|out| {
        if format == ShowFormatArg::Json {
            return write!(out, "{}", plain_json(&baseline.to_text()));
        }
        for known in baseline.entries() {
            let owner = known.owner.as_ref().map_or_else(String::new, |owner| format!(", {owner}"));
            let expires = known
                .expires
                .map_or_else(String::new, |day| format!(", {} {day}", if day < today { "EXPIRED" } else { "until" }));
            let reason = known.reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
            let (side, rule) = (known.side.as_str(), &known.rule);
            let reach = if known.reach.is_some() { ", in the history alone" } else { "" };
            let line = format!("{} {}: {rule}, {side}{reach}{owner}{expires}{reason}", known.fingerprint, known.path);
            writeln!(out, "{}", escape(&line))?;
        }
        let name = terms.origin.baseline.as_deref().unwrap_or("no baseline");
        writeln!(out, "{}: {}", escape(name), counted(baseline.len(), "entry", "entries"))
    })?;
    Ok(Exit::Clean)
}
