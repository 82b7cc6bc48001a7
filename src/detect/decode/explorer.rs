//! Looks for hidden candidates in one text, and in what it decodes to, step by step.
//!
//! Anchors say what to decode; long runs are decoded where a sample of them is text or the start of a compressed stream.

mod wrapped;

use super::super::grammar::run_len;
use super::super::text::Form as TextForm;
use super::super::{Candidate, Detector, Verdict};
use super::anchor::{Anchor, Form};
use super::escape::Format;
use super::layer::{Frame, Layer};
use super::packed::{End, Packing};
use super::{
    Budget, Cut, Exploration, Hidden, backslash, base64, css, decimal, entity, escape, hex, percent, quoted_printable,
    runs, sample, split,
};
use std::collections::BTreeSet;
use std::ops::Range;

/// Decoded bytes of a run that are searched at once, and the overlap from one such part to the next.
const CHUNK_BYTES: usize = 96 * 1024;
const CHUNK_OVERLAP_BYTES: usize = 6 * 1024;
/// Base64 characters before the end of a prefix that hold its start.
const TAIL_CHARS: usize = 16;
/// Base64 characters before a run that are read with it, where some of them are escaped.
const ESCAPED_CHARS: usize = 128;
/// Bytes by which an anchor and the prefix decoded for it may differ in place.
const NEAR: usize = 24;

/// The formats whose escapes start with a byte of their own.
const FORMATS: [&Format; 5] =
    [&percent::FORMAT, &backslash::FORMAT, &css::FORMAT, &entity::FORMAT, &quoted_printable::FORMAT];

/// What is wanted of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Mode {
    /// Every hidden candidate.
    All,
    /// Whether there is anything to look at.
    Any,
}

/// One search.
pub(in super::super) struct Explorer<'e> {
    detector: &'e Detector,
    budget: &'e mut Budget,
    mode: Mode,
    /// In [`Mode::Any`]: whether there was something.
    is_hit: bool,
    found: Vec<Hidden>,
    /// Range and fingerprint of what was found, so that two ways to it are one.
    seen: BTreeSet<(usize, usize, String)>,
}

/// Where in one text plain candidates were read further.
type Starts = BTreeSet<usize>;

/// A text, and how it came to be.
#[derive(Clone, Copy)]
struct Here<'h> {
    text: &'h [u8],
    /// None where it is what was searched.
    frame: Option<&'h Frame<'h>>,
    /// Encodings undone to get to it.
    depth: u32,
}

/// What is known of one text while its anchors go by.
#[derive(Default)]
struct Progress {
    /// Where anchors stand that were found in what it decodes to; sorted.
    covered: Vec<usize>,
    /// Compressed runs with something in them; sorted.
    packed: Vec<Range<usize>>,
    /// Plain candidates that were read further.
    superseded: Starts,
    /// Up to where each of [`FORMATS`] was undone.
    done: [usize; FORMATS.len()],
}

impl<'e> Explorer<'e> {
    pub fn new(detector: &'e Detector, budget: &'e mut Budget, mode: Mode) -> Self {
        Self { detector, budget, mode, is_hit: false, found: Vec::new(), seen: BTreeSet::new() }
    }

    /// Whether `text` has anything to look at, plain or hidden.
    pub fn any(mut self, text: &[u8]) -> bool {
        self.text(Here { text, frame: None, depth: 0 });
        self.is_hit
    }

    /// The hidden candidates of `text`.
    pub fn explore(mut self, text: &[u8]) -> Exploration {
        let superseded = self.text(Here { text, frame: None, depth: 0 }).1;
        self.found.sort_by_key(|hidden| (hidden.range().start, hidden.range().end));
        wrapped::settle(&mut self.found);
        Exploration { hidden: self.found, superseded: superseded.into_iter().collect() }
    }

