//! What the next commit adds: the index against `HEAD`, and against the other parents of a merge.
//!
//! Contents come from the index, never from the disk, and so do the manifests around them.

use super::past::{Came, Gone, Mark, Past};
use super::{ChangeOptions, InTree, Place};
use crate::blob::Origin;
use crate::finding::Finding;
use crate::scan::Shared;
use crate::scan::batch::Batch;
use crate::source::change::{self, Change};
use crate::source::history::{Top, TreeFacts};
use crate::source::repository::Index;
use anyhow::{Result, bail};
use gix_hash::ObjectId;

/// What a report says where all of the index was looked at because none of it was about to be committed.
pub const NOTHING_STAGED: &str = "nothing is staged, so the whole index was looked at";

/// Which part of the index to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// What differs from `HEAD`.
    Staged,
    /// All of it, all of it new.
    Whole,
    /// What differs from `HEAD`; where nothing does, all of it.
    StagedOrWhole,
}

/// The index, and what it is held against.
struct Staged<'s> {
    place: &'s Place<'s>,
    index: &'s Index,
    facts: &'s TreeFacts<'s>,
    /// Trees of `HEAD` and of the other parents of a merge.
    parents: Vec<ObjectId>,
}

/// Scans what is staged; gives the commit at `HEAD`.
///
/// # Errors
/// No git repository, or nothing in the index where all of it is asked for.
pub(in crate::scan) fn run(shared: &Shared<'_>, options: &ChangeOptions, part: Part) -> Result<Option<String>> {
    let place = Place::open(shared, options)?;
    let index = match place.checkout.index() {
        Ok(index) => index,
        Err(reason) => {
            shared.leave_out(b".git/index", &reason);
            return Ok(None);
        }
    };
    let (head, tree) = if part == Part::Whole { (None, None) } else { place.head() };
    let facts = place.facts();
    let mut changes = change::index_and_tree(&place.objects, &index, tree);
    let is_whole = part == Part::Whole || (part == Part::StagedOrWhole && changes.added.is_empty());
    let mut parents: Vec<ObjectId> = Vec::new();
    if is_whole {
        if part == Part::StagedOrWhole {
            shared.collected().remarks.push(NOTHING_STAGED.into());
        }
        changes = change::index_and_tree(&place.objects, &index, None);
        // No commit is under way: whoever asks for everything is not to take nothing for clean.
        if part == Part::StagedOrWhole && changes.added.is_empty() && changes.missing.is_empty() {
            bail!("nothing to scan: the index holds no file; add some with `git add` first");
        }
    } else {
        parents.extend(tree);
        parents.extend(place.merged());
    }
    super::leave_out_of(shared, &changes);
    let staged = Staged { place: &place, index: &index, facts: &facts, parents };
    shared.pool()?.install(|| staged.scan(&changes));
    Ok(head.map(|head| head.to_hex().to_string()))
}

impl Place<'_> {
    /// The trees of what is merged.
    fn merged(&self) -> Vec<ObjectId> {
        if self.checkout.is_merging_unnamed() {
            let remark =
                "git is merging by itself and does not yet say what; keys that the other side holds count as new";
            self.shared.collected().remarks.push(remark.to_owned());
        }
        let mut trees = Vec::new();
        for head in self.checkout.merge_heads() {
            match self.tree_of(&head) {
                Ok(tree) => trees.push(tree),
                Err(reason) => self.shared.leave_out(b".git/MERGE_HEAD", &reason),
            }
        }
        trees
    }

    /// The commit at `HEAD` and its tree; neither where it cannot be read, which is told.
    fn head(&self) -> (Option<ObjectId>, Option<ObjectId>) {
        let unread = |reason: &str| {
            self.shared.leave_out(b".git/HEAD", &format!("{reason}; everything in the index counts as added"));
        };
        match self.checkout.head() {
            Ok(None) => (None, None),
            Ok(Some(head)) => match self.tree_of(&head) {
                Ok(tree) => (Some(head), Some(tree)),
                Err(reason) => {
                    unread(&reason);
                    (Some(head), None)
                }
            },
            Err(reason) => {
                unread(&reason);
                (None, None)
            }
        }
    }
}

impl Staged<'_> {
    fn scan(&self, changes: &change::Changes) {
        let ground = InTree { facts: Some(self.facts), top: Some(Top::Index(self.index)) };
        let content = |change: &Change| self.place.blob(&change.path, &change.id, &ground, Origin::Index);
        let found = super::by_content(&changes.added, |change| change, content);
        let mut past = Past::new(self.place, self.facts);
        let mut gone: Vec<Option<Vec<Gone>>> = self.parents.iter().map(|_| None).collect();
        let mut all = Batch::default();
        for (change, (findings, batch)) in changes.added.iter().zip(found) {
            all.merge(batch);
            for mut finding in findings {
                finding.new = !self.is_base(change) && !self.is_old(&mut past, &mut gone, change, &finding);
                all.findings.push(finding);
            }
        }
        let added = changes.added.iter().filter(|change| change.before.iter().all(Option::is_none));
        for path in added.map(|change| &change.path).chain(&changes.names) {
            let (findings, batch) = self.place.name(path);
            all.merge(batch);
            let is_new = || !self.parents.iter().any(|&parent| past.exists(parent, path));
            all.findings.extend(findings.into_iter().map(|finding| Finding { new: is_new(), ..finding }));
        }
        self.place.shared.collected().merge(all);
    }

    /// Whether it is only what both sides of a conflict started from, which no commit will have.
    fn is_base(&self, change: &Change) -> bool {
        let entries = self.index.below(&change.path).iter();
        let mut same = entries.filter(|entry| entry.path == change.path && entry.id == change.id).peekable();
        same.peek().is_some() && same.all(|entry| entry.stage == 1)
    }

    /// Whether a parent already holds the key there, or where the file came from.
    fn is_old(&self, past: &mut Past<'_>, gone: &mut [Option<Vec<Gone>>], change: &Change, finding: &Finding) -> bool {
        let mark = Mark::of(finding);
        for (&parent, gone) in self.parents.iter().zip(gone) {
            match past.find(parent, &change.path) {
                Some(id) if past.has(parent, &change.path, &id, &mark) => return true,
                Some(_) => {}
                None => {
                    let gone = gone.get_or_insert_with(|| self.gone(parent));
                    let tree = ObjectId::null(change.id.kind());
                    let came = Came { path: &change.path, id: change.id, tree };
                    if past.renamed(parent, gone, &came, &mark) {
                        return true;
                    }
                }
            }
        }
        false
    }

    /// Files of `parent` whose paths the index has no more.
    fn gone(&self, parent: ObjectId) -> Vec<Gone> {
        let changes = change::tree_and_index(&self.place.objects, parent, self.index);
        super::leave_out_of(self.place.shared, &changes);
        let gone = changes.added.into_iter().filter(|change| change.before.iter().all(Option::is_none));
        gone.map(|change| Gone { path: change.path, id: change.id }).collect()
    }
}
