//! The entries of the index, split and sparse ones included.
//!
//! Read into memory, never mapped; its checksum must hold. What an entry's content is stays unread.

use std::ops::ControlFlow;
use std::path::Path;
use std::time::SystemTime;

use gix_hash::{Kind, ObjectId};
use gix_index::State;
use gix_index::entry::{Flags, Mode};
use gix_index::extension::Tree;

use crate::source::objects::{EntryKind, TreeEntry};
use crate::source::open::Root;

const BYTES_MAX: u64 = 512 << 20;
/// Version 4 writes a path as what it adds to the one before, so a small file can stand for very many bytes.
const PATH_BYTES_MAX: u64 = 1 << 30;
const ENTRY_BYTES: usize = 40;

/// What the index holds, by path.
pub struct Index {
    /// Sorted and without duplicates.
    entries: Vec<IndexEntry>,
    /// The trees that a commit of the index would have, as far as they are known.
    trees: Option<Tree>,
    fold: bool,
}

/// One entry of the index.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct IndexEntry {
    /// From the top of the working tree; that of a sparse folder ends in `/`.
    pub path: Vec<u8>,
    /// 0, or 1 to 3 in a conflict.
    pub stage: u8,
    /// What it is.
    pub kind: EntryKind,
    /// Its content; for a sparse folder its tree, for a submodule its commit.
    pub id: ObjectId,
}

impl Index {
    /// Reads `index` in the git directory `folder`; an absent one is empty. `fold` ignores the case of ASCII letters.
    pub fn read(folder: &Root, object_hash: Kind, fold: bool) -> Result<Self, String> {
        Self::read_file(folder, folder, "index", object_hash, fold)
    }

    /// As [`Index::read`], of the file `name` in `folder`; a shared index lies in the git directory `git`.
    pub fn read_file(folder: &Root, git: &Root, name: &str, object_hash: Kind, fold: bool) -> Result<Self, String> {
        let Some(state) = state(folder, name, object_hash)? else {
            return Ok(Self { entries: Vec::new(), trees: None, fold });
        };
        let mut entries: Vec<IndexEntry> = Vec::new();
        if let Some(link) = state.link().filter(|link| !link.shared_index_checksum.is_null()) {
            let name = format!("sharedindex.{}", link.shared_index_checksum);
            let shared = state_of_shared(git, &name, object_hash)?;
            let mut kept: Vec<Option<IndexEntry>> = (0..shared.entries().len()).map(|at| entry(&shared, at)).collect();
            if let Some(bitmaps) = &link.bitmaps {
                let mut replacing = 0;
                let replaced = bitmaps.replace.for_each_set_bit(|at| {
                    // The entries that replace come first, in order and without a path.
                    let new = state.entries().get(replacing)?;
                    replacing += 1;
                    let old = kept.get_mut(at)?.as_mut()?;
                    (old.kind, old.id) = (kind(new.mode, new.flags), new.id);
                    Some(())
                });
                let deleted = bitmaps.delete.for_each_set_bit(|at| {
                    *kept.get_mut(at)? = None;
                    Some(())
                });
                replaced.and(deleted).ok_or("the split index is damaged")?;
            }
            entries.extend(kept.into_iter().flatten());
        }
        // In a split index, an entry without a path stands for one of the shared index.
        let own = (0..state.entries().len()).filter_map(|at| entry(&state, at));
        entries.extend(own.filter(|entry| !entry.path.is_empty()));
        entries.sort_unstable();
        entries.dedup();
        Ok(Self { entries, trees: state.tree().cloned(), fold })
    }

    /// Every entry, sorted by path and stage.
    pub fn entries(&self) -> &[IndexEntry] {
        &self.entries
    }

    /// The entry at `path` that a commit would have; in a conflict, the first of its stages.
    pub fn find(&self, path: &[u8]) -> Option<&IndexEntry> {
        let at = self.entries.partition_point(|known| known.path.as_slice() < path);
        self.entries.get(at).filter(|known| known.path == path)
    }

