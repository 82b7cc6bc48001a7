//! What a git directory holds beside its objects: its text files, the names of refs, reflogs, paths in indexes, and the
//! files LFS keeps.
//!
//! Every regular file is read whole but for those with a form of their own: objects, packs and indexes.

use super::directory::GitDirectory;
use crate::blob::{Blob, Origin, Visit, Visitor, Whole};
use crate::source::open::{Node, Root};
use crate::source::reader::{Buffer, Reader};
use crate::source::repository::{Index, Refs};
use bstr::ByteSlice as _;
use std::path::{Path, PathBuf};

const NAMES_MAX: usize = 5_000_000;
/// Folders that are read in another way, or with the repositories they belong to.
const ELSEWHERE: [&[u8]; 3] = [b"objects", b"modules", b"reftable"];

/// The indexes of a git directory and of its linked worktrees.
#[derive(Default)]
pub struct Indexes {
    /// Each with its path below the git directory.
    pub read: Vec<(Vec<u8>, Index)>,
    /// Those that cannot be read, and why.
    pub faults: Vec<(Vec<u8>, String)>,
}

/// Gives everything in `directory` that is no object to `visit`; paths are relative to the git directory.
pub fn visit(directory: &GitDirectory, refs: &Refs, indexes: &Indexes, visit: &dyn Visit) {
    let mut extras = Extras { git: &directory.git, buffer: Buffer::default(), visitor: visit.visitor() };
    extras.names(refs);
    extras.files(refs.understood_packed);
    extras.beside_objects();
    extras.indexes(indexes);
}

impl Indexes {
    /// Reads those of `directory`.
    pub fn read(directory: &GitDirectory) -> Self {
        let mut indexes = Self::default();
        let git = &directory.git;
        indexes.add(git.folder(Path::new("")).ok().as_ref(), b"index", directory);
        let Ok(worktrees) = git.folder(Path::new("worktrees")) else { return indexes };
        let mut entries = worktrees.entries(NAMES_MAX).unwrap_or_default();
        entries.sort_unstable();
        for entry in entries.iter().filter(|entry| entry.is_folder) {
            let folder = entry.name.to_path().ok().and_then(|name| worktrees.folder(name).ok());
            let path = [b"worktrees/", entry.name.as_slice(), b"/index"].concat();
            indexes.add(folder.as_ref(), &path, directory);
        }
        indexes
    }

    fn add(&mut self, folder: Option<&Root>, path: &[u8], directory: &GitDirectory) {
        let Some(folder) = folder else { return };
        match Index::read(folder, directory.object_hash, false) {
            Ok(index) => self.read.push((path.to_vec(), index)),
            Err(reason) => self.faults.push((path.to_vec(), reason)),
        }
    }
}

struct Extras<'e> {
    git: &'e Root,
    buffer: Buffer,
    visitor: Box<dyn Visitor + 'e>,
}

