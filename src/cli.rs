//! The command line as it is written; no logic.
//!
//! What the arguments mean is settled in `config`.

mod bounds;
mod upkeep;

pub use bounds::{ArchiveArgs, BoundArgs, DecodeArgs};
pub use upkeep::{
    BaselineArgs, BaselineCommand, ConfigArgs, ConversionArgs, ExplainArgs, MergeArgs, PruneArgs, ReportCommand,
    ReportFileArgs, RulesArgs, ShowArgs, ShowFormatArg,
};

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::ffi::OsString;
use std::path::PathBuf;

/// Finds Ansa secret keys, says whether each sits in code that reaches a client, and never prints one.
#[derive(Debug, Parser)]
#[command(name = "ansalint", version, propagate_version = true, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  complete, and nothing at or above --fail-on
  1  findings at or above --fail-on
  2  an error: bad usage, a path that does not exist, nothing to scan, a report that could not be written
  3  nothing at or above --fail-on, but something was not read";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Scan files on disk: every one, hidden, git-ignored and binary too
    Scan(ScanArgs),
    /// Scan everything git ever stored in repositories, reachable or not; not the files on disk
    History(HistoryArgs),
    /// Scan what the next commit adds: the index against HEAD
    Staged(StagedArgs),
    /// Scan what a range of commits adds, messages and merges included
    Range(RangeArgs),
    /// Scan a commit message
    Message(MessageArgs),
    /// Scan what a hook is about: what is pushed, a message, a range, what is staged, or the index
    Hook(HookArgs),
    /// Scan what the CI event at hand asks for: the tree, and the commits of the push or pull request
    Ci(CiArgs),
    /// Make and keep the list of findings that were there before, so that only new ones fail
    #[command(subcommand)]
    Baseline(BaselineCommand),
    /// Write a stored JSON report in another format
    Report(ReportFileArgs),
    /// Say what a rule means, why it matters, what to do instead, and what to do after a leak
    Explain(ExplainArgs),
    /// List the rules
    Rules(RulesArgs),
    /// Print the configuration in force, and where each value came from
    Config(ConfigArgs),
    /// Print shell completions
    Completions {
        /// The shell to complete in
        shell: clap_complete::Shell,
    },
    /// Print the manual page, in roff
    Man,
}

/// What to scan, and how.
#[derive(Args, Debug)]
#[command(after_help = EXIT_CODES)]
pub struct ScanArgs {
    /// Files and folders to scan; `-` is standard input
    #[arg(value_name = "PATH", default_value = ".")]
    pub paths: Vec<PathBuf>,

    /// Scan only what git tracks or would track
    #[arg(long)]
    pub tracked: bool,

    /// Scan the files that LIST names, one a line or separated by NULs; `-` is standard input
    #[arg(long, value_name = "LIST", conflicts_with = "paths")]
    pub files_from: Option<PathBuf>,

    /// What every scan takes.
    #[command(flatten)]
    pub common: CommonArgs,
}

/// Which histories to scan, and how.
#[derive(Args, Debug)]
#[command(after_help = EXIT_CODES)]
pub struct HistoryArgs {
    /// Folders with repositories at or below them, bare or not, and bundles
    #[arg(value_name = "REPO", default_value = ".")]
    pub repositories: Vec<PathBuf>,

    /// Name the authors of commits; never their addresses
    #[arg(long)]
    pub authors: bool,

    /// Read object stores outside the folder where a repository names them as alternates
    #[arg(long)]
    pub follow_alternates: bool,

    /// Walk every tree for objects that are not there, even if no mark says that some are missing
    #[arg(long)]
    pub check_missing: bool,

    /// What every scan takes.
    #[command(flatten)]
    pub common: CommonArgs,
}

/// Which repository to look at.
#[derive(Args, Debug)]
pub struct PlaceArgs {
    /// A folder in the repository
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub repository: PathBuf,

    /// Read object stores outside the repository where it names them as alternates
    #[arg(long)]
    pub follow_alternates: bool,
}

/// Where to look for what is staged.
#[derive(Args, Debug)]
#[command(after_help = EXIT_CODES)]
pub struct StagedArgs {
    /// Which repository.
    #[command(flatten)]
    pub place: PlaceArgs,

    /// What every scan takes.
    #[command(flatten)]
    pub common: CommonArgs,
}

