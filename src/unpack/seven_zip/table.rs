//! The table of a 7z archive: folders, the coders they went through, and the files in them.
//!
//! Counts are held to what the table's bytes can describe, so that none is trusted before it is met.

use std::ops::Range;

const END: u8 = 0x00;
const HEADER: u8 = 0x01;
const ARCHIVE_PROPERTIES: u8 = 0x02;
const ADDITIONAL_STREAMS: u8 = 0x03;
const MAIN_STREAMS: u8 = 0x04;
const FILES: u8 = 0x05;
const PACK: u8 = 0x06;
const UNPACK: u8 = 0x07;
const SUB_STREAMS: u8 = 0x08;
const SIZE: u8 = 0x09;
const CRC: u8 = 0x0a;
const FOLDER: u8 = 0x0b;
const UNPACK_SIZE: u8 = 0x0c;
const STREAMS_IN_FOLDER: u8 = 0x0d;
const EMPTY: u8 = 0x0e;
const NAMES: u8 = 0x11;
const PACKED_HEADER: u8 = 0x17;

/// The packed data of an archive starts here.
const DATA_AT: u64 = 32;
const CODERS_MAX: u64 = 32;

/// What is in the archive, or the packed table of it.
#[derive(Default)]
pub(super) struct Table {
    /// Whether the one folder holds the table itself.
    pub is_packed: bool,
    pub folders: Vec<Folder>,
    pub names: Vec<Name>,
}

/// A run of packed bytes that comes out as files one behind the other.
#[derive(Default)]
pub(super) struct Folder {
    /// In the order in which bytes go through them on the way out.
    pub coders: Vec<Coder>,
    /// Whether each has one input and one output.
    pub is_chain: bool,
    pub packed: Range<u64>,
    /// Bytes of each file in it.
    pub files: Vec<u64>,
    streams: u64,
    /// Which coder's input takes which coder's output.
    pairs: Vec<(u64, u64)>,
}

/// One coder.
#[derive(Default)]
pub(super) struct Coder {
    pub id: Vec<u8>,
    pub properties: Vec<u8>,
    /// Bytes that come out of it.
    pub size: u64,
}

/// A file, or a folder, or an empty file.
pub(super) struct Name {
    pub text: String,
    /// Whether it has no bytes in any folder.
    pub is_empty: bool,
}

impl Folder {
    /// Puts the coders of a chain in the order of the way out: from the one whose input nothing gives.
    fn order(&mut self) {
        let count = self.coders.len() as u64;
        let first = (0..count).find(|coder| self.pairs.iter().all(|(input, _)| input != coder));
        let mut order: Vec<u64> = first.into_iter().collect();
        while let Some(&(next, _)) = self.pairs.iter().find(|(_, output)| Some(output) == order.last()) {
            if order.contains(&next) {
                break;
            }
            order.push(next);
        }
        self.is_chain &= order.len() as u64 == count;
        if self.is_chain {
            let mut coders: Vec<Option<Coder>> = std::mem::take(&mut self.coders).into_iter().map(Some).collect();
            let take = |at: u64| usize::try_from(at).ok().and_then(|at| coders.get_mut(at)?.take());
            self.coders = order.into_iter().filter_map(take).collect();
        }
    }

    /// Bytes that come out of it.
    pub fn size(&self) -> u64 {
        self.coders.last().map_or(0, |coder| coder.size)
    }
}

/// Reads on through bytes.
struct Bytes<'b>(&'b [u8]);

impl<'b> Bytes<'b> {
    fn byte(&mut self) -> Option<u8> {
        let (&byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(byte)
    }

    fn take(&mut self, len: u64) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(usize::try_from(len).ok()?)?;
        self.0 = rest;
        Some(taken)
    }

    /// A number whose first byte says how many follow.
    fn number(&mut self) -> Option<u64> {
        let first = self.byte()?;
        let more = first.leading_ones();
        let mut value = 0_u64;
        for index in 0..more {
            value |= u64::from(self.byte()?) << (8 * index);
        }
        let high = if more >= 7 { 0 } else { u64::from(first & (0x7f >> more)) };
        Some(value | high << (8 * more.min(7)))
    }

    /// A count of things that take at least a bit each.
    fn count(&mut self) -> Option<u64> {
        self.number().filter(|&count| count <= 8 * self.0.len() as u64 + 8)
    }

    fn bits(&mut self, count: u64) -> Option<Vec<bool>> {
        let bytes = self.take(count.div_ceil(8))?;
        let bit = |index: u64| usize::try_from(index / 8).is_ok_and(|at| bytes[at] & (0x80 >> (index % 8)) != 0);
        Some((0..count).map(bit).collect())
    }

    /// Checksums, for all of `count` or for some.
    fn checksums(&mut self, count: u64) -> Option<()> {
        let defined =
            if self.byte()? == 0 { self.bits(count)?.into_iter().filter(|&is| is).count() as u64 } else { count };
        self.take(4 * defined).map(drop)
    }
}

