//! From what is scanned to the folder whose configuration holds, and how reported paths lie to it.
//!
//! The folder is the top of the repository around what is scanned; no other `ansalint.toml`, above or below, counts.

use crate::path::encode;
use crate::source::repository::top_of;
use crate::suppress::Anchor;
use std::path::{Component, Path, PathBuf};

/// Where the configuration is, and where paths start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standpoint {
    /// The folder of the configuration, with no link in it.
    pub root: PathBuf,
    /// From reported paths to those below it.
    pub anchor: Anchor,
    /// Whether what is scanned holds all of the root.
    pub is_whole: bool,
}

impl Standpoint {
    /// For a scan of `paths`, whose reports count from the current folder where it can.
    pub fn of_paths(paths: &[PathBuf]) -> Self {
        let here = here();
        let first = paths.iter().find_map(|path| folder_of(path)).unwrap_or_else(|| here.clone());
        let base = if first.starts_with(&here) { &here } else { &first };
        let walked: Vec<PathBuf> =
            paths.iter().filter(|path| path.is_dir()).filter_map(|path| folder_of(path)).collect();
        Self::new(&first, base, &walked)
    }

    /// For reports whose paths count from `path`, or from the current folder where there are several.
    pub fn of_repositories(paths: &[PathBuf]) -> Self {
        match paths {
            [path] => match folder_of(path) {
                Some(folder) => Self::new(&folder, &folder, &[]),
                None => Self::of_paths(&[]),
            },
            several => Self::of_paths(several),
        }
    }

    /// For reports whose paths count from the top of the repository around `folder`, or from the `named` one.
    pub fn of_top(folder: &Path, named: Option<&Path>) -> Self {
        let folder = folder_of(named.unwrap_or(folder)).unwrap_or_else(here);
        let root = if named.is_some() { folder } else { top_of(&folder) };
        Self { root, anchor: Anchor::default(), is_whole: false }
    }

    /// The path below the root that `path` names, by its words alone; none where it names something else. Nothing below
    /// the root is asked of the disk, where a change may have put a link in the place of a folder.
    pub fn below_root(&self, path: &Path) -> Option<PathBuf> {
        let path = plain(&here().join(path));
        // From the top down: what is above the root is nobody's who only changes the repository.
        let mut above: Vec<&Path> = path.ancestors().skip(1).collect();
        above.reverse();
        let root = above.into_iter().find(|folder| folder.canonicalize().is_ok_and(|folder| folder == self.root))?;
        path.strip_prefix(root).ok().map(Path::to_owned)
    }

    fn new(first: &Path, base: &Path, walked: &[PathBuf]) -> Self {
        let top = top_of(first);
        let is_repository = top.join(".git").symlink_metadata().is_ok();
        let root = match (is_repository, first.starts_with(base)) {
            (true, _) => top,
            (false, true) => base.to_owned(),
            (false, false) => first.to_owned(),
        };
        let prefix = |path: &Path| {
            let encoded = encode(path.as_os_str().as_encoded_bytes());
            if encoded.is_empty() { encoded } else { encoded + "/" }
        };
        let anchor = match (base.strip_prefix(&root), root.strip_prefix(base)) {
            (Ok(below), _) => Anchor::Below(prefix(below)),
            (_, Ok(above)) => Anchor::Above(prefix(above)),
            _ => Anchor::default(),
        };
        let is_whole = walked.iter().any(|folder| root.starts_with(folder));
        Self { root, anchor, is_whole }
    }
}

/// The folder that `path` is, or that it lies in.
fn folder_of(path: &Path) -> Option<PathBuf> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    if path.is_dir() {
        return path.canonicalize().ok();
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    parent.canonicalize().ok()
}

/// `path` without `.` and `..`, by its words alone.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(plain.pop()),
            part => plain.push(part),
        }
    }
    plain
}

fn here() -> PathBuf {
    std::env::current_dir().and_then(|path| path.canonicalize()).unwrap_or_else(|_| PathBuf::from("."))
}
