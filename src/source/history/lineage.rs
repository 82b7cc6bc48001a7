//! Which trees hold certain objects, at any depth, and under which paths.
//!
//! One walk over the tree families notes, for each tree, the entries it has and its delta base has not, and the other
//! way round. What holds what is then worked out from those notes, without reading a tree again.

use super::bounds::Bounds;
use super::listing::{Change, Item, Listed, Lister, Short, Targets, hash, short};
use super::pack::Pack;
use super::seams::Seams;
use super::store::Store;
use super::sweep::Sweeper;
use super::walk::{self, Base, News, Object};
use gix_hash::ObjectId;
use gix_object::Kind;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

/// Notes of more edges than this are dropped.
const EDGES_MAX: usize = 40_000_000;
/// No tree.
const NONE: u32 = u32::MAX;

/// What trees hold, in terms of the targets asked for.
#[derive(Default)]
pub struct Lineage {
    /// What each tree that holds a target holds, sorted by the tree's short name.
    trees: Vec<(Short, u32)>,
    /// What a tree can hold; equal trees share one.
    holdings: Vec<Vec<(Vec<u8>, Held)>>,
    /// Whether something was cut off.
    pub is_cut: bool,
}

/// What an entry of a tree leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Held {
    /// A target, by its number.
    Target(u32),
    /// A tree that holds some, by the number of its holding.
    Tree(u32),
}

/// One path to one target.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sighting {
    /// From the top, with `/`.
    pub path: Vec<u8>,
    /// Number of the target.
    pub target: u32,
}

impl Lineage {
    /// Walks every tree of `store` for `targets`, blobs or trees. On the way each pack is swept by what `sweeper` makes for its
    /// number, given back to `swept`.
    pub(super) fn new<'s, 'p>(
        store: &'s Store<'p>,
        targets: &[ObjectId],
        bounds: &Bounds,
        sweeper: &(dyn Fn(u32) -> Sweeper<'s, 'p> + Sync),
        swept: &(dyn Fn(Sweeper<'s, 'p>) + Sync),
    ) -> Self {
        let wanted = Targets::new(targets);
        let notes = Mutex::new(Notes::default());
        for (number, pack) in (0..).zip(store.packs()) {
            let make = || Noter { store, pack, wanted: &wanted, notes: Notes::default(), sweeper: sweeper(number) };
            let collect = |noter: Noter<'_, 's, 'p>| {
                notes.lock().unwrap_or_else(PoisonError::into_inner).add(noter.notes);
                swept(noter.sweeper);
            };
            walk::walk(pack, bounds, &make, &collect);
        }
        let mut notes = notes.into_inner().unwrap_or_else(PoisonError::into_inner);
        super::loose::each_tree(store, &mut |id, bytes| {
            let id_len = store.object_hash().len_in_bytes();
            let listed = Lister { id_len, wanted: &wanted, names: &mut notes.names }.list(bytes);
            notes.push(short(id), NONE, listed.items(), Vec::new());
        });
        Holder::new(notes, &wanted).run()
    }

    /// The number of what the tree called `id` holds.
    pub fn holding(&self, id: &ObjectId) -> Option<u32> {
        let at = self.trees.binary_search_by_key(&short(id), |tree| tree.0).ok()?;
        Some(self.trees[at].1)
    }

    /// The first `sightings_max` paths of a holding in order of path, and how many paths each target has in all.
    pub fn sightings(&self, holding: u32, sightings_max: usize) -> (Vec<Sighting>, BTreeMap<u32, u64>) {
        let sightings = self.descend(holding, sightings_max, &|_| true);
        (sightings, self.totals(holding))
    }

    /// The first `sightings_max` paths of a holding that lead to `target`.
    pub fn sightings_of(&self, holding: u32, target: u32, sightings_max: usize) -> Vec<Sighting> {
        let mut leads = vec![false; holding as usize + 1];
        for (number, held) in self.holdings[..=holding as usize].iter().enumerate() {
            let is_leading = held.iter().any(|(_, held)| match *held {
                Held::Target(held) => held == target,
                Held::Tree(below) => leads[below as usize],
            });
            leads[number] = is_leading;
        }
        let leads = |held: Held| match held {
            Held::Target(held) => held == target,
            Held::Tree(below) => leads[below as usize],
        };
        self.descend(holding, sightings_max, &leads)
    }

    /// Paths below a holding in order, as far as `wants` lets them lead.
    fn descend(&self, holding: u32, sightings_max: usize, wants: &dyn Fn(Held) -> bool) -> Vec<Sighting> {
        let mut sightings = Vec::new();
        let mut open = vec![(Vec::new(), holding, 0)];
        while let Some((path, holding, at)) = open.pop() {
            let Some((name, held)) = self.holdings[holding as usize].get(at) else { continue };
            if sightings.len() == sightings_max {
                break;
            }
            let below = match (path.as_slice(), name.as_slice()) {
                (only, b"") | (b"", only) => only.to_vec(),
                (path, name) => [path, b"/", name].concat(),
            };
            open.push((path, holding, at + 1));
            match *held {
                _ if !wants(*held) => {}
                Held::Target(target) => sightings.push(Sighting { path: below, target }),
                Held::Tree(holding) => open.push((below, holding, 0)),
            }
        }
        sightings
    }

    /// How many paths lead from a holding to each target; holdings come after those they hold.
    fn totals(&self, holding: u32) -> BTreeMap<u32, u64> {
        let mut times = vec![0_u64; holding as usize + 1];
        let mut totals = BTreeMap::new();
        times[holding as usize] = 1;
        for number in (0..=holding as usize).rev() {
            if times[number] == 0 {
                continue;
            }
            for (_, held) in &self.holdings[number] {
                match *held {
                    Held::Target(target) => {
                        let total: &mut u64 = totals.entry(target).or_default();
                        *total = total.saturating_add(times[number]);
                    }
                    Held::Tree(below) => {
                        times[below as usize] = times[below as usize].saturating_add(times[number]);
                    }
                }
            }
        }
        totals
    }
}

