//! Where a key in a bundle or in a source map stood before it was bundled, as the map's own copy of the sources shows.
//!
//! Asked only about texts with a key, so that the many maps without one cost nothing.

use super::Shared;
use super::reading::Reading;
use crate::blob::Window;
use crate::blob::{Blob, Origin};
use crate::detect::{Cursor, Form, Verdict, mask};
use crate::unpack::SourceMap;

/// How every sentence of this kind starts.
pub(super) const TELLS: &str = "before it was bundled";
/// Bytes of a bundle or map that is looked at.
const MAP_BYTES_MAX: u64 = 64 << 20;
const INLINE: &[u8] = b"sourceMappingURL=data:application/json;";
const BASE64: &[u8] = b"base64,";

/// As [`tell`], of a file that was read as windows.
pub(super) fn tell_file(shared: &Shared<'_>, reading: &mut Reading<'_>, blob: &Blob<'_>) {
    let Some(input) = blob.windows.random().filter(|input| input.size() <= MAP_BYTES_MAX) else { return };
    if !matches!(blob.origin, Origin::File | Origin::Blob | Origin::Lfs) || !may_have_map(blob.path) {
        return;
    }
    if let Some(bytes) = input.whole() {
        return tell(shared, reading, blob.path, bytes);
    }
    let mut bytes = vec![0; usize::try_from(input.size()).unwrap_or_default()];
    let mut filled = 0;
    while let Ok(read @ 1..) = input.read_at(&mut bytes[filled..], filled as u64) {
        filled += read;
    }
    tell(shared, reading, blob.path, &bytes[..filled]);
}

/// Tells of every key in `reading`, a text of `bytes` at `path`, where it comes from, if a map is at hand that knows.
pub(super) fn tell(shared: &Shared<'_>, reading: &mut Reading<'_>, path: &[u8], bytes: &[u8]) {
    if reading.fingerprints().next().is_none() || !may_have_map(path) {
        return;
    }
    if let Some(bundle) = path.strip_suffix(b".map") {
        let Some(map) = SourceMap::parse(bytes) else { return };
        reading.set_generated(Some(reading.shown(bundle)));
        return tell_of(shared, reading, &map);
    }
    let Some(at) = memchr::memmem::rfind(bytes, INLINE) else { return };
    let comment = &bytes[at + INLINE.len()..];
    let Some(start) = memchr::memmem::find(&comment[..comment.len().min(64)], BASE64) else { return };
    if let Some(map) = SourceMap::parse(&decoded(&comment[start + BASE64.len()..])) {
        tell_of(shared, reading, &map);
    }
}

/// Whether a file of this name may be a source map, or hold one.
fn may_have_map(path: &[u8]) -> bool {
    [b".map".as_slice(), b".js", b".mjs", b".cjs", b".css", b".bundle", b".jsbundle"]
        .iter()
        .any(|end| path.ends_with(end))
}

fn tell_of(shared: &Shared<'_>, reading: &mut Reading<'_>, map: &SourceMap) {
    for (name, text) in &map.sources {
        let window = Window { bytes: text.as_bytes(), offset: 0, last: true };
        let mut cursor = Cursor::new(Form::Utf8);
        shared.detector.search(window.bytes, &mut |candidate| {
            if candidate.verdict != Verdict::Key {
                return;
            }
            let fingerprint = shared.detector.secret(window.bytes, &candidate).fingerprint();
            cursor.advance_to(&window, candidate.range.start);
            let position = cursor.position();
            let name = mask(&shared.detector, name.as_bytes());
            let place = format!("{TELLS} it stood in `{name}`, line {}, column {}", position.line, position.column);
            reading.add_source(&fingerprint, &place);
        });
    }
}

/// The bytes that base64 at the start of `text` stands for.
fn decoded(text: &[u8]) -> Vec<u8> {
    let value = |byte: &u8| match byte {
        b'A'..=b'Z' => Some(u32::from(byte - b'A')),
        b'a'..=b'z' => Some(u32::from(byte - b'a') + 26),
        b'0'..=b'9' => Some(u32::from(byte - b'0') + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for value in text.iter().map_while(value) {
        bits = bits << 6 | value;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count).to_le_bytes()[0]);
        }
    }
    bytes
}
