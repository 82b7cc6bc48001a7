//! 7z: its table, and the chains of coders that lead to folders of files.
//!
//! Coders with one input and one output are followed. PPMd, BCJ2 and encryption are told and left.

mod table;

use super::budget::Memory;
use super::codec::Codec;
use super::input::{Cursor, Part, bytes_at, u64_le};
use super::{Fault, Level, Outcome, Unpacker, Visitor};
use crate::blob::ReadAt;
use lzma_rust2::filter::{bcj::BcjReader, delta::DeltaReader};
use lzma_rust2::{Lzma2Reader, LzmaReader};
use std::io::{self, Read};
use std::ops::Range;
use table::{Coder, Folder, Table};

const START_BYTES: u64 = 32;
/// Bytes of a table that are read, packed and unpacked.
const TABLE_BYTES_MAX: u64 = 32 << 20;
/// Tables packed in tables.
const TABLES_MAX: usize = 4;
/// Memory of one dictionary.
const DICTIONARY_BYTES_MAX: u32 = 128 << 20;

/// Reads the files of `input`.
pub(super) fn read<V: Visitor>(
    unpacker: &mut Unpacker<'_, V>,
    level: &mut Level,
    input: &dyn ReadAt,
) -> Result<(), Fault> {
    let start = bytes_at(input, 0, 32)?;
    let number = |at: usize| u64_le(&start, at).unwrap_or_default();
    let (offset, size) = (START_BYTES.saturating_add(number(12)), number(20));
    if size == 0 {
        return Ok(());
    }
    let Some(_memory) = unpacker.budget.memory(4 * size.min(TABLE_BYTES_MAX)) else { return Err(too_large()) };
    let mut bytes = bytes_at(input, offset, bounded(size)?)?;
    for _ in 0..TABLES_MAX {
        let table = Table::read(&bytes).ok_or_else(damaged)?;
        if !table.is_packed {
            return files(unpacker, level, input, &table);
        }
        let folder = table.folders.first().ok_or_else(damaged)?;
        let size = folder.size();
        bounded(size)?;
        let (mut reader, _memory) = open(unpacker, input, folder)?;
        let mut inner = Vec::new();
        (&mut reader).take(size).read_to_end(&mut inner)?;
        unpacker.work(inner.len() as u64)?;
        bytes = inner;
    }
    Err(damaged())
}

fn damaged() -> Fault {
    Fault::Damaged("damaged: its table cannot be read".into())
}

fn too_large() -> Fault {
    Fault::Damaged("its table is too large".into())
}

fn bounded(size: u64) -> Result<usize, Fault> {
    if size > TABLE_BYTES_MAX { Err(too_large()) } else { usize::try_from(size).map_err(|_| too_large()) }
}

/// Reads the files of every folder, one behind the other as they come out.
fn files<V: Visitor>(
    unpacker: &mut Unpacker<'_, V>,
    level: &mut Level,
    input: &dyn ReadAt,
    table: &Table,
) -> Result<(), Fault> {
    let mut names = table.names.iter().filter(|name| !name.is_empty).map(|name| name.text.as_bytes());
    for folder in &table.folders {
        let (mut reader, _memory) = match open(unpacker, input, folder) {
            Ok(opened) => opened,
            Err(Fault::Cut) => return Err(Fault::Cut),
            Err(Fault::Damaged(reason)) => {
                for _ in &folder.files {
                    unpacker.refuse(level, names.next().unwrap_or_default(), &reason)?;
                }
                continue;
            }
        };
        let mut is_whole = true;
        for &size in &folder.files {
            let name = names.next().unwrap_or_default();
            if !is_whole {
                unpacker.refuse(level, name, "damaged: what stands before it is")?;
                continue;
            }
            let mut part = (&mut reader).take(size);
            is_whole = unpacker.member(level, name, &mut part)? == Outcome::Whole;
            // A bound on the member may have left some of it.
            let left = io::copy(&mut part, &mut io::sink());
            if is_whole && (left.is_err() || part.limit() > 0) {
                is_whole = false;
                let inner = level.member(name);
                unpacker.leave_out(&inner, "damaged: it ends too early");
            }
        }
        if is_whole {
            level.cover(folder.packed.clone());
        }
    }
    Ok(())
}

