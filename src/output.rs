//! Where a report goes: standard output, or a file that is replaced whole or not at all.
//!
//! Knows nothing of what is written.

use anyhow::{Context as _, Result, bail};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// Where a report goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// Standard output; a reader that goes away early is no fault.
    Stdout,
    /// A file, mode 0600.
    File(PathBuf),
}

impl Destination {
    /// Fails early where writing will fail, so that no long scan ends in nothing.
    pub fn check(&self) -> Result<()> {
        let Self::File(path) = self else { return Ok(()) };
        let folder = folder_of(path);
        if !folder.is_dir() {
            bail!("{}: the report cannot be written, because {} is not a folder", path.display(), folder.display());
        }
        match path.symlink_metadata() {
            Ok(about) if about.is_symlink() => {
                bail!("{}: the report is not written through a link; name the file it leads to", path.display())
            }
            Ok(about) if !about.is_file() => {
                bail!("{}: the report is not written over something that is no regular file", path.display())
            }
            _ => Ok(()),
        }
    }

    /// Writes what `write` gives.
    pub fn write(&self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
        match self {
            Self::Stdout => to_stdout(write),
            Self::File(path) => {
                to_file(path, write).with_context(|| format!("{}: the report could not be written", path.display()))
            }
        }
    }
}

/// Puts `bytes` behind what the file at `path` holds, as a CI runner asks for it.
pub fn append(path: &Path, bytes: &[u8]) -> Result<()> {
    let opened = std::fs::OpenOptions::new().append(true).create(true).open(path);
    let written = opened.and_then(|mut file| file.write_all(bytes));
    written.with_context(|| format!("{}: could not be written", path.display()))
}

fn to_stdout(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    match write(&mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.context("standard output: the report could not be written"),
    }
}

fn to_file(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
    Destination::File(path.into()).check()?;
    // The crate creates it with mode 0600 and removes it again if anything below fails.
    let file = tempfile::Builder::new().prefix(".ansalint-").tempfile_in(folder_of(path))?;
    let mut out = BufWriter::new(file);
    write(&mut out)?;
    let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
