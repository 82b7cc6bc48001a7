//! Bytecode of Hermes, as React Native ships it: strings are packed without anything between them, so its table is read.
//!
//! Versions differ in the size of a function's header; the one that makes the table fit its strings is taken.

use super::input::{bytes_at, u32_le};
use super::plist::utf_16;
use super::{Fault, Level, Piece, Unpacker, Visitor};
use crate::blob::ReadAt;

const HEADER_BYTES: u64 = 128;
/// Sizes of a function's header in the versions there have been.
const FUNCTION_BYTES: [u64; 4] = [16, 12, 20, 24];
/// Bytes of tables and strings that are held.
const STRINGS_BYTES_MAX: u64 = 96 << 20;
/// In the small table, what says that a string stands in the other one.
const IS_LONG: u32 = 0xff;

/// The sizes in the header.
struct Header {
    functions: u64,
    kinds: u64,
    identifiers: u64,
    strings: u64,
    long_strings: u64,
    storage: u64,
}

/// One string in the storage.
#[derive(Clone, Copy)]
struct Entry {
    is_wide: bool,
    offset: u64,
    /// In characters.
    len: u64,
}

impl Entry {
    const fn bytes(self) -> u64 {
        if self.is_wide { 2 * self.len } else { self.len }
    }
}

/// Reads the strings of `input`.
pub(super) fn read<V: Visitor>(
    unpacker: &mut Unpacker<'_, V>,
    level: &mut Level,
    input: &dyn ReadAt,
) -> Result<(), Fault> {
    let unknown =
        || Fault::Damaged("bytecode of a version whose table of strings is not known; searched as it stands".into());
    let head = bytes_at(input, 0, 128)?;
    let field = |at: usize| u32_le(&head, at).map(u64::from).ok_or_else(unknown);
    let header = Header {
        functions: field(40)?,
        kinds: field(44)?,
        identifiers: field(48)?,
        strings: field(52)?,
        long_strings: field(56)?,
        storage: field(60)?,
    };
    let bytes = 4 * header.strings + 8 * header.long_strings + header.storage;
    // The entries that are made of them take six times the small table.
    let memory = unpacker.budget.memory((bytes + 24 * header.strings).min(STRINGS_BYTES_MAX * 8));
    if bytes > STRINGS_BYTES_MAX || memory.is_none() {
        return Err(Fault::Damaged("its strings are too many".into()));
    }
    for function_bytes in FUNCTION_BYTES {
        let tables = HEADER_BYTES + function_bytes * header.functions + 4 * header.kinds + 4 * header.identifiers;
        let Some((entries, start)) = entries(input, &header, tables)? else { continue };
        let storage = bytes_at(input, start, usize::try_from(header.storage).map_err(|_| unknown())?)?;
        for entry in entries {
            string(unpacker, level, input, (&storage, start, entry))?;
        }
        return Ok(());
    }
    Err(unknown())
}

/// The strings, if the tables stand at `tables`, and where their storage starts.
fn entries(input: &dyn ReadAt, header: &Header, tables: u64) -> Result<Option<(Vec<Entry>, u64)>, Fault> {
    let len = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
    let long_at = tables + 4 * header.strings;
    let start = long_at + 8 * header.long_strings;
    if start.saturating_add(header.storage) > input.size() {
        return Ok(None);
    }
    let small = bytes_at(input, tables, len(4 * header.strings))?;
    let long = bytes_at(input, long_at, len(8 * header.long_strings))?;
    let mut entries = Vec::with_capacity(small.len() / 4);
    for word in small.chunks_exact(4) {
        let word = u32::from_le_bytes([word[0], word[1], word[2], word[3]]);
        let (is_wide, offset, chars) = (word & 1 != 0, word >> 1 & 0x7f_ffff, word >> 24);
        let (offset, chars) = if chars == IS_LONG {
            let at = len(8 * u64::from(offset));
            let (Some(offset), Some(chars)) = (u32_le(&long, at), u32_le(&long, at + 4)) else { return Ok(None) };
            (offset, chars)
        } else {
            (offset, chars)
        };
        let entry = Entry { is_wide, offset: offset.into(), len: chars.into() };
        if entry.offset + entry.bytes() > header.storage {
            return Ok(None);
        }
        entries.push(entry);
    }
    // Together they fill the storage, or it is not the table.
    let end = entries.iter().map(|entry| entry.offset + entry.bytes()).max().unwrap_or_default();
    Ok((end == header.storage).then_some((entries, start)))
}

fn string<V: Visitor>(
    unpacker: &mut Unpacker<'_, V>,
    level: &mut Level,
    input: &dyn ReadAt,
    (storage, start, entry): (&[u8], u64, Entry),
) -> Result<(), Fault> {
    unpacker.work(8 + entry.bytes())?;
    let (from, to) = (entry.offset, entry.offset + entry.bytes());
    let part = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
    let Some(bytes) = storage.get(part(from)..part(to)) else { return Ok(()) };
    let span = start + from..start + to;
    if entry.is_wide {
        let text = utf_16(bytes, u16::from_le_bytes);
        let piece = Piece { bytes: text.as_bytes(), offset: span.start, encoding: Some("utf-16le") };
        unpacker.piece(level, input, piece, &[span]);
    } else {
        unpacker.piece(level, input, Piece { bytes, offset: span.start, encoding: None }, &[span]);
    }
    Ok(())
}
