//! The refs of a repository and what their logs lead to: loose files and `packed-refs`, each bounded.
//!
//! What cannot be read is a fault and hides no other ref. No link is followed.

use std::path::{Path, PathBuf};

use bstr::ByteSlice;
use gix_hash::{Kind, ObjectId};

use super::locate::{Layout, line};
use super::reftable;
use crate::source::open::{Node, OpenError, Root};

const HOPS_MAX: usize = 5;
const PACKED_BYTES_MAX: u64 = 256 << 20;
const LOOSE_BYTES_MAX: u64 = 16 * 1024;
const LOG_BYTES_MAX: u64 = 64 << 20;
const REFS_MAX: usize = 5_000_000;

/// The refs of one git directory.
#[derive(Debug, Default)]
pub struct Refs {
    /// Sorted by name, each name once.
    pub names: Vec<Named>,
    /// What logs name, and what they say where that is in no file of its own.
    pub logs: Vec<Logged>,
    /// Names of symbolic refs, and of the refs they stand for.
    pub symbolic: Vec<(Vec<u8>, Vec<u8>)>,
    /// What could not be read.
    pub faults: Vec<Fault>,
    /// Whether every line of `packed-refs` is in `names`.
    pub understood_packed: bool,
}

/// One ref.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Named {
    /// Such as `refs/heads/main`, `HEAD` or `worktrees/fix/HEAD`.
    pub name: Vec<u8>,
    /// The object it leads to; none before the first commit, and where it cannot be told.
    pub target: Option<ObjectId>,
}

/// One line of a log.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Logged {
    /// The ref.
    pub name: Vec<u8>,
    /// What it led to, before or after.
    pub target: ObjectId,
    /// Its message; empty where the log is a file, which is searched as one.
    pub message: Vec<u8>,
}

/// What could not be read, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// Below the git directory.
    pub path: Vec<u8>,
    /// A short sentence.
    pub reason: String,
}

/// What a loose ref says.
enum Said {
    Object(ObjectId),
    Ref(Vec<u8>),
}

impl Refs {
    /// Every ref below `git`, those of linked worktrees too.
    pub fn read(git: &Root, object_hash: Kind) -> Self {
        let mut refs = Self::default();
        let mut links = Vec::new();
        refs.packed(git, object_hash);
        refs.loose(git, object_hash, &mut links);
        refs.tables(git, object_hash, &mut links);
        refs.logs(git, object_hash);
        refs.finish(links);
        refs
    }

    /// Lets the refs of a linked working tree win over those it shares.
    pub fn overlay(&mut self, own: Self) {
        self.names.retain(|named| own.names.binary_search_by(|one| one.name.cmp(&named.name)).is_err());
        let own_names = own.names.into_iter();
        self.names.extend(
            own_names
                .map(|named| {
                    // A symbolic ref leads to one that is shared.
                    let target = named.target.or_else(|| {
                        own.symbolic.iter().find(|link| link.0 == named.name).and_then(|link| self.find(&link.1))
                    });
                    Named { target, ..named }
                })
                .collect::<Vec<_>>(),
        );
        self.names.sort();
        self.logs.extend(own.logs);
        self.faults.extend(own.faults);
    }

    /// The object that the ref called `name` leads to.
    pub fn find(&self, name: &[u8]) -> Option<ObjectId> {
        let at = self.names.binary_search_by(|named| named.name.as_slice().cmp(name)).ok()?;
        self.names[at].target
    }

    pub(super) fn fault(&mut self, path: &[u8], reason: impl Into<String>) {
        self.faults.push(Fault { path: path.to_vec(), reason: reason.into() });
    }

    /// Says so where the symbolic ref at `path` leads nowhere that git would go.
    pub(super) fn check(&mut self, path: &[u8], target: &[u8]) {
        if !is_name(target) {
            self.fault(path, "a ref names no ref");
        }
    }

