//! Where in the history each key stood: which commits brought it, where it still is, and what leads there.
//!
//! One finding a key and path. A key that no commit leads to is found in an index, or stands alone.

use super::judge::{Job, Judged, judge};
use super::reveal::{Held, Named, Needles, Revealed};
use super::{LazyGraph, Repository};
use crate::blob::Origin;
use crate::finding::{Event, Finding, History, REFS_MAX};
use crate::source::history::{Bounds, Graph, HistoryRoot, Lineage, Provenance, Roots, Spot, author_of, sweep_trees};
use bstr::ByteSlice as _;
use gix_hash::ObjectId;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Paths at `HEAD` that are told apart.
const SIGHTINGS_MAX: usize = 1_000_000;
/// Paths below one tree that a ref leads to without a commit.
const HUNG_MAX: usize = 100;

/// Path of an object, below the git directory, that has none in any tree.
pub(in crate::scan) fn object_path(origin: Origin, id: &ObjectId) -> Vec<u8> {
    let folder = match origin {
        Origin::Commit => "commits",
        Origin::Tag => "tags",
        Origin::TreeEntry => "trees",
        _ => "blobs",
    };
    format!("{folder}/{}", id.to_hex()).into_bytes()
}

/// Places what was revealed, and reports it. Should that fail, it is reported as it was found.
/// With the lineage of its targets, if it is known already.
pub(super) fn place(
    repository: &Repository<'_>,
    graph: &LazyGraph,
    (revealed, lineage): (Revealed, Option<Lineage>),
    bounds: &Bounds,
) {
    super::bundle::pointers(repository, &revealed.pointers);
    super::bundle::blobs(repository, (graph, lineage.as_ref()), &revealed, bounds);
    if revealed.blobs.is_empty() && revealed.names.is_empty() && revealed.texts.is_empty() {
        return;
    }
    let graph: &Graph = graph;
    let texts = revealed.texts;
    let mut targets = Targets::new(revealed.blobs, revealed.names);
    // Bundles are targets of the lineage, and nothing that is placed here.
    targets.things.resize(targets.ids.len() + revealed.bundles.len(), Vec::new());
    let placed = catch_unwind(AssertUnwindSafe(|| {
        let roots = Roots::new(repository.store, graph, repository.refs);
        let mut placer = Placer { repository, graph, roots, notes: Vec::new() };
        placer.notes = placer.note_commits();
        placer.texts(&texts);
        placer.objects(&targets, lineage, bounds);
    }));
    if placed.is_err() {
        repository
            .remark("an internal error while keys were placed, please report it; they are told as they were found");
        let mut collected = repository.shared.collected();
        collected.findings.extend(texts.into_iter().flat_map(|(_, findings)| findings));
        let found = targets.blobs.into_iter().flat_map(|held| held.findings);
        collected.findings.extend(found.filter(|finding| finding.key.is_some()));
        let names = targets.trees.into_iter().flat_map(|(_, names)| names);
        collected.findings.extend(names.flat_map(|(_, findings)| findings));
    }
}

/// The objects to be placed, and the things they hold, by number.
struct Targets {
    ids: Vec<ObjectId>,
    /// The first targets.
    blobs: Vec<Held>,
    /// The other targets; each name in one is a thing, the same in whichever tree it stands.
    trees: Vec<(ObjectId, Vec<Named>)>,
    /// The tree and the place in it of the first of each name.
    firsts: Vec<(usize, usize)>,
    things: Vec<Vec<u32>>,
    /// Numbers of keys, by fingerprint.
    keys: HashMap<String, u32>,
}

impl Targets {
    fn new(blobs: Vec<Held>, names: Vec<(ObjectId, Named)>) -> Self {
        let mut by_tree: BTreeMap<ObjectId, Vec<Named>> = BTreeMap::new();
        for (id, named) in names {
            by_tree.entry(id).or_default().push(named);
        }
        let trees: Vec<(ObjectId, Vec<Named>)> = by_tree.into_iter().collect();
        let mut keys: HashMap<String, u32> = HashMap::new();
        let mut things: Vec<Vec<u32>> = Vec::new();
        for held in &blobs {
            let mut held: Vec<u32> = held
                .findings
                .iter()
                .map(|finding| {
                    let next = number(keys.len());
                    *keys.entry(finding.fingerprint()).or_insert(next)
                })
                .collect();
            held.sort_unstable();
            held.dedup();
            things.push(held);
        }
        let (mut firsts, mut numbers) = (Vec::new(), BTreeMap::new());
        for (tree, (_, names)) in trees.iter().enumerate() {
            let of_tree = names.iter().enumerate().map(|(at, (name, _))| {
                let next = number(keys.len() + firsts.len());
                *numbers.entry(name.as_slice()).or_insert_with(|| {
                    firsts.push((tree, at));
                    next
                })
            });
            things.push(of_tree.collect());
        }
        let ids = blobs.iter().map(|held| held.id).chain(trees.iter().map(|tree| tree.0)).collect();
        Self { ids, blobs, trees, firsts, things, keys }
    }

