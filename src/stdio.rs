//! The process's own streams: whether standard output is there at all, and messages on standard error.

use crate::detect::{Detector, mask};
use crate::report::escape;
use crate::rule::{RuleFiles, Rules};
use anyhow::{Result, bail};
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};

/// Set before `main` when standard output is closed.
static STDOUT_IS_CLOSED: AtomicBool = AtomicBool::new(false);

/// The same of standard input.
static STDIN_IS_CLOSED: AtomicBool = AtomicBool::new(false);

/// Runs before the standard library puts `/dev/null` in the place of closed streams, after which nobody can tell.
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
#[expect(
    unsafe_code,
    reason = "the section of functions that run before main has no safe name; the function itself is safe"
)]
#[used]
#[unsafe(link_section = ".init_array")]
static LOOK: extern "C" fn() = {
    extern "C" fn look() {
        STDOUT_IS_CLOSED.store(rustix::io::fcntl_getfd(rustix::stdio::stdout()).is_err(), Ordering::Relaxed);
        STDIN_IS_CLOSED.store(rustix::io::fcntl_getfd(rustix::stdio::stdin()).is_err(), Ordering::Relaxed);
    }
    look
};

/// Fails where a report to standard output would go nowhere.
pub fn check_stdout() -> Result<()> {
    if STDOUT_IS_CLOSED.load(Ordering::Relaxed) {
        bail!("standard output is closed; open it, or write the report with --output FILE");
    }
    Ok(())
}

/// Fails where a scan of standard input would read nothing.
pub fn check_stdin() -> Result<()> {
    if STDIN_IS_CLOSED.load(Ordering::Relaxed) {
        bail!("standard input is closed; open it, or name a file");
    }
    Ok(())
}

/// Writes `error` and its causes to standard error on one line.
pub fn complain(error: &anyhow::Error) {
    // Nobody is left to tell when standard error is gone.
    let _ = writeln!(std::io::stderr().lock(), "{}", safe(&format!("error: {error:#}")));
}

/// Writes what is wrong with the arguments to standard error, line by line.
pub fn complain_of_usage(message: &str) {
    let mut out = std::io::stderr().lock();
    for line in message.lines() {
        let is_command = ["::", "##"].iter().any(|mark| line.trim_start().starts_with(mark));
        let _ = writeln!(out, "{}{}", if is_command { "| " } else { "" }, safe(line));
    }
}

/// `text` escaped, and keys in it masked: somebody may have given one as an argument.
fn safe(text: &str) -> String {
    let detector = Rules::load(&RuleFiles::embedded()).and_then(|rules| Detector::new(&rules));
    let masked = detector.map_or_else(|_| String::new(), |detector| mask(&detector, text.as_bytes()));
    escape(&masked).into_owned()
}

/// Makes a panic say where it happened and nothing of what it was about: that could hold scanned text.
pub fn quiet_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or_else(String::new, |place| format!(" at {}:{}", place.file(), place.line()));
        let _ = writeln!(std::io::stderr().lock(), "internal error{place}; please report it");
    }));
}
