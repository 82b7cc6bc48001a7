//! A file or stream as windows that overlap, read with plain `read` calls into a buffer that is used again.
//!
//! No memory map: a file that others may truncate would kill the process. Nothing here knows what is searched for.

use super::open::Opened;
use crate::blob::{OVERLAP_BYTES, ReadAt, Window, Windows};
use std::cmp::Ordering;
use std::fs::File;
use std::io::{self, Read, Seek};

/// Bytes of one window; even, and far more than the overlap.
const WINDOW_BYTES: usize = 512 * 1024;

/// The buffer of one thread.
pub struct Buffer(Vec<u8>);

impl Default for Buffer {
    fn default() -> Self {
        Self(vec![0; WINDOW_BYTES])
    }
}

/// Windows over a reader.
pub struct Reader<'b, R> {
    inner: R,
    buffer: &'b mut Buffer,
    /// The bytes there should be; none for a stream.
    size: Option<u64>,
    /// Where the buffer starts in the whole.
    offset: u64,
    /// Bytes of the buffer that are filled.
    filled: usize,
    state: State,
    changed: Option<&'static str>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Start,
    Middle,
    End,
}

impl<'b> Reader<'b, File> {
    /// Over a file, at its start.
    pub fn file(opened: Opened, buffer: &'b mut Buffer) -> Self {
        // A size of nothing says nothing: files of `/proc` have content all the same.
        let size = (opened.bytes > 0).then_some(opened.bytes);
        Self { inner: opened.file, buffer, size, offset: 0, filled: 0, state: State::Start, changed: None }
    }
}

impl<'b, R: Read> Reader<'b, R> {
    /// Over a stream that is read to its end.
    pub fn stream(inner: R, buffer: &'b mut Buffer) -> Self {
        Self { inner, buffer, size: None, offset: 0, filled: 0, state: State::Start, changed: None }
    }

    /// Fills the buffer; says whether the end was reached.
    fn fill(&mut self) -> io::Result<bool> {
        while self.filled < WINDOW_BYTES {
            let read = match self.inner.read(&mut self.buffer.0[self.filled..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                other => other?,
            };
            self.filled += read;
            let total = self.offset + self.filled as u64;
            if read == 0 || self.size.is_some_and(|size| total >= size) {
                self.changed = self.size.and_then(|size| match total.cmp(&size) {
                    Ordering::Less => Some("shrank while it was read"),
                    Ordering::Equal => None,
                    Ordering::Greater => Some("grew while it was read"),
                });
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn advance(&mut self) -> io::Result<Option<Window<'_>>> {
        match self.state {
            State::End => return Ok(None),
            State::Start => {}
            State::Middle => {
                let kept = self.filled - OVERLAP_BYTES;
                self.buffer.0.copy_within(kept..self.filled, 0);
                self.offset += kept as u64;
                self.filled = OVERLAP_BYTES;
            }
        }
        let last = self.fill()?;
        self.state = if last { State::End } else { State::Middle };
        Ok(Some(Window { bytes: &self.buffer.0[..self.filled], offset: self.offset, last }))
    }
}

impl Windows for Reader<'_, File> {
    fn next(&mut self) -> io::Result<Option<Window<'_>>> {
        self.advance()
    }

    fn rewind(&mut self) -> io::Result<bool> {
        self.inner.rewind()?;
        (self.offset, self.filled, self.state) = (0, 0, State::Start);
        Ok(true)
    }

    fn changed(&self) -> Option<&'static str> {
        self.changed
    }

    fn random(&self) -> Option<&dyn ReadAt> {
        self.size.is_some().then_some(self)
    }
}

impl ReadAt for Reader<'_, File> {
    #[cfg(unix)]
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(&self.inner, buffer, offset)
    }

    #[cfg(windows)]
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        std::os::windows::fs::FileExt::seek_read(&self.inner, buffer, offset)
    }

    #[cfg(not(any(unix, windows)))]
    fn read_at(&self, _: &mut [u8], _: u64) -> io::Result<usize> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn size(&self) -> u64 {
        self.size.unwrap_or_default()
    }
}

/// Windows over a stream, which cannot start over.
pub struct Stream<'b, R>(pub Reader<'b, R>);

impl<R: Read> Windows for Stream<'_, R> {
    fn next(&mut self) -> io::Result<Option<Window<'_>>> {
        self.0.advance()
    }

    fn rewind(&mut self) -> io::Result<bool> {
        Ok(false)
    }

    fn changed(&self) -> Option<&'static str> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_overlap_and_cover_everything() {
        for len in [0, 1, WINDOW_BYTES - 1, WINDOW_BYTES, WINDOW_BYTES + 1, 3 * WINDOW_BYTES + 7] {
            let bytes: Vec<u8> = (0..=250).cycle().take(len).collect();
            let mut buffer = Buffer::default();
            let mut stream = Stream(Reader::stream(bytes.as_slice(), &mut buffer));
            let mut owned = 0;
            let mut ended = false;
            while let Some(window) = stream.next().unwrap() {
                let offset = usize::try_from(window.offset).unwrap();
                assert_eq!(offset, owned);
                assert_eq!(window.bytes, &bytes[offset..offset + window.bytes.len()]);
                owned = offset + window.owned();
                ended = window.last;
            }
            assert!(ended);
            assert_eq!(owned, len);
        }
    }
}
