//! The repository somebody works in: its index, its `HEAD`, and its objects by name.
//!
//! Found as git finds it, at or above a folder, or through the variables git sets for its hooks. Links in what the user
//! names are followed; below that nothing leads outside.

use super::locate::{self, Layout, Located};
use super::object_format::{ObjectFormat, object_format};
use super::refs::{self, Refs};
use super::{Index, is_git_directory};
use crate::source::alternates::{Allowed, with_alternates};
use crate::source::objects::Objects;
use crate::source::open::{OpenError, Root};
use bstr::ByteSlice as _;
use gix_hash::{Kind, ObjectId};
use std::path::{Path, PathBuf};

const LINES_BYTES_MAX: u64 = 1 << 20;
const UNFOLLOWED: &str = "leads to a repository that does not point back, which is not followed";

/// What git tells its hooks about where things are.
#[derive(Clone, Debug, Default)]
pub struct HookEnvironment {
    /// `GIT_DIR`.
    pub git_dir: Option<PathBuf>,
    /// `GIT_WORK_TREE`.
    pub work_tree: Option<PathBuf>,
    /// `GIT_INDEX_FILE`.
    pub index_file: Option<PathBuf>,
}

/// A repository with the working tree it is seen from.
pub struct Checkout {
    layout: Layout,
    format: ObjectFormat,
    index_file: Option<PathBuf>,
}

impl Checkout {
    /// The repository that `folder` belongs to. The error is a short sentence.
    pub fn open(folder: &Path, environment: &HookEnvironment) -> Result<Self, String> {
        let layout = match &environment.git_dir {
            Some(git) => told(&folder.join(git), environment.work_tree.as_deref().unwrap_or(folder))?,
            None => found(folder)?,
        };
        let format = object_format(&layout.common)?;
        Ok(Self { layout, format, index_file: environment.index_file.as_ref().map(|file| folder.join(file)) })
    }

    /// The top of the working tree.
    pub fn top(&self) -> &Path {
        &self.layout.top
    }

    /// How its objects are named.
    pub const fn object_hash(&self) -> Kind {
        self.format.object_hash
    }

    /// Extensions that nobody here knows.
    pub fn unknown(&self) -> &[String] {
        &self.format.unknown
    }

    /// The index, that which git is about to commit where it says so.
    pub fn index(&self) -> Result<Index, String> {
        let hash = self.object_hash();
        let Some(file) = &self.index_file else { return Index::read(&self.layout.git, hash, false) };
        let folder = file.parent().ok_or("the index file has no folder")?;
        let name = file.file_name().and_then(|name| name.to_str()).ok_or("the index file has no name")?;
        let folder = Root::open(folder).map_err(|error| format!("{}: {error}", file.display()))?;
        // git makes its index before it tells a hook of it; none is no empty one.
        if let Err(error) = folder.node(Path::new(name)) {
            return Err(format!("{}: {error}", file.display()));
        }
        Index::read_file(&folder, &self.layout.git, name, hash, false)
    }

    /// The commit at `HEAD`; `None` before the first one.
    pub fn head(&self) -> Result<Option<ObjectId>, String> {
        if self.in_tables() {
            let refs = self.refs();
            return match refs.find(b"HEAD") {
                Some(id) => Ok(Some(id)),
                None if refs.faults.is_empty() => Ok(None),
                None => Err("the tables of refs cannot be read".into()),
            };
        }
        refs::head(&self.layout, self.object_hash())
    }

    /// The other parents of the commit about to be made.
    pub fn merge_heads(&self) -> Vec<ObjectId> {
        let text = self.layout.git.read_bounded(Path::new("MERGE_HEAD"), LINES_BYTES_MAX).ok().flatten();
        text.unwrap_or_default().lines().filter_map(|line| ObjectId::from_hex(line.trim()).ok()).collect()
    }

