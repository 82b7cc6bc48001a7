//! One scan: from what was asked for to a report.
//!
//! Sources read bytes, `inspect` turns one blob into findings, `batch` joins the threads' findings.
//! It prints nothing and decides no exit code.

mod batch;
mod calls;
mod change;
mod comments;
mod decide;
mod explain;
mod graphs;
mod ground;
mod history;
mod inspect;
mod opening;
mod original;
mod overrides;
mod personal;
mod progress;
mod reading;
mod target;
mod text;

pub use crate::source::repository::HookEnvironment;
pub use change::{ChangeOptions, NOTHING_STAGED, Part, Push, Range, Update, Updates, brought_into_clients};
pub use explain::{Explanation, explain};
pub use history::HistoryOptions;
pub use overrides::Overrides;
pub use progress::Progress;
pub use target::{Listing, Target};

use crate::blob::{Blob, Origin, Visit as _, Whole};
use crate::classify::{Calls, Classifier};
use crate::detect::{Bounds, Detector};
use crate::report::Report;
use crate::rule::{Kind, RuleError, Rules};
use crate::side::Judgement;
use crate::source::open::Root;
use crate::source::reader::{Buffer, Reader, Stream};
use crate::unpack::Limits;
use anyhow::{Context as _, Result, bail};
use batch::Batch;
use graphs::Graphs;
use ground::{Bare, Disk};
use inspect::Inspection;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

const MESSAGE_BYTES_MAX: u64 = 64 << 20;
/// The line behind which git puts the change that is committed, when it is asked to show it.
const SCISSORS: &[u8] = b" ------------------------ >8 ------------------------\n";

/// What to scan.
#[derive(Debug)]
pub enum Scope {
    /// Files and folders.
    Paths(Vec<PathBuf>),
    /// The files a list names.
    List(Listing),
    /// Standard input.
    Stdin,
    /// Everything git stored, in the repositories at and below these folders.
    History(Vec<PathBuf>),
    /// What the next commit adds.
    Staged(ChangeOptions, Part),
    /// What a range of commits adds.
    Range(ChangeOptions, Range),
    /// What a push adds to a remote.
    Push(ChangeOptions, Push),
    /// A commit message in a file.
    Message(PathBuf),
}

/// Whether git's view of a file decides that it belongs to the scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selection {
    /// Every file.
    Every,
    /// Only what git tracks or would track.
    Tracked,
}

/// How to scan.
#[derive(Debug)]
pub struct Options {
    /// What to scan.
    pub scope: Scope,
    /// Which files of it.
    pub selection: Selection,
    /// Threads, at least one.
    pub jobs: usize,
    /// What the report should hold beyond findings.
    pub wanted: Wanted,
    /// The rules in force.
    pub rules: Rules,
    /// How far archives are opened.
    pub limits: Limits,
    /// How far encoded text is decoded.
    pub bounds: Bounds,
    /// How to read histories.
    pub history: HistoryOptions,
    /// The time, in seconds since 1970.
    pub now: i64,
    /// Sides that the configuration sets.
    pub overrides: Overrides,
    /// Shown while it runs.
    pub progress: Progress,
}

/// What a report should hold beyond findings.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted {
    /// Rules that fire only on request: the inventory of publishable keys.
    pub inventory: bool,
    /// Each rejected candidate, not just their counts.
    pub ignored: bool,
    /// GitHub's line hashes, which cost a second reading of files with a hit.
    pub line_hashes: bool,
}

/// What every thread of a scan shares.
struct Shared<'o> {
    options: &'o Options,
    detector: Arc<Detector>,
    /// Compiled at the first hit.
    classifier: OnceLock<Arc<Classifier>>,
    graphs: Graphs,
    /// The same of what is told without a key.
    calls: OnceLock<Calls>,
    collected: Mutex<Batch>,
}

/// Scans, and reports what was found and what was not read.
///
/// # Errors
/// A path that does not exist, nothing to scan, no git repository for [`Selection::Tracked`], or rules that contradict themselves.
pub fn run(options: &Options) -> Result<Report> {
    let shared = Shared::new(options)?;
    let head = match &options.scope {
        Scope::Stdin => shared.stdin(),
        Scope::Paths(paths) => shared.targets(target::of_paths(paths)?)?,
        Scope::List(listing) => shared.targets(target::of_listing(listing)?)?,
        Scope::History(paths) => history::run(&shared, paths)?,
        Scope::Staged(change, part) => change::staged(&shared, change, *part)?,
        Scope::Range(change, range) => change::range(&shared, change, range)?,
        Scope::Push(change, push) => change::push(&shared, change, push)?,
        Scope::Message(file) => shared.message(file)?,
    };
    options.progress.finish();
    let batch = shared.into_batch();
    if batch.is_empty() {
        bail!("nothing to scan: no files in {}; name a file or folder that holds some", options.scope.describe());
    }
    Ok(batch.into_report(options, head))
}

/// Checks that the side rules of `rules` compile, which a scan otherwise does at its first hit.
pub fn check(rules: &Rules) -> Result<(), RuleError> {
    Calls::new(&rules.calls)?;
    Classifier::new(&rules.sides)?.check()
}

impl Scope {
    /// Whether standard input is part of it.
    pub const fn reads_stdin(&self) -> bool {
        matches!(self, Self::Stdin | Self::Push(_, Push { updates: Updates::Stdin, .. }))
    }

