//! Which commits brought something to a path and took it away, and what still leads there.
//!
//! Worked out from the graph of commits and from what their trees hold; no object is read. What counts as the same
//! thing is the caller's: each target, an object, holds some things by number.

use super::graph::Graph;
use super::lineage::{Lineage, Sighting};
use std::collections::{BTreeMap, HashMap};

/// Paths of one target that are told apart; the rest is counted.
const PATHS_MAX: usize = 100;
/// Commits kept of those that share a holding.
const SAMPLES_MAX: usize = 4;
/// Targets that are looked for one by one because others at very many paths come before them.
const LATE_MAX: usize = 10_000;
/// Spots in all holdings together.
const SPOTS_MAX: usize = 20_000_000;

/// One thing at one path.
#[derive(Clone, Debug, Default)]
pub struct Spot {
    /// From the top, with `/`.
    pub path: Vec<u8>,
    /// Number of the thing.
    pub thing: u32,
    /// Commits that have it while no parent has, oldest first.
    pub introduced: Vec<u32>,
    /// The newest commit that has it not while all its parents have.
    pub removed: Option<u32>,
    /// The targets it was in at this path.
    pub holders: Vec<Holder>,
}

/// A target at a path.
#[derive(Clone, Debug, Default)]
pub struct Holder {
    /// Number of the target.
    pub target: u32,
    /// Some commits that have it there, ascending by number of the order: the first, the last and some between.
    pub commits: Vec<u32>,
}

/// Where things stood.
#[derive(Default)]
pub struct Provenance {
    /// Sorted by path and thing.
    pub spots: Vec<Spot>,
    /// Paths that each target had, by number; none where counting was cut off.
    pub paths_total: Vec<Option<u64>>,
    /// Whether something was cut off.
    pub is_cut: bool,
}

/// What the trees of some commits hold.
struct Held {
    /// Numbers of spots, sorted.
    spots: Vec<u32>,
    /// Numbers of spots with the target that each is in.
    targets: Vec<(u32, u32)>,
    /// Commits, in order.
    samples: Vec<u32>,
    /// Commits seen, and how many are passed over between samples.
    seen: u32,
    stride: u32,
}

impl Held {
    /// Keeps the first commits, then every second, every fourth and so on.
    fn sample(&mut self, commit: u32) {
        if self.seen.is_multiple_of(self.stride) {
            if self.samples.len() == 2 * SAMPLES_MAX {
                let mut at = 0;
                self.samples.retain(|_| {
                    at += 1;
                    at % 2 == 1
                });
                self.stride *= 2;
            }
            self.samples.push(commit);
        }
        self.seen += 1;
    }
}

/// Works a [`Provenance`] out.
struct Tracer<'t> {
    graph: &'t Graph,
    lineage: &'t Lineage,
    /// What each target holds.
    things: &'t [Vec<u32>],
    spots: Vec<Spot>,
    known: HashMap<(Vec<u8>, u32), u32>,
    held: HashMap<u32, Held>,
    paths_total: Vec<Option<u64>>,
    count: usize,
    late: usize,
    is_cut: bool,
}

impl Provenance {
    /// Over every commit of `graph`; `things` says what each target of `lineage` holds.
    pub fn new(graph: &Graph, lineage: &Lineage, things: &[Vec<u32>]) -> Self {
        let tracer = Tracer {
            graph,
            lineage,
            things,
            spots: Vec::new(),
            known: HashMap::new(),
            held: HashMap::new(),
            paths_total: vec![Some(0); things.len()],
            count: 0,
            late: 0,
            is_cut: lineage.is_cut,
        };
        tracer.run()
    }
}

