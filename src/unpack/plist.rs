//! Binary property lists: every string and every run of data by itself, since nothing but the next object's mark stands between them.
//!
//! What the objects mean to each other is not looked at.

use super::input::{big_endian, bytes_at};
use super::{Fault, Level, Piece, Unpacker, Visitor};
use crate::blob::ReadAt;

const TRAILER_BYTES: u64 = 32;
/// Bytes of one string or run of data that are read.
const VALUE_BYTES_MAX: u64 = 16 << 20;

/// Reads the objects of `input`.
pub(super) fn read<V: Visitor>(
    unpacker: &mut Unpacker<'_, V>,
    level: &mut Level,
    input: &dyn ReadAt,
) -> Result<(), Fault> {
    let damaged = || Fault::Damaged("damaged: its table of objects cannot be read".into());
    let trailer_at = input.size().checked_sub(TRAILER_BYTES).ok_or_else(damaged)?;
    let trailer = bytes_at(input, trailer_at, 32)?;
    let width = usize::from(trailer[6]);
    let objects = big_endian(&trailer, 8, 8).ok_or_else(damaged)?;
    let table = big_endian(&trailer, 24, 8).ok_or_else(damaged)?;
    let fits = objects.checked_mul(width as u64).and_then(|bytes| bytes.checked_add(table));
    if !(1..=8).contains(&width) || fits.is_none_or(|end| end > trailer_at) {
        return Err(damaged());
    }
    for object in 0..objects {
        unpacker.work(16)?;
        let offset = bytes_at(input, table + object * width as u64, width)?;
        if let Some(offset) = big_endian(&offset, 0, width).filter(|&offset| offset < table) {
            value(unpacker, level, input, offset)?;
        }
    }
    Ok(())
}

fn value<V: Visitor>(
    unpacker: &mut Unpacker<'_, V>,
    level: &mut Level,
    input: &dyn ReadAt,
    offset: u64,
) -> Result<(), Fault> {
    let mut head = [0; 10];
    let read = super::input::read_full_at(input, &mut head, offset)?;
    let head = &head[..read];
    let Some((&mark, rest)) = head.split_first() else { return Ok(()) };
    let (size, head_bytes) = match mark & 0x0f {
        0x0f => {
            let Some(width) = rest.first().map(|&mark| 1_usize << (mark & 3)) else { return Ok(()) };
            (big_endian(rest, 1, width), 2 + width as u64)
        }
        size => (Some(u64::from(size)), 1),
    };
    let unit = if mark >> 4 == 6 { 2 } else { 1 };
    let (4..=6, Some(bytes)) = (mark >> 4, size.and_then(|size| size.checked_mul(unit))) else { return Ok(()) };
    let start = offset + head_bytes;
    let len = usize::try_from(bytes.min(VALUE_BYTES_MAX)).unwrap_or_default();
    let Ok(bytes) = bytes_at(input, start, len) else { return Ok(()) };
    unpacker.work(len as u64)?;
    let span = start..start + len as u64;
    if unit == 2 {
        let text = utf_16(&bytes, u16::from_be_bytes);
        let piece = Piece { bytes: text.as_bytes(), offset: start, encoding: Some("utf-16be") };
        unpacker.piece(level, input, piece, &[span]);
    } else {
        unpacker.piece(level, input, Piece { bytes: &bytes, offset: start, encoding: None }, &[span]);
    }
    Ok(())
}

/// UTF-16 as UTF-8.
pub(super) fn utf_16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
    String::from_utf16_lossy(&units)
}