    /// Reftables, those of linked worktrees too; a folder of them is there only where refs are kept so.
    fn tables(&mut self, git: &Root, object_hash: Kind, links: &mut Vec<(Vec<u8>, Vec<u8>)>) {
        for base in bases(git) {
            let path = base.join("reftable");
            let Ok(folder) = git.folder(&path) else { continue };
            let known = (self.names.len(), links.len(), self.logs.len());
            reftable::read(&folder, path.as_os_str().as_encoded_bytes(), object_hash, self, links);
            if !base.as_os_str().is_empty() {
                let prefix = [base.as_os_str().as_encoded_bytes(), b"/"].concat();
                let below = |name: &mut Vec<u8>| *name = [&prefix, name.as_slice()].concat();
                self.names[known.0..].iter_mut().for_each(|named| below(&mut named.name));
                links[known.1..].iter_mut().for_each(|(name, _)| below(name));
                self.logs[known.2..].iter_mut().for_each(|logged| below(&mut logged.name));
            }
        }
    }

    fn packed(&mut self, git: &Root, object_hash: Kind) {
        let text = match git.read_bounded(Path::new("packed-refs"), PACKED_BYTES_MAX) {
            Ok(text) => text.unwrap_or_default(),
            Err(error) => return self.fault(b"packed-refs", error.to_string()),
        };
        self.understood_packed = true;
        for line in text.lines() {
            if line.is_empty() || line.starts_with(b"^") || line.starts_with(b"# pack-refs") {
                continue;
            }
            let parts = line.split_once_str(b" ");
            match parts.and_then(|(hex, name)| Some((parse(hex, object_hash).ok()?, name))) {
                Some((id, name)) if self.names.len() < REFS_MAX => {
                    self.names.push(Named { name: name.to_vec(), target: Some(id) });
                }
                _ => self.understood_packed = false,
            }
        }
        if !self.understood_packed {
            self.fault(b"packed-refs", "a line names no ref");
        }
    }

    /// Loose refs: the files below `refs`, and those at the top whose names are in capitals.
    fn loose(&mut self, git: &Root, object_hash: Kind, links: &mut Vec<(Vec<u8>, Vec<u8>)>) {
        // Where refs are in tables, files stand in their place that say nothing.
        let in_tables = git.folder(Path::new("reftable")).is_ok();
        let is_list = |name: &[u8]| [b"FETCH_HEAD".as_slice(), b"MERGE_HEAD"].contains(&name);
        let is_head = |name: &[u8]| name == b"HEAD" || name.ends_with(b"_HEAD");
        for base in bases(git) {
            let at_top = |name: &[u8]| if in_tables { is_list(name) } else { is_head(name) };
            let names = entries(git, &base).into_iter().filter(|entry| !entry.1 && at_top(&entry.0));
            let mut files: Vec<PathBuf> = names.filter_map(|(name, _)| Some(base.join(name.to_path().ok()?))).collect();
            if !in_tables {
                files.extend(self.files_below(git, base.join("refs")));
            }
            for file in files {
                self.loose_file(git, &file, object_hash, links);
            }
        }
    }

    /// Every file below `folder`, without recursion.
    fn files_below(&mut self, git: &Root, folder: PathBuf) -> Vec<PathBuf> {
        let mut files = Vec::new();
        let mut open = vec![folder];
        while let Some(folder) = open.pop() {
            let entries = entries(git, &folder).into_iter();
            for (path, is_folder) in entries.filter_map(|(name, kind)| Some((folder.join(name.to_path().ok()?), kind)))
            {
                if is_folder { open.push(path) } else { files.push(path) }
            }
            if files.len() + open.len() > REFS_MAX {
                self.fault(folder.as_os_str().as_encoded_bytes(), "more refs than are read");
                break;
            }
        }
        files
    }

