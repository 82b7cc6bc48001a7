//! The same opens with the standard library alone, for systems without descriptors of folders.
//!
//! Each part of a path is checked for a link before the open, so a swap between the two is not caught here.

use std::fs::{self, File, Metadata};
use std::io;
use std::path::{Component, Path, PathBuf};

use super::{Entry, Node, OpenError, Opened};

/// A folder, by its path.
#[derive(Debug)]
pub struct Root {
    path: PathBuf,
}

impl Root {
    /// Takes the folder at `path`. Links in `path` itself are followed: the caller chose it.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        if fs::metadata(path).map_err(error)?.is_dir() {
            Ok(Self { path: path.to_owned() })
        } else {
            Err(OpenError::NotFound)
        }
    }

    /// The path the folder was opened by.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens a regular file that is not yet known to be one.
    pub fn file(&self, relative: &Path) -> Result<Opened, OpenError> {
        match self.node(relative)? {
            Node::File => {}
            Node::Link => return Err(OpenError::Link),
            other => return Err(OpenError::NotRegular(other)),
        }
        let file = File::open(self.path.join(relative)).map_err(error)?;
        let bytes = file.metadata().map_err(error)?.len();
        Ok(Opened { file, bytes })
    }

    /// Opens a file that its folder's listing just called regular.
    pub fn regular(&self, relative: &Path) -> Result<Opened, OpenError> {
        self.file(relative)
    }

    /// Takes a folder below this one; an empty path is this one again.
    pub fn folder(&self, relative: &Path) -> Result<Self, OpenError> {
        if !relative.as_os_str().is_empty() {
            match self.node(relative)? {
                Node::Folder => {}
                Node::Link => return Err(OpenError::Link),
                _ => return Err(OpenError::NotFound),
            }
        }
        Ok(Self { path: self.path.join(relative) })
    }

    /// What `relative` stands for, a link not followed.
    pub fn node(&self, relative: &Path) -> Result<Node, OpenError> {
        let mut path = self.path.clone();
        let mut last = Node::Folder;
        for part in relative.components() {
            if last == Node::Link || !matches!(part, Component::Normal(_) | Component::CurDir) {
                return Err(OpenError::Link);
            }
            path.push(part);
            last = node(&fs::symlink_metadata(&path).map_err(error)?);
        }
        Ok(last)
    }

    /// The names in this folder in no order, `entries_max` of them at most.
    pub fn entries(&self, entries_max: usize) -> Result<Vec<Entry>, OpenError> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(error)?.take(entries_max) {
            let entry = entry.map_err(error)?;
            let is_folder = entry.file_type().map_err(error)?.is_dir();
            entries.push(Entry { name: entry.file_name().into_encoded_bytes(), is_folder });
        }
        Ok(entries)
    }
}

fn node(metadata: &Metadata) -> Node {
    if metadata.is_file() {
        Node::File
    } else if metadata.is_dir() {
        Node::Folder
    } else if metadata.is_symlink() {
        Node::Link
    } else {
        Node::Device
    }
}

fn error(error: io::Error) -> OpenError {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => OpenError::NotFound,
        io::ErrorKind::PermissionDenied => OpenError::Permission,
        _ => OpenError::Io(error),
    }
}
