//! `ansalint ci`: scans what the event asks for, and tells GitHub in its own ways.
//!
//! Where anybody can read the log, what is only in history is counted there and shown in SARIF alone.

use crate::cli::CiArgs;
use crate::conclude;
use crate::config::{Ci, Config, Gate, Scans, policy_under};
use crate::exit::{Exit, Policy};
use crate::finding::{Finding, Suppressed};
use crate::output::{self, Destination};
use crate::path::decode;
use crate::report::{self, Report, SuppressedResults, TextStyle, Withheld};
use crate::rule::Rules;
use crate::scan;
use crate::stdio;
use crate::suppress::entry_for;
use anyhow::{Context as _, Result, bail};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Findings for which the entry to add is spelt out.
const OFFERS_MAX: usize = 5;
const BROUGHT: &str = "the key was here before, in no client; the settings or imports around it, which this change touches, make it client code";
const GITHUB_WAY_OUT: &str = "\nin the action: `allow: ${{ vars.ANSALINT_ALLOW }}`, a variable of the organisation or repository with fingerprints";

/// Scans and tells.
pub(super) fn run(args: CiArgs) -> Result<Exit> {
    stdio::check_stdout()?;
    let ci = Config::ci(args)?;
    let Some(scans) = &ci.scans else {
        let told = ci.plan.nothing.unwrap_or_default();
        log(|out| writeln!(out, "ansalint: {told}"))?;
        outputs(&ci, &[("findings", "0".into()), ("new-findings", "0".into()), ("exit-code", "0".into())])?;
        return Ok(Exit::Clean);
    };
    let reports = Reports::scan(scans)?;
    let rules = &scans.tree.options.rules;
    let outcome = Outcome::new(&ci, scans, &reports)?;
    let files = Files::write(ci.reports.as_deref(), &reports, &outcome, rules)?;
    tell(&ci, &outcome, rules)?;
    if let Some(path) = &ci.summary {
        let mut text = Vec::new();
        report::markdown(&outcome.shown, rules, &mut text)?;
        outcome.lines.iter().try_for_each(|line| writeln!(text, "{line}\n"))?;
        output::append(path, &text)?;
    }
    outputs(&ci, &outcome.values(&files))?;
    Ok(if ci.enforce { outcome.verdict } else { Exit::Clean })
}

/// What each scan found.
struct Reports {
    tree: Report,
    range: Option<Report>,
    history: Option<Report>,
    /// Identities of findings in the tree whose key is old, and which the change brings into client code.
    brought: BTreeSet<String>,
}

impl Reports {
    fn scan(scans: &Scans) -> Result<Self> {
        let one = |config: &Config| {
            let mut report = scan::run(&config.options)?;
            conclude::settle(&mut report, &config.terms, &config.options.rules, config.policy);
            anyhow::Ok(report)
        };
        // First, because only it may find that a commit is missing.
        let range = scans.range.as_ref().map(one).transpose()?;
        let mut tree = one(&scans.tree)?;
        let brought = scans.range.as_ref().map(|range| brought(&mut tree, scans, range)).transpose()?;
        let history = scans.history.as_ref().map(one).transpose()?;
        Ok(Self { tree, range, history, brought: brought.unwrap_or_default() })
    }
}

/// Finds out which old keys of the tree the change brings into client code, and says so with each.
fn brought(tree: &mut Report, scans: &Scans, range: &Config) -> Result<BTreeSet<String>> {
    let anchor = &scans.tree.terms.suppressions.anchor;
    let path = |finding: &Finding| anchor.below_root(&finding.path).map(|path| decode(&path));
    let asked: Vec<(Vec<u8>, &Finding)> =
        tree.findings.iter().filter_map(|finding| Some((path(finding)?, finding))).collect();
    let were = scan::brought_into_clients(&range.options, &asked)?;
    let brought = asked.iter().zip(were).filter(|(_, was)| *was).map(|((_, finding), _)| finding.id());
    let brought: BTreeSet<String> = brought.collect();
    for finding in tree.findings.iter_mut().filter(|finding| brought.contains(&finding.id())) {
        finding.evidence.push(BROUGHT.into());
    }
    Ok(brought)
}

/// What comes of it.
struct Outcome {
    /// What the summary and the JSON report may show.
    shown: Report,
    /// What logs may show: that which is new.
    annotated: Report,
    /// Sentences that go with it.
    lines: Vec<String>,
    verdict: Exit,
    findings: usize,
    new: usize,
    complete: bool,
}

