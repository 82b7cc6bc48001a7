//! Opens the blobs that are archives, and reads what is in them as if each member were a file.
//!
//! How formats are read is `unpack`'s; here texts become findings at paths such as `app.apk!/assets/x`.

use super::history::bundle;
use super::inspect::{Inspector, shown};
use super::original;
use super::reading::Reading;
use crate::blob::{Blob, Origin, ReadAt, Visitor as _, Whole, Window, Windows};
use crate::detect::{Cursor, Form};
use crate::finding::Position;
use crate::unpack::{self, Ending, Inner, Kind, Piece, START_BYTES, Unpacker, kind_by_end};
use std::collections::{BTreeMap, BTreeSet};
use std::io;

/// Bytes of an archive that comes as a stream and has to be kept.
const KEPT_BYTES_MAX: usize = 96 << 20;
/// Bytes of a bundle, which is held whole.
const BUNDLE_BYTES_MAX: u64 = 256 << 20;
/// Findings of one archive.
const FINDINGS_MAX: usize = 100_000;
/// Bytes read at once where lines are counted.
const CHUNK_BYTES: usize = 64 * 1024;

/// Windows that are watched for what the blob is.
pub(super) struct Watch<'w> {
    inner: &'w mut dyn Windows,
    path: &'w [u8],
    kind: Option<Kind>,
    kept: Option<Vec<u8>>,
}

/// What a blob was seen to be.
pub(super) struct Seen {
    kind: Kind,
    /// All of it, where it cannot be read again; cut where that is too much.
    kept: Option<Vec<u8>>,
}

impl<'w> Watch<'w> {
    pub fn new(inner: &'w mut dyn Windows, path: &'w [u8]) -> Self {
        Self { inner, path, kind: None, kept: None }
    }

    /// What it is, if it is a container.
    pub fn seen(self) -> Option<Seen> {
        self.kind.map(|kind| Seen { kind, kept: self.kept })
    }
}

impl Windows for Watch<'_> {
    fn next(&mut self) -> io::Result<Option<Window<'_>>> {
        let is_kept = self.inner.random().is_none();
        let Some(window) = self.inner.next()? else { return Ok(None) };
        if window.offset == 0 {
            self.kind = Kind::of(&window.bytes[..window.bytes.len().min(START_BYTES)], self.path);
        }
        if window.last && self.kind.is_none() {
            self.kind = kind_by_end(window.bytes).filter(|_| !is_kept || window.offset == 0);
        }
        if is_kept && self.kind.is_some() {
            let kept = self.kept.get_or_insert_default();
            if kept.len() <= KEPT_BYTES_MAX {
                let new = usize::try_from(kept.len() as u64 - window.offset).unwrap_or(usize::MAX);
                kept.extend_from_slice(window.bytes.get(new..).unwrap_or_default());
            }
        }
        Ok(Some(window))
    }

    fn rewind(&mut self) -> io::Result<bool> {
        self.inner.rewind()
    }

    fn changed(&self) -> Option<&'static str> {
        self.inner.changed()
    }
}

/// Opens `blob`, whose own bytes `reading` has read.
pub(super) fn open(inspector: &mut Inspector<'_>, blob: &Blob<'_>, seen: &Seen, reading: &mut Reading<'_>) {
    let limits = inspector.shared.options.limits;
    if !matches!(blob.origin, Origin::File | Origin::Stdin | Origin::Blob | Origin::Lfs) || limits.depth == 0 {
        return;
    }
    let kept = seen.kept.as_deref().unwrap_or_default();
    let input: &dyn ReadAt = match blob.windows.random() {
        Some(input) => input,
        None if kept.len() > KEPT_BYTES_MAX => {
            return inspector.left_out(blob.path, "an archive too large to be opened from a stream");
        }
        None => &kept,
    };
    let mut opening = Opening {
        shared: inspector.shared,
        inspector,
        origin: blob.origin,
        path: blob.path,
        known: BTreeSet::new(),
        folders: BTreeSet::new(),
        lines: None,
        findings: 0,
    };
    let mut unpacker = Unpacker::new(&mut opening, limits, input.size());
    let covered = unpacker.open(seen.kind, blob.path, input);
    reading.yield_to(&covered, &opening.known);
}

/// What is in one blob, while it is opened.
struct Opening<'s, 'i, 'o> {
    shared: &'s super::Shared<'s>,
    inspector: &'i mut Inspector<'s>,
    origin: Origin,
    path: &'o [u8],
    /// Keys found in members, by fingerprint.
    known: BTreeSet<String>,
    /// Folders in it whose names were read because something may stand there.
    folders: BTreeSet<Vec<u8>>,
    /// Lines counted last: of which container, and how far.
    lines: Option<(Vec<u8>, Cursor, u64)>,
    findings: usize,
}

impl<'s: 'o, 'o> unpack::Visitor for Opening<'s, '_, 'o> {
    type Text = Reading<'o>;

