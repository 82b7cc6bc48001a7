//! Comments beside keys that allow them, collected while a blob's windows go by.
//!
//! Only windows with a key are looked at, and the piece before each; whether a comment holds is not decided here.

use crate::blob::Window;
use crate::detect::{Cursor, Detector, mask};
use crate::finding::Place;
use crate::suppress::inline::{Comment, comments};
use std::collections::BTreeMap;

/// Bytes before a window in which the line above its first key is looked for.
const BEFORE_BYTES: usize = 4 * 1024;
/// Lines with a comment that one blob may have.
const LINES_MAX: usize = 10_000;

/// The comments of one blob.
#[derive(Default)]
pub(super) struct Comments {
    /// By line and fingerprint; the reason is none where the comment gives none.
    found: BTreeMap<(u64, String), Option<String>>,
    /// What came just before the window at hand.
    before: Vec<u8>,
}

impl Comments {
    /// Looks through `window`, at whose start `cursor` stands.
    pub fn look(&mut self, window: &Window<'_>, cursor: Cursor, detector: &Detector) {
        let line = cursor.position().line;
        for comment in comments(&self.before) {
            let behind = memchr::memchr_iter(b'\n', &self.before[comment.at..]).count() as u64;
            self.add(line.saturating_sub(behind), comment, detector);
        }
        let mut cursor = cursor;
        for comment in comments(window.bytes) {
            cursor.advance_to(window, comment.at);
            self.add(cursor.position().line, comment, detector);
        }
    }

    /// Remembers the end of what `window` owns, for the window after it.
    pub fn pass(&mut self, window: &Window<'_>) {
        let owned = &window.bytes[..window.owned()];
        self.before = owned[owned.len().saturating_sub(BEFORE_BYTES)..].to_vec();
    }

    /// The reason that stands beside every one of `places`, where each has a comment with one.
    pub fn reason(&self, fingerprint: &str, places: &[Place]) -> Option<String> {
        if self.found.is_empty() {
            return None;
        }
        let at = |line: u64| self.found.get(&(line, fingerprint.to_owned()));
        let beside = |place: &Place| {
            let lines = [place.start.line, place.start.line.saturating_sub(1)];
            lines.into_iter().filter_map(at).flatten().next().cloned()
        };
        let reasons: Option<Vec<String>> = places.iter().map(beside).collect();
        reasons?.into_iter().next()
    }

    /// Sentences about comments of `path` that allow nothing; `lines` are those of each key.
    pub fn remarks(&self, path: &str, lines: &BTreeMap<&str, Vec<u64>>) -> Vec<String> {
        let is_beside = |line: u64, fingerprint: &str| {
            let keys = lines.get(fingerprint).map_or(&[][..], Vec::as_slice);
            keys.iter().any(|key| *key == line || *key == line + 1)
        };
        let told = self.found.iter().filter_map(|((line, fingerprint), reason)| {
            let comment = format!("the comment at {path}:{line} that allows {fingerprint}");
            match (is_beside(*line, fingerprint), reason) {
                (false, _) => Some(format!("{comment} is unused; take it out")),
                (true, None) => Some(format!("{comment} gives no reason, and does not hold: write ` -- ` and why")),
                (true, Some(_)) => None,
            }
        });
        told.collect()
    }

    fn add(&mut self, line: u64, comment: Comment, detector: &Detector) {
        if self.found.len() < LINES_MAX {
            let reason = comment.reason.map(|reason| mask(detector, reason.as_bytes()));
            let known = self.found.entry((line, comment.fingerprint)).or_default();
            *known = known.take().or(reason);
        }
    }
}