impl Extras<'_> {
    /// Names of refs, messages of reflogs that are in no file of their own, and what of them cannot be read.
    fn names(&mut self, refs: &Refs) {
        for named in &refs.names {
            self.whole(Origin::Ref, &named.name, &named.name);
        }
        for entry in &refs.logs {
            let path = [b"logs/".as_slice(), &entry.name].concat();
            self.whole(Origin::Reflog, &path, &entry.message);
        }
        for fault in &refs.faults {
            self.visitor.left_out(&fault.path, &fault.reason);
        }
    }

    fn whole(&mut self, origin: Origin, path: &[u8], bytes: &[u8]) {
        self.visitor.blob(Blob { origin, path, windows: &mut Whole::new(bytes) });
    }

    /// Walks the files without recursion.
    fn files(&mut self, understood_packed: bool) {
        let mut open = vec![PathBuf::new()];
        while let Some(path) = open.pop() {
            let listed = self.git.folder(&path).and_then(|folder| Ok((folder.entries(NAMES_MAX)?, folder)));
            let (mut entries, folder) = match listed {
                Ok(listed) => listed,
                Err(error) => {
                    self.visitor.left_out(path.as_os_str().as_encoded_bytes(), &error.to_string());
                    continue;
                }
            };
            entries.sort_unstable();
            for entry in entries {
                let Ok(name) = entry.name.to_path() else { continue };
                let below = path.join(name);
                let is_elsewhere = path.as_os_str().is_empty() && ELSEWHERE.contains(&entry.name.as_slice());
                if entry.is_folder {
                    open.extend((!is_elsewhere).then_some(below));
                } else if !is_formed(&below, understood_packed) {
                    self.file(&folder, name, &below);
                }
            }
        }
    }

    /// Files among the objects that are none: notes of why packs are kept, lists, and what anybody put there.
    fn beside_objects(&mut self) {
        for path in ["objects", "objects/info", "objects/pack"].map(Path::new) {
            let Ok(folder) = self.git.folder(path) else { continue };
            let mut entries = folder.entries(NAMES_MAX).unwrap_or_default();
            entries.retain(|entry| !is_stored(&entry.name));
            entries.sort_unstable();
            for entry in &entries {
                let Ok(name) = entry.name.to_path() else { continue };
                if !entry.is_folder {
                    self.file(&folder, name, &path.join(name));
                } else if !is_folder_of_objects(&entry.name) {
                    self.visitor
                        .left_out(path.join(name).as_os_str().as_encoded_bytes(), "a folder that git knows not");
                }
            }
        }
    }

    fn file(&mut self, folder: &Root, name: &Path, below: &Path) {
        let path = below.as_os_str().as_encoded_bytes();
        let skipped = match folder.node(name) {
            Ok(Node::File) => None,
            Ok(Node::Link) => {
                let target = folder.link(name).unwrap_or_default();
                self.whole(Origin::GitFile, path, &target);
                Some("link")
            }
            Ok(Node::Fifo) => Some("fifo"),
            Ok(Node::Socket) => Some("socket"),
            Ok(Node::Device) => Some("device"),
            Ok(Node::Folder) => return self.visitor.left_out(path, "changed while it was read"),
            Err(error) => return self.visitor.left_out(path, &error.to_string()),
        };
        if let Some(what) = skipped {
            return self.visitor.skipped(what);
        }
        match folder.regular(name) {
            Ok(opened) => {
                let mut windows = Reader::file(opened, &mut self.buffer);
                self.visitor.blob(Blob { origin: origin(path), path, windows: &mut windows });
            }
            Err(error) => self.visitor.left_out(path, &error.to_string()),
        }
    }

    /// The paths in indexes.
    fn indexes(&mut self, indexes: &Indexes) {
        for (path, index) in &indexes.read {
            for name in index.files() {
                self.whole(Origin::Index, path, &name);
            }
        }
        for (path, reason) in &indexes.faults {
            self.visitor.left_out(path, reason);
        }
    }
}

/// Whether a file is read in another way.
fn is_formed(path: &Path, understood_packed: bool) -> bool {
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    let is_index = name == b"index" || name.starts_with(b"sharedindex.");
    is_index || (understood_packed && path == Path::new("packed-refs"))
}

/// Whether a file among the objects is of git's own making, and read with them or made from them.
fn is_stored(name: &[u8]) -> bool {
    let ends = [b".pack".as_slice(), b".idx", b".rev", b".bitmap", b".mtimes"];
    let starts = [b"tmp_".as_slice(), b"multi-pack-index", b"commit-graph"];
    ends.iter().any(|end| name.ends_with(end)) || starts.iter().any(|start| name.starts_with(start))
}

/// Whether a folder of that name is read with the objects.
fn is_folder_of_objects(name: &[u8]) -> bool {
    let is_fan = name.len() == 2 && name.iter().all(u8::is_ascii_hexdigit);
    is_fan || name == b"info" || name == b"pack" || name.starts_with(b"incoming-")
}

/// What kind of file `path`, below the git directory, is.
fn origin(path: &[u8]) -> Origin {
    let has = |start: &[u8]| path.starts_with(start);
    let in_worktree = has(b"worktrees/") && path.find(b"/logs/").is_some();
    if has(b"logs/") || in_worktree {
        Origin::Reflog
    } else if has(b"lfs/objects/") {
        Origin::Lfs
    } else if has(b"refs/") {
        Origin::Ref
    } else {
        Origin::GitFile
    }
}