    /// Searches one text. Gives where anchors stand in it, and where plain candidates were read further.
    fn text(&mut self, here: Here<'_>) -> (Vec<usize>, Starts) {
        if self.mode == Mode::Any && self.detector.anchors.any(here.text) {
            self.is_hit = true;
        }
        if self.is_over() {
            return (Vec::new(), Starts::new());
        }
        let mut progress = Progress::default();
        self.runs(here, &mut progress);
        progress.covered.extend(self.dense(here));
        if self.mode == Mode::Any {
            return (Vec::new(), Starts::new());
        }
        progress.covered.sort_unstable();
        let mut anchors = Vec::new();
        let mut next = self.detector.anchors.next(here.text, 0);
        while let Some(anchor) = next.take().filter(|_| !self.is_over()) {
            next = self.detector.anchors.next(here.text, anchor.range.end);
            if anchors.len() < self.budget.bounds.keys {
                anchors.push(anchor.range.start);
            }
            let limit = next.as_ref().filter(|next| next.form == Form::Plain).map(|next| next.range.start);
            self.anchor(here, &anchor, limit.unwrap_or(here.text.len()), &mut progress);
        }
        if let Some(frame) = here.frame {
            self.plain(here.text, frame, &progress.superseded);
        }
        (anchors, progress.superseded)
    }

    /// Whether nothing more is looked at; asked where there is more to look at.
    fn is_over(&mut self) -> bool {
        let is_full = self.found.len() >= self.budget.bounds.keys;
        if is_full {
            self.budget.cut(Cut::Count);
        }
        is_full || self.is_hit
    }

    /// Whether nothing more may be decoded, so that trying costs nothing either.
    fn is_spent(&mut self) -> bool {
        let is_spent = self.budget.left() == 0;
        if is_spent {
            self.budget.cut(Cut::Bytes);
        }
        is_spent
    }

    /// Candidates that stand in `text` as they are, which `frame` decoded.
    fn plain(&mut self, text: &[u8], frame: &Frame<'_>, superseded: &Starts) {
        let detector = self.detector;
        detector.search(text, &mut |candidate| {
            if !superseded.contains(&candidate.range.start) && !frame.is_plain(&candidate.range) {
                let ended = detector.ended(text, frame, &candidate);
                self.emit(text, frame, ended.as_ref().unwrap_or(&candidate));
            }
        });
    }

    fn emit(&mut self, text: &[u8], frame: &Frame<'_>, candidate: &Candidate) {
        let pieces = frame.outward(&candidate.range);
        let (Some(first), Some(last)) = (pieces.first(), pieces.last()) else { return };
        let secret = self.detector.secret(text, candidate);
        if self.found.len() >= self.budget.bounds.keys {
            self.budget.cut(Cut::Count);
            return;
        }
        if !self.seen.insert((first.start, last.end, secret.fingerprint())) {
            return;
        }
        let mut encoding = frame.chain(&candidate.range);
        encoding.extend(match candidate.width {
            1 => None,
            2 => Some("utf-16le"),
            _ => Some("utf-32le"),
        });
        let &Candidate { kind, environment, verdict, .. } = candidate;
        let is_published = self.detector.is_published(text, candidate);
        self.found.push(Hidden { kind, environment, verdict, secret, pieces, encoding, is_published });
    }

    /// Decodes what stands around one anchor; the next plain key starts at `limit`.
    fn anchor(&mut self, here: Here<'_>, anchor: &Anchor, limit: usize, progress: &mut Progress) {
        let near = progress.covered.partition_point(|&at| at + NEAR < anchor.range.start);
        let packed = progress.packed.partition_point(|run| run.end <= anchor.range.start);
        let is_covered = progress.covered.get(near).is_some_and(|&at| at <= anchor.range.start + NEAR)
            || progress.packed.get(packed).is_some_and(|run| run.contains(&anchor.range.start));
        let before = match anchor.form {
            Form::Plain | Form::Stem => return self.unfinished(here, anchor, limit, progress),
            Form::Tail => {
                self.escapes(here, anchor, anchor.range.clone(), progress);
                if let Some(start) = split::start_before(here.text, anchor.range.start) {
                    self.pieces(here, start, progress);
                }
                return;
            }
            Form::Hex if !is_covered => {
                progress.covered.extend(self.hex(here, anchor.range.start));
                return progress.covered.sort_unstable();
            }
            Form::Base64(before) if !is_covered => before,
            Form::Base64Tail(before) if !is_covered => before + TAIL_CHARS,
            Form::Wide | Form::Hex | Form::Base64(_) | Form::Base64Tail(_) | Form::Trigger => return,
        };
        let (start, missing) = base64::back(here.text, anchor.range.start, before);
        progress.covered.extend(self.base64(here, start, missing).0);
        progress.covered.sort_unstable();
    }

