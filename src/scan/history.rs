//! `history`: everything git ever stored in the repositories at and below some paths.
//!
//! A repository is swept once for objects with something in them; only those are read again, placed and judged.
//! What goes wrong in placing a key takes nothing from finding it.

pub(super) mod bundle;
mod judge;
mod place;
mod reveal;

pub(super) use place::object_path;

use super::Shared;
use super::ground::Bare;
use super::inspect::{Inspection, shown};
use crate::path::encode;
use crate::source::alternates::{Allowed, with_alternates};
use crate::source::history::{
    Bounds, Directories, Files, GitDirectory, Graph, Indexes, Search, Store, Swept, missing, sweep, sweep_trees,
    visit_extras,
};
use crate::source::open::{OpenError, Root};
use crate::source::repository::Refs;
use anyhow::{Context as _, Result, bail};
use bstr::ByteSlice as _;
use gix_hash::ObjectId;
use std::cell::LazyCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// Missing objects that are listed one by one.
const MISSING_LISTED_MAX: usize = 1_000;

/// How to read histories.
#[derive(Clone, Copy, Debug, Default)]
pub struct HistoryOptions {
    /// Whether authors are named.
    pub authors: bool,
    /// Whether object stores outside the root are read where a repository names them as alternates.
    pub follow_alternates: bool,
    /// Whether every tree is walked for objects that are not there, marks or not.
    pub check_missing: bool,
}

/// One repository, or what of one is at hand.
struct Repository<'r> {
    shared: &'r Shared<'r>,
    /// The git directory; none for a bundle.
    git: Option<&'r Root>,
    /// What reports put before a path below the git directory.
    prefix: &'r [u8],
    /// What reports put before a path of its trees.
    tree_prefix: &'r [u8],
    store: &'r Store<'r>,
    refs: &'r Refs,
    indexes: &'r Indexes,
}

/// Scans the history of everything at and below `paths`; gives the commit at the first one's `HEAD`.
///
/// # Errors
/// A path that does not exist, or without a repository at or below it.
pub(super) fn run(shared: &Shared<'_>, paths: &[PathBuf]) -> Result<Option<String>> {
    let pool = shared.pool()?;
    let mut head = None;
    for (number, path) in paths.iter().enumerate() {
        let named = if paths.len() > 1 { name_of(path) } else { Vec::new() };
        let found = pool.install(|| one(shared, path, &named))?;
        if number == 0 {
            head = found;
        }
    }
    Ok(head)
}

/// What reports put before the paths of one of several repositories.
fn name_of(path: &Path) -> Vec<u8> {
    let bytes = path.as_os_str().as_encoded_bytes();
    [bytes.trim_end_with(|end| end == '/'), b"/"].concat()
}

fn one(shared: &Shared<'_>, path: &Path, named: &[u8]) -> Result<Option<String>> {
    let about = path.metadata().with_context(|| format!("{}: cannot be scanned", path.display()))?;
    if about.is_file() {
        bundle::file(shared, path, named)?;
        return Ok(None);
    }
    let found =
        Directories::find(path).map_err(|error| anyhow::anyhow!("{}: cannot be scanned: {error}", path.display()))?;
    if found.git.is_empty() && found.bundles.is_empty() && found.faults.is_empty() {
        bail!("{}: no git repository at or below it; name the folder that holds `.git`", path.display());
    }
    let root = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let mut head = None;
    for (number, directory) in found.git.iter().enumerate() {
        let commit = directory_scan(shared, directory, &root, named);
        if number == 0 {
            head = commit;
        }
    }
    for bundle in &found.bundles {
        bundle::below(shared, path, bundle, named);
    }
    for (path, reason) in &found.faults {
        shared.leave_out(&[named, path].concat(), reason);
    }
    Ok(head)
}

/// Reads one git directory; gives the commit at its `HEAD`.
fn directory_scan(shared: &Shared<'_>, directory: &GitDirectory, root: &Path, named: &[u8]) -> Option<String> {
    let prefix = [named, &directory.prefix].concat();
    let tree_prefix = [named, &directory.tree_prefix].concat();
    let refs = Refs::read(&directory.git, directory.object_hash);
    let indexes = Indexes::read(directory);
    let ground = Bare::new(prefix.clone());
    visit_extras(directory, &refs, &indexes, &Inspection { shared, ground: &ground });
    shared.found_repository();
    let leave_out = |path: &str, reason: &str| shared.leave_out(&[&prefix, path.as_bytes()].concat(), reason);
    let objects = match directory.git.folder(Path::new("objects")) {
        Ok(objects) => objects,
        Err(OpenError::NotFound) => {
            leave_out("objects", "not found");
            return None;
        }
        Err(error) => {
            leave_out("objects", &error.to_string());
            return None;
        }
    };
    let outside = shared.options.history.follow_alternates;
    let (folders, faults) = with_alternates(objects, &Allowed { root, outside });
    let files = Files::open(folders, directory.object_hash);
    for (path, reason) in faults.iter().chain(&files.faults) {
        leave_out(path, reason);
    }
    let bounds = Bounds::new(files.bytes());
    let store = Store::new(&files, &bounds);
    let repository = Repository {
        shared,
        git: Some(&directory.git),
        prefix: &prefix,
        tree_prefix: &tree_prefix,
        store: &store,
        refs: &refs,
        indexes: &indexes,
    };
    let graph = repository.scan(&bounds, &reveal::Needles::new(&shared.detector));
    let is_partial = directory.is_partial || files.has_promisor();
    repository.boundaries(directory, &graph, is_partial, &bounds);
    refs.find(b"HEAD").map(|id| id.to_hex().to_string())
}

