//! Text that a window gave, and what is judged in it.

use super::Shared;
use super::ground::Ground;
use crate::blob::Window;
use crate::classify::{Passed, Prepared};
use crate::detect::{Cursor, Detector, mask};
use crate::side::{Facts, Judgement, Step};
use crate::unpack::Inner;
use std::cell::OnceCell;
use std::io;
use std::ops::Range;

/// Text that a window gave, as the detector searched it.
pub(super) struct Text<'t, 'c> {
    pub window: Window<'t>,
    /// The cursor at its start.
    pub cursor: Cursor,
    pub encoding: Option<&'static str>,
    prepared: OnceCell<Prepared<'c>>,
    passed: OnceCell<Passed>,
}

impl<'t, 'c> Text<'t, 'c> {
    pub const fn new(window: Window<'t>, cursor: Cursor, encoding: Option<&'static str>) -> Self {
        Self { window, cursor, encoding, prepared: OnceCell::new(), passed: OnceCell::new() }
    }

    /// What holds for the whole text, gathered once.
    pub fn prepared(
        &self,
        shared: &'c Shared<'_>,
        ground: &dyn Ground,
        (path, inner): (&[u8], Option<&Inner>),
    ) -> io::Result<&Prepared<'c>> {
        if self.prepared.get().is_none() {
            let classifier = shared.classifier()?;
            let (judged, facts) = match inner {
                // What stands around an archive says nothing of what is in it.
                Some(inner) if !inner.is_outside => {
                    (String::from_utf8_lossy(&inner.judged).into_owned(), Facts::default())
                }
                inner => {
                    let path = inner.map_or(path, |inner| &inner.judged);
                    (ground.below_top(path), ground.facts(classifier, path))
                }
            };
            let prepared = classifier.prepare(&judged, self.window.bytes, self.window.part(), &facts);
            // It was empty a line ago, and no other thread has it.
            let _ = self.prepared.set(prepared);
        }
        self.prepared.get().ok_or_else(|| io::Error::other("nothing is known of it"))
    }

    /// The judgement of what stands at `range`.
    pub fn judge(
        &self,
        shared: &'c Shared<'_>,
        ground: &dyn Ground,
        (path, inner): (&[u8], Option<&Inner>),
        range: &Range<usize>,
    ) -> io::Result<Judgement> {
        let bytes = self.window.bytes;
        let prepared = self.prepared(shared, ground, (path, inner))?;
        let mut judgement = prepared.judge_in(bytes, range);
        let is_given = inner.is_none() && judgement.property.is_some();
        if is_given {
            judgement = ground.decide(shared.classifier()?, &shared.graphs, path, judgement);
        }
        let is_decided = is_given && judgement.side.reaches_client();
        if inner.is_none() && !is_decided && prepared.is_open(bytes, range) {
            judgement = ground.decide(shared.classifier()?, &shared.graphs, path, judgement);
        }
        Ok(mask_judgement(&shared.detector, judgement))
    }

    /// The judgement of the key at `key`, and what it is given to.
    pub fn judge_key(
        &self,
        shared: &'c Shared<'_>,
        ground: &dyn Ground,
        whence: (&[u8], Option<&Inner>),
        key: &Range<usize>,
    ) -> io::Result<Judgement> {
        let mut judgement = self.judge(shared, ground, whence, key)?;
        let calls = shared.calls()?;
        let bytes = self.window.bytes;
        let passed = self.passed.get_or_init(|| calls.passed(bytes));
        judgement.given_as = calls.given_as(passed, bytes, key);
        if let Some(name) = &judgement.given_as {
            judgement.evidence.insert(0, format!("it is given to `{name}`, which takes another kind of key"));
        }
        Ok(mask_judgement(&shared.detector, judgement))
    }
}

/// Names in the evidence come from scanned files, and may themselves be keys.
fn mask_judgement(detector: &Detector, judgement: Judgement) -> Judgement {
    let clean = |text: String| if detector.any(text.as_bytes()) { mask(detector, text.as_bytes()) } else { text };
    Judgement {
        side: judgement.side,
        evidence: judgement.evidence.into_iter().map(clean).collect(),
        public_variable: judgement.public_variable.map(clean),
        chain: judgement.chain.into_iter().map(|step| Step { path: clean(step.path), ..step }).collect(),
        given_as: judgement.given_as,
        overruled: judgement.overruled,
        property: None,
    }
}