    /// The command that asks for it.
    const fn command(&self) -> &'static str {
        match self {
            Self::Paths(_) | Self::List(_) | Self::Stdin => "scan",
            Self::History(_) => "history",
            Self::Staged(..) => "staged",
            Self::Range(..) | Self::Push(..) => "range",
            Self::Message(_) => "message",
        }
    }

    fn describe(&self) -> String {
        match self {
            Self::Stdin => "standard input".into(),
            Self::Staged(..) => "the index".into(),
            Self::Range(_, range) => format!("the range up to {}", range.to),
            Self::Push(..) => "what is pushed".into(),
            Self::Message(file) => file.display().to_string(),
            Self::List(listing) => listing.to_string(),
            Self::Paths(paths) | Self::History(paths) => {
                paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
            }
        }
    }
}

impl<'o> Shared<'o> {
    fn new(options: &'o Options) -> Result<Self> {
        Ok(Self {
            options,
            detector: Arc::new(Detector::new(&options.rules)?.bounded(options.bounds)),
            classifier: OnceLock::new(),
            graphs: Graphs::default(),
            calls: OnceLock::new(),
            collected: Mutex::default(),
        })
    }

    /// Scans every target in turn, each with all threads; gives the commit at the first one's `HEAD`.
    fn targets(&self, targets: Vec<Target>) -> Result<Option<String>> {
        let pool = self.pool()?;
        let mut head = None;
        for (index, target) in targets.into_iter().enumerate() {
            let ground = Disk::new(&target, self.options.selection)?;
            let visit = Inspection { shared: self, ground: &ground };
            match &target.files {
                None => target.tree.walk(self.options.jobs, &visit),
                Some(files) => pool.install(|| target.tree.files(files, &visit)),
            }
            if index == 0 {
                head = ground.head();
            }
        }
        Ok(head)
    }

    fn stdin(&self) -> Option<String> {
        let ground = Bare::default();
        let visit = Inspection { shared: self, ground: &ground };
        let mut buffer = Buffer::default();
        let mut windows = Stream(Reader::stream(std::io::stdin().lock(), &mut buffer));
        visit.visitor().blob(Blob { origin: Origin::Stdin, path: b"-", windows: &mut windows });
        None
    }

    fn pool(&self) -> Result<rayon::ThreadPool> {
        rayon::ThreadPoolBuilder::new().num_threads(self.options.jobs).build().context("threads cannot be started")
    }

    /// The same scan, for a part of it that is collected by itself.
    fn apart(&self) -> Self {
        Self {
            options: self.options,
            detector: Arc::clone(&self.detector),
            classifier: self.classifier.clone(),
            graphs: Graphs::default(),
            calls: OnceLock::new(),
            collected: Mutex::default(),
        }
    }

    fn into_batch(self) -> Batch {
        self.collected.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn collected(&self) -> MutexGuard<'_, Batch> {
        self.collected.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `path` belongs to the scan and cannot be read.
    fn leave_out(&self, path: &[u8], reason: &str) {
        let shown = inspect::shown(&self.detector, b"", path);
        self.collected().leave_out(shown, reason);
    }

    /// There is something to scan, were it empty.
    fn found_repository(&self) {
        self.collected().is_repository = true;
    }

    /// The message of a commit about to be made, up to what git itself cuts off.
    fn message(&self, file: &Path) -> Result<Option<String>> {
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let name = file.file_name().map(Path::new).with_context(|| format!("{}: not a file", file.display()))?;
        let bytes = Root::open(folder).and_then(|root| root.read_bounded(name, MESSAGE_BYTES_MAX));
        let bytes = bytes.with_context(|| format!("{}: the message cannot be read", file.display()))?;
        let Some(bytes) = bytes else { bail!("{}: there is no such message", file.display()) };
        let ground = Bare::default();
        let visit = Inspection { shared: self, ground: &ground };
        let path = file.as_os_str().as_encoded_bytes();
        let mut windows = Whole::new(&bytes[..end_of_message(&bytes)]);
        visit.visitor().blob(Blob { origin: Origin::Message, path, windows: &mut windows });
        Ok(None)
    }

    /// Whether any rule may fire on a key of `kind`.
    fn fires(&self, kind: &Kind) -> bool {
        let mut rules = kind.rules.iter().filter_map(|name| self.options.rules.finding(name));
        rules.any(|rule| !rule.on_request || self.options.wanted.inventory)
    }

    fn calls(&self) -> std::io::Result<&Calls> {
        if let Some(calls) = self.calls.get() {
            return Ok(calls);
        }
        let calls = Calls::new(&self.options.rules.calls).map_err(std::io::Error::other)?;
        Ok(self.calls.get_or_init(|| calls))
    }

    /// `judgement` of what lies at `path` behind `prefix`, with the side that the configuration sets.
    fn overridden(&self, prefix: &[u8], path: &[u8], judgement: Judgement) -> Judgement {
        if self.options.overrides.is_empty() {
            return judgement;
        }
        self.options.overrides.apply(&inspect::shown(&self.detector, prefix, path), judgement)
    }

    fn classifier(&self) -> std::io::Result<&Arc<Classifier>> {
        if let Some(classifier) = self.classifier.get() {
            return Ok(classifier);
        }
        let classifier = Classifier::new(&self.options.rules.sides).map_err(std::io::Error::other)?;
        Ok(self.classifier.get_or_init(|| Arc::new(classifier)))
    }
}

/// Where git cuts a message off: at its own scissors, followed by its own comment.
fn end_of_message(bytes: &[u8]) -> usize {
    let is_cut = |&at: &usize| {
        let starts_line = at == 1 || bytes.get(at.wrapping_sub(2)) == Some(&b'\n');
        starts_line && bytes.get(at + SCISSORS.len()) == at.checked_sub(1).and_then(|mark| bytes.get(mark))
    };
    memchr::memmem::find_iter(bytes, SCISSORS).find(is_cut).map_or(bytes.len(), |at| at - 1)
}