/// What a hook was given.
#[derive(Args, Debug)]
#[command(after_help = EXIT_CODES)]
pub struct HookArgs {
    /// What git passes to the hook, `"$@"`: nothing before a commit, the file of a message, or a remote and its URL, with
    /// what is pushed on standard input
    #[arg(value_name = "ARG", num_args = 0..=3)]
    pub given: Vec<OsString>,

    /// Which repository.
    #[command(flatten)]
    pub place: PlaceArgs,

    /// What every scan takes.
    #[command(flatten)]
    pub common: CommonArgs,
}

/// Which commits to scan.
#[derive(Args, Debug)]
#[command(after_help = EXIT_CODES)]
pub struct RangeArgs {
    /// `A..B`: what B adds to A; `A...B`: what B adds to where the two parted; an absent side is HEAD
    #[arg(value_name = "A..B", required_unless_present = "since", conflicts_with = "since")]
    pub range: Option<String>,

    /// What HEAD adds to REV
    #[arg(long, value_name = "REV")]
    pub since: Option<String>,

    /// Name the authors of commits; never their addresses
    #[arg(long)]
    pub authors: bool,

    /// Which repository.
    #[command(flatten)]
    pub place: PlaceArgs,

    /// What every scan takes.
    #[command(flatten)]
    pub common: CommonArgs,
}

/// Which message to scan.
#[derive(Args, Debug)]
#[command(after_help = EXIT_CODES)]
pub struct MessageArgs {
    /// The file with the message
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// What every scan takes.
    #[command(flatten)]
    pub common: CommonArgs,
}

/// What to do about the CI event at hand, which `GITHUB_EVENT_NAME` and `GITHUB_EVENT_PATH` tell of.
#[derive(Args, Debug)]
#[command(after_help = EXIT_CODES)]
pub struct CiArgs {
    /// Files and folders to scan, as checked out
    #[arg(value_name = "PATH", default_value = ".")]
    pub paths: Vec<PathBuf>,

    /// Which findings fail: those the change adds, every one, or none
    #[arg(long, value_enum, value_name = "WHICH", default_value_t = GateArg::Auto)]
    pub gate: GateArg,

    /// `false` observes: everything is reported, and neither findings nor what was not read fail
    #[arg(long, value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set)]
    pub enforce: bool,

    /// Whether all of git's history is scanned too
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = HistoryArg::Auto)]
    pub history: HistoryArg,

    /// Where the change starts, instead of where the event says; needed where there is no event
    #[arg(long, value_name = "REV")]
    pub base: Option<String>,

    /// Write `ansalint.json`, `ansalint-tree.sarif` and, with a history, `ansalint-history.sarif` into DIR
    #[arg(long, value_name = "DIR")]
    pub reports: Option<PathBuf>,

    /// An organisation's configuration in FILE, which the repository's own may tighten and not loosen
    #[arg(long = "policy", value_name = "FILE")]
    pub organisation: Option<PathBuf>,

    /// Lowest level that fails; `warning`, unless the configuration says otherwise
    #[arg(long, value_enum, value_name = "LEVEL")]
    pub fail_on: Option<FailOnArg>,

    /// What to do when something could not be read: exit with 3 (the default), or only list it
    #[arg(long, value_enum, value_name = "ACTION")]
    pub on_incomplete: Option<OnIncompleteArg>,

    /// What decides which findings count.
    #[command(flatten)]
    pub policy: PolicyArgs,

    /// How far archives and encodings are followed.
    #[command(flatten)]
    pub bounds: BoundArgs,

    /// Read the rules from DIR instead of the ones built in
    #[arg(long, value_name = "DIR")]
    pub rules: Option<PathBuf>,

    /// Threads; all processors by default
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub jobs: Option<u16>,
}

/// Which findings fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum GateArg {
    /// `new` for pushes and pull requests, `none` for schedules, `all` for the rest
    Auto,
    /// Those that the change adds
    New,
    /// Every one
    All,
    /// None
    None,
}

/// When all of the history is scanned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum HistoryArg {
    /// For schedules, and where a run is started by hand
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// What every scan takes.
#[derive(Args, Debug)]
pub struct CommonArgs {
    /// List publishable keys too; they are allowed everywhere and change no exit code
    #[arg(long)]
    pub publishable: bool,

