//! The object store of one repository: its packs, its loose objects, and reading one object by name.
//!
//! Opened file by file: no discovery, no configuration, no alternates. What cannot be opened is a fault and hides
//! nothing else.

use super::bounds::Bounds;
use super::inflate::{Buffer, Inflater, Stream};
use super::names::Names;
use super::pack::{Index, Pack};
use super::walk::{self, OBJECT_BYTES_MAX};
use crate::blob::{ReadAt, Window, Windows};
use crate::source::loose;
use crate::source::objects::Odb;
use crate::source::open::{Node, OpenError, Root};
use bstr::ByteSlice as _;
use gix_hash::{Kind as Hash, ObjectId};
use gix_object::Kind;
use gix_pack::data::entry::Header;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

const PACKS_MAX: usize = 100_000;
/// How the names of packs start whose writing was interrupted.
const LEFT_PACK: &[u8] = b"tmp_pack_";
/// What a reverse index has beside four bytes an entry.
const REVERSE_BYTES: u64 = 12 + 2 * 32;
const QUARANTINE: [&[u8]; 2] = [b"incoming-", b"tmp_objdir-"];
/// Packs that are thin over one another, on the way to one object.
const THIN_MAX: u32 = 16;
/// Bytes of objects remembered of packs without an index, whose deltas by name are made one by one.
const RECENT_BYTES_MAX: usize = 64 << 20;
/// What each of those objects takes beside its bytes.
const RECENT_BYTES: usize = 128;
/// Bytes that may be made of such deltas, for each byte of all packs, and at least.
const MADE_RATIO_MAX: u64 = 64;
const MADE_BYTES_MIN: u64 = 4 << 30;
/// What making one costs, beside its bytes.
const MADE_BYTES: u64 = 4 << 10;

/// Where an object is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// An entry of a pack.
    Packed {
        /// Number of the pack in the store.
        pack: u32,
        /// Number of the entry in the pack.
        entry: u32,
    },
    /// A file of its own, below the folder of objects.
    Loose,
}

/// The open files of a store.
pub struct Files {
    /// The folder of objects, and those of its alternates.
    folders: Vec<Root>,
    object_hash: Hash,
    packs: Vec<PackFile>,
    /// Packs that cannot be opened, and why.
    pub faults: Vec<(String, String)>,
}

struct PackFile {
    name: String,
    data: gix_pack::data::File,
    index: Option<Index>,
}

/// A store with the tables of its packs.
pub struct Store<'f> {
    files: &'f Files,
    packs: Vec<Pack<'f>>,
    /// Names of the objects in packs without an index, worked out where they are asked for.
    names: Vec<OnceLock<Names>>,
    recent: Mutex<Recent>,
    /// Loose objects under other names than their own, left where writing them was interrupted.
    leftovers: Mutex<BTreeMap<ObjectId, PathBuf>>,
    /// Bytes made so far of deltas by name in packs without an index.
    made: AtomicU64,
    /// What holds objects that it is based on.
    around: Option<&'f Store<'f>>,
}

/// Objects read last of packs without an index, by pack and entry.
#[derive(Default)]
struct Recent {
    objects: HashMap<(u32, u32), (Kind, Vec<u8>)>,
    order: VecDeque<(u32, u32)>,
    bytes: usize,
}

/// How an object may be looked for.
#[derive(Clone, Copy)]
struct Way {
    /// How often one pack may still lead to another.
    thin: u32,
    /// Whether names may be worked out; not while they are.
    is_naming: bool,
}

/// The content of an object.
pub enum Content<'c> {
    /// All of it.
    Whole {
        /// The bytes.
        bytes: Vec<u8>,
        /// Whether its one window was given.
        is_given: bool,
    },
    /// As a stream, being large.
    Stream(Box<Stream<'c>>),
}

