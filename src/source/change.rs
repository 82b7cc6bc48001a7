//! What one tree of files has that others have not: the tree of a commit against those of its parents, the index
//! against the tree of a commit.
//!
//! Equal trees are not entered. Nothing here looks at a content.

use super::objects::{EntryKind, Odb, TreeEntry, tree_entries};
use super::repository::Index;
use gix_hash::ObjectId;
use std::collections::HashMap;

/// Entries that are looked at: a few trees can stand for more files than there are atoms.
const ENTRIES_MAX: usize = 1_000_000;

/// A file or link that is in none of the trees it was held against.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// From the top, with `/`.
    pub path: Vec<u8>,
    /// Its content.
    pub id: ObjectId,
    /// What it is.
    pub kind: EntryKind,
    /// What each of the others has at its path; the same order.
    pub before: Vec<Option<ObjectId>>,
}

/// What a comparison found.
#[derive(Debug, Default)]
pub struct Changes {
    /// Sorted by path.
    pub added: Vec<Change>,
    /// Paths without a content of their own that one side has and no other: of folders, of submodules, and of files that are
    /// only intended to be added.
    pub names: Vec<Vec<u8>>,
    /// Trees that could not be read.
    pub missing: Vec<ObjectId>,
    /// Entries looked at.
    entries: usize,
    /// Whether there were more than are looked at.
    pub is_cut: bool,
}

/// A folder on one side.
#[derive(Clone, Copy)]
enum Side<'i> {
    Tree(ObjectId),
    /// What the index has below a path.
    Index(&'i Index),
}

/// What `tree` has and none of `others`.
pub fn trees(odb: &dyn Odb, tree: ObjectId, others: &[ObjectId]) -> Changes {
    compare(odb, Side::Tree(tree), &others.iter().map(|other| Some(Side::Tree(*other))).collect::<Vec<_>>())
}

/// What `index` has and `tree` has not; everything where there is no tree.
pub fn index_and_tree(odb: &dyn Odb, index: &Index, tree: Option<ObjectId>) -> Changes {
    compare(odb, Side::Index(index), &tree.map(|tree| Some(Side::Tree(tree))).into_iter().collect::<Vec<_>>())
}

/// What `tree` has and `index` has not.
pub fn tree_and_index(odb: &dyn Odb, tree: ObjectId, index: &Index) -> Changes {
    compare(odb, Side::Tree(tree), &[Some(Side::Index(index))])
}

/// One folder to be compared.
struct Step<'i> {
    path: Vec<u8>,
    side: Side<'i>,
    others: Vec<Option<Side<'i>>>,
}

fn compare<'i>(odb: &dyn Odb, side: Side<'i>, others: &[Option<Side<'i>>]) -> Changes {
    let mut changes = Changes::default();
    let mut open = vec![Step { path: Vec::new(), side, others: others.to_vec() }];
    while let Some(step) = open.pop() {
        if changes.entries > ENTRIES_MAX {
            changes.is_cut = true;
            break;
        }
        let Some(id) = id_of(step.side, &step.path) else {
            folder(odb, &step, &mut changes, &mut open);
            continue;
        };
        if !step.others.iter().flatten().any(|other| id_of(*other, &step.path) == Some(id)) {
            folder(odb, &step, &mut changes, &mut open);
        }
    }
    changes.added.sort();
    changes
}

/// Compares what is directly in one folder.
fn folder<'i>(odb: &dyn Odb, step: &Step<'i>, changes: &mut Changes, open: &mut Vec<Step<'i>>) {
    let Some(own) = entries(odb, step.side, &step.path, changes) else { return };
    changes.entries += own.len() + 1;
    let others: Vec<HashMap<Vec<u8>, TreeEntry>> = step
        .others
        .iter()
        .map(|other| {
            let entries = other.and_then(|other| entries(odb, other, &step.path, changes)).unwrap_or_default();
            entries.into_iter().map(|entry| (entry.name.clone(), entry)).collect()
        })
        .collect();
    if !step.path.is_empty() && step.others.iter().all(Option::is_none) {
        changes.names.push(step.path.clone());
    }
    for entry in own {
        let path =
            if step.path.is_empty() { entry.name.clone() } else { [&step.path, b"/".as_slice(), &entry.name].concat() };
        let same = || others.iter().map(|others| others.get(&entry.name));
        if entry.kind == EntryKind::Folder {
            let side = match step.side {
                Side::Tree(_) => Side::Tree(entry.id),
                Side::Index(index) => below(index, &path, entry.id),
            };
            let others = step.others.iter().zip(same()).map(|(other, found)| {
                let found = found.filter(|found| found.kind == EntryKind::Folder)?;
                Some(match other {
                    Some(Side::Index(index)) => below(index, &path, found.id),
                    _ => Side::Tree(found.id),
                })
            });
            open.push(Step { others: others.collect(), path, side });
            continue;
        }
        let is_same =
            |other: Option<&TreeEntry>| other.is_some_and(|other| other.id == entry.id && other.kind == entry.kind);
        if !entry.kind.has_content() {
            if same().all(|other| other.is_none()) {
                changes.names.push(path);
            }
        } else if !same().any(is_same) {
            let before = same().map(|other| other.filter(|other| other.kind.has_content()).map(|other| other.id));
            changes.added.push(Change { before: before.collect(), path, id: entry.id, kind: entry.kind });
        }
    }
}

/// A folder of the index: what it has below it, or its tree where it is not expanded.
fn below<'i>(index: &'i Index, path: &[u8], id: ObjectId) -> Side<'i> {
    let own = [path, b"/"].concat();
    let is_sparse = index.find(&own).is_some_and(|entry| entry.kind == EntryKind::Folder);
    if is_sparse { Side::Tree(id) } else { Side::Index(index) }
}

fn id_of(side: Side<'_>, path: &[u8]) -> Option<ObjectId> {
    match side {
        Side::Tree(id) => Some(id),
        Side::Index(index) => index.tree(path),
    }
}

fn entries(odb: &dyn Odb, side: Side<'_>, path: &[u8], changes: &mut Changes) -> Option<Vec<TreeEntry>> {
    match side {
        Side::Index(index) => Some(index.folder(path)),
        Side::Tree(id) => {
            let entries = tree_entries(odb, &id);
            if entries.is_none() {
                changes.missing.push(id);
            }
            entries
        }
    }
}
