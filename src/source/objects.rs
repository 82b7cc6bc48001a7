//! Objects by name, for commands that need few of them: nothing is read but what is asked for.
//!
//! Loose objects and packs of the folders it is given; no alternate is looked for and nothing is fetched. An object that
//! is not here is told from one that is damaged.

use std::path::{Path, PathBuf};

use bstr::ByteSlice;
use gix_hash::{Kind as Hash, ObjectId, Prefix};
use gix_object::{CommitRefIter, Kind, TreeRefIter};
use gix_pack::cache::Never;

use crate::source::loose;
use crate::source::open::{Node, Root};

/// A tree of a million entries is about this much.
const ALLOCATION_BYTES_MAX: usize = 128 << 20;
const PACKS_MAX: usize = 4_096;
const LOOSE_NAMES_MAX: usize = 10_000_000;

/// Whatever gives objects by name.
pub trait Odb: Sync {
    /// How its objects are named.
    fn object_hash(&self) -> Hash;
    /// The content of the object called `id`, and what it is; `None` where it is not here or cannot be read.
    fn object(&self, id: &ObjectId, out: &mut Vec<u8>) -> Option<Kind>;
}

/// An entry of a tree.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TreeEntry {
    /// Its name.
    pub name: Vec<u8>,
    /// What it names.
    pub id: ObjectId,
    /// What that is.
    pub kind: EntryKind,
}

/// What an entry of a tree or of the index names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntryKind {
    /// A file.
    File,
    /// A symbolic link, whose target is its content.
    Link,
    /// A folder; in the index, one that is not expanded.
    Folder,
    /// Another repository.
    Submodule,
    /// A path that is to be added, without content so far.
    Intended,
}

impl EntryKind {
    /// Whether it has a content that is searched.
    pub const fn has_content(self) -> bool {
        matches!(self, Self::File | Self::Link)
    }
}

/// The entries of the tree called `id`, sorted by name; `None` where it is not here, damaged or no tree.
pub fn tree_entries(odb: &dyn Odb, id: &ObjectId) -> Option<Vec<TreeEntry>> {
    let mut bytes = Vec::new();
    if id.is_empty_tree() {
        return Some(Vec::new());
    }
    odb.object(id, &mut bytes).filter(|kind| *kind == Kind::Tree)?;
    let mut entries = Vec::new();
    for entry in TreeRefIter::from_bytes(&bytes, odb.object_hash()) {
        let entry = entry.ok()?;
        let kind = if entry.mode.is_tree() {
            EntryKind::Folder
        } else if entry.mode.is_commit() {
            EntryKind::Submodule
        } else if entry.mode.is_link() {
            EntryKind::Link
        } else {
            EntryKind::File
        };
        entries.push(TreeEntry { name: entry.filename.to_vec(), id: entry.oid.to_owned(), kind });
    }
    entries.sort();
    Some(entries)
}

/// The objects in some folders.
pub struct Objects {
    folders: Vec<Root>,
    packs: Vec<gix_pack::Bundle>,
    object_hash: Hash,
}

impl Objects {
    /// Opens the store in `folders`: a folder called `objects`, and its alternates; also gives what of it cannot be opened,
    /// each by its path below the git directory and a short sentence.
    pub fn open(folders: Vec<Root>, object_hash: Hash) -> (Self, Vec<(String, String)>) {
        let mut objects = Self { folders: Vec::new(), packs: Vec::new(), object_hash };
        let mut faults = Vec::new();
        for folder in folders {
            if let Ok(packs) = folder.folder(Path::new("pack")) {
                objects.open_packs(&packs, &mut faults);
            }
            objects.folders.push(folder);
        }
        (objects, faults)
    }

    fn open_packs(&mut self, folder: &Root, faults: &mut Vec<(String, String)>) {
        let indexes = match pack_indexes(folder) {
            Ok(indexes) => indexes,
            Err(reason) => return faults.push(("objects/pack".to_owned(), reason)),
        };
        for index in indexes {
            match bundle(&folder.path().join(&index), self.object_hash) {
                Ok(pack) => self.packs.push(pack),
                Err(reason) => {
                    let name = crate::path::encode(index.as_os_str().as_encoded_bytes());
                    faults.push((format!("objects/pack/{name}"), reason));
                }
            }
        }
    }