impl Windows for Content<'_> {
    fn next(&mut self) -> io::Result<Option<Window<'_>>> {
        match self {
            Self::Stream(stream) => stream.next(),
            Self::Whole { is_given, .. } if *is_given => Ok(None),
            Self::Whole { bytes, is_given } => {
                *is_given = true;
                Ok(Some(Window { bytes, offset: 0, last: true }))
            }
        }
    }

    fn rewind(&mut self) -> io::Result<bool> {
        match self {
            Self::Stream(stream) => stream.rewind(),
            Self::Whole { is_given, .. } => {
                *is_given = false;
                Ok(true)
            }
        }
    }

    fn changed(&self) -> Option<&'static str> {
        None
    }

    fn random(&self) -> Option<&dyn ReadAt> {
        match self {
            Self::Stream(_) => None,
            Self::Whole { bytes, .. } => Some(bytes),
        }
    }
}

impl Files {
    /// Opens the store in `folders`: a folder called `objects`, and its alternates.
    pub fn open(folders: Vec<Root>, object_hash: Hash) -> Self {
        let mut files = Self { folders: Vec::new(), object_hash, packs: Vec::new(), faults: Vec::new() };
        for folder in folders {
            let quarantined = files.quarantined(&folder);
            files.add(folder, "objects");
            for (name, folder) in quarantined {
                files.add(folder, &name);
            }
        }
        files
    }

    /// Adds a folder of objects, which reports call `name`.
    fn add(&mut self, folder: Root, name: &str) {
        let name = format!("{name}/pack");
        match folder.folder(Path::new("pack")) {
            Ok(packs) => self.open_packs(&packs, &name),
            Err(OpenError::NotFound) => {}
            Err(error) => self.faults.push((name, error.to_string())),
        }
        self.folders.push(folder);
    }

    /// Folders in which git keeps what it receives until it is checked; they outlive a push that was interrupted.
    fn quarantined(&mut self, objects: &Root) -> Vec<(String, Root)> {
        let mut entries = objects.entries(PACKS_MAX).unwrap_or_default();
        entries.retain(|entry| entry.is_folder && QUARANTINE.iter().any(|start| entry.name.starts_with(start)));
        entries.sort_unstable();
        let mut found = Vec::new();
        for entry in entries {
            let name = format!("objects/{}", crate::path::encode(&entry.name));
            match entry.name.to_path().map(|path| objects.folder(path)) {
                Ok(Ok(folder)) => found.push((name, folder)),
                Ok(Err(error)) => self.faults.push((name, error.to_string())),
                Err(error) => self.faults.push((name, error.to_string())),
            }
        }
        found
    }

    /// How its objects are named.
    pub const fn object_hash(&self) -> Hash {
        self.object_hash
    }

    /// Bytes of all packs.
    pub fn bytes(&self) -> u64 {
        self.packs.iter().map(|pack| pack.data.data_len() as u64).sum()
    }

    /// Whether a pack is marked as from a remote that promised what it left out.
    pub fn has_promisor(&self) -> bool {
        let packs = self.folders.iter().filter_map(|folder| folder.folder(Path::new("pack")).ok());
        let mut entries = packs.flat_map(|folder| folder.entries(4 * PACKS_MAX).unwrap_or_default());
        entries.any(|entry| entry.name.ends_with(b".promisor"))
    }

    fn open_packs(&mut self, folder: &Root, shown: &str) {
        let mut entries = match folder.entries(4 * PACKS_MAX) {
            Ok(entries) => entries,
            Err(error) => return self.faults.push((shown.into(), error.to_string())),
        };
        entries.sort_unstable();
        let is_pack = |name: &[u8]| name.ends_with(b".pack") || name.starts_with(LEFT_PACK);
        let packs = entries.iter().filter(|entry| !entry.is_folder && is_pack(&entry.name));
        for entry in packs.take(PACKS_MAX) {
            let name = format!("{shown}/{}", crate::path::encode(&entry.name));
            match self.open_pack(folder, &entry.name, &name) {
                Ok(pack) => self.packs.push(pack),
                Err(reason) => self.faults.push((name, reason)),
            }
        }
    }

