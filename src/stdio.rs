//! The process's own streams: whether standard output is there at all, and messages on standard error.

use crate::report::escape;
use anyhow::{Result, bail};
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};

/// Set before `main` when standard output is closed.
static STDOUT_IS_CLOSED: AtomicBool = AtomicBool::new(false);

/// Runs before the standard library puts `/dev/null` in the place of closed streams, after which nobody can tell.
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
#[expect(unsafe_code, reason = "the section of functions that run before main has no safe name; the function itself is safe")]
#[used]
#[unsafe(link_section = ".init_array")]
static LOOK: extern "C" fn() = {
    extern "C" fn look() {
        let is_closed = rustix::io::fcntl_getfd(rustix::stdio::stdout()).is_err();
        STDOUT_IS_CLOSED.store(is_closed, Ordering::Relaxed);
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

/// Writes `error` and its causes to standard error on one line.
pub fn complain(error: &anyhow::Error) {
    let message = format!("error: {error:#}");
    // Nobody is left to tell when standard error is gone.
    let _ = writeln!(std::io::stderr().lock(), "{}", escape(&message));
}

/// Makes a panic say where it happened and nothing of what it was about: that could hold scanned text.
pub fn quiet_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or_else(String::new, |place| format!(" at {}:{}", place.file(), place.line()));
        let _ = writeln!(std::io::stderr().lock(), "internal error{place}; please report it");
    }));
}
