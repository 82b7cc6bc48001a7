//! What surrounds a file in the tree of a commit: names and manifests, as `facts` gathers them from a disk.

use super::store::Store;
use crate::path::encode;
use crate::side::{Facts, Folder, Wanted};
use bstr::ByteSlice as _;
use gix_hash::ObjectId;
use gix_object::{Kind, TreeRefIter};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

const FOLDERS_MAX: usize = 64;
const NAMES_MAX: usize = 2_000;
const MANIFESTS_MAX: usize = 64;
const MANIFEST_BYTES_MAX: usize = 1 << 20;
const FOLDER_BYTES_MAX: usize = 8 << 20;
/// Folders remembered before all are forgotten.
const KNOWN_MAX: usize = 20_000;

/// The facts of the trees of one store, each tree and path read once.
pub struct TreeFacts<'s, 'f> {
    store: &'s Store<'f>,
    wanted: Arc<dyn Wanted>,
    known: Mutex<HashMap<(ObjectId, Vec<u8>), Arc<Folder>>>,
}

/// Entry of a tree: its name, its object, whether that is a tree.
type Entry = (Vec<u8>, ObjectId, bool);

impl<'s, 'f> TreeFacts<'s, 'f> {
    /// Over the trees of `store`, with the manifests that `wanted` names.
    pub fn new(store: &'s Store<'f>, wanted: Arc<dyn Wanted>) -> Self {
        Self { store, wanted, known: Mutex::default() }
    }

    /// The folders from `folder` up to the top of `tree`, nearest first; `folder` has no `/` at its end.
    pub fn facts(&self, tree: ObjectId, folder: &[u8]) -> Facts {
        let mut folders = vec![self.folder(tree, b"")];
        let mut at = tree;
        let mut end = 0;
        for part in folder.split(|&byte| byte == b'/').filter(|part| !part.is_empty()) {
            let entries = self.entries(at);
            let Some((_, id, _)) = entries.iter().find(|(name, _, is_tree)| *is_tree && name == part) else { break };
            at = *id;
            end += part.len() + usize::from(end > 0);
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

    fn folder(&self, tree: ObjectId, path: &[u8]) -> Arc<Folder> {
        let key = (tree, path.to_vec());
        if let Some(folder) = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Arc::clone(folder);
        }
        let folder = Arc::new(self.read(tree, path));
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KNOWN_MAX {
            known.clear();
        }
        known.insert(key, Arc::clone(&folder));
        folder
    }

    fn read(&self, tree: ObjectId, path: &[u8]) -> Folder {
        let mut entries = self.entries(tree);
        entries.sort_unstable();
        entries.dedup_by(|one, other| one.0 == other.0);
        let name = |(name, _, is_tree): &Entry| encode(name) + if *is_tree { "/" } else { "" };
        Folder {
            path: encode(path),
            manifests: self.manifests(&entries),
            names: entries.iter().take(NAMES_MAX).map(name).collect(),
        }
    }

    fn manifests(&self, entries: &[Entry]) -> Vec<(String, Vec<u8>)> {
        let direct = entries.iter().filter(|(_, _, is_tree)| !is_tree).filter_map(|(name, id, _)| {
            let name = name.to_str().ok().filter(|name| self.wanted.is_manifest(name))?;
            Some((name.to_owned(), *id))
        });
        let nested = self.wanted.nested().iter().filter_map(|path| Some((path.clone(), self.find(entries, path)?)));
        let mut manifests = Vec::new();
        let mut bytes = 0;
        for (name, id) in direct.chain(nested) {
            let mut text = Vec::new();
            if self.store.read(&id, &mut text) != Some(Kind::Blob) || text.len() > MANIFEST_BYTES_MAX {
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

    /// The file at `path` below a tree with these entries.
    fn find(&self, entries: &[Entry], path: &str) -> Option<ObjectId> {
        let mut entries = entries.to_vec();
        let mut parts = path.split('/').peekable();
        while let Some(part) = parts.next() {
            let is_last = parts.peek().is_none();
            let (_, id, _) =
                entries.iter().find(|(name, _, is_tree)| name == part.as_bytes() && *is_tree != is_last)?;
            if is_last {
                return Some(*id);
            }
            entries = self.entries(*id);
        }
        None
    }

    fn entries(&self, tree: ObjectId) -> Vec<Entry> {
        let mut bytes = Vec::new();
        if self.store.read(&tree, &mut bytes) != Some(Kind::Tree) {
            return Vec::new();
        }
        let entries = TreeRefIter::from_bytes(&bytes, self.store.object_hash()).map_while(Result::ok);
        entries.map(|entry| (entry.filename.to_vec(), entry.oid.to_owned(), entry.mode.is_tree())).collect()
    }
}
