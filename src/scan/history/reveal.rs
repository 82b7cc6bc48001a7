//! From objects with something in them to keys, not yet placed.
//!
//! Texts of commits and tags are findings at once; blobs and names in trees still need to know where they stood.

use super::super::Shared;
use super::super::batch::Batch;
use super::super::ground::Bare;
use super::super::inspect::Inspector;
use super::super::reading::Reading;
use super::Repository;
use crate::blob::{Blob, Origin, Visitor as _, Whole};
use crate::detect::{Detector, Form};
use crate::finding::Finding;
use crate::source::history::{Content, Hit, Pairs, Part, Place, Seams, Search, entries_of, object_name};
use crate::unpack;
use gix_hash::ObjectId;
use gix_object::Kind;
use rayon::prelude::*;

/// What a sweep looks for.
pub(super) struct Needles<'d> {
    detector: &'d Detector,
    pairs: Pairs,
}

impl<'d> Needles<'d> {
    pub fn new(detector: &'d Detector) -> Self {
        Self { detector, pairs: detector.pairs().collect() }
    }
}

impl Search for Needles<'_> {
    fn any(&self, bytes: &[u8]) -> bool {
        self.detector.any(bytes)
    }

    fn any_part(&self, start: &[u8], bytes: &[u8]) -> bool {
        Form::of(start) != Form::Utf8 || self.detector.any_in(Form::Utf8, bytes)
    }

    fn seams(&self) -> Seams<'_> {
        let (reach, run_min) = (self.detector.reach().saturating_sub(1), self.detector.run_min());
        Seams { reach, pairs: &self.pairs, run_min, parts: &PARTS }
    }

    fn opens(&self, start: &[u8], end: &[u8], bytes: u64) -> bool {
        unpack::opens(start)
            || unpack::has_zip_end(end)
            || (bytes <= super::bundle::POINTER_BYTES_MAX && super::bundle::is_pointer(start))
    }
}

/// What encodings are written in. A delta may change a run of them at one end and leave what it starts with to the base.
const PARTS: [Part; 256] = {
    let mut parts = [Part::NONE; 256];
    let mut byte = 0;
    while byte < 128_u8 {
        parts[byte as usize] = match byte {
            b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F' | b'x' | b'X' | b'-' | b';' | b'\\' => Part::BOTH,
            b' ' | b',' | b':' | b'\t' | b'\r' | b'\n' => Part::LIST,
            b'+' | b'/' | b'=' | b'_' | b'%' | b'&' | b'#' | b'{' | b'}' => Part::RUN,
            byte if byte.is_ascii_alphabetic() => Part::RUN,
            _ => Part::NONE,
        };
        byte += 1;
    }
    parts
};

/// A blob that holds keys, and what was found in it, not judged.
pub(super) struct Held {
    pub id: ObjectId,
    pub place: Place,
    pub findings: Vec<Finding>,
}

/// A name of an entry, and the keys in it.
pub(super) type Named = (Vec<u8>, Vec<Finding>);

/// What the hits of a sweep hold.
#[derive(Default)]
pub(super) struct Revealed {
    /// Blobs with keys, sorted by name.
    pub blobs: Vec<Held>,
    /// Trees with keys in names of entries.
    pub names: Vec<(ObjectId, Named)>,
    /// Keys in commits and tags, with the object.
    pub texts: Vec<(ObjectId, Vec<Finding>)>,
    /// Blobs that are bundles.
    pub bundles: Vec<(ObjectId, Place)>,
    /// Blobs that stand for a file that LFS keeps, by the name it is kept under.
    pub pointers: Vec<String>,
}

impl Revealed {
    /// The blobs with keys, then the trees with keys in names of entries, each once, then the bundles.
    pub fn targets(&self) -> Vec<ObjectId> {
        let mut trees: Vec<ObjectId> = self.names.iter().map(|(id, _)| *id).collect();
        trees.sort_unstable();
        trees.dedup();
        let bundles = self.bundles.iter().map(|bundle| bundle.0);
        self.blobs.iter().map(|held| held.id).chain(trees).chain(bundles).collect()
    }
}

/// Reads every hit.
pub(super) fn reveal(repository: &Repository<'_>, hits: &[Hit]) -> Revealed {
    let parts: Vec<(Revealed, Batch)> = hits.par_iter().map(|hit| one(repository, hit)).collect();
    let mut revealed = Revealed::default();
    let mut collected = repository.shared.collected();
    for (part, batch) in parts {
        revealed.blobs.extend(part.blobs);
        revealed.names.extend(part.names);
        revealed.texts.extend(part.texts);
        revealed.bundles.extend(part.bundles);
        revealed.pointers.extend(part.pointers);
        collected.merge(batch);
    }
    revealed
}

fn one(repository: &Repository<'_>, hit: &Hit) -> (Revealed, Batch) {
    let mut revealed = Revealed::default();
    let mut batch = Batch::default();
    let Some(mut content) = repository.store.content(&hit.id, hit.place) else {
        batch.leave_out(repository.shown(object_name(&hit.id).as_bytes()), "damaged object");
        return (revealed, batch);
    };
    match hit.kind {
        Kind::Blob => {
            if let Content::Whole { bytes, .. } = &content {
                if super::bundle::is_bundle(bytes) {
                    revealed.bundles.push((hit.id, hit.place));
                }
                revealed.pointers.extend(super::bundle::pointer(bytes));
            }
            let findings = look(repository, Origin::Blob, &hit.id, &mut content, &mut batch);
            if !findings.is_empty() {
                revealed.blobs.push(Held { id: hit.id, place: hit.place, findings });
            }
        }
        Kind::Tree => {
            let Content::Whole { bytes, .. } = &content else { return (revealed, batch) };
            for name in entries_of(bytes, repository.store.object_hash()) {
                if repository.shared.detector.any(&name) {
                    let found = in_name(repository.shared, &name, &mut batch);
                    if !found.is_empty() {
                        revealed.names.push((hit.id, (name, found)));
                    }
                }
            }
        }
        Kind::Commit | Kind::Tag => {
            let origin = if hit.kind == Kind::Commit { Origin::Commit } else { Origin::Tag };
            let found = look(repository, origin, &hit.id, &mut content, &mut batch);
            if !found.is_empty() {
                revealed.texts.push((hit.id, found));
            }
        }
    }
    (revealed, batch)
}

/// Every key in an object, not judged; what else there is to say goes to `batch`.
fn look(
    repository: &Repository<'_>,
    origin: Origin,
    id: &ObjectId,
    content: &mut Content<'_>,
    batch: &mut Batch,
) -> Vec<Finding> {
    let ground = Bare::unjudged(repository.prefix.to_vec());
    let mut inspector = Inspector::new(repository.shared, &ground);
    let path = super::place::object_path(origin, id);
    inspector.blob(Blob { origin, path: &path, windows: content });
    let mut found = inspector.take();
    let findings = std::mem::take(&mut found.findings);
    batch.merge(found);
    findings
}

/// Every key in the name of an entry, without a path.
fn in_name(shared: &Shared<'_>, name: &[u8], batch: &mut Batch) -> Vec<Finding> {
    let ground = Bare::unjudged(Vec::new());
    let mut reading = Reading::new(shared, &ground, Origin::TreeEntry, name);
    if reading.read(&mut Whole::new(name)).is_err() {
        return Vec::new();
    }
    reading.count_rejected("", batch);
    reading.findings("", &std::collections::BTreeMap::new())
}
