//! Commits as a sweep meets them: name, tree, parents and date, packed into bytes.
//!
//! Kept for every commit, since whether one matters is known only at the end; about 70 bytes each.

use gix_hash::{Kind, ObjectId};
use rayon::prelude::*;

/// Many commits, in no order.
#[derive(Default)]
pub struct Commits {
    chunks: Vec<Vec<u8>>,
}

/// One commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Its name.
    pub id: ObjectId,
    /// Its tree.
    pub tree: ObjectId,
    /// Its parents, in order.
    pub parents: Vec<ObjectId>,
    /// When it was committed, in seconds since 1970.
    pub time: i64,
}

impl Commit {
    /// The commit called `id` with this content, if it is one.
    pub fn read(id: &ObjectId, bytes: &[u8]) -> Option<Self> {
        let Read { tree, parents, time } = read(bytes, id.kind())?;
        Some(Self { id: *id, tree, parents, time })
    }
}

impl Commits {
    /// Keeps the commit called `id`, unless `bytes` is none.
    pub fn push(&mut self, id: &ObjectId, bytes: &[u8]) {
        if let Some(commit) = Commit::read(id, bytes) {
            self.keep(&commit);
        }
    }

    /// Keeps a commit that is read already.
    pub fn keep(&mut self, commit: &Commit) {
        if self.chunks.is_empty() {
            self.chunks.push(Vec::new());
        }
        let Some(chunk) = self.chunks.last_mut() else { return };
        let count = commit.parents.len().min(usize::from(u16::MAX));
        chunk.extend_from_slice(commit.id.as_slice());
        chunk.extend_from_slice(commit.tree.as_slice());
        chunk.extend_from_slice(&commit.time.to_le_bytes());
        chunk.extend_from_slice(&u16::try_from(count).unwrap_or(u16::MAX).to_le_bytes());
        for parent in &commit.parents[..count] {
            chunk.extend_from_slice(parent.as_slice());
        }
    }

    /// Adds the commits of `other`.
    pub fn append(&mut self, mut other: Self) {
        self.chunks.append(&mut other.chunks);
    }

    /// Every commit, all named by `object_hash`.
    pub fn all(&self, object_hash: Kind) -> Vec<Commit> {
        let commits = |chunk: &Vec<u8>| {
            let (mut rest, mut commits) = (chunk.as_slice(), Vec::new());
            while let Some((commit, after)) = unpack(rest, object_hash.len_in_bytes()) {
                commits.push(commit);
                rest = after;
            }
            commits
        };
        self.chunks.par_iter().flat_map_iter(commits).collect()
    }
}

/// What a commit object says.
struct Read {
    tree: ObjectId,
    parents: Vec<ObjectId>,
    time: i64,
}

/// Reads the header lines; grafts and replacements have no say.
fn read(bytes: &[u8], object_hash: Kind) -> Option<Read> {
    let hex = object_hash.len_in_hex();
    let id = |line: &[u8]| ObjectId::from_hex(line.get(..hex)?).ok();
    let mut lines = bytes.split(|&byte| byte == b'\n').take_while(|line| !line.is_empty());
    let tree = id(lines.next()?.strip_prefix(b"tree ")?)?;
    let (mut parents, mut time) = (Vec::new(), 0);
    for line in lines {
        if let Some(parent) = line.strip_prefix(b"parent ") {
            parents.extend(id(parent));
        } else if let Some(committer) = line.strip_prefix(b"committer ") {
            time = seconds(committer).unwrap_or(0);
            break;
        }
    }
    Some(Read { tree, parents, time })
}

/// The seconds in `Name <mail> SECONDS ZONE`.
fn seconds(committer: &[u8]) -> Option<i64> {
    let behind = &committer[memchr::memrchr(b'>', committer)? + 1..];
    let number = behind.split(|&byte| byte == b' ').find(|part| !part.is_empty())?;
    std::str::from_utf8(number).ok()?.parse().ok()
}

fn unpack(bytes: &[u8], len: usize) -> Option<(Commit, &[u8])> {
    let (id, rest) = bytes.split_at_checked(len)?;
    let (tree, rest) = rest.split_at_checked(len)?;
    let (time, rest) = rest.split_first_chunk::<8>()?;
    let (count, rest) = rest.split_first_chunk::<2>()?;
    let (parents, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes(*count)) * len)?;
    let commit = Commit {
        id: ObjectId::try_from(id).ok()?,
        tree: ObjectId::try_from(tree).ok()?,
        parents: parents.chunks(len).filter_map(|parent| ObjectId::try_from(parent).ok()).collect(),
        time: i64::from_le_bytes(*time),
    };
    Some((commit, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commits_come_back() {
        let id = |digit: char| ObjectId::from_hex(digit.to_string().repeat(40).as_bytes()).unwrap();
        let text =
            |parents: &str| format!("tree {}\n{parents}author A <a> 1 +0\ncommitter B <b> -7 +0100\n\nm", id('a'));
        let mut commits = Commits::default();
        commits.push(&id('1'), text("").as_bytes());
        commits.push(&id('2'), text(&format!("parent {}\nparent {}\n", id('1'), id('3'))).as_bytes());
        commits.push(&id('4'), b"no commit");
        let mut all = Commits::default();
        all.append(commits);
        let found: Vec<Commit> = all.all(Kind::Sha1);
        assert_eq!(found.len(), 2);
        assert_eq!(found[1], Commit { id: id('2'), tree: id('a'), parents: vec![id('1'), id('3')], time: -7 });
    }
}
