//! What older trees hold: whether a key at a path was there before.
//!
//! Asked only about paths with a key. A rename is what git's own detection calls one.

use super::{InTree, Place};
use crate::blob::Origin;
use crate::finding::Finding;
use crate::source::history::{Top, TreeFacts, object_name};
use crate::source::objects::{EntryKind, tree_entries};
use crate::source::renames::renames;
use gix_hash::ObjectId;
use std::collections::{BTreeSet, HashMap};

/// Files that went which are read for each that came.
const GONE_MAX: usize = 50_000;
/// Of those, files with the key that are compared with it.
const HOLDING_MAX: usize = 1_000;

/// The keys in blobs of older trees, each read once.
pub(super) struct Past<'p> {
    place: &'p Place<'p>,
    facts: &'p TreeFacts<'p>,
    /// Fingerprints of the keys in each blob at a path.
    keys: HashMap<(ObjectId, Vec<u8>), BTreeSet<String>>,
    /// Those that reach clients, which depends on the tree.
    in_clients: HashMap<(ObjectId, ObjectId, Vec<u8>), BTreeSet<String>>,
    found: HashMap<(ObjectId, Vec<u8>), Option<ObjectId>>,
    /// What each file that went was renamed to, by the trees it was and is in.
    claims: HashMap<(ObjectId, ObjectId, Vec<u8>), Vec<u8>>,
}

/// A file that is no longer where it was.
#[derive(Clone)]
pub(super) struct Gone {
    pub path: Vec<u8>,
    pub id: ObjectId,
}

/// A file that is where none was.
pub(super) struct Came<'c> {
    pub path: &'c [u8],
    pub id: ObjectId,
    /// The tree it is in; of no object for the index.
    pub tree: ObjectId,
}

/// What is looked for in older trees: a key that reaches clients is old only where it reached them before.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Mark {
    pub fingerprint: String,
    pub in_client: bool,
}

impl Mark {
    pub fn of(finding: &Finding) -> Self {
        let in_client = finding.side.reaches_client() || finding.subject.is_some();
        Self { fingerprint: finding.fingerprint(), in_client }
    }

    /// The key wherever it is.
    pub const fn anywhere(fingerprint: String) -> Self {
        Self { fingerprint, in_client: false }
    }
}

impl<'p> Past<'p> {
    pub fn new(place: &'p Place<'p>, facts: &'p TreeFacts<'p>) -> Self {
        let (keys, in_clients, found, claims) = Default::default();
        Self { place, facts, keys, in_clients, found, claims }
    }

    /// Whether the blob called `id`, which `tree` has at `path`, holds what is looked for.
    pub fn has(&mut self, tree: ObjectId, path: &[u8], id: &ObjectId, mark: &Mark) -> bool {
        let (key, place) = ((*id, path.to_vec()), (tree, *id, path.to_vec()));
        if let Some(keys) = self.keys.get(&key)
            && (!mark.in_client || !keys.contains(&mark.fingerprint) || self.in_clients.contains_key(&place))
        {
            let is_there = keys.contains(&mark.fingerprint);
            return is_there && (!mark.in_client || self.in_clients[&place].contains(&mark.fingerprint));
        }
        let marks = self.read(tree, path, id);
        let of = |in_client: bool| {
            marks.iter().filter(|mark| mark.in_client >= in_client).map(|mark| mark.fingerprint.clone()).collect()
        };
        self.keys.insert(key, of(false));
        self.in_clients.insert(place, of(true));
        marks.iter().any(|known| known.fingerprint == mark.fingerprint && known.in_client >= mark.in_client)
    }

    fn read(&self, tree: ObjectId, path: &[u8], id: &ObjectId) -> BTreeSet<Mark> {
        let ground = InTree { facts: Some(self.facts), top: Some(Top::Tree(tree)) };
        let (findings, batch) = self.place.blob(path, id, &ground, Origin::Blob);
        if batch.coverage.bytes == 0 && !batch.coverage.left_out.is_empty() {
            self.left_out(id, "a content of the older side that cannot be read; keys that it may hold count as new");
        }
        findings.iter().map(Mark::of).collect()
    }

