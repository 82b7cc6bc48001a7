//! What a range of commits adds, commit by commit: contents, names, messages, and what only a merge has.
//!
//! Commits that only seem to be in the range, because clocks were wrong, are looked at too; none that is in it is missed.

use super::past::{Gone, Past, mark};
use super::{ChangeOptions, InTree, Place};
use crate::blob::{Blob, Origin, Visitor as _, Whole};
use crate::finding::{Event, Finding, History};
use crate::scan::Shared;
use crate::scan::batch::Batch;
use crate::scan::ground::Bare;
use crate::scan::inspect::Inspector;
use crate::source::change::{self, Change};
use crate::source::history::{Commit, Commits, Graph, Top, TreeFacts, author_of, object_name};
use crate::source::objects::Odb as _;
use crate::source::repository::{Resolved, resolve};
use anyhow::{Result, bail};
use gix_hash::ObjectId;
use gix_object::Kind;
use rayon::prelude::*;
use std::collections::{BTreeSet, BinaryHeap, HashMap, HashSet};
use std::rc::Rc;

/// Commits with nothing left to find that are looked at before the walk ends; as many as git itself does not trust.
const SLOP: usize = 64;

/// Which commits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    /// Where it starts, exclusive; none for everything that leads to its end.
    pub from: Option<String>,
    /// Where it ends.
    pub to: String,
    /// Whether it starts where the two parted instead.
    pub is_symmetric: bool,
}

impl Range {
    /// Of `A..B` or `A...B`, in which an absent side is `HEAD` and one of zeros is nothing.
    pub fn parse(text: &str) -> Option<Self> {
        let (from, to, is_symmetric) = match text.split_once("...") {
            Some((from, to)) => (from, to, true),
            None => text.split_once("..").map(|(from, to)| (from, to, false))?,
        };
        let or_head = |text: &str| if text.is_empty() { "HEAD".to_owned() } else { text.to_owned() };
        let from = if is_nothing(from) { None } else { Some(or_head(from)) };
        Some(Self { from, to: or_head(to), is_symmetric })
    }
}

/// Scans a range; gives the commit at its end.
///
/// # Errors
/// No repository, or an end of the range that is not in it.
pub(in crate::scan) fn run(shared: &Shared<'_>, options: &ChangeOptions, range: &Range) -> Result<Option<String>> {
    let place = Place::open(shared, options)?;
    if is_nothing(&range.to) {
        // A branch that is deleted adds nothing.
        return Ok(None);
    }
    let (right, left) = ends(&place, range)?;
    let walked = walk(&place, right.commit, left);
    let facts = place.facts();
    let graph = Graph::new(&walked.commits, place.objects.object_hash());
    let scan = RangeScan {
        place: &place,
        facts: &facts,
        graph: &graph,
        old: trees_before(&place, range, left, walked.base),
        right: place.tree_of(&right.commit).ok(),
    };
    shared.pool()?.install(|| scan.run(&right.tags));
    Ok(Some(right.commit.to_hex().to_string()))
}

/// The trees of what is old: where the range starts, and where the two sides parted.
///
/// # Errors
/// An end of the range that is not in the repository.
pub(super) fn old_trees(place: &Place<'_>, range: &Range) -> Result<Vec<ObjectId>> {
    if is_nothing(&range.to) || range.from.is_none() {
        return Ok(Vec::new());
    }
    let (right, left) = ends(place, range)?;
    let base = walk(place, right.commit, left).base;
    Ok(trees_before(place, range, left, base))
}

fn trees_before(place: &Place<'_>, range: &Range, left: Option<ObjectId>, base: Option<ObjectId>) -> Vec<ObjectId> {
    let start = if range.is_symmetric { base.or(left) } else { left };
    [start, base].iter().flatten().filter_map(|commit| place.tree_of(commit).ok()).collect()
}

/// What the names of a range lead to: its end, and its start where it has one.
fn ends(place: &Place<'_>, range: &Range) -> Result<(Resolved, Option<ObjectId>)> {
    let refs = place.checkout.refs();
    let ask =
        |name: &str| resolve(name, &refs, &place.objects).or_else(|reason| bail!("{name}: {reason}; {}", advice(name)));
    let right = ask(&range.to)?;
    let left = range.from.as_deref().map(ask).transpose()?.map(|left| left.commit);
    Ok((right, left))
}

