//! From arguments to a complete, checked configuration.
//!
//! The only module beside `main` that sees the command line; nothing below it reads an argument or the environment.

mod bounds;
mod event;
mod hook;
mod standpoint;
mod terms;

pub use event::{Ci, Gate, Scans, policy_under};
pub use terms::{Base, Origin, Terms};

use crate::cli::{
    BaselineArgs, BoundArgs, ColorArg, CommonArgs, ConversionArgs, FailOnArg, FormatArg, HistoryArgs, MessageArgs,
    OnIncompleteArg, PolicyArgs, RangeArgs, ReportArgs, ScanArgs, StagedArgs, SuppressedArg,
};
use crate::exit::Policy;
use crate::output::Destination;
use crate::report::SuppressedResults;
use crate::rule::{Level, RuleFiles, Rules};
use crate::scan::{self, HistoryOptions, Listing, Options, Part, Progress, Range, Scope, Selection, Wanted};
use crate::settings::{OnIncomplete, Settings};
use anyhow::{Context as _, Result, bail};
use hook::change;
use standpoint::Standpoint;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// Everything one scan needs.
pub struct Config {
    /// What to scan, and how.
    pub options: Options,
    /// How to report it.
    pub output: Output,
    /// What makes it fail.
    pub policy: Policy,
    /// What decides which findings count.
    pub terms: Terms,
    /// How far what is scanned has got.
    pub moment: Moment,
}

/// How far what is scanned has got, on its way to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// It is about to be committed.
    BeforeCommit,
    /// It is about to be pushed.
    BeforePush,
    /// It may be anywhere.
    Later,
}

/// How to report.
#[derive(Debug)]
pub struct Output {
    /// In which format.
    pub format: Format,
    /// To where.
    pub destination: Destination,
    /// Findings alone.
    pub quiet: bool,
    /// Whether SARIF holds findings that do not count.
    pub suppressed: SuppressedResults,
}

/// The formats, with what each needs to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people, in colour or not.
    Text {
        /// Whether to colour.
        colour: bool,
    },
    /// Version 1 of the JSON report.
    Json,
    /// The same in lines.
    Lines,
    /// SARIF 2.1.0.
    Sarif,
    /// Commands to GitHub Actions.
    Github,
    /// GitLab's secret detection report.
    Gitlab,
    /// `JUnit` XML.
    Junit,
    /// Comma-separated values.
    Csv,
    /// Markdown.
    Markdown,
}

impl Config {
    /// Of `ansalint scan`.
    pub fn scan(args: ScanArgs) -> Result<Self> {
        let selection = if args.tracked { Selection::Tracked } else { Selection::Every };
        let scope = scope(args.paths, args.files_from, selection)?;
        let mut config = Self::new(&args.common, scope)?;
        config.terms.is_whole &= selection == Selection::Every;
        config.options.selection = selection;
        Ok(config)
    }

    /// Of `ansalint history`.
    pub fn history(args: HistoryArgs) -> Result<Self> {
        let mut config = Self::new(&args.common, Scope::History(args.repositories))?;
        config.options.history = HistoryOptions {
            authors: args.authors,
            follow_alternates: args.follow_alternates,
            check_missing: args.check_missing,
        };
        Ok(config)
    }

    /// Of `ansalint staged`.
    pub fn staged(args: StagedArgs) -> Result<Self> {
        Self::new(&args.common, Scope::Staged(change(args.place), Part::Staged))
    }

    /// Of `ansalint range`.
    pub fn range(args: RangeArgs) -> Result<Self> {
        let text = args.range.unwrap_or_default();
        let range = match args.since {
            Some(from) => Range { from: Some(from), to: "HEAD".into(), is_symmetric: false },
            None => Range::parse(&text)
                .with_context(|| format!("`{text}` is no range; write `A..B`, `A...B` or `--since REV`"))?,
        };
        let mut config = Self::new(&args.common, Scope::Range(change(args.place), range))?;
        config.options.history.authors = args.authors;
        Ok(config)
    }

    /// Of `ansalint message`.
    pub fn message(args: MessageArgs) -> Result<Self> {
        Self::new(&args.common, Scope::Message(args.file))
    }

