//! Which container some bytes are, by what they start with.
//!
//! Names count for nothing, but for brotli, which has no mark of its own.

use super::tar;

/// Bytes from the start that are enough to tell.
pub const START_BYTES: usize = 512;

/// The containers that are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The zip family, whatever stands before the first entry.
    Zip,
    /// Every dialect of tar.
    Tar,
    /// Members of gzip.
    Gzip,
    /// Streams of bzip2.
    Bzip2,
    /// Streams of xz.
    Xz,
    /// `.lzma`, as xz wrote before.
    Lzma,
    /// Frames of zstd.
    Zstd,
    /// A frame of lz4.
    Lz4,
    /// Brotli.
    Brotli,
    /// 7z.
    SevenZip,
    /// `ar`, and so Debian packages.
    Ar,
    /// `cpio`, in its portable forms.
    Cpio,
    /// An RPM package.
    Rpm,
    /// An archive of Electron.
    Asar,
    /// A database of SQLite.
    Sqlite,
    /// A document in PDF.
    Pdf,
    /// A binary property list.
    PropertyList,
    /// Bytecode of Hermes.
    Hermes,
    /// A git bundle or pack.
    Bundle,
    /// A format that cannot be opened here; its name.
    Closed(&'static str),
}

impl Kind {
    /// The container that starts with `start`, which is called `name`.
    pub fn of(start: &[u8], name: &[u8]) -> Option<Self> {
        // Almost every file is text, and ends here.
        let first = *start.first()?;
        Self::by_mark(first, start).or_else(|| {
            if tar::is_header(start) {
                return Some(Self::Tar);
            }
            let is_brotli = name.len() > 3 && name[name.len() - 3..].eq_ignore_ascii_case(b".br");
            is_brotli.then_some(Self::Brotli)
        })
    }

    fn by_mark(first: u8, start: &[u8]) -> Option<Self> {
        let has = |mark: &[u8]| start.starts_with(mark);
        Some(match first {
            b'P' if has(b"PK\x03\x04") || has(b"PK\x05\x06") || has(b"PK\x07\x08PK") || has(b"PK00PK\x03\x04") => {
                Self::Zip
            }
            b'P' if has(b"PACK\0\0\0\x02") || has(b"PACK\0\0\0\x03") => Self::Bundle,
            b'C' if has(b"Cr24") => Self::Zip,
            0x1f if has(b"\x1f\x8b\x08") && start.get(3).is_some_and(|flags| flags & 0xe0 == 0) => Self::Gzip,
            0x1f if has(b"\x1f\x9d") && matches!(start.get(2), Some(0x89..=0x90)) => Self::Closed("compress (.Z)"),
            b'B' if has(b"BZh") && is_bzip2(start) => Self::Bzip2,
            0xfd if has(b"\xfd7zXZ\0") => Self::Xz,
            0x28 if has(b"\x28\xb5\x2f\xfd") => Self::Zstd,
            0x50..=0x5f if start.get(1..4) == Some(b"\x2a\x4d\x18") => Self::Zstd,
            0x04 if has(b"\x04\x22\x4d\x18") => Self::Lz4,
            0x5d if is_lzma(start) => Self::Lzma,
            b'L' if has(b"LZIP\x01") => Self::Closed("lzip"),
            b'7' if has(b"7z\xbc\xaf\x27\x1c") => Self::SevenZip,
            b'!' if has(b"!<arch>\n") => Self::Ar,
            b'0' if has(b"070701") || has(b"070702") || has(b"070707") => Self::Cpio,
            0xc7 if has(b"\xc7\x71") && is_old_cpio(start) => Self::Cpio,
            0xed if has(b"\xed\xab\xee\xdb") => Self::Rpm,
            0x04 if has(b"\x04\0\0\0") && start.get(16..24) == Some(b"{\"files\"") => Self::Asar,
            b'S' if has(b"SQLite format 3\0") => Self::Sqlite,
            b'%' if has(b"%PDF-") => Self::Pdf,
            b'b' if has(b"bplist00") => Self::PropertyList,
            0xc6 if has(b"\xc6\x1f\xbc\x03\xc1\x03\x19\x1f") => Self::Hermes,
            b'#' if has(b"# v2 git bundle\n") || has(b"# v3 git bundle\n") => Self::Bundle,
            b'R' if has(b"Rar!\x1a\x07") => Self::Closed("RAR"),
            b'M' if has(b"MSCF\0\0\0\0") => Self::Closed("a cabinet"),
            _ => return None,
        })
    }

