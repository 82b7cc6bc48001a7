//! Arguments of the commands around a scan: baseline, stored reports, configuration, rules; no logic.

use super::{ColorArg, FailOnArg, FormatArg, PolicyArgs, SuppressedArg};
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

/// What to do with the baseline.
#[derive(Debug, Subcommand)]
pub enum BaselineCommand {
    /// Write a baseline with everything that is found now
    Create(BaselineArgs),
    /// Add what is found now, and follow keys that have moved
    Update(BaselineArgs),
    /// Take out what is found no longer, neither in the tree nor in the history
    Prune(PruneArgs),
    /// List what is in it
    Show(ShowArgs),
}

/// How to take entries out of the baseline.
#[derive(Args, Debug)]
pub struct PruneArgs {
    /// How to change it.
    #[command(flatten)]
    pub baseline: BaselineArgs,

    /// Take out what only the history still holds, too; `ansalint history` then finds it anew
    #[arg(long = "tree-only")]
    pub is_tree_alone: bool,
}

/// How to change the baseline.
#[derive(Args, Clone, Debug)]
pub struct BaselineArgs {
    /// Any path in the repository; all of the repository is scanned
    #[arg(value_name = "PATH", default_value = ".")]
    pub path: PathBuf,

    /// Who answers for the keys added; live keys in client code are not added without
    #[arg(long, value_name = "NAME")]
    pub owner: Option<String>,

    /// The last day the entries hold, such as 2027-01-31; 90 days for live keys in client code if not given
    #[arg(long, value_name = "DATE")]
    pub expires: Option<String>,

    /// Why the keys may stay for now
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,

    /// Add what only git's history has as well, as `ansalint history` finds it
    #[arg(long, conflicts_with = "from")]
    pub history: bool,

    /// Take findings from a stored JSON report instead of a scan; may be given several times
    #[arg(long, value_name = "REPORT")]
    pub from: Vec<PathBuf>,

    /// What decides which findings count.
    #[command(flatten)]
    pub policy: PolicyArgs,

    /// Read the rules from DIR instead of the ones built in
    #[arg(long, value_name = "DIR")]
    pub rules: Option<PathBuf>,

    /// Threads; all processors by default
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub jobs: Option<u16>,
}

/// Which stored report to write, and how.
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub struct ReportFileArgs {
    /// Something else to do with stored reports.
    #[command(subcommand)]
    pub command: Option<ReportCommand>,

    /// A report that `--format json` wrote; `-` is standard input
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,

    /// How to write it.
    #[command(flatten)]
    pub options: ConversionArgs,
}

/// What else to do with stored reports.
#[derive(Debug, Subcommand)]
pub enum ReportCommand {
    /// Join several reports into one: a tree and its history, or the parts of one scan
    Merge(MergeArgs),
}

/// Which stored reports to join, and how to write the whole.
#[derive(Args, Debug)]
pub struct MergeArgs {
    /// Reports that `--format json` wrote
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,

    /// How to write it.
    #[command(flatten)]
    pub options: ConversionArgs,
}

/// How to write a stored report.
#[derive(Args, Debug)]
pub struct ConversionArgs {
    /// Format to write
    #[arg(short, long, value_enum, default_value_t = FormatArg::Json)]
    pub format: FormatArg,

    /// Write to FILE instead of standard output, readable by you alone; never through a link
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// Exit with 1 if there are findings of this level or above, and with 3 if the report is incomplete; with 0 if not given
    #[arg(long, value_enum, value_name = "LEVEL")]
    pub fail_on: Option<FailOnArg>,

    /// Whether SARIF holds suppressed findings; `omit` them for GitHub, which would open alerts
    #[arg(long, value_enum, value_name = "ACTION", default_value_t = SuppressedArg::Include)]
    pub suppressed: SuppressedArg,

    /// Colour in text reports
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = ColorArg::Auto)]
    pub color: ColorArg,
}

/// How to list the baseline.
#[derive(Args, Debug)]
pub struct ShowArgs {
    /// Any path in the repository
    #[arg(value_name = "PATH", default_value = ".")]
    pub path: PathBuf,

    /// For people, or for programs
    #[arg(short, long, value_enum, default_value_t = ShowFormatArg::Text)]
    pub format: ShowFormatArg,

    /// What decides which findings count.
    #[command(flatten)]
    pub policy: PolicyArgs,
}

/// What to explain.
#[derive(Args, Debug)]
pub struct ExplainArgs {
    /// A code such as ANSA1001, or the name of a rule; all rules are listed without
    #[arg(value_name = "CODE")]
    pub code: Option<String>,

    /// A JSON report of `ansalint history`: adds the commands for the refs that still hold what it found
    #[arg(long, value_name = "REPORT", requires = "code")]
    pub report: Option<PathBuf>,

    /// Instead, say which side a file is on and why, whether or not it holds a key; may be given several times
    #[arg(long, value_name = "PATH", conflicts_with = "code")]
    pub side: Vec<PathBuf>,

    /// Read the rules from DIR instead of the ones built in
    #[arg(long, value_name = "DIR", requires = "side")]
    pub rules: Option<PathBuf>,

    /// Read the configuration, whose `[sides]` hold, from FILE instead of `ansalint.toml` at the top of the repository
    #[arg(long, value_name = "FILE", requires = "side")]
    pub config: Option<PathBuf>,

    /// Read no configuration
    #[arg(long, requires = "side", conflicts_with = "config")]
    pub no_config: bool,
}

/// How to list the rules.
#[derive(Args, Debug)]
pub struct RulesArgs {
    /// For people, or for programs
    #[arg(short, long, value_enum, default_value_t = ShowFormatArg::Text)]
    pub format: ShowFormatArg,
}

/// What to print the configuration of.
#[derive(Args, Debug)]
pub struct ConfigArgs {
    /// Any path in the repository
    #[arg(value_name = "PATH", default_value = ".")]
    pub path: PathBuf,

    /// What decides which findings count.
    #[command(flatten)]
    pub policy: PolicyArgs,
}

/// Formats of lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ShowFormatArg {
    /// For people
    Text,
    /// For programs
    Json,
}
