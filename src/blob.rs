//! One thing to search: where it came from, and its bytes window by window.
//!
//! Sources make blobs and know nothing of keys; whoever reads a blob knows nothing of disks or git.

use std::io;

/// What kind of place a blob came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// The content of a file on disk.
    File,
    /// The target text of a symbolic link.
    Link,
    /// The name of a file or folder.
    TreeEntry,
    /// Standard input.
    Stdin,
    /// A file as a commit or the index holds it.
    Blob,
    /// A commit: its message, its author, its other headers.
    Commit,
    /// An annotated tag.
    Tag,
    /// A note on a commit.
    Note,
    /// A path in the index.
    Index,
    /// The name of a ref.
    Ref,
    /// A line of a reflog.
    Reflog,
    /// Another text file of the git directory.
    GitFile,
    /// A file that LFS keeps beside the repository.
    Lfs,
    /// The message of a commit about to be made.
    Message,
}

impl Origin {
    /// The word used in every report.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::File | Self::Link => "file",
            Self::TreeEntry => "tree-entry",
            Self::Stdin => "stdin",
            Self::Blob => "blob",
            Self::Commit => "commit",
            Self::Tag => "tag",
            Self::Note => "note",
            Self::Index => "index",
            Self::Ref => "ref",
            Self::Reflog => "reflog",
            Self::GitFile => "git-file",
            Self::Lfs => "lfs",
            Self::Message => "message",
        }
    }
}

/// The most bytes one key and its neighbourhood take, in any encoding read so far.
/// Windows of one blob overlap by this much, so no key is cut by a seam. Even, for UTF-16.
pub const OVERLAP_BYTES: usize = 8 * 1024;

/// Which part of a blob a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// It starts where the blob starts.
    Start,
    /// It follows text that is not at hand: what was opened there and not closed is not known.
    Later,
}

/// A run of a blob's bytes.
#[derive(Clone, Copy)]
pub struct Window<'a> {
    /// The bytes; the first [`Window::owned`] start keys of their own, the rest is look-ahead.
    pub bytes: &'a [u8],
    /// Where the window starts in the blob, in bytes.
    pub offset: u64,
    /// Whether nothing follows.
    pub last: bool,
}

impl Window<'_> {
    /// Whether text came before it.
    pub const fn part(&self) -> Part {
        if self.offset == 0 { Part::Start } else { Part::Later }
    }

    /// Keys that start before this index are this window's; later ones are the next window's.
    pub fn owned(&self) -> usize {
        if self.last { self.bytes.len() } else { self.bytes.len() - OVERLAP_BYTES }
    }
}

/// Gives a blob's bytes as windows, in order; each starts [`OVERLAP_BYTES`] before the end of the one before.
pub trait Windows {
    /// The next window, or `None` after the last. A blob with no bytes has one empty window.
    fn next(&mut self) -> io::Result<Option<Window<'_>>>;
    /// Starts over, where the source can; `false` where it cannot.
    fn rewind(&mut self) -> io::Result<bool>;
    /// After the last window: how the blob changed under the reader, if it did.
    fn changed(&self) -> Option<&'static str>;
    /// The same bytes at any place, where the source can; reading there does not disturb the windows.
    fn random(&self) -> Option<&dyn ReadAt> {
        None
    }
}

/// Bytes that can be read at any place, in any order.
pub trait ReadAt {
    /// Reads what stands at `offset` into the start of `buffer`; says how many bytes, none at the end.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
    /// How many bytes there are.
    fn size(&self) -> u64;
    /// All of it, where it is in memory.
    fn whole(&self) -> Option<&[u8]> {
        None
    }
}

impl ReadAt for Vec<u8> {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.as_slice().read_at(buffer, offset)
    }

    fn size(&self) -> u64 {
        self.len() as u64
    }

    fn whole(&self) -> Option<&[u8]> {
        Some(self)
    }
}

impl ReadAt for &[u8] {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let rest = usize::try_from(offset).ok().and_then(|offset| self.get(offset..)).unwrap_or_default();
        let len = rest.len().min(buffer.len());
        buffer[..len].copy_from_slice(&rest[..len]);
        Ok(len)
    }

    fn size(&self) -> u64 {
        self.len() as u64
    }

    fn whole(&self) -> Option<&[u8]> {
        Some(self)
    }
}

/// One thing to search.
pub struct Blob<'a> {
    /// What kind of place it came from.
    pub origin: Origin,
    /// Where it is, as bytes with `/` between the parts, relative to the tree the source was given.
    pub path: &'a [u8],
    /// Its content.
    pub windows: &'a mut dyn Windows,
}

/// Windows over bytes that are all in memory.
pub struct Whole<'a> {
    bytes: &'a [u8],
    given: bool,
}

impl<'a> Whole<'a> {
    /// One window over all of `bytes`.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, given: false }
    }
}

impl Windows for Whole<'_> {
    fn next(&mut self) -> io::Result<Option<Window<'_>>> {
        if std::mem::replace(&mut self.given, true) {
            return Ok(None);
        }
        Ok(Some(Window { bytes: self.bytes, offset: 0, last: true }))
    }

    fn rewind(&mut self) -> io::Result<bool> {
        self.given = false;
        Ok(true)
    }

    fn changed(&self) -> Option<&'static str> {
        None
    }

    fn random(&self) -> Option<&dyn ReadAt> {
        Some(&self.bytes)
    }
}

/// Makes a [`Visitor`] for each thread of a source.
pub trait Visit: Sync {
    /// A visitor of its own for one thread.
    fn visitor(&self) -> Box<dyn Visitor + '_>;
}

/// What a source tells the thread's visitor. Paths are bytes as in [`Blob::path`].
pub trait Visitor: Send {
    /// Whether the file at `path` belongs to the scan; asked before it is opened.
    fn wants(&mut self, path: &[u8]) -> bool;
    /// The last part of `path` is a name to search.
    fn name(&mut self, path: &[u8]);
    /// Something to search.
    fn blob(&mut self, blob: Blob<'_>);
    /// Something that belongs to the scan and cannot be read, for `reason`.
    fn left_out(&mut self, path: &[u8], reason: &str);
    /// Something that is not content: `link`, `fifo`, `socket`, `device`, `git-directory`.
    fn skipped(&mut self, what: &'static str);
}