    fn open_pack(&self, folder: &Root, file: &[u8], name: &str) -> Result<PackFile, String> {
        let path = file.to_path().map_err(|error| error.to_string())?;
        // The crate opens by path, and would wait for a FIFO.
        let check = |path: &Path| match folder.node(path) {
            Ok(Node::File) => folder.regular(path).map(drop).map_err(|error| error.to_string()),
            Ok(other) => Err(OpenError::NotRegular(other).to_string()),
            Err(error) => Err(error.to_string()),
        };
        check(path)?;
        let data = gix_pack::data::File::at(folder.path().join(path), self.object_hash)
            .map_err(|error| format!("not a pack that can be read: {error}"))?;
        let index = path.with_extension("idx");
        let index = check(&index)
            .ok()
            .and_then(|()| gix_pack::index::File::at(folder.path().join(index), self.object_hash).ok());
        let index = index.map(|file| {
            let bytes_max = REVERSE_BYTES + 4 * u64::from(file.num_objects());
            let reverse = folder.read_bounded(&path.with_extension("rev"), bytes_max);
            Index { file, reverse: reverse.ok().flatten().unwrap_or_default() }
        });
        Ok(PackFile { name: name.into(), data, index })
    }
}

impl<'f> Store<'f> {
    /// Reads the tables of every pack.
    pub fn new(files: &'f Files, bounds: &Bounds) -> Self {
        let packs = files.packs.iter().map(|pack| {
            let bytes = pack.data.entry_slice(0..pack.data.data_len() as u64).unwrap_or_default();
            Pack::new(bytes, files.object_hash, pack.index.as_ref(), bounds)
        });
        Self::of(files, packs.collect(), None)
    }

    /// Over `bytes`, one pack without an index, beside `files`; objects it is based on come from `around`.
    pub fn of_pack(files: &'f Files, bytes: &'f [u8], around: Option<&'f Store<'f>>, bounds: &Bounds) -> Self {
        Self::of(files, vec![Pack::new(bytes, files.object_hash, None, bounds)], around)
    }

    fn of(files: &'f Files, packs: Vec<Pack<'f>>, around: Option<&'f Store<'f>>) -> Self {
        let names = packs.iter().map(|_| OnceLock::new()).collect();
        let (recent, leftovers) = Default::default();
        Self { files, packs, names, recent, leftovers, made: AtomicU64::new(0), around }
    }

    /// The packs.
    pub fn packs(&self) -> &[Pack<'f>] {
        &self.packs
    }

    /// The folders of objects.
    pub fn folders(&self) -> &[Root] {
        &self.files.folders
    }

    /// How its objects are named.
    pub const fn object_hash(&self) -> Hash {
        self.files.object_hash
    }

    /// Path of a pack below the git directory.
    pub fn pack_name(&self, number: u32) -> String {
        self.files.packs.get(number as usize).map_or_else(|| "pack".into(), |pack| pack.name.clone())
    }

    /// The name of an object with this content.
    pub fn hash(&self, kind: Kind, bytes: &[u8]) -> ObjectId {
        gix_object::compute_hash(self.files.object_hash, kind, bytes).unwrap_or_else(|_| self.null())
    }

    /// The name that no object has.
    pub const fn null(&self) -> ObjectId {
        ObjectId::null(self.files.object_hash)
    }

    /// Where the object called `id` is.
    pub fn find(&self, id: &ObjectId) -> Option<Place> {
        self.find_indexed(id).or_else(|| self.find_named(id))
    }

    fn find_indexed(&self, id: &ObjectId) -> Option<Place> {
        for (number, pack) in (0..).zip(&self.packs) {
            if let Some(entry) = pack.find(id) {
                return Some(Place::Packed { pack: number, entry });
            }
        }
        let is_loose = loose::exists(&self.files.folders, id) || self.leftover(id).is_some();
        is_loose.then_some(Place::Loose)
    }

