//! Base64 in one line or several, and where a key ends in it that may go on behind a line break.
//!
//! What follows a line may be its next or something else. A key of a published length tells; otherwise as much is read as belongs together.

use super::{CHUNK_BYTES, CHUNK_OVERLAP_BYTES, Explorer, Frame, Here, Layer, Mode, base64, sample};
use crate::detect::{Candidate, Detector, Hidden, Verdict};

/// More bytes than a key of a published length has.
const WHOLE_BYTES_MAX: usize = 64;
/// Bytes of a UUID, and of the other identifier that is published.
const UUID_BYTES: usize = 36;
const IDENTIFIER_BYTES: usize = 32;

impl Explorer<'_> {
    /// Decodes the base64 at `start`, part by part; gives where anchors stand in `text`, and where it ended.
    pub(super) fn base64(&mut self, here: Here<'_>, start: usize, missing: usize) -> (Vec<usize>, usize) {
        let mut covered = Vec::new();
        if self.is_spent() {
            return (covered, start);
        }
        let mut line = base64::Reader::new(here.text, start, false);
        let layer = base64::decode(&mut line, missing, WHOLE_BYTES_MAX);
        if layer.bytes.len() < WHOLE_BYTES_MAX && self.is_whole_key(&layer.bytes) {
            return (self.decoded(here, layer, base64::NAME), line.at);
        }
        let chars = here.text[start..].iter().take_while(|&&byte| base64::is_char(byte)).count();
        if let Some(covered) = self.literals(here, start..start + chars) {
            return (covered, line.at);
        }
        let mut reader = base64::Reader::new(here.text, start, true);
        let mut missing = missing;
        loop {
            let layer = base64::decode(&mut reader, missing, CHUNK_BYTES);
            let is_full = layer.bytes.len() >= CHUNK_BYTES;
            let resume = resume(&layer, missing).map_or((start, missing), |at| (at, 0));
            covered.extend(self.decoded(here, layer, base64::NAME));
            if !is_full || self.is_over() || self.budget.left() == 0 {
                if let Some(end) = reader.before_short_line() {
                    self.without_last_line(here, end, resume);
                }
                return (covered, reader.at);
            }
            reader = base64::Reader::new(here.text, resume.0, true);
            missing = resume.1;
        }
    }

    /// The same up to `end`: what stands behind may be no part of it, and then it hides what is in its last bytes.
    fn without_last_line(&mut self, here: Here<'_>, end: usize, (start, missing): (usize, usize)) {
        if self.mode == Mode::Any || start >= end {
            return;
        }
        let text = &here.text[..end];
        let mut reader = base64::Reader::new(text, start, true);
        let layer = base64::decode(&mut reader, missing, CHUNK_BYTES);
        self.decoded(Here { text, ..here }, layer, base64::NAME);
    }

    /// Whether `bytes` are one key of a published length and nothing else, and not the start of a longer one.
    fn is_whole_key(&self, bytes: &[u8]) -> bool {
        let mut is_whole = false;
        self.detector.search(bytes, &mut |candidate| {
            is_whole = candidate.range == (0..bytes.len())
                && candidate.verdict == Verdict::Key
                && self.detector.is_published(bytes, &candidate)
                && !sample::starts_uuid(&bytes[bytes.len().saturating_sub(IDENTIFIER_BYTES)..]);
        });
        is_whole
    }
}

/// Where a group of four starts in front of the last bytes of `layer`, which keys may stand in; none if that is its start.
/// `missing` characters of its first group were not read.
fn resume(layer: &Layer, missing: usize) -> Option<usize> {
    let first = [3, 3, 2, 1][missing % 4];
    let groups = layer.bytes.len().checked_sub(CHUNK_OVERLAP_BYTES + first)? / 3;
    layer.sources(&(first + groups * 3..layer.bytes.len())).first().map(|range| range.start)
}

impl Detector {
    /// Whether `candidate` is as long as keys that Ansa publishes, and a UUID where only those are.
    pub(super) fn is_published(&self, text: &[u8], candidate: &Candidate) -> bool {
        let is_uuid = || {
            candidate.width > 1
                || candidate.range.len() - self.start_len(candidate) != UUID_BYTES
                || sample::is_uuid(&text[candidate.range.clone()])
        };
        self.has_published_len(candidate) && is_uuid()
    }

    /// The key that `candidate` is without what stands on the next line, if it is as long as keys that Ansa publishes then and only then.
    pub(super) fn ended(&self, text: &[u8], frame: &Frame<'_>, candidate: &Candidate) -> Option<Candidate> {
        if candidate.width > 1 || self.is_published(text, candidate) {
            return None;
        }
        let start = candidate.range.start;
        [UUID_BYTES, IDENTIFIER_BYTES].into_iter().find_map(|len| {
            let end = start + self.start_len(candidate) + len;
            // A key that goes over one line break goes over the next as well.
            let is_line_end = end < candidate.range.end
                && frame.breaks(end - 1, end)
                && !(start + 1..end).any(|at| frame.breaks(at - 1, at));
            if !is_line_end {
                return None;
            }
            let mut ended = None;
            self.search(&text[start..end], &mut |one| {
                if one.range == (0..end - start) && one.verdict == Verdict::Key {
                    ended = Some(Candidate { range: start..end, ..one });
                }
            });
            ended.filter(|one| self.is_published(text, one))
        })
    }
}

/// Of two readings of one key, with the next line and without, leaves the better. `found` is sorted by position.
pub(super) fn settle(found: &mut Vec<Hidden>) {
    found.dedup_by(|later, kept| {
        let is_same = later.range().start == kept.range().start && later.encoding == kept.encoding;
        let is_longer = kept.secret.is_start_of(&later.secret);
        if !is_same || !(is_longer || later.secret.is_start_of(&kept.secret)) || !later.encoding.contains(&base64::NAME)
        {
            return false;
        }
        let is_later_better = match (later.is_published, kept.is_published) {
            (true, false) => true,
            (false, true) => false,
            _ => is_longer,
        };
        if is_later_better {
            std::mem::swap(later, kept);
        }
        true
    });
}
