//! Refs and logs kept in reftables, as git's `reftable` format document describes them.
//!
//! Every table named in `tables.list` is read from its start, block by block; no index in it is trusted. Every number
//! is checked where it is used, and what a damaged table still gives is kept.

use super::refs::{Logged, Named, Refs};
use crate::source::open::Root;
use bstr::ByteSlice as _;
use flate2::read::ZlibDecoder;
use gix_hash::{Kind, ObjectId};
use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

const LIST_BYTES_MAX: u64 = 1 << 20;
const TABLE_BYTES_MAX: u64 = 256 << 20;
const TABLES_MAX: usize = 10_000;
const RECORDS_MAX: usize = 5_000_000;
const MAGIC: &[u8] = b"REFT";

/// What a ref is in the newest table that names it.
enum Value {
    Gone,
    Object(ObjectId),
    Ref(Vec<u8>),
}

/// Everything the tables say so far.
#[derive(Default)]
struct Tables {
    refs: BTreeMap<Vec<u8>, Value>,
    logs: Vec<Logged>,
    records: usize,
}

/// Reads the tables in `folder`, which reports call `path`, into `refs`; symbolic refs go to `links`.
pub fn read(folder: &Root, path: &[u8], object_hash: Kind, refs: &mut Refs, links: &mut Vec<(Vec<u8>, Vec<u8>)>) {
    let list = match folder.read_bounded(Path::new("tables.list"), LIST_BYTES_MAX) {
        Ok(list) => list.unwrap_or_default(),
        Err(error) => return refs.fault(&[path, b"/tables.list"].concat(), error.to_string()),
    };
    let mut tables = Tables::default();
    for name in list.lines().take(TABLES_MAX) {
        let shown = [path, b"/", name].concat();
        let Ok(file) = name.to_path() else { continue };
        let bytes = match folder.read_bounded(file, TABLE_BYTES_MAX) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => {
                refs.fault(&shown, "not found");
                continue;
            }
            Err(error) => {
                refs.fault(&shown, error.to_string());
                continue;
            }
        };
        if tables.table(&bytes, object_hash).is_none() {
            refs.fault(&shown, "a damaged table of refs");
        }
    }
    for (name, value) in tables.refs {
        match value {
            Value::Gone => {}
            Value::Object(id) => refs.names.push(Named { name, target: Some(id) }),
            Value::Ref(target) => {
                refs.check(path, &target);
                links.push((name, target));
            }
        }
    }
    refs.logs.append(&mut tables.logs);
}

impl Tables {
    /// Reads one table; `None` where it is damaged.
    fn table(&mut self, bytes: &[u8], object_hash: Kind) -> Option<()> {
        let version = *bytes.get(4).filter(|_| bytes.starts_with(MAGIC))?;
        let (header, footer) = match version {
            1 => (24, 68),
            2 => (28, 72),
            _ => return None,
        };
        let block_bytes = number(bytes.get(5..8)?);
        let end = bytes.len().checked_sub(footer)?;
        let mut at = 0;
        while at < end {
            let start = if at == 0 { header } else { at };
            let Some(kind) = bytes.get(start).copied().filter(|_| start < end) else { break };
            let told = number(bytes.get(start + 1..start + 4)?);
            match kind {
                b'r' => {
                    self.refs(bytes.get(..at + told)?.get(start + 4..)?, object_hash)?;
                    at = next(at, told, block_bytes);
                }
                b'g' => {
                    let from = bytes.get(start + 4..end)?;
                    let mut decoder = ZlibDecoder::new(from);
                    let mut block = Vec::new();
                    let wanted = told.checked_sub(start - at + 4)?;
                    decoder.by_ref().take(wanted as u64).read_to_end(&mut block).ok()?;
                    // Reads the end of the stream, which tells where the next block starts.
                    std::io::copy(&mut decoder.by_ref().take(1), &mut std::io::sink()).ok()?;
                    self.logs(&block, object_hash)?;
                    at = start + 4 + usize::try_from(decoder.total_in()).ok()?;
                }
                // Objects and indexes repeat what the blocks of refs and logs say.
                b'o' | b'i' => at = next(at, told, block_bytes),
                0 => at += 1,
                _ => return None,
            }
        }
        Some(())
    }