impl Outcome {
    fn new(ci: &Ci, scans: &Scans, reports: &Reports) -> Result<Self> {
        let has_range = reports.range.is_some();
        let mut tree = reports.tree.clone();
        if has_range {
            // What the range has is new, and what it made worse.
            tree.findings.iter_mut().for_each(|finding| finding.new = reports.brought.contains(&finding.id()));
        }
        let parts = [Some(tree), of_tree(reports, reports.range.as_ref()), of_tree(reports, reports.history.as_ref())];
        let mut all = report::join(parts.into_iter().flatten().collect()).context("nothing was scanned")?;
        all.command = "ci".into();
        let policy = policy_under(ci.gate, scans.tree.policy, has_range);
        let fails = |finding: &&Finding| !finding.inventory && finding.level >= policy.fail_on;
        let verdict = verdict(&all, ci.gate, policy);
        let findings = all.findings.iter().filter(fails).count();
        let new = all.findings.iter().filter(fails).filter(|finding| finding.new).count();
        let complete = all.complete();
        let mut annotated = all.clone();
        if ci.gate == Gate::All {
            annotated.findings.iter_mut().for_each(|finding| finding.new = true);
        } else {
            annotated.findings.retain(|finding| finding.new);
        }
        let mut shown = all;
        let mut lines = Vec::new();
        if ci.plan.is_public {
            hide(&mut annotated, &reports.tree);
            lines.extend(hidden(hide(&mut shown, &reports.tree), scans));
        }
        let brought = reports.brought.len();
        if brought > 0 {
            let keys = if brought == 1 { "1 old key is".to_owned() } else { format!("{brought} old keys are") };
            lines.push(format!("{keys} in client code through this change, which need not touch their files"));
        }
        shown.advice = advice(&shown, scans, policy, ci);
        annotated.advice.clone_from(&shown.advice);
        lines.push(ending(ci, verdict, (findings, new)));
        Ok(Self { shown, annotated, lines, verdict, findings, new, complete })
    }

    fn values(&self, files: &Files) -> Vec<(&'static str, String)> {
        let file = |path: &Option<PathBuf>| path.as_ref().map_or_else(String::new, |path| path.display().to_string());
        vec![
            ("sarif-file", file(&files.tree)),
            ("history-sarif-file", file(&files.history)),
            ("report-file", file(&files.json)),
            ("findings", self.findings.to_string()),
            ("new-findings", self.new.to_string()),
            ("complete", self.complete.to_string()),
            ("exit-code", (self.verdict as u8).to_string()),
        ]
    }
}

/// A part of the reports as if it were of the commit that is checked out.
fn of_tree(reports: &Reports, part: Option<&Report>) -> Option<Report> {
    let mut part = part?.clone();
    part.repository.clone_from(&reports.tree.repository);
    Some(part)
}

fn verdict(all: &Report, gate: Gate, policy: Policy) -> Exit {
    let mut judged = all.clone();
    if policy.exit_zero {
        // What was not read is not outshone by findings that fail nothing.
        judged.findings.clear();
    } else if gate == Gate::All {
        judged.findings.iter_mut().for_each(|finding| finding.new = true);
    }
    Exit::of(&judged, policy)
}

/// Takes out of `shown` what is not in the tree, and what is said of it, and counts it; gives how many findings that are.
fn hide(shown: &mut Report, tree: &Report) -> usize {
    let of_tree = |report: &Report| report.suppressed.iter().map(|one| one.finding.id()).collect::<BTreeSet<_>>();
    let known: BTreeSet<String> = tree.findings.iter().map(Finding::id).chain(of_tree(tree)).collect();
    let in_tree = |finding: &Finding| known.contains(&finding.id());
    let all = shown.findings.iter().chain(shown.suppressed.iter().map(|one| &one.finding));
    let fingerprints: Vec<String> = all.filter(|one| !in_tree(one)).map(Finding::fingerprint).collect();
    let hidden: Vec<Finding> = shown.findings.extract_if(.., |finding| !in_tree(finding)).collect();
    let silenced: Vec<Suppressed> = shown.suppressed.extract_if(.., |one| !in_tree(&one.finding)).collect();
    shown.withheld = withheld(shown, &hidden, &silenced);
    let is_told = |remark: &String| {
        tree.remarks.contains(remark) || !fingerprints.iter().any(|fingerprint| remark.contains(fingerprint))
    };
    shown.remarks.retain(is_told);
    hidden.len()
}

/// The counts of what is taken out of `shown`.
fn withheld(shown: &Report, hidden: &[Finding], silenced: &[Suppressed]) -> Withheld {
    let keys = |findings: &[Finding]| -> BTreeSet<String> {
        findings.iter().filter(|finding| finding.key.is_some()).map(Finding::fingerprint).collect()
    };
    let mut withheld =
        Withheld { secrets: keys(hidden).difference(&keys(&shown.findings)).count() as u64, ..Withheld::default() };
    for finding in hidden {
        *withheld.levels.entry(finding.level).or_default() += 1;
    }
    for one in silenced {
        *withheld.suppressed.entry(one.suppression.by).or_default() += 1;
    }
    withheld
}

/// What is not shown where anybody can read it.
fn hidden(number: usize, scans: &Scans) -> Option<String> {
    let (are, them) =
        if number == 1 { ("1 finding is".to_owned(), "it") } else { (format!("{number} findings are"), "them") };
    let command = scans.range_text.as_ref().map_or_else(
        || "ansalint history".into(),
        |range| {
            // By whose configuration it was judged here.
            let base = scans.tree.terms.base.as_ref();
            let from = base.map(|base| format!(" --policy-from {}", base.name)).unwrap_or_default();
            format!("ansalint range {range}{from}")
        },
    );
    let told = "only in history and not shown, because anybody can read this";
    (number > 0).then(|| format!("{are} {told}; run `{command}` in a clone to see {them}"))
}

