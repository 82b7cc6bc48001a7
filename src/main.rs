//! The program: arguments in, a report and an exit code out.
//!
//! Everything it does is in the library.

use ansalint::cli::{Cli, Command};
use ansalint::exit::Exit;
use ansalint::{command, stdio};
use clap::Parser as _;
use std::panic::catch_unwind;
use std::process::ExitCode;

fn main() -> ExitCode {
    stdio::quiet_panics();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            if error.use_stderr() {
                stdio::complain_of_usage(&error.render().to_string());
                return Exit::Error.into();
            }
            // Help and version, asked for.
            return error.print().map_or(Exit::Error, |()| Exit::Clean).into();
        }
    };
    let run = catch_unwind(|| match cli.command {
        Command::Scan(args) => command::scan(args),
        Command::History(args) => command::history(args),
        Command::Staged(args) => command::staged(args),
        Command::Range(args) => command::range(args),
        Command::Message(args) => command::message(args),
        Command::Hook(args) => command::hook(args),
        Command::Explain(args) => command::explain(&args),
        Command::Completions { shell } => command::completions(shell),
        Command::Man => command::man(),
    });
    match run {
        Ok(Ok(exit)) => exit.into(),
        // The panic has said where it was.
        Err(_) => Exit::Error.into(),
        Ok(Err(error)) => {
            stdio::complain(&error);
            Exit::Error.into()
        }
    }
}
