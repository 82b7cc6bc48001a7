//! The files below a folder, every one: hidden, git-ignored and binary too.
//!
//! The `ignore` crate walks in parallel with all its filters off; what a path cannot name is walked by descriptors.
//! Links are not followed, nothing but regular files is opened, and git directories are left to `history`.

use super::open::{Node, OpenError, Root};
use super::reader::{Buffer, Reader};
use crate::blob::{Blob, Origin, Visit, Visitor, Whole};
use bstr::ByteSlice as _;
use ignore::{DirEntry, WalkBuilder, WalkState};
use rayon::prelude::*;
use std::io;
use std::path::{Path, PathBuf};

/// A folder to scan.
pub struct Tree {
    root: Root,
}

/// One thread's way from a name to its visitor.
struct Scout<'t> {
    root: &'t Root,
    buffer: Buffer,
    visitor: Box<dyn Visitor + 't>,
}

impl Tree {
    /// Opens the folder at `path`; links in `path` itself are followed.
    pub const fn new(root: Root) -> Self {
        Self { root }
    }

    /// Visits everything below the folder with `jobs` threads.
    pub fn walk(&self, jobs: usize, visit: &dyn Visit) {
        let mut builder = WalkBuilder::new(self.root.path());
        let builder = builder.standard_filters(false).follow_links(false).threads(jobs);
        builder.build_parallel().run(|| {
            let mut scout = self.scout(visit);
            Box::new(move |entry| match entry {
                Ok(entry) => scout.entry(&entry),
                Err(error) => {
                    scout.failed(&error);
                    WalkState::Continue
                }
            })
        });
    }

    /// Visits the files at `paths`, relative to the folder, on the current thread pool.
    pub fn files(&self, paths: &[PathBuf], visit: &dyn Visit) {
        paths.par_iter().for_each_init(|| self.scout(visit), |scout, path| scout.unlisted(path));
    }

    fn scout<'t>(&'t self, visit: &'t dyn Visit) -> Scout<'t> {
        Scout { root: &self.root, buffer: Buffer::default(), visitor: visit.visitor() }
    }
}