    /// What starts as a key and may go on behind an escape or in another piece.
    fn unfinished(&mut self, here: Here<'_>, anchor: &Anchor, limit: usize, progress: &mut Progress) {
        let start = anchor.range.start;
        let end = start + run_len(&here.text[start..limit]);
        if end == limit && limit < here.text.len() {
            return;
        }
        let found = self.found.len();
        let has_escape = here.text.get(end).is_some_and(|byte| b"%\\&".contains(byte));
        if has_escape || quoted_printable::goes_on(here.text, start, end) {
            self.escapes(here, anchor, start..end, progress);
        }
        let is_own = |hidden: &Hidden| match here.frame {
            None => hidden.range().start == start,
            Some(frame) => {
                frame.outward(&(start..start + 1)).first().is_some_and(|own| hidden.range().start == own.start)
            }
        };
        if self.found[found..].iter().any(is_own) {
            progress.superseded.insert(start);
        } else if here.text.get(end).is_some_and(|byte| b"\"'`\\$#\r\n".contains(byte)) {
            self.pieces(here, start, progress);
        }
    }

    /// Undoes the escapes around `anchor`, whose run of identifier characters is `run`.
    fn escapes(&mut self, here: Here<'_>, anchor: &Anchor, run: Range<usize>, progress: &mut Progress) {
        for (index, format) in FORMATS.iter().enumerate() {
            let near = escape::before(anchor.range.start)..here.text.len().min(run.end + 1);
            let has_lead = memchr::memchr(format.lead, &here.text[near.clone()]).is_some();
            if !has_lead || anchor.range.start < progress.done[index] || self.is_spent() {
                continue;
            }
            let range = format.around(here.text, &anchor.range);
            if memchr::memchr(format.lead, &here.text[range.start..near.end]).is_none() {
                continue;
            }
            progress.done[index] = range.end;
            let layer = format.decode(here.text, range.clone());
            if layer.bytes != here.text[range] {
                self.decoded(here, layer, format.name);
            }
        }
    }

    /// Puts together the pieces that begin at `start`.
    fn pieces(&mut self, here: Here<'_>, start: usize, progress: &mut Progress) {
        let detector = self.detector;
        let key_at = |bytes: &[u8]| {
            let mut key = None;
            detector.search(bytes, &mut |candidate| {
                if candidate.range.start == 0 && candidate.verdict == Verdict::Key {
                    key = Some(candidate);
                }
            });
            key
        };
        let plain_len = run_len(&here.text[start..]);
        let plain = key_at(&here.text[start..start + plain_len]);
        let has_published_len = plain.is_some_and(|key| detector.has_published_len(&key));
        for joined in split::join(here.text, start, &|bytes| key_at(bytes).is_some()) {
            let key = key_at(&joined.layer.bytes).filter(|key| key.range.end > plain_len);
            // What is behind a whole key is no part of it, unless the two are a UUID that was split where another key would end.
            let goes_on =
                |key: &Candidate| joined.is_certain && sample::is_uuid(&joined.layer.bytes[key.range.clone()]);
            let Some(key) = key.filter(|key| !has_published_len || goes_on(key)) else { continue };
            if joined.is_certain && !has_published_len {
                progress.superseded.insert(start);
            }
            let frame = Frame { parent: here.frame, layer: &joined.layer, outer: here.text, name: split::NAME };
            self.emit(&joined.layer.bytes, &frame, &key);
            if !joined.is_certain {
                break;
            }
        }
    }