    /// Where a loose object is that has another name than its own.
    fn leftover(&self, id: &ObjectId) -> Option<PathBuf> {
        self.leftovers.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    /// Remembers that the object called `id` is in the file at `path` below the folders of objects.
    pub fn leave(&self, id: ObjectId, path: PathBuf) {
        self.leftovers.lock().unwrap_or_else(PoisonError::into_inner).insert(id, path);
    }

    fn find_named(&self, id: &ObjectId) -> Option<Place> {
        let found = (0..).zip(&self.packs).find_map(|(number, _)| Some((number, self.names(number)?.find(id)?)));
        found.map(|(pack, entry)| Place::Packed { pack, entry })
    }

    /// The names of a pack that has no index.
    fn names(&self, number: u32) -> Option<&Names> {
        let pack = self.packs.get(number as usize)?;
        if pack.len() == 0 || pack.id(0).is_some() {
            return None;
        }
        let way = Way { thin: THIN_MAX, is_naming: true };
        let outside = |id: &ObjectId, out: &mut Vec<u8>| self.read_over(id, out, way);
        Some(self.names[number as usize].get_or_init(|| Names::new(pack, self.object_hash(), &outside)))
    }

    /// The content of the object called `id`, if it is at hand, sound and at most 128 MiB.
    pub fn read(&self, id: &ObjectId, out: &mut Vec<u8>) -> Option<Kind> {
        self.read_over(id, out, Way { thin: THIN_MAX, is_naming: false })
    }

    /// Looks around it too.
    fn read_over(&self, id: &ObjectId, out: &mut Vec<u8>, way: Way) -> Option<Kind> {
        let found = if way.is_naming { self.find_indexed(id) } else { self.find(id) };
        match (found, self.around) {
            (Some(place), _) => self.read_place(id, place, out, way),
            (None, around) => around?.read_over(id, out, Way { is_naming: false, ..way }),
        }
    }

    /// As [`Store::read`], of an object whose place is known.
    pub fn read_at(&self, id: &ObjectId, place: Place, out: &mut Vec<u8>) -> Option<Kind> {
        self.read_place(id, place, out, Way { thin: THIN_MAX, is_naming: false })
    }

    fn read_place(&self, id: &ObjectId, place: Place, out: &mut Vec<u8>, way: Way) -> Option<Kind> {
        match place {
            Place::Loose => {
                let kind = loose::read(&self.files.folders, id, out);
                kind.or_else(|| loose::read_file(&self.files.folders, &self.leftover(id)?, out))
            }
            Place::Packed { pack, entry } => self.read_packed(pack, entry, out, way),
        }
    }

    /// The content of an object whose place is known, whatever its size; `None` where it is damaged.
    pub fn content(&self, id: &ObjectId, place: Place) -> Option<Content<'_>> {
        let mut bytes = Vec::new();
        if self.read_at(id, place, &mut bytes).is_some() {
            return Some(Content::Whole { bytes, is_given: false });
        }
        let Place::Packed { pack, entry } = place else {
            return Some(Content::Stream(Box::new(loose::stream(&self.files.folders, id)?.1)));
        };
        let pack = self.packs.get(pack as usize)?;
        let header = pack.entry(entry).filter(|header| !header.header.is_delta())?;
        Some(Content::Stream(Box::new(Stream::new(pack.stream(entry, header.start).into(), 0))))
    }

