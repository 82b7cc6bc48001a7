//! The graph of commits, and which of them a set of commits is reached from.
//!
//! Made of what a sweep kept; a parent that is not there is no parent.

use super::commits::{Commit, Commits};
use gix_hash::{Kind, ObjectId};
use rayon::prelude::*;

/// Every commit of a store, by number.
#[derive(Default)]
pub struct Graph {
    /// Sorted by name.
    commits: Vec<Commit>,
    /// For each start of two bytes, the first commit whose name has it or a greater one; empty where there is no commit.
    fan: Vec<u32>,
    /// Numbers of the parents that are there, one commit after another; `starts` says where each begins.
    parents: Vec<u32>,
    starts: Vec<u32>,
    /// Every number, parents first.
    order: Vec<u32>,
    /// The place of each number in `order`.
    ranks: Vec<u32>,
}

impl Graph {
    /// Over all of `commits`.
    pub fn new(commits: &Commits, object_hash: Kind) -> Self {
        let mut all = commits.all(object_hash);
        all.par_sort_unstable_by_key(|commit| commit.id);
        all.dedup_by_key(|commit| commit.id);
        let mut graph = Self { fan: fan(&all), commits: all, ..Self::default() };
        let parents = |commit: &Commit| -> Vec<u32> { commit.parents.iter().filter_map(|id| graph.find(id)).collect() };
        let parents: Vec<Vec<u32>> = graph.commits.par_iter().with_min_len(1_024).map(parents).collect();
        for parents in parents {
            graph.starts.push(u32::try_from(graph.parents.len()).unwrap_or(u32::MAX));
            graph.parents.extend(parents);
        }
        graph.starts.push(u32::try_from(graph.parents.len()).unwrap_or(u32::MAX));
        graph.order = graph.parents_first();
        graph.ranks = vec![0; graph.order.len()];
        for (rank, &number) in (0..).zip(&graph.order) {
            graph.ranks[number as usize] = rank;
        }
        graph
    }

    /// Number of commits.
    pub const fn len(&self) -> usize {
        self.commits.len()
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.commits.is_empty()
    }

    /// The commit with a number.
    pub fn commit(&self, number: u32) -> &Commit {
        &self.commits[number as usize]
    }

    /// The number of the commit called `id`.
    pub fn find(&self, id: &ObjectId) -> Option<u32> {
        let start = first_two(id);
        let (from, to) = (*self.fan.get(start)? as usize, *self.fan.get(start + 1)? as usize);
        let at = self.commits[from..to].binary_search_by_key(&id, |commit| &commit.id).ok()?;
        u32::try_from(from + at).ok()
    }

    /// Numbers of the parents that are there.
    pub fn parents(&self, number: u32) -> &[u32] {
        let at = number as usize;
        &self.parents[self.starts[at] as usize..self.starts[at + 1] as usize]
    }

    /// Every number, each behind its parents.
    pub fn order(&self) -> &[u32] {
        &self.order
    }

    /// Its place in the order.
    pub fn rank(&self, number: u32) -> u32 {
        self.ranks[number as usize]
    }

    /// Spreads marks, 64 at a time, from each commit to all that descend from it.
    pub fn reached(&self, marks: &[u64]) -> Vec<u64> {
        let mut reached = marks.to_vec();
        for &number in &self.order {
            for &parent in self.parents(number) {
                reached[number as usize] |= reached[parent as usize];
            }
        }
        reached
    }

    /// Which commits are among `starts` or ancestors of one.
    pub fn ancestors(&self, starts: impl Iterator<Item = u32>) -> Vec<bool> {
        let mut is_met = vec![false; self.len()];
        let mut open: Vec<u32> = starts.collect();
        while let Some(commit) = open.pop() {
            if !std::mem::replace(&mut is_met[commit as usize], true) {
                open.extend(self.parents(commit));
            }
        }
        is_met
    }

    /// Iterative; commits in a circle, which only a damaged store has, come last.
    fn parents_first(&self) -> Vec<u32> {
        let mut waiting: Vec<u32> = self.starts.windows(2).map(|bounds| bounds[1].saturating_sub(bounds[0])).collect();
        // Where the children of each start in one list of all.
        let mut starts = vec![0_u32; self.len() + 1];
        for &parent in &self.parents {
            starts[parent as usize + 1] += 1;
        }
        for number in 1..starts.len() {
            starts[number] += starts[number - 1];
        }
        let (mut children, mut next) = (vec![0; self.parents.len()], starts.clone());
        let mut order = Vec::with_capacity(self.len());
        for number in 0..u32::try_from(self.len()).unwrap_or(u32::MAX) {
            for &parent in self.parents(number) {
                let at = &mut next[parent as usize];
                children[*at as usize] = number;
                *at += 1;
            }
            if waiting[number as usize] == 0 {
                order.push(number);
            }
        }
        let mut at = 0;
        while let Some(&number) = order.get(at) {
            at += 1;
            for &child in &children[starts[number as usize] as usize..starts[number as usize + 1] as usize] {
                waiting[child as usize] -= 1;
                if waiting[child as usize] == 0 {
                    order.push(child);
                }
            }
        }
        if order.len() < self.len() {
            let circle = (0..).zip(&waiting).filter(|(_, waits)| **waits > 0).map(|(number, _)| number);
            order.extend(circle);
        }
        order
    }
}

/// The table behind [`Graph::find`].
fn fan(commits: &[Commit]) -> Vec<u32> {
    let mut fan = vec![0_u32; (1 << 16) + 1];
    for commit in commits {
        fan[first_two(&commit.id) + 1] += 1;
    }
    for start in 1..fan.len() {
        fan[start] += fan[start - 1];
    }
    fan
}

fn first_two(id: &ObjectId) -> usize {
    id.as_slice().first_chunk().map_or(0, |first| usize::from(u16::from_be_bytes(*first)))
}
