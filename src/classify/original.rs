//! Source maps: the file that the text at some place came from, by `sourcesContent`.

use super::evidence::short;
use crate::side::{Piece, Side};
use std::ops::Range;

/// What knowing the original is worth: it names the file, and leaves the side to what serves the map.
const WEIGHT: u32 = 41;

/// The piece about the source map at `path`, if `at` stands in the content of one of its sources.
pub fn says(path: &str, text: &[u8], at: usize) -> Option<Piece> {
    let is_map = path.rsplit_once('.').is_some_and(|(_, extension)| extension.eq_ignore_ascii_case("map"));
    let contents = is_map.then(|| strings(text, b"\"sourcesContent\""))??;
    let index = contents.iter().position(|range| range.contains(&at))?;
    let source = strings(text, b"\"sources\"")?.get(index).cloned()?;
    let why = format!(
        "the source map holds its original, `{}`, which whoever loads the bundle can read",
        short(&text[source])
    );
    Some(Piece { side: Side::Client, weight: WEIGHT, why })
}

/// The strings of the array behind `name`, without their quotes; `null` counts as an empty one.
fn strings(text: &[u8], name: &[u8]) -> Option<Vec<Range<usize>>> {
    let named = memchr::memmem::find(text, name)? + name.len();
    let mut at = named + memchr::memchr(b'[', &text[named..])? + 1;
    let mut found = Vec::new();
    while let Some(&byte) = text.get(at) {
        match byte {
            b']' => break,
            b'"' => {
                let end = end_of_string(text, at + 1);
                found.push(at + 1..end);
                at = end;
            }
            b'n' => {
                found.push(at..at);
                at += 3;
            }
            _ => {}
        }
        at += 1;
    }
    Some(found)
}

/// Where the string that starts at `at`, behind its quote, ends.
fn end_of_string(text: &[u8], mut at: usize) -> usize {
    while let Some(&byte) = text.get(at) {
        match byte {
            b'\\' => at += 1,
            b'"' => return at,
            _ => {}
        }
        at += 1;
    }
    text.len()
}
