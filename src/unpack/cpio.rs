//! cpio in its portable forms, and RPM packages, which hold one behind their headers.
//!
//! RPM's headers are searched as they stand.

use super::codec::Codec;
use super::input::{Counted, big_endian, read_full};
use super::{Fault, Kind, Level, Outcome, Unpacker, Visitor, compressed, tar};
use std::io::{BufRead, Read};

const NAME_BYTES_MAX: u64 = 64 * 1024;
const LEAD_BYTES: usize = 96;
const RPM_HEADER_BYTES: usize = 16;

/// One member's header.
struct Header {
    name_bytes: u64,
    bytes: u64,
    /// What names and contents are padded to.
    align: u64,
}

/// Reads the members of `reader`.
pub(super) fn read<V: Visitor, R: BufRead>(
    unpacker: &mut Unpacker<'_, V>,
    level: &mut Level,
    reader: &mut Counted<R>,
) -> Result<(), Fault> {
    loop {
        if !skip_zeros(reader)? {
            return Ok(());
        }
        let start = reader.position;
        let Some(header) = header(reader)? else {
            return Err(Fault::Damaged("damaged: a member has no header".into()));
        };
        let mut name = Vec::new();
        (&mut *reader).take(header.name_bytes.min(NAME_BYTES_MAX)).read_to_end(&mut name)?;
        let pad = |at: u64| start.saturating_add((at - start).next_multiple_of(header.align));
        tar::skip(reader, pad(reader.position))?;
        name.truncate(memchr::memchr(0, &name).unwrap_or(name.len()));
        // Zeros follow the last archive; another may follow those.
        if name == b"TRAILER!!!" {
            continue;
        }
        let from = reader.position;
        let end = from.saturating_add(header.bytes);
        let outcome = unpacker.member(level, &name, &mut (&mut *reader).take(header.bytes))?;
        tar::skip(reader, end)?;
        if reader.position < end {
            return Err(Fault::Damaged("damaged: it ends too early".into()));
        }
        if outcome == Outcome::Whole {
            level.cover(from..end);
        }
        tar::skip(reader, pad(end))?;
    }
}

/// Reads an RPM package: lead, signature, header, and then the compressed archive.
pub(super) fn read_rpm<V: Visitor, R: BufRead>(
    unpacker: &mut Unpacker<'_, V>,
    level: &mut Level,
    reader: &mut Counted<R>,
) -> Result<(), Fault> {
    reader.read_exact(&mut [0; LEAD_BYTES])?;
    for is_signature in [true, false] {
        let mut header = [0; RPM_HEADER_BYTES];
        reader.read_exact(&mut header)?;
        if !header.starts_with(b"\x8e\xad\xe8") {
            return Err(Fault::Damaged("damaged: a header is missing".into()));
        }
        let entries = big_endian(&header, 8, 4).unwrap_or_default();
        let bytes = big_endian(&header, 12, 4).unwrap_or_default();
        let end = reader.position + 16 * entries + bytes;
        tar::skip(reader, if is_signature { end.next_multiple_of(8) } else { end })?;
    }
    let start = reader.fill_buf()?.to_vec();
    let codec = match Kind::of(&start, b"") {
        Some(Kind::Gzip) => Codec::Gzip,
        Some(Kind::Bzip2) => Codec::Bzip2,
        Some(Kind::Xz) => Codec::Xz,
        Some(Kind::Lzma) => Codec::Lzma,
        Some(Kind::Zstd) => Codec::Zstd,
        _ => Codec::Stored,
    };
    compressed::inside(unpacker, level, codec, reader)
}

/// Skips zeros; `false` at the end of the input.
fn skip_zeros<R: BufRead>(reader: &mut R) -> Result<bool, Fault> {
    loop {
        let ready = reader.fill_buf()?;
        if ready.is_empty() {
            return Ok(false);
        }
        let zeros = ready.iter().take_while(|&&byte| byte == 0).count();
        let is_over = zeros < ready.len();
        reader.consume(zeros);
        if is_over {
            return Ok(true);
        }
    }
}

fn header<R: BufRead>(reader: &mut Counted<R>) -> Result<Option<Header>, Fault> {
    let mut start = [0; 6];
    let (filled, ended) = read_full(reader, &mut start);
    ended?;
    let field = |bytes: &[u8], at: usize, len: usize, radix: u32| {
        let text = std::str::from_utf8(bytes.get(at..at + len)?).ok()?;
        u64::from_str_radix(text, radix).ok()
    };
    Ok(match &start[..filled] {
        b"070701" | b"070702" => {
            let mut rest = [0; 104];
            reader.read_exact(&mut rest)?;
            let (bytes, name_bytes) = (field(&rest, 48, 8, 16), field(&rest, 88, 8, 16));
            bytes.zip(name_bytes).map(|(bytes, name_bytes)| Header { name_bytes, bytes, align: 4 })
        }
        b"070707" => {
            let mut rest = [0; 70];
            reader.read_exact(&mut rest)?;
            let (name_bytes, bytes) = (field(&rest, 53, 6, 8), field(&rest, 59, 11, 8));
            bytes.zip(name_bytes).map(|(bytes, name_bytes)| Header { name_bytes, bytes, align: 1 })
        }
        [0xc7, 0x71, ..] => {
            let mut rest = [0; 20];
            reader.read_exact(&mut rest)?;
            let half = |at: usize| u64::from(u16::from_le_bytes([rest[at], rest[at + 1]]));
            Some(Header { name_bytes: half(14), bytes: half(16) << 16 | half(18), align: 2 })
        }
        _ => None,
    })
}
