//! Opening relative to descriptors: `openat2` where the kernel has it, else one component after another.
//!
//! At most two descriptors are held at once, whatever the depth, and nothing recurses.

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::{Entry, Node, OpenError, Opened};

const FILE: OFlags =
    OFlags::RDONLY.union(OFlags::NOFOLLOW).union(OFlags::NONBLOCK).union(OFlags::CLOEXEC).union(OFlags::NOCTTY);
const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC).union(OFlags::DIRECTORY);

/// A folder held open, so that what its path names later does not matter.
#[derive(Debug)]
pub struct Root {
    descriptor: OwnedFd,
    path: PathBuf,
}

impl Root {
    /// Opens the folder at `path`. Links in `path` itself are followed: the caller chose it.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let flags = FOLDER.difference(OFlags::NOFOLLOW);
        let descriptor = retry(|| rustix::fs::open(path, flags, Mode::empty())).map_err(error)?;
        Ok(Self { descriptor, path: path.to_owned() })
    }

    /// The path the folder was opened by.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens a regular file that is not yet known to be one.
    ///
    /// Its type is asked before it is opened, since opening alone makes some devices act.
    pub fn file(&self, relative: &Path) -> Result<Opened, OpenError> {
        let (folder, name) = self.parent(relative)?;
        let at = folder.as_ref().map_or(self.descriptor.as_fd(), AsFd::as_fd);
        match stat(at, name)? {
            Node::File => opened(retry(|| rustix::fs::openat(at, name, FILE, Mode::empty())).map_err(error)?),
            Node::Link => Err(OpenError::Link),
            other => Err(OpenError::NotRegular(other)),
        }
    }

    /// Opens a file that its folder's listing just called regular; the type is checked again once it is open.
    pub fn regular(&self, relative: &Path) -> Result<Opened, OpenError> {
        opened(below(self.descriptor.as_fd(), relative.as_os_str().as_bytes(), FILE).map_err(error)?)
    }

    /// Opens a folder below this one; an empty path is this one again.
    pub fn folder(&self, relative: &Path) -> Result<Self, OpenError> {
        let bytes = relative.as_os_str().as_bytes();
        let bytes = if bytes.is_empty() { b"." } else { bytes };
        let descriptor = below(self.descriptor.as_fd(), bytes, FOLDER).map_err(error)?;
        Ok(Self { descriptor, path: self.path.join(relative) })
    }

    /// What `relative` stands for, a link not followed.
    pub fn node(&self, relative: &Path) -> Result<Node, OpenError> {
        let (folder, name) = self.parent(relative)?;
        stat(folder.as_ref().map_or(self.descriptor.as_fd(), AsFd::as_fd), name)
    }

    /// The target text of the link at `relative`, which is not followed.
    pub fn link(&self, relative: &Path) -> Result<Vec<u8>, OpenError> {
        let (folder, name) = self.parent(relative)?;
        let at = folder.as_ref().map_or(self.descriptor.as_fd(), AsFd::as_fd);
        let target = retry(|| rustix::fs::readlinkat(at, name, Vec::new())).map_err(error)?;
        Ok(target.into_bytes())
    }

    /// The names in this folder in no order, `entries_max` of them at most.
    pub fn entries(&self, entries_max: usize) -> Result<Vec<Entry>, OpenError> {
        let mut entries = Vec::new();
        for entry in Dir::read_from(&self.descriptor).map_err(error)?.take(entries_max.saturating_add(2)) {
            let entry = entry.map_err(error)?;
            let name = entry.file_name().to_bytes();
            if name == b"." || name == b".." {
                continue;
            }
            let is_folder = match entry.file_type() {
                FileType::Unknown => matches!(stat(self.descriptor.as_fd(), name), Ok(Node::Folder)),
                known => known == FileType::Directory,
            };
            entries.push(Entry { name: name.to_vec(), is_folder });
        }
        entries.truncate(entries_max);
        Ok(entries)
    }

    /// The folder `relative` lies in, opened unless it is the root itself, and the last name.
    fn parent<'a>(&self, relative: &'a Path) -> Result<(Option<OwnedFd>, &'a [u8]), OpenError> {
        let bytes = relative.as_os_str().as_bytes();
        let Some(slash) = memchr::memrchr(b'/', bytes) else {
            return if bytes == b".." { Err(OpenError::Link) } else { Ok((None, bytes)) };
        };
        let name = &bytes[slash + 1..];
        if name == b".." || slash == 0 {
            return Err(OpenError::Link);
        }
        let folder = below(self.descriptor.as_fd(), &bytes[..slash], FOLDER).map_err(error)?;
        Ok((Some(folder), name))
    }
}

fn opened(descriptor: OwnedFd) -> Result<Opened, OpenError> {
    let stat = retry(|| rustix::fs::fstat(&descriptor)).map_err(error)?;
    match node(FileType::from_raw_mode(stat.st_mode)) {
        Node::File => Ok(Opened { file: File::from(descriptor), bytes: u64::try_from(stat.st_size).unwrap_or(0) }),
        other => Err(OpenError::NotRegular(other)),
    }
}

fn stat(at: BorrowedFd<'_>, name: &[u8]) -> Result<Node, OpenError> {
    let stat = retry(|| rustix::fs::statat(at, name, AtFlags::SYMLINK_NOFOLLOW)).map_err(error)?;
    Ok(node(FileType::from_raw_mode(stat.st_mode)))
}

fn node(kind: FileType) -> Node {
    match kind {
        FileType::RegularFile => Node::File,
        FileType::Directory => Node::Folder,
        FileType::Symlink => Node::Link,
        FileType::Fifo => Node::Fifo,
        FileType::Socket => Node::Socket,
        _ => Node::Device,
    }
}

