//! What commits add: contents, names, messages, and what only a merge has, each told old or new.

use super::past::{Came, Gone, Mark, Past};
use super::walk::{Walked, walk};
use super::{InTree, Place};
use crate::blob::{Blob, Origin, Visitor as _, Whole};
use crate::finding::{Event, Finding, History};
use crate::scan::batch::Batch;
use crate::scan::ground::Bare;
use crate::scan::inspect::Inspector;
use crate::source::change::{self, Change};
use crate::source::history::{Graph, Top, TreeFacts, author_of};
use crate::source::objects::Odb as _;
use gix_hash::ObjectId;
use rayon::prelude::*;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::rc::Rc;

/// Where commits that are looked at end, and where they start.
#[derive(Default)]
pub(super) struct Ends {
    /// Commits that lead to all of them.
    pub rights: Vec<ObjectId>,
    /// Annotated tags on the way there.
    pub tags: Vec<ObjectId>,
    /// Commits that lead to none of them.
    pub lefts: Vec<ObjectId>,
    /// Commits whose files are old, beside those on which the first of them are made.
    pub old: Vec<ObjectId>,
}

impl Place<'_> {
    /// Scans what the commits between `ends` add.
    ///
    /// # Errors
    /// Threads that cannot be started.
    pub(super) fn scan(&self, ends: &Ends) -> anyhow::Result<()> {
        let walked = walk(self, &ends.rights, &ends.lefts);
        let facts = self.facts();
        let graph = Graph::new(&walked.commits, self.objects.object_hash());
        let tree = |commit: &ObjectId| self.tree_of(commit).ok();
        let scan = Scan {
            place: self,
            facts: &facts,
            graph: &graph,
            old: self.trees_before(ends, &walked),
            rights: ends.rights.iter().filter_map(tree).collect(),
        };
        self.shared.pool()?.install(|| scan.run(&ends.tags));
        Ok(())
    }

    /// The trees of what is old: where the commits start, and where the two sides parted.
    pub(super) fn trees_before(&self, ends: &Ends, walked: &Walked) -> Vec<ObjectId> {
        // Where the two sides have nothing in common, the other one is all there is to compare with.
        let old = if walked.partings.is_empty() && ends.old.is_empty() { &ends.lefts } else { &ends.old };
        old.iter().chain(&walked.partings).filter_map(|commit| self.tree_of(commit).ok()).collect()
    }
}

struct Scan<'r> {
    place: &'r Place<'r>,
    facts: &'r TreeFacts<'r>,
    graph: &'r Graph,
    /// The trees of what is old: where the commits start, and where the two sides parted.
    old: Vec<ObjectId>,
    /// The trees at the ends.
    rights: Vec<ObjectId>,
}

/// What one commit has that its parents have not.
struct Step {
    number: u32,
    parents: Vec<ObjectId>,
    changes: change::Changes,
}