impl Scout<'_> {
    fn entry(&mut self, entry: &DirEntry) -> WalkState {
        let Ok(relative) = entry.path().strip_prefix(self.root.path()) else { return WalkState::Continue };
        let Some(kind) = entry.file_type().filter(|_| entry.depth() > 0) else { return WalkState::Continue };
        if kind.is_dir() && self.is_git_directory(relative) {
            self.visitor.skipped("git-directory");
            return WalkState::Skip;
        }
        self.name(relative);
        if kind.is_file() {
            self.regular(self.root, relative, relative);
        } else if !kind.is_dir() {
            self.other(relative, self.root.node(relative));
        }
        WalkState::Continue
    }

    /// A path whose kind no listing has told.
    fn unlisted(&mut self, relative: &Path) {
        self.name(relative);
        match self.root.node(relative) {
            Ok(Node::File) => self.regular(self.root, relative, relative),
            other => self.other(relative, other),
        }
    }

    /// What could not be walked by path; folders whose path is too long are walked by descriptor.
    fn failed(&mut self, error: &ignore::Error) {
        let (path, error) = cause(error);
        let Some(path) = path else {
            return self.visitor.left_out(b".", &error.map_or_else(|| "the walk failed".into(), reason));
        };
        let relative = path.strip_prefix(self.root.path()).unwrap_or(path).to_owned();
        match error {
            Some(error) if error.kind() == io::ErrorKind::InvalidFilename => self.deep(relative),
            Some(error) => self.visitor.left_out(shown(&relative), &reason(error)),
            None => self.visitor.left_out(shown(&relative), "the walk failed"),
        }
    }

    /// Walks the folder at `relative` and all below it by descriptors, without recursion.
    fn deep(&mut self, relative: PathBuf) {
        let mut folders = vec![relative];
        while let Some(path) = folders.pop() {
            if self.is_git_directory(&path) {
                self.visitor.skipped("git-directory");
                continue;
            }
            match self.root.folder(&path) {
                Ok(folder) => self.listing(&folder, &path, &mut folders),
                Err(error) => self.visitor.left_out(shown(&path), &error.to_string()),
            }
        }
    }

    /// Visits the files of `folder`, which is at `path`, and adds its folders to `folders`.
    fn listing(&mut self, folder: &Root, path: &Path, folders: &mut Vec<PathBuf>) {
        let mut entries = match folder.entries(usize::MAX) {
            Ok(entries) => entries,
            Err(error) => return self.visitor.left_out(shown(path), &error.to_string()),
        };
        entries.sort();
        for entry in entries {
            let Ok(name) = entry.name.to_path() else { continue };
            let below = path.join(name);
            self.name(&below);
            if entry.is_folder {
                folders.push(below);
                continue;
            }
            match folder.node(name) {
                Ok(Node::File) => self.regular(folder, name, &below),
                other => self.other(&below, other),
            }
        }
    }

    /// Opens the regular file `name` of `folder` and gives it to the visitor as `relative`.
    fn regular(&mut self, folder: &Root, name: &Path, relative: &Path) {
        let path = bytes(relative);
        if !self.visitor.wants(path) {
            return;
        }
        match folder.regular(name) {
            Ok(opened) => {
                let mut windows = Reader::file(opened, &mut self.buffer);
                self.visitor.blob(Blob { origin: Origin::File, path, windows: &mut windows });
            }
            Err(OpenError::NotRegular(node)) => self.other(relative, Ok(node)),
            Err(error) => self.visitor.left_out(path, &error.to_string()),
        }
    }

    /// Counts what is no regular file; of a link, the target text is searched.
    fn other(&mut self, relative: &Path, node: Result<Node, OpenError>) {
        match node {
            Ok(Node::Link) => self.link(relative),
            Ok(Node::Fifo) => self.visitor.skipped("fifo"),
            Ok(Node::Socket) => self.visitor.skipped("socket"),
            Ok(Node::Device) => self.visitor.skipped("device"),
            Ok(Node::File | Node::Folder) => self.visitor.left_out(bytes(relative), "changed while it was read"),
            Err(error) => self.visitor.left_out(bytes(relative), &error.to_string()),
        }
    }

    fn link(&mut self, relative: &Path) {
        let path = bytes(relative);
        if !self.visitor.wants(path) {
            return;
        }
        self.visitor.skipped("link");
        match self.root.link(relative) {
            Ok(target) => {
                let mut windows = Whole::new(&target);
                self.visitor.blob(Blob { origin: Origin::Link, path, windows: &mut windows });
            }
            Err(error) => self.visitor.left_out(path, &error.to_string()),
        }
    }

    /// Searches the name itself.
    fn name(&mut self, relative: &Path) {
        let path = bytes(relative);
        if !self.visitor.wants(path) {
            return;
        }
        self.visitor.name(path);
    }

    fn is_git_directory(&self, relative: &Path) -> bool {
        relative.file_name().is_some_and(|name| name == ".git")
            && super::repository::is_git_directory(self.root, relative)
    }
}

/// The path and the system's error inside `error`.
fn cause(error: &ignore::Error) -> (Option<&Path>, Option<&io::Error>) {
    match error {
        ignore::Error::WithPath { path, err } => (Some(path), cause(err).1),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => cause(err),
        ignore::Error::Io(error) => (None, Some(error)),
        _ => (None, None),
    }
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::PermissionDenied => OpenError::Permission.to_string(),
        io::ErrorKind::NotFound => OpenError::NotFound.to_string(),
        _ => error.to_string(),
    }
}

fn shown(relative: &Path) -> &[u8] {
    if relative.as_os_str().is_empty() { b"." } else { bytes(relative) }
}

fn bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_encoded_bytes()
}
