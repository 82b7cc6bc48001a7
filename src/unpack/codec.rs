//! Compressed streams as readers, each within the memory that the budget gives.
//!
//! It knows no container: where a stream starts is the caller's.

use super::budget::{Budget, Memory};
use std::io::{self, BufRead, BufReader, Read};
use std::rc::Rc;

/// Memory of a decoder of xz or LZMA, enough for the largest of its presets.
const XZ_BYTES: u32 = 68 << 20;
/// Memory of a decoder of zstd, unless its first frame asks for more.
const ZSTD_BYTES: u64 = 8 << 20;
/// The largest window of zstd, as `--ultra -22` and `--long` write.
const ZSTD_BYTES_MAX: u64 = 128 << 20;
const BZIP2_BYTES: u64 = 4 << 20;
const BROTLI_BYTES: u64 = 17 << 20;
const LZ4_BYTES: u64 = 9 << 20;
/// Bytes of buffer before a decoder that has none.
const BUFFER_BYTES: usize = 32 * 1024;

/// How bytes are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Codec {
    Stored,
    Deflate,
    Deflate64,
    Gzip,
    Zlib,
    Bzip2,
    Zstd,
    Xz,
    /// With the header of an `.lzma` file.
    Lzma,
    /// As an entry of a zip.
    ZipLzma,
    Lz4,
    Brotli,
}

/// What comes out, and the memory that takes.
pub(super) struct Decoder<'r> {
    inner: Box<dyn Read + 'r>,
    _memory: Option<Memory>,
}

impl Read for Decoder<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.inner.read(buffer)
    }
}

impl Codec {
    /// What comes out of `reader`, which is left behind the stream where the codec allows it.
    pub fn decoder<'r>(self, mut reader: impl BufRead + 'r, budget: &Rc<Budget>) -> io::Result<Decoder<'r>> {
        let memory = match self.memory(&mut reader)? {
            0 => None,
            bytes => Some(budget.memory(bytes).ok_or_else(too_much)?),
        };
        let inner: Box<dyn Read + 'r> = match self {
            Self::Stored => Box::new(reader),
            Self::Deflate => Box::new(flate2::bufread::DeflateDecoder::new(reader)),
            Self::Zlib => Box::new(flate2::bufread::ZlibDecoder::new(reader)),
            Self::Deflate64 => Box::new(deflate64::Deflate64Decoder::with_buffer(reader)),
            Self::Gzip => Box::new(Frames::new(reader, gzip)),
            Self::Bzip2 => Box::new(Frames::new(reader, bzip2)),
            Self::Zstd => {
                let bytes = memory.as_ref().map_or(ZSTD_BYTES, Memory::bytes);
                Box::new(Frames::new(reader, move |reader| zstd(reader, bytes)))
            }
            Self::Xz => Box::new(lzma_rust2::XzReader::new_mem_limit(reader, true, XZ_BYTES >> 10)),
            Self::Lzma => Box::new(lzma_rust2::LzmaReader::new_mem_limit(reader, XZ_BYTES >> 10, None)?),
            Self::ZipLzma => Box::new(zip_lzma(reader)?),
            Self::Lz4 => Box::new(lz4_flex::frame::FrameDecoder::new(reader)),
            Self::Brotli => Box::new(brotli_decompressor::Decompressor::new(reader, BUFFER_BYTES)),
        };
        Ok(Decoder { inner, _memory: memory })
    }

    fn memory(self, reader: &mut impl BufRead) -> io::Result<u64> {
        Ok(match self {
            Self::Stored | Self::Deflate | Self::Deflate64 | Self::Gzip | Self::Zlib => 0,
            Self::Bzip2 => BZIP2_BYTES,
            Self::Zstd => zstd_window(reader.fill_buf()?).clamp(ZSTD_BYTES, ZSTD_BYTES_MAX),
            Self::Xz | Self::Lzma | Self::ZipLzma => XZ_BYTES.into(),
            Self::Lz4 => LZ4_BYTES,
            Self::Brotli => BROTLI_BYTES,
        })
    }
}

fn too_much() -> io::Error {
    io::Error::other("needs more memory than there is for one archive")
}

/// A decoder of one frame, which gives its reader back.
trait Frame<R>: Read {
    fn into_reader(self: Box<Self>) -> R;
}

impl<R: BufRead> Frame<R> for flate2::bufread::GzDecoder<R> {
    fn into_reader(self: Box<Self>) -> R {
        (*self).into_inner()
    }
}

impl<R: BufRead> Frame<R> for ::bzip2::bufread::BzDecoder<R> {
    fn into_reader(self: Box<Self>) -> R {
        (*self).into_inner()
    }
}

