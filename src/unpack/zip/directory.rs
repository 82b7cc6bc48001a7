//! The directory at the end of a zip, and what its names say of the file.

use super::local;
use crate::blob::ReadAt;
use crate::unpack::input::{bytes_at, read_full_at, u16_le, u32_le, u64_le};
use crate::unpack::{Fault, Unpacker, Visitor};
use std::io;
use std::ops::Range;

/// Bytes of a directory that are read.
const DIRECTORY_BYTES_MAX: u64 = 64 << 20;
const END_BYTES: usize = 22;
const ENTRY_BYTES: usize = 46;

/// What the directory says of one entry.
pub(super) struct Entry {
    pub name: Vec<u8>,
    /// Where the name stands in the directory.
    pub name_at: u64,
    /// Where the entry's own header is.
    pub offset: u64,
    pub packed: u64,
    pub is_encrypted: bool,
}

/// All of the directory.
#[derive(Default)]
pub(super) struct Directory {
    pub entries: Vec<Entry>,
    /// Comments of entries, and where they stand.
    pub comments: Vec<(u64, Vec<u8>)>,
    /// Where it stands.
    pub span: Option<Range<u64>>,
    /// Whether there should be one and is none.
    pub is_missing: bool,
}

/// Where the record at the end says that the directory is.
struct End {
    offset: u64,
    bytes: u64,
    /// How far everything is behind where the records say.
    shift: u64,
}

impl Directory {
    /// Finds and reads it; damage leaves what was read before.
    pub fn find<V: Visitor>(unpacker: &Unpacker<'_, V>, input: &dyn ReadAt) -> Result<Self, Fault> {
        let Some(end) = End::find(input)? else { return Ok(Self { is_missing: true, ..Self::default() }) };
        // A few times its bytes are held while it is in use; that is less than two of them.
        let memory = unpacker.budget.memory(end.bytes.min(DIRECTORY_BYTES_MAX) * 2);
        if memory.is_none() || end.bytes > DIRECTORY_BYTES_MAX {
            return Err(Fault::Damaged("its directory is too large".into()));
        }
        let offset = end.offset.saturating_add(end.shift);
        let Ok(bytes) = bytes_at(input, offset, usize::try_from(end.bytes).unwrap_or_default()) else {
            return Ok(Self { is_missing: true, ..Self::default() });
        };
        let mut directory = Self { span: Some(offset..offset + end.bytes), ..Self::default() };
        let mut at = 0;
        while let Some(len) = directory.entry(&bytes[at..], offset + at as u64, end.shift) {
            at += len;
        }
        directory.is_missing = at < bytes.len() && !bytes[at..].starts_with(b"PK\x05\x05");
        Ok(directory)
    }

    /// Takes the entry that `bytes` starts with, which is at `at`; says how long it is.
    fn entry(&mut self, bytes: &[u8], at: u64, shift: u64) -> Option<usize> {
        if !bytes.starts_with(b"PK\x01\x02") {
            return None;
        }
        let len = |at: usize| u16_le(bytes, at).map(usize::from);
        let (name_bytes, extra_bytes, comment_bytes) = (len(28)?, len(30)?, len(32)?);
        let name = bytes.get(ENTRY_BYTES..ENTRY_BYTES + name_bytes)?;
        let extra = bytes.get(ENTRY_BYTES + name_bytes..ENTRY_BYTES + name_bytes + extra_bytes)?;
        let total = ENTRY_BYTES + name_bytes + extra_bytes + comment_bytes;
        let comment = bytes.get(total - comment_bytes..total)?;
        if !comment.is_empty() {
            self.comments.push((at + (total - comment_bytes) as u64, comment.to_vec()));
        }
        let (packed, unpacked, offset) = (u32_le(bytes, 20)?, u32_le(bytes, 24)?, u32_le(bytes, 42)?);
        // Long numbers stand in the extra field, in this order, those alone that do not fit.
        let mut next = 0;
        let mut number = |short: u32| {
            let long = (short == u32::MAX).then(|| local::long(extra, next)).flatten();
            next += if long.is_some() { 8 } else { 0 };
            long.unwrap_or(short.into())
        };
        let _ = number(unpacked);
        let packed = number(packed);
        let offset = number(offset).saturating_add(shift);
        self.entries.push(Entry {
            name: name.to_vec(),
            name_at: at + ENTRY_BYTES as u64,
            offset,
            packed,
            is_encrypted: u16_le(bytes, 8)? & 1 != 0,
        });
        Some(total)
    }