    /// The name that is the thing with a number, with a tree that holds it.
    fn name(&self, thing: u32) -> Option<(&ObjectId, &[Named])> {
        let &(tree, at) = self.firsts.get((thing as usize).checked_sub(self.keys.len())?)?;
        let (id, names) = self.trees.get(tree)?;
        Some((id, names.get(at..=at)?))
    }
}

fn number(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

/// Where a target is below trees that refs lead to without a commit.
#[derive(Default)]
struct Hung {
    paths: BTreeSet<Vec<u8>>,
    /// Numbers of roots.
    roots: Vec<u32>,
}

struct Placer<'p> {
    repository: &'p Repository<'p>,
    graph: &'p Graph,
    roots: Roots,
    /// Whether each commit belongs to notes and to nothing else.
    notes: Vec<bool>,
}

impl Placer<'_> {
    /// Findings in texts of commits and tags.
    fn texts(&self, texts: &[(ObjectId, Vec<Finding>)]) {
        let commits: Vec<Vec<u32>> = texts.iter().map(|(id, _)| self.graph.find(id).into_iter().collect()).collect();
        let sets: Vec<&[u32]> = commits.iter().map(Vec::as_slice).collect();
        let reaching = self.roots.reaching(self.graph, &sets);
        for (((id, findings), commits), mut roots) in texts.iter().zip(&commits).zip(reaching) {
            if commits.is_empty() {
                let has_tag = |(_, root): &(u32, &HistoryRoot)| root.tags.contains(id);
                roots = (0..).zip(&self.roots.all).filter(has_tag).map(|(number, _)| number).collect();
            }
            let history = self.history(commits, None, self.reaches_head(commits), &roots);
            self.report(findings.iter().map(|finding| {
                let mut finding = Finding { commit: Some(id.to_hex().to_string()), ..finding.clone() };
                finding.places.iter_mut().for_each(|place| place.blob = Some(id.to_hex().to_string()));
                self.finish(finding, history.clone(), None)
            }));
        }
    }

    /// Findings in blobs and in names.
    fn objects(&self, targets: &Targets, lineage: Option<Lineage>, bounds: &Bounds) {
        if targets.ids.is_empty() {
            return;
        }
        let search = Needles::new(&self.repository.shared.detector);
        let lineage =
            lineage.or_else(|| sweep_trees(self.repository.store, &search, &targets.ids, bounds).1).unwrap_or_default();
        let provenance = Provenance::new(self.graph, &lineage, &targets.things);
        if provenance.is_cut {
            self.repository.remark("so much holds keys that where each stood was not followed to the end");
        }
        let sets: Vec<&[u32]> = provenance.spots.iter().map(|spot| spot.introduced.as_slice()).collect();
        let reaching = self.roots.reaching(self.graph, &sets);
        let at_head = self.at_head(&lineage, targets);
        let mut seen = vec![false; targets.ids.len()];
        let mut jobs: BTreeMap<(&[u8], u32), Job<'_>> = BTreeMap::new();
        let mut histories: HashMap<(&[u8], u32), History> = HashMap::new();
        for (spot, roots) in provenance.spots.iter().zip(&reaching) {
            let is_at_head = at_head.contains(&(spot.path.clone(), spot.thing));
            let removed = spot.removed.filter(|_| !is_at_head);
            let mut history = self.history(&spot.introduced, removed, is_at_head, roots);
            let totals = spot.holders.iter().map(|holder| provenance.paths_total[holder.target as usize]);
            history.paths_total = totals.max().flatten();
            for holder in &spot.holders {
                seen[holder.target as usize] = true;
                let Some(held) = targets.blobs.get(holder.target as usize) else { continue };
                let new = || Job::new(held, &spot.path, self.is_note(spot));
                jobs.entry((&spot.path, holder.target)).or_insert_with(new).commits.extend(&holder.commits);
            }
            if let Some((id, found)) = targets.name(spot.thing) {
                self.names(&spot.path, id, found, &history);
            }
            histories.insert((&spot.path, spot.thing), history);
        }
        let judged = judge(self.repository, self.graph, jobs.into_values().collect());
        self.blobs(judged, targets, &histories);
        self.unplaced(targets, &seen, &self.hung(&lineage));
    }

    /// The paths and things that the commit at `HEAD` has.
    fn at_head(&self, lineage: &Lineage, targets: &Targets) -> BTreeSet<(Vec<u8>, u32)> {
        let tree = self.roots.head.map(|head| self.graph.commit(head).tree);
        let Some(holding) = tree.and_then(|tree| lineage.holding(&tree)) else { return BTreeSet::new() };
        let (sightings, _) = lineage.sightings(holding, SIGHTINGS_MAX);
        let spots = sightings.into_iter().flat_map(|sighting| {
            let things = &targets.things[sighting.target as usize];
            things.iter().map(move |&thing| (sighting.path.clone(), thing))
        });
        spots.collect()
    }

    /// Reports what was judged; a key that was found and is not among it is reported as it was found.
    fn blobs(&self, judged: Vec<Judged>, targets: &Targets, histories: &HashMap<(&[u8], u32), History>) {
        let mut told: BTreeSet<(ObjectId, String)> = BTreeSet::new();
        let mut judged_blobs: BTreeSet<ObjectId> = BTreeSet::new();
        for one in judged {
            judged_blobs.insert(one.id);
            let findings = one.findings.into_iter().map(|finding| {
                let fingerprint = finding.fingerprint();
                let history =
                    targets.keys.get(&fingerprint).and_then(|key| histories.get(&(one.path.as_slice(), *key)));
                told.insert((one.id, fingerprint));
                self.finish(finding, history.cloned().unwrap_or_default(), Some(one.origin))
            });
            let findings: Vec<Finding> = findings.collect();
            self.report(findings.into_iter());
        }
        for held in targets.blobs.iter().filter(|held| judged_blobs.contains(&held.id)) {
            // Without a key, what was found is only what might be told, wherever it stood.
            let keys = held.findings.iter().filter(|finding| finding.key.is_some());
            let lost = keys.filter(|finding| !told.contains(&(held.id, finding.fingerprint())));
            self.report(lost.cloned());
        }
    }

    /// Keys in names of the entries of a tree that stood at `path`.
    fn names(&self, path: &[u8], id: &ObjectId, names: &[Named], history: &History) {
        let commit = history.introduced.as_ref().map(|event| event.commit.clone());
        for (name, findings) in names {
            let whole = if path.is_empty() { name.clone() } else { [path, b"/", name].concat() };
            let shown = super::shown(&self.repository.shared.detector, self.repository.tree_prefix, &whole);
            self.report(findings.iter().map(|finding| {
                let mut finding = Finding { path: shown.clone(), commit: commit.clone(), ..finding.clone() };
                finding.places.iter_mut().for_each(|place| place.blob = Some(id.to_hex().to_string()));
                self.finish(finding, history.clone(), None)
            }));
        }
    }

    /// What no commit leads to: from an index, from a ref of its own or on a tree, or from nothing.
    fn unplaced(&self, targets: &Targets, seen: &[bool], hung: &BTreeMap<u32, Hung>) {
        for (number, held) in (0..).zip(&targets.blobs).filter(|(number, _)| !seen[*number as usize]) {
            let staged = self.repository.staged(&held.id);
            let hung = hung.get(&number);
            let jobs = if let Some(hung) = hung.filter(|_| staged.is_empty()) {
                hung.paths.iter().map(|path| Job::alone(held, path.clone(), Origin::Blob)).collect()
            } else if staged.is_empty() {
                vec![Job::nameless(held)]
            } else {
                staged.into_iter().map(|path| Job::alone(held, path, Origin::Index)).collect()
            };
            let history = self.lone(&self.leading(&held.id, hung), jobs.iter().any(|job| job.origin == Origin::Index));
            for one in judge(self.repository, self.graph, jobs) {
                let findings = one.findings.into_iter();
                self.report(findings.map(|finding| self.finish(finding, history.clone(), Some(one.origin))));
            }
        }
        let trees = (number(targets.blobs.len())..).zip(&targets.trees);
        for (number, (id, found)) in trees.filter(|(number, _)| !seen[*number as usize]) {
            let hung = hung.get(&number);
            let history = self.lone(&self.leading(id, hung), false);
            let path = [self.repository.prefix, &object_path(Origin::TreeEntry, id)].concat();
            let below = path.strip_prefix(self.repository.tree_prefix).unwrap_or(&path);
            self.names(hung.and_then(|hung| hung.paths.first()).map_or(below, Vec::as_slice), id, found, &history);
        }
    }

    /// Roots that lead to an object without a commit: to itself, or to a tree it is below.
    fn leading(&self, id: &ObjectId, hung: Option<&Hung>) -> Vec<u32> {
        let mut roots = self.named(id);
        roots.extend(hung.iter().flat_map(|hung| &hung.roots));
        roots.sort_unstable();
        roots.dedup();
        roots
    }

    /// The targets below trees that refs lead to without a commit, by number.
    fn hung(&self, lineage: &Lineage) -> BTreeMap<u32, Hung> {
        let mut by_holding: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for (number, root) in (0..).zip(&self.roots.all) {
            for holding in root.others.iter().filter_map(|(_, other)| lineage.holding(other)) {
                by_holding.entry(holding).or_default().push(number);
            }
        }
        let mut hung: BTreeMap<u32, Hung> = BTreeMap::new();
        for (holding, roots) in by_holding {
            let mut targets = BTreeSet::new();
            for sighting in lineage.sightings(holding, HUNG_MAX).0 {
                targets.insert(sighting.target);
                hung.entry(sighting.target).or_default().paths.insert(sighting.path);
            }
            for target in targets {
                hung.entry(target).or_default().roots.extend(&roots);
            }
        }
        hung
    }

    /// Refs that lead to an object that is no commit.
    fn named(&self, id: &ObjectId) -> Vec<u32> {
        let is_on = |root: &HistoryRoot| root.others.iter().any(|(_, other)| other == id);
        (0..).zip(&self.roots.all).filter(|(_, root)| is_on(root)).map(|(number, _)| number).collect()
    }

    fn lone(&self, roots: &[u32], is_staged: bool) -> History {
        let mut history = self.history(&[], None, false, roots);
        if is_staged {
            history.reachable = true;
            history.refs.push("index".into());
            history.refs_total += 1;
        }
        history
    }

    /// What is told of something that `introduced` brought.
    fn history(&self, introduced: &[u32], removed: Option<u32>, at_head: bool, roots: &[u32]) -> History {
        let names = self.roots.names(roots);
        let detector = &self.repository.shared.detector;
        let refs = names.iter().take(REFS_MAX).map(|name| super::shown(detector, b"", name));
        let reintroduced = introduced.get(1..).and_then(<[u32]>::last).map(|&commit| self.event(commit));
        let introduced = introduced.first().map(|&commit| self.event(commit));
        let now = self.repository.shared.options.now;
        History {
            days: introduced
                .as_ref()
                .and_then(|event| u64::try_from(now.saturating_sub(event.time)).ok())
                .map(|seconds| seconds / 86_400),
            introduced,
            reintroduced,
            removed: removed.map(|commit| self.event(commit)),
            at_head,
            refs: refs.collect(),
            refs_total: names.len() as u64,
            reachable: !roots.is_empty(),
            paths_total: None,
        }
    }

    fn event(&self, commit: u32) -> Event {
        let (rank, commit) = (self.graph.rank(commit), self.graph.commit(commit));
        let repository = self.repository;
        let author =
            repository.shared.options.history.authors.then(|| author_of(repository.store, &commit.id)).flatten();
        let author = author.map(|name| super::shown(&repository.shared.detector, b"", name.trim()));
        Event { time: commit.time, rank, commit: commit.id.to_hex().to_string(), author }
    }

    fn reaches_head(&self, commits: &[u32]) -> bool {
        let Some(head) = self.roots.head else { return false };
        let mut marks = vec![0; self.graph.len()];
        for &commit in commits {
            marks[commit as usize] = 1;
        }
        self.graph.reached(&marks)[head as usize] == 1
    }

    /// Commits that refs of notes lead to, and no other ref.
    fn note_commits(&self) -> Vec<bool> {
        let below = |is_wanted: &dyn Fn(&[u8]) -> bool| {
            let roots = self.roots.all.iter().filter(|root| is_wanted(&root.name));
            self.graph.ancestors(roots.flat_map(|root| root.commits.iter().copied()))
        };
        let is_note = |name: &[u8]| name.starts_with(b"refs/notes/");
        if !self.roots.all.iter().any(|root| is_note(&root.name)) {
            return vec![false; self.graph.len()];
        }
        let others = below(&|name| name.starts_with(b"refs/") && !is_note(name));
        below(&is_note).into_iter().zip(others).map(|(note, other)| note && !other).collect()
    }

    fn is_note(&self, spot: &Spot) -> bool {
        spot.introduced.iter().all(|&commit| self.notes[commit as usize])
    }

    fn finish(&self, finding: Finding, history: History, origin: Option<Origin>) -> Finding {
        let mut finding = Finding { history: Some(history), origin: origin.unwrap_or(finding.origin), ..finding };
        super::super::decide::age(
            &mut finding,
            &self.repository.shared.options.rules,
            self.repository.shared.options.now,
        );
        finding
    }

    fn report(&self, findings: impl Iterator<Item = Finding>) {
        self.repository.shared.collected().findings.extend(findings);
    }
}
