//! Searches every object of a store once, and keeps the commits on the way.
//!
//! It says which objects hold something to look at, not what.

use super::commits::Commits;
use super::loose;
use super::pack::{self, Pack};
use super::store::{Place, Store, object_name};
use super::walk::{self, Bounds, Object, START_BYTES};
use gix_hash::ObjectId;
use gix_object::Kind;
use std::sync::{Mutex, PoisonError};

/// The most unreadable objects that are listed one by one.
const FAULTS_LISTED_MAX: usize = 10_000;

/// What is searched for.
pub trait Search: Sync {
    /// Whether something stands in `bytes`.
    fn any(&self, bytes: &[u8]) -> bool;
    /// The most bytes that something [`Search::any`] finds takes.
    fn reach(&self) -> usize;
    /// Whether what is new in an object goes on with a run that only the whole of it shows, such as one of base64.
    fn goes_on(&self, news: &[u8]) -> bool;
    /// Whether an object of `bytes` that starts with `start` has to be looked at whatever it holds.
    fn opens(&self, start: &[u8], bytes: u64) -> bool;
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

/// Reads every object in `store` once.
pub fn sweep(store: &Store<'_>, search: &dyn Search, bounds: &Bounds) -> Swept {
    let collected = Mutex::new(Swept::default());
    let collect = |part: Swept| collected.lock().unwrap_or_else(PoisonError::into_inner).add(part);
    for (number, pack) in store.packs().iter().enumerate() {
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        let make = || Sweeper { store, pack, number, search, swept: Swept::default() };
        let before = collected.lock().unwrap_or_else(PoisonError::into_inner).met();
        walk::walk(pack, bounds, &make, &|sweeper: Sweeper<'_, '_>| collect(sweeper.swept));
        let met = collected.lock().unwrap_or_else(PoisonError::into_inner).met() - before;
        let mut rest = make();
        if met < u64::from(pack.len()) {
            for entry in pack::unreachable(pack) {
                rest.fault(entry, "a delta that is based on itself");
            }
        }
        if let Some(damage) = &pack.damaged {
            rest.swept.faults.push((store.pack_name(number), damage.clone()));
        }
        collect(rest.swept);
    }
    loose::sweep(store, search, bounds, &collect);
    let mut swept = collected.into_inner().unwrap_or_else(PoisonError::into_inner);
    swept.hits.sort_unstable();
    swept.hits.dedup_by(|one, other| one.id == other.id);
    swept.faults.sort_unstable();
    swept.faults.dedup();
    swept
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

    /// Objects read or given up.
    fn met(&self) -> u64 {
        self.objects + self.faults.len() as u64
    }

    /// Takes a whole object that was read.
    pub(super) fn take(&mut self, hit: impl Fn() -> Hit, object: Object<'_>, search: &dyn Search) -> bool {
        self.objects += 1;
        self.bytes += object.bytes.len() as u64;
        let is_found = search.any(object.bytes);
        let start = &object.bytes[..object.bytes.len().min(START_BYTES)];
        if is_found || search.opens(start, object.bytes.len() as u64) {
            self.hits.push(hit());
        }
        if object.kind == Kind::Commit {
            self.commits.push(&hit().id, object.bytes);
        }
        is_found
    }
}

/// Sweeps the families of one pack on one thread.
struct Sweeper<'s, 'p> {
    store: &'s Store<'p>,
    pack: &'s Pack<'p>,
    number: u32,
    search: &'s dyn Search,
    swept: Swept,
}

impl Sweeper<'_, '_> {
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

    fn wants(&self, _: Kind) -> bool {
        true
    }

    fn reach(&self) -> usize {
        self.search.reach()
    }

    fn needs(&mut self, kind: Kind, base: &bool, news: &[u8], bytes: u64) -> bool {
        let start = &news[..news.len().min(START_BYTES)];
        kind == Kind::Commit
            || *base
            || self.search.any(news)
            || self.search.opens(start, bytes)
            || (kind == Kind::Blob && self.search.goes_on(news))
    }

    fn object(&mut self, entry: u32, object: Object<'_>, _: Option<&bool>) -> bool {
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