impl Scan<'_> {
    fn run(&self, tags: &[ObjectId]) {
        let mut all = Batch::default();
        let steps: Vec<Step> = self.graph.order().par_iter().map(|&number| self.step(number)).collect();
        let texts: Vec<Batch> = self.graph.order().par_iter().map(|&number| self.text(number)).collect();
        for batch in texts {
            all.merge(batch);
        }
        for tag in tags {
            all.merge(self.object(Origin::Tag, tag, None));
        }
        let mut seen: HashSet<(&[u8], ObjectId)> = HashSet::new();
        let newest = self.newest(&steps);
        let jobs: Vec<(&Step, &Change)> = steps
            .iter()
            .flat_map(|step| step.changes.added.iter().map(move |change| (step, change)))
            .filter(|(_, change)| seen.insert((&change.path, change.id)))
            .collect();
        let found = super::by_content(&jobs, |(_, change)| change, |(step, change)| self.blob(step, change));
        let past = Past::new(self.place, self.facts);
        let mut ages = Ages { scan: self, past, renamed: BTreeSet::new(), gone: HashMap::new() };
        for ((step, change), (findings, batch)) in jobs.into_iter().zip(found) {
            all.merge(batch);
            for mut finding in findings {
                finding.new = !ages.is_old(step, change, &finding);
                let mark = Mark::anywhere(finding.fingerprint());
                let at_head = self.rights.iter().any(|&right| ages.past.holds(right, &change.path, &mark));
                let mut finding = self.told(finding, step.number, at_head);
                let again = newest.get(&(change.path.as_slice(), change.id)).filter(|again| **again != step.number);
                if let (Some(history), Some(&again)) = (&mut finding.history, again) {
                    history.reintroduced = Some(self.event(again));
                }
                all.findings.push(finding);
            }
        }
        for step in &steps {
            super::leave_out_of(self.place.shared, &step.changes);
            let added = step.changes.added.iter().filter(|change| change.before.iter().all(Option::is_none));
            for path in added.map(|change| &change.path).chain(&step.changes.names) {
                let (findings, batch) = self.place.name(path);
                all.merge(batch);
                let has = |tree: &ObjectId| ages.past.exists(*tree, path);
                let (new, at_head) = (!self.old.iter().any(has), self.rights.iter().any(has));
                let named = findings.into_iter().map(|finding| Finding { new, ..finding });
                all.findings.extend(named.map(|finding| self.told(finding, step.number, at_head)));
            }
        }
        self.place.shared.collected().merge(all);
    }

    /// The newest of the commits that bring a content to a path.
    fn newest<'s>(&self, steps: &'s [Step]) -> HashMap<(&'s [u8], ObjectId), u32> {
        let age = |number: u32| (self.graph.commit(number).time, self.graph.rank(number));
        let mut newest: HashMap<(&[u8], ObjectId), u32> = HashMap::new();
        for step in steps {
            for change in &step.changes.added {
                let known = newest.entry((&change.path, change.id)).or_insert(step.number);
                if age(step.number) > age(*known) {
                    *known = step.number;
                }
            }
        }
        newest
    }

    fn step(&self, number: u32) -> Step {
        let commit = self.graph.commit(number);
        let parents: Vec<ObjectId> =
            commit.parents.iter().filter_map(|parent| self.place.tree_of(parent).ok()).collect();
        let changes = change::trees(&self.place.objects, commit.tree, &parents);
        Step { number, parents, changes }
    }

    fn blob(&self, step: &Step, change: &Change) -> (Vec<Finding>, Batch) {
        let tree = self.graph.commit(step.number).tree;
        let ground = InTree { facts: Some(self.facts), top: Some(Top::Tree(tree)) };
        self.place.blob(&change.path, &change.id, &ground, Origin::Blob)
    }

    /// The text of a commit.
    fn text(&self, number: u32) -> Batch {
        self.object(Origin::Commit, &self.graph.commit(number).id, Some(number))
    }

    fn object(&self, origin: Origin, id: &ObjectId, number: Option<u32>) -> Batch {
        let ground = Bare::new(b".git/".to_vec());
        let path = crate::scan::history::object_path(origin, id);
        let mut inspector = Inspector::new(self.place.shared, &ground);
        let mut bytes = Vec::new();
        match self.place.objects.read(id, &mut bytes) {
            Ok(Some(_)) => inspector.blob(Blob { origin, path: &path, windows: &mut Whole::new(&bytes) }),
            Ok(None) => inspector.left_out(&path, "not in the object store"),
            Err(reason) => inspector.left_out(&path, &reason),
        }
        let mut batch = inspector.take();
        batch.coverage.objects += 1;
        batch.coverage.bytes += bytes.len() as u64;
        let hex = id.to_hex().to_string();
        let findings = std::mem::take(&mut batch.findings).into_iter().map(|mut finding| {
            finding.places.iter_mut().for_each(|place| place.blob = Some(hex.clone()));
            match number {
                Some(number) => self.told(finding, number, true),
                None => Finding { commit: Some(hex.clone()), ..finding },
            }
        });
        batch.findings = findings.collect();
        batch
    }

    /// With the commit that brought it.
    fn told(&self, finding: Finding, number: u32, at_head: bool) -> Finding {
        let commit = self.graph.commit(number);
        let shared = self.place.shared;
        let now = shared.options.now;
        let history = History {
            introduced: Some(self.event(number)),
            at_head,
            reachable: true,
            days: u64::try_from(now.saturating_sub(commit.time)).ok().map(|seconds| seconds / 86_400),
            ..History::default()
        };
        let hex = commit.id.to_hex().to_string();
        let mut finding = Finding { commit: Some(hex), history: Some(history), ..finding };
        crate::scan::decide::age(&mut finding, &shared.options.rules, now);
        finding
    }

    fn event(&self, number: u32) -> Event {
        let commit = self.graph.commit(number);
        let shared = self.place.shared;
        let author = shared.options.history.authors.then(|| author_of(&self.place.objects, &commit.id)).flatten();
        let author = author.map(|name| crate::scan::inspect::shown(&shared.detector, b"", name.trim_ascii()));
        Event { time: commit.time, rank: self.graph.rank(number), commit: commit.id.to_hex().to_string(), author }
    }
}

/// Tells old keys from new ones, commit by commit, parents first.
struct Ages<'a> {
    scan: &'a Scan<'a>,
    past: Past<'a>,
    /// Paths to which files with an old key were renamed, with the key.
    renamed: BTreeSet<(Vec<u8>, Mark)>,
    /// Files that are gone in a commit, by its number and its parent's tree.
    gone: HashMap<(u32, ObjectId), Rc<Vec<Gone>>>,
}

impl Ages<'_> {
    /// Whether the older side already holds the key there, or where the file came from.
    fn is_old(&mut self, step: &Step, change: &Change, finding: &Finding) -> bool {
        let mark = Mark::of(finding);
        if self.was_there(&change.path, &mark) {
            return true;
        }
        for (at, &parent) in step.parents.iter().enumerate() {
            if change.before.get(at).is_some_and(Option::is_some) {
                continue;
            }
            let gone = self.gone(step, parent, &mark);
            let came = Came { path: &change.path, id: change.id, tree: self.scan.graph.commit(step.number).tree };
            if self.past.renamed(parent, &gone, &came, &mark) {
                self.renamed.insert((change.path.clone(), mark));
                return true;
            }
        }
        false
    }

    fn was_there(&mut self, path: &[u8], mark: &Mark) -> bool {
        self.renamed.contains(&(path.to_vec(), mark.clone()))
            || self.scan.old.iter().any(|&tree| self.past.holds(tree, path, mark))
    }

    /// Files of `parent` that are gone in the commit and held an old key.
    fn gone(&mut self, step: &Step, parent: ObjectId, mark: &Mark) -> Vec<Gone> {
        let scan = self.scan;
        let make = || {
            let tree = scan.graph.commit(step.number).tree;
            let changes = change::trees(&scan.place.objects, parent, &[tree]);
            super::leave_out_of(scan.place.shared, &changes);
            let gone = changes.added.into_iter().filter(|change| change.before.iter().all(Option::is_none));
            Rc::new(gone.map(|change| Gone { path: change.path, id: change.id }).collect::<Vec<_>>())
        };
        let gone = Rc::clone(self.gone.entry((step.number, parent)).or_insert_with(make));
        let mut held: Vec<Gone> = Vec::new();
        for one in gone.iter() {
            if self.past.has(parent, &one.path, &one.id, mark) && self.was_there(&one.path, mark) {
                held.push(one.clone());
            }
        }
        held
    }
}
