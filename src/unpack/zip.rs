//! The zip family: by its directory, and by what stands between the entries that the directory names.
//!
//! Sizes in headers are hints: an entry is read as far as its stream goes. Nothing is skipped for being named twice, named nowhere or
//! named differently in its two headers.

mod directory;
mod local;

use super::codec::Codec;
use super::input::{Counted, Cursor, Part, find, read_full};
use super::{Fault, Level, Outcome, Piece, Unpacker, Visitor};
use crate::blob::ReadAt;
use directory::{Directory, Entry};
use local::{HEADER_BYTES, Local};
use std::collections::BTreeSet;
use std::io::{BufRead, Read};

const MARK: &[u8] = b"PK\x03\x04";

/// Reads the entries of `input`.
pub(super) fn read<V: Visitor>(
    unpacker: &mut Unpacker<'_, V>,
    level: &mut Level,
    input: &dyn ReadAt,
) -> Result<(), Fault> {
    let directory = Directory::find(unpacker, input)?;
    level.call(directory.word(input, &level.inner.shown));
    for (offset, comment) in &directory.comments {
        let span = *offset..offset + comment.len() as u64;
        unpacker.piece(level, input, Piece { bytes: comment, offset: *offset, encoding: None }, &[span]);
    }
    let (mut seen, mut known) = (BTreeSet::new(), Vec::new());
    for entry in &directory.entries {
        if !seen.insert(entry.offset) {
            continue;
        }
        match Local::at(input, entry.offset)? {
            Some(local) => {
                let end = self::entry(unpacker, level, input, (&local, Some(entry)))?;
                known.push(entry.offset..end);
            }
            None => unpacker.refuse(level, &entry.name, "damaged: the directory names an entry that is not there")?,
        }
    }
    known.extend(directory.span.clone());
    known.sort_unstable_by_key(|part| part.start);
    let mut from = 0;
    for part in known {
        hidden(unpacker, level, input, from..part.start)?;
        from = from.max(part.end);
    }
    hidden(unpacker, level, input, from..input.size())?;
    if directory.is_missing { Err(Fault::Damaged("damaged: its directory is missing".into())) } else { Ok(()) }
}

/// Reads the entries in a part of `input` that the directory does not name.
fn hidden<V: Visitor>(
    unpacker: &mut Unpacker<'_, V>,
    level: &mut Level,
    input: &dyn ReadAt,
    mut part: std::ops::Range<u64>,
) -> Result<(), Fault> {
    while part.start + (HEADER_BYTES as u64) < part.end {
        let found = find(input, &[MARK], part.clone())?;
        unpacker.work(found.unwrap_or(part.end) - part.start)?;
        let Some(at) = found else { return Ok(()) };
        part.start = match Local::at(input, at)?.filter(Local::is_likely) {
            Some(local) => entry(unpacker, level, input, (&local, None))?.max(at + 4),
            None => at + 4,
        };
    }
    Ok(())
}

/// Reads one entry; says where it ends.
fn entry<V: Visitor>(
    unpacker: &mut Unpacker<'_, V>,
    level: &mut Level,
    input: &dyn ReadAt,
    (local, entry): (&Local, Option<&Entry>),
) -> Result<u64, Fault> {
    let name = entry.map_or(&local.name, |entry| &entry.name);
    let declared = entry.map_or(local.packed, |entry| Some(entry.packed));
    let room = input.size() - local.data;
    level.cover(local.name_at..local.name_at + local.name.len() as u64);
    if let Some(entry) = entry {
        level.cover(entry.name_at..entry.name_at + entry.name.len() as u64);
    }
    if local.is_encrypted || entry.is_some_and(|entry| entry.is_encrypted) {
        unpacker.refuse(level, name, "encrypted")?;
        return Ok(local.data + declared.unwrap_or(0).min(room));
    }
    let Some(codec) = codec(local.method) else {
        unpacker.refuse(level, name, &format!("compressed by method {}, which is not known here", local.method))?;
        return Ok(local.data + declared.unwrap_or(0).min(room));
    };
    if codec == Codec::Stored {
        let packed = match declared.filter(|&packed| packed <= room) {
            Some(packed) => packed,
            None => stored_until(unpacker, input, local.data)?,
        };
        let outcome = unpacker.stored(level, name, &Part::new(input, local.data, packed))?;
        cover(level, outcome, local.data..local.data + packed);
        return Ok(local.data + packed);
    }
    // A stream says itself where it ends; one of xz does not give back what it read too much.
    let packed = if codec == Codec::Xz { declared.unwrap_or(room).min(room) } else { room };
    let part = Part::new(input, local.data, packed);
    let mut reader = Counted::new(Cursor::new(&part));
    let outcome = match codec.decoder(&mut reader, &unpacker.budget) {
        Ok(mut decoder) => unpacker.member(level, name, &mut decoder)?,
        Err(error) => {
            unpacker.refuse(level, name, &super::damage(&error))?;
            Outcome::Faulty
        }
    };
    let end = local.data + reader.position.max(declared.unwrap_or(0)).min(room);
    if outcome == Outcome::Whole {
        cover(level, outcome, local.data..end);
        return Ok(end);
    }
    // What a damaged entry took may not be all its own.
    Ok(local.data + declared.unwrap_or(0).min(room))
}