    /// Looks at every long run of base64 or hexadecimal characters.
    fn runs(&mut self, here: Here<'_>, progress: &mut Progress) {
        let text = here.text;
        let (mut from, mut begun) = (0, 0..0);
        while let Some(range) = runs::next(text, from).filter(|_| !self.is_over()) {
            // An escape before it may be one of several; what was walked once is not walked again.
            let range = base64::behind_escape(text, range.start)..range.end;
            let start = base64::begin(text, range.start, begun.end);
            let start = if start == begun.end && begun.end > 0 { begun.start } else { start };
            begun = start..range.end;
            from = range.end;
            let run = &text[range.clone()];
            if let Some(phase) = hex::is_text(run, &sample::is_texty) {
                progress.covered.extend(self.hex(here, range.start + phase));
            } else if let Some(packing) = sample::hex_packing(run) {
                let (layer, end) = hex::decode(text, range.start, self.budget.left());
                from = from.max(end);
                self.packed(here, layer, (hex::NAME, packing), progress);
            } else if let Some(phase) = base64::is_text(run, &sample::is_texty) {
                let at = range.start + phase;
                let (start, missing) = if start == range.start {
                    (base64::with_line_before(text, at), 0)
                } else {
                    base64::back(text, at, ESCAPED_CHARS)
                };
                let (anchors, end) = self.base64(here, start, missing);
                progress.covered.extend(anchors);
                from = from.max(end);
            } else if let Some(packing) = sample::base64_packing(text, start, &range) {
                let mut reader = base64::Reader::new(text, start, true);
                let layer = base64::decode(&mut reader, 0, self.budget.left());
                from = from.max(reader.at);
                self.packed(here, layer, (base64::NAME, packing), progress);
            }
        }
    }

