//! What leads into a repository: refs, what logs remember, and the heads of linked worktrees.
//!
//! Annotated tags are followed to what they are on. Nothing is decided by a name.

use super::graph::Graph;
use super::store::Store;
use crate::source::repository::Refs;
use gix_hash::ObjectId;
use gix_object::{Kind, TagRefIter};
use std::collections::BTreeMap;

/// Tags on tags that are followed.
const TAGS_MAX: usize = 16;
/// Logs are told from refs by this in front.
const LOGS: &[u8] = b"logs/";

/// One name, and all it leads to.
#[derive(Clone, Debug, Default)]
pub struct Root {
    /// Such as `refs/heads/main`; for what only a log remembers, `logs/` and the ref.
    pub name: Vec<u8>,
    /// Numbers of commits in the graph.
    pub commits: Vec<u32>,
    /// Annotated tags on the way.
    pub tags: Vec<ObjectId>,
    /// Trees and blobs.
    pub others: Vec<(Kind, ObjectId)>,
}

/// Every root of a repository.
#[derive(Default)]
pub struct Roots {
    /// Sorted by name.
    pub all: Vec<Root>,
    /// The commit at `HEAD`.
    pub head: Option<u32>,
}

impl Roots {
    /// From `refs`, over the commits of `graph`.
    pub fn new(store: &Store<'_>, graph: &Graph, refs: &Refs) -> Self {
        let mut all: BTreeMap<Vec<u8>, Root> = BTreeMap::new();
        for named in &refs.names {
            let root = all.entry(named.name.clone()).or_default();
            named.target.iter().for_each(|id| root.lead(store, graph, *id));
        }
        for logged in &refs.logs {
            let root = all.entry([LOGS, logged.name.as_slice()].concat()).or_default();
            root.lead(store, graph, logged.target);
        }
        let head = refs.find(b"HEAD").and_then(|id| graph.find(&id));
        let all = all.into_iter().map(|(name, mut root)| {
            root.commits.sort_unstable();
            root.commits.dedup();
            Root { name, ..root }
        });
        Self { all: all.collect(), head }
    }

    /// For each set of commits, the roots from which one of them is reached, by number.
    pub fn reaching(&self, graph: &Graph, sets: &[&[u32]]) -> Vec<Vec<u32>> {
        let mut found = vec![Vec::new(); sets.len()];
        for (chunk, sets) in sets.chunks(64).enumerate() {
            let mut marks = vec![0_u64; graph.len()];
            for (bit, set) in sets.iter().enumerate() {
                set.iter().for_each(|&commit| marks[commit as usize] |= 1 << bit);
            }
            let reached = graph.reached(&marks);
            for (number, root) in (0..).zip(&self.all) {
                let mut bits = root.commits.iter().fold(0, |bits, &commit| bits | reached[commit as usize]);
                while bits != 0 {
                    found[chunk * 64 + bits.trailing_zeros() as usize].push(number);
                    bits &= bits - 1;
                }
            }
        }
        found
    }

    /// The names worth telling of these roots: refs where there are any, else heads, else logs.
    pub fn names(&self, roots: &[u32]) -> Vec<&[u8]> {
        let names = || roots.iter().map(|&root| self.all[root as usize].name.as_slice());
        let is_ref = |name: &&[u8]| name.starts_with(b"refs/");
        let is_log = |name: &&[u8]| name.starts_with(LOGS);
        if names().any(|name| is_ref(&name)) {
            names().filter(is_ref).collect()
        } else if names().any(|name| !is_log(&name)) {
            names().filter(|name| !is_log(name)).collect()
        } else {
            names().collect()
        }
    }
}

impl Root {
    fn lead(&mut self, store: &Store<'_>, graph: &Graph, id: ObjectId) {
        let mut at = id;
        let mut bytes = Vec::new();
        for _ in 0..TAGS_MAX {
            if let Some(commit) = graph.find(&at) {
                return self.commits.push(commit);
            }
            match store.read(&at, &mut bytes) {
                Some(Kind::Tag) => {
                    self.tags.push(at);
                    let Ok(next) = TagRefIter::from_bytes(&bytes, store.object_hash()).target_id() else { return };
                    at = next;
                }
                Some(kind @ (Kind::Tree | Kind::Blob)) => return self.others.push((kind, at)),
                Some(Kind::Commit) | None => return,
            }
        }
    }
}
