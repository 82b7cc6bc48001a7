//! Reading at a place, and reading on from a place.

use crate::blob::ReadAt;
use std::io::{self, BufRead, Read};

/// Bytes read at once from an input that is no memory.
const CHUNK_BYTES: usize = 64 * 1024;

/// A part of an input.
pub(super) struct Part<'i> {
    input: &'i dyn ReadAt,
    start: u64,
    size: u64,
}

impl<'i> Part<'i> {
    /// `size` bytes from `start` on, or as many as there are.
    pub fn new(input: &'i dyn ReadAt, start: u64, size: u64) -> Self {
        let start = start.min(input.size());
        Self { input, start, size: size.min(input.size() - start) }
    }
}

impl ReadAt for Part<'_> {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let left = self.size.saturating_sub(offset);
        let len = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        if len == 0 { Ok(0) } else { self.input.read_at(&mut buffer[..len], self.start + offset) }
    }

    fn size(&self) -> u64 {
        self.size
    }

    fn whole(&self) -> Option<&[u8]> {
        let (start, size) = (usize::try_from(self.start).ok()?, usize::try_from(self.size).ok()?);
        self.input.whole()?.get(start..start + size)
    }
}

/// Reads on from the start of an input, and knows where it is.
pub(super) struct Cursor<'i> {
    input: &'i dyn ReadAt,
    buffer: Vec<u8>,
    at: usize,
    /// Where the buffer ends in the input.
    offset: u64,
}

impl<'i> Cursor<'i> {
    pub const fn new(input: &'i dyn ReadAt) -> Self {
        Self { input, buffer: Vec::new(), at: 0, offset: 0 }
    }
}

impl Read for Cursor<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let ready = self.fill_buf()?;
        let len = ready.len().min(buffer.len());
        buffer[..len].copy_from_slice(&ready[..len]);
        self.consume(len);
        Ok(len)
    }
}

impl BufRead for Cursor<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if let Some(whole) = self.input.whole() {
            return Ok(usize::try_from(self.offset).ok().and_then(|at| whole.get(at..)).unwrap_or_default());
        }
        if self.at == self.buffer.len() {
            self.buffer.resize(CHUNK_BYTES, 0);
            let read = self.input.read_at(&mut self.buffer, self.offset)?;
            self.buffer.truncate(read);
            self.offset += read as u64;
            self.at = 0;
        }
        Ok(&self.buffer[self.at..])
    }

    fn consume(&mut self, len: usize) {
        if self.input.whole().is_some() {
            self.offset += len as u64;
        } else {
            self.at += len;
        }
    }
}

/// A reader that counts what was taken from it.
pub(super) struct Counted<R> {
    inner: R,
    /// Bytes taken so far.
    pub position: u64,
}

impl<R> Counted<R> {
    pub const fn new(inner: R) -> Self {
        Self { inner, position: 0 }
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.position += read as u64;
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, len: usize) {
        self.position += len as u64;
        self.inner.consume(len);
    }
}

/// As much of `buffer` as there is at `offset`; says how many bytes.
pub(super) fn read_full_at(input: &dyn ReadAt, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match input.read_at(&mut buffer[filled..], offset.saturating_add(filled as u64)) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// `len` bytes at `offset`, or an error where there are fewer. `len` must be bounded by the caller.
pub(super) fn bytes_at(input: &dyn ReadAt, offset: u64, len: usize) -> io::Result<Vec<u8>> {
    if offset.saturating_add(len as u64) > input.size() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let mut bytes = vec![0; len];
    let read = read_full_at(input, &mut bytes, offset)?;
    if read < len { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(bytes) }
}

/// As much of `buffer` as `reader` gives; says how many bytes, and the error that ended it.
pub(super) fn read_full(reader: &mut dyn Read, buffer: &mut [u8]) -> (usize, io::Result<()>) {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (filled, Err(error)),
        }
    }
    (filled, Ok(()))
}

/// Little-endian integers at a place in bytes; none where they end before.
pub(super) fn u16_le(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at.checked_add(2)?)?.try_into().ok()?))
}

/// See [`u16_le`].
pub(super) fn u32_le(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

/// See [`u16_le`].
pub(super) fn u64_le(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at.checked_add(8)?)?.try_into().ok()?))
}

/// A big-endian integer of `len` bytes, at most eight.
pub(super) fn big_endian(bytes: &[u8], at: usize, len: usize) -> Option<u64> {
    let bytes = bytes.get(at..at.checked_add(len)?).filter(|_| len <= 8)?;
    Some(bytes.iter().fold(0, |value, &byte| value << 8 | u64::from(byte)))
}

/// Bytes read at once where a mark is looked for.
const SEARCH_BYTES: usize = 256 * 1024;

/// Where the first of `marks` is that starts in `part`; all are of one length.
pub(super) fn find(input: &dyn ReadAt, marks: &[&[u8]], part: std::ops::Range<u64>) -> io::Result<Option<u64>> {
    let overlap = marks.first().map_or(1, |mark| mark.len()) - 1;
    let first = |bytes: &[u8]| marks.iter().filter_map(|mark| memchr::memmem::find(bytes, mark)).min();
    let mut from = part.start;
    let mut buffer = Vec::new();
    while from < part.end {
        let len = usize::try_from(part.end - from).map_or(SEARCH_BYTES, |left| (left + overlap).min(SEARCH_BYTES));
        let in_memory = usize::try_from(from).ok().and_then(|from| input.whole()?.get(from..));
        let (bytes, is_last) = if let Some(whole) = in_memory {
            (
                &whole[..whole.len().min(usize::try_from(part.end - from).map_or(usize::MAX, |left| left + overlap))],
                true,
            )
        } else {
            buffer.resize(len, 0);
            let read = read_full_at(input, &mut buffer, from)?;
            (&buffer[..read], read < len || len < SEARCH_BYTES)
        };
        if let Some(at) = first(bytes) {
            return Ok(Some(from + at as u64).filter(|&at| at < part.end));
        }
        if is_last {
            return Ok(None);
        }
        from += (bytes.len() - overlap) as u64;
    }
    Ok(None)
}
