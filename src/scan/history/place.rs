//! Where in the history each key stood: which commits brought it, where it still is, and what leads there.
//!
//! One finding a key and path. A key that no commit leads to is found in an index, or stands alone.

use super::Repository;
use super::judge::{Job, Judged, judge};
use super::reveal::{Held, Revealed};
use crate::blob::Origin;
use crate::finding::{Event, Finding, History, REFS_MAX};
use crate::source::history::{Bounds, Graph, Lineage, Provenance, Roots, Spot, author_of};
use bstr::ByteSlice as _;
use gix_hash::ObjectId;
use std::collections::{BTreeMap, HashMap};

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

/// Places what was revealed, and reports it.
pub(super) fn place(repository: &Repository<'_>, graph: &Graph, revealed: Revealed, bounds: &Bounds) {
    super::bundle::pointers(repository, &revealed.pointers);
    for (id, place) in &revealed.bundles {
        super::bundle::blob(repository, id, *place);
    }
    if revealed.blobs.is_empty() && revealed.names.is_empty() && revealed.texts.is_empty() {
        return;
    }
    let roots = Roots::new(repository.store, graph, repository.refs);
    let mut placer = Placer { repository, graph, roots, notes: Vec::new() };
    placer.notes = placer.note_commits();
    placer.texts(revealed.texts);
    placer.objects(&revealed.blobs, revealed.names, bounds);
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
    fn texts(&self, texts: Vec<(ObjectId, Vec<Finding>)>) {
        let commits: Vec<Vec<u32>> = texts.iter().map(|(id, _)| self.graph.find(id).into_iter().collect()).collect();
        let sets: Vec<&[u32]> = commits.iter().map(Vec::as_slice).collect();
        let reaching = self.roots.reaching(self.graph, &sets);
        for (((id, findings), commits), mut roots) in texts.into_iter().zip(&commits).zip(reaching) {
            if commits.is_empty() {
                let has_tag = |(_, root): &(u32, &crate::source::history::HistoryRoot)| root.tags.contains(&id);
                roots = (0..).zip(&self.roots.all).filter(has_tag).map(|(number, _)| number).collect();
            }
            let history = self.history(commits, None, self.reaches_head(commits), &roots);
            self.report(findings.into_iter().map(|finding| {
                let mut finding = Finding { commit: Some(id.to_hex().to_string()), ..finding };
                finding.places.iter_mut().for_each(|place| place.blob = Some(id.to_hex().to_string()));
                self.finish(finding, history.clone(), None)
            }));
        }
    }

    /// Findings in blobs and in names.
    fn objects(&self, blobs: &[Held], names: Vec<(ObjectId, Vec<u8>, Vec<Finding>)>, bounds: &Bounds) {
        let mut names_of: BTreeMap<ObjectId, Vec<(Vec<u8>, Vec<Finding>)>> = BTreeMap::new();
        for (id, name, findings) in names {
            names_of.entry(id).or_default().push((name, findings));
        }
        let trees: Vec<ObjectId> = names_of.keys().copied().collect();
        let targets: Vec<ObjectId> = blobs.iter().map(|held| held.id).chain(trees.iter().copied()).collect();
        if targets.is_empty() {
            return;
        }
        let mut keys: HashMap<&str, u32> = HashMap::new();
        let mut things: Vec<Vec<u32>> = Vec::new();
        let mut fingerprints: Vec<&str> = Vec::new();
        for held in blobs {
            let number = |key| {
                *keys.entry(key).or_insert_with(|| {
                    fingerprints.push(key);
                    u32::try_from(fingerprints.len() - 1).unwrap_or(u32::MAX)
                })
            };
            things.push(held.keys.iter().map(String::as_str).map(number).collect());
        }
        // A tree is a thing of its own, whatever names it holds.
        let first_tree = u32::try_from(fingerprints.len()).unwrap_or(u32::MAX);
        things.extend((0..).zip(&trees).map(|(number, _)| vec![first_tree + number]));
        let lineage = Lineage::new(self.repository.store, &targets, bounds);
        let provenance = Provenance::new(self.graph, &lineage, &things);
        if provenance.is_cut {
            self.repository.remark("so much holds keys that where each stood was not followed to the end");
        }
        let sets: Vec<&[u32]> = provenance.spots.iter().map(|spot| spot.introduced.as_slice()).collect();
        let reaching = self.roots.reaching(self.graph, &sets);
        let head = self.roots.head.map(|head| self.graph.commit(head).tree);
        let at_head = head.and_then(|tree| lineage.holding(&tree)).map(|holding| {
            let (sightings, _) = lineage.sightings(holding, 1_000_000);
            let spots = sightings.into_iter().flat_map(|sighting| {
                let things = &things[sighting.target as usize];
                things.iter().map(move |&thing| (sighting.path.clone(), thing))
            });
            spots.collect::<std::collections::BTreeSet<_>>()
        });
        let at_head = at_head.unwrap_or_default();
        let mut seen = vec![false; targets.len()];
        let mut jobs: BTreeMap<(&[u8], u32), Job<'_>> = BTreeMap::new();
        let mut histories: HashMap<(&[u8], u32), History> = HashMap::new();
        for (spot, roots) in provenance.spots.iter().zip(&reaching) {
            let is_at_head = at_head.contains(&(spot.path.clone(), spot.thing));
            let removed = spot.removed.filter(|_| !is_at_head);
            let mut history = self.history(&spot.introduced, removed, is_at_head, roots);
            history.paths_total =
                spot.holders.iter().map(|holder| provenance.paths_total[holder.target as usize]).max().flatten();
            for holder in &spot.holders {
                seen[holder.target as usize] = true;
                if let Some(held) = blobs.get(holder.target as usize) {
                    let job = jobs
                        .entry((&spot.path, holder.target))
                        .or_insert_with(|| Job::new(held, &spot.path, self.is_note(spot)));
                    job.commits.extend(&holder.commits);
                }
            }
            if spot.thing >= first_tree {
                let id = trees[(spot.thing - first_tree) as usize];
                let found = names_of.get(&id).map(Vec::as_slice).unwrap_or_default();
                self.names(&spot.path, &id, found, &history, spot);
            }
            histories.insert((&spot.path, spot.thing), history);
        }
        let jobs: Vec<Job<'_>> = jobs.into_values().collect();
        let judged = judge(self.repository, self.graph, jobs);
        self.blobs(judged, &keys, &histories);
        self.unplaced(blobs, &trees, &names_of, &seen);
    }

    fn blobs(&self, judged: Vec<Judged>, keys: &HashMap<&str, u32>, histories: &HashMap<(&[u8], u32), History>) {
        for one in judged {
            let findings = one.findings.into_iter().filter_map(|finding| {
                let key = keys.get(finding.fingerprint().as_str())?;
                let history = histories.get(&(one.path.as_slice(), *key))?.clone();
                Some(self.finish(finding, history, Some(one.origin)))
            });
            self.report(findings);
        }
    }

    /// Keys in names of the entries of a tree that stood at `path`.
    fn names(&self, path: &[u8], id: &ObjectId, names: &[(Vec<u8>, Vec<Finding>)], history: &History, spot: &Spot) {
        let commit = spot.introduced.first().map(|&commit| self.graph.commit(commit).id.to_hex().to_string());
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

    /// What no commit leads to: from an index, from a ref of its own, or from nothing.
    fn unplaced(
        &self,
        blobs: &[Held],
        trees: &[ObjectId],
        names_of: &BTreeMap<ObjectId, Vec<(Vec<u8>, Vec<Finding>)>>,
        seen: &[bool],
    ) {
        for (held, _) in blobs.iter().zip(seen).filter(|(_, is_seen)| !**is_seen) {
            let names = self.named(&held.id);
            let staged = self.staged(&held.id);
            let jobs = match staged.is_empty() {
                true => vec![Job::alone(held, object_path(Origin::Blob, &held.id), Origin::Blob)],
                false => staged.into_iter().map(|path| Job::alone(held, path, Origin::Index)).collect(),
            };
            let history = self.lone(names, jobs.iter().any(|job| job.origin == Origin::Index));
            for one in judge(self.repository, self.graph, jobs) {
                let findings = one.findings.into_iter();
                self.report(findings.map(|finding| self.finish(finding, history.clone(), Some(one.origin))));
            }
        }
        for (id, _) in trees.iter().zip(&seen[blobs.len()..]).filter(|(_, is_seen)| !**is_seen) {
            let history = self.lone(self.named(id), false);
            let path = [self.repository.prefix, &object_path(Origin::TreeEntry, id)].concat();
            let found = names_of.get(id).map(Vec::as_slice).unwrap_or_default();
            let below = path.strip_prefix(self.repository.tree_prefix).unwrap_or(&path);
            self.names(below, id, found, &history, &Spot::default());
        }
    }

    /// Refs that lead to an object that is no commit.
    fn named(&self, id: &ObjectId) -> Vec<u32> {
        let is_on = |root: &crate::source::history::HistoryRoot| root.others.iter().any(|(_, other)| other == id);
        (0..).zip(&self.roots.all).filter(|(_, root)| is_on(root)).map(|(number, _)| number).collect()
    }

    /// Paths of a blob in indexes.
    fn staged(&self, id: &ObjectId) -> Vec<Vec<u8>> {
        let entries = self.repository.indexes.read.iter().flat_map(|(_, index)| index.entries());
        let mut paths: Vec<Vec<u8>> = entries.filter(|entry| entry.id == *id).map(|entry| entry.path.clone()).collect();
        paths.sort_unstable();
        paths.dedup();
        paths.truncate(100);
        paths
    }

    fn lone(&self, roots: Vec<u32>, is_staged: bool) -> History {
        let mut history = self.history(&[], None, false, &roots);
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
        let introduced = introduced.first().map(|&commit| self.event(commit));
        let now = self.repository.shared.options.now;
        History {
            days: introduced
                .as_ref()
                .and_then(|event| u64::try_from(now.saturating_sub(event.time)).ok())
                .map(|seconds| seconds / 86_400),
            introduced,
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
        commits.iter().for_each(|&commit| marks[commit as usize] = 1);
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