/// What to write where, for what fails; the revision whose configuration holds is where.
fn advice(shown: &Report, scans: &Scans, policy: Policy, ci: &Ci) -> Vec<String> {
    let Some(base) = &scans.tree.terms.base else { return Vec::new() };
    let failing = shown.findings.iter().filter(|one| one.new && !one.inventory && one.level >= policy.fail_on);
    let terms = &scans.tree.terms.suppressions;
    let way_out = if ci.is_github { GITHUB_WAY_OUT } else { "" };
    let named = ci.plan.policy_branch.as_ref().map(|branch| format!("the branch {branch} (now {})", base.name));
    let revision = named.as_ref().unwrap_or(&base.name);
    failing.take(OFFERS_MAX).map(|one| entry_for(one, terms, revision) + way_out).collect()
}

fn ending(ci: &Ci, verdict: Exit, (findings, new): (usize, usize)) -> String {
    let number = |number: usize| if number == 1 { "1 finding".to_owned() } else { format!("{number} findings") };
    let has_range = ci.plan.span.is_some();
    let counted = if has_range {
        format!("{} in all, {new} of them added by this change", number(findings))
    } else {
        number(findings)
    };
    let consequence = match (verdict, ci.enforce, ci.gate) {
        (Exit::Clean, _, Gate::None) if findings > 0 => "nothing fails, because the gate is `none`",
        (Exit::Clean, _, Gate::New) if findings > 0 => "nothing fails, because the change adds none",
        (Exit::Clean, ..) => "nothing fails",
        (Exit::Incomplete, true, _) => "this fails, because not everything was read",
        (_, true, _) => "this fails",
        (_, false, _) => "this would fail, and is only observed",
    };
    format!("{counted}; {consequence}")
}

/// What was written into files.
#[derive(Default)]
struct Files {
    json: Option<PathBuf>,
    tree: Option<PathBuf>,
    history: Option<PathBuf>,
}

impl Files {
    fn write(folder: Option<&Path>, reports: &Reports, outcome: &Outcome, rules: &Rules) -> Result<Self> {
        let Some(folder) = folder else { return Ok(Self::default()) };
        std::fs::create_dir_all(folder).with_context(|| format!("{}: cannot be created", folder.display()))?;
        let folder = folder.canonicalize().with_context(|| folder.display().to_string())?;
        let sarif = |name: &str, report: &Report| {
            let path = folder.join(name);
            // GitHub takes no notice of suppressions and would open alerts.
            let written = |out: &mut dyn Write| report::sarif(report, rules, SuppressedResults::LeftOut, out);
            Destination::File(path.clone()).write(written)?;
            anyhow::Ok(path)
        };
        let tree = sarif("ansalint-tree.sarif", &reports.tree)?;
        let history = reports.history.as_ref().map(|report| sarif("ansalint-history.sarif", report)).transpose()?;
        let json = folder.join("ansalint.json");
        Destination::File(json.clone()).write(|out| report::json(&outcome.shown, out))?;
        Ok(Self { json: Some(json), tree: Some(tree), history })
    }
}

/// Writes the log: annotations where GitHub reads it.
fn tell(ci: &Ci, outcome: &Outcome, rules: &Rules) -> Result<()> {
    let annotated = &outcome.annotated;
    let known = outcome.shown.findings.len() - annotated.findings.len();
    log(|out| {
        for warning in &ci.plan.warnings {
            let before = if ci.is_github { "::warning title=ansalint::" } else { "warning: " };
            writeln!(out, "{before}{warning}")?;
        }
        if ci.is_github {
            report::github(annotated, rules, out)?;
        } else {
            report::text(annotated, rules, TextStyle { colour: false, quiet: false }, out)?;
        }
        if known > 0 {
            writeln!(
                out,
                "ansalint: {known} more that this change does not add; the summary and the reports have them"
            )?;
        }
        outcome.lines.iter().try_for_each(|line| writeln!(out, "ansalint: {line}"))
    })
}

fn log(write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> Result<()> {
    Destination::Stdout.write(write)
}

/// Tells later steps of the job.
fn outputs(ci: &Ci, values: &[(&str, String)]) -> Result<()> {
    let Some(path) = &ci.outputs else { return Ok(()) };
    let mut text = String::new();
    let uploadable = ("uploadable", ci.plan.is_uploadable.to_string());
    let version = ("version", env!("CARGO_PKG_VERSION").to_owned());
    for (name, value) in values.iter().chain([&uploadable, &version]) {
        if value.contains(['\n', '\r']) {
            bail!("{name}: a folder with a line end in its name cannot be told to GitHub");
        }
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "{name}={value}");
    }
    output::append(path, text.as_bytes())
}