/// What the walk notes.
#[derive(Default)]
struct Notes {
    /// Short name, delta base by number, and where its notes start in `added` and `removed`.
    trees: Vec<(Short, u32, u32, u32)>,
    added: Vec<Item>,
    removed: Vec<Item>,
    names: HashMap<u64, Vec<u8>>,
}

impl Notes {
    /// Notes a tree and what makes it another than its base; gives its number.
    fn push(&mut self, tree: Short, base: u32, mut added: Vec<Item>, mut removed: Vec<Item>) -> u32 {
        let number = u32::try_from(self.trees.len()).unwrap_or(NONE);
        let start = |len: usize| u32::try_from(len).unwrap_or(u32::MAX);
        self.trees.push((tree, base, start(self.added.len()), start(self.removed.len())));
        if self.added.len() + self.removed.len() > EDGES_MAX {
            return number;
        }
        added.sort_unstable();
        added.dedup();
        removed.sort_unstable();
        removed.dedup();
        self.added.extend(added.iter().filter(|item| removed.binary_search(item).is_err()));
        self.removed.extend(removed.iter().filter(|item| added.binary_search(item).is_err()));
        number
    }

    fn add(&mut self, other: Self) {
        let shift = |by: usize, number: u32| {
            if number == NONE { NONE } else { number.saturating_add(u32::try_from(by).unwrap_or(u32::MAX)) }
        };
        let (trees, added, removed) = (self.trees.len(), self.added.len(), self.removed.len());
        let moved = |(tree, base, one, two)| (tree, shift(trees, base), shift(added, one), shift(removed, two));
        self.trees.extend(other.trees.into_iter().map(moved));
        self.added.extend(other.added);
        self.removed.extend(other.removed);
        self.names.extend(other.names);
    }

    fn of(&self, number: u32) -> (&[Item], &[Item]) {
        let at = number as usize;
        let (_, _, added, removed) = self.trees[at];
        let (added_end, removed_end) = self
            .trees
            .get(at + 1)
            .map_or((self.added.len(), self.removed.len()), |next| (next.2 as usize, next.3 as usize));
        (&self.added[added as usize..added_end], &self.removed[removed as usize..removed_end])
    }
}

