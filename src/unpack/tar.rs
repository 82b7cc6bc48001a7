//! tar in every dialect: v7, ustar, GNU with long names and sparse files, PAX with its sizes.
//!
//! Headers are read one after the other to the end of the input, whatever zeros or rubbish stand between them: what another reader
//! may skip is read here. Sparse files are taken as they are stored. Links and devices are names and no more.

use super::input::{Counted, read_full};
use super::{Fault, Level, Outcome, Unpacker, Visitor};
use std::io::{BufRead, Read};

const BLOCK: usize = 512;
/// Bytes of a long name or of PAX records that are read.
const RECORDS_BYTES_MAX: u64 = 1 << 20;

/// What headers before a member's own say of it.
#[derive(Default)]
struct Said {
    name: Option<Vec<u8>>,
    size: Option<u64>,
    /// Whether a map of what is not stored stands before the content.
    has_map: bool,
}

/// Whether `start` starts with the header of a member.
pub(super) fn is_header(start: &[u8]) -> bool {
    let Some(header) = start.get(..BLOCK) else {
        return start.get(257..262) == Some(b"ustar");
    };
    let checksum = &header[148..156];
    let is_octal = |byte: &u8| matches!(byte, b'0'..=b'7' | b' ' | 0);
    header[0] != 0 && checksum.iter().all(is_octal) && octal(checksum).is_some_and(|sum| is_sum(header, sum))
}

fn is_sum(header: &[u8], sum: u64) -> bool {
    let (mut unsigned, mut signed) = (0_u64, 0_i64);
    for (at, &byte) in header.iter().enumerate() {
        let byte = if (148..156).contains(&at) { b' ' } else { byte };
        unsigned += u64::from(byte);
        signed += i64::from(byte.cast_signed());
    }
    // A sum of blanks alone is that of an empty block.
    sum > 256 && (sum == unsigned || i64::try_from(sum) == Ok(signed))
}

/// Reads the members of `reader`.
pub(super) fn read<V: Visitor, R: BufRead>(
    unpacker: &mut Unpacker<'_, V>,
    level: &mut Level,
    reader: &mut Counted<R>,
) -> Result<(), Fault> {
    let mut said = Said::default();
    loop {
        let start = reader.position;
        let mut header = [0; BLOCK];
        let (filled, ended) = read_full(reader, &mut header);
        ended?;
        if filled < BLOCK {
            return if header[..filled].iter().all(|&byte| byte == 0) { Ok(()) } else { Err(cut_short()) };
        }
        unpacker.work(BLOCK as u64)?;
        if !is_header(&header) {
            // Zeros, or what stands where no header should: its bytes have been searched as they are.
            continue;
        }
        let size = number(&header[124..136]).unwrap_or_default();
        match header[156] {
            b'L' => said.name = Some(text(reader, size)?),
            b'K' | b'g' => drop(records(reader, size)?),
            b'x' | b'X' => {
                let records = records(reader, size)?;
                said = of_records(&records, said);
            }
            kind => {
                let said = std::mem::take(&mut said);
                let size = said.size.unwrap_or(if matches!(kind, b'1'..=b'6') { 0 } else { size });
                let map = if said.has_map { skip_map(reader)? } else { 0 };
                let size = size.saturating_sub(map);
                let name = said.name.unwrap_or_else(|| name(&header));
                level.cover(start..start + 100);
                if kind == b'S' {
                    skip_sparse_map(&header, reader)?;
                }
                member(unpacker, level, (&name, size), reader)?;
            }
        }
    }
}

fn member<V: Visitor, R: BufRead>(
    unpacker: &mut Unpacker<'_, V>,
    level: &mut Level,
    (name, size): (&[u8], u64),
    reader: &mut Counted<R>,
) -> Result<(), Fault> {
    let start = reader.position;
    let outcome = unpacker.member(level, name, &mut (&mut *reader).take(size))?;
    // A bound on the member may have left some of it.
    skip(reader, start.saturating_add(size))?;
    if reader.position < start.saturating_add(size) {
        let inner = level.member(name);
        unpacker.leave_out(&inner, "damaged: it ends too early");
        return Ok(());
    }
    if outcome == Outcome::Whole {
        level.cover(start..reader.position);
    }
    skip(reader, start.saturating_add(size.next_multiple_of(BLOCK as u64)))
}

/// Reads up to `position`, or to the end of the input.
pub(super) fn skip<R: BufRead>(reader: &mut Counted<R>, position: u64) -> Result<(), Fault> {
    while reader.position < position {
        let ready = reader.fill_buf()?.len();
        if ready == 0 {
            return Ok(());
        }
        let left = position - reader.position;
        reader.consume(ready.min(usize::try_from(left).unwrap_or(usize::MAX)));
    }
    Ok(())
}

