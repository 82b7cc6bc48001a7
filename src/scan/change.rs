//! What a change adds: the index against `HEAD`, or a range of commits against where it starts.
//!
//! A key that the older side already holds at its path, or at the path it was renamed from, is reported as not new.

mod added;
mod past;
mod push;
mod range;
mod staged;
mod walk;
mod worse;

pub(super) use push::run as push;
pub use push::{Push, Update, Updates};
pub use range::Range;
pub(super) use range::run as range;
pub(super) use staged::run as staged;
pub use staged::{NOTHING_STAGED, Part};
pub use worse::brought_into_clients;

use super::Shared;
use super::batch::Batch;
use super::decide::Standing;
use super::graphs::Graphs;
use super::ground::{Ground, folder_of};
use super::inspect::{Inspector, shown};
use super::reading::Reading;
use crate::blob::{Blob, Origin, Visitor as _, Whole};
use crate::classify::Classifier;
use crate::finding::Finding;
use crate::side::{Facts, Judgement, Wanted};
use crate::source::change::Change;
use crate::source::history::{Top, TreeFacts};
use crate::source::objects::{Objects, Odb};
use crate::source::repository::{Checkout, HookEnvironment};
use anyhow::{Result, bail};
use gix_hash::ObjectId;
use gix_object::Kind;
use rayon::prelude::*;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Which repository a change is in, and how it is read.
#[derive(Clone, Debug, Default)]
pub struct ChangeOptions {
    /// A folder in it; the current one if empty.
    pub folder: PathBuf,
    /// What git said to its hook.
    pub environment: HookEnvironment,
    /// Whether object stores outside it are read where it names them as alternates.
    pub follow_alternates: bool,
}

/// The repository of a change, open.
struct Place<'s> {
    shared: &'s Shared<'s>,
    checkout: Checkout,
    objects: Objects,
}

impl<'s> Place<'s> {
    /// # Errors
    /// No repository, or none whose objects can be opened.
    fn open(shared: &'s Shared<'s>, options: &ChangeOptions) -> Result<Self> {
        let folder = if options.folder.as_os_str().is_empty() { Path::new(".") } else { &options.folder };
        let opened = Checkout::open(folder, &options.environment).and_then(|checkout| {
            let (objects, faults) = checkout.objects(options.follow_alternates)?;
            Ok((checkout, objects, faults))
        });
        let (checkout, objects, faults) = match opened {
            Ok(opened) => opened,
            Err(reason) => bail!("{reason}"),
        };
        for (path, reason) in &faults {
            shared.leave_out(&[b".git/", path.as_bytes()].concat(), reason);
        }
        for name in checkout.unknown() {
            shared.leave_out(
                b".git/config",
                &format!("the extension {name} is not known; what it changes may not be read"),
            );
        }
        shared.found_repository();
        Ok(Self { shared, checkout, objects })
    }

    fn facts(&self) -> TreeFacts<'_> {
        let shared = self.shared;
        // The rules of sides are compiled only once something is found.
        let wanted = || Some(Arc::clone(shared.classifier().ok()?) as Arc<dyn Wanted>);
        TreeFacts::new(&self.objects, Box::new(wanted))
    }

    /// The tree of the commit called `id`; the error is a short sentence.
    fn tree_of(&self, id: &ObjectId) -> Result<ObjectId, String> {
        let mut bytes = Vec::new();
        let kind = self.objects.read(id, &mut bytes)?;
        let commit =
            kind.filter(|kind| *kind == Kind::Commit).and_then(|_| crate::source::history::Commit::read(id, &bytes));
        commit.map(|commit| commit.tree).ok_or_else(|| format!("commit {id} is not in this repository"))
    }

    /// Every key in the blob called `id` at `path`, judged in its tree; `origin` is that of the findings.
    fn blob(&self, path: &[u8], id: &ObjectId, ground: &dyn Ground, origin: Origin) -> (Vec<Finding>, Batch) {
        let mut inspector = Inspector::new(self.shared, ground);
        let mut bytes = Vec::new();
        match self.objects.read(id, &mut bytes) {
            Ok(Some(_)) => {
                inspector.blob(Blob { origin: Origin::Blob, path, windows: &mut Whole::new(&bytes) });
            }
            Ok(None) => inspector.left_out(path, "its content is not in the object store"),
            Err(reason) => self.large(path, id, &reason, &mut inspector),
        }
        let mut batch = inspector.take();
        batch.coverage.objects += 1;
        batch.coverage.bytes += bytes.len() as u64;
        let mut findings = std::mem::take(&mut batch.findings);
        let blob = id.to_hex().to_string();
        for finding in &mut findings {
            if finding.origin == Origin::Blob && finding.history.is_none() {
                finding.origin = origin;
            }
            for place in &mut finding.places {
                place.blob.get_or_insert_with(|| blob.clone());
            }
        }
        (findings, batch)
    }

    /// A blob that was not read for `reason`, if only for its size as a stream.
    fn large(&self, path: &[u8], id: &ObjectId, reason: &str, inspector: &mut Inspector<'_>) {
        let folders: Vec<_> = self.objects.folders().filter_map(|folder| folder.folder(Path::new("")).ok()).collect();
        let files = crate::source::history::Files::open(folders, self.objects.object_hash());
        let store = crate::source::history::Store::new(&files, &crate::source::history::Bounds::new(files.bytes()));
        let content = store.find(id).and_then(|place| store.content(id, place));
        match content {
            Some(mut content) => inspector.blob(Blob { origin: Origin::Blob, path, windows: &mut content }),
            None => inspector.left_out(path, reason),
        }
    }

    /// Keys in the last part of `path`.
    fn name(&self, path: &[u8]) -> (Vec<Finding>, Batch) {
        let name = memchr::memrchr(b'/', path).map_or(path, |slash| &path[slash + 1..]);
        let mut batch = Batch::default();
        if !self.shared.detector.any(name) {
            return (Vec::new(), batch);
        }
        let ground = InTree { facts: None, top: None };
        let mut reading = Reading::new(self.shared, &ground, Origin::TreeEntry, path);
        if reading.read(&mut Whole::new(name)).is_err() {
            return (Vec::new(), batch);
        }
        let path = shown(&self.shared.detector, b"", path);
        reading.count_rejected(&path, &mut batch);
        (reading.findings(&path, &BTreeMap::new()), batch)
    }
}

