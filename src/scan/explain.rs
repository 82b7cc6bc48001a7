//! Why a file is on its side, key or not.
//!
//! The file is read as a scan reads it, as far as its first window.

use super::graphs::Graphs;
use super::ground::{Disk, Ground as _};
use super::inspect::shown;
use super::overrides::Overrides;
use super::{Selection, target};
use crate::blob::{Blob, Visit, Visitor, Window};
use crate::classify::Classifier;
use crate::detect::{Decoded, Detector, Form, mask};
use crate::rule::Rules;
use crate::side::{Account, Judgement, Piece, Section, Side};
use anyhow::{Result, bail};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// What it is worth who imports a file: more than a manifest, less than what the file says itself.
const IMPORTERS_WEIGHT: u32 = 59;

/// The account of one file.
#[derive(Debug)]
pub struct Explanation {
    /// Its path, as reports show it.
    pub path: String,
    /// Its side, and why.
    pub account: Account,
}

/// What a configuration is worth: it is the last word.
const SET_WEIGHT: u32 = 1_000;

/// The account of each of `paths`, or why there is none: it does not exist, is no regular file or cannot be read.
/// `overrides` gives the sides that are set around one.
///
/// # Errors
/// Rules that contradict themselves.
pub fn explain(
    paths: &[PathBuf],
    rules: &Rules,
    overrides: &dyn Fn(&Path) -> Result<Overrides>,
) -> Result<Vec<Result<Explanation>>> {
    let classifier = Arc::new(Classifier::new(&rules.sides)?);
    let detector = Detector::new(rules)?;
    let told = |path: &PathBuf| {
        let explanation = one(path, &classifier, &detector)?;
        Ok(match overrides(path)?.of(&explanation.path) {
            Some((side, why)) => set(explanation, side, why),
            None => explanation,
        })
    };
    Ok(paths.iter().map(told).collect())
}

/// `explanation` of a file whose side is set by the configuration.
fn set(explanation: Explanation, side: Side, why: String) -> Explanation {
    let mut account = explanation.account;
    account.pieces.insert(0, Piece { side, weight: SET_WEIGHT, why });
    account.side = Some(side);
    account.places.iter_mut().for_each(|place| place.side = side);
    Explanation { account, ..explanation }
}

fn one(path: &Path, classifier: &Arc<Classifier>, detector: &Detector) -> Result<Explanation> {
    if path.is_dir() {
        bail!("{}: a folder has no side; name a file", path.display());
    }
    let targets = target::of_paths(&[path.to_owned()])?;
    let Some((target, file)) = targets.iter().find_map(|target| Some((target, target.files.as_deref()?.first()?)))
    else {
        bail!("{}: cannot be read", path.display());
    };
    let ground = Disk::new(target, Selection::Every)?;
    let first = First::default();
    target.tree.files(std::slice::from_ref(file), &first);
    let name = file.as_os_str().as_encoded_bytes();
    let found = first.found.into_inner().unwrap_or_else(PoisonError::into_inner);
    let text = match found {
        Some(Ok(text)) => text,
        Some(Err(reason)) => bail!("{}: {reason}", path.display()),
        None => bail!("{}: not a regular file", path.display()),
    };
    let facts = ground.facts(classifier, name);
    let prepared = classifier.prepare(&ground.below_top(name), &text, crate::blob::Part::Start, &facts);
    let mut account = prepared.account(&text);
    if let Some(side) = account.side.filter(|_| prepared.is_open(&text, &(0..0))) {
        let judged = ground.decide(classifier, &Graphs::default(), name, Judgement::new(side, Vec::new()));
        let told = judged.evidence.into_iter().map(|why| Piece { side: judged.side, weight: IMPORTERS_WEIGHT, why });
        account.pieces.splice(0..0, told);
        account.side = Some(judged.side);
    }
    let account = masked(detector, account);
    Ok(Explanation { path: shown(detector, ground.prefix(), name), account })
}

/// Names in the account come from the file and those around it, and may themselves be keys.
fn masked(detector: &Detector, account: Account) -> Account {
    let clean = |text: String| if detector.any(text.as_bytes()) { mask(detector, text.as_bytes()) } else { text };
    let piece = |piece: Piece| Piece { why: clean(piece.why), ..piece };
    let place = |place: Section| Section {
        variable: place.variable.map(clean),
        evidence: place.evidence.into_iter().map(clean).collect(),
        ..place
    };
    Account {
        pieces: account.pieces.into_iter().map(piece).collect(),
        places: account.places.into_iter().map(place).collect(),
        ..account
    }
}

/// Keeps the first window of a file, or why there is none.
#[derive(Default)]
struct First {
    found: Mutex<Option<Result<Vec<u8>, String>>>,
}

impl Visit for First {
    fn visitor(&self) -> Box<dyn Visitor + '_> {
        Box::new(Keeper(self))
    }
}

struct Keeper<'f>(&'f First);

impl Keeper<'_> {
    fn keep(&self, found: Result<Vec<u8>, String>) {
        *self.0.found.lock().unwrap_or_else(PoisonError::into_inner) = Some(found);
    }
}

impl Visitor for Keeper<'_> {
    fn wants(&mut self, _: &[u8]) -> bool {
        true
    }

    fn name(&mut self, _: &[u8]) {}

    fn blob(&mut self, blob: Blob<'_>) {
        if blob.origin != crate::blob::Origin::File {
            return;
        }
        let found = match blob.windows.next() {
            Ok(Some(window)) => Ok(decoded(&window)),
            Ok(None) => Ok(Vec::new()),
            Err(error) => Err(error.to_string()),
        };
        self.keep(found);
    }

    fn left_out(&mut self, _: &[u8], reason: &str) {
        self.keep(Err(reason.to_owned()));
    }

    fn skipped(&mut self, what: &'static str) {
        self.keep(Err(format!("not a regular file, but a {what}")));
    }
}

/// The text of a window, UTF-16 decoded.
fn decoded(window: &Window<'_>) -> Vec<u8> {
    match Form::of(window.bytes) {
        Form::Utf8 => window.bytes.to_vec(),
        form => Decoded::new(form, window.bytes, window.bytes.len()).text.into_bytes(),
    }
}