    /// Whether the tree of `commit` has `path`; `fold` ignores the case of ASCII letters.
    pub fn contains(&self, commit: ObjectId, path: &[u8], fold: bool) -> Result<bool, String> {
        let mut buffer = Vec::new();
        self.read_kind(commit, Kind::Commit, &mut buffer)?;
        let mut tree = CommitRefIter::from_bytes(&buffer, self.object_hash).tree_id().map_err(|e| e.to_string())?;
        let mut parts = path.split(|byte| *byte == b'/').peekable();
        while let Some(part) = parts.next() {
            self.read_kind(tree, Kind::Tree, &mut buffer)?;
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

    /// The object called `id`; `Ok(None)` where it is not here. The error is a short sentence.
    pub fn read(&self, id: &ObjectId, out: &mut Vec<u8>) -> Result<Option<Kind>, String> {
        match self.read_packed(*id, out)? {
            Some(found) => Ok(Some(found)),
            None => self.read_loose(*id, out),
        }
    }

    /// Names that start with the hexadecimal digits `prefix`, at least four; two are enough to show that it is not unique.
    pub fn starting_with(&self, prefix: &str) -> Vec<ObjectId> {
        let Ok(wanted) = Prefix::from_hex(prefix) else { return Vec::new() };
        let mut found = Vec::new();
        for pack in &self.packs {
            let mut range = 0..0;
            if pack.index.lookup_prefix(wanted, Some(&mut range)).is_some() {
                found.extend(range.take(2).map(|at| pack.index.oid_at_index(at).to_owned()));
            }
        }
        let (fan, rest) = prefix.split_at(2);
        for folder in &self.folders {
            let Ok(folder) = folder.folder(Path::new(fan)) else { continue };
            let names = folder.entries(LOOSE_NAMES_MAX).unwrap_or_default();
            let names = names.iter().filter(|entry| entry.name.starts_with(rest.as_bytes()));
            found.extend(names.filter_map(|entry| ObjectId::from_hex(&[fan.as_bytes(), &entry.name].concat()).ok()));
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The folders of objects.
    pub fn folders(&self) -> impl Iterator<Item = &Root> {
        self.folders.iter()
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

    fn read_kind(&self, id: ObjectId, kind: Kind, buffer: &mut Vec<u8>) -> Result<(), String> {
        match self.read(&id, buffer)? {
            Some(found) if found == kind => Ok(()),
            Some(_) => Err(format!("object {id} is not a {kind}")),
            None => Err(format!("object {id} is not in the repository")),
        }
    }

    #[expect(clippy::default_trait_access, reason = "the inflater's crate is no direct dependency")]
    fn read_packed(&self, id: ObjectId, buffer: &mut Vec<u8>) -> Result<Option<Kind>, String> {
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

    fn read_loose(&self, id: ObjectId, buffer: &mut Vec<u8>) -> Result<Option<Kind>, String> {
        if !loose::exists(&self.folders, &id) {
            return Ok(None);
        }
        let read = loose::read(&self.folders, &id, buffer);
        read.map(Some).ok_or_else(|| format!("object {id} is damaged, or larger than 128 MiB"))
    }
}

impl Odb for Objects {
    fn object_hash(&self) -> Hash {
        self.object_hash
    }

    fn object(&self, id: &ObjectId, out: &mut Vec<u8>) -> Option<Kind> {
        self.read(id, out).ok().flatten()
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
    Ok(names.into_iter().filter(usable).map(Path::to_owned).collect())
}

fn is_pack_index(name: &Path) -> bool {
    name.extension().is_some_and(|extension| extension == "idx")
}

fn bundle(index: &Path, object_hash: Hash) -> Result<gix_pack::Bundle, String> {
    let gix_pack::Bundle { pack, index } =
        gix_pack::Bundle::at(index, object_hash).map_err(|error| format!("not a pack that can be read: {error}"))?;
    Ok(gix_pack::Bundle { pack: pack.with_alloc_limit_bytes(Some(ALLOCATION_BYTES_MAX)), index })
}
