//! What git knows of the files of a working tree: tracked or not, ignored or not, and the commit at `HEAD`.
//!
//! Read without a git process and without any configuration but the repository's own format.
//! Where an answer is in doubt it is the one that lowers nothing: tracked, or not ignored.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use bstr::ByteSlice;
use gix_hash::{Kind, ObjectId};

use crate::source::objects::Objects;
use crate::source::open::Root;

mod checkout;
mod committed;
mod config;
mod ignored;
mod index;
mod locate;
mod object_format;
mod pattern;
mod refs;
mod reftable;
mod revision;

pub use checkout::{Checkout, HookEnvironment};
pub use committed::Committed;
pub use index::{Index, IndexEntry};
pub use locate::is_git_directory;
pub use object_format::object_format;
pub use refs::{Fault, Logged, Named, Refs};
pub use revision::{Followed, Resolved, follow, resolve};

use config::Config;
use ignored::Ignored;
use locate::{Layout, Located};

/// Extensions that change nothing read here, or that are handled.
const EXTENSIONS: [&str; 9] = [
    "noop",
    "noop-v1",
    "preciousobjects",
    "partialclone",
    "objectformat",
    "refstorage",
    "worktreeconfig",
    "relativeworktrees",
    "compatobjectformat",
];

/// Whether a file is git's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tracked {
    /// In the index, in any stage, or in the tree of `HEAD`.
    Yes,
    /// In neither.
    No,
    /// One of the two could not be read; callers take this as tracked. The reason is a short sentence.
    Unknown(String),
}

/// One repository and its working tree.
pub struct Repository {
    layout: Layout,
    top: Root,
    format: Result<Format, String>,
    index: OnceLock<Result<Index, String>>,
    objects: OnceLock<Result<Objects, String>>,
    ignored: OnceLock<Ignored>,
    head: OnceLock<Result<Option<ObjectId>, String>>,
}

/// What the repository's own configuration says about reading it.
#[derive(Clone, Copy, Debug)]
struct Format {
    object_hash: Kind,
    /// `core.ignoreCase`: the file system does not tell `a` from `A`.
    fold: bool,
    refs_in_files: bool,
}

impl Repository {
    /// The repository that the folder belongs to: the nearest `.git` at or above it.
    ///
    /// `None` also where that `.git` is not followed, since then nothing is known about the folder's files.
    pub fn enclosing(folder: &Path) -> Option<Self> {
        match locate::locate(&std::fs::canonicalize(folder).ok()?) {
            Located::Found(layout) => Self::new(layout),
            Located::Unfollowed(_) | Located::Nothing => None,
        }
    }

    /// The folder of the working tree, with links resolved.
    pub fn top(&self) -> &Path {
        &self.layout.top
    }

    /// Whether the file at `path`, bytes below the top with `/`, is in the index or in `HEAD`.
    pub fn tracked(&self, path: &[u8]) -> Tracked {
        match self.find(path) {
            Ok(true) => Tracked::Yes,
            Ok(false) => Tracked::No,
            Err(reason) => Tracked::Unknown(reason),
        }
    }

    /// Whether git would ignore the file at `path` if it did not track it; the same holds for folders.
    pub fn ignored(&self, path: &[u8], is_folder: bool) -> bool {
        let Ok(format) = &self.format else { return false };
        let ignored = self.ignored.get_or_init(|| Ignored::new(&self.layout.common, format.fold));
        ignored.contains(&self.top, path, is_folder)
    }

    /// The commit at `HEAD` in hexadecimal; `None` before the first one, and where it cannot be read.
    pub fn head(&self) -> Option<String> {
        self.commit().ok().flatten().map(|id| id.to_hex().to_string())
    }

    /// The paths of all files and links in the index, sorted; the error is a short sentence.
    pub fn index_paths(&self) -> Result<Vec<Vec<u8>>, String> {
        self.index().map(Index::files)
    }

    fn new(layout: Layout) -> Option<Self> {
        let top = Root::open(&layout.top).ok()?;
        Some(Self {
            format: format(&layout),
            layout,
            top,
            index: OnceLock::new(),
            objects: OnceLock::new(),
            ignored: OnceLock::new(),
            head: OnceLock::new(),
        })
    }