    fn packed(&mut self, here: Here<'_>, layer: Layer, kind: (&'static str, Packing), progress: &mut Progress) {
        let (found, run) = (self.found.len(), layer.sources(&(0..layer.bytes.len())).pop());
        self.unpack(here, layer, kind);
        progress.packed.extend(run.filter(|_| self.found.len() > found));
    }

    /// Looks for regions in which every character is an escape or a number.
    fn dense(&mut self, here: Here<'_>) -> Vec<usize> {
        let text = here.text;
        let mut covered = Vec::new();
        let mut from = 0;
        while let Some((probe, sight)) = runs::probe(text, from).filter(|_| !self.is_over()) {
            from = probe + 1;
            for format in FORMATS.iter().filter(|format| sight.has_lead(format.lead)) {
                let Some(range) = format.dense(text, probe) else { continue };
                from = from.max(range.end);
                let layer = format.decode(text, range);
                covered.extend(self.decoded(here, layer, format.name));
            }
            if !sight.is_list() {
                continue;
            }
            if let Some(range) = hex::dense(text, probe) {
                from = from.max(range.end);
                covered.extend(self.decoded(here, hex::decode_dense(text, &range), hex::NAME));
            }
            if let Some(range) = decimal::dense(text, probe) {
                from = from.max(range.end);
                covered.extend(self.decoded(here, decimal::decode_dense(text, &range), decimal::NAME));
            }
        }
        covered
    }

    fn hex(&mut self, here: Here<'_>, start: usize) -> Vec<usize> {
        let mut covered = Vec::new();
        if self.is_spent() {
            return covered;
        }
        let digits = here.text[start..].iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        if let Some(covered) = self.literals(here, start..start + digits) {
            return covered;
        }
        let mut at = start;
        loop {
            let (layer, end) = hex::decode(here.text, at, CHUNK_BYTES);
            let is_full = layer.bytes.len() >= CHUNK_BYTES;
            covered.extend(self.decoded(here, layer, hex::NAME));
            if !is_full || self.is_over() || self.budget.left() == 0 {
                return covered;
            }
            at = end - CHUNK_OVERLAP_BYTES * 2;
        }
    }

    /// Decodes what stands at `first` and goes on in literals beside it, if something is in that; gives where anchors stand.
    fn literals(&mut self, here: Here<'_>, first: Range<usize>) -> Option<Vec<usize>> {
        let joined = split::literals(here.text, first.start, first.end)?;
        if !self.budget.spend(joined.layer.bytes.len()) {
            return None;
        }
        let found = self.found.len();
        let frame = Frame { parent: here.frame, layer: &joined.layer, outer: here.text, name: split::NAME };
        let (anchors, _) = self.text(Here { text: &joined.layer.bytes, frame: Some(&frame), depth: here.depth });
        let source = |&at: &usize| joined.layer.sources(&(at..at + 1)).first().map(|source| source.start);
        (self.found.len() > found).then(|| anchors.iter().filter_map(source).collect())
    }

    /// Inflates what `layer` decoded and searches that.
    fn unpack(&mut self, here: Here<'_>, layer: Layer, (name, packing): (&'static str, Packing)) {
        if here.depth + 2 > self.budget.bounds.depth {
            self.budget.cut(Cut::Depth);
            return;
        }
        if !self.budget.spend(layer.bytes.len()) {
            return;
        }
        let source = layer.sources(&(0..layer.bytes.len())).pop().unwrap_or_default();
        let unpacked = packing.unpack(&layer.bytes, self.budget.left());
        if !self.budget.spend(unpacked.bytes.len()) || unpacked.end == End::Limit {
            self.budget.cut(Cut::Bytes);
        }
        let is_cut = self.budget.goes_on && unpacked.end == End::Damaged;
        if is_cut && here.frame.is_none() && source.end == here.text.len() {
            self.budget.cut(Cut::Seam);
        }
        let outer = Layer::whole(layer.bytes, source);
        let outer_frame = Frame { parent: here.frame, layer: &outer, outer: here.text, name };
        let whole = 0..outer.bytes.len();
        let inner = Layer::whole(unpacked.bytes, whole);
        let inner_frame =
            Frame { parent: Some(&outer_frame), layer: &inner, outer: &outer.bytes, name: packing.name() };
        self.text(Here { text: &inner.bytes, frame: Some(&inner_frame), depth: here.depth + 2 });
    }

    /// Searches what one step of decoding gave; says where in `text` anchors in it stand.
    fn decoded(&mut self, here: Here<'_>, layer: Layer, name: &'static str) -> Vec<usize> {
        if layer.bytes.is_empty() {
            return Vec::new();
        }
        if here.depth >= self.budget.bounds.depth {
            self.budget.cut(Cut::Depth);
            return Vec::new();
        }
        if !self.budget.spend(layer.bytes.len()) {
            return Vec::new();
        }
        if let Some(packing) = Packing::named(&layer.bytes) {
            self.unpack(here, layer, (name, packing));
            return Vec::new();
        }
        let frame = Frame { parent: here.frame, layer: &layer, outer: here.text, name };
        let form = TextForm::of(&layer.bytes);
        if let Some(name) = form.name() {
            let mut wide = Layer::at(0);
            let mut at = 0;
            for (character, len) in form.characters(&layer.bytes) {
                wide.push_char(character, &(at..at + len));
                at += len;
            }
            let frame = Frame { parent: Some(&frame), layer: &wide, outer: &layer.bytes, name };
            self.text(Here { text: &wide.bytes, frame: Some(&frame), depth: here.depth + 1 });
            return Vec::new();
        }
        let (anchors, _) = self.text(Here { text: &layer.bytes, frame: Some(&frame), depth: here.depth + 1 });
        anchors.iter().filter_map(|&at| layer.sources(&(at..at + 1)).first().map(|source| source.start)).collect()
    }
}
