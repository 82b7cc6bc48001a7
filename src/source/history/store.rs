//! The object store of one repository: its packs, its loose objects, and reading one object by name.
//!
//! Opened file by file: no discovery, no configuration, no alternates. What cannot be opened is a fault and hides
//! nothing else.

use super::inflate::{Buffer, Inflater, Stream};
use super::loose;
use super::pack::Pack;
use super::walk::{self, OBJECT_BYTES_MAX};
use crate::blob::{ReadAt, Window, Windows};
use crate::source::objects::Odb;
use crate::source::open::{Node, OpenError, Root};
use bstr::ByteSlice as _;
use gix_hash::{Kind as Hash, ObjectId};
use gix_object::Kind;
use gix_pack::data::entry::Header;
use std::io;
use std::path::Path;

const PACKS_MAX: usize = 100_000;
/// Packs that are thin over one another, on the way to one object.
const THIN_MAX: u32 = 16;

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
    index: Option<gix_pack::index::File>,
}

/// A store with the tables of its packs.
pub struct Store<'f> {
    files: &'f Files,
    packs: Vec<Pack<'f>>,
    /// What holds objects that it is based on.
    around: Option<&'f Store<'f>>,
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
            match folder.folder(Path::new("pack")) {
                Ok(packs) => files.open_packs(&packs),
                Err(OpenError::NotFound) => {}
                Err(error) => files.faults.push(("objects/pack".into(), error.to_string())),
            }
            files.folders.push(folder);
        }
        files
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

    fn open_packs(&mut self, folder: &Root) {
        let mut entries = match folder.entries(4 * PACKS_MAX) {
            Ok(entries) => entries,
            Err(error) => return self.faults.push(("objects/pack".into(), error.to_string())),
        };
        entries.sort_unstable();
        let packs = entries.iter().filter(|entry| !entry.is_folder && entry.name.ends_with(b".pack"));
        for entry in packs.take(PACKS_MAX) {
            let name = format!("objects/pack/{}", crate::path::encode(&entry.name));
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
        Ok(PackFile { name: name.into(), data, index })
    }
}

impl<'f> Store<'f> {
    /// Reads the tables of every pack.
    pub fn new(files: &'f Files) -> Self {
        let packs = files.packs.iter().map(|pack| {
            let bytes = pack.data.entry_slice(0..pack.data.data_len() as u64).unwrap_or_default();
            Pack::new(bytes, files.object_hash, pack.index.as_ref())
        });
        Self { files, packs: packs.collect(), around: None }
    }

    /// Over `bytes`, one pack without an index, beside `files`; objects it is based on come from `around`.
    pub fn of_pack(files: &'f Files, bytes: &'f [u8], around: Option<&'f Store<'f>>) -> Self {
        Self { files, packs: vec![Pack::new(bytes, files.object_hash, None)], around }
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
        for (number, pack) in self.packs.iter().enumerate() {
            if let Some(entry) = pack.find(id) {
                return Some(Place::Packed { pack: u32::try_from(number).ok()?, entry });
            }
        }
        loose::exists(&self.files.folders, id).then_some(Place::Loose)
    }

    /// The content of the object called `id`, if it is at hand, sound and at most 128 MiB.
    pub fn read(&self, id: &ObjectId, out: &mut Vec<u8>) -> Option<Kind> {
        self.read_over(id, out, THIN_MAX)
    }

    /// Looks around it too; `thin` bounds how often one pack leads to another.
    fn read_over(&self, id: &ObjectId, out: &mut Vec<u8>, thin: u32) -> Option<Kind> {
        match self.find(id) {
            Some(place) => self.read_place(id, place, out, thin),
            None => self.around?.read_over(id, out, thin),
        }
    }

    /// As [`Store::read`], of an object whose place is known.
    pub fn read_at(&self, id: &ObjectId, place: Place, out: &mut Vec<u8>) -> Option<Kind> {
        self.read_place(id, place, out, THIN_MAX)
    }

    fn read_place(&self, id: &ObjectId, place: Place, out: &mut Vec<u8>, thin: u32) -> Option<Kind> {
        match place {
            Place::Loose => loose::read(&self.files.folders, id, out),
            Place::Packed { pack, entry } => self.read_packed(self.packs.get(pack as usize)?, entry, out, thin),
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

    fn read_packed(&self, pack: &Pack<'_>, entry: u32, out: &mut Vec<u8>, thin: u32) -> Option<Kind> {
        let chain = walk::chain(pack, entry);
        let (&root, deltas) = chain.split_last()?;
        let header = pack.entry(root)?;
        let mut inflater = Inflater::default();
        let mut made = Buffer::default();
        let kind = match header.header {
            Header::OfsDelta { .. } => return None,
            Header::RefDelta { base_id } => {
                let mut base = Vec::new();
                let kind = self.read_over(&base_id, &mut base, thin.checked_sub(1)?)?;
                made.room(base.len()).copy_from_slice(&base);
                made = walk::patched(&mut inflater, pack, root, &made)?;
                kind
            }
            header_kind => {
                if header.bytes > OBJECT_BYTES_MAX {
                    return None;
                }
                let stream = pack.stream(root, header.start);
                inflater.exact(stream, made.room(usize::try_from(header.bytes).ok()?)).then_some(())?;
                header_kind.as_kind()?
            }
        };
        for &delta in deltas.iter().rev() {
            made = walk::patched(&mut inflater, pack, delta, &made)?;
        }
        out.clear();
        out.extend_from_slice(made.bytes());
        Some(kind)
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