    fn loose_file(&mut self, git: &Root, path: &Path, object_hash: Kind, links: &mut Vec<(Vec<u8>, Vec<u8>)>) {
        let name = path.as_os_str().as_encoded_bytes();
        let text = match git.read_bounded(path, LOOSE_BYTES_MAX) {
            Ok(Some(text)) => text,
            // FETCH_HEAD may be long; its text is searched all the same.
            Err(_) if !name.starts_with(b"refs/") && name != b"HEAD" => return,
            Ok(None) => return,
            Err(error) => return self.fault(name, error.to_string()),
        };
        if name.ends_with(b"FETCH_HEAD") || name.ends_with(b"MERGE_HEAD") {
            let ids = text.lines().filter_map(|line| parse(line.get(..object_hash.len_in_hex())?, object_hash).ok());
            let logged = ids.map(|target| Logged { name: name.to_vec(), target, message: Vec::new() });
            return self.logs.extend(logged.collect::<Vec<_>>());
        }
        match said(&text, object_hash) {
            Some(Said::Object(id)) => self.names.push(Named { name: name.to_vec(), target: Some(id) }),
            Some(Said::Ref(target)) => {
                self.check(name, &target);
                links.push((name.to_vec(), target));
            }
            None => {
                self.names.push(Named { name: name.to_vec(), target: None });
                self.fault(name, "a ref holds no object id");
            }
        }
    }

    /// What the logs led to; their text is searched as that of files.
    fn logs(&mut self, git: &Root, object_hash: Kind) {
        for base in bases(git) {
            let base = base.join("logs");
            for path in self.files_below(git, base.clone()) {
                let text = git.read_bounded(&path, LOG_BYTES_MAX).ok().flatten().unwrap_or_default();
                let name = path.strip_prefix(&base).unwrap_or(&path).as_os_str().as_encoded_bytes();
                self.log(name, &text, object_hash);
            }
        }
    }

    fn log(&mut self, name: &[u8], text: &[u8], object_hash: Kind) {
        for line in text.lines() {
            for hex in line.split(|&byte| byte == b' ').take(2) {
                if let Some(target) = parse(hex, object_hash).ok().filter(|id| !id.is_null()) {
                    self.logs.push(Logged { name: name.to_vec(), target, message: Vec::new() });
                }
            }
        }
    }

    /// Sorts, lets loose refs win over packed ones, and follows symbolic refs.
    fn finish(&mut self, links: Vec<(Vec<u8>, Vec<u8>)>) {
        // The sort is stable, and what was read later wins.
        self.names.reverse();
        self.names.sort_by(|one, other| one.name.cmp(&other.name));
        self.names.dedup_by(|one, other| one.name == other.name);
        let follow = |target: &[u8]| {
            let mut target = target.to_vec();
            for _ in 0..HOPS_MAX {
                match links.iter().find(|(name, _)| *name == target) {
                    Some((_, next)) => target.clone_from(next),
                    None => return Ok(self.find(&target)),
                }
            }
            Err(())
        };
        let (mut followed, mut circles) = (Vec::new(), Vec::new());
        for (name, target) in &links {
            let target = follow(target);
            circles.extend(target.is_err().then(|| name.clone()));
            followed.push(Named { name: name.clone(), target: target.unwrap_or_default() });
        }
        for name in &circles {
            self.fault(name, "a ref goes through too many refs");
        }
        self.names.extend(followed);
        self.names.sort();
        self.names.dedup_by(|one, other| one.name == other.name);
        self.symbolic = links;
        self.logs.sort_unstable();
        self.logs.dedup();
    }
}

/// Whether git takes `name` for that of a ref, as git-check-ref-format(1) says; what it does not take could lead anywhere.
fn is_name(name: &[u8]) -> bool {
    let is_part = |part: &[u8]| !part.is_empty() && !part.starts_with(b".") && !part.ends_with(b".lock");
    let is_allowed = |byte: &u8| *byte > b' ' && *byte != 0x7f && !b"~^:?*[\\".contains(byte);
    name.starts_with(b"refs/")
        && name.split(|&byte| byte == b'/').all(is_part)
        && name.iter().all(is_allowed)
        && !name.ends_with(b".")
        && [b"..".as_slice(), b"@{"].iter().all(|wrong| !name.contains_str(wrong))
}