    fn refs(&mut self, block: &[u8], object_hash: Kind) -> Option<()> {
        let mut records = Records::new(block)?;
        while records.has_next() {
            let (name, kind) = records.next()?;
            records.varint()?;
            let len = object_hash.len_in_bytes();
            let value = match kind {
                0 => Value::Gone,
                1 => Value::Object(records.id(len)?),
                2 => {
                    let id = records.id(len)?;
                    records.id(len)?;
                    Value::Object(id)
                }
                3 => Value::Ref(records.text()?),
                _ => return None,
            };
            self.count()?;
            self.refs.insert(name, value);
        }
        Some(())
    }

    fn logs(&mut self, block: &[u8], object_hash: Kind) -> Option<()> {
        let mut records = Records::new(block)?;
        while records.has_next() {
            let (key, kind) = records.next()?;
            if kind == 0 {
                continue;
            }
            let len = object_hash.len_in_bytes();
            let ids = [records.id(len)?, records.id(len)?];
            let (who, mail) = (records.text()?, records.text()?);
            records.varint()?;
            records.skip(2)?;
            let message = records.text()?;
            self.count()?;
            let name = key[..memchr::memchr(0, &key)?].to_vec();
            let text = [&who, b" <".as_slice(), &mail, b">\t", &message].concat();
            let ids = ids.into_iter().filter(|id| !id.is_null());
            self.logs.extend(ids.map(|target| Logged { name: name.clone(), target, message: text.clone() }));
        }
        Some(())
    }

    fn count(&mut self) -> Option<()> {
        self.records += 1;
        (self.records <= RECORDS_MAX).then_some(())
    }
}

/// Where the block behind one of `told` bytes at `at` starts.
const fn next(at: usize, told: usize, block_bytes: usize) -> usize {
    let step = if block_bytes > told { block_bytes } else { told };
    at + if step == 0 { 1 } else { step }
}

/// The records of a block, each named by what it adds to the one before.
struct Records<'b> {
    rest: &'b [u8],
    name: Vec<u8>,
}

impl<'b> Records<'b> {
    /// Over a block without its header; the table of restarts at its end is left alone.
    fn new(block: &'b [u8]) -> Option<Self> {
        let (rest, count) = block.split_at_checked(block.len().checked_sub(2)?)?;
        let restarts = usize::from(u16::from_be_bytes(*count.first_chunk()?)) * 3;
        Some(Self { rest: rest.get(..rest.len().checked_sub(restarts)?)?, name: Vec::new() })
    }

    /// Whether there is one more.
    const fn has_next(&self) -> bool {
        !self.rest.is_empty()
    }

    /// The next name and the kind of its value.
    fn next(&mut self) -> Option<(Vec<u8>, u64)> {
        let kept = usize::try_from(self.varint()?).ok()?;
        let told = self.varint()?;
        let suffix = self.take(usize::try_from(told >> 3).ok()?)?;
        if kept > self.name.len() {
            return None;
        }
        self.name.truncate(kept);
        self.name.extend_from_slice(suffix);
        Some((self.name.clone(), told & 7))
    }

    fn varint(&mut self) -> Option<u64> {
        let (&first, mut rest) = self.rest.split_first()?;
        let mut byte = first;
        let mut value = u64::from(byte & 0x7f);
        while byte & 0x80 != 0 {
            let (&next, after) = rest.split_first()?;
            (byte, rest) = (next, after);
            value = value.checked_add(1)?.checked_mul(128)?.checked_add(u64::from(byte & 0x7f))?;
        }
        self.rest = rest;
        Some(value)
    }

    fn take(&mut self, len: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        Some(taken)
    }

    fn skip(&mut self, len: usize) -> Option<()> {
        self.take(len).map(drop)
    }

    fn id(&mut self, len: usize) -> Option<ObjectId> {
        ObjectId::try_from(self.take(len)?).ok()
    }

    fn text(&mut self) -> Option<Vec<u8>> {
        let len = usize::try_from(self.varint()?).ok()?;
        Some(self.take(len)?.to_vec())
    }
}

fn number(bytes: &[u8]) -> usize {
    bytes.iter().fold(0, |number, &byte| number << 8 | usize::from(byte))
}
