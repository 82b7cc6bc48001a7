//! One compressed stream: gzip, bzip2, xz, LZMA, zstd, lz4, brotli.
//!
//! What is inside has no name of its own: it is called as the stream is, without the ending.

use super::codec::Codec;
use super::input::Counted;
use super::{Fault, Inner, Kind, Level, Outcome, Place, Unpacker, Visitor, folder_of};
use std::io::BufRead;

/// Endings of compressed files, and of compressed tars.
const ENDINGS: [&[u8]; 9] = [b".gz", b".bz2", b".xz", b".lzma", b".zst", b".lz4", b".br", b".gzip", b".zstd"];

/// Reads the stream that `reader` starts with.
pub(super) fn read<V: Visitor, R: BufRead>(
    unpacker: &mut Unpacker<'_, V>,
    level: &mut Level,
    reader: &mut Counted<R>,
) -> Result<(), Fault> {
    let codec = match level.kind {
        Kind::Gzip => Codec::Gzip,
        Kind::Bzip2 => Codec::Bzip2,
        Kind::Xz => Codec::Xz,
        Kind::Lzma => Codec::Lzma,
        Kind::Zstd => Codec::Zstd,
        Kind::Lz4 => Codec::Lz4,
        _ => Codec::Brotli,
    };
    inside(unpacker, level, codec, reader)
}

/// Reads what `codec` makes of `reader`.
pub(super) fn inside<V: Visitor, R: BufRead>(
    unpacker: &mut Unpacker<'_, V>,
    level: &mut Level,
    codec: Codec,
    reader: &mut Counted<R>,
) -> Result<(), Fault> {
    if !unpacker.budget.entry() {
        return Err(Fault::Cut);
    }
    let from = reader.position;
    let place = Place { inner: content(&level.inner), merged: Some(level.inner.clone()), depth: level.depth };
    let outcome = {
        let mut decoder = codec.decoder(&mut *reader, &unpacker.budget)?;
        unpacker.stream(place, &mut decoder)?
    };
    if outcome == Outcome::Whole {
        level.cover(from..reader.position);
    }
    Ok(())
}

/// What the stream at `inner` holds, if that is no container.
fn content(inner: &Inner) -> Inner {
    let folder = folder_of(&inner.shown).len();
    let name = stem(&inner.shown[folder..]);
    let judged = folder_of(&inner.judged);
    Inner {
        shown: [inner.shown.as_slice(), b"!/", name].concat(),
        judged: [judged, stem(&inner.judged[judged.len()..])].concat(),
        is_outside: inner.is_outside,
    }
}

/// `name` without the ending of a compressed file.
fn stem(name: &[u8]) -> &[u8] {
    let has =
        |ending: &&&[u8]| name.len() > ending.len() && name[name.len() - ending.len()..].eq_ignore_ascii_case(ending);
    ENDINGS.iter().find(has).map_or(name, |ending| &name[..name.len() - ending.len()])
}
