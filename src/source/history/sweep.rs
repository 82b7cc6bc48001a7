//! Searches every object of a store once, and keeps the commits on the way.
//!
//! It says which objects hold something to look at, not what.

use super::bounds::Bounds;
use super::commits::Commits;
use super::lineage::Lineage;
use super::loose;
use super::pack::Pack;
use super::seams::Seams;
use super::store::{Place, Store, object_name};
use super::walk::{self, Base, END_BYTES, News, Object, START_BYTES, Visitor as _};
use gix_hash::ObjectId;
use gix_object::Kind;
use std::sync::{Mutex, PoisonError};

/// The most unreadable objects that are listed one by one.
const FAULTS_LISTED_MAX: usize = 10_000;

/// What is searched for.
pub trait Search: Sync {
    /// Whether something stands in `bytes`, a whole object.
    fn any(&self, bytes: &[u8]) -> bool;
    /// Whether something stands in `bytes`, which are parts of an object that starts with `start`.
    fn any_part(&self, start: &[u8], bytes: &[u8]) -> bool;
    /// How much of what a delta copies [`Search::any_part`] has to see.
    fn seams(&self) -> Seams<'_>;
    /// Whether an object of `bytes` that starts with `start` and ends with `end` has to be looked at whatever it holds.
    fn opens(&self, start: &[u8], end: &[u8], bytes: u64) -> bool;
}

/// An object to look at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hit {
    /// Its name.
    pub id: ObjectId,
    /// What it is.
    pub kind: Kind,
    /// Where it is stored.
    pub place: Place,
}

/// What a sweep met.
#[derive(Default)]
pub struct Swept {
    /// Sorted by name, each name once.
    pub hits: Vec<Hit>,
    /// Objects read.
    pub objects: u64,
    /// Their bytes, inflated.
    pub bytes: u64,
    /// What could not be read, and why; sorted.
    pub faults: Vec<(String, String)>,
    /// Every commit.
    pub commits: Commits,
}

/// Reads every object in `store` once but the trees in packs, which [`sweep_trees`] reads.
pub fn sweep(store: &Store<'_>, search: &dyn Search, bounds: &Bounds) -> Swept {
    let collected = Mutex::new(Swept::default());
    let collect = |part: Swept| collected.lock().unwrap_or_else(PoisonError::into_inner).add(part);
    for (number, pack) in (0..).zip(store.packs()) {
        let make = || Sweeper { in_trees: false, ..Sweeper::new(store, number, search) };
        walk::walk(pack, bounds, &make, &|sweeper: Sweeper<'_, '_>| collect(sweeper.swept));
        let mut rest = make();
        for entry in pack.circles() {
            rest.fault(entry, "a delta that is based on itself");
        }
        if let Some(damage) = &pack.damaged {
            rest.swept.faults.push((store.pack_name(number), damage.clone()));
        }
        collect(rest.swept);
    }
    loose::sweep(store, search, bounds, &collect);
    collected.into_inner().unwrap_or_else(PoisonError::into_inner).sorted()
}

/// Reads the trees in packs once; notes on the way which of them hold `targets`, if there are any.
pub fn sweep_trees(
    store: &Store<'_>,
    search: &dyn Search,
    targets: &[ObjectId],
    bounds: &Bounds,
) -> (Swept, Option<Lineage>) {
    let collected = Mutex::new(Swept::default());
    let collect = |part: Swept| collected.lock().unwrap_or_else(PoisonError::into_inner).add(part);
    let sweeper = |number| Sweeper { in_trees: true, ..Sweeper::new(store, number, search) };
    let lineage = if targets.is_empty() {
        for (number, pack) in (0..).zip(store.packs()) {
            walk::walk(pack, bounds, &|| sweeper(number), &|sweeper: Sweeper<'_, '_>| collect(sweeper.swept));
        }
        None
    } else {
        Some(Lineage::new(store, targets, bounds, &sweeper, &|sweeper| collect(sweeper.swept)))
    };
    (collected.into_inner().unwrap_or_else(PoisonError::into_inner).sorted(), lineage)
}

impl Swept {
    fn add(&mut self, other: Self) {
        self.hits.extend(other.hits);
        self.objects += other.objects;
        self.bytes += other.bytes;
        let room = FAULTS_LISTED_MAX.saturating_sub(self.faults.len());
        if other.faults.len() > room {
            self.faults.push(("objects".into(), format!("more than {FAULTS_LISTED_MAX} objects cannot be read")));
        }
        self.faults.extend(other.faults.into_iter().take(room));
        self.commits.append(other.commits);
    }

    /// In order, each thing once.
    fn sorted(mut self) -> Self {
        self.hits.sort_unstable();
        self.hits.dedup_by(|one, other| one.id == other.id);
        self.faults.sort_unstable();
        self.faults.dedup();
        self
    }

