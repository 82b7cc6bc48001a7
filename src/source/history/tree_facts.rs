//! What surrounds a file in the tree of a commit or in the index: names and manifests, as `facts` gathers them from a disk.

use crate::path::encode;
use crate::side::{Facts, Folder, TreeView, Wanted};
use crate::source::objects::{EntryKind, Odb, TreeEntry, tree_entries};
use crate::source::repository::Index;
use bstr::ByteSlice as _;
use gix_hash::ObjectId;
use gix_object::Kind;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

const FOLDERS_MAX: usize = 64;
const NAMES_MAX: usize = 2_000;
const MANIFESTS_MAX: usize = 64;
const MANIFEST_BYTES_MAX: usize = 1 << 20;
const FOLDER_BYTES_MAX: usize = 8 << 20;
/// Folders remembered before all are forgotten.
const KNOWN_MAX: usize = 20_000;

/// The top of a tree of files.
#[derive(Clone, Copy)]
pub enum Top<'t> {
    /// A tree in the store.
    Tree(ObjectId),
    /// The index; the same one for all questions.
    Index(&'t Index),
}

/// The facts of the trees of one store, each tree and path read once.
pub struct TreeFacts<'s> {
    odb: &'s dyn Odb,
    /// Asked for at the first question: most commands end without one.
    wanted: Box<MakeWanted<'s>>,
    known: Mutex<Known>,
}

/// Gives what says which files are manifests; none where that cannot be had.
pub type MakeWanted<'s> = dyn Fn() -> Option<Arc<dyn Wanted>> + Send + Sync + 's;

/// Folders by tree and path.
type Known = HashMap<(ObjectId, Vec<u8>), Arc<Folder>>;

/// One tree with its files.
pub struct TreeTop<'v, 's> {
    facts: &'v TreeFacts<'s>,
    top: Top<'v>,
}

impl TreeView for TreeTop<'_, '_> {
    fn read(&self, path: &str, bytes_max: usize) -> Option<Vec<u8>> {
        let id = self.facts.find(self.at(), path)?;
        let mut text = Vec::new();
        let is_file = self.facts.odb.object(&id, &mut text) == Some(Kind::Blob) && text.len() <= bytes_max;
        is_file.then_some(text)
    }

    fn list(&self, folder: &str) -> Vec<String> {
        let mut at = self.at();
        for part in folder.split('/').filter(|part| !part.is_empty()) {
            at = match at {
                At::Index(index, _) => At::Index(index, folder.as_bytes()),
                At::Tree(_) => {
                    let entries = self.facts.entries(at);
                    let is_next = |entry: &&TreeEntry| entry.kind == EntryKind::Folder && entry.name == part.as_bytes();
                    let Some(next) = entries.iter().find(is_next) else { return Vec::new() };
                    At::Tree(next.id)
                }
            };
        }
        let to_name = |entry: TreeEntry| {
            let end = match entry.kind {
                EntryKind::File => "",
                EntryKind::Folder => "/",
                _ => return None,
            };
            Some(String::from_utf8(entry.name).ok()? + end)
        };
        let mut names: Vec<String> = self.facts.entries(at).into_iter().filter_map(to_name).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    fn facts(&self, folder: &str) -> Facts {
        self.facts.facts(self.top, folder.as_bytes())
    }
}

impl<'v> TreeTop<'v, '_> {
    const fn at(&self) -> At<'v> {
        match self.top {
            Top::Tree(tree) => At::Tree(tree),
            Top::Index(index) => At::Index(index, b""),
        }
    }
}

/// A folder of a tree.
#[derive(Clone, Copy)]
enum At<'a> {
    Tree(ObjectId),
    Index(&'a Index, &'a [u8]),
}

impl<'s> TreeFacts<'s> {
    /// Over the trees of `odb`, with the manifests that `wanted` names.
    pub fn new(odb: &'s dyn Odb, wanted: Box<MakeWanted<'s>>) -> Self {
        Self { odb, wanted, known: Mutex::default() }
    }

