//! Which commits some ends lead to and others do not.
//!
//! Newest first by date, as git does. Commits that only seem to be among them, because clocks were wrong, are given too;
//! none that belongs there is missed.

use super::Place;
use crate::source::history::{Commit, Commits, object_name};
use gix_hash::ObjectId;
use gix_object::Kind;
use std::collections::{BinaryHeap, HashMap, HashSet};

/// Commits with nothing left to find that are looked at before the walk ends; as many as git itself does not trust.
const SLOP: usize = 64;
/// Places where the two sides part that are told, the newest first.
const PARTINGS_MAX: usize = 256;

/// What the walk gave.
pub(super) struct Walked {
    /// Commits that the right leads to and the left does not.
    pub commits: Commits,
    /// Commits of the left that those are made on.
    pub partings: Vec<ObjectId>,
}

/// Where a commit is reached from.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Marks {
    right: bool,
    left: bool,
}

impl Marks {
    const fn join(self, other: Self) -> Self {
        Self { right: self.right || other.right, left: self.left || other.left }
    }
}

/// Walks from all ends at once.
struct Walk<'w> {
    place: &'w Place<'w>,
    shallow: HashSet<ObjectId>,
    marks: HashMap<ObjectId, Marks>,
    read: HashMap<ObjectId, Commit>,
    open: BinaryHeap<(i64, ObjectId)>,
    /// Commits in `open` that the right may have for itself.
    wanted: HashSet<ObjectId>,
}

/// Every commit that one of `rights` leads to and none of `lefts`.
pub(super) fn walk(place: &Place<'_>, rights: &[ObjectId], lefts: &[ObjectId]) -> Walked {
    let mut walk = Walk {
        place,
        shallow: place.checkout.shallow().into_iter().collect(),
        marks: HashMap::new(),
        read: HashMap::new(),
        open: BinaryHeap::new(),
        wanted: HashSet::new(),
    };
    for &right in rights {
        walk.reach(right, Marks { right: true, left: false });
    }
    for &left in lefts {
        walk.reach(left, Marks { right: false, left: true });
    }
    walk.run();
    walk.walked()
}

impl Walk<'_> {
    fn run(&mut self) {
        let mut idle = 0;
        while let Some((_, id)) = self.open.pop() {
            let Some(mark) = self.marks.get(&id).copied() else { continue };
            self.wanted.remove(&id);
            idle = if mark.left && self.wanted.is_empty() { idle + 1 } else { 0 };
            if idle > SLOP {
                return;
            }
            for parent in self.read.get(&id).map(|commit| commit.parents.clone()).unwrap_or_default() {
                self.reach(parent, mark);
            }
        }
    }

    /// Marks a commit, if it is here, and opens it if that is news.
    fn reach(&mut self, id: ObjectId, mark: Marks) {
        if !self.read.contains_key(&id) {
            let Some(commit) = commit(self.place, &id) else { return };
            self.read.insert(id, commit);
        }
        let known = self.marks.get(&id).copied();
        let joined = known.map_or(mark, |known| known.join(mark));
        if known == Some(joined) {
            return;
        }
        self.marks.insert(id, joined);
        self.open.push((self.read[&id].time, id));
        if joined.left {
            self.wanted.remove(&id);
        } else {
            self.wanted.insert(id);
        }
    }

    fn walked(&self) -> Walked {
        let mut commits = Commits::default();
        let mut partings: Vec<(i64, ObjectId)> = Vec::new();
        for (id, _) in self.marks.iter().filter(|(_, mark)| mark.right && !mark.left) {
            let Some(commit) = self.read.get(id) else { continue };
            commits.keep(commit);
            // Only now is it known that the left does not lead here, in which case nothing is missing.
            for parent in commit.parents.iter().filter(|parent| !self.read.contains_key(*parent)) {
                boundary(self.place, id, parent, &self.shallow);
            }
            let is_left = |parent: &&ObjectId| self.marks.get(*parent).is_some_and(|mark| mark.left);
            partings.extend(commit.parents.iter().filter(is_left).map(|parent| (self.read[parent].time, *parent)));
        }
        partings.sort_unstable();
        partings.dedup();
        Walked { commits, partings: partings.into_iter().rev().take(PARTINGS_MAX).map(|(_, id)| id).collect() }
    }
}

fn boundary(place: &Place<'_>, child: &ObjectId, parent: &ObjectId, shallow: &HashSet<ObjectId>) {
    let reason = if shallow.contains(child) {
        "behind the boundary of a shallow clone; set `fetch-depth: 0`, or `git fetch --unshallow`"
    } else {
        "a commit that is not in the object store"
    };
    place.shared.leave_out([b".git/", object_name(parent).as_bytes()].concat().as_slice(), reason);
}

fn commit(place: &Place<'_>, id: &ObjectId) -> Option<Commit> {
    let mut bytes = Vec::new();
    let kind = place.objects.read(id, &mut bytes).ok().flatten();
    kind.filter(|kind| *kind == Kind::Commit).and_then(|_| Commit::read(id, &bytes))
}