    /// The entries whose paths start with `prefix`.
    pub fn below(&self, prefix: &[u8]) -> &[IndexEntry] {
        let from = self.entries.partition_point(|known| known.path.as_slice() < prefix);
        let len = self.entries[from..].partition_point(|known| known.path.starts_with(prefix));
        &self.entries[from..from + len]
    }

    /// What is in the folder at `path`, sorted by name; in a conflict, every stage.
    pub fn folder(&self, path: &[u8]) -> Vec<TreeEntry> {
        let prefix = if path.is_empty() { Vec::new() } else { [path, b"/"].concat() };
        let mut rest = self.below(&prefix);
        let mut found = Vec::new();
        while let Some(first) = rest.first() {
            let below = &first.path[prefix.len()..];
            if below.is_empty() {
                // The folder itself, which is not expanded.
                rest = &rest[1..];
                continue;
            }
            let (name, kind) = match memchr::memchr(b'/', below) {
                Some(slash) => (&below[..slash], EntryKind::Folder),
                None => (below, first.kind),
            };
            let same = [&prefix, name, b"/".as_slice()].concat();
            let skip = match kind {
                EntryKind::Folder => rest.partition_point(|known| known.path.starts_with(&same)),
                // The stages of a conflict are entries of their own.
                _ => 1,
            };
            found.push(TreeEntry { name: name.to_vec(), id: first.id, kind });
            rest = &rest[skip.max(1)..];
        }
        found
    }

    /// The tree of the folder at `path`, if no entry below it has changed since it was made.
    pub fn tree(&self, path: &[u8]) -> Option<ObjectId> {
        let mut tree = self.trees.as_ref()?;
        for part in path.split(|&byte| byte == b'/').filter(|part| !part.is_empty()) {
            tree = tree.children.iter().find(|child| child.name.as_slice() == part)?;
        }
        tree.num_entries.map(|_| tree.id)
    }

    /// Whether `path` is there in any stage; breaks where only a folder that is not expanded could say.
    pub fn contains(&self, path: &[u8]) -> ControlFlow<(), bool> {
        let at = self.entries.partition_point(|known| known.path.as_slice() < path);
        if self.entries.get(at).is_some_and(|known| known.path == path) {
            return ControlFlow::Continue(true);
        }
        if self.fold && self.entries.iter().any(|known| known.path.eq_ignore_ascii_case(path)) {
            return ControlFlow::Continue(true);
        }
        let is_above = |known: &IndexEntry| known.kind == EntryKind::Folder && path.starts_with(&known.path);
        if self.entries.iter().any(is_above) { ControlFlow::Break(()) } else { ControlFlow::Continue(false) }
    }

    /// Files and links, sorted.
    pub fn files(&self) -> Vec<Vec<u8>> {
        let is_file = |kind: EntryKind| !matches!(kind, EntryKind::Folder | EntryKind::Submodule);
        let mut files: Vec<_> =
            self.entries.iter().filter(|entry| is_file(entry.kind)).map(|entry| entry.path.clone()).collect();
        files.dedup();
        files
    }
}

fn entry(state: &State, at: usize) -> Option<IndexEntry> {
    let entry = state.entries().get(at)?;
    Some(IndexEntry {
        path: entry.path(state).to_vec(),
        stage: u8::try_from(entry.stage_raw()).unwrap_or(0),
        kind: kind(entry.mode, entry.flags),
        id: entry.id,
    })
}

fn kind(mode: Mode, flags: Flags) -> EntryKind {
    if mode.is_sparse() {
        EntryKind::Folder
    } else if mode.is_submodule() {
        EntryKind::Submodule
    } else if flags.contains(Flags::INTENT_TO_ADD) {
        EntryKind::Intended
    } else if mode == Mode::SYMLINK {
        EntryKind::Link
    } else {
        EntryKind::File
    }
}