/// Whether a name is git's for no commit.
fn is_nothing(name: &str) -> bool {
    name.len() >= 40 && name.bytes().all(|byte| byte == b'0')
}

/// What to do about a commit that is not here.
fn advice(name: &str) -> String {
    let deepen = "set `fetch-depth: 0` where the repository is checked out, or `git fetch --unshallow`";
    if name.contains("@{") || name.contains(":/") || name.contains("..") {
        return "this notation is not read; name a ref or a commit".into();
    }
    if name.contains(['~', '^']) || name == "HEAD" || name == "@" {
        return deepen.into();
    }
    let below = name.strip_prefix("refs/remotes/").unwrap_or(name);
    let branch = below.strip_prefix("origin/").unwrap_or(below);
    let branch = branch.strip_prefix("refs/heads/").unwrap_or(branch);
    format!("fetch it first (`git fetch origin {branch}`), or {deepen}")
}

/// What the walk over commits gave.
struct Walked {
    commits: Commits,
    /// A commit that both ends lead to.
    base: Option<ObjectId>,
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

/// Walks from both ends, newest first by date as git does.
struct Walk<'w> {
    place: &'w Place<'w>,
    shallow: HashSet<ObjectId>,
    marks: HashMap<ObjectId, Marks>,
    read: HashMap<ObjectId, Commit>,
    open: BinaryHeap<(i64, ObjectId)>,
    /// Commits in `open` that the range may still have.
    wanted: HashSet<ObjectId>,
    base: Option<ObjectId>,
}

/// Every commit that `right` leads to and `left` does not.
fn walk(place: &Place<'_>, right: ObjectId, left: Option<ObjectId>) -> Walked {
    let mut walk = Walk {
        place,
        shallow: place.checkout.shallow().into_iter().collect(),
        marks: HashMap::new(),
        read: HashMap::new(),
        open: BinaryHeap::new(),
        wanted: HashSet::new(),
        base: None,
    };
    walk.reach(right, Marks { right: true, left: false });
    if let Some(left) = left {
        walk.reach(left, Marks { right: false, left: true });
    }
    walk.run();
    let mut commits = Commits::default();
    for (id, _) in walk.marks.iter().filter(|(_, mark)| mark.right && !mark.left) {
        if let Some(commit) = walk.read.get(id) {
            commits.keep(commit);
        }
    }
    Walked { commits, base: walk.base }
}

impl Walk<'_> {
    fn run(&mut self) {
        let mut idle = 0;
        while let Some((_, id)) = self.open.pop() {
            let Some(mark) = self.marks.get(&id).copied() else { continue };
            if mark.right && mark.left && self.base.is_none() {
                self.base = Some(id);
            }
            self.wanted.remove(&id);
            idle = if mark.left && self.wanted.is_empty() { idle + 1 } else { 0 };
            if idle > SLOP {
                return;
            }
            for parent in self.read.get(&id).map(|commit| commit.parents.clone()).unwrap_or_default() {
                if !self.reach(parent, mark) && !mark.left {
                    boundary(self.place, &id, &parent, &self.shallow);
                }
            }
        }
    }

    /// Marks a commit, and opens it if that is news; `false` where it is not here.
    fn reach(&mut self, id: ObjectId, mark: Marks) -> bool {
        if !self.read.contains_key(&id) {
            let Some(commit) = commit(self.place, &id) else { return false };
            self.read.insert(id, commit);
        }
        let known = self.marks.get(&id).copied();
        let joined = known.map_or(mark, |known| known.join(mark));
        if known == Some(joined) {
            return true;
        }
        self.marks.insert(id, joined);
        self.open.push((self.read[&id].time, id));
        if joined.left {
            self.wanted.remove(&id);
        } else {
            self.wanted.insert(id);
        }
        true
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

struct RangeScan<'r> {
    place: &'r Place<'r>,
    facts: &'r TreeFacts<'r>,
    graph: &'r Graph,
    /// The trees of what is old: where the range starts, and where the two sides parted.
    old: Vec<ObjectId>,
    /// The tree at the end.
    right: Option<ObjectId>,
}

/// What one commit has that its parents have not.
struct Step {
    number: u32,
    parents: Vec<ObjectId>,
    changes: change::Changes,
}

