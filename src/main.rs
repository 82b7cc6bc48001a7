//! The program: arguments in, a report and an exit code out.
//!
//! Everything it does is in the library.

use ansalint::cli::{Cli, Command};
use ansalint::exit::Exit;
use ansalint::{command, stdio};
use clap::Parser as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    stdio::quiet_panics();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let exit = if error.use_stderr() { Exit::Error } else { Exit::Clean };
            // Where even the message cannot be written, the code still tells.
            return error.print().map_or(Exit::Error, |()| exit).into();
        }
    };
    let run = match cli.command {
        Command::Scan(args) => command::scan(args),
        Command::Completions { shell } => command::completions(shell),
        Command::Man => command::man(),
    };
    match run {
        Ok(exit) => exit.into(),
        Err(error) => {
            stdio::complain(&error);
            Exit::Error.into()
        }
    }
}
