//! The program: arguments in, a report and an exit code out.
//!
//! Everything it does is in the library.

use ansalint::cli::Cli;
use ansalint::exit::Exit;
use ansalint::{command, stdio};
use clap::Parser as _;
use std::panic::catch_unwind;
use std::process::ExitCode;
use std::thread::JoinHandle;

/// Bytes of stack, whatever limit the shell has set: the parser of arguments alone needs much of it.
const STACK_BYTES: usize = 8 << 20;

fn main() -> ExitCode {
    stdio::quiet_panics();
    match std::thread::Builder::new().stack_size(STACK_BYTES).spawn(program).map(JoinHandle::join) {
        Ok(Ok(code)) => code,
        Ok(Err(_)) => Exit::Error.into(),
        Err(error) => {
            stdio::complain(&error.into());
            Exit::Error.into()
        }
    }
}

fn program() -> ExitCode {
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
    let run = catch_unwind(|| command::run(cli.command));
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
