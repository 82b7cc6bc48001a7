//! PDF: the streams of its objects, among them those that hold other objects.
//!
//! Pictures and fonts in formats of their own are searched as they stand; what a page looks like is not worked out.

use super::codec::Codec;
use super::input::{Counted, Cursor, Part, bytes_at, find};
use super::{Fault, Level, Outcome, Unpacker, Visitor};
use crate::blob::ReadAt;

const MARK: &[u8] = b"stream";
/// Bytes of an object's dictionary that are looked at.
const DICTIONARY_BYTES: u64 = 4096;

/// Reads the streams of `input`.
pub(super) fn read<V: Visitor>(
    unpacker: &mut Unpacker<'_, V>,
    level: &mut Level,
    input: &dyn ReadAt,
) -> Result<(), Fault> {
    level.call("pdf");
    let mut from = 0;
    let mut is_encrypted = false;
    loop {
        let found = find(input, &[MARK], from..input.size())?;
        unpacker.work(found.unwrap_or(input.size()) - from)?;
        let Some(at) = found else { break };
        from = at + MARK.len() as u64;
        let before = bytes_at(
            input,
            at.saturating_sub(DICTIONARY_BYTES),
            usize::try_from(at.min(DICTIONARY_BYTES)).unwrap_or_default(),
        )?;
        let mut behind = [0; 2];
        let read = super::input::read_full_at(input, &mut behind, from)?;
        let line_end = match &behind[..read] {
            b"\r\n" => 2,
            [b'\n' | b'\r', ..] => 1,
            _ => continue,
        };
        if !before.trim_ascii_end().ends_with(b">>") {
            continue;
        }
        let (number, dictionary) = object(&before);
        let has = |word: &[u8]| memchr::memmem::find(dictionary, word).is_some();
        if has(b"/LZWDecode") || has(b"/ASCII85Decode") || has(b"/ASCIIHexDecode") {
            unpacker.refuse(level, number, "a stream of a kind that is not opened")?;
        } else if has(b"/FlateDecode") || has(b"/Fl ") || has(b"/Fl/") {
            if is_encrypted || self::is_encrypted(input)? {
                is_encrypted = true;
                break;
            }
            from = stream(unpacker, level, input, (number, from + line_end))?;
        }
    }
    if is_encrypted { Err(Fault::Damaged("encrypted".into())) } else { Ok(()) }
}

/// Reads the stream at `start`; says where to go on.
fn stream<V: Visitor>(
    unpacker: &mut Unpacker<'_, V>,
    level: &mut Level,
    input: &dyn ReadAt,
    (number, start): (&[u8], u64),
) -> Result<u64, Fault> {
    let part = Part::new(input, start, u64::MAX);
    let mut reader = Counted::new(Cursor::new(&part));
    let mut decoder = Codec::Zlib.decoder(&mut reader, &unpacker.budget)?;
    let outcome = unpacker.member(level, number, &mut decoder)?;
    drop(decoder);
    if outcome == Outcome::Faulty {
        return Ok(start);
    }
    let end = start + reader.position;
    level.cover(start..end);
    Ok(end)
}

/// The number of the object that is cut off at the end of `before`, and its dictionary.
fn object(before: &[u8]) -> (&[u8], &[u8]) {
    let Some(at) = memchr::memmem::rfind(before, b" obj") else { return (b"(object)", before) };
    let is_number = |byte: &&u8| byte.is_ascii_digit() || **byte == b' ';
    let len = before[..at].iter().rev().take_while(is_number).count();
    let number = before[at - len..at + 4].trim_ascii();
    (number, &before[at + 4..])
}

/// Whether the trailer says that streams are encrypted.
fn is_encrypted(input: &dyn ReadAt) -> Result<bool, Fault> {
    let from = input.size().saturating_sub(DICTIONARY_BYTES);
    let end = bytes_at(input, from, usize::try_from(input.size() - from).unwrap_or_default())?;
    Ok(memchr::memmem::find(&end, b"/Encrypt").is_some())
}