    /// Of `ansalint baseline`, which looks at everything below the root.
    pub fn baseline(args: BaselineArgs) -> Result<Self> {
        let root = Standpoint::of_paths(&[args.path]).root;
        let BaselineArgs { policy, rules, jobs, .. } = args;
        let common = CommonArgs {
            publishable: false,
            report: ReportArgs::default(),
            policy,
            bounds: BoundArgs::default(),
            rules,
            jobs,
        };
        Self::new(&common, Scope::Paths(vec![root]))
    }

    /// Of `ansalint report`.
    pub fn conversion(args: &ConversionArgs) -> Result<Conversion> {
        let destination = args.output.clone().map_or(Destination::Stdout, Destination::File);
        destination.check()?;
        let format = Format::new(args.format, is_coloured(args.color, &destination));
        let policy =
            args.fail_on.map(|level| Policy { fail_on: level_of(level), exit_zero: false, allow_incomplete: false });
        let output = Output { format, destination, quiet: false, suppressed: results(args.suppressed) };
        Ok(Conversion { output, policy, now: now() })
    }

    /// What decides which findings count around `path`.
    pub fn terms(args: &PolicyArgs, path: &Path) -> Result<Terms> {
        path.symlink_metadata().with_context(|| format!("{}: cannot be read", path.display()))?;
        Terms::new(args, &Standpoint::of_paths(&[path.to_owned()]), &rules(None)?, now())
    }

    /// Checks `args` and completes them.
    fn new(args: &CommonArgs, scope: Scope) -> Result<Self> {
        let output = Output::new(&args.report);
        output.destination.check()?;
        let (rules, now) = (rules(args.rules.as_deref())?, now());
        let terms = Terms::new(&args.policy, &standpoint(&scope), &rules, now)?;
        let settings = &terms.suppressions.settings;
        let wanted = Wanted {
            inventory: args.publishable || settings.publishable.as_ref().is_some_and(|asked| *asked.get_ref()),
            ignored: args.report.show_ignored,
            line_hashes: output.format == Format::Sarif,
        };
        let is_shown = !output.quiet && std::io::stderr().is_terminal();
        let options = Options {
            scope,
            selection: Selection::Every,
            jobs: jobs(args.jobs, settings),
            wanted,
            rules,
            overrides: terms.overrides(),
            limits: bounds::of_archives(&args.bounds.archives, &settings.limits),
            bounds: bounds::of_encodings(&args.bounds.encodings, &settings.limits),
            history: HistoryOptions::default(),
            now,
            progress: Progress::new(is_shown),
        };
        let policy = policy(&args.report, settings);
        let moment = match &options.scope {
            Scope::Staged(..) | Scope::Message(_) => Moment::BeforeCommit,
            Scope::Push(..) => Moment::BeforePush,
            _ => Moment::Later,
        };
        Ok(Self { options, output, policy, terms, moment })
    }
}

/// How to write a stored report.
pub struct Conversion {
    /// In which format, and to where.
    pub output: Output,
    /// What makes it fail; none where nothing does.
    pub policy: Option<Policy>,
    /// The time, in seconds since 1970.
    pub now: i64,
}

impl Output {
    fn new(args: &ReportArgs) -> Self {
        let destination = args.output.clone().map_or(Destination::Stdout, Destination::File);
        let format = Format::new(args.format, is_coloured(args.color, &destination));
        Self { format, destination, quiet: args.quiet, suppressed: results(args.suppressed) }
    }
}

const fn results(suppressed: SuppressedArg) -> SuppressedResults {
    match suppressed {
        SuppressedArg::Include => SuppressedResults::Written,
        SuppressedArg::Omit => SuppressedResults::LeftOut,
    }
}

impl Format {
    const fn new(format: FormatArg, colour: bool) -> Self {
        match format {
            FormatArg::Text => Self::Text { colour },
            FormatArg::Json => Self::Json,
            FormatArg::Jsonl => Self::Lines,
            FormatArg::Sarif => Self::Sarif,
            FormatArg::Github => Self::Github,
            FormatArg::Gitlab => Self::Gitlab,
            FormatArg::Junit => Self::Junit,
            FormatArg::Csv => Self::Csv,
            FormatArg::Markdown => Self::Markdown,
        }
    }
}