    /// The word for what the zip at `path` is, by the names in it.
    pub fn word(&self, input: &dyn ReadAt, path: &[u8]) -> &'static str {
        let mut start = [0; 4];
        if read_full_at(input, &mut start, 0).is_ok() && &start == b"Cr24" {
            return "crx";
        }
        let has = |wanted: &[u8]| self.entries.iter().any(|entry| entry.name == wanted);
        let has_below = |folder: &[u8]| self.entries.iter().any(|entry| entry.name.starts_with(folder));
        let is_app = |name: &[u8]| name.starts_with(b"Payload/") && memchr::memmem::find(name, b".app/").is_some();
        if has(b"BundleConfig.pb") || has(b"base/manifest/AndroidManifest.xml") {
            "aab"
        } else if has(b"AndroidManifest.xml") && has(b"classes.jar") {
            "aar"
        } else if has(b"AndroidManifest.xml") {
            "apk"
        } else if self.entries.iter().any(|entry| is_app(&entry.name)) {
            "ipa"
        } else if has(b"META-INF/mozilla.rsa") || (has(b"manifest.json") && has_below(b"_locales/")) {
            "xpi"
        } else if has(b"extension.vsixmanifest") {
            "vsix"
        } else if has_below(b"WEB-INF/") {
            "war"
        } else if has(b"META-INF/MANIFEST.MF") && word_of_name(path) == "zip" {
            "jar"
        } else {
            word_of_name(path)
        }
    }
}

/// The word for a zip of which no more than its name is known.
pub(super) fn word_of_name(path: &[u8]) -> &'static str {
    let words = ["apk", "aab", "ipa", "crx", "xpi", "aar", "jar", "war", "vsix"];
    let extension = memchr::memrchr(b'.', path).map_or(b"".as_slice(), |dot| &path[dot + 1..]);
    words.into_iter().find(|word| extension.eq_ignore_ascii_case(word.as_bytes())).unwrap_or("zip")
}

impl End {
    fn find(input: &dyn ReadAt) -> io::Result<Option<Self>> {
        let from = input.size().saturating_sub((END_BYTES + 65_535) as u64);
        let tail = bytes_at(input, from, usize::try_from(input.size() - from).unwrap_or_default())?;
        let Some(at) = memchr::memmem::rfind_iter(&tail, b"PK\x05\x06").find(|at| at + END_BYTES <= tail.len()) else {
            return Ok(None);
        };
        let end = &tail[at..];
        let at = from + at as u64;
        let (bytes, offset) = (u32_le(end, 12).unwrap_or_default(), u32_le(end, 16).unwrap_or_default());
        if let Some(long) =
            Self::long(input, at)?.filter(|_| offset == u32::MAX || bytes == u32::MAX || end[10..12] == [0xff; 2])
        {
            return Ok(Some(long));
        }
        let (bytes, offset) = (u64::from(bytes), u64::from(offset));
        Ok(Some(Self { offset, bytes, shift: at.saturating_sub(bytes).saturating_sub(offset) }))
    }

    /// The same of the long record, to which a locator before the record at `at` leads.
    fn long(input: &dyn ReadAt, at: u64) -> io::Result<Option<Self>> {
        let Some(locator_at) = at.checked_sub(20) else { return Ok(None) };
        let locator = bytes_at(input, locator_at, 20)?;
        if !locator.starts_with(b"PK\x06\x07") {
            return Ok(None);
        }
        let declared = u64_le(&locator, 8).unwrap_or_default();
        // Right before the locator, where nothing but the record's own extras is between.
        for record_at in [Some(declared), locator_at.checked_sub(56)].into_iter().flatten() {
            let Ok(record) = bytes_at(input, record_at, 56) else { continue };
            if record.starts_with(b"PK\x06\x06") {
                let (bytes, offset) =
                    (u64_le(&record, 40).unwrap_or_default(), u64_le(&record, 48).unwrap_or_default());
                let shift = record_at.saturating_sub(bytes).saturating_sub(offset);
                return Ok(Some(Self { offset, bytes, shift }));
            }
        }
        Ok(None)
    }
}