fn state_of_shared(folder: &Root, name: &str, object_hash: Kind) -> Result<State, String> {
    state(folder, name, object_hash)?.ok_or_else(|| "the shared index is missing".to_owned())
}

fn state(folder: &Root, name: &str, object_hash: Kind) -> Result<Option<State>, String> {
    let bytes = folder.read_bounded(Path::new(name), BYTES_MAX).map_err(|error| format!("{name}: {error}"))?;
    let Some(bytes) = bytes else { return Ok(None) };
    verify(&bytes, object_hash).ok_or_else(|| format!("{name} is damaged"))?;
    if expanded_bytes(&bytes, object_hash).is_some_and(|bytes| bytes > PATH_BYTES_MAX) {
        return Err(format!("{name} is too large"));
    }
    let options = gix_index::decode::Options {
        thread_limit: Some(1),
        alloc_limit_bytes: usize::try_from(4 * BYTES_MAX).ok(),
        ..Default::default()
    };
    match State::from_bytes(&bytes, SystemTime::UNIX_EPOCH.into(), object_hash, options) {
        Ok((state, _)) => Ok(Some(state)),
        Err(error) => Err(format!("{name}: {error}")),
    }
}

/// The checksum at the end holds, or was left out by `index.skipHash`.
fn verify(bytes: &[u8], object_hash: Kind) -> Option<()> {
    let (body, sum) = bytes.split_at_checked(bytes.len().checked_sub(object_hash.len_in_bytes())?)?;
    if sum.iter().all(|byte| *byte == 0) {
        return Some(());
    }
    let mut hasher = gix_hash::hasher(object_hash);
    hasher.update(body);
    (hasher.try_finalize().ok()?.as_slice() == sum).then_some(())
}

/// How many bytes the paths of a version 4 index take when written out; `None` for other versions.
fn expanded_bytes(bytes: &[u8], object_hash: Kind) -> Option<u64> {
    let number = |at: usize| Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    if number(4)? != 4 {
        return None;
    }
    let (mut at, mut path, mut total) = (12, 0_u64, 0_u64);
    for _ in 0..number(8)? {
        let flags = at + ENTRY_BYTES + object_hash.len_in_bytes();
        let is_extended = bytes.get(flags)? & 0x40 != 0;
        at = flags + if is_extended { 4 } else { 2 };
        let mut byte = *bytes.get(at)?;
        let mut cut = u64::from(byte & 0x7f);
        while byte & 0x80 != 0 {
            at += 1;
            byte = *bytes.get(at)?;
            cut = cut.checked_add(1)?.checked_mul(128)?.checked_add(u64::from(byte & 0x7f))?;
        }
        let added = memchr::memchr(0, bytes.get(at + 1..)?)?;
        at += added + 2;
        path = path.checked_sub(cut)? + added as u64;
        total += path;
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Version 4, without a checksum: one long path, then entries that each keep all of it and add a byte.
    #[test]
    fn paths_that_grow_without_end_are_refused() {
        let count = 1_100_u32;
        let mut bytes = b"DIRC\0\0\0\x04".to_vec();
        bytes.extend(count.to_be_bytes());
        for number in 0..count {
            bytes.extend([0; ENTRY_BYTES + 20]);
            bytes.extend([0, 0, 0]);
            bytes.extend(vec![b'a'; if number == 0 { 1 << 20 } else { 1 }]);
            bytes.push(0);
        }
        bytes.extend([0; 20]);
        assert!(expanded_bytes(&bytes, Kind::Sha1).unwrap() > PATH_BYTES_MAX);
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("index"), &bytes).unwrap();
        let root = Root::open(home.path()).unwrap();
        assert_eq!(Index::read(&root, Kind::Sha1, false).err().unwrap(), "index is too large");
        bytes.truncate(900);
        assert_eq!(expanded_bytes(&bytes, Kind::Sha1), None);
    }
}