/// Notes the trees of one thread, and searches what is new in them.
struct Noter<'n, 's, 'p> {
    store: &'s Store<'p>,
    pack: &'s Pack<'p>,
    wanted: &'n Targets,
    notes: Notes,
    sweeper: Sweeper<'s, 'p>,
}

/// What is kept of a tree while deltas on it are walked.
struct Noted {
    number: u32,
    listed: Listed,
    /// Whether anything that is searched for stands in it.
    is_hit: bool,
}

impl walk::Visitor for Noter<'_, '_, '_> {
    type State = Noted;

    fn wants(&self, kind: Kind) -> bool {
        kind == Kind::Tree
    }

    fn seams(&self) -> Option<Seams<'_>> {
        self.sweeper.seams()
    }

    fn needs(&mut self, _: Kind, base: &Noted, news: News<'_>) -> bool {
        self.sweeper.suspect(base.is_hit, news);
        true
    }

    fn object(&mut self, entry: u32, object: Object<'_>, base: Option<Base<'_, Noted>>) -> Noted {
        let id = self.pack.id(entry).unwrap_or_else(|| self.store.hash(Kind::Tree, object.bytes));
        let is_hit = self.sweeper.tree(entry, object, base.is_some());
        let id_len = self.store.object_hash().len_in_bytes();
        let mut lister = Lister { id_len, wanted: self.wanted, names: &mut self.notes.names };
        let Some((base, ends)) = base.and_then(|base| Some((base.state, base.delta.same_ends()?))) else {
            let whole = lister.list(object.bytes);
            let number = self.notes.push(short(&id), NONE, whole.items(), Vec::new());
            return Noted { number, listed: whole, is_hit };
        };
        let Change { listed, added, removed } = lister.change(&base.listed, object.bytes, ends);
        let number = self.notes.push(short(&id), base.number, added, removed);
        Noted { number, listed, is_hit }
    }

    fn passed(&mut self, _: u32, _: Kind, _: u64) -> Noted {
        Noted { number: NONE, listed: Listed::default(), is_hit: false }
    }

    fn piece(&mut self, entry: u32, kind: Kind, piece: &[u8]) -> bool {
        self.sweeper.piece(entry, kind, piece)
    }

    fn pieces_end(&mut self, entry: u32, kind: Kind, bytes: u64) {
        self.sweeper.pieces_end(entry, kind, bytes);
    }

    fn fault(&mut self, entry: u32, reason: &'static str) {
        walk::Visitor::fault(&mut self.sweeper, entry, reason);
    }

    fn outside(&mut self, id: ObjectId, out: &mut Vec<u8>) -> Option<(Kind, Noted)> {
        let (kind, is_hit) = self.sweeper.outside(id, out)?;
        Some((kind, Noted { number: NONE, listed: Listed::default(), is_hit }))
    }
}

/// Works out what holds what.
struct Holder<'h> {
    notes: Notes,
    wanted: &'h Targets,
    /// Each added entry by what it names, with the tree that added it.
    adders: Vec<(Item, u32)>,
    /// The trees that are deltas on each tree.
    first_child: Vec<u32>,
    next_sibling: Vec<u32>,
    /// The entries that lead to a target, by tree.
    edges: Vec<Vec<Item>>,
    /// What was looked for so far.
    opened: HashSet<Short>,
    is_cut: bool,
}

impl<'h> Holder<'h> {
    fn new(notes: Notes, wanted: &'h Targets) -> Self {
        let count = notes.trees.len();
        let (mut first_child, mut next_sibling) = (vec![NONE; count], vec![NONE; count]);
        let mut adders = Vec::with_capacity(notes.added.len());
        for number in 0..u32::try_from(count).unwrap_or(NONE) {
            let base = notes.trees[number as usize].1;
            if base != NONE {
                next_sibling[number as usize] = first_child[base as usize];
                first_child[base as usize] = number;
            }
            adders.extend(notes.of(number).0.iter().map(|&item| (item, number)));
        }
        adders.sort_unstable();
        let is_cut = notes.added.len() + notes.removed.len() > EDGES_MAX;
        let opened = wanted.sorted.iter().map(|target| target.0).collect();
        Self { notes, wanted, adders, first_child, next_sibling, edges: vec![Vec::new(); count], opened, is_cut }
    }

