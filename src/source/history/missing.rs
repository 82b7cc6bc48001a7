//! Objects that others name and that are not there.

use super::bounds::Bounds;
use super::graph::Graph;
use super::seams::Seams;
use super::store::Store;
use super::walk::{self, Base, News, Object};
use gix_hash::{ObjectId, oid};
use gix_object::{Kind, TreeRefIter};
use std::collections::{BTreeSet, HashSet};
use std::sync::{Mutex, PoisonError};

/// Names remembered in front of the set of all: most entries of a tree are those of the tree before.
const RECENT: usize = 1 << 16;
/// The most that are gathered.
const MISSING_MAX: usize = 1_000_000;

/// Walks every commit and tree of `store` for names that lead nowhere; parents are left to the shallow file.
pub fn missing(store: &Store<'_>, graph: &Graph, bounds: &Bounds) -> BTreeSet<ObjectId> {
    let mut missing: BTreeSet<ObjectId> = BTreeSet::new();
    for number in 0..u32::try_from(graph.len()).unwrap_or(u32::MAX) {
        let tree = graph.commit(number).tree;
        if store.find(&tree).is_none() && !tree.is_empty_tree() {
            missing.insert(tree);
        }
    }
    let found = Mutex::new(missing);
    for pack in store.packs() {
        let make = || Checker { store, known: Known::default(), missing: BTreeSet::new() };
        walk::walk(pack, bounds, &make, &|checker: Checker<'_, '_>| {
            found.lock().unwrap_or_else(PoisonError::into_inner).extend(checker.missing);
        });
    }
    let mut missing = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut known = Known::default();
    super::loose::each_tree(store, &mut |_, bytes| check(store, bytes, &mut known, &mut missing));
    missing
}

struct Checker<'c, 'p> {
    store: &'c Store<'p>,
    known: Known,
    missing: BTreeSet<ObjectId>,
}

/// Names looked at so far.
struct Known {
    recent: Vec<u64>,
    all: HashSet<ObjectId>,
}

impl Default for Known {
    fn default() -> Self {
        Self { recent: vec![0; RECENT], all: HashSet::new() }
    }
}

impl Known {
    /// Remembers a name; whether it is news.
    fn insert(&mut self, id: &oid) -> bool {
        let short = id.as_bytes().first_chunk().map_or(0, |first| u64::from_be_bytes(*first));
        let slot = usize::try_from(short).unwrap_or(0) % RECENT;
        if self.recent[slot] == short {
            return false;
        }
        self.recent[slot] = short;
        self.all.insert(id.to_owned())
    }
}

fn check(store: &Store<'_>, tree: &[u8], known: &mut Known, missing: &mut BTreeSet<ObjectId>) {
    for entry in TreeRefIter::from_bytes(tree, store.object_hash()).map_while(Result::ok) {
        if entry.mode.is_commit()
            || missing.len() > MISSING_MAX
            || !known.insert(entry.oid)
            || entry.oid.is_empty_blob()
        {
            continue;
        }
        let id = entry.oid.to_owned();
        if store.find(&id).is_none() {
            missing.insert(id);
        }
    }
}

impl walk::Visitor for Checker<'_, '_> {
    type State = ();

    fn wants(&self, kind: Kind) -> bool {
        kind == Kind::Tree
    }

    fn seams(&self) -> Option<Seams<'_>> {
        None
    }

    fn needs(&mut self, _: Kind, (): &(), _: News<'_>) -> bool {
        true
    }

    fn object(&mut self, _: u32, object: Object<'_>, _: Option<Base<'_, ()>>) {
        check(self.store, object.bytes, &mut self.known, &mut self.missing);
    }

    fn passed(&mut self, _: u32, _: Kind, _: u64) {}

    fn piece(&mut self, _: u32, _: Kind, _: &[u8]) -> bool {
        false
    }

    fn pieces_end(&mut self, _: u32, _: Kind, _: u64) {}

    fn fault(&mut self, _: u32, _: &'static str) {}

    fn outside(&mut self, _: ObjectId, _: &mut Vec<u8>) -> Option<(Kind, ())> {
        None
    }
}