    fn read_packed(&self, number: u32, entry: u32, out: &mut Vec<u8>, way: Way) -> Option<Kind> {
        let pack = self.packs.get(number as usize)?;
        let mut inflater = Inflater::default();
        let mut made = Buffer::default();
        let mut deltas = Vec::new();
        let (mut at, mut is_by_name) = (entry, false);
        let kind = loop {
            if let Some(kind) = self.recall((number, at), &mut made) {
                break kind;
            }
            let chain = walk::chain(pack, at);
            let (&root, rest) = chain.split_last()?;
            deltas.extend_from_slice(rest);
            let header = pack.entry(root)?;
            match header.header {
                Header::OfsDelta { .. } => return None,
                Header::RefDelta { base_id } => {
                    deltas.push(root);
                    let named = if way.is_naming { None } else { self.names(number) };
                    if let Some(base) = named.and_then(|names| names.find(&base_id)) {
                        (at, is_by_name) = (base, true);
                        (deltas.len() <= pack.len() as usize).then_some(())?;
                        continue;
                    }
                    let mut base = Vec::new();
                    let kind = self.read_over(&base_id, &mut base, Way { thin: way.thin.checked_sub(1)?, ..way })?;
                    made.room(base.len()).copy_from_slice(&base);
                    break kind;
                }
                header_kind => {
                    if header.bytes > OBJECT_BYTES_MAX {
                        return None;
                    }
                    let stream = pack.stream(root, header.start);
                    inflater.exact(stream, made.room(usize::try_from(header.bytes).ok()?)).then_some(())?;
                    break header_kind.as_kind()?;
                }
            }
        };
        for &delta in deltas.iter().rev() {
            made = walk::patched(&mut inflater, pack, delta, &made)?;
            if is_by_name {
                self.count_made(made.bytes().len())?;
                self.remember((number, delta), kind, made.bytes());
            }
        }
        out.clear();
        out.extend_from_slice(made.bytes());
        Some(kind)
    }

    /// Bounds what deltas by name can cost.
    fn count_made(&self, bytes: usize) -> Option<()> {
        let bytes_max = self.packs.iter().map(|pack| pack.bytes() as u64).sum::<u64>().saturating_mul(MADE_RATIO_MAX);
        let before = self.made.fetch_add(bytes as u64 + MADE_BYTES, Ordering::Relaxed);
        (before < bytes_max.max(MADE_BYTES_MIN)).then_some(())
    }

    fn recall(&self, at: (u32, u32), made: &mut Buffer) -> Option<Kind> {
        if self.made.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let (kind, bytes) = recent.objects.get(&at)?;
        made.room(bytes.len()).copy_from_slice(bytes);
        Some(*kind)
    }

    fn remember(&self, at: (u32, u32), kind: Kind, bytes: &[u8]) {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if bytes.len() > RECENT_BYTES_MAX || recent.objects.insert(at, (kind, bytes.to_vec())).is_some() {
            return;
        }
        recent.bytes += bytes.len() + RECENT_BYTES;
        recent.order.push_back(at);
        while recent.bytes > RECENT_BYTES_MAX {
            let Some(oldest) = recent.order.pop_front() else { break };
            let bytes = recent.objects.remove(&oldest).map_or(0, |(_, bytes)| bytes.len());
            recent.bytes -= bytes + RECENT_BYTES;
        }
    }
}

impl Odb for Store<'_> {
    fn object_hash(&self) -> Hash {
        self.files.object_hash
    }

    fn object(&self, id: &ObjectId, out: &mut Vec<u8>) -> Option<Kind> {
        self.read(id, out)
    }
}

/// The path of an object below the git directory, as if it were loose: the same however it is stored.
pub fn object_name(id: &ObjectId) -> String {
    let hex = id.to_hex().to_string();
    format!("objects/{}/{}", &hex[..2], &hex[2..])
}

/// The names of the entries of a tree.
pub fn entries_of(tree: &[u8], object_hash: Hash) -> Vec<Vec<u8>> {
    let entries = gix_object::TreeRefIter::from_bytes(tree, object_hash).map_while(Result::ok);
    entries.map(|entry| entry.filename.to_vec()).collect()
}

/// The name of the author of a commit, without an address.
pub fn author_of(odb: &dyn Odb, commit: &ObjectId) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    odb.object(commit, &mut bytes).filter(|kind| *kind == Kind::Commit)?;
    let line = bytes.lines().take_while(|line| !line.is_empty()).find_map(|line| line.strip_prefix(b"author "))?;
    Some(line[..memchr::memchr(b'<', line)?].to_vec())
}