impl RangeScan<'_> {
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
        let jobs: Vec<(&Step, &Change)> = steps
            .iter()
            .flat_map(|step| step.changes.added.iter().map(move |change| (step, change)))
            .filter(|(_, change)| seen.insert((&change.path, change.id)))
            .collect();
        let found = super::by_content(&jobs, |(_, change)| change.id, |(step, change)| self.blob(step, change));
        let past = Past::new(self.place, self.facts);
        let mut ages = Ages { scan: self, past, renamed: BTreeSet::new(), gone: HashMap::new() };
        for ((step, change), (findings, batch)) in jobs.into_iter().zip(found) {
            all.merge(batch);
            for mut finding in findings {
                finding.new = !ages.is_old(step, change, &finding);
                let at_head =
                    self.right.is_some_and(|right| ages.past.holds(right, &change.path, &finding.fingerprint()));
                all.findings.push(self.told(finding, step.number, at_head));
            }
        }
        for step in &steps {
            super::leave_out_of(self.place.shared, &step.changes);
            let added = step.changes.added.iter().filter(|change| change.before.iter().all(Option::is_none));
            for path in added.map(|change| &change.path).chain(&step.changes.folders) {
                let (findings, batch) = self.place.name(path);
                all.merge(batch);
                let has = |tree: &ObjectId| ages.past.exists(*tree, path);
                let (new, at_head) = (!self.old.iter().any(has), self.right.iter().any(has));
                let named = findings.into_iter().map(|finding| Finding { new, ..finding });
                all.findings.extend(named.map(|finding| self.told(finding, step.number, at_head)));
            }
        }
        self.place.shared.collected().merge(all);
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
        let author = shared.options.history.authors.then(|| author_of(&self.place.objects, &commit.id)).flatten();
        let author = author.map(|name| crate::scan::inspect::shown(&shared.detector, b"", name.trim_ascii()));
        let hex = commit.id.to_hex().to_string();
        let now = shared.options.now;
        let history = History {
            introduced: Some(Event { time: commit.time, rank: self.graph.rank(number), commit: hex.clone(), author }),
            at_head,
            reachable: true,
            days: u64::try_from(now.saturating_sub(commit.time)).ok().map(|seconds| seconds / 86_400),
            ..History::default()
        };
        let mut finding = Finding { commit: Some(hex), history: Some(history), ..finding };
        crate::scan::decide::age(&mut finding, &shared.options.rules, now);
        finding
    }
}

/// Tells old keys from new ones, commit by commit, parents first.
struct Ages<'a> {
    scan: &'a RangeScan<'a>,
    past: Past<'a>,
    /// Paths to which files with an old key were renamed, with the key.
    renamed: BTreeSet<(Vec<u8>, String)>,
    /// Files that are gone in a commit, by its number and its parent's tree.
    gone: HashMap<(u32, ObjectId), Rc<Vec<Gone>>>,
}

impl Ages<'_> {
    /// Whether the older side already holds the key there, or where the file came from.
    fn is_old(&mut self, step: &Step, change: &Change, finding: &Finding) -> bool {
        let key = mark(finding);
        if self.was_there(&change.path, &key) {
            return true;
        }
        for (at, &parent) in step.parents.iter().enumerate() {
            if change.before.get(at).is_some_and(Option::is_some) {
                continue;
            }
            let gone = self.gone(step, parent, &key);
            if self.past.renamed_from(parent, &gone, &change.id, &key).is_some() {
                self.renamed.insert((change.path.clone(), key));
                return true;
            }
        }
        false
    }

    fn was_there(&mut self, path: &[u8], key: &str) -> bool {
        self.renamed.contains(&(path.to_vec(), key.to_owned()))
            || self.scan.old.iter().any(|&tree| self.past.holds(tree, path, key))
    }

    /// Files of `parent` that are gone in the commit and held an old key.
    fn gone(&mut self, step: &Step, parent: ObjectId, key: &str) -> Vec<Gone> {
        let scan = self.scan;
        let make = || {
            let tree = scan.graph.commit(step.number).tree;
            let changes = change::trees(&scan.place.objects, parent, &[tree]);
            let gone = changes.added.into_iter().filter(|change| change.before.iter().all(Option::is_none));
            Rc::new(gone.map(|change| Gone { path: change.path, id: change.id }).collect::<Vec<_>>())
        };
        let gone = Rc::clone(self.gone.entry((step.number, parent)).or_insert_with(make));
        let mut held: Vec<Gone> = Vec::new();
        for one in gone.iter() {
            if self.past.keys(parent, &one.path, &one.id).contains(key) && self.was_there(&one.path, key) {
                held.push(one.clone());
            }
        }
        held
    }
}
