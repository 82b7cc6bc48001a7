//! The side of each key at each path, from the trees of some of the commits that had it there.
//!
//! The first and the last commit are always among them; the worst side counts.

use super::super::decide::Standing;
use super::super::graphs::Graphs;
use super::super::ground::{Bare, Ground, folder_of};
use super::super::inspect::Inspector;
use super::Repository;
use super::reveal::Held;
use crate::blob::{Blob, Origin, Visitor as _};
use crate::classify::Classifier;
use crate::finding::Finding;
use crate::side::{Facts, Judgement, Wanted};
use crate::source::history::{Graph, Top, TreeFacts};
use gix_hash::ObjectId;
use rayon::prelude::*;
use std::sync::Arc;

/// Commits of one blob and path whose trees are looked at.
const COMMITS_MAX: usize = 8;
/// Jobs beyond which only the first and the last commit are looked at.
const JOBS_MANY: usize = 2_000;

/// One blob at one path.
pub(super) struct Job<'j> {
    held: &'j Held,
    path: Vec<u8>,
    /// Whether no tree and no index gives it a path.
    is_nameless: bool,
    pub origin: Origin,
    /// Numbers of commits that have it there; none where no commit has.
    pub commits: Vec<u32>,
}

/// What a job found.
pub(super) struct Judged {
    pub id: ObjectId,
    pub path: Vec<u8>,
    pub origin: Origin,
    pub findings: Vec<Finding>,
}

impl<'j> Job<'j> {
    pub fn new(held: &'j Held, path: &[u8], is_note: bool) -> Self {
        let origin = if is_note { Origin::Note } else { Origin::Blob };
        Self { held, path: path.to_vec(), is_nameless: false, origin, commits: Vec::new() }
    }

    /// Of a blob that no commit has.
    pub fn alone(held: &'j Held, path: Vec<u8>, origin: Origin) -> Self {
        Self { held, path, is_nameless: false, origin, commits: Vec::new() }
    }

    /// Of a blob that nothing gives a path.
    pub fn nameless(held: &'j Held) -> Self {
        let path = super::place::object_path(Origin::Blob, &held.id);
        Self { held, path, is_nameless: true, origin: Origin::Blob, commits: Vec::new() }
    }
}

/// What surrounds a path in the tree of a commit.
struct InCommit<'c, 's> {
    prefix: &'c [u8],
    facts: &'c TreeFacts<'s>,
    tree: ObjectId,
}

impl Ground for InCommit<'_, '_> {
    fn opens_packs(&self, _: bool) -> bool {
        // What is in them was found, and judged, at the first look.
        false
    }

    fn prefix(&self) -> &[u8] {
        self.prefix
    }

    fn below_top(&self, path: &[u8]) -> String {
        String::from_utf8_lossy(path).into_owned()
    }

    fn wants(&self, _: &[u8]) -> bool {
        true
    }

    fn facts(&self, _: &Arc<Classifier>, path: &[u8]) -> Facts {
        self.facts.facts(Top::Tree(self.tree), folder_of(path))
    }

    fn decide(&self, classifier: &Arc<Classifier>, graphs: &Graphs, path: &[u8], judgement: Judgement) -> Judgement {
        graphs.decide(classifier, (self.facts, Top::Tree(self.tree)), path, judgement)
    }

    fn imports_hold(&self, classifier: &Arc<Classifier>, graphs: &Graphs, path: &[u8], texts: &[String]) -> bool {
        graphs.imports_hold(classifier, (self.facts, Top::Tree(self.tree)), path, texts)
    }

    fn standing(&self, _: &[u8]) -> Standing {
        Standing::Kept
    }
}

/// Runs every job, each on some thread; results are in the order of the jobs.
pub(super) fn judge(repository: &Repository<'_>, graph: &Graph, jobs: Vec<Job<'_>>) -> Vec<Judged> {
    let Ok(classifier) = repository.shared.classifier() else { return Vec::new() };
    let facts = TreeFacts::new(repository.store, Box::new(|| Some(Arc::clone(classifier) as Arc<dyn Wanted>)));
    let commits_max = if jobs.len() > JOBS_MANY { 2 } else { COMMITS_MAX };
    let run = |job: Job<'_>| {
        let findings = match some(&job.commits, commits_max) {
            commits if commits.is_empty() => alone(repository, &job),
            commits => {
                commits.into_iter().flat_map(|commit| in_commit(repository, graph, &facts, &job, commit)).collect()
            }
        };
        Judged { id: job.held.id, path: job.path, origin: job.origin, findings }
    };
    jobs.into_par_iter().map(run).collect()
}

/// The first, the last, and as many between as there is room for.
fn some(commits: &[u32], most: usize) -> Vec<u32> {
    let mut commits = commits.to_vec();
    let mut known = std::collections::HashSet::new();
    commits.retain(|commit| known.insert(*commit));
    if commits.len() <= most {
        return commits;
    }
    (0..most).map(|at| commits[at * (commits.len() - 1) / (most - 1)]).collect()
}

fn in_commit(
    repository: &Repository<'_>,
    graph: &Graph,
    facts: &TreeFacts<'_>,
    job: &Job<'_>,
    commit: u32,
) -> Vec<Finding> {
    let commit = graph.commit(commit);
    let ground = InCommit { prefix: repository.tree_prefix, facts, tree: commit.tree };
    let mut findings = read(repository, job, &ground);
    for finding in &mut findings {
        finding.commit = Some(commit.id.to_hex().to_string());
    }
    findings
}

fn alone(repository: &Repository<'_>, job: &Job<'_>) -> Vec<Finding> {
    let prefix = if job.is_nameless { repository.prefix } else { repository.tree_prefix };
    read(repository, job, &Bare::again(prefix.to_vec()))
}

/// Every key in the blob, as judged on `ground`.
fn read(repository: &Repository<'_>, job: &Job<'_>, ground: &dyn Ground) -> Vec<Finding> {
    let Some(mut content) = repository.store.content(&job.held.id, job.held.place) else { return Vec::new() };
    let mut inspector = Inspector::new(repository.shared, ground);
    inspector.blob(Blob { origin: Origin::Blob, path: &job.path, windows: &mut content });
    // What there is to say of the blob beside its keys was said when it was first read.
    let mut findings = inspector.take().findings;
    let blob = job.held.id.to_hex().to_string();
    for place in findings.iter_mut().flat_map(|finding| &mut finding.places) {
        place.blob = Some(blob.clone());
    }
    findings
}
