//! Searching every loose object of a store, and what is left of some that were being written.

use super::bounds::Bounds;
use super::inflate::{Inflater, Stream};
use super::store::{Place, Store, object_name};
use super::sweep::{Hit, Search, Swept};
use super::walk::{OBJECT_BYTES_MAX, Object};
use crate::blob::Windows as _;
use crate::source::loose::{header, open, whole};
use crate::source::open::{OpenError, Root};
use bstr::ByteSlice as _;
use gix_hash::ObjectId;
use gix_object::Kind;
use rayon::prelude::*;
use std::path::Path;

/// Objects larger than this are searched piece by piece.
const WHOLE_BYTES_MAX: u64 = 8 << 20;
const NAMES_MAX: usize = 10_000_000;
/// How the names of objects start whose writing was interrupted.
const LEFT_OBJECT: &[u8] = b"tmp_obj_";

/// Searches every loose object of `store`.
pub fn sweep(store: &Store<'_>, search: &dyn Search, bounds: &Bounds, collect: &(dyn Fn(Swept) + Sync)) {
    let make = || Sweeper { store, search, bounds, inflater: Inflater::default(), swept: Swept::default() };
    for objects in store.folders() {
        (0..=255).into_par_iter().for_each(|first| {
            let mut sweeper = make();
            sweeper.fan(objects, first);
            collect(sweeper.swept);
        });
        let mut sweeper = make();
        sweeper.leftovers(objects);
        collect(sweeper.swept);
    }
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
    fn fan(&mut self, objects: &Root, first: u8) {
        let name = format!("{first:02x}");
        let folder = match objects.folder(Path::new(&name)) {
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
                self.leftover(objects, &[name.as_bytes(), b"/", &entry.name].concat());
                continue;
            };
            if let Err(reason) = self.object(&folder, &id, &entry.name) {
                self.swept.faults.push((object_name(&id), reason));
            }
        }
    }

    /// Searches what lies beside the folders of objects, where git writes large ones first.
    fn leftovers(&mut self, objects: &Root) {
        let mut entries = objects.entries(NAMES_MAX).unwrap_or_default();
        entries.retain(|entry| !entry.is_folder && entry.name.starts_with(LEFT_OBJECT));
        entries.sort_unstable();
        for entry in entries {
            self.leftover(objects, &entry.name);
        }
    }

    /// Searches a file whose name is that of no object: one whose writing was interrupted, if it is whole.
    fn leftover(&mut self, objects: &Root, name: &[u8]) {
        let fault = match name.to_path().map_err(|error| error.to_string()).and_then(|path| open(objects, path)) {
            Ok(file) if file.is_empty() => return,
            Ok(file) => self.unnamed(&file, name),
            Err(reason) => Err(reason),
        };
        if let Err(reason) = fault {
            self.swept.faults.push((format!("objects/{}", crate::path::encode(name)), reason));
        }
    }

    fn unnamed(&mut self, file: &[u8], name: &[u8]) -> Result<(), String> {
        const REASON: &str = "no object that is whole, left where writing it was interrupted";
        let (kind, bytes, header) = header(file).filter(|(_, bytes, _)| *bytes <= OBJECT_BYTES_MAX).ok_or(REASON)?;
        if !self.bounds.take(bytes) {
            return Err("limit on inflated bytes reached".into());
        }
        let whole = whole(&mut self.inflater, file, header, bytes).ok_or(REASON)?;
        let object = Object { kind, bytes: &whole[header..] };
        let id = self.store.hash(kind, object.bytes);
        if self.store.find(&id).is_some() {
            return Ok(());
        }
        self.store.leave(id, name.to_path().map_err(|error| error.to_string())?.to_owned());
        self.swept.take(|| Hit { id, kind, place: Place::Loose }, object, self.search);
        Ok(())
    }

    fn object(&mut self, folder: &Root, id: &ObjectId, name: &[u8]) -> Result<(), String> {
        let file = open(folder, name.to_path().map_err(|error| error.to_string())?)?;
        let (kind, bytes, header) = header(&file).ok_or("damaged object")?;
        let hit = || Hit { id: *id, kind, place: Place::Loose };
        if bytes > WHOLE_BYTES_MAX {
            let mut stream = Stream::new(file.into(), header);
            let read = self.any(&mut stream, hit);
            self.swept.objects += 1;
            self.swept.bytes += stream.bytes();
            return read.and_then(|()| if stream.bytes() == bytes { Ok(()) } else { Err("damaged object".into()) });
        }
        if !self.bounds.take(bytes) {
            return Err("limit on inflated bytes reached".into());
        }
        let whole = whole(&mut self.inflater, &file, header, bytes).ok_or("damaged object")?;
        self.swept.take(hit, Object { kind, bytes: &whole[header..] }, self.search);
        Ok(())
    }

    /// Reads a stream to its end, and takes `hit` if anything stands in it.
    fn any(&mut self, stream: &mut Stream<'_>, hit: impl Fn() -> Hit) -> Result<(), String> {
        let mut is_found = false;
        while let Some(window) = stream.next().map_err(|error| error.to_string())? {
            if !self.bounds.take(window.bytes.len() as u64) {
                return Err("limit on inflated bytes reached".into());
            }
            if !is_found && self.search.any(window.bytes) {
                is_found = true;
                self.swept.hits.push(hit());
            }
        }
        Ok(())
    }
}

/// Gives every sound loose tree of `store` to `take`.
pub fn each_tree(store: &Store<'_>, take: &mut dyn FnMut(&ObjectId, &[u8])) {
    let mut bytes = Vec::new();
    let fans = store.folders().iter().flat_map(|objects| (0..=255_u8).map(move |first| (objects, first)));
    for (objects, first) in fans {
        let Ok(folder) = objects.folder(Path::new(&format!("{first:02x}"))) else { continue };
        let mut entries = folder.entries(NAMES_MAX).unwrap_or_default();
        entries.sort_unstable();
        for entry in entries {
            let id = [format!("{first:02x}").as_bytes(), &entry.name].concat();
            let Ok(id) = ObjectId::from_hex(&id) else { continue };
            if read_tree(&folder, &entry.name, &mut bytes).is_some() {
                take(&id, &bytes);
            }
        }
    }
}

/// The content of the file `name`, if it is a tree.
fn read_tree(folder: &Root, name: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let file = open(folder, name.to_path().ok()?).ok()?;
    let (kind, bytes, header) = header(&file)?;
    if kind != Kind::Tree || bytes > OBJECT_BYTES_MAX {
        return None;
    }
    *out = whole(&mut Inflater::default(), &file, header, bytes)?;
    out.drain(..header);
    Some(())
}
