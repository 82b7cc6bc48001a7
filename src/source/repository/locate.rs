//! Where a folder's repository is: the nearest `.git` at or above it that git itself would take.
//!
//! Links are not followed, a `.git` file only when its target points back, and a bare repository is never assumed.

use std::fs;
use std::path::{Path, PathBuf};

use bstr::ByteSlice;

use super::config::Config;
use crate::source::open::{Node, OpenError, Root};

/// `HEAD`, `gitdir` and the like are one short line.
const LINE_BYTES_MAX: u64 = 16 * 1024;

/// What there is at or above a folder.
#[derive(Debug)]
pub enum Located {
    /// A repository.
    Found(Layout),
    /// The folder holds a `.git` that is not followed, so nothing is known about its files.
    Unfollowed(PathBuf),
    /// No `.git` up to the file system's root.
    Nothing,
}

/// The folders of a repository.
#[derive(Debug)]
pub struct Layout {
    /// The folder that holds `.git`.
    pub top: PathBuf,
    /// Where `HEAD` and the index are.
    pub git: Root,
    /// Where objects, refs and `info` are: the same folder but for a linked worktree.
    pub common: Root,
}

/// Whether the folder at `path` below `root` is a git directory on its own: a valid `HEAD`, `objects` and `refs`,
/// none of them a link, and no `commondir` that sends readers elsewhere.
pub fn is_git_directory(root: &Root, path: &Path) -> bool {
    root.folder(path).is_ok_and(|folder| is_git(&folder) && !exists(&folder, "commondir"))
}

/// The repository that `folder`, a canonical path, belongs to.
pub fn locate(folder: &Path) -> Located {
    for top in folder.ancestors() {
        let dot = top.join(".git");
        let Ok(metadata) = fs::symlink_metadata(&dot) else { continue };
        let layout = if metadata.is_dir() {
            match own(top) {
                Ok(layout) => layout,
                // Git walks on past a folder that only has the name; one that has a HEAD may be a repository to git.
                Err(has_head) if !has_head => continue,
                Err(_) => None,
            }
        } else if metadata.is_file() {
            through_file(top)
        } else {
            None
        };
        return layout.map_or_else(|| Located::Unfollowed(top.to_owned()), Located::Found);
    }
    Located::Nothing
}

/// The repository of `top`, a canonical path, whose `.git` is a file.
pub fn through_file(top: &Path) -> Option<Layout> {
    worktree(top).or_else(|| submodule(top))
}

/// One short line of a git directory, without its end; `None` where it is absent or not a plain short file.
pub fn line(folder: &Root, name: &str) -> Option<Vec<u8>> {
    let bytes = folder.read_bounded(Path::new(name), LINE_BYTES_MAX).ok()??;
    Some(bytes.trim_end_with(|end| matches!(end, '\n' | '\r')).to_vec())
}

/// A `.git` folder; the error says whether it has a `HEAD` at all.
fn own(top: &Path) -> Result<Option<Layout>, bool> {
    let open = || Root::open(top)?.folder(Path::new(".git"));
    let git = open().map_err(|_| true)?;
    if !is_git(&git) {
        return Err(exists(&git, "HEAD"));
    }
    let Ok(common) = git.folder(Path::new("")) else { return Ok(None) };
    Ok((!exists(&git, "commondir")).then(|| Layout { top: top.to_owned(), git, common }))
}

fn exists(folder: &Root, name: &str) -> bool {
    !matches!(folder.node(Path::new(name)), Err(OpenError::NotFound))
}

fn is_git(folder: &Root) -> bool {
    let is_folder = |name| matches!(folder.node(Path::new(name)), Ok(Node::Folder));
    is_folder("objects") && is_folder("refs") && has_valid_head(folder)
}

fn has_valid_head(folder: &Root) -> bool {
    let Some(head) = line(folder, "HEAD") else { return false };
    match head.strip_prefix(b"ref:") {
        Some(name) => name.trim_start().starts_with(b"refs/"),
        None => gix_hash::ObjectId::from_hex(head.trim_end()).is_ok(),
    }
}

/// The real path that the `.git` file of `top` names.
fn target(top: &Path) -> Option<PathBuf> {
    let text = line(&Root::open(top).ok()?, ".git")?;
    let named = text.strip_prefix(b"gitdir:")?.trim_start().to_path().ok()?;
    fs::canonicalize(top.join(named)).ok()
}

/// A linked worktree: its target's `gitdir` names this `.git`, and `commondir` is the folder above `worktrees/NAME`.
fn worktree(top: &Path) -> Option<Layout> {
    let real = target(top)?;
    let git = Root::open(&real).ok()?;
    let back = line(&git, "gitdir")?;
    let back = real.join(back.to_path().ok()?);
    if back.file_name()? != ".git" || fs::canonicalize(back.parent()?).ok()? != top {
        return None;
    }
    let worktrees = real.parent()?;
    let common = fs::canonicalize(real.join(line(&git, "commondir")?.to_path().ok()?)).ok()?;
    if worktrees.file_name()? != "worktrees" || worktrees.parent()? != common {
        return None;
    }
    let common = Root::open(&common).ok()?;
    (is_git(&common) && has_valid_head(&git)).then(|| Layout { top: top.to_owned(), git, common })
}

/// A submodule: its target lies in the `modules` of a repository above, and its `core.worktree` is this folder.
fn submodule(top: &Path) -> Option<Layout> {
    let real = target(top)?;
    let is_above = |above: &Path| match worktree(above) {
        Some(layout) => real.starts_with(layout.git.path().join("modules")),
        None => real.starts_with(above.join(".git/modules")) && is_own(above),
    };
    if !top.ancestors().skip(1).any(is_above) {
        return None;
    }
    let git = Root::open(&real).ok()?;
    let config = Config::read(&git, "config").ok()?;
    let back = real.join(config.get("core.worktree")?.to_path().ok()?);
    if fs::canonicalize(back).ok()? != top || !is_git_directory(&git, Path::new("")) {
        return None;
    }
    let common = git.folder(Path::new("")).ok()?;
    Some(Layout { top: top.to_owned(), git, common })
}

fn is_own(top: &Path) -> bool {
    Root::open(top).is_ok_and(|root| is_git_directory(&root, Path::new(".git")))
}
