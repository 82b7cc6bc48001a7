//! One function a command, each a table of contents.

mod baseline;
mod ci;
mod convert;
mod explain;
mod show_config;

use crate::cli::{Cli, Command, HistoryArgs, HookArgs, MessageArgs, RangeArgs, ScanArgs, StagedArgs};
use crate::conclude;
use crate::config::{Config, Format, Output};
use crate::exit::Exit;
use crate::output::Destination;
use crate::report::{self, Report, TextStyle};
use crate::rule::Rules;
use crate::scan;
use crate::stdio;
use anyhow::Result;
use clap::CommandFactory as _;

/// Runs `command`.
pub fn run(command: Command) -> Result<Exit> {
    match command {
        Command::Scan(args) => scan(args),
        Command::History(args) => history(args),
        Command::Staged(args) => staged(args),
        Command::Range(args) => range(args),
        Command::Message(args) => message(args),
        Command::Hook(args) => hook(args),
        Command::Ci(args) => ci::run(args),
        Command::Baseline(command) => baseline::run(command),
        Command::Report(args) => convert::run(args),
        Command::Explain(args) => explain::run(&args),
        Command::Rules(args) => explain::rules(&args),
        Command::Config(args) => show_config::run(&args),
        Command::Completions { shell } => completions(shell),
        Command::Man => man(),
    }
}

/// `ansalint scan`.
pub fn scan(args: ScanArgs) -> Result<Exit> {
    report_of(Config::scan(args)?)
}

/// `ansalint history`.
pub fn history(args: HistoryArgs) -> Result<Exit> {
    report_of(Config::history(args)?)
}

/// `ansalint staged`.
pub fn staged(args: StagedArgs) -> Result<Exit> {
    report_of(Config::staged(args)?)
}

/// `ansalint range`.
pub fn range(args: RangeArgs) -> Result<Exit> {
    report_of(Config::range(args)?)
}

/// `ansalint message`.
pub fn message(args: MessageArgs) -> Result<Exit> {
    report_of(Config::message(args)?)
}

/// `ansalint hook`.
pub fn hook(args: HookArgs) -> Result<Exit> {
    report_of(Config::hook(args)?)
}

/// Scans and reports.
fn report_of(config: Config) -> Result<Exit> {
    let Config { options, output, policy, terms, moment } = config;
    if output.destination == Destination::Stdout {
        stdio::check_stdout()?;
    }
    if options.scope.reads_stdin() {
        stdio::check_stdin()?;
    }
    let mut report = scan::run(&options)?;
    conclude::settle(&mut report, &terms, &options.rules, policy);
    conclude::encourage(&mut report, moment, policy);
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
