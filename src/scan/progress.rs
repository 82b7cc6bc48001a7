//! A progress line on a terminal, for scans that take long enough to want one.
//!
//! Silent everywhere else, and never on standard output.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How long a scan runs before it shows anything.
const PATIENCE: Duration = Duration::from_secs(1);
/// Files between two looks at the clock.
const STRIDE: u64 = 64;

/// Counts files and bytes, and shows them on standard error if that is a terminal.
#[derive(Debug)]
pub struct Progress {
    bar: Option<ProgressBar>,
    started: Instant,
    is_shown: AtomicBool,
    files: AtomicU64,
    bytes: AtomicU64,
}

impl Progress {
    /// A line that appears after a second, or none at all.
    pub fn new(is_wanted: bool) -> Self {
        let bar = is_wanted.then(|| {
            let style = ProgressStyle::with_template("{spinner} {msg}").unwrap_or_else(|_| ProgressStyle::default_spinner());
            ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden()).with_style(style)
        });
        let (files, bytes) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { bar, started: Instant::now(), is_shown: AtomicBool::new(false), files, bytes }
    }

    /// One more file, of `bytes` bytes.
    pub fn add(&self, bytes: u64) {
        let Some(bar) = &self.bar else { return };
        let files = self.files.fetch_add(1, Ordering::Relaxed) + 1;
        let bytes = self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if !files.is_multiple_of(STRIDE) || self.started.elapsed() < PATIENCE {
            return;
        }
        if !self.is_shown.swap(true, Ordering::Relaxed) {
            bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        bar.set_message(format!("{files} files, {} MiB read", bytes >> 20));
        bar.tick();
    }

    /// Takes the line away.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
