//! Which apps and servers are built on the project that a file belongs to.

use super::builds::Builds;
use super::resolve::folder;
use super::{KEPT_MAX, NAMED_MAX};
use crate::classify::Classifier;
use crate::classify::evidence::heaviest;
use crate::classify::project;
use crate::side::{Judgement, Piece, Side, Step, TreeView};
use std::collections::{BTreeMap, VecDeque};

/// What is said of a project is worth this, at least, to decide for those it is built on.
const SAID_WEIGHT: u32 = 45;
/// Projects that are followed for one file.
const USERS_MAX: usize = 2_000;

/// Who builds on a project.
#[derive(Default)]
struct Found {
    /// From the app on, with why it is one.
    client: Option<(Vec<Step>, String)>,
    servers: Vec<Step>,
}

/// Whether the file at `path` is of a module of several platforms, and for the JVM alone.
pub(super) fn is_jvm(path: &str) -> bool {
    path.contains("src/jvmMain/")
}

/// `base`, the judgement of the file at `path` by itself, in the light of what is built on its project.
pub(super) fn decide(
    (classifier, builds): (&Classifier, &Builds),
    view: &dyn TreeView,
    path: &str,
    base: Judgement,
) -> Judgement {
    let Some(start) = builds.around(path).filter(|_| base.side != Side::Test) else { return base };
    let own = base.evidence.iter().take(KEPT_MAX).map(|why| format!("by itself {}: {why}", base.side.as_str()));
    let build = &builds.all[start as usize];
    if let Some(android) = &build.android {
        let mut evidence = vec![format!("`{}` {android}", build.path)];
        evidence.extend(own.filter(|_| base.side != Side::Client));
        return Judgement { side: Side::Client, evidence, ..base };
    }
    let found = users((classifier, builds), view, start, is_jvm(path));
    if let Some((chain, why)) = found.client {
        let side = if found.servers.is_empty() { Side::Client } else { Side::Shared };
        let app = chain.first().map_or("", |step| step.path.as_str());
        let mut evidence = vec![told(&chain, &build.path), format!("`{app}` builds client code: {why}")];
        if !found.servers.is_empty() {
            evidence.push(format!("servers are built on it as well: {}", named(&found.servers)));
        }
        evidence.extend(own);
        return Judgement { side, evidence, chain, ..base };
    }
    if found.servers.is_empty() {
        return base;
    }
    let mut evidence = vec![format!("servers alone are built on `{}`: {}", build.path, named(&found.servers))];
    evidence.extend(own.filter(|_| base.side != Side::Server));
    Judgement { side: Side::Server, evidence, ..base }
}

/// Goes from the project `start` to those that are built on it, nearest first; of its sources for the JVM, to those that take them.
fn users((classifier, builds): (&Classifier, &Builds), view: &dyn TreeView, start: u32, is_jvm: bool) -> Found {
    // An app for Android takes those where there are none for it.
    let takes = |user: u32| !is_jvm || builds.all[user as usize].has_jvm || !builds.all[start as usize].has_android;
    let mut found = Found::default();
    let mut via: BTreeMap<u32, (u32, u64)> = BTreeMap::new();
    let mut open = VecDeque::from([start]);
    while let Some(number) = open.pop_front() {
        for &(user, line) in &builds.all[number as usize].users {
            if user == start || via.contains_key(&user) || via.len() >= USERS_MAX {
                continue;
            }
            via.insert(user, (number, line));
            let step = Step { path: builds.all[user as usize].path.clone(), line };
            match said(classifier, builds, view, user) {
                Some((Side::Client | Side::Shared, why)) if found.client.is_none() && takes(user) => {
                    found.client = Some((chain(builds, &via, user, start), why));
                }
                Some((Side::Server, _)) => found.servers.push(step),
                None => open.push_back(user),
                Some(_) => {}
            }
        }
    }
    found.servers.sort();
    found
}

/// Every reference from `user` to the project `start`.
fn chain(builds: &Builds, via: &BTreeMap<u32, (u32, u64)>, user: u32, start: u32) -> Vec<Step> {
    let mut chain = Vec::new();
    let mut at = user;
    while at != start {
        let Some(&(next, line)) = via.get(&at) else { break };
        chain.push(Step { path: builds.all[at as usize].path.clone(), line });
        at = next;
    }
    chain
}

/// The side that the manifests around a project give its sources, if any does.
fn said(classifier: &Classifier, builds: &Builds, view: &dyn TreeView, number: u32) -> Option<(Side, String)> {
    let build = &builds.all[number as usize];
    if let Some(android) = &build.android {
        return Some((Side::Client, format!("it {android}")));
    }
    let facts = view.facts(folder(&build.path));
    let mut pieces: Vec<Piece> =
        build.sources().iter().flat_map(|source| project::says(&classifier.rules, source, &facts)).collect();
    pieces.retain(|piece| piece.weight >= SAID_WEIGHT);
    pieces.sort_by_key(|piece| std::cmp::Reverse(piece.weight));
    let side = heaviest(&pieces).filter(|side| *side != Side::Unknown)?;
    Some((side, pieces.into_iter().find(|piece| piece.side == side)?.why))
}

/// The sentence about the references that lead from an app to the project of `path`.
fn told(chain: &[Step], path: &str) -> String {
    let first = chain.first().map_or(("", 0), |step| (step.path.as_str(), step.line));
    let through: Vec<String> =
        chain.iter().skip(1).map(|step| format!("`{}` (line {})", step.path, step.line)).collect();
    let through = if through.is_empty() { String::new() } else { format!(", through {}", through.join(", ")) };
    format!("`{}` is built on `{path}` (line {}){through}, which so ships with it", first.0, first.1)
}

fn named(servers: &[Step]) -> String {
    let names = servers.iter().take(NAMED_MAX).map(|step| format!("`{}` (line {})", step.path, step.line));
    let more = servers.len().saturating_sub(NAMED_MAX);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    names.collect::<Vec<_>>().join(", ") + &more
}
