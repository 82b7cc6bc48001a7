//! `ansalint ci`: from the event at hand to the scans it asks for.
//!
//! Reads what the runner says, and asks the repository which of the commits an event names are there.

use super::Config;
use super::terms::{SETTINGS_BYTES_MAX, from_disk};
use crate::ci::{Plan, Span, Start, Surroundings, Survey};
use crate::cli::{CiArgs, CommonArgs, GateArg, HistoryArg, PolicyArgs, ReportArgs};
use crate::exit::Policy;
use crate::null_id::NULL_ID;
use crate::scan::{ChangeOptions, Range, Scope, Selection};
use crate::source::repository::Committed;
use anyhow::{Context as _, Result, bail};
use std::path::{Path, PathBuf};

/// The largest event; GitHub cuts them off well below.
const EVENT_BYTES_MAX: u64 = 64 * SETTINGS_BYTES_MAX;

/// Everything that one event needs.
pub struct Ci {
    /// What the event asks for.
    pub plan: Plan,
    /// The scans; none where there is nothing to scan.
    pub scans: Option<Scans>,
    /// Which findings fail.
    pub gate: Gate,
    /// Whether anything fails at all.
    pub enforce: bool,
    /// Where reports are written.
    pub reports: Option<PathBuf>,
    /// Where GitHub takes a summary.
    pub summary: Option<PathBuf>,
    /// Where GitHub takes outputs.
    pub outputs: Option<PathBuf>,
    /// Whether GitHub reads the log.
    pub is_github: bool,
}

/// What is scanned, each part with its configuration.
pub struct Scans {
    /// The files that git tracks, as checked out.
    pub tree: Config,
    /// What the change adds.
    pub range: Option<Config>,
    /// The range in words that `ansalint range` takes.
    pub range_text: Option<String>,
    /// Everything git ever stored.
    pub history: Option<Config>,
}

/// Which findings fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// Those that the change adds.
    New,
    /// Every one.
    All,
    /// None.
    None,
}

impl Config {
    /// Of `ansalint ci`.
    pub fn ci(args: CiArgs) -> Result<Ci> {
        let plan = plan(&args)?;
        let gate = match args.gate {
            GateArg::New => Gate::New,
            GateArg::None => Gate::None,
            GateArg::Auto if plan.span.is_some() => Gate::New,
            GateArg::Auto if plan.survey == Some(Survey::Schedule) => Gate::None,
            GateArg::All | GateArg::Auto => Gate::All,
        };
        let enforce = args.enforce;
        let reports = args.reports.clone();
        let scans = if plan.nothing.is_some() { None } else { Some(scans(args, &plan)?) };
        let file = |name: &str| variable(name).map(PathBuf::from);
        Ok(Ci {
            plan,
            scans,
            gate,
            enforce,
            reports,
            summary: file("GITHUB_STEP_SUMMARY"),
            outputs: file("GITHUB_OUTPUT"),
            is_github: variable("GITHUB_ACTIONS").is_some(),
        })
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn plan(args: &CiArgs) -> Result<Plan> {
    let base = args.base.clone().filter(|base| !base.is_empty());
    let Some(event) = variable("GITHUB_EVENT_NAME") else {
        let base = base.context(
            "there is no event: GITHUB_EVENT_NAME is not set; outside GitHub Actions, say where the change starts with `--base REV`",
        )?;
        return Ok(Plan::since(base));
    };
    let path = variable("GITHUB_EVENT_PATH").context("GITHUB_EVENT_PATH is not set, and the event is in its file")?;
    let payload = from_disk(Path::new(&path), EVENT_BYTES_MAX).with_context(|| path.clone())?;
    let payload = payload.with_context(|| format!("{path}: there is no such event"))?;
    let around = Surroundings { event, payload, sha: variable("GITHUB_SHA"), actor: variable("GITHUB_ACTOR") };
    let mut plan = Plan::new(&around).context(path)?;
    if let (Some(base), None) = (base, plan.nothing) {
        let ends = plan.span.take().map_or_else(|| vec!["HEAD".to_owned()], |span| span.ends);
        plan.span = Some(Span { start: Start::of(base), ends });
    }
    Ok(plan)
}

fn scans(args: CiArgs, plan: &Plan) -> Result<Scans> {
    let mut policy: PolicyArgs = args.policy.clone();
    policy.organisation.clone_from(&args.organisation);
    policy.policy_from = policy.policy_from.or_else(|| plan.policy_from.clone());
    let report =
        ReportArgs { fail_on: args.fail_on, on_incomplete: args.on_incomplete, quiet: true, ..ReportArgs::default() };
    let CiArgs { bounds, rules, jobs, paths, history, .. } = args;
    let common = CommonArgs { publishable: false, report, policy, bounds, rules, jobs };
    let range = plan.span.as_ref().map(range).transpose()?;
    let range_text = range.as_ref().map(|range| format!("{}..{}", range.from.as_deref().unwrap_or(NULL_ID), range.to));
    let here = || vec![PathBuf::from(".")];
    let change = ChangeOptions { folder: PathBuf::from("."), ..ChangeOptions::default() };
    let mut tree = Config::new(&common, Scope::Paths(paths))?;
    tree.options.selection = Selection::Tracked;
    tree.options.wanted.line_hashes = true;
    let range = range.map(|range| Config::new(&common, Scope::Range(change, range))).transpose()?;
    let is_asked = match history {
        HistoryArg::Auto => plan.survey.is_some(),
        HistoryArg::Always => true,
        HistoryArg::Never => false,
    };
    let history = is_asked.then(|| Config::new(&common, Scope::History(here()))).transpose()?;
    let history = history.map(|mut history| {
        history.options.wanted.line_hashes = true;
        history
    });
    Ok(Scans { tree, range, range_text, history })
}

/// The commits of `span`, of those that are there.
fn range(span: &Span) -> Result<Range> {
    let is_there = |name: &String| Committed::open(Path::new("."), name).is_ok();
    let Some(end) = span.ends.iter().find(|end| is_there(end)).or_else(|| span.ends.first()) else {
        bail!("the event names no commit");
    };
    let from = match &span.start {
        Start::At(base) if is_there(base) => Some(base.clone()),
        Start::At(base) => bail!(
            "{base}: this base is not available, so what is new cannot be told; set `fetch-depth: 0` for actions/checkout, or fetch it first"
        ),
        Start::Perhaps(names) => names.iter().find(|name| is_there(name)).cloned(),
    };
    Ok(Range { from, to: end.clone(), is_symmetric: false })
}

/// What makes a run fail under `gate`, which has something to compare with or not.
pub fn policy_under(gate: Gate, policy: Policy, has_range: bool) -> Policy {
    let exit_zero = gate == Gate::None || (gate == Gate::New && !has_range);
    Policy { exit_zero, ..policy }
}