    fn left_out(&self, id: &ObjectId, reason: &str) {
        self.place.shared.leave_out(&[b".git/", object_name(id).as_bytes()].concat(), reason);
    }

    /// Whether `tree` has anything at `path`.
    pub fn exists(&self, tree: ObjectId, path: &[u8]) -> bool {
        self.look(tree, path, |_| true).is_some()
    }

    /// The file at `path` in `tree`.
    pub fn find(&mut self, tree: ObjectId, path: &[u8]) -> Option<ObjectId> {
        let key = (tree, path.to_vec());
        if let Some(known) = self.found.get(&key) {
            return *known;
        }
        let found = self.look(tree, path, EntryKind::has_content);
        self.found.insert(key, found);
        found
    }

    /// What `tree` has at `path`, if it is of a kind that is wanted.
    fn look(&self, tree: ObjectId, path: &[u8], is_wanted: impl Fn(EntryKind) -> bool) -> Option<ObjectId> {
        let mut at = tree;
        let mut parts = path.split(|&byte| byte == b'/').peekable();
        while let Some(part) = parts.next() {
            let Some(entries) = tree_entries(&self.place.objects, &at) else {
                self.left_out(&at, "a tree of the older side that cannot be read; keys that it may hold count as new");
                return None;
            };
            let is_last = parts.peek().is_none();
            let fits = |kind: EntryKind| if is_last { is_wanted(kind) } else { kind == EntryKind::Folder };
            at = entries.into_iter().find(|entry| entry.name == part && fits(entry.kind))?.id;
        }
        Some(at)
    }

    /// Whether `tree` holds at `path` what is looked for.
    pub fn holds(&mut self, tree: ObjectId, path: &[u8], mark: &Mark) -> bool {
        self.find(tree, path).is_some_and(|id| self.has(tree, path, &id, mark))
    }

    /// Whether one of `gone`, files of `tree` that hold what is looked for, was renamed to `came`. Each is renamed once, so
    /// that a copy beside a rename is new.
    pub fn renamed(&mut self, tree: ObjectId, gone: &[Gone], came: &Came<'_>, mark: &Mark) -> bool {
        let claim = |gone: &Gone| (tree, came.tree, gone.path.clone());
        let is_free = |past: &Self, gone: &&Gone| past.claims.get(&claim(gone)).is_none_or(|path| path == came.path);
        let gone: Vec<&Gone> = gone.iter().filter(|gone| is_free(self, gone)).take(GONE_MAX).collect();
        let Some(from) = self.source(tree, &gone, came.id, mark) else { return false };
        self.claims.insert(claim(from), came.path.to_vec());
        true
    }

    fn source<'g>(&mut self, tree: ObjectId, gone: &[&'g Gone], came: ObjectId, mark: &Mark) -> Option<&'g Gone> {
        let mut same = gone.iter().filter(|gone| gone.id == came);
        if let Some(same) = same.find(|gone| self.has(tree, &gone.path, &gone.id, mark)) {
            return Some(same);
        }
        let holding = gone.iter().filter(|gone| self.has(tree, &gone.path, &gone.id, mark));
        let holding: Vec<&Gone> = holding.take(HOLDING_MAX).copied().collect();
        let read = |id: &ObjectId| {
            let mut bytes = Vec::new();
            self.place.objects.read(id, &mut bytes).ok().flatten().map(|_| bytes)
        };
        let contents: Vec<Vec<u8>> = holding.iter().map(|gone| read(&gone.id).unwrap_or_default()).collect();
        let came = read(&came)?;
        let contents: Vec<&[u8]> = contents.iter().map(Vec::as_slice).collect();
        let from = renames(&contents, &[&came]).into_iter().next().flatten()?;
        holding.get(from).copied()
    }
}