fn said(text: &[u8], object_hash: Kind) -> Option<Said> {
    match text.strip_prefix(b"ref:") {
        Some(name) => Some(Said::Ref(name.trim().to_vec())),
        None => parse(text, object_hash).ok().map(Said::Object),
    }
}

/// Names in a folder, sorted, and whether each is a folder; none where there is no such folder.
fn entries(git: &Root, folder: &Path) -> Vec<(Vec<u8>, bool)> {
    let listed = git.folder(folder).and_then(|folder| folder.entries(REFS_MAX)).unwrap_or_default();
    let mut entries: Vec<_> = listed.into_iter().map(|entry| (entry.name, entry.is_folder)).collect();
    entries.sort_unstable();
    entries
}

/// Where refs are: at the top, and in the folders of linked worktrees.
fn bases(git: &Root) -> Vec<PathBuf> {
    let mut bases = vec![PathBuf::new()];
    bases.extend(folders(git, Path::new("worktrees")));
    bases
}

fn folders(git: &Root, folder: &Path) -> Vec<PathBuf> {
    let folders = entries(git, folder).into_iter().filter(|(_, is_folder)| *is_folder);
    folders.filter_map(|(name, _)| Some(folder.join(name.to_path().ok()?))).collect()
}

/// Follows `HEAD` to a commit; `None` before the first one.
pub fn head(layout: &Layout, object_hash: Kind) -> Result<Option<ObjectId>, String> {
    let mut text = line(&layout.git, "HEAD").ok_or("HEAD cannot be read")?;
    for _ in 0..HOPS_MAX {
        let Some(name) = text.strip_prefix(b"ref:") else {
            return parse(&text, object_hash).map(Some);
        };
        let name = name.trim().to_vec();
        // `.invalid` is where HEAD points when refs are kept elsewhere, in a reftable for one.
        if !is_name(&name) {
            return Err("HEAD names no ref".to_owned());
        }
        text = match loose(layout, &name)? {
            Some(text) => text,
            None => return packed(layout, &name, object_hash),
        };
    }
    Err("HEAD goes through too many refs".to_owned())
}

fn parse(hex: &[u8], object_hash: Kind) -> Result<ObjectId, String> {
    match ObjectId::from_hex(hex.trim()) {
        Ok(id) if id.kind() == object_hash => Ok(id),
        _ => Err("a ref holds no object id".to_owned()),
    }
}

fn loose(layout: &Layout, name: &[u8]) -> Result<Option<Vec<u8>>, String> {
    let own = [&b"refs/bisect/"[..], b"refs/worktree/", b"refs/rewritten/"].iter().any(|own| name.starts_with(own));
    let folder = if own { &layout.git } else { &layout.common };
    let path = name.to_path().map_err(|error| error.to_string())?;
    match folder.read_bounded(path, LOOSE_BYTES_MAX) {
        Ok(text) => Ok(text),
        Err(OpenError::NotRegular(Node::Folder)) => Ok(None),
        Err(error) => Err(format!("the ref of HEAD: {error}")),
    }
}

fn packed(layout: &Layout, name: &[u8], object_hash: Kind) -> Result<Option<ObjectId>, String> {
    let text = layout.common.read_bounded(Path::new("packed-refs"), PACKED_BYTES_MAX);
    let text = text.map_err(|error| format!("packed-refs: {error}"))?.unwrap_or_default();
    let mut is_understood = true;
    for line in text.lines() {
        if let Some(hex) = line.strip_suffix(name).and_then(|line| line.strip_suffix(b" ")) {
            return parse(hex, object_hash).map(Some);
        }
        let id = line.get(..object_hash.len_in_hex());
        is_understood &= line.is_empty()
            || line.starts_with(b"#")
            || line.starts_with(b"^")
            || id.is_some_and(|id| parse(id, object_hash).is_ok());
    }
    // Before the first commit, nothing names the branch; a line that is not understood may.
    if is_understood { Ok(None) } else { Err("packed-refs: a line names no ref".to_owned()) }
}