    fn run(mut self) -> Lineage {
        let mut open: Vec<Short> = self.opened.iter().copied().collect();
        let mut edges = 0;
        while let Some(held) = open.pop() {
            let from = self.adders.partition_point(|(item, _)| item.0 < held);
            for at in from..self.adders.len() {
                let (item, tree) = self.adders[at];
                if item.0 != held {
                    break;
                }
                edges += self.spread(item, tree, &mut open);
            }
            if edges > EDGES_MAX {
                self.is_cut = true;
                break;
            }
        }
        self.lineage()
    }

    /// Notes that `tree` and the deltas on it have `item`, down to those that lost it.
    fn spread(&mut self, item: Item, tree: u32, open: &mut Vec<Short>) -> usize {
        let mut edges = 0;
        let mut below = vec![tree];
        while let Some(tree) = below.pop() {
            let name = self.notes.trees[tree as usize].0;
            if self.opened.insert(name) {
                open.push(name);
            }
            self.edges[tree as usize].push(item);
            edges += 1;
            let mut child = self.first_child[tree as usize];
            while child != NONE {
                if self.notes.of(child).1.binary_search(&item).is_err() {
                    below.push(child);
                }
                child = self.next_sibling[child as usize];
            }
        }
        edges
    }

    /// Numbers what the trees hold, each behind what it holds itself.
    fn lineage(self) -> Lineage {
        let mut by_name: HashMap<Short, u32> = HashMap::new();
        for (number, edges) in (0..).zip(&self.edges) {
            if !edges.is_empty() || self.wanted.contains(self.notes.trees[number as usize].0) {
                by_name.entry(self.notes.trees[number as usize].0).or_insert(number);
            }
        }
        let mut lineage = Lineage { is_cut: self.is_cut, ..Lineage::default() };
        let mut known = Known::default();
        let mut entered: HashSet<Short> = HashSet::new();
        let mut starts: Vec<(Short, u32)> = by_name.iter().map(|(&name, &number)| (name, number)).collect();
        starts.sort_unstable();
        for &(name, _) in &starts {
            let mut open = vec![name];
            while let Some(&name) = open.last() {
                let Some(&number) = by_name.get(&name).filter(|_| !known.trees.contains_key(&name)) else {
                    open.pop();
                    continue;
                };
                let edges = &self.edges[number as usize];
                if entered.insert(name) {
                    let below = edges.iter().map(|item| item.0);
                    open.extend(below.filter(|held| by_name.contains_key(held) && !entered.contains(held)));
                    continue;
                }
                open.pop();
                let holding = self.holding(name, edges, &mut known, &mut lineage);
                known.trees.insert(name, holding);
            }
        }
        lineage.trees = known.trees.into_iter().collect();
        lineage.trees.sort_unstable();
        lineage
    }

    /// The number of what a tree with `edges` holds; a tree that is a target holds itself under no name.
    fn holding(&self, tree: Short, edges: &[Item], known: &mut Known, lineage: &mut Lineage) -> u32 {
        let mut holds: Vec<(u64, Held)> =
            self.wanted.numbers(tree).map(|number| (hash(b""), Held::Target(number))).collect();
        for &(held, name) in edges {
            match known.trees.get(&held) {
                Some(&holding) => holds.push((name, Held::Tree(holding))),
                None => holds.extend(self.wanted.numbers(held).map(|number| (name, Held::Target(number)))),
            }
        }
        holds.sort_unstable();
        holds.dedup();
        if let Some(&holding) = known.holdings.get(&holds) {
            return holding;
        }
        let holding = u32::try_from(lineage.holdings.len()).unwrap_or(NONE);
        let name = |hash: &u64| self.notes.names.get(hash).cloned().unwrap_or_default();
        let mut named: Vec<(Vec<u8>, Held)> = holds.iter().map(|(hash, held)| (name(hash), *held)).collect();
        named.sort_unstable();
        lineage.holdings.push(named);
        known.holdings.insert(holds, holding);
        holding
    }
}

/// What is worked out so far.
#[derive(Default)]
struct Known {
    trees: HashMap<Short, u32>,
    holdings: HashMap<Vec<(u64, Held)>, u32>,
}