impl Table {
    /// The table in `bytes`; none where it is damaged.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let mut bytes = Bytes(bytes);
        let mut table = Self::default();
        match bytes.byte()? {
            PACKED_HEADER => {
                table.is_packed = true;
                table.streams(&mut bytes)?;
                return Some(table);
            }
            HEADER => {}
            _ => return None,
        }
        loop {
            match bytes.byte()? {
                END => return Some(table),
                ARCHIVE_PROPERTIES => {
                    while bytes.byte()? != END {
                        let len = bytes.number()?;
                        bytes.take(len)?;
                    }
                }
                ADDITIONAL_STREAMS => Self::default().streams(&mut bytes)?,
                MAIN_STREAMS => table.streams(&mut bytes)?,
                FILES => table.files(&mut bytes)?,
                _ => return None,
            }
        }
    }

    fn streams(&mut self, bytes: &mut Bytes<'_>) -> Option<()> {
        let mut packed = Vec::new();
        loop {
            match bytes.byte()? {
                END => break,
                PACK => packed = packs(bytes)?,
                UNPACK => self.unpack(bytes)?,
                SUB_STREAMS => self.sub_streams(bytes)?,
                _ => return None,
            }
        }
        let mut packed = packed.into_iter();
        for folder in &mut self.folders {
            folder.packed = packed.next()?;
            for _ in 1..folder.streams {
                folder.packed.end = packed.next()?.end;
            }
            if folder.files.is_empty() && !self.is_packed {
                folder.files = vec![folder.size()];
            }
        }
        Some(())
    }

    fn unpack(&mut self, bytes: &mut Bytes<'_>) -> Option<()> {
        if bytes.byte()? != FOLDER {
            return None;
        }
        let count = bytes.count()?;
        if bytes.byte()? != 0 {
            return None;
        }
        for _ in 0..count {
            self.folders.push(folder(bytes)?);
        }
        if bytes.byte()? != UNPACK_SIZE {
            return None;
        }
        for coder in self.folders.iter_mut().flat_map(|folder| &mut folder.coders) {
            coder.size = bytes.number()?;
        }
        self.folders.iter_mut().for_each(Folder::order);
        loop {
            match bytes.byte()? {
                END => return Some(()),
                CRC => bytes.checksums(count)?,
                _ => return None,
            }
        }
    }

    fn sub_streams(&mut self, bytes: &mut Bytes<'_>) -> Option<()> {
        let mut counts = vec![1; self.folders.len()];
        let mut kind = bytes.byte()?;
        if kind == STREAMS_IN_FOLDER {
            for count in &mut counts {
                *count = bytes.count()?;
            }
            kind = bytes.byte()?;
        }
        let has_sizes = kind == SIZE;
        for (folder, &count) in self.folders.iter_mut().zip(&counts) {
            let mut left = folder.size();
            folder.files.clear();
            for _ in 1..count {
                let size = if has_sizes { bytes.number()? } else { 0 };
                folder.files.push(size);
                left = left.checked_sub(size)?;
            }
            folder.files.extend((count > 0).then_some(left));
        }
        if has_sizes {
            kind = bytes.byte()?;
        }
        // Checksums are the last there is; how many depends on what folders had, and none is used.
        while kind != END {
            if kind != CRC {
                return None;
            }
            let files = self.folders.iter().map(|folder| folder.files.len() as u64).sum();
            bytes.checksums(files)?;
            kind = bytes.byte()?;
        }
        Some(())
    }

    fn files(&mut self, bytes: &mut Bytes<'_>) -> Option<()> {
        let count = bytes.count()?;
        let mut empty = vec![false; usize::try_from(count).ok()?];
        let mut texts = Vec::new();
        loop {
            let kind = bytes.byte()?;
            if kind == END {
                break;
            }
            let len = bytes.number()?;
            let mut property = Bytes(bytes.take(len)?);
            match kind {
                EMPTY => empty = property.bits(count)?,
                NAMES if property.byte()? == 0 => texts = names(property.0),
                _ => {}
            }
        }
        texts.resize(empty.len(), String::new());
        self.names = texts.into_iter().zip(empty).map(|(text, is_empty)| Name { text, is_empty }).collect();
        Some(())
    }
}

/// Where packed streams are.
fn packs(bytes: &mut Bytes<'_>) -> Option<Vec<Range<u64>>> {
    let mut at = DATA_AT.checked_add(bytes.number()?)?;
    let count = bytes.count()?;
    let mut packed = Vec::new();
    loop {
        match bytes.byte()? {
            END => return Some(packed),
            SIZE => {
                for _ in 0..count {
                    let end = at.checked_add(bytes.number()?)?;
                    packed.push(at..end);
                    at = end;
                }
            }
            CRC => bytes.checksums(count)?,
            _ => return None,
        }
    }
}

fn folder(bytes: &mut Bytes<'_>) -> Option<Folder> {
    let count = bytes.number().filter(|&count| (1..=CODERS_MAX).contains(&count))?;
    let mut folder = Folder { is_chain: true, ..Folder::default() };
    let (mut inputs, mut outputs) = (0_u64, 0_u64);
    for _ in 0..count {
        let flags = bytes.byte()?;
        let id = bytes.take(u64::from(flags & 0x0f))?.to_vec();
        let (ins, outs) = if flags & 0x10 == 0 { (1, 1) } else { (bytes.number()?, bytes.number()?) };
        if ins > CODERS_MAX || outs != 1 {
            return None;
        }
        folder.is_chain &= ins == 1;
        (inputs, outputs) = (inputs + ins, outputs + outs);
        let properties =
            if flags & 0x20 == 0 { Vec::new() } else { bytes.number().and_then(|len| bytes.take(len))?.to_vec() };
        folder.coders.push(Coder { id, properties, size: 0 });
    }
    for _ in 0..outputs - 1 {
        folder.pairs.push((bytes.number()?, bytes.number()?));
    }
    folder.streams = inputs.checked_sub(outputs - 1)?;
    if folder.streams > 1 {
        for _ in 0..folder.streams {
            bytes.number()?;
        }
    }
    Some(folder)
}

fn names(bytes: &[u8]) -> Vec<String> {
    let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    let mut names: Vec<String> = units.split(|&unit| unit == 0).map(String::from_utf16_lossy).collect();
    names.pop();
    names
}
