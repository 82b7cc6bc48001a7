//! The files of one commit, by path.
//!
//! Read from the object store; nothing on disk beside it is asked.

use super::{Checkout, HookEnvironment, resolve};
use crate::source::objects::{EntryKind, Objects, tree_entries};
use gix_hash::ObjectId;
use gix_object::{CommitRefIter, Kind};
use std::path::Path;

/// The largest file that is read.
const FILE_BYTES_MAX: usize = 300 << 20;

/// A commit and the objects it is made of.
pub struct Committed {
    objects: Objects,
    commit: ObjectId,
}

impl Committed {
    /// What the repository around `folder` has in the commit that `name` stands for. The error is a short sentence.
    pub fn open(folder: &Path, name: &str) -> Result<Self, String> {
        if name.is_empty() {
            return Err("it has no name".to_owned());
        }
        let checkout = Checkout::open(folder, &HookEnvironment::default())?;
        let (objects, _) = checkout.objects(false)?;
        let commit = resolve(name, &checkout.refs(), &objects)?.commit;
        Ok(Self { objects, commit })
    }

    /// The regular file at `path`, bytes below the top with `/`; none where there is nothing.
    /// The error is a short sentence: an object that is not here, something else than a file, or a file too large.
    pub fn file(&self, path: &[u8]) -> Result<Option<Vec<u8>>, String> {
        let commit = self.read(self.commit, Kind::Commit)?;
        let mut tree = CommitRefIter::from_bytes(&commit, self.commit.kind()).tree_id().map_err(|e| e.to_string())?;
        let mut parts = path.split(|byte| *byte == b'/').peekable();
        while let Some(part) = parts.next() {
            let entries = tree_entries(&self.objects, &tree);
            let entries = entries.ok_or_else(|| format!("object {tree} is not a tree that can be read"))?;
            let found = entries.into_iter().find(|entry| entry.name == part);
            match (found, parts.peek().is_none()) {
                (Some(entry), true) if entry.kind == EntryKind::File => {
                    let bytes = self.read(entry.id, Kind::Blob)?;
                    return if bytes.len() > FILE_BYTES_MAX { Err("too large".to_owned()) } else { Ok(Some(bytes)) };
                }
                (Some(entry), false) if entry.kind == EntryKind::Folder => tree = entry.id,
                (Some(entry), is_last) => match entry.kind {
                    EntryKind::Link => return Err("a link, which is not followed".to_owned()),
                    EntryKind::Submodule => return Err("in another repository".to_owned()),
                    EntryKind::Folder if is_last => return Err("a folder".to_owned()),
                    _ => return Ok(None),
                },
                (None, _) => return Ok(None),
            }
        }
        Ok(None)
    }

    fn read(&self, id: ObjectId, kind: Kind) -> Result<Vec<u8>, String> {
        let mut buffer = Vec::new();
        match self.objects.read(&id, &mut buffer)? {
            Some(found) if found == kind => Ok(buffer),
            Some(_) => Err(format!("object {id} is not a {kind}")),
            None => Err(format!("object {id} is not in the repository")),
        }
    }
}
