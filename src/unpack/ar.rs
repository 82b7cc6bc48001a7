//! `ar`: Debian packages and static libraries, with the long names of GNU and of BSD.
//!
//! Symbol tables are members like any other.

use super::input::{Counted, read_full};
use super::{Fault, Level, Outcome, Unpacker, Visitor, tar};
use std::io::{BufRead, Read};

const MAGIC_BYTES: usize = 8;
const HEADER_BYTES: usize = 60;
/// Bytes of GNU's table of names, or of one name of BSD's, that are read.
const NAMES_BYTES_MAX: u64 = 1 << 20;

/// Reads the members of `reader`.
pub(super) fn read<V: Visitor, R: BufRead>(
    unpacker: &mut Unpacker<'_, V>,
    level: &mut Level,
    reader: &mut Counted<R>,
) -> Result<(), Fault> {
    reader.read_exact(&mut [0; MAGIC_BYTES])?;
    let mut names = Vec::new();
    loop {
        let mut header = [0; HEADER_BYTES];
        let (filled, ended) = read_full(reader, &mut header);
        ended?;
        if filled == 0 {
            return Ok(());
        }
        let size = decimal(&header[48..58]);
        let (true, Some(size)) = (filled == HEADER_BYTES && &header[58..] == b"`\n", size) else {
            return Err(Fault::Damaged("damaged: a member has no header".into()));
        };
        let start = reader.position;
        let end = start.saturating_add(size);
        let field = header[..16].trim_ascii_end();
        if field == b"//" {
            (&mut *reader).take(size.min(NAMES_BYTES_MAX)).read_to_end(&mut names)?;
        } else {
            let name = name(field, &names, size, reader)?;
            let from = reader.position;
            let outcome = unpacker.member(level, &name, &mut (&mut *reader).take(end.saturating_sub(from)))?;
            tar::skip(reader, end)?;
            if reader.position < end {
                return Err(Fault::Damaged("damaged: it ends too early".into()));
            }
            if outcome == Outcome::Whole {
                level.cover(from..end);
            }
        }
        tar::skip(reader, end.next_multiple_of(2))?;
    }
}

fn name<R: BufRead>(field: &[u8], names: &[u8], size: u64, reader: &mut Counted<R>) -> Result<Vec<u8>, Fault> {
    if let Some(len) = field.strip_prefix(b"#1/").and_then(decimal) {
        let mut name = Vec::new();
        reader.take(len.min(size).min(NAMES_BYTES_MAX)).read_to_end(&mut name)?;
        name.truncate(memchr::memchr(0, &name).unwrap_or(name.len()));
        return Ok(name);
    }
    let at = field.strip_prefix(b"/").and_then(decimal).and_then(|at| usize::try_from(at).ok());
    if let Some(name) = at.and_then(|at| names.get(at..)) {
        let end = memchr::memchr2(b'\n', 0, name).unwrap_or(name.len());
        return Ok(name[..end].strip_suffix(b"/").unwrap_or(&name[..end]).to_vec());
    }
    Ok(field.strip_suffix(b"/").filter(|name| !name.is_empty()).unwrap_or(field).to_vec())
}

fn decimal(field: &[u8]) -> Option<u64> {
    std::str::from_utf8(field.trim_ascii()).ok()?.parse().ok()
}