fn below(base: BorrowedFd<'_>, relative: &[u8], flags: OFlags) -> Result<OwnedFd, Errno> {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if let Some(answer) = beneath::open(base, relative, flags) {
        return answer;
    }
    by_component(base, relative, flags)
}

/// One `openat` a component, each refusing links: what `openat2` does in one call, for systems without it.
fn by_component(base: BorrowedFd<'_>, relative: &[u8], flags: OFlags) -> Result<OwnedFd, Errno> {
    if relative.is_empty() {
        return Err(Errno::NOENT);
    }
    let mut held: Option<OwnedFd> = None;
    let mut parts = relative.split(|byte| *byte == b'/').peekable();
    while let Some(part) = parts.next() {
        let at = held.as_ref().map_or(base, AsFd::as_fd);
        if part == b".." || (part.is_empty() && held.is_none()) {
            return Err(Errno::XDEV);
        }
        let part = if part.is_empty() { b"." } else { part };
        let flags = if parts.peek().is_some() { FOLDER } else { flags };
        let next = retry(|| rustix::fs::openat(at, part, flags, Mode::empty()));
        // A folder was asked for and a link was there: some kernels say "not a folder" for that.
        if next.as_ref().is_err_and(|errno| *errno == Errno::NOTDIR) && matches!(stat(at, part), Ok(Node::Link)) {
            return Err(Errno::LOOP);
        }
        held = Some(next?);
    }
    held.ok_or(Errno::NOENT)
}

#[cfg(any(target_os = "linux", target_os = "android"))]
mod beneath {
    //! `openat2`, in chunks that the kernel accepts as one path; gives up for good where it is missing or filtered.

    use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
    use std::sync::atomic::{AtomicBool, Ordering};

    use rustix::fs::{Mode, OFlags, ResolveFlags};
    use rustix::io::Errno;

    /// `PATH_MAX` is 4,096 with the closing NUL.
    const CHUNK_BYTES_MAX: usize = 4_000;
    const RESOLVE: ResolveFlags =
        ResolveFlags::BENEATH.union(ResolveFlags::NO_SYMLINKS).union(ResolveFlags::NO_MAGICLINKS);

    static MISSING: AtomicBool = AtomicBool::new(false);

    pub(super) fn open(base: BorrowedFd<'_>, relative: &[u8], flags: OFlags) -> Option<Result<OwnedFd, Errno>> {
        if MISSING.load(Ordering::Relaxed) {
            return None;
        }
        let answer = chunks(base, relative, flags);
        // A sandbox that does not know the call answers EPERM; `openat` never gives that for these flags.
        if matches!(answer, Err(Errno::NOSYS | Errno::PERM)) {
            MISSING.store(true, Ordering::Relaxed);
            return None;
        }
        Some(answer)
    }

    fn chunks(base: BorrowedFd<'_>, relative: &[u8], flags: OFlags) -> Result<OwnedFd, Errno> {
        let mut held: Option<OwnedFd> = None;
        let mut rest = relative;
        while rest.len() > CHUNK_BYTES_MAX {
            let cut = memchr::memrchr(b'/', &rest[..CHUNK_BYTES_MAX]).ok_or(Errno::NAMETOOLONG)?;
            let at = held.as_ref().map_or(base, AsFd::as_fd);
            held = Some(one(at, &rest[..cut], super::FOLDER)?);
            rest = &rest[cut + 1..];
        }
        one(held.as_ref().map_or(base, AsFd::as_fd), rest, flags)
    }

    fn one(at: BorrowedFd<'_>, path: &[u8], flags: OFlags) -> Result<OwnedFd, Errno> {
        // With NOFOLLOW, a link where a folder is wanted is "not a folder"; without, RESOLVE refuses it as a link.
        let flags = flags.difference(OFlags::NOFOLLOW);
        super::retry(|| rustix::fs::openat2(at, path, flags, Mode::empty(), RESOLVE))
    }
}

fn retry<T>(mut call: impl FnMut() -> Result<T, Errno>) -> Result<T, Errno> {
    loop {
        match call() {
            Err(Errno::INTR) => {}
            answer => return answer,
        }
    }
}

/// `MLINK` is what FreeBSD says for a link that `NOFOLLOW` refuses; `NXIO` is what opening a socket gives.
fn error(errno: Errno) -> OpenError {
    match errno {
        Errno::NOENT | Errno::NOTDIR => OpenError::NotFound,
        Errno::LOOP | Errno::MLINK | Errno::XDEV => OpenError::Link,
        Errno::NXIO => OpenError::NotRegular(Node::Socket),
        Errno::ACCESS | Errno::PERM => OpenError::Permission,
        other => OpenError::Io(other.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_component_agrees_with_openat2() {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(home.path().join("a/b")).unwrap();
        std::fs::write(home.path().join("a/b/f"), "x").unwrap();
        std::os::unix::fs::symlink("b", home.path().join("a/l")).unwrap();
        std::os::unix::fs::symlink("f", home.path().join("a/b/g")).unwrap();
        let root = Root::open(home.path()).unwrap();
        let base = root.descriptor.as_fd();
        for path in ["a/b/f", "a/l/f", "a/b/g", "a/b/h", "a/b/f/x", "../x", "/etc/passwd", "", "a/b"] {
            for flags in [FILE, FOLDER] {
                let slow = by_component(base, path.as_bytes(), flags).map(drop);
                assert_eq!(slow, below(base, path.as_bytes(), flags).map(drop), "{path}");
            }
        }
    }
}