    /// Whether git is merging by itself, and has not yet written what.
    pub fn is_merging_unnamed(&self) -> bool {
        let has = |name: &str| !matches!(self.layout.git.node(Path::new(name)), Err(OpenError::NotFound));
        has("AUTO_MERGE") && !["MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "REBASE_HEAD"].into_iter().any(has)
    }

    /// Commits whose parents were cut off.
    pub fn shallow(&self) -> Vec<ObjectId> {
        let text = self.layout.common.read_bounded(Path::new("shallow"), 64 * LINES_BYTES_MAX).ok().flatten();
        text.unwrap_or_default().lines().filter_map(|line| ObjectId::from_hex(line.trim()).ok()).collect()
    }

    /// Every ref; those of the working tree in front, where it is a linked one.
    pub fn refs(&self) -> Refs {
        let hash = self.object_hash();
        let mut refs = Refs::read(&self.layout.common, hash);
        if self.layout.git.path() != self.layout.common.path() {
            refs.overlay(Refs::read(&self.layout.git, hash));
        }
        refs
    }

    /// Its objects, with alternates outside it where `outside` says so, and why others are not read.
    pub fn objects(&self, outside: bool) -> Result<(Objects, Vec<(String, String)>), String> {
        let folder = self.layout.common.folder(Path::new("objects")).map_err(|error| format!("objects: {error}"))?;
        let root = self.layout.top.canonicalize().unwrap_or_else(|_| self.layout.top.clone());
        let (folders, mut faults) = with_alternates(folder, &Allowed { root: &root, outside });
        let (objects, unopened) = Objects::open(folders, self.object_hash());
        faults.extend(unopened);
        Ok((objects, faults))
    }

    fn in_tables(&self) -> bool {
        self.layout.common.folder(Path::new("reftable")).is_ok()
    }
}

/// The git directory that git named, and the one it shares with others; a file in its place is followed as one found is.
fn told(git: &Path, top: &Path) -> Result<Layout, String> {
    let real = git.canonicalize().map_err(|error| format!("{}: {error}", git.display()))?;
    if !real.is_dir() && !real.is_file() {
        return Err(format!("{}: neither a git directory nor a file that names one", git.display()));
    }
    if real.is_file() {
        let layout = real.parent().filter(|_| real.ends_with(".git")).and_then(locate::through_file);
        let layout = layout.ok_or_else(|| format!("{}: {UNFOLLOWED}", git.display()))?;
        return Ok(Layout { top: top.to_owned(), ..layout });
    }
    let open = |path: &Path| Root::open(path).map_err(|error| format!("{}: {error}", path.display()));
    let root = open(&real)?;
    let Some(named) = locate::line(&root, "commondir") else {
        return Ok(Layout { top: top.to_owned(), common: open(&real)?, git: root });
    };
    let named = real.join(named.to_path().map_err(|error| error.to_string())?);
    let common = named.canonicalize().map_err(|error| format!("{}: {error}", named.display()))?;
    // A linked worktree's is in the repository that it shares.
    let worktrees = real.parent().filter(|folder| folder.ends_with("worktrees")).and_then(Path::parent);
    if worktrees != Some(&common) {
        return Err(format!("{}: its `commondir` leads to another repository, which is not followed", git.display()));
    }
    Ok(Layout { top: top.to_owned(), common: open(&common)?, git: root })
}

fn found(folder: &Path) -> Result<Layout, String> {
    let real = folder.canonicalize().map_err(|error| format!("{}: {error}", folder.display()))?;
    match locate::locate(&real) {
        Located::Found(layout) => Ok(layout),
        Located::Unfollowed(top) if top.join(".git").is_dir() => Err(format!(
            "{}: its `.git` is no git directory: `HEAD`, `objects` or `refs` is missing or damaged, or `commondir` leads elsewhere",
            top.display()
        )),
        Located::Unfollowed(top) => Err(format!("{}: its `.git` {UNFOLLOWED}", top.display())),
        Located::Nothing => {
            let is_bare = Root::open(&real).is_ok_and(|root| is_git_directory(&root, Path::new("")));
            if is_bare {
                return told(&real, &real);
            }
            Err(format!("{}: not in a git repository", folder.display()))
        }
    }
}
