//! What opening one archive may cost, and what it has cost so far.
//!
//! Everything is counted on what comes out, never on what a header claims.

use std::cell::{Cell, RefCell};
use std::io::{self, Read};
use std::rc::Rc;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Bytes of memory that opening one archive may hold, windows apart.
const MEMORY_BYTES_MAX: u64 = 224 << 20;
/// Archives that hold more than this are opened one at a time.
const ALONE_BYTES: u64 = 4 << 20;
/// What an entry costs beyond its bytes, where work is weighed against the archive's size.
const ENTRY_WORK_BYTES: u64 = 4096;
/// Work that is done whatever the ratio.
const FREE_WORK_BYTES: u64 = 64 << 20;
/// Work between two looks at the clock.
const CLOCK_BYTES: u64 = 1 << 20;

/// Held by the one archive that holds much memory.
static ALONE: Mutex<()> = Mutex::new(());

/// How far archives are opened. Each bound is for one outermost archive, with all that is nested in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Archives within archives.
    pub depth: u32,
    /// Members of all archives together.
    pub entries: u64,
    /// Bytes of all members together.
    pub bytes: u64,
    /// Bytes of one member.
    pub entry_bytes: u64,
    /// Bytes that come out for each byte of the outermost archive.
    pub ratio: u64,
    /// Time in seconds.
    pub seconds: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { depth: 8, entries: 1_000_000, bytes: 32 << 30, entry_bytes: 8 << 30, ratio: 250, seconds: 120 }
    }
}

/// The costs of one outermost archive.
pub(super) struct Budget {
    pub limits: Limits,
    deadline: Instant,
    /// Bytes of the outermost archive.
    outer: u64,
    entries: Cell<u64>,
    bytes: Cell<u64>,
    work: Cell<u64>,
    clock: Cell<u64>,
    memory: Cell<u64>,
    alone: RefCell<Option<MutexGuard<'static, ()>>>,
    /// Why nothing more is opened, once a bound is reached.
    cut: RefCell<Option<String>>,
}

impl Budget {
    pub fn new(limits: Limits, outer: u64) -> Rc<Self> {
        let deadline = Instant::now() + Duration::from_secs(limits.seconds.min(1 << 31));
        Rc::new(Self {
            limits,
            deadline,
            outer,
            entries: Cell::new(0),
            bytes: Cell::new(0),
            work: Cell::new(0),
            clock: Cell::new(0),
            memory: Cell::new(0),
            alone: RefCell::new(None),
            cut: RefCell::new(None),
        })
    }

    /// Counts one more member; `false` where that is one too many.
    pub fn entry(&self) -> bool {
        self.entries.set(self.entries.get() + 1);
        if self.entries.get() > self.limits.entries {
            return self.cut(format!("more than {} members", self.limits.entries));
        }
        self.work(ENTRY_WORK_BYTES)
    }

    /// Counts bytes that came out; `false` where they are too many.
    pub fn spend(&self, bytes: u64) -> bool {
        self.bytes.set(self.bytes.get() + bytes);
        if self.bytes.get() > self.limits.bytes {
            return self.cut(format!("more than {} bytes inflated", self.limits.bytes));
        }
        self.work(bytes)
    }

    /// Counts work of another kind.
    pub fn work(&self, bytes: u64) -> bool {
        let work = self.work.get() + bytes;
        self.work.set(work);
        if work > FREE_WORK_BYTES && work / self.limits.ratio.max(1) > self.outer {
            return self.cut(format!("more than {} bytes inflated for each byte of it", self.limits.ratio));
        }
        if work - self.clock.get() > CLOCK_BYTES {
            self.clock.set(work);
            if Instant::now() > self.deadline {
                return self.cut(format!("opening it took more than {} s", self.limits.seconds));
            }
        }
        self.is_open()
    }

    /// Bytes that may still come out.
    pub fn left(&self) -> u64 {
        let by_ratio = self.limits.ratio.max(1).saturating_mul(self.outer).max(FREE_WORK_BYTES);
        (self.limits.bytes.saturating_sub(self.bytes.get())).min(by_ratio.saturating_sub(self.work.get()))
    }

    /// Whether nothing has been cut.
    pub fn is_open(&self) -> bool {
        self.cut.borrow().is_none()
    }

    /// Why everything ended, told once.
    pub fn reason(&self) -> Option<String> {
        self.cut.borrow().clone().filter(|reason| !reason.is_empty())
    }

    /// After this, [`Budget::reason`] has been told.
    pub fn told(&self) {
        self.cut.replace(Some(String::new()));
    }

    pub fn cut(&self, reason: String) -> bool {
        let mut cut = self.cut.borrow_mut();
        if cut.is_none() {
            *cut = Some(reason);
        }
        false
    }

    /// Memory for `bytes`, until the result is dropped; none where it is too much.
    pub fn memory(self: &Rc<Self>, bytes: u64) -> Option<Memory> {
        let total = self.memory.get().saturating_add(bytes);
        if total > MEMORY_BYTES_MAX {
            return None;
        }
        if total > ALONE_BYTES && self.alone.borrow().is_none() {
            *self.alone.borrow_mut() = Some(ALONE.lock().unwrap_or_else(PoisonError::into_inner));
        }
        self.memory.set(total);
        Some(Memory { budget: Rc::clone(self), bytes })
    }
}

/// Memory that is in use.
pub(super) struct Memory {
    budget: Rc<Budget>,
    bytes: u64,
}

impl Memory {
    /// How much.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.budget.memory.set(self.budget.memory.get() - self.bytes);
    }
}

/// A member's bytes, counted as they come out.
pub(super) struct Meter<R> {
    inner: R,
    budget: Rc<Budget>,
    left: u64,
}

impl<R: Read> Meter<R> {
    pub fn new(inner: R, budget: &Rc<Budget>) -> Self {
        Self { inner, left: budget.limits.entry_bytes, budget: Rc::clone(budget) }
    }
}

impl<R: Read> Read for Meter<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if !self.budget.is_open() {
            return Err(io::Error::other("cut"));
        }
        let read = self.inner.read(buffer)?;
        if read as u64 > self.left {
            let max = self.budget.limits.entry_bytes;
            return Err(io::Error::other(format!("a member of more than {max} bytes")));
        }
        self.left -= read as u64;
        if self.budget.spend(read as u64) { Ok(read) } else { Err(io::Error::other("cut")) }
    }
}