    /// How to report, and what to fail on.
    #[command(flatten)]
    pub report: ReportArgs,

    /// What decides which findings count.
    #[command(flatten)]
    pub policy: PolicyArgs,

    /// How far archives and encodings are followed.
    #[command(flatten)]
    pub bounds: BoundArgs,

    /// Read the rules from DIR instead of the ones built in; DIR is laid out like `rules/` in the source
    #[arg(long, value_name = "DIR")]
    pub rules: Option<PathBuf>,

    /// Threads; all processors by default
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub jobs: Option<u16>,
}

/// How to report, and what to fail on.
#[derive(Args, Debug, Default)]
pub struct ReportArgs {
    /// Format of the report
    #[arg(short, long, value_enum, default_value_t = FormatArg::Text)]
    pub format: FormatArg,

    /// Write the report to FILE instead of standard output, readable by you alone; never through a link
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// Lowest level that makes the exit code 1; `warning`, unless the configuration says otherwise
    #[arg(long, value_enum, value_name = "LEVEL")]
    pub fail_on: Option<FailOnArg>,

    /// Exit with 0 even if there are findings
    #[arg(long)]
    pub exit_zero: bool,

    /// What to do when something could not be read: exit with 3 (the default), or only list it
    #[arg(long, value_enum, value_name = "ACTION")]
    pub on_incomplete: Option<OnIncompleteArg>,

    /// List each candidate that was not taken for a key, and each finding that is suppressed, and why
    #[arg(long)]
    pub show_ignored: bool,

    /// Whether SARIF holds suppressed findings; `omit` them for GitHub, which would open alerts
    #[arg(long, value_enum, value_name = "ACTION", default_value_t = SuppressedArg::Include)]
    pub suppressed: SuppressedArg,

    /// Print findings alone: no summary, no progress
    #[arg(short, long)]
    pub quiet: bool,

    /// Colour in text reports
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = ColorArg::Auto)]
    pub color: ColorArg,
}

/// What decides which findings count.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Configuration and suppression")]
pub struct PolicyArgs {
    /// Read the configuration from FILE instead of `ansalint.toml` at the top of the repository
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Read no configuration, and no baseline that is not named
    #[arg(long, conflicts_with = "config")]
    pub no_config: bool,

    /// Read the baseline from FILE instead of `ansalint-baseline.jsonl` beside the configuration
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,

    /// Whether the baseline is about to be made.
    #[arg(skip)]
    pub baseline_may_be_missing: bool,

    /// Take configuration, baseline and comments that allow keys from REV; what the files on disk add is reported
    #[arg(long, value_name = "REV")]
    pub policy_from: Option<String>,

    /// Let the key with this fingerprint be; may be given several times
    #[arg(long, value_name = "FINGERPRINT")]
    pub allow: Vec<String>,

    /// A configuration that the repository's own may tighten and not loosen; `ci` has an argument for it.
    #[arg(skip)]
    pub organisation: Option<PathBuf>,

    /// Read deactivated keys from FILE, which holds `[[deactivated]]` entries
    #[arg(long, value_name = "FILE")]
    pub deactivated: Option<PathBuf>,
}

/// Formats of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum FormatArg {
    /// For people
    #[default]
    Text,
    /// For programs; schemas/ansalint-1.schema.json describes it
    Json,
    /// For programs that read line by line: each finding on its own, then everything else
    Jsonl,
    /// For code scanning, version 2.1.0
    Sarif,
    /// Annotations, as commands to GitHub Actions
    Github,
    /// GitLab's secret detection report, schema 15.2
    Gitlab,
    /// For test viewers
    Junit,
    /// For spreadsheets
    Csv,
    /// A summary, as GitHub and GitLab show it beside a job
    Markdown,
}

/// Levels to fail on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FailOnArg {
    /// Notes, warnings and errors
    Note,
    /// Warnings and errors
    Warning,
    /// Errors alone
    Error,
}

/// What to do about an incomplete scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OnIncompleteArg {
    /// Exit with 3
    Fail,
    /// List what was not read, and exit as if it had been
    Warn,
}

/// What to do with suppressed findings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum SuppressedArg {
    /// Write them, with what suppresses them
    #[default]
    Include,
    /// Count them only
    Omit,
}

/// When to colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ColorArg {
    /// On a terminal, unless `NO_COLOR` is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}
