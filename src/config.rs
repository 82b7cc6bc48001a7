//! From arguments to a complete, checked configuration.
//!
//! The only module beside `main` that sees the command line; nothing below it reads an argument or the environment.

use crate::cli::{
    ColorArg, CommonArgs, FailOnArg, FormatArg, HistoryArgs, MessageArgs, OnIncompleteArg, PlaceArgs, RangeArgs,
    ReportArgs, ScanArgs, StagedArgs,
};
use crate::exit::Policy;
use crate::output::Destination;
use crate::rule::{Level, RuleFiles, Rules};
use crate::scan::{
    self, ChangeOptions, HistoryOptions, HookEnvironment, Listing, Options, Part, Progress, Range, Scope, Selection,
    Wanted,
};
use anyhow::{Context as _, Result, bail};
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// Everything one scan needs.
#[derive(Debug)]
pub struct Config {
    /// What to scan, and how.
    pub options: Options,
    /// How to report it.
    pub output: Output,
    /// What makes it fail.
    pub policy: Policy,
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
    /// SARIF 2.1.0.
    Sarif,
}

impl Config {
    /// Of `ansalint scan`.
    pub fn scan(args: ScanArgs) -> Result<Self> {
        let selection = if args.tracked { Selection::Tracked } else { Selection::Every };
        let scope = scope(args.paths, args.files_from, selection)?;
        let mut config = Self::new(&args.common, scope)?;
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

    /// Of `ansalint hook`.
    pub fn hook(args: StagedArgs) -> Result<Self> {
        let change = change(args.place);
        let name = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let refs = name("PRE_COMMIT_FROM_REF").zip(name("PRE_COMMIT_TO_REF"));
        let scope = match refs {
            Some((from, to)) => {
                let range = Range::parse(&format!("{from}..{to}")).context("PRE_COMMIT_FROM_REF names no commit")?;
                Scope::Range(change, range)
            }
            // git names the index to its hooks while a commit is under way.
            None if change.environment.index_file.is_some() => Scope::Staged(change, Part::Staged),
            None => Scope::Staged(change, Part::StagedOrWhole),
        };
        Self::new(&args.common, scope)
    }

    /// Checks `args` and completes them.
    fn new(args: &CommonArgs, scope: Scope) -> Result<Self> {
        let output = Output::new(&args.report);
        output.destination.check()?;
        let wanted = Wanted {
            inventory: args.publishable,
            ignored: args.report.show_ignored,
            line_hashes: output.format == Format::Sarif,
        };
        let is_shown = !output.quiet && std::io::stderr().is_terminal();
        let options = Options {
            scope,
            selection: Selection::Every,
            jobs: args.jobs.map_or_else(available, usize::from),
            wanted,
            rules: rules(args.rules.as_deref())?,
            history: HistoryOptions::default(),
            now: now(),
            progress: Progress::new(is_shown),
        };
        Ok(Self { options, output, policy: policy(&args.report) })
    }
}

impl Output {
    fn new(args: &ReportArgs) -> Self {
        let destination = args.output.clone().map_or(Destination::Stdout, Destination::File);
        let format = match args.format {
            FormatArg::Text => Format::Text { colour: is_coloured(args.color, &destination) },
            FormatArg::Json => Format::Json,
            FormatArg::Sarif => Format::Sarif,
        };
        Self { format, destination, quiet: args.quiet }
    }
}

/// The repository of a change, as a hook of git sees it.
fn change(args: PlaceArgs) -> ChangeOptions {
    let path = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let environment = HookEnvironment {
        git_dir: path("GIT_DIR"),
        work_tree: path("GIT_WORK_TREE"),
        index_file: path("GIT_INDEX_FILE"),
    };
    ChangeOptions { folder: args.repository, environment, follow_alternates: args.follow_alternates }
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

const fn policy(args: &ReportArgs) -> Policy {
    let fail_on = match args.fail_on {
        FailOnArg::Note => Level::Note,
        FailOnArg::Warning => Level::Warning,
        FailOnArg::Error => Level::Error,
    };
    let allow_incomplete = matches!(args.on_incomplete, OnIncompleteArg::Warn);
    Policy { fail_on, exit_zero: args.exit_zero, allow_incomplete }
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
    let files = RuleFiles { keys, placeholders, findings, sides };
    let rules = Rules::load(&files).with_context(|| folder.display().to_string())?;
    scan::check(&rules).with_context(|| folder.display().to_string())?;
    Ok(rules)
}

/// Seconds since 1970; the only look at a clock.
fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

fn available() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