impl Tracer<'_> {
    fn run(mut self) -> Provenance {
        let holdings: Vec<Option<u32>> = (0..u32::try_from(self.graph.len()).unwrap_or(u32::MAX))
            .map(|number| self.lineage.holding(&self.graph.commit(number).tree))
            .collect();
        let mut last: HashMap<u32, u32> = HashMap::new();
        for &commit in self.graph.order() {
            if let Some(holding) = holdings[commit as usize] {
                self.hold(holding);
                if let Some(held) = self.held.get_mut(&holding) {
                    held.sample(commit);
                }
                last.insert(holding, commit);
            }
            self.compare(commit, &holdings);
        }
        self.holders(&last);
        let rank: HashMap<u32, usize> = self.graph.order().iter().copied().zip(0..).collect();
        for spot in &mut self.spots {
            let graph = self.graph;
            spot.introduced.sort_by_key(|&commit| (graph.commit(commit).time, graph.rank(commit)));
            for holder in &mut spot.holders {
                holder.commits.sort_by_key(|commit| rank.get(commit).copied());
                holder.commits.dedup();
            }
            spot.holders.sort_by_key(|holder| holder.target);
        }
        self.spots.sort_by(|one, other| (&one.path, one.thing).cmp(&(&other.path, other.thing)));
        Provenance { spots: self.spots, paths_total: self.paths_total, is_cut: self.is_cut }
    }

    /// Lists the spots of a holding, once.
    fn hold(&mut self, holding: u32) {
        if self.held.contains_key(&holding) {
            return;
        }
        let sightings_max = PATHS_MAX.saturating_mul(self.things.len()).min(SPOTS_MAX - self.count.min(SPOTS_MAX));
        let (mut sightings, totals) = self.lineage.sightings(holding, sightings_max);
        for (&target, &total) in &totals {
            let most = &mut self.paths_total[target as usize];
            *most = most.map(|most| most.max(total));
        }
        if sightings.len() == sightings_max {
            self.late(holding, &totals, &mut sightings);
        }
        let mut paths: HashMap<u32, usize> = HashMap::new();
        let mut targets = Vec::new();
        for sighting in sightings {
            let count = paths.entry(sighting.target).or_default();
            *count += 1;
            if *count > PATHS_MAX {
                continue;
            }
            let things = self.things;
            for &thing in &things[sighting.target as usize] {
                targets.push((self.spot(&sighting.path, thing), sighting.target));
            }
        }
        self.count += targets.len();
        self.is_cut |= self.count >= SPOTS_MAX;
        targets.sort_unstable();
        let mut spots: Vec<u32> = targets.iter().map(|(spot, _)| *spot).collect();
        spots.dedup();
        self.held.insert(holding, Held { spots, targets, samples: Vec::new(), seen: 0, stride: 1 });
    }

    /// Adds the targets of which `sightings`, cut off, tell no path or too few.
    fn late(&mut self, holding: u32, totals: &BTreeMap<u32, u64>, sightings: &mut Vec<Sighting>) {
        let mut told: HashMap<u32, u64> = HashMap::new();
        for sighting in sightings.iter() {
            *told.entry(sighting.target).or_default() += 1;
        }
        let is_late =
            |target: u32, total: u64| told.get(&target).copied().unwrap_or_default() < total.min(PATHS_MAX as u64);
        for (&target, _) in totals.iter().filter(|(target, total)| is_late(**target, **total)) {
            if self.late == LATE_MAX {
                self.is_cut = true;
                return;
            }
            self.late += 1;
            sightings.retain(|sighting| sighting.target != target);
            sightings.extend(self.lineage.sightings_of(holding, target, PATHS_MAX));
        }
    }

    fn spot(&mut self, path: &[u8], thing: u32) -> u32 {
        let spots = &mut self.spots;
        *self.known.entry((path.to_vec(), thing)).or_insert_with(|| {
            spots.push(Spot { path: path.to_vec(), thing, ..Spot::default() });
            u32::try_from(spots.len() - 1).unwrap_or(u32::MAX)
        })
    }

    /// Holds a commit against its parents.
    fn compare(&mut self, commit: u32, holdings: &[Option<u32>]) {
        let own = holdings[commit as usize];
        let parents: Vec<Option<u32>> =
            self.graph.parents(commit).iter().map(|&parent| holdings[parent as usize]).collect();
        if !parents.is_empty() && parents.iter().all(|parent| *parent == own) {
            return;
        }
        let held = |holding: Option<u32>| {
            holding.and_then(|holding| self.held.get(&holding)).map_or([].as_slice(), |held| held.spots.as_slice())
        };
        let has = |holding: Option<u32>, spot: u32| held(holding).binary_search(&spot).is_ok();
        let is_new = |spot: &u32| !parents.iter().any(|&parent| has(parent, *spot));
        let introduced: Vec<u32> = held(own).iter().copied().filter(is_new).collect();
        let is_gone = |spot: &u32| !has(own, *spot) && parents.iter().all(|&parent| has(parent, *spot));
        let first = parents.first().copied().flatten();
        let removed: Vec<u32> = held(first).iter().copied().filter(is_gone).collect();
        for spot in introduced {
            self.spots[spot as usize].introduced.push(commit);
        }
        let age = |commit: u32| (self.graph.commit(commit).time, self.graph.rank(commit));
        for spot in removed {
            let known = &mut self.spots[spot as usize].removed;
            if known.is_none_or(|known| age(known) < age(commit)) {
                *known = Some(commit);
            }
        }
    }

    /// Gathers the targets of each spot, with commits that have them.
    fn holders(&mut self, last: &HashMap<u32, u32>) {
        let mut holdings: Vec<u32> = self.held.keys().copied().collect();
        holdings.sort_unstable();
        for holding in holdings {
            let Some(held) = self.held.get(&holding) else { continue };
            for &(spot, target) in &held.targets {
                let holders = &mut self.spots[spot as usize].holders;
                let at = holders.iter().position(|holder| holder.target == target).unwrap_or_else(|| {
                    holders.push(Holder { target, commits: Vec::new() });
                    holders.len() - 1
                });
                let holder = &mut holders[at];
                holder.commits.extend(held.samples.iter().chain(last.get(&holding)));
            }
        }
    }
}
