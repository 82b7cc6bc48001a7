//! Opens files below a folder so that nothing in the folder can misdirect, block or exhaust the reader.
//!
//! No symbolic link below the folder is followed, no FIFO waited for, no device opened.
//! It does not walk, and it does not say what a file means.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

#[cfg(not(unix))]
mod portable;
#[cfg(unix)]
mod unix;

#[cfg(not(unix))]
pub use portable::Root;
#[cfg(unix)]
pub use unix::Root;

/// What a name in a folder stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Node {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link.
    Link,
    /// A named pipe.
    Fifo,
    /// A socket.
    Socket,
    /// A block or character device, or anything else.
    Device,
}

/// Why a file was not opened.
#[derive(Debug)]
pub enum OpenError {
    /// Nothing of that name, or a part of the path before the last is no folder.
    NotFound,
    /// The path, or a part of it, is a symbolic link, or it leads out of the root.
    Link,
    /// There is something, but not what was asked for.
    NotRegular(Node),
    /// The system refused.
    Permission,
    /// More bytes than the caller's bound.
    TooLarge,
    /// Anything else.
    Io(io::Error),
}

impl std::fmt::Display for OpenError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::NotFound => "not found",
            Self::Link => "a symbolic link, which is not followed",
            Self::NotRegular(Node::Folder) => "a folder",
            Self::NotRegular(Node::Fifo) => "a FIFO",
            Self::NotRegular(Node::Socket) => "a socket",
            Self::NotRegular(Node::Device) => "a device",
            Self::NotRegular(Node::File | Node::Link) => "not a folder",
            Self::Permission => "permission denied",
            Self::TooLarge => "too large",
            Self::Io(error) => return error.fmt(formatter),
        })
    }
}

impl std::error::Error for OpenError {}

/// A regular file, open for reading.
#[derive(Debug)]
pub struct Opened {
    /// The file, at its start.
    pub file: File,
    /// Its size when it was opened.
    pub bytes: u64,
}

/// One name in a folder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// The name, without a slash.
    pub name: Vec<u8>,
    /// Whether it is a folder; a link to one is not.
    pub is_folder: bool,
}

impl Root {
    /// All of a small file: `None` where there is nothing of that name, [`OpenError::TooLarge`] over `bytes_max`.
    pub fn read_bounded(&self, relative: &Path, bytes_max: u64) -> Result<Option<Vec<u8>>, OpenError> {
        let opened = match self.file(relative) {
            Ok(opened) => opened,
            Err(OpenError::NotFound) => return Ok(None),
            Err(error) => return Err(error),
        };
        if opened.bytes > bytes_max {
            return Err(OpenError::TooLarge);
        }
        let mut bytes = Vec::with_capacity(usize::try_from(opened.bytes).unwrap_or(0));
        // One byte more than allowed shows a file that grew after it was opened.
        opened.file.take(bytes_max.saturating_add(1)).read_to_end(&mut bytes).map_err(OpenError::Io)?;
        if bytes.len() as u64 > bytes_max {
            return Err(OpenError::TooLarge);
        }
        Ok(Some(bytes))
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
