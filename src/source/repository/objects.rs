//! Finds a path in a commit's tree: loose objects and packs of the repository's own store.
//!
//! Alternates are not read and nothing is fetched; an object that is not here is an error, not an absence.

use std::path::{Path, PathBuf};

use bstr::ByteSlice;
use gix_hash::{Kind, ObjectId};
use gix_object::{CommitRefIter, TreeRefIter};
use gix_pack::cache::Never;

use crate::source::open::{Node, Root};

/// A tree of a million entries is about this much.
const ALLOCATION_BYTES_MAX: usize = 128 << 20;
const PACKS_MAX: usize = 4_096;

/// The objects of one repository.
pub struct Objects {
    folder: Root,
    loose: gix_odb::loose::Store,
    packs: Vec<gix_pack::Bundle>,
    object_hash: Kind,
}

impl Objects {
    /// Opens the store in the git directory `common`.
    pub fn open(common: &Root, object_hash: Kind) -> Result<Self, String> {
        let folder = common.folder(Path::new("objects")).map_err(|error| format!("objects: {error}"))?;
        let options = gix_odb::loose::Options { alloc_limit_bytes: Some(ALLOCATION_BYTES_MAX), ..Default::default() };
        let loose = gix_odb::loose::Store::at_opts(folder.path(), object_hash, options);
        let mut packs = Vec::new();
        if let Ok(pack) = folder.folder(Path::new("pack")) {
            for index in pack_indexes(&pack)? {
                packs.push(bundle(&index, object_hash)?);
            }
        }
        Ok(Self { folder, loose, packs, object_hash })
    }

    /// Whether the tree of `commit` has `path`; `fold` ignores the case of ASCII letters.
    pub fn contains(&self, commit: ObjectId, path: &[u8], fold: bool) -> Result<bool, String> {
        let mut buffer = Vec::new();
        self.read(commit, gix_object::Kind::Commit, &mut buffer)?;
        let mut tree = CommitRefIter::from_bytes(&buffer, self.object_hash).tree_id().map_err(|e| e.to_string())?;
        let mut parts = path.split(|byte| *byte == b'/').peekable();
        while let Some(part) = parts.next() {
            self.read(tree, gix_object::Kind::Tree, &mut buffer)?;
            let Some((id, is_tree)) = self.entry(&buffer, part, fold)? else { return Ok(false) };
            if parts.peek().is_none() {
                return Ok(true);
            }
            if !is_tree {
                return Ok(false);
            }
            tree = id;
        }
        Ok(false)
    }

    /// All entries are looked at: a search that trusts the order could be misled by a tree that has none.
    fn entry(&self, tree: &[u8], name: &[u8], fold: bool) -> Result<Option<(ObjectId, bool)>, String> {
        let mut found = None;
        for entry in TreeRefIter::from_bytes(tree, self.object_hash) {
            let entry = entry.map_err(|error| error.to_string())?;
            let same = entry.filename == name || (fold && entry.filename.eq_ignore_ascii_case(name));
            if same && !matches!(found, Some((_, true))) {
                found = Some((entry.oid.to_owned(), entry.mode.is_tree()));
            }
        }
        Ok(found)
    }

    fn read(&self, id: ObjectId, kind: gix_object::Kind, buffer: &mut Vec<u8>) -> Result<(), String> {
        let found = match self.read_packed(id, buffer)? {
            Some(found) => Some(found),
            None => self.read_loose(id, buffer)?,
        };
        match found {
            Some(found) if found == kind => Ok(()),
            Some(_) => Err(format!("object {id} is not a {kind}")),
            None => Err(format!("object {id} is not in the repository")),
        }
    }

    #[expect(clippy::default_trait_access, reason = "the inflater's crate is no direct dependency")]
    fn read_packed(&self, id: ObjectId, buffer: &mut Vec<u8>) -> Result<Option<gix_object::Kind>, String> {
        for pack in &self.packs {
            let found = pack.find(&id, buffer, &mut Default::default(), &mut Never);
            if let Some((data, _)) = found.map_err(|error| format!("object {id}: {error}"))? {
                let (kind, bytes) = (data.kind, data.data.len());
                buffer.truncate(bytes);
                return Ok(Some(kind));
            }
        }
        Ok(None)
    }

    fn read_loose(&self, id: ObjectId, buffer: &mut Vec<u8>) -> Result<Option<gix_object::Kind>, String> {
        let hex = id.to_hex().to_string();
        let path = PathBuf::from(&hex[..2]).join(&hex[2..]);
        // The store opens by path and would wait for a FIFO.
        if !matches!(self.folder.node(&path), Ok(Node::File)) {
            return Ok(None);
        }
        let found = self.loose.try_find(&id, buffer).map_err(|error| format!("object {id}: {error}"))?;
        Ok(found.map(|data| data.kind))
    }
}

/// The indexes in the folder of packs, sorted, each a plain file next to a plain pack.
fn pack_indexes(folder: &Root) -> Result<Vec<PathBuf>, String> {
    let entries = folder.entries(4 * PACKS_MAX).map_err(|error| format!("packs: {error}"))?;
    let mut names: Vec<_> =
        entries.iter().filter_map(|entry| entry.name.to_path().ok()).filter(|name| is_pack_index(name)).collect();
    names.sort_unstable();
    if names.len() > PACKS_MAX {
        return Err("too many packs".to_owned());
    }
    let is_file = |name: &Path| matches!(folder.node(name), Ok(Node::File));
    let usable = |name: &&Path| is_file(name) && is_file(&name.with_extension("pack"));
    Ok(names.into_iter().filter(usable).map(|name| folder.path().join(name)).collect())
}

fn is_pack_index(name: &Path) -> bool {
    name.extension().is_some_and(|extension| extension == "idx")
}

fn bundle(index: &Path, object_hash: Kind) -> Result<gix_pack::Bundle, String> {
    let gix_pack::Bundle { pack, index } =
        gix_pack::Bundle::at(index, object_hash).map_err(|error| format!("pack: {error}"))?;
    Ok(gix_pack::Bundle { pack: pack.with_alloc_limit_bytes(Some(ALLOCATION_BYTES_MAX)), index })
}