    /// Both together.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.add(other);
        self.sorted()
    }

    /// Takes a whole object that was read.
    pub(super) fn take(&mut self, hit: impl Fn() -> Hit, object: Object<'_>, search: &dyn Search) -> bool {
        self.objects += 1;
        self.bytes += object.bytes.len() as u64;
        let start = &object.bytes[..object.bytes.len().min(START_BYTES)];
        let end = &object.bytes[object.bytes.len().saturating_sub(END_BYTES)..];
        let is_found =
            if object.kind == Kind::Blob { search.any(object.bytes) } else { search.any_part(b"", object.bytes) };
        let is_opened = object.kind == Kind::Blob && search.opens(start, end, object.bytes.len() as u64);
        if is_found || is_opened {
            self.hits.push(hit());
        }
        if object.kind == Kind::Commit {
            self.commits.push(&hit().id, object.bytes);
        }
        is_found
    }
}

/// Sweeps the families of one pack on one thread.
pub(super) struct Sweeper<'s, 'p> {
    store: &'s Store<'p>,
    pack: &'s Pack<'p>,
    number: u32,
    search: &'s dyn Search,
    /// Whether it reads trees, and nothing else, or all but trees.
    in_trees: bool,
    is_suspect: bool,
    swept: Swept,
}

impl<'s, 'p> Sweeper<'s, 'p> {
    fn new(store: &'s Store<'p>, number: u32, search: &'s dyn Search) -> Self {
        let pack = &store.packs()[number as usize];
        Self { store, pack, number, search, in_trees: false, is_suspect: false, swept: Swept::default() }
    }

    /// Looks at what is new in a tree that is made whole in any case.
    pub fn suspect(&mut self, base: bool, news: News<'_>) {
        self.is_suspect = base || self.any(b"", news);
    }

    /// Takes a tree, searched where it is no delta or [`Sweeper::suspect`] found it to be worth that.
    pub fn tree(&mut self, entry: u32, tree: Object<'_>, is_delta: bool) -> bool {
        if is_delta && !self.is_suspect {
            return self.passed(entry, tree.kind, tree.bytes.len() as u64);
        }
        self.object(entry, tree, None)
    }

    /// Whether anything stands in what is new in an object that starts with `start`.
    fn any(&self, start: &[u8], news: News<'_>) -> bool {
        self.search.any_part(start, news.inserted)
            || (!news.seams.is_empty() && self.search.any_part(start, news.seams))
    }

    fn fault(&mut self, entry: u32, reason: &str) {
        let name = match self.pack.id(entry) {
            Some(id) => object_name(&id),
            None => format!("{} at byte {}", self.store.pack_name(self.number), self.pack.offset(entry)),
        };
        self.swept.faults.push((name, reason.into()));
    }
}

impl walk::Visitor for Sweeper<'_, '_> {
    /// Whether anything stands in the base.
    type State = bool;

    fn wants(&self, kind: Kind) -> bool {
        (kind == Kind::Tree) == self.in_trees
    }

    fn seams(&self) -> Option<Seams<'_>> {
        Some(self.search.seams())
    }

    fn needs(&mut self, kind: Kind, base: &bool, news: News<'_>) -> bool {
        kind == Kind::Commit
            || *base
            || (kind == Kind::Blob && self.search.opens(news.start, news.end, news.bytes))
            || self.any(if kind == Kind::Blob { news.start } else { b"" }, news)
    }

    fn object(&mut self, entry: u32, object: Object<'_>, _: Option<Base<'_, bool>>) -> bool {
        let place = Place::Packed { pack: self.number, entry };
        let name = || self.pack.id(entry).unwrap_or_else(|| self.store.hash(object.kind, object.bytes));
        self.swept.take(|| Hit { id: name(), kind: object.kind, place }, object, self.search)
    }

    fn passed(&mut self, _: u32, _: Kind, bytes: u64) -> bool {
        self.swept.objects += 1;
        self.swept.bytes += bytes;
        false
    }

    fn piece(&mut self, entry: u32, kind: Kind, piece: &[u8]) -> bool {
        let is_found = self.search.any(piece);
        if is_found {
            let id = self.pack.id(entry).unwrap_or_else(|| self.store.null());
            self.swept.hits.push(Hit { id, kind, place: Place::Packed { pack: self.number, entry } });
        }
        !is_found
    }

    fn pieces_end(&mut self, _: u32, _: Kind, bytes: u64) {
        self.swept.objects += 1;
        self.swept.bytes += bytes;
    }

    fn fault(&mut self, entry: u32, reason: &'static str) {
        Sweeper::fault(self, entry, reason);
    }

    fn outside(&mut self, id: ObjectId, out: &mut Vec<u8>) -> Option<(Kind, bool)> {
        let kind = self.store.read(&id, out)?;
        Some((kind, self.search.any(out)))
    }
}