/// What comes out of `folder`.
fn open<'i, V: Visitor>(
    unpacker: &Unpacker<'_, V>,
    input: &'i dyn ReadAt,
    folder: &Folder,
) -> Result<(Box<dyn Read + 'i>, Vec<Memory>), Fault> {
    let Range { start, end } = folder.packed;
    if !folder.is_chain {
        return Err(Fault::Damaged("compressed in a way that is not opened here".into()));
    }
    if end > input.size() {
        return Err(Fault::Damaged("damaged: it ends too early".into()));
    }
    let mut memory = Vec::new();
    let mut reader: Box<dyn Read + 'i> = Box::new(OwnedPart { input, at: start, end });
    for coder in &folder.coders {
        reader = coder_reader(unpacker, coder, reader, &mut memory)?;
    }
    Ok((reader, memory))
}

fn coder_reader<'i, V: Visitor>(
    unpacker: &Unpacker<'_, V>,
    coder: &Coder,
    reader: Box<dyn Read + 'i>,
    memory: &mut Vec<Memory>,
) -> Result<Box<dyn Read + 'i>, Fault> {
    let mut dictionary = |bytes: u32| {
        let room = unpacker.budget.memory(u64::from(bytes.max(1 << 16))).filter(|_| bytes <= DICTIONARY_BYTES_MAX);
        memory.push(room.ok_or_else(|| Fault::Damaged("needs more memory than there is for one archive".into()))?);
        Ok::<u32, Fault>(bytes)
    };
    let stream = |codec: Codec, reader: Box<dyn Read + 'i>| -> Result<Box<dyn Read + 'i>, Fault> {
        Ok(Box::new(codec.decoder(super::codec::buffered(reader), &unpacker.budget)?))
    };
    let properties = coder.properties.as_slice();
    Ok(match (coder.id.as_slice(), properties) {
        ([0x00], _) => reader,
        ([0x03, 0x01, 0x01], [lc_lp_pb, a, b, c, d, ..]) => {
            let bytes = dictionary(u32::from_le_bytes([*a, *b, *c, *d]))?;
            Box::new(LzmaReader::new_with_props(reader, coder.size, *lc_lp_pb, bytes, None)?)
        }
        ([0x21], [bits, ..]) => {
            let bits = u32::from(*bits);
            let bytes = if bits >= 40 { u32::MAX } else { (2 | bits & 1) << (bits / 2 + 11) };
            Box::new(Lzma2Reader::new(reader, dictionary(bytes)?, None))
        }
        ([0x03], [distance, ..]) => Box::new(DeltaReader::new(reader, usize::from(*distance) + 1)),
        ([0x04] | [0x03, 0x03, 0x01, 0x03], _) => Box::new(BcjReader::new_x86(reader, 0)),
        ([0x05] | [0x03, 0x03, 0x02, 0x05], _) => Box::new(BcjReader::new_ppc(reader, 0)),
        ([0x07] | [0x03, 0x03, 0x05, 0x01], _) => Box::new(BcjReader::new_arm(reader, 0)),
        ([0x08] | [0x03, 0x03, 0x07, 0x01], _) => Box::new(BcjReader::new_arm_thumb(reader, 0)),
        ([0x0a], _) => Box::new(BcjReader::new_arm64(reader, 0)),
        ([0x04, 0x01, 0x08], _) => stream(Codec::Deflate, reader)?,
        ([0x04, 0x01, 0x09], _) => stream(Codec::Deflate64, reader)?,
        ([0x04, 0x02, 0x02], _) => stream(Codec::Bzip2, reader)?,
        ([0x04, 0xf7, 0x11, 0x01], _) => stream(Codec::Zstd, reader)?,
        ([0x06, 0xf1, 0x07, 0x01], _) => return Err(Fault::Damaged("encrypted".into())),
        _ => return Err(Fault::Damaged("compressed in a way that is not opened here".into())),
    })
}

/// A part of an input that is read on by itself.
struct OwnedPart<'i> {
    input: &'i dyn ReadAt,
    at: u64,
    end: u64,
}

impl Read for OwnedPart<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let part = Part::new(self.input, self.at, self.end - self.at);
        let read = Cursor::new(&part).read(buffer)?;
        self.at += read as u64;
        Ok(read)
    }
}
