//! One function a command, each a table of contents.

mod baseline;
mod convert;
mod show_config;

use crate::cli::{
    BaselineCommand, Cli, ConfigArgs, HistoryArgs, MessageArgs, RangeArgs, ReportFileArgs, ScanArgs, StagedArgs,
};
use crate::conclude;
use crate::config::{Config, Format, Output};
use crate::exit::Exit;
use crate::output::Destination;
use crate::report::{self, Report, TextStyle};
use crate::rule::Rules;
use crate::scan::{self, Scope};
use crate::stdio;
use anyhow::Result;
use clap::CommandFactory as _;

/// `ansalint scan`.
pub fn scan(args: ScanArgs) -> Result<Exit> {
    run(Config::scan(args)?)
}

/// `ansalint history`.
pub fn history(args: HistoryArgs) -> Result<Exit> {
    run(Config::history(args)?)
}

/// `ansalint staged`.
pub fn staged(args: StagedArgs) -> Result<Exit> {
    run(Config::staged(args)?)
}

/// `ansalint range`.
pub fn range(args: RangeArgs) -> Result<Exit> {
    run(Config::range(args)?)
}

/// `ansalint message`.
pub fn message(args: MessageArgs) -> Result<Exit> {
    run(Config::message(args)?)
}

/// `ansalint hook`.
pub fn hook(args: StagedArgs) -> Result<Exit> {
    run(Config::hook(args)?)
}

/// `ansalint baseline`.
pub fn baseline(command: BaselineCommand) -> Result<Exit> {
    baseline::run(command)
}

/// `ansalint report`.
pub fn report(args: ReportFileArgs) -> Result<Exit> {
    convert::run(args)
}

/// `ansalint config`.
pub fn config(args: &ConfigArgs) -> Result<Exit> {
    show_config::run(args)
}

/// Scans and reports.
fn run(config: Config) -> Result<Exit> {
    let Config { options, output, policy, terms } = config;
    if output.destination == Destination::Stdout {
        stdio::check_stdout()?;
    }
    if matches!(options.scope, Scope::Stdin) {
        stdio::check_stdin()?;
    }
    let mut report = scan::run(&options)?;
    conclude::settle(&mut report, &terms, &options.rules, policy);
    write(&report, &options.rules, &output, options.now)?;
    Ok(Exit::of(&report, policy))
}

/// Writes `report`, made at `now`, as `output` says.
fn write(report: &Report, rules: &Rules, output: &Output, now: i64) -> Result<()> {
    let quiet = output.quiet;
    output.destination.write(|out| match output.format {
        Format::Text { colour } => report::text(report, rules, TextStyle { colour, quiet }, out),
        Format::Json => report::json(report, out),
        Format::Lines => report::lines(report, out),
        Format::Sarif => report::sarif(report, rules, output.suppressed, out),
        Format::Github => report::github(report, rules, out),
        Format::Gitlab => report::gitlab(report, rules, now, out),
        Format::Junit => report::junit(report, rules, out),
        Format::Csv => report::csv(report, out),
        Format::Markdown => report::markdown(report, rules, out),
    })
}

/// `ansalint completions`.
pub fn completions(shell: clap_complete::Shell) -> Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "ansalint", &mut script);
    Destination::Stdout.write(|out| out.write_all(&script))?;
    Ok(Exit::Clean)
}

/// `ansalint man`.
pub fn man() -> Result<Exit> {
    let page = clap_mangen::Man::new(Cli::command());
    Destination::Stdout.write(|out| page.render(out))?;
    Ok(Exit::Clean)
}