    fn find(&self, path: &[u8]) -> Result<bool, String> {
        let format = self.format.clone()?;
        match self.index()?.contains(path) {
            ControlFlow::Continue(true) => return Ok(true),
            ControlFlow::Continue(false) => {}
            ControlFlow::Break(()) => return Err("the path is in a sparse folder of the index".to_owned()),
        }
        let Some(commit) = self.commit()? else { return Ok(false) };
        let open = || {
            let folder =
                self.layout.common.folder(Path::new("objects")).map_err(|error| format!("objects: {error}"))?;
            // What cannot be opened is not found, which counts as tracked.
            Ok(Objects::open(vec![folder], format.object_hash).0)
        };
        let objects = self.objects.get_or_init(open);
        objects.as_ref().map_err(Clone::clone)?.contains(commit, path, format.fold)
    }

    fn index(&self) -> Result<&Index, String> {
        let format = self.format.clone()?;
        let read = || Index::read(&self.layout.git, format.object_hash, format.fold);
        self.index.get_or_init(read).as_ref().map_err(Clone::clone)
    }

    fn commit(&self) -> Result<Option<ObjectId>, String> {
        let format = self.format.clone()?;
        if !format.refs_in_files {
            return Err("refs are not kept in files".to_owned());
        }
        self.head.get_or_init(|| refs::head(&self.layout, format.object_hash)).clone()
    }
}

fn format(layout: &Layout) -> Result<Format, String> {
    let mut config = Config::read(&layout.common, "config")?;
    if config.is_true("extensions.worktreeconfig") {
        config.extend(Config::read(&layout.git, "config.worktree")?);
    }
    if let Some(name) = config.names("extensions").find(|name| !EXTENSIONS.contains(name)) {
        return Err(format!("the extension {name} is not known"));
    }
    // In a linked worktree git takes the folder of the `.git` file, whatever the shared configuration says.
    let is_linked = layout.git.path() != layout.common.path();
    if !is_linked && let Some(worktree) = config.get("core.worktree") {
        let named = worktree.to_path().map_err(|error| error.to_string())?;
        if std::fs::canonicalize(layout.git.path().join(named)).ok().as_ref() != Some(&layout.top) {
            return Err("the working tree is elsewhere".to_owned());
        }
    }
    let object_hash = match config.get("extensions.objectformat") {
        None | Some(b"sha1") => Kind::Sha1,
        Some(b"sha256") => Kind::Sha256,
        Some(_) => return Err("the object format is not known".to_owned()),
    };
    let refs_in_files = config.get("extensions.refstorage").is_none_or(|storage| storage == b"files");
    Ok(Format { object_hash, fold: config.is_true("core.ignorecase"), refs_in_files })
}

/// The folder up to which manifests are facts: the nearest at or above `folder` that holds `.git`, else `folder`.
/// Links are resolved.
pub fn top_of(folder: &Path) -> PathBuf {
    let Ok(real) = std::fs::canonicalize(folder) else { return folder.to_owned() };
    match locate::locate(&real) {
        Located::Found(Layout { top, .. }) | Located::Unfollowed(top) => top,
        Located::Nothing => real,
    }
}

/// The git directory with the objects of the working tree at `top`, whose `.git` is a file that points there and back.
pub fn common_of(top: &Path) -> Option<Root> {
    let top = std::fs::canonicalize(top).ok()?;
    match locate::locate(&top) {
        Located::Found(layout) if layout.top == top => layout.common.folder(Path::new("")).ok(),
        _ => None,
    }
}

/// The repositories of many folders, each opened once.
#[derive(Default)]
pub struct Repositories {
    /// By folder as asked for.
    folders: Mutex<HashMap<PathBuf, Option<Arc<Repository>>>>,
    /// By top.
    tops: Mutex<HashMap<PathBuf, Option<Arc<Repository>>>>,
}

impl Repositories {
    /// As [`Repository::enclosing`], remembered.
    pub fn enclosing(&self, folder: &Path) -> Option<Arc<Repository>> {
        if let Some(known) = self.folders.lock().unwrap_or_else(PoisonError::into_inner).get(folder) {
            return known.clone();
        }
        let found = self.find(folder);
        self.folders.lock().unwrap_or_else(PoisonError::into_inner).insert(folder.to_owned(), found.clone());
        found
    }

    fn find(&self, folder: &Path) -> Option<Arc<Repository>> {
        let Located::Found(layout) = locate::locate(&std::fs::canonicalize(folder).ok()?) else { return None };
        let mut tops = self.tops.lock().unwrap_or_else(PoisonError::into_inner);
        tops.entry(layout.top.clone()).or_insert_with(|| Repository::new(layout).map(Arc::new)).clone()
    }
}
