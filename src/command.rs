//! One function a command, each a table of contents.

use crate::cli::{Cli, ExplainArgs, HistoryArgs, MessageArgs, RangeArgs, ScanArgs, StagedArgs};
use crate::config::{self, Config, Format};
use crate::exit::Exit;
use crate::output::Destination;
use crate::report::{self, TextStyle};
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

/// Scans and reports.
fn run(config: Config) -> Result<Exit> {
    let Config { options, output, policy } = config;
    if output.destination == Destination::Stdout {
        stdio::check_stdout()?;
    }
    if matches!(options.scope, Scope::Stdin) {
        stdio::check_stdin()?;
    }
    let report = scan::run(&options)?;
    output.destination.write(|out| match output.format {
        Format::Text { colour } => {
            report::text(&report, &options.rules, TextStyle { colour, quiet: output.quiet }, out)
        }
        Format::Json => report::json(&report, out),
        Format::Sarif => report::sarif(&report, &options.rules, out),
    })?;
    Ok(Exit::of(&report, policy))
}

/// `ansalint explain`.
pub fn explain(args: &ExplainArgs) -> Result<Exit> {
    stdio::check_stdout()?;
    let explained = scan::explain(&args.side, &config::rules(args.rules.as_deref())?)?;
    Destination::Stdout
        .write(|out| explained.iter().try_for_each(|one| report::account(&one.path, &one.account, out)))?;
    Ok(Exit::Clean)
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