fn is_coloured(when: ColorArg, destination: &Destination) -> bool {
    match (when, destination) {
        (ColorArg::Always, _) => true,
        (ColorArg::Never, _) | (ColorArg::Auto, Destination::File(_)) => false,
        (ColorArg::Auto, Destination::Stdout) => std::io::stdout().is_terminal() && is_colour_welcome(),
    }
}

/// Whether the environment has nothing against colour; see <https://no-color.org>.
fn is_colour_welcome() -> bool {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !is_set("NO_COLOR") && std::env::var_os("TERM").is_some_and(|terminal| terminal != "dumb")
}

fn policy(args: &ReportArgs, settings: &Settings) -> Policy {
    let asked = args.fail_on.map(level_of);
    let set = settings.fail_on.as_ref().map(|level| *level.get_ref());
    let set_to_warn = settings.on_incomplete.as_ref().is_some_and(|action| *action.get_ref() == OnIncomplete::Warn);
    let allow_incomplete = args.on_incomplete.map_or(set_to_warn, |action| action == OnIncompleteArg::Warn);
    Policy { fail_on: asked.or(set).unwrap_or(Level::Warning), exit_zero: args.exit_zero, allow_incomplete }
}

const fn level_of(level: FailOnArg) -> Level {
    match level {
        FailOnArg::Note => Level::Note,
        FailOnArg::Warning => Level::Warning,
        FailOnArg::Error => Level::Error,
    }
}

/// The configuration that holds for what is scanned.
fn standpoint(scope: &Scope) -> Standpoint {
    match scope {
        Scope::Paths(paths) => Standpoint::of_paths(paths),
        Scope::History(repositories) => Standpoint::of_repositories(repositories),
        Scope::Staged(change, _) | Scope::Range(change, _) | Scope::Push(change, _) => {
            Standpoint::of_top(&change.folder, change.environment.work_tree.as_deref())
        }
        _ => Standpoint { is_whole: false, ..Standpoint::of_paths(&[]) },
    }
}

fn scope(paths: Vec<PathBuf>, files_from: Option<PathBuf>, selection: Selection) -> Result<Scope> {
    let is_dash = |path: &Path| path == Path::new("-");
    if let Some(list) = files_from {
        return Ok(Scope::List(if is_dash(&list) { Listing::Stdin } else { Listing::File(list) }));
    }
    if !paths.iter().any(|path| is_dash(path)) {
        return Ok(Scope::Paths(paths));
    }
    if paths.len() > 1 {
        bail!("`-` is standard input and stands alone; name a file called `-` as `./-`");
    }
    if selection == Selection::Tracked {
        bail!("`--tracked` asks git about files, and standard input is none");
    }
    Ok(Scope::Stdin)
}

/// The rules built in, or those of `folder`, checked whole.
pub fn rules(folder: Option<&Path>) -> Result<Rules> {
    let Some(folder) = folder else { return Ok(Rules::load(&RuleFiles::embedded())?) };
    let read = |name: &str| {
        let path = folder.join(name);
        std::fs::read_to_string(&path).with_context(|| format!("{}: the rules cannot be read", path.display()))
    };
    let (keys, placeholders, findings) = (read("keys.toml")?, read("placeholders.toml")?, read("findings.toml")?);
    let mut sides = Vec::new();
    let side_folder = folder.join("sides");
    for entry in
        side_folder.read_dir().with_context(|| format!("{}: the rules cannot be read", side_folder.display()))?
    {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if Path::new(&name).extension().is_some_and(|extension| extension == "toml") {
            sides.push((name.clone(), read(&format!("sides/{name}"))?));
        }
    }
    sides.sort();
    let files = RuleFiles { keys, placeholders, findings, calls: read("calls.toml")?, sides };
    let rules = Rules::load(&files).with_context(|| folder.display().to_string())?;
    scan::check(&rules).with_context(|| folder.display().to_string())?;
    Ok(rules)
}

/// Seconds since 1970; the only look at a clock.
fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

/// Threads: as asked for, else all processors, but no more than the configuration allows.
fn jobs(asked: Option<u16>, settings: &Settings) -> usize {
    let most = settings.limits.jobs.as_ref().map_or(usize::MAX, |jobs| usize::from(*jobs.get_ref()));
    asked.map_or_else(|| available().min(most), usize::from)
}

fn available() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