fn cover(level: &mut Level, outcome: Outcome, part: std::ops::Range<u64>) {
    if outcome == Outcome::Whole {
        level.cover(part);
    }
}

/// How long a stored entry is that does not say: up to the next mark of any kind.
fn stored_until<V: Visitor>(unpacker: &Unpacker<'_, V>, input: &dyn ReadAt, from: u64) -> Result<u64, Fault> {
    let end = find(input, &[b"PK\x07\x08", MARK, b"PK\x01\x02"], from..input.size())?.unwrap_or(input.size());
    unpacker.work(end - from)?;
    Ok(end - from)
}

const fn codec(method: u16) -> Option<Codec> {
    Some(match method {
        0 => Codec::Stored,
        8 => Codec::Deflate,
        9 => Codec::Deflate64,
        12 => Codec::Bzip2,
        14 => Codec::ZipLzma,
        20 | 93 => Codec::Zstd,
        95 => Codec::Xz,
        _ => return None,
    })
}

/// Reads the entries that `reader` gives, for a zip that is itself in an archive and too large for memory: as far as their headers and
/// streams lead without the directory.
pub(super) fn read_on<V: Visitor, R: BufRead>(
    unpacker: &mut Unpacker<'_, V>,
    level: &mut Level,
    reader: &mut Counted<R>,
) -> Result<(), Fault> {
    level.call(directory::word_of_name(&level.inner.shown));
    loop {
        let mut mark = [0; 4];
        let (filled, ended) = read_full(reader, &mut mark);
        ended?;
        match &mark[..filled] {
            MARK => {}
            // A size that stood behind its entry is read with it; here begins the directory.
            b"PK\x01\x02" | b"PK\x06\x06" | b"PK\x05\x06" => return Ok(()),
            b"PK\x07\x08" => {
                descriptor(reader)?;
                continue;
            }
            _ => {
                return Err(Fault::Damaged("too large within another archive, and damaged: not all was opened".into()));
            }
        }
        let mut header = [0; HEADER_BYTES];
        header[..4].copy_from_slice(&mark);
        reader.read_exact(&mut header[4..])?;
        let (name_bytes, extra_bytes) = local::lengths(&header);
        let mut rest = vec![0; name_bytes + extra_bytes];
        reader.read_exact(&mut rest)?;
        let local = Local::new(&header, &rest, 0);
        let name = local.name.clone();
        let codec = codec(local.method).filter(|_| !local.is_encrypted);
        let start = reader.position;
        match (codec, local.packed) {
            (Some(codec), packed)
                if packed.is_some() || matches!(codec, Codec::Deflate | Codec::Bzip2 | Codec::Zstd) =>
            {
                let limit = packed.unwrap_or(u64::MAX);
                let mut part = (&mut *reader).take(limit);
                let mut decoder = codec.decoder(&mut part, &unpacker.budget)?;
                let outcome = unpacker.member(level, &name, &mut decoder)?;
                drop(decoder);
                if outcome == Outcome::Faulty && packed.is_none() {
                    return Err(Fault::Damaged(
                        "too large within another archive, and damaged: not all was opened".into(),
                    ));
                }
            }
            (None, Some(_)) => unpacker.refuse(level, &name, "encrypted, or compressed by a method not known here")?,
            _ => return Err(Fault::Damaged("too large within another archive to find where its entries end".into())),
        }
        if let Some(packed) = local.packed {
            super::tar::skip(reader, start.saturating_add(packed))?;
        }
    }
}

/// Sizes behind an entry, of 12 bytes or of 20 where they are long ones.
fn descriptor<R: BufRead>(reader: &mut Counted<R>) -> Result<(), Fault> {
    reader.read_exact(&mut [0; 12])?;
    if !reader.fill_buf()?.starts_with(b"PK") {
        reader.read_exact(&mut [0; 8])?;
    }
    Ok(())
}
