//! Loose objects by name: one zlib stream a file, with a header of kind and size.
//!
//! Opened below a folder as any scanned file is; nothing else is looked at.

use super::inflate::{Inflater, Pieces, Stream};
use super::open::{Node, Root};
use gix_hash::ObjectId;
use gix_object::Kind;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// Compressed files larger than this are not read.
const FILE_BYTES_MAX: u64 = 4 << 30;
/// Objects larger than this are not held.
const OBJECT_BYTES_MAX: u64 = 128 << 20;
/// More than any header of kind and size takes.
const HEADER_BYTES: usize = 64;

/// Whether there is a file for `id` in one of the folders.
pub fn exists(folders: &[Root], id: &ObjectId) -> bool {
    folder_of(folders, id).is_some()
}

/// The content of the object called `id`, if it is sound and at most 128 MiB.
pub fn read(folders: &[Root], id: &ObjectId, out: &mut Vec<u8>) -> Option<Kind> {
    read_from(folder_of(folders, id)?, &path(id), out)
}

/// The same of the object in the file at `path` below one of the folders.
pub fn read_file(folders: &[Root], path: &Path, out: &mut Vec<u8>) -> Option<Kind> {
    let folder = folders.iter().find(|folder| matches!(folder.node(path), Ok(Node::File)))?;
    read_from(folder, path, out)
}

fn read_from(folder: &Root, path: &Path, out: &mut Vec<u8>) -> Option<Kind> {
    let file = open(folder, path).ok()?;
    let (kind, bytes, header) = header(&file)?;
    if bytes > OBJECT_BYTES_MAX {
        return None;
    }
    *out = whole(&mut Inflater::default(), &file, header, bytes)?;
    out.drain(..header);
    Some(kind)
}

/// The object called `id` as windows, and its kind.
pub fn stream(folders: &[Root], id: &ObjectId) -> Option<(Kind, Stream<'static>)> {
    let file = open(folder_of(folders, id)?, &path(id)).ok()?;
    let (kind, _, header) = header(&file)?;
    Some((kind, Stream::new(file.into(), header)))
}

fn folder_of<'f>(folders: &'f [Root], id: &ObjectId) -> Option<&'f Root> {
    folders.iter().find(|folder| matches!(folder.node(&path(id)), Ok(Node::File)))
}

fn path(id: &ObjectId) -> PathBuf {
    let hex = id.to_hex().to_string();
    Path::new(&hex[..2]).join(&hex[2..])
}

/// The bytes of the file at `path`; the error is a short sentence.
pub fn open(folder: &Root, path: &Path) -> Result<Vec<u8>, String> {
    let opened = folder.file(path).map_err(|error| error.to_string())?;
    if opened.bytes > FILE_BYTES_MAX {
        return Err("an object file of more than 4 GiB".into());
    }
    let mut bytes = Vec::with_capacity(usize::try_from(opened.bytes).unwrap_or(0));
    opened.file.take(FILE_BYTES_MAX).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    Ok(bytes)
}

/// Kind and size of the object in `file`, and bytes of its header.
pub fn header(file: &[u8]) -> Option<(Kind, u64, usize)> {
    let mut start = [0; HEADER_BYTES];
    let (_, len) = Pieces::default().next(file, &mut start)?;
    let (kind, bytes, header) = gix_object::decode::loose_header(&start[..len]).ok()?;
    Some((kind, bytes, header))
}

/// Header and content of an object of `bytes`.
pub fn whole(inflater: &mut Inflater, file: &[u8], header: usize, bytes: u64) -> Option<Vec<u8>> {
    if bytes / 1_032 > file.len() as u64 {
        return None;
    }
    let mut whole = vec![0; header + usize::try_from(bytes).ok()?];
    inflater.exact(file, &mut whole).then_some(whole)
}