/// The graph of commits, made where something has to be placed.
type LazyGraph = LazyCell<Graph, Box<dyn FnOnce() -> Graph>>;

impl Repository<'_> {
    /// Sweeps the store, and reports what it holds.
    fn scan(&self, bounds: &Bounds, search: &dyn Search) -> LazyGraph {
        let mut swept = sweep(self.store, search, bounds);
        let (commits, object_hash) = (std::mem::take(&mut swept.commits), self.store.object_hash());
        let graph: LazyGraph = LazyCell::new(Box::new(move || Graph::new(&commits, object_hash)));
        let mut revealed = reveal::reveal(self, &swept.hits);
        // Trees come last, so that one pass over them searches their names and notes what they hold. Should the notes fail, the
        // search does not; they are tried again, and given up, where keys are placed.
        let trees = |targets: &[ObjectId]| sweep_trees(self.store, search, targets, bounds);
        let noted = catch_unwind(AssertUnwindSafe(|| trees(&revealed.targets())));
        let (in_trees, lineage) = noted.unwrap_or_else(|_| trees(&[]));
        revealed.names.extend(reveal::reveal(self, &in_trees.hits).names);
        let lineage = lineage.filter(|_| in_trees.hits.is_empty());
        self.count(&swept.and(in_trees));
        place::place(self, &graph, (revealed, lineage), bounds);
        graph
    }

    fn count(&self, swept: &Swept) {
        let mut collected = self.shared.collected();
        collected.coverage.objects += swept.objects;
        collected.coverage.bytes += swept.bytes;
        drop(collected);
        for (path, reason) in &swept.faults {
            self.leave_out(path.as_bytes(), reason);
        }
    }

    /// What the repository itself says is not here: behind a shallow boundary, or promised by a remote.
    fn boundaries(&self, directory: &GitDirectory, graph: &LazyGraph, is_partial: bool, bounds: &Bounds) {
        let shallow = directory.git.read_bounded(Path::new("shallow"), 64 << 20).ok().flatten().unwrap_or_default();
        let is_cut = |line: &[u8]| {
            let commit = ObjectId::from_hex(line.trim()).ok().and_then(|id| graph.find(&id));
            commit.is_none_or(|commit| graph.commit(commit).parents.len() > graph.parents(commit).len())
        };
        let cut = shallow.lines().filter(|line| is_cut(line)).count();
        if cut > 0 {
            self.leave_out(b"shallow", &format!("a shallow clone: what lies behind {cut} of its commits is not here"));
        }
        if !is_partial && !self.shared.options.history.check_missing {
            return;
        }
        let missing = missing(self.store, graph, bounds);
        let reason = if is_partial { "a promised object that is not here" } else { "a missing object" };
        for id in missing.iter().take(MISSING_LISTED_MAX) {
            self.leave_out(crate::source::history::object_name(id).as_bytes(), reason);
        }
        if missing.len() > MISSING_LISTED_MAX {
            let more = missing.len() - MISSING_LISTED_MAX;
            self.leave_out(b"objects", &format!("{more} more objects that are not here"));
        }
    }

    fn leave_out(&self, path: &[u8], reason: &str) {
        self.shared.leave_out(&[self.prefix, path].concat(), reason);
    }

    /// Paths of a blob in indexes.
    fn staged(&self, id: &ObjectId) -> Vec<Vec<u8>> {
        let entries = self.indexes.read.iter().flat_map(|(_, index)| index.entries());
        let mut paths: Vec<Vec<u8>> = entries.filter(|entry| entry.id == *id).map(|entry| entry.path.clone()).collect();
        paths.sort_unstable();
        paths.dedup();
        paths.truncate(100);
        paths
    }

    /// A path below the git directory, as reports show it.
    fn shown(&self, path: &[u8]) -> String {
        shown(&self.shared.detector, self.prefix, path)
    }

    fn remark(&self, text: &str) {
        let name = encode(self.prefix);
        self.shared.collected().remarks.push(format!("{}: {text}", if name.is_empty() { "." } else { &name }));
    }
}