    /// The word that paths of its members start with where sides are judged.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Zip => "zip",
            Self::Tar => "tar",
            Self::SevenZip => "7z",
            Self::Ar => "ar",
            Self::Cpio | Self::Rpm => "cpio",
            Self::Asar => "asar",
            _ => "",
        }
    }

    /// Whether it can only be read at any place, not as a stream.
    pub(super) const fn is_random(self) -> bool {
        matches!(
            self,
            Self::Zip
                | Self::SevenZip
                | Self::Asar
                | Self::Sqlite
                | Self::Pdf
                | Self::PropertyList
                | Self::Hermes
                | Self::Bundle
        )
    }
}

fn is_bzip2(start: &[u8]) -> bool {
    let magic = start.get(4..10);
    matches!(start.get(3), Some(b'1'..=b'9'))
        && (magic == Some(b"\x31\x41\x59\x26\x53\x59") || magic == Some(b"\x17\x72\x45\x38\x50\x90"))
}

/// A kind of file that there is, and a name of a length that can be.
fn is_old_cpio(start: &[u8]) -> bool {
    let Some(header) = start.get(..26) else { return false };
    let half = |at: usize| u16::from_le_bytes([header[at], header[at + 1]]);
    matches!(half(6) >> 12, 1 | 2 | 4 | 6 | 8 | 10 | 12) && (2..=4_096).contains(&half(20))
}

/// A dictionary of a size that is in use, and a length that is unknown or below a terabyte.
fn is_lzma(start: &[u8]) -> bool {
    let Some(header) = start.get(..13) else { return false };
    let dictionary = u32::from_le_bytes([header[1], header[2], header[3], header[4]]);
    let is_length = header[5..13] == [0xff; 8] || (header[10..13] == [0; 3] && header[5..10] != [0; 5]);
    is_length && dictionary >= 1 << 12 && (dictionary.is_power_of_two() || (dictionary / 3).is_power_of_two())
}

/// Whether a blob that starts with `start` may be a container that has to be opened whatever it shows from outside.
/// Cheap; [`START_BYTES`] are enough to tell all, 64 all but tar. A zip behind other content is seen by its end: see [`has_zip_end`].
pub fn opens(start: &[u8]) -> bool {
    Kind::of(start, b"").is_some()
}

/// Whether `end`, the end of a blob, is that of a zip whose comment is empty.
pub fn has_zip_end(end: &[u8]) -> bool {
    end.len() >= 22 && end[end.len() - 22..].starts_with(b"PK\x05\x06") && end.ends_with(b"\0\0")
}

/// Whether a zip ends somewhere in `end`.
pub(super) fn has_zip_tail(end: &[u8]) -> bool {
    let tail = &end[end.len().saturating_sub(22 + 65_535)..];
    // Programs that write zips have the mark in them too: the record has to end where the file does, and lie on the first disk.
    let is_end = |at: usize| {
        let record = &tail[at..];
        let comment = record.get(20..22).map_or(usize::MAX, |len| usize::from(u16::from_le_bytes([len[0], len[1]])));
        record.len() >= 22
            && record.len() - 22 == comment
            && matches!(record[4..8], [0, 0, 0, 0] | [0xff, 0xff, 0xff, 0xff])
    };
    memchr::memmem::find_iter(tail, b"PK\x05\x06").any(is_end)
}
