//! From the paths somebody named to trees: which folder each lies in, and how its files are called in a report.
//!
//! It opens folders and reads lists; it opens no file to be scanned.

use crate::source::open::Root;
use crate::source::tree::Tree;
use anyhow::{Context as _, Result, bail};
use bstr::ByteSlice as _;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// The most bytes of a list of files.
const LIST_BYTES_MAX: u64 = 1 << 30;

/// A folder to walk, or some files of one.
pub struct Target {
    /// The folder.
    pub tree: Tree,
    /// Where it is, absolute, with no link in it.
    pub folder: PathBuf,
    /// What reports put before a path in the folder; empty, or ending in `/`.
    pub prefix: Vec<u8>,
    /// The files to visit, relative to the folder; none for all.
    pub files: Option<Vec<PathBuf>>,
}

/// A list of files: one a line, or separated by NULs if it holds any.
#[derive(Clone, Debug)]
pub enum Listing {
    /// On standard input.
    Stdin,
    /// In a file.
    File(PathBuf),
}

impl fmt::Display for Listing {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdin => write!(out, "the list on standard input"),
            Self::File(path) => write!(out, "the list {}", path.display()),
        }
    }
}

/// The targets that `paths` name.
pub fn of_paths(paths: &[PathBuf]) -> Result<Vec<Target>> {
    let here =
        std::env::current_dir().and_then(|path| path.canonicalize()).context("the current folder cannot be read")?;
    let mut folders = BTreeSet::new();
    let mut files: BTreeMap<PathBuf, Vec<PathBuf>> = BTreeMap::new();
    for path in paths {
        let about = path.symlink_metadata().with_context(|| format!("{}: cannot be scanned", path.display()))?;
        if about.is_dir() || path.is_dir() {
            let folder = path.canonicalize().with_context(|| format!("{}: cannot be scanned", path.display()))?;
            folders.insert(folder);
        } else {
            let (folder, file) = split(path, &here)?;
            files.entry(folder).or_default().push(file);
        }
    }
    // A folder below another is walked with it.
    let is_below = |folder: &Path| folder.ancestors().skip(1).any(|above| folders.contains(above));
    let walks = folders.iter().filter(|folder| !is_below(folder)).map(|folder| open(folder, &here, None));
    let singles = files.into_iter().map(|(folder, files)| open(&folder, &here, Some(files)));
    walks.chain(singles).collect()
}

/// The targets that a list names.
pub fn of_listing(listing: &Listing) -> Result<Vec<Target>> {
    let mut bytes = Vec::new();
    let read = match listing {
        Listing::Stdin => std::io::stdin().lock().take(LIST_BYTES_MAX).read_to_end(&mut bytes),
        Listing::File(path) => {
            std::fs::File::open(path).and_then(|file| file.take(LIST_BYTES_MAX).read_to_end(&mut bytes))
        }
    };
    read.with_context(|| format!("{listing} cannot be read"))?;
    let separator = if bytes.contains(&0) { 0 } else { b'\n' };
    let names = bytes.split(|&byte| byte == separator).filter(|name| !name.is_empty());
    let paths =
        names.map(|name| Ok(name.to_path().with_context(|| format!("{listing}: a path in it is no text"))?.to_owned()));
    let paths = paths.collect::<Result<Vec<_>>>()?;
    if paths.is_empty() {
        bail!(
            "nothing to scan: {listing} names 0 files, and a scan of nothing is never clean; scan only where it names some"
        );
    }
    of_paths(&paths)
}

/// The folder a file is visited from, and its path there: the current folder for all that lie below it.
fn split(path: &Path, here: &Path) -> Result<(PathBuf, PathBuf)> {
    let Some(name) = path.file_name() else { bail!("{}: not a file or folder", path.display()) };
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let parent = parent.canonicalize().with_context(|| format!("{}: cannot be scanned", path.display()))?;
    Ok(match parent.strip_prefix(here) {
        Ok(below) => (here.to_owned(), below.join(name)),
        Err(_) => (parent.clone(), name.into()),
    })
}

fn open(folder: &Path, here: &Path, files: Option<Vec<PathBuf>>) -> Result<Target> {
    let root = Root::open(folder).map_err(|error| anyhow::anyhow!("{}: {error}", folder.display()))?;
    let is_git = folder.file_name().is_some_and(|name| name == ".git");
    if is_git && crate::source::repository::is_git_directory(&root, Path::new("")) {
        bail!(
            "{} is a git directory, which `ansalint history` reads; name the folder above it to scan files",
            folder.display()
        );
    }
    let below = folder.strip_prefix(here).unwrap_or(Path::new(""));
    let mut prefix = below.as_os_str().as_encoded_bytes().to_vec();
    if !prefix.is_empty() {
        prefix.push(b'/');
    }
    Ok(Target { tree: Tree::new(root), folder: folder.to_owned(), prefix, files })
}
