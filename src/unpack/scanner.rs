//! Bytes that are pushed, as windows for a text; and a reader whose bytes are searched as they pass.
//!
//! It interprets nothing.

use super::Text;
use crate::blob::{OVERLAP_BYTES, Window};
use std::io::{self, Read};

/// Bytes of a window.
pub(super) const WINDOW_BYTES: usize = 512 * 1024;

/// Makes windows of what is pushed.
pub(super) struct Scanner<T> {
    text: T,
    buffer: Vec<u8>,
    filled: usize,
    offset: u64,
}

impl<T: Text> Scanner<T> {
    /// `buffer` holds a window, and its first `filled` bytes are the first of the text.
    pub fn new(text: T, buffer: Vec<u8>, filled: usize) -> Self {
        Self { text, buffer, filled, offset: 0 }
    }

    /// More of the text.
    pub fn push(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.filled == self.buffer.len() {
                self.turn();
            }
            let len = bytes.len().min(self.buffer.len() - self.filled);
            self.buffer[self.filled..self.filled + len].copy_from_slice(&bytes[..len]);
            self.filled += len;
            bytes = &bytes[len..];
        }
    }

    /// All that is left of `reader`.
    pub fn drain(&mut self, reader: &mut dyn Read) -> io::Result<()> {
        loop {
            if self.filled == self.buffer.len() {
                self.turn();
            }
            match reader.read(&mut self.buffer[self.filled..]) {
                Ok(0) => return Ok(()),
                Ok(read) => self.filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The last window; gives back the text and the buffer.
    pub fn finish(mut self) -> (T, Vec<u8>) {
        self.text.window(&Window { bytes: &self.buffer[..self.filled], offset: self.offset, last: true });
        (self.text, self.buffer)
    }

    /// Gives a full buffer to the text, and keeps what the next window starts with.
    fn turn(&mut self) {
        self.text.window(&Window { bytes: &self.buffer, offset: self.offset, last: false });
        let kept = self.buffer.len() - OVERLAP_BYTES;
        self.buffer.copy_within(kept.., 0);
        self.offset += kept as u64;
        self.filled = OVERLAP_BYTES;
    }
}

/// A reader whose bytes are searched as they are read.
pub(super) struct Tee<R, T> {
    inner: R,
    pub scanner: Scanner<T>,
}

impl<R: Read, T: Text> Tee<R, T> {
    pub const fn new(inner: R, scanner: Scanner<T>) -> Self {
        Self { inner, scanner }
    }

    /// Reads the rest, so that all has been searched.
    pub fn drain(&mut self) -> io::Result<()> {
        self.scanner.drain(&mut self.inner)
    }
}

impl<R: Read, T: Text> Read for Tee<R, T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.scanner.push(&buffer[..read]);
        Ok(read)
    }
}
