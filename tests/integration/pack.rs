//! Archives for tests, written byte by byte, so that what is wrong with one is wrong on purpose.

use std::io::Write as _;

/// How an entry of a zip is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Stored,
    Deflated,
    /// With its sizes behind it and zeros in front.
    Streamed,
    Zstd,
    Bzip2,
}

/// The bytes in front of an entry's data, and the data.
pub fn zip_entry(name: &str, content: &[u8], method: Method) -> Vec<u8> {
    let (number, data) = match method {
        Method::Stored => (0_u16, content.to_vec()),
        Method::Deflated | Method::Streamed => (8, deflate(content)),
        Method::Zstd => (93, zstd::encode_all(content, 3).unwrap()),
        Method::Bzip2 => (12, bzip2(content)),
    };
    let is_streamed = method == Method::Streamed;
    let sizes = if is_streamed { [0; 2] } else { [len32(&data), len32(content)] };
    let flags = if is_streamed { 8_u16 } else { 0 };
    let mut entry = b"PK\x03\x04\x14\0".to_vec();
    entry.extend([flags, number, 0, 0].iter().flat_map(|value| value.to_le_bytes()));
    entry.extend([0, sizes[0], sizes[1]].iter().flat_map(|value: &u32| value.to_le_bytes()));
    entry.extend([len16(name.as_bytes()), 0].iter().flat_map(|value| value.to_le_bytes()));
    entry.extend(name.as_bytes());
    entry.extend(&data);
    if is_streamed {
        entry.extend(b"PK\x07\x08\0\0\0\0");
        entry.extend([len32(&data), len32(content)].iter().flat_map(|value| value.to_le_bytes()));
    }
    entry
}

/// A zip of `entries`: name, content, and whether the directory names it.
pub fn zip_of(entries: &[(&str, &[u8], bool)], method: Method) -> Vec<u8> {
    let (mut zip, mut directory, mut count) = (Vec::new(), Vec::new(), 0_u16);
    for (name, content, is_named) in entries {
        let offset = len32(&zip);
        let entry = zip_entry(name, content, method);
        if *is_named {
            let packed = match method {
                Method::Streamed => u32::from_le_bytes(entry[entry.len() - 8..entry.len() - 4].try_into().unwrap()),
                _ => u32::from_le_bytes(entry[18..22].try_into().unwrap()),
            };
            directory.extend(b"PK\x01\x02\x14\0");
            directory.extend(&entry[4..14]);
            directory.extend([0, packed, len32(content)].iter().flat_map(|value| value.to_le_bytes()));
            directory.extend(len16(name.as_bytes()).to_le_bytes());
            directory.extend([0; 12]);
            directory.extend(offset.to_le_bytes());
            directory.extend(name.as_bytes());
            count += 1;
        }
        zip.extend(entry);
    }
    let at = len32(&zip);
    zip.extend(&directory);
    zip.extend(b"PK\x05\x06\0\0\0\0");
    zip.extend([count, count].iter().flat_map(|value| value.to_le_bytes()));
    zip.extend([len32(&directory), at].iter().flat_map(|value| value.to_le_bytes()));
    zip.extend([0; 2]);
    zip
}

/// A sound zip.
pub fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let entries: Vec<_> = entries.iter().map(|(name, content)| (*name, *content, true)).collect();
    zip_of(&entries, Method::Deflated)
}

/// One member of a tar, of `kind`, its header as v7 wrote it where `magic` is empty.
pub fn tar_member(name: &[u8], content: &[u8], kind: u8, magic: &[u8]) -> Vec<u8> {
    let mut header = [0_u8; 512];
    header[..name.len()].copy_from_slice(name);
    header[100..107].copy_from_slice(b"0000644");
    header[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
    header[156] = kind;
    header[257..257 + magic.len()].copy_from_slice(magic);
    seal(&mut header);
    let mut member = header.to_vec();
    member.extend(content);
    member.resize(member.len().next_multiple_of(512), 0);
    member
}

/// Writes the checksum.
pub fn seal(header: &mut [u8]) {
    header[148..156].fill(b' ');
    let sum: u32 = header[..512].iter().map(|&byte| u32::from(byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

/// A tar with its end.
pub fn tar(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar: Vec<u8> =
        entries.iter().flat_map(|(name, content)| tar_member(name.as_bytes(), content, b'0', b"ustar\x0000")).collect();
    tar.extend([0; 1024]);
    tar
}

pub fn deflate(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

pub fn zlib(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

pub fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

pub fn bzip2(content: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

pub fn xz(content: &[u8]) -> Vec<u8> {
    let mut encoder = lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::with_preset(1)).unwrap();
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

pub fn lz4(content: &[u8]) -> Vec<u8> {
    let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

pub fn ar(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut ar = b"!<arch>\n".to_vec();
    for (name, content) in entries {
        ar.extend(format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", 0, 0, 0, 100_644, content.len()).as_bytes());
        ar.extend(*content);
        ar.resize(ar.len().next_multiple_of(2), b'\n');
    }
    ar
}

pub fn cpio(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut cpio = Vec::new();
    for (name, content) in entries.iter().chain([&("TRAILER!!!", b"".as_slice())]) {
        let fields = [0, 0o100_644, 0, 0, 1, 0, content.len(), 0, 0, 0, 0, name.len() + 1, 0];
        cpio.extend(b"070701");
        cpio.extend(fields.iter().flat_map(|field| format!("{field:08X}").into_bytes()));
        cpio.extend(name.as_bytes());
        cpio.push(0);
        cpio.resize(cpio.len().next_multiple_of(4), 0);
        cpio.extend(*content);
        cpio.resize(cpio.len().next_multiple_of(4), 0);
    }
    cpio
}

pub fn rpm(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut rpm = b"\xed\xab\xee\xdb\x03\0".to_vec();
    rpm.resize(96, 0);
    for _ in 0..2 {
        rpm.extend(b"\x8e\xad\xe8\x01\0\0\0\0\0\0\0\x01\0\0\0\x08");
        rpm.extend([b'x'; 24]);
        rpm.resize(rpm.len().next_multiple_of(8), 0);
    }
    rpm.extend(gzip(&cpio(entries)));
    rpm
}

/// Electron's archive of files at its top.
pub fn asar(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut data, mut files) = (Vec::<u8>::new(), serde_json::Map::new());
    for (name, content) in entries {
        let file = serde_json::json!({"size": content.len(), "offset": data.len().to_string()});
        files.insert((*name).into(), file);
        data.extend(*content);
    }
    let table = serde_json::json!({ "files": files }).to_string();
    let padded = table.len().next_multiple_of(4);
    let numbers = [4, padded + 8, padded + 4, table.len()];
    let mut asar: Vec<u8> = numbers.iter().flat_map(|number| u32::try_from(*number).unwrap().to_le_bytes()).collect();
    asar.extend(table.as_bytes());
    asar.resize(16 + padded, 0);
    asar.extend(data);
    asar
}

fn len32(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap()
}

fn len16(bytes: &[u8]) -> u16 {
    u16::try_from(bytes.len()).unwrap()
}
