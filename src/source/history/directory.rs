//! Which git directories belong to a path: its own, those of submodules, and of repositories below it.
//!
//! A path is looked at as it is named; nothing above it is. Links are not followed, a `.git` file only where its
//! target points back.

use crate::path::encode;
use crate::source::open::{Node, OpenError, Root};
use crate::source::repository::{self, is_git_directory};
use bstr::ByteSlice as _;
use gix_hash::Kind;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const FOLDERS_MAX: usize = 5_000_000;
const NAMES_MAX: usize = 5_000_000;

/// One git directory.
pub struct GitDirectory {
    /// Where its refs, its configuration and its objects are.
    pub git: Root,
    /// What reports put before a path in it; empty, or ending in `/`.
    pub prefix: Vec<u8>,
    /// What reports put before a path of its trees; empty, or ending in `/`.
    pub tree_prefix: Vec<u8>,
    /// How its objects are named.
    pub object_hash: Kind,
    /// Whether its own files say that a remote keeps what is not here.
    pub is_partial: bool,
}

/// What belongs to a path.
#[derive(Default)]
pub struct Directories {
    /// The git directories, the path's own first.
    pub git: Vec<GitDirectory>,
    /// Bundles among the files, below the path.
    pub bundles: Vec<PathBuf>,
    /// What could not be read, and why.
    pub faults: Vec<(Vec<u8>, String)>,
}

impl Directories {
    /// Everything at and below `path`.
    pub fn find(path: &Path) -> Result<Self, OpenError> {
        let root = Root::open(path)?;
        let mut found = Self::default();
        let mut known = BTreeSet::new();
        if looks_bare(&root) && matches!(root.node(Path::new(".git")), Err(OpenError::NotFound)) {
            found.add(root, Vec::new(), Vec::new(), &mut known);
            return Ok(found);
        }
        found.descend(&root, &mut known);
        Ok(found)
    }

    /// Walks the folders below `root` without recursion.
    fn descend(&mut self, root: &Root, known: &mut BTreeSet<PathBuf>) {
        let mut open = vec![PathBuf::new()];
        let mut count = 0;
        while let Some(path) = open.pop() {
            count += 1;
            if count > FOLDERS_MAX {
                self.fault(&path, "more folders than are looked through");
                return;
            }
            let entries = root.folder(&path).and_then(|folder| Ok((folder.entries(NAMES_MAX)?, folder)));
            let (mut entries, folder) = match entries {
                Ok(listed) => listed,
                Err(error) => {
                    self.fault(&path, &error.to_string());
                    continue;
                }
            };
            if !path.as_os_str().is_empty() && looks_bare(&folder) {
                let prefix = below(&path);
                self.add(folder, prefix.clone(), prefix, known);
                continue;
            }
            entries.sort_unstable();
            for entry in entries.iter().rev() {
                let Ok(name) = entry.name.to_path() else { continue };
                if entry.name == b".git" {
                    self.dot_git(root, &path, known);
                } else if entry.is_folder {
                    open.push(path.join(name));
                } else if entry.name.ends_with(b".bundle") {
                    self.bundles.push(path.join(name));
                }
            }
        }
    }

    /// The `.git` of the folder at `path`.
    fn dot_git(&mut self, root: &Root, path: &Path, known: &mut BTreeSet<PathBuf>) {
        let at = path.join(".git");
        let tree_prefix = below(path);
        let prefix = [tree_prefix.as_slice(), b".git/"].concat();
        match root.node(&at) {
            Ok(Node::Folder) => match root.folder(&at) {
                Ok(git) if has(&git, "HEAD") || has(&git, "objects") => self.add(git, prefix, tree_prefix, known),
                Ok(_) => {}
                Err(error) => self.fault(&at, &error.to_string()),
            },
            Ok(Node::File) => match repository::common_of(&root.path().join(path)) {
                Some(common) => self.add(common, prefix, tree_prefix, known),
                None => self.fault(&at, "leads to a repository that does not point back, which is not followed"),
            },
            Ok(_) => self.fault(&at, "a link or special file, which is not followed"),
            Err(error) => self.fault(&at, &error.to_string()),
        }
    }

    /// Adds a git directory and those of its submodules.
    fn add(&mut self, git: Root, prefix: Vec<u8>, tree_prefix: Vec<u8>, known: &mut BTreeSet<PathBuf>) {
        let mut open = vec![(git, prefix, tree_prefix)];
        while let Some((git, prefix, tree_prefix)) = open.pop() {
            if !known.insert(git.path().canonicalize().unwrap_or_else(|_| git.path().to_owned())) {
                continue;
            }
            open.extend(modules(&git, &prefix, &tree_prefix));
            self.directory(git, prefix, tree_prefix);
        }
    }

    fn directory(&mut self, git: Root, prefix: Vec<u8>, tree_prefix: Vec<u8>) {
        let mut fault = |name: &str, reason: String| self.faults.push(([&prefix, name.as_bytes()].concat(), reason));
        if has(&git, "commondir") {
            fault("commondir", "leads to another repository, which is not followed".into());
        }
        let (object_hash, is_partial) = match repository::object_format(&git) {
            Ok(format) => {
                for name in format.unknown {
                    fault("config", format!("the extension {name} is not known; what it changes may not be read"));
                }
                (format.object_hash, format.is_partial)
            }
            Err(reason) => {
                fault("config", reason);
                (Kind::Sha1, false)
            }
        };
        self.git.push(GitDirectory { git, prefix, tree_prefix, object_hash, is_partial });
    }

    fn fault(&mut self, path: &Path, reason: &str) {
        let path = path.as_os_str().as_encoded_bytes();
        self.faults.push((if path.is_empty() { b"." } else { path }.to_vec(), reason.into()));
    }
}

/// The git directories of submodules below `git`, with their prefixes.
fn modules(git: &Root, prefix: &[u8], tree_prefix: &[u8]) -> Vec<(Root, Vec<u8>, Vec<u8>)> {
    let mut found = Vec::new();
    let mut open = vec![PathBuf::from("modules")];
    while let Some(path) = open.pop() {
        let Ok(folder) = git.folder(&path) else { continue };
        if path != Path::new("modules") && has(&folder, "HEAD") && has(&folder, "objects") {
            let name = path.strip_prefix("modules").unwrap_or(&path);
            let trees = [tree_prefix, &below(name)].concat();
            found.push((folder, [prefix, &below(&path)].concat(), trees));
            continue;
        }
        let entries = folder.entries(NAMES_MAX).unwrap_or_default();
        let folders = entries.iter().filter(|entry| entry.is_folder).filter_map(|entry| entry.name.to_path().ok());
        open.extend(folders.map(|name| path.join(name)));
    }
    found.sort_by(|one, other| one.1.cmp(&other.1));
    found
}

/// Whether a folder has the parts of a git directory, sound or not.
fn looks_bare(folder: &Root) -> bool {
    is_git_directory(folder, Path::new("")) || (has(folder, "HEAD") && has(folder, "objects") && has(folder, "refs"))
}

fn has(folder: &Root, name: &str) -> bool {
    !matches!(folder.node(Path::new(name)), Err(OpenError::NotFound))
}

/// `path` with `/` between its parts and at its end.
fn below(path: &Path) -> Vec<u8> {
    let bytes = path.as_os_str().as_encoded_bytes();
    if bytes.is_empty() { Vec::new() } else { [bytes, b"/"].concat() }
}

impl GitDirectory {
    /// How reports call it.
    pub fn shown(&self) -> String {
        let name = encode(self.prefix.trim_end_with(|end| end == '/'));
        if name.is_empty() { ".".into() } else { name }
    }
}
