//! What older trees hold: whether a key at a path was there before.
//!
//! Asked only about paths with a key. A rename is what git's own detection calls one.

use super::{InTree, Place};
use crate::blob::Origin;
use crate::finding::Finding;
use crate::source::history::{Top, TreeFacts};
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
    known: HashMap<(ObjectId, Vec<u8>), BTreeSet<String>>,
    found: HashMap<(ObjectId, Vec<u8>), Option<ObjectId>>,
}

/// A file that is no longer where it was.
#[derive(Clone)]
pub(super) struct Gone {
    pub path: Vec<u8>,
    pub id: ObjectId,
}

/// What is looked for in older trees: a key that reaches clients is old only where it reached them before.
pub(super) fn mark(finding: &Finding) -> String {
    in_client(finding).unwrap_or_else(|| finding.fingerprint())
}

fn in_client(finding: &Finding) -> Option<String> {
    let is_client = finding.side.reaches_client() || finding.subject.is_some();
    is_client.then(|| format!("{} in a client", finding.fingerprint()))
}

impl<'p> Past<'p> {
    pub fn new(place: &'p Place<'p>, facts: &'p TreeFacts<'p>) -> Self {
        Self { place, facts, known: HashMap::new(), found: HashMap::new() }
    }

    /// Marks of what the blob called `id` holds at `path` in `tree`: fingerprints, and those of keys that reach clients once more.
    pub fn keys(&mut self, tree: ObjectId, path: &[u8], id: &ObjectId) -> &BTreeSet<String> {
        let (place, facts) = (self.place, self.facts);
        self.known.entry((*id, path.to_vec())).or_insert_with(|| {
            let ground = InTree { facts: Some(facts), top: Some(Top::Tree(tree)) };
            let (findings, _) = place.blob(path, id, &ground, Origin::Blob);
            findings.iter().flat_map(|finding| [Some(finding.fingerprint()), in_client(finding)]).flatten().collect()
        })
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
            let entries = tree_entries(&self.place.objects, &at)?;
            let is_last = parts.peek().is_none();
            let fits = |kind: EntryKind| if is_last { is_wanted(kind) } else { kind == EntryKind::Folder };
            at = entries.into_iter().find(|entry| entry.name == part && fits(entry.kind))?.id;
        }
        Some(at)
    }

    /// Whether `tree` holds `key` at `path`.
    pub fn holds(&mut self, tree: ObjectId, path: &[u8], key: &str) -> bool {
        self.find(tree, path).is_some_and(|id| self.keys(tree, path, &id).contains(key))
    }

    /// Which of `gone`, files of `tree` that hold `key`, the blob called `came` was renamed from.
    pub fn renamed_from<'g>(
        &mut self,
        tree: ObjectId,
        gone: &'g [Gone],
        came: &ObjectId,
        key: &str,
    ) -> Option<&'g Gone> {
        if let Some(same) = gone.iter().find(|gone| gone.id == *came) {
            return Some(same);
        }
        let holding: Vec<&Gone> =
            gone.iter().take(GONE_MAX).filter(|gone| self.keys(tree, &gone.path, &gone.id).contains(key)).collect();
        let holding = &holding[..holding.len().min(HOLDING_MAX)];
        let read = |id: &ObjectId| {
            let mut bytes = Vec::new();
            self.place.objects.read(id, &mut bytes).ok().flatten().map(|_| bytes)
        };
        let contents: Vec<Vec<u8>> = holding.iter().map(|gone| read(&gone.id).unwrap_or_default()).collect();
        let came = read(came)?;
        let contents: Vec<&[u8]> = contents.iter().map(Vec::as_slice).collect();
        let from = renames(&contents, &[&came]).into_iter().next().flatten()?;
        holding.get(from).copied()
    }
}
