//! Loose objects: one zlib stream a file, with a header of kind and size.

use super::inflate::{Inflater, Piece, Pieces};
use super::store::{Place, Store, object_name};
use super::sweep::{Hit, Search, Swept};
use super::walk::{Bounds, OBJECT_BYTES_MAX, Object};
use crate::blob::OVERLAP_BYTES;
use crate::source::open::{Node, OpenError, Root};
use bstr::ByteSlice as _;
use gix_hash::ObjectId;
use gix_object::Kind;
use rayon::prelude::*;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// Compressed files larger than this are not read.
const FILE_BYTES_MAX: u64 = 4 << 30;
/// More than any header of kind and size takes.
const HEADER_BYTES: usize = 64;
/// Objects larger than this are searched piece by piece.
const WHOLE_BYTES_MAX: u64 = 8 << 20;
const PIECE_BYTES: usize = 512 << 10;
const NAMES_MAX: usize = 10_000_000;

/// Searches every loose object of `store`.
pub fn sweep(store: &Store<'_>, search: &dyn Search, bounds: &Bounds, collect: &(dyn Fn(Swept) + Sync)) {
    let folders: Vec<u8> = (0..=255).collect();
    folders.par_iter().for_each(|first| {
        let mut sweeper = Sweeper { store, search, bounds, inflater: Inflater::default(), swept: Swept::default() };
        sweeper.fan(*first);
        collect(sweeper.swept);
    });
}

struct Sweeper<'s, 'f> {
    store: &'s Store<'f>,
    search: &'s dyn Search,
    bounds: &'s Bounds,
    inflater: Inflater,
    swept: Swept,
}

impl Sweeper<'_, '_> {
    /// Searches the objects whose names start with `first`.
    fn fan(&mut self, first: u8) {
        let name = format!("{first:02x}");
        let folder = match self.store.folder().folder(Path::new(&name)) {
            Ok(folder) => folder,
            Err(OpenError::NotFound) => return,
            Err(error) => return self.swept.faults.push((format!("objects/{name}"), error.to_string())),
        };
        let mut entries = match folder.entries(NAMES_MAX) {
            Ok(entries) => entries,
            Err(error) => return self.swept.faults.push((format!("objects/{name}"), error.to_string())),
        };
        entries.sort_unstable();
        for entry in entries {
            let id = [name.as_bytes(), &entry.name].concat();
            let Some(id) = ObjectId::from_hex(&id).ok().filter(|id| id.kind() == self.store.object_hash()) else {
                continue;
            };
            if let Err(reason) = self.object(&folder, &id, &entry.name) {
                self.swept.faults.push((object_name(&id), reason));
            }
        }
    }

    fn object(&mut self, folder: &Root, id: &ObjectId, name: &[u8]) -> Result<(), String> {
        let file = open(folder, name.to_path().map_err(|error| error.to_string())?)?;
        let (kind, bytes, header) = header(&file).ok_or("damaged object")?;
        let hit = || Hit { id: *id, kind, place: Place::Loose };
        if bytes > WHOLE_BYTES_MAX {
            let mut is_found = false;
            let total = pieces(&file, header, &mut |piece| {
                is_found = !self.bounds.take(piece.len() as u64) || self.search.any(piece);
                !is_found
            });
            if is_found {
                self.swept.hits.push(hit());
            } else if total != Some(bytes) {
                return Err("damaged object".into());
            }
            self.swept.objects += 1;
            self.swept.bytes += bytes;
            return Ok(());
        }
        if !self.bounds.take(bytes) {
            return Err("limit on inflated bytes reached".into());
        }
        let whole = whole(&mut self.inflater, &file, header, bytes).ok_or("damaged object")?;
        self.swept.take(hit, Object { kind, bytes: &whole[header..] }, self.search);
        Ok(())
    }
}

/// Whether there is a file for `id`.
pub fn exists(objects: &Root, id: &ObjectId) -> bool {
    matches!(objects.node(&path(id)), Ok(Node::File))
}

/// The content of the object called `id`, if it is sound and at most 128 MiB.
pub fn read(objects: &Root, id: &ObjectId, out: &mut Vec<u8>) -> Option<Kind> {
    let file = open(objects, &path(id)).ok()?;
    let (kind, bytes, header) = header(&file)?;
    if bytes > OBJECT_BYTES_MAX {
        return None;
    }
    *out = whole(&mut Inflater::default(), &file, header, bytes)?;
    out.drain(..header);
    Some(kind)
}

/// Gives an object to `take` in overlapping pieces; its kind, or `None` where it is damaged.
pub fn read_pieces(objects: &Root, id: &ObjectId, take: &mut dyn FnMut(&[u8]) -> bool) -> Option<Kind> {
    let file = open(objects, &path(id)).ok()?;
    let (kind, _, header) = header(&file)?;
    pieces(&file, header, take)?;
    Some(kind)
}

fn path(id: &ObjectId) -> PathBuf {
    let hex = id.to_hex().to_string();
    Path::new(&hex[..2]).join(&hex[2..])
}

fn open(folder: &Root, path: &Path) -> Result<Vec<u8>, String> {
    let opened = folder.file(path).map_err(|error| error.to_string())?;
    if opened.bytes > FILE_BYTES_MAX {
        return Err("an object file of more than 4 GiB".into());
    }
    let mut bytes = Vec::with_capacity(usize::try_from(opened.bytes).unwrap_or(0));
    opened.file.take(FILE_BYTES_MAX).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    Ok(bytes)
}

/// Kind and size of the object in `file`, and bytes of its header.
fn header(file: &[u8]) -> Option<(Kind, u64, usize)> {
    let mut start = [0; HEADER_BYTES];
    let (_, len) = Pieces::default().next(file, &mut start)?;
    let (kind, bytes, header) = gix_object::decode::loose_header(&start[..len]).ok()?;
    Some((kind, bytes, header))
}

/// Header and content of an object of `bytes`.
fn whole(inflater: &mut Inflater, file: &[u8], header: usize, bytes: u64) -> Option<Vec<u8>> {
    if bytes / 1_032 > file.len() as u64 {
        return None;
    }
    let mut whole = vec![0; header + usize::try_from(bytes).ok()?];
    inflater.exact(file, &mut whole).then_some(whole)
}

/// Gives the content behind the header to `take`; its size as far as it was read.
fn pieces(file: &[u8], header: usize, take: &mut dyn FnMut(&[u8]) -> bool) -> Option<u64> {
    let mut inflating = Pieces::default();
    inflating.next(file, &mut vec![0; header])?;
    let mut buffer = vec![0; PIECE_BYTES];
    let (mut kept, mut total) = (0, 0);
    loop {
        let (state, filled) = inflating.next(file, &mut buffer[kept..])?;
        total += filled as u64;
        if !take(&buffer[..kept + filled]) || state == Piece::End {
            return Some(total);
        }
        let end = kept + filled;
        kept = end.min(OVERLAP_BYTES);
        buffer.copy_within(end - kept..end, 0);
    }
}
