//! Inflating zlib streams: at once where the size is known, in pieces where it is large or unknown.
//!
//! Buffers are used again and again; nothing here knows what an object is.

use crate::blob::{OVERLAP_BYTES, Window, Windows};
use flate2::{Decompress, FlushDecompress, Status};
use libdeflater::Decompressor;
use std::borrow::Cow;
use std::io;

/// Bytes of buffers that are kept to be used again.
const POOLED_BYTES_MAX: usize = 16 << 20;
/// Bytes of one window of a stream.
const WINDOW_BYTES: usize = 512 << 10;

/// A buffer that stays initialised, so that using it again costs nothing.
#[derive(Default)]
pub struct Buffer {
    bytes: Vec<u8>,
    len: usize,
}

impl Buffer {
    /// What it holds.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    /// The same, to be changed.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[..self.len]
    }

    /// Room for `len` bytes, whose content is left from before.
    pub fn room(&mut self, len: usize) -> &mut [u8] {
        if self.bytes.len() < len {
            self.bytes.resize(len, 0);
        }
        self.len = len;
        &mut self.bytes[..len]
    }

    /// Bytes of memory it takes.
    pub const fn capacity(&self) -> usize {
        self.bytes.capacity()
    }
}

/// Buffers to be used again.
#[derive(Default)]
pub struct Pool {
    buffers: Vec<Buffer>,
    /// Their capacity.
    bytes: usize,
}

impl Pool {
    /// One of them, or a new one.
    pub fn take(&mut self) -> Buffer {
        let buffer = self.buffers.pop().unwrap_or_default();
        self.bytes -= buffer.capacity();
        buffer
    }

    /// Keeps `buffer`, unless there are enough.
    pub fn give(&mut self, buffer: Buffer) {
        if self.bytes + buffer.capacity() <= POOLED_BYTES_MAX {
            self.bytes += buffer.capacity();
            self.buffers.push(buffer);
        }
    }
}

/// Inflates streams whose size is known.
pub struct Inflater(Decompressor);

impl Default for Inflater {
    fn default() -> Self {
        Self(Decompressor::new())
    }
}

impl Inflater {
    /// Inflates the stream at the start of `from` into `out`, which it has to fill; says whether it did.
    pub fn exact(&mut self, from: &[u8], out: &mut [u8]) -> bool {
        // libdeflate gives up on a stream that has nothing to write.
        if out.is_empty() {
            return Pieces::default().next(from, &mut [0]) == Some((Piece::End, 0));
        }
        self.0.zlib_decompress(from, out).is_ok_and(|len| len == out.len())
    }
}

/// How far a stream is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece {
    /// There is more.
    More,
    /// It ended.
    End,
}

/// Inflates one stream piece by piece.
pub struct Pieces {
    inflate: Decompress,
}

impl Default for Pieces {
    fn default() -> Self {
        Self { inflate: Decompress::new(true) }
    }
}

impl Pieces {
    /// Bytes of the stream read so far.
    pub fn consumed(&self) -> u64 {
        self.inflate.total_in()
    }

    /// Fills `out` from `from`, the whole stream and what follows it; `None` where the stream is damaged.
    pub fn next(&mut self, from: &[u8], out: &mut [u8]) -> Option<(Piece, usize)> {
        let mut filled = 0;
        loop {
            let at = usize::try_from(self.inflate.total_in()).ok()?;
            let (read, written) = (self.inflate.total_in(), self.inflate.total_out());
            let status = self.inflate.decompress(from.get(at..)?, &mut out[filled..], FlushDecompress::None).ok()?;
            filled += usize::try_from(self.inflate.total_out() - written).ok()?;
            if status == Status::StreamEnd {
                return Some((Piece::End, filled));
            }
            if filled == out.len() {
                return Some((Piece::More, filled));
            }
            if self.inflate.total_in() == read && self.inflate.total_out() == written {
                return None;
            }
        }
    }
}

/// A zlib stream as windows, for objects that are too large to be held.
pub struct Stream<'s> {
    from: Cow<'s, [u8]>,
    /// Bytes in front that are no content.
    header: usize,
    pieces: Pieces,
    buffer: Vec<u8>,
    filled: usize,
    offset: u64,
    is_started: bool,
    is_ended: bool,
}

impl<'s> Stream<'s> {
    /// Over the stream at the start of `from`, without the `header` bytes it begins with.
    pub fn new(from: Cow<'s, [u8]>, header: usize) -> Self {
        let pieces = Pieces::default();
        let buffer = vec![0; WINDOW_BYTES];
        Self { from, header, pieces, buffer, filled: 0, offset: 0, is_started: false, is_ended: false }
    }

    /// Bytes of content so far.
    pub const fn bytes(&self) -> u64 {
        self.offset + self.filled as u64
    }

    fn fill(&mut self) -> Option<()> {
        if self.is_started {
            let kept = self.filled - OVERLAP_BYTES;
            self.buffer.copy_within(kept..self.filled, 0);
            self.offset += kept as u64;
            self.filled = OVERLAP_BYTES;
        } else if self.header > 0 {
            self.pieces.next(&self.from, &mut vec![0; self.header])?;
        }
        self.is_started = true;
        let (piece, filled) = self.pieces.next(&self.from, &mut self.buffer[self.filled..])?;
        self.filled += filled;
        self.is_ended = piece == Piece::End;
        Some(())
    }
}

impl Windows for Stream<'_> {
    fn next(&mut self) -> io::Result<Option<Window<'_>>> {
        if self.is_ended {
            return Ok(None);
        }
        self.fill().ok_or_else(|| io::Error::other("damaged object"))?;
        Ok(Some(Window { bytes: &self.buffer[..self.filled], offset: self.offset, last: self.is_ended }))
    }

    fn rewind(&mut self) -> io::Result<bool> {
        self.pieces = Pieces::default();
        (self.filled, self.offset, self.is_started, self.is_ended) = (0, 0, false, false);
        Ok(true)
    }

    fn changed(&self) -> Option<&'static str> {
        None
    }
}
