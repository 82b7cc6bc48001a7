//! One function a command, each a table of contents.

mod baseline;
mod show_config;

use crate::cli::{
    BaselineCommand, Cli, ConfigArgs, HistoryArgs, MessageArgs, RangeArgs, ScanArgs, StagedArgs,
};
use crate::conclude;
use crate::config::{Config, Format};
use crate::exit::Exit;
use crate::output::Destination;
use crate::report::{self, SuppressedResults, TextStyle};
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

/// `ansalint config`.
pub fn config(args: &ConfigArgs) -> Result<Exit> {
    show_config::run(args)
}

/// The reports stored in `files`, joined; none for no files.
fn stored(files: &[std::path::PathBuf]) -> Result<Option<report::Report>> {
    let _ = files;
    Ok(None)
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
    output.destination.write(|out| match output.format {
        Format::Text { colour } => {
            report::text(&report, &options.rules, TextStyle { colour, quiet: output.quiet }, out)
        }
        Format::Json => report::json(&report, out),
        Format::Sarif => report::sarif(&report, &options.rules, SuppressedResults::Written, out),
    })?;
    Ok(Exit::of(&report, policy))
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
