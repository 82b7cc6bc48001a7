//! The header in front of each entry of a zip.

use crate::blob::ReadAt;
use crate::unpack::input::{bytes_at, read_full_at, u16_le, u32_le, u64_le};
use std::io;

/// Bytes of a header without its name.
pub(super) const HEADER_BYTES: usize = 30;

/// One header.
pub(super) struct Local {
    pub name: Vec<u8>,
    /// Where the name starts, and where the data does.
    pub name_at: u64,
    pub data: u64,
    pub method: u16,
    pub is_encrypted: bool,
    /// Bytes of the data, unless they stand behind it.
    pub packed: Option<u64>,
    version: u16,
    flags: u16,
}

/// Bytes of the name and of the extra fields.
pub(super) fn lengths(header: &[u8; HEADER_BYTES]) -> (usize, usize) {
    let len = |at: usize| usize::from(u16::from_le_bytes([header[at], header[at + 1]]));
    (len(26), len(28))
}

impl Local {
    /// The header at `offset`, if there is one.
    pub fn at(input: &dyn ReadAt, offset: u64) -> io::Result<Option<Self>> {
        let mut header = [0; HEADER_BYTES];
        let read = read_full_at(input, &mut header, offset)?;
        if read < HEADER_BYTES || !header.starts_with(b"PK\x03\x04") {
            return Ok(None);
        }
        let (name_bytes, extra_bytes) = lengths(&header);
        let Ok(rest) = bytes_at(input, offset + HEADER_BYTES as u64, name_bytes + extra_bytes) else { return Ok(None) };
        Ok(Some(Self::new(&header, &rest, offset)))
    }

    /// The header at `offset` with its name and extra fields.
    pub fn new(header: &[u8; HEADER_BYTES], rest: &[u8], offset: u64) -> Self {
        let (name_bytes, _) = lengths(header);
        let (name, extra) = rest.split_at(name_bytes.min(rest.len()));
        let flags = u16_le(header, 6).unwrap_or_default();
        let packed = u32_le(header, 18).unwrap_or_default();
        let packed = if packed == u32::MAX { long(extra, 8).unwrap_or(packed.into()) } else { packed.into() };
        let name_at = offset + HEADER_BYTES as u64;
        Self {
            name: name.to_vec(),
            name_at,
            data: name_at + rest.len() as u64,
            method: u16_le(header, 8).unwrap_or_default(),
            is_encrypted: flags & 1 != 0,
            packed: (flags & 8 == 0 || packed > 0).then_some(packed),
            version: u16_le(header, 4).unwrap_or_default(),
            flags,
        }
    }

    /// Whether it looks like more than four bytes by chance.
    pub fn is_likely(&self) -> bool {
        self.version & 0xff <= 70 && self.flags & 0xc000 == 0 && (self.method <= 20 || self.method >= 90)
    }
}

/// The number at `at` of the field of long sizes.
pub(super) fn long(extra: &[u8], at: usize) -> Option<u64> {
    field(extra, 1).and_then(|field| u64_le(field, at))
}

fn field(mut extra: &[u8], wanted: u16) -> Option<&[u8]> {
    loop {
        let (id, len) = (u16_le(extra, 0)?, usize::from(u16_le(extra, 2)?));
        let field = extra.get(4..4 + len)?;
        if id == wanted {
            return Some(field);
        }
        extra = &extra[4 + len..];
    }
}