    /// The folders from `folder` up to the top, nearest first; `folder` has no `/` at its end.
    pub fn facts(&self, top: Top<'_>, folder: &[u8]) -> Facts {
        let mut at = match top {
            Top::Tree(tree) => At::Tree(tree),
            Top::Index(index) => At::Index(index, b""),
        };
        let mut folders = vec![self.folder(at, b"")];
        let mut end = 0;
        for part in folder.split(|&byte| byte == b'/').filter(|part| !part.is_empty()) {
            end += part.len() + usize::from(end > 0);
            at = match at {
                At::Index(index, _) => At::Index(index, &folder[..end]),
                At::Tree(_) => {
                    let entries = self.entries(at);
                    let is_next = |entry: &&TreeEntry| entry.kind == EntryKind::Folder && entry.name == part;
                    let Some(next) = entries.iter().find(is_next) else { break };
                    At::Tree(next.id)
                }
            };
            folders.push(self.folder(at, &folder[..end]));
        }
        folders.reverse();
        if folders.len() > FOLDERS_MAX {
            let top = folders.pop();
            folders.truncate(FOLDERS_MAX);
            folders.extend(top);
        }
        Facts { folders }
    }

    /// One of the trees, to be asked for its files.
    pub fn view<'v>(&'v self, top: Top<'v>) -> TreeTop<'v, 's> {
        TreeTop { facts: self, top }
    }

    fn folder(&self, at: At<'_>, path: &[u8]) -> Arc<Folder> {
        let id = match at {
            At::Tree(id) => id,
            At::Index(..) => ObjectId::null(self.odb.object_hash()),
        };
        let key = (id, path.to_vec());
        if let Some(folder) = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Arc::clone(folder);
        }
        let folder = Arc::new(self.read(at, path));
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KNOWN_MAX {
            known.clear();
        }
        known.insert(key, Arc::clone(&folder));
        folder
    }

    fn read(&self, at: At<'_>, path: &[u8]) -> Folder {
        let mut entries = self.entries(at);
        entries.dedup_by(|one, other| one.name == other.name);
        let name = |entry: &TreeEntry| encode(&entry.name) + if entry.kind == EntryKind::Folder { "/" } else { "" };
        Folder {
            path: encode(path),
            manifests: self.manifests(&entries, at),
            names: entries.iter().take(NAMES_MAX).map(name).collect(),
        }
    }

    fn manifests(&self, entries: &[TreeEntry], at: At<'_>) -> Vec<(String, Vec<u8>)> {
        let Some(wanted) = (self.wanted)() else { return Vec::new() };
        let direct = entries.iter().filter(|entry| entry.kind == EntryKind::File).filter_map(|entry| {
            let name = entry.name.to_str().ok().filter(|name| wanted.is_manifest(name))?;
            Some((name.to_owned(), entry.id))
        });
        let nested = wanted.nested().iter().filter_map(|path| Some((path.clone(), self.find(at, path)?)));
        let mut manifests = Vec::new();
        let mut bytes = 0;
        for (name, id) in direct.chain(nested) {
            let mut text = Vec::new();
            if self.odb.object(&id, &mut text) != Some(Kind::Blob) || text.len() > MANIFEST_BYTES_MAX {
                continue;
            }
            bytes += text.len();
            if manifests.len() == MANIFESTS_MAX || bytes > FOLDER_BYTES_MAX {
                break;
            }
            manifests.push((name, text));
        }
        manifests.sort_unstable();
        manifests.dedup_by(|one, other| one.0 == other.0);
        manifests
    }

    /// The file at `path` below a folder.
    fn find(&self, at: At<'_>, path: &str) -> Option<ObjectId> {
        let mut at = match at {
            At::Tree(id) => id,
            At::Index(index, folder) => {
                let whole = if folder.is_empty() { path.into() } else { [folder, b"/", path.as_bytes()].concat() };
                return index.find(&whole).filter(|entry| entry.kind == EntryKind::File).map(|entry| entry.id);
            }
        };
        let mut parts = path.split('/').peekable();
        while let Some(part) = parts.next() {
            let kind = if parts.peek().is_none() { EntryKind::File } else { EntryKind::Folder };
            let entries = self.entries(At::Tree(at));
            at = entries.iter().find(|entry| entry.name == part.as_bytes() && entry.kind == kind)?.id;
        }
        Some(at)
    }

    fn entries(&self, at: At<'_>) -> Vec<TreeEntry> {
        match at {
            At::Tree(id) => tree_entries(self.odb, &id).unwrap_or_default(),
            At::Index(index, folder) => index.folder(folder),
        }
    }
}