fn cut_short() -> Fault {
    Fault::Damaged("damaged: it ends too early".into())
}

/// The content of a member that says something of the next one, up to a bound.
fn records<R: BufRead>(reader: &mut Counted<R>, size: u64) -> Result<Vec<u8>, Fault> {
    let start = reader.position;
    let mut bytes = Vec::new();
    reader.take(size.min(RECORDS_BYTES_MAX)).read_to_end(&mut bytes)?;
    if (bytes.len() as u64) < size.min(RECORDS_BYTES_MAX) {
        return Err(cut_short());
    }
    skip(reader, start.saturating_add(size.next_multiple_of(BLOCK as u64)))?;
    Ok(bytes)
}

fn text<R: BufRead>(reader: &mut Counted<R>, size: u64) -> Result<Vec<u8>, Fault> {
    let mut bytes = records(reader, size)?;
    bytes.truncate(memchr::memchr(0, &bytes).unwrap_or(bytes.len()));
    Ok(bytes)
}

/// `LENGTH KEY=VALUE\n`, one after the other.
fn of_records(mut records: &[u8], mut said: Said) -> Said {
    while let Some(blank) = memchr::memchr(b' ', &records[..records.len().min(20)]) {
        let len = std::str::from_utf8(&records[..blank]).ok().and_then(|len| len.parse::<usize>().ok());
        let Some(record) = len.and_then(|len| records.get(blank + 1..len)) else { break };
        records = &records[blank + 1 + record.len()..];
        let record = record.strip_suffix(b"\n").unwrap_or(record);
        let Some(equals) = memchr::memchr(b'=', record) else { continue };
        let (key, value) = (&record[..equals], &record[equals + 1..]);
        match key {
            b"path" if said.name.is_none() => said.name = Some(value.to_vec()),
            b"GNU.sparse.major" => said.has_map = value == b"1",
            b"GNU.sparse.name" => said.name = Some(value.to_vec()),
            b"size" => said.size = std::str::from_utf8(value).ok().and_then(|size| size.parse().ok()),
            _ => {}
        }
    }
    said
}

/// The name, with the prefix that ustar puts before it.
fn name(header: &[u8; BLOCK]) -> Vec<u8> {
    let until_nul = |field: &[u8]| field[..memchr::memchr(0, field).unwrap_or(field.len())].to_vec();
    let name = until_nul(&header[..100]);
    let prefix = until_nul(&header[345..500]);
    let is_ustar = &header[257..263] == b"ustar\0";
    if is_ustar && !prefix.is_empty() { [prefix, b"/".to_vec(), name].concat() } else { name }
}

/// Old GNU sparse files go on with more of their map.
fn skip_sparse_map<R: BufRead>(header: &[u8; BLOCK], reader: &mut Counted<R>) -> Result<(), Fault> {
    let mut is_extended = header[482] != 0;
    while is_extended {
        let mut map = [0; BLOCK];
        reader.read_exact(&mut map)?;
        is_extended = map[504] != 0;
    }
    Ok(())
}

/// The map of a sparse file in PAX: a count, then twice as many numbers, a line each, to the end of a block. Says how long it is.
fn skip_map<R: BufRead>(reader: &mut Counted<R>) -> Result<u64, Fault> {
    let (start, mut lines, mut wanted, mut count) = (reader.position, 0_u64, 1_u64, Vec::new());
    while lines < wanted {
        let mut block = [0; BLOCK];
        reader.read_exact(&mut block)?;
        for &byte in &block {
            lines += u64::from(byte == b'\n' && lines < wanted);
            if lines == 0 && count.len() < 20 {
                count.push(byte);
            } else if lines == 1 && wanted == 1 {
                let count = std::str::from_utf8(&count).ok().and_then(|count| count.parse::<u64>().ok());
                wanted = count.map_or(1, |count| count.saturating_mul(2).saturating_add(1));
            }
        }
    }
    Ok(reader.position - start)
}

/// A number in octal, or in base 256 where the first bit says so.
fn number(field: &[u8]) -> Option<u64> {
    if field[0] & 0x80 != 0 {
        let high = u64::from(field[0] & 0x7f);
        return field[1..].iter().try_fold(high, |value, &byte| Some(value.checked_mul(256)? + u64::from(byte)));
    }
    octal(field)
}

fn octal(field: &[u8]) -> Option<u64> {
    let digits = field.iter().copied().skip_while(|&byte| byte == b' ' || byte == 0);
    let mut value = None;
    for byte in digits {
        match byte {
            b'0'..=b'7' => value = Some(value.unwrap_or(0_u64).checked_mul(8)? + u64::from(byte - b'0')),
            _ => break,
        }
    }
    value
}
