//! Databases of SQLite: every value of every record by itself, put together where it goes over several pages.
//!
//! Values stand in a record without anything between them, so that only its header says where one ends. Every page that looks like
//! one of a tree is read, whether the tree still has it or not: free pages keep what was deleted.

use super::input::{big_endian, bytes_at, read_full_at};
use super::plist::utf_16;
use super::{Fault, Level, Piece, Unpacker, Visitor};
use crate::blob::ReadAt;
use std::ops::Range;

const HEADER_BYTES: usize = 100;
/// Bytes of one record that are read.
const RECORD_BYTES_MAX: u64 = 16 << 20;

/// What the header says.
struct Database<'i> {
    input: &'i dyn ReadAt,
    page_bytes: u64,
    /// Bytes of a page without what extensions reserve.
    usable: u64,
    /// How texts are encoded: 1, or 2 and 3 for UTF-16.
    encoding: u64,
}

/// The payload of a cell, and where its parts are in the file.
struct Payload {
    bytes: Vec<u8>,
    /// Start in the bytes, and place in the file.
    parts: Vec<(usize, u64)>,
    /// Whether the bound on records cut it.
    is_cut: bool,
}

/// Reads the values of `input`.
pub(super) fn read<V: Visitor>(
    unpacker: &mut Unpacker<'_, V>,
    level: &mut Level,
    input: &dyn ReadAt,
) -> Result<(), Fault> {
    let header = bytes_at(input, 0, HEADER_BYTES)?;
    let page_bytes = match big_endian(&header, 16, 2) {
        Some(1) => 65_536,
        Some(bytes) if bytes.is_power_of_two() && bytes >= 512 => bytes,
        _ => return Err(Fault::Damaged("damaged: it has no size of pages".into())),
    };
    let usable = page_bytes - u64::from(header[20]);
    let database = Database { input, page_bytes, usable, encoding: big_endian(&header, 56, 4).unwrap_or(1) };
    let mut page = vec![0; usize::try_from(page_bytes).unwrap_or_default()];
    for number in 0..input.size().div_ceil(page_bytes) {
        unpacker.work(page_bytes / 4)?;
        let filled = read_full_at(input, &mut page, number * page_bytes)?;
        database.page(unpacker, level, (number, &page[..filled]))?;
    }
    Ok(())
}