/// Says what of a comparison was not looked at.
fn leave_out_of(shared: &Shared<'_>, changes: &crate::source::change::Changes) {
    for id in &changes.missing {
        let path = [b".git/", crate::source::history::object_name(id).as_bytes()].concat();
        shared.leave_out(&path, "a tree that is not in the object store");
    }
    if changes.is_cut {
        shared.leave_out(b".", "more files differ than are looked at");
    }
}

/// What surrounds a path in a tree of the store, or in the index.
struct InTree<'t> {
    facts: Option<&'t TreeFacts<'t>>,
    top: Option<Top<'t>>,
}

impl Ground for InTree<'_> {
    fn prefix(&self) -> &[u8] {
        b""
    }

    fn below_top(&self, path: &[u8]) -> String {
        String::from_utf8_lossy(path).into_owned()
    }

    fn wants(&self, _: &[u8]) -> bool {
        true
    }

    fn facts(&self, _: &Arc<Classifier>, path: &[u8]) -> Facts {
        match (self.facts, self.top) {
            (Some(facts), Some(top)) => facts.facts(top, folder_of(path)),
            _ => Facts::default(),
        }
    }

    fn decide(&self, classifier: &Arc<Classifier>, graphs: &Graphs, path: &[u8], judgement: Judgement) -> Judgement {
        match (self.facts, self.top) {
            (Some(facts), Some(top)) => graphs.decide(classifier, (facts, top), path, judgement),
            _ => judgement,
        }
    }

    fn imports_hold(&self, classifier: &Arc<Classifier>, graphs: &Graphs, path: &[u8], texts: &[String]) -> bool {
        match (self.facts, self.top) {
            (Some(facts), Some(top)) => graphs.imports_hold(classifier, (facts, top), path, texts),
            _ => false,
        }
    }

    fn standing(&self, _: &[u8]) -> Standing {
        Standing::Kept
    }
}

/// Runs `run` on each of `jobs`; one whose content showed nothing before, wherever it was, is passed over.
fn by_content<J: Sync>(
    jobs: &[J],
    change: impl Fn(&J) -> &Change,
    run: impl Fn(&J) -> (Vec<Finding>, Batch) + Sync,
) -> Vec<(Vec<Finding>, Batch)> {
    // What a file is can be in the end of its name.
    let end = |path: &[u8]| path[path.len() - path.len().min(3)..].to_ascii_lowercase();
    let key = |job: &J| (change(job).id, end(&change(job).path));
    let mut firsts: HashMap<(ObjectId, Vec<u8>), usize> = HashMap::new();
    let order: Vec<usize> = jobs.iter().enumerate().map(|(at, job)| *firsts.entry(key(job)).or_insert(at)).collect();
    let is_first = |at: usize| order[at] == at;
    let ran: Vec<Option<(Vec<Finding>, Batch)>> =
        (0..jobs.len()).into_par_iter().map(|at| is_first(at).then(|| run(&jobs[at]))).collect();
    let shows = |at: usize| {
        let has_shown = |(findings, batch): &(Vec<Finding>, Batch)| {
            batch.depends_on_path || !findings.is_empty() || !batch.coverage.left_out.is_empty()
        };
        ran[at].as_ref().is_some_and(has_shown)
    };
    let again: Vec<Option<(Vec<Finding>, Batch)>> =
        (0..jobs.len()).into_par_iter().map(|at| (!is_first(at) && shows(order[at])).then(|| run(&jobs[at]))).collect();
    ran.into_iter().zip(again).map(|(first, again)| first.or(again).unwrap_or_default()).collect()
}