impl<R: BufRead> Frame<R> for ::zstd::stream::read::Decoder<'static, R> {
    fn into_reader(self: Box<Self>) -> R {
        (*self).finish()
    }
}

type Opened<'r, R> = io::Result<Result<Box<dyn Frame<R> + 'r>, R>>;

/// Frames one behind the other as one stream; it ends where something else follows.
struct Frames<'r, R, O> {
    open: O,
    frame: Option<Box<dyn Frame<R> + 'r>>,
    reader: Option<R>,
}

impl<'r, R: BufRead + 'r, O: Fn(R) -> Opened<'r, R>> Frames<'r, R, O> {
    const fn new(reader: R, open: O) -> Self {
        Self { open, frame: None, reader: Some(reader) }
    }
}

impl<'r, R: BufRead + 'r, O: Fn(R) -> Opened<'r, R>> Read for Frames<'r, R, O> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(frame) = &mut self.frame {
                let read = frame.read(buffer)?;
                if read > 0 || buffer.is_empty() {
                    return Ok(read);
                }
                self.reader = self.frame.take().map(Frame::into_reader);
            }
            let Some(reader) = self.reader.take() else { return Ok(0) };
            match (self.open)(reader)? {
                Ok(frame) => self.frame = Some(frame),
                // Kept, so that it is dropped with this and not before.
                Err(_) => return Ok(0),
            }
        }
    }
}

fn gzip<'r, R: BufRead + 'r>(mut reader: R) -> Opened<'r, R> {
    if !starts(reader.fill_buf()?, b"\x1f\x8b") {
        return Ok(Err(reader));
    }
    Ok(Ok(Box::new(flate2::bufread::GzDecoder::new(reader))))
}

fn bzip2<'r, R: BufRead + 'r>(mut reader: R) -> Opened<'r, R> {
    if !starts(reader.fill_buf()?, b"BZh") {
        return Ok(Err(reader));
    }
    Ok(Ok(Box::new(::bzip2::bufread::BzDecoder::new(reader))))
}

fn zstd<'r, R: BufRead + 'r>(mut reader: R, memory: u64) -> Opened<'r, R> {
    let start = reader.fill_buf()?;
    let is_skipped = matches!(start.first(), Some(0x50..=0x5f)) && starts(&start[1..], b"\x2a\x4d\x18");
    if !is_skipped && !starts(start, b"\x28\xb5\x2f\xfd") {
        return Ok(Err(reader));
    }
    let mut decoder = ::zstd::stream::read::Decoder::with_buffer(reader)?.single_frame();
    decoder.window_log_max(memory.ilog2())?;
    Ok(Ok(Box::new(decoder)))
}

/// Whether `bytes`, which may end anywhere but at once, start with `mark`.
fn starts(bytes: &[u8], mark: &[u8]) -> bool {
    let len = bytes.len().min(mark.len());
    len > 0 && bytes[..len] == mark[..len]
}

/// The window that the first frame of `start` asks for, in bytes; nothing where it does not say.
fn zstd_window(start: &[u8]) -> u64 {
    let (Some(&descriptor), Some(&window)) = (start.get(4), start.get(5)) else { return 0 };
    if !start.starts_with(b"\x28\xb5\x2f\xfd") {
        return 0;
    }
    if descriptor & 0x20 == 0 {
        let base = 1_u64 << (10 + u64::from(window >> 3));
        return base + base / 8 * u64::from(window & 7);
    }
    // A single segment: the window is the content, whose size stands behind the dictionary's name.
    let at = 5 + [0, 1, 2, 4][usize::from(descriptor & 3)];
    let len = [1, 2, 4, 8][usize::from(descriptor >> 6)];
    let size = start.get(at..at + len).unwrap_or_default();
    size.iter().rev().fold(0, |size, &byte| size << 8 | u64::from(byte))
}

/// The properties stand in front of the stream, and its length nowhere.
fn zip_lzma<'r>(mut reader: impl BufRead + 'r) -> io::Result<impl Read + 'r> {
    let mut header = [0; 9];
    reader.read_exact(&mut header)?;
    let dictionary = u32::from_le_bytes([header[5], header[6], header[7], header[8]]);
    let needed = lzma_rust2::lzma_get_memory_usage_by_props(dictionary, header[4])?;
    if needed > XZ_BYTES >> 10 {
        return Err(too_much());
    }
    lzma_rust2::LzmaReader::new_with_props(reader, u64::MAX, header[4], dictionary, None)
}

/// A buffer before `reader`.
pub(super) fn buffered<R: Read>(reader: R) -> BufReader<R> {
    BufReader::with_capacity(BUFFER_BYTES, reader)
}