impl Database<'_> {
    fn page<V: Visitor>(
        &self,
        unpacker: &mut Unpacker<'_, V>,
        level: &mut Level,
        (number, page): (u64, &[u8]),
    ) -> Result<(), Fault> {
        let head = if number == 0 { HEADER_BYTES } else { 0 };
        let (pointers, is_table) = match page.get(head) {
            Some(0x0d) => (head + 8, true),
            Some(0x0a) => (head + 8, false),
            Some(0x02) => (head + 12, false),
            // Inner pages of tables have no payload.
            _ => return Ok(()),
        };
        let child_bytes = if page[head] == 0x02 { 4 } else { 0 };
        let cells = big_endian(page, head + 3, 2).unwrap_or_default();
        for cell in 0..cells {
            let pointer = pointers + 2 * usize::try_from(cell).unwrap_or_default();
            let at = big_endian(page, pointer, 2).and_then(|at| usize::try_from(at).ok());
            let Some(at) = at.map(|at| at + child_bytes) else { return Ok(()) };
            let Some(payload) = self.payload(unpacker, (number, page), at, is_table)? else { continue };
            self.record(unpacker, level, &payload)?;
            if payload.is_cut {
                unpacker.refuse(level, b"(record)", "a record is longer than 16 MiB")?;
            }
        }
        Ok(())
    }

    /// The payload of the cell at `at`; none where there cannot be one.
    fn payload<V: Visitor>(
        &self,
        unpacker: &Unpacker<'_, V>,
        (number, page): (u64, &[u8]),
        mut at: usize,
        is_table: bool,
    ) -> Result<Option<Payload>, Fault> {
        let Some(total) = varint(page, &mut at) else { return Ok(None) };
        if is_table && varint(page, &mut at).is_none() {
            return Ok(None);
        }
        let local = self.local(total, is_table);
        let Some(here) = usize::try_from(local).ok().and_then(|local| page.get(at..at + local)) else {
            return Ok(None);
        };
        unpacker.work(local)?;
        let mut payload =
            Payload { bytes: here.to_vec(), parts: vec![(0, number * self.page_bytes + at as u64)], is_cut: false };
        let mut next = big_endian(page, at + here.len(), 4);
        let (total, is_longer) = (total.min(RECORD_BYTES_MAX), total > RECORD_BYTES_MAX);
        while (payload.bytes.len() as u64) < total {
            let Some(start) = next.and_then(|next| next.checked_sub(1)).map(|number| number * self.page_bytes) else {
                break;
            };
            let len = (total - payload.bytes.len() as u64).min(self.usable - 4);
            let Ok(more) = bytes_at(self.input, start, usize::try_from(len + 4).unwrap_or_default()) else { break };
            unpacker.work(len)?;
            payload.parts.push((payload.bytes.len(), start + 4));
            payload.bytes.extend_from_slice(&more[4..]);
            next = big_endian(&more, 0, 4);
        }
        payload.is_cut = is_longer && payload.bytes.len() as u64 == total;
        Ok(Some(payload))
    }

    /// How much of a payload of `total` bytes stands in the cell itself.
    const fn local(&self, total: u64, is_table: bool) -> u64 {
        let usable = self.usable;
        let most = if is_table { usable - 35 } else { (usable - 12) * 64 / 255 - 23 };
        if total <= most {
            return total;
        }
        let least = (usable - 12) * 32 / 255 - 23;
        let some = least + (total - least) % (usable - 4);
        if some <= most { some } else { least }
    }

    /// Gives every text and blob of a record.
    fn record<V: Visitor>(
        &self,
        unpacker: &mut Unpacker<'_, V>,
        level: &mut Level,
        payload: &Payload,
    ) -> Result<(), Fault> {
        let mut at = 0;
        let Some(header_bytes) = varint(&payload.bytes, &mut at).and_then(|bytes| usize::try_from(bytes).ok()) else {
            return Ok(());
        };
        let mut from = header_bytes;
        while at < header_bytes.min(payload.bytes.len()) {
            let Some(kind) = varint(&payload.bytes, &mut at) else { return Ok(()) };
            let len = match kind {
                0..=4 => kind,
                5 => 6,
                6 | 7 => 8,
                8..=11 => 0,
                _ => (kind - 12) / 2,
            };
            let Some(to) = usize::try_from(len).ok().and_then(|len| from.checked_add(len)) else { return Ok(()) };
            if kind >= 12 && from < payload.bytes.len() {
                let to = to.min(payload.bytes.len());
                self.value(unpacker, level, payload, (from..to, kind % 2 == 1));
            }
            from = to;
        }
        unpacker.work(0)
    }

    fn value<V: Visitor>(
        &self,
        unpacker: &mut Unpacker<'_, V>,
        level: &mut Level,
        payload: &Payload,
        (range, is_text): (Range<usize>, bool),
    ) {
        let bytes = &payload.bytes[range.clone()];
        let spans = payload.spans(&range);
        let offset = spans.first().map_or(0, |span| span.start);
        let text = match self.encoding {
            2 if is_text => utf_16(bytes, u16::from_le_bytes),
            3 if is_text => utf_16(bytes, u16::from_be_bytes),
            _ => {
                let encoding = (spans.len() > 1).then_some("sqlite-pages");
                return unpacker.piece(level, self.input, Piece { bytes, offset, encoding }, &spans);
            }
        };
        let encoding = Some(if self.encoding == 2 { "utf-16le" } else { "utf-16be" });
        unpacker.piece(level, self.input, Piece { bytes: text.as_bytes(), offset, encoding }, &spans);
    }
}

impl Payload {
    /// Where `range` of it stands in the file.
    fn spans(&self, range: &Range<usize>) -> Vec<Range<u64>> {
        let ends = self.parts.iter().skip(1).map(|(start, _)| *start).chain([self.bytes.len()]);
        let parts = self.parts.iter().zip(ends).filter_map(|(&(start, place), end)| {
            let (from, to) = (range.start.max(start), range.end.min(end));
            (from < to).then(|| place + (from - start) as u64..place + (to - start) as u64)
        });
        parts.collect()
    }
}

/// A number of at most nine bytes at `at`, which is moved behind it.
fn varint(bytes: &[u8], at: &mut usize) -> Option<u64> {
    let mut value = 0;
    for index in 0..9 {
        let byte = *bytes.get(*at)?;
        *at += 1;
        if index == 8 {
            return Some(value << 8 | u64::from(byte));
        }
        value = value << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            break;
        }
    }
    Some(value)
}
