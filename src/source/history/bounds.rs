//! What reading one store may cost, and what it has cost so far.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What all threads of one sweep share.
pub struct Bounds {
    /// Bytes that may still be inflated and patched.
    left: AtomicU64,
    /// Whether more was asked for.
    is_reached: AtomicBool,
    /// Held while a family of large objects is walked.
    alone: Mutex<()>,
}

impl Bounds {
    /// What is said where there are no more.
    pub const REACHED: &str = "limit on inflated bytes reached";

    /// For stores of `bytes`: far more than an honest one inflates to.
    pub fn new(bytes: u64) -> Self {
        Self::within(bytes.saturating_mul(2_000).max(16 << 30))
    }

    /// At most `bytes` inflated and patched.
    pub const fn within(bytes: u64) -> Self {
        Self { left: AtomicU64::new(bytes), is_reached: AtomicBool::new(false), alone: Mutex::new(()) }
    }

    /// Takes `bytes` off what is left; says whether there were as many.
    pub fn take(&self, bytes: u64) -> bool {
        let taken =
            self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes)).is_ok();
        if !taken {
            self.is_reached.store(true, Ordering::Relaxed);
        }
        taken
    }

    /// Held by the only walk of a family of large objects.
    pub fn alone(&self) -> MutexGuard<'_, ()> {
        self.alone.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether more was asked for than there was.
    pub fn is_reached(&self) -> bool {
        self.is_reached.load(Ordering::Relaxed)
    }

    /// Bytes that may still be inflated and patched.
    pub fn left(&self) -> u64 {
        self.left.load(Ordering::Relaxed)
    }
}