    fn text(&mut self, inner: &Inner) -> Reading<'o> {
        self.reading(self.origin, inner)
    }

    fn end(&mut self, inner: &Inner, mut text: Reading<'o>, ending: Ending<'_>) {
        if let Some(fault) = text.fault() {
            self.left_out(inner, &fault);
        }
        if let Some(bytes) = ending.bytes.filter(|_| ending.covered.is_none()) {
            original::tell(self.shared, &mut text, &inner.shown, bytes);
        }
        match ending.covered {
            Some(covered) => text.yield_to(covered, &self.known),
            None => self.known.extend(text.fingerprints().map(str::to_owned)),
        }
        self.finish(inner, text);
    }

    fn name(&mut self, inner: &Inner) {
        let start = memchr::memmem::rfind(&inner.shown, b"!/").map_or(0, |at| at + 2);
        if !self.shared.detector.any(&inner.shown[start..]) {
            return;
        }
        // Each folder is a name of its own, told once however much is in it.
        let ends = memchr::memchr_iter(b'/', &inner.shown[start..]).map(|at| start + at);
        let mut from = start;
        for end in ends.chain(std::iter::once(inner.shown.len())) {
            let (part, above) = (&inner.shown[from..end], &inner.shown[..end]);
            from = end + 1;
            let is_folder = end < inner.shown.len();
            if !self.shared.detector.any(part) || (is_folder && !self.folders.insert(above.to_vec())) {
                continue;
            }
            let mut reading = self.reading(Origin::TreeEntry, inner);
            if reading.read(&mut Whole::new(part)).is_ok() {
                self.known.extend(reading.fingerprints().map(str::to_owned));
                self.finish(inner, reading);
            }
        }
    }

    fn piece(&mut self, inner: &Inner, input: &dyn ReadAt, piece: Piece<'_>) -> bool {
        if !self.shared.detector.any(piece.bytes) {
            return false;
        }
        let mut reading = self.reading(self.origin, inner);
        if let Err(error) = reading.read(&mut Whole::new(piece.bytes)) {
            self.left_out(inner, &error.to_string());
        }
        let base = self.position(inner, input, piece.offset);
        reading.shift(base, piece.encoding);
        self.finish(inner, reading);
        true
    }

    fn pack(&mut self, inner: &Inner, input: &dyn ReadAt, offset: u64, left: u64) -> Result<u64, String> {
        let is_bundle = offset > 0;
        if !self.inspector.ground.opens_packs(is_bundle && inner.shown == self.path) {
            return Ok(0);
        }
        let kept;
        let bytes = if let Some(bytes) = input.whole() {
            bytes
        } else {
            if input.size() > BUNDLE_BYTES_MAX {
                return Err("too large to be opened".into());
            }
            kept = all(input).map_err(|error| error.to_string())?;
            &kept
        };
        let prefix = [self.inspector.ground.prefix(), &inner.shown, b"!/"].concat();
        let apart = self.shared.apart();
        let spent = bundle::scanned(&apart, &prefix, (bytes, is_bundle), left);
        self.inspector.batch.merge(apart.into_batch());
        Ok(spent)
    }

    fn left_out(&mut self, inner: &Inner, reason: &str) {
        self.inspector.left_out(&inner.shown, reason);
    }
}

impl<'s: 'o, 'o> Opening<'s, '_, 'o> {
    fn reading(&self, origin: Origin, inner: &Inner) -> Reading<'o> {
        Reading::new(self.shared, self.inspector.ground, origin, self.path).inside(inner.clone())
    }

    /// Takes what was found at `inner`.
    fn finish(&mut self, inner: &Inner, reading: Reading<'_>) {
        if reading.is_empty() {
            return;
        }
        let before = self.inspector.batch.findings.len();
        if self.findings > FINDINGS_MAX {
            return;
        }
        let path = shown(&self.shared.detector, self.inspector.ground.prefix(), &inner.shown);
        reading.finish(&path, &BTreeMap::new(), &mut self.inspector.batch);
        self.findings += self.inspector.batch.findings.len() - before;
        if self.findings > FINDINGS_MAX {
            self.inspector
                .left_out(self.path, &format!("more than {FINDINGS_MAX} findings in it; the rest was not reported"));
        }
    }

    /// The line and column of `offset` in `input`, the container at `inner`.
    fn position(&mut self, inner: &Inner, input: &dyn ReadAt, offset: u64) -> Position {
        let known = self.lines.take().filter(|(path, _, counted)| *path == inner.shown && *counted <= offset);
        let (path, mut cursor, mut counted) =
            known.unwrap_or_else(|| (inner.shown.clone(), Cursor::new(Form::Utf8), 0));
        let mut buffer = vec![0; CHUNK_BYTES];
        while counted < offset {
            let len = usize::try_from(offset - counted).map_or(CHUNK_BYTES, |left| left.min(CHUNK_BYTES));
            let Ok(read @ 1..) = input.read_at(&mut buffer[..len], counted) else { break };
            cursor.advance(&buffer[..read]);
            counted += read as u64;
        }
        self.lines = Some((path, cursor, counted));
        cursor.position()
    }
}

fn all(input: &dyn ReadAt) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    while (bytes.len() as u64) < input.size() {
        let filled = bytes.len();
        bytes.resize(filled + CHUNK_BYTES, 0);
        let read = input.read_at(&mut bytes[filled..], filled as u64)?;
        bytes.truncate(filled + read);
        if read == 0 {
            break;
        }
    }
    Ok(bytes)
}
