//! Whether git would ignore a path: `.gitignore` files from the top down, then `info/exclude`.
//!
//! The user's own excludes are not read. Where a file of patterns is too large, or matching costs too much,
//! nothing is ignored, since an ignored file is judged more mildly.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use bstr::ByteSlice;

use super::pattern::{Candidate, Pattern};
use crate::source::open::{OpenError, Root};

const BYTES_MAX: u64 = 1 << 20;
const DEPTH_MAX: usize = 256;
/// Some milliseconds of matching; a path among 500 ordinary patterns takes under a thousandth of it.
const STEPS_MAX: u64 = 8_000_000;

/// Patterns of one file, in its order; `None` where they could not be read.
type Patterns = Option<Arc<Vec<Pattern>>>;

/// The ignore files of one working tree, read as they are asked for.
#[derive(Debug)]
pub struct Ignored {
    folders: Mutex<HashMap<Vec<u8>, Patterns>>,
    exclude: Patterns,
    fold: bool,
}

impl Ignored {
    /// Reads `info/exclude` of the git directory `common`; `fold` ignores the case of ASCII letters.
    pub fn new(common: &Root, fold: bool) -> Self {
        Self { folders: Mutex::default(), exclude: read(common, Path::new("info/exclude")), fold }
    }

    /// Whether `path` below `top`, or a folder it lies in, is ignored.
    pub fn contains(&self, top: &Root, path: &[u8], is_folder: bool) -> bool {
        let mut steps = STEPS_MAX;
        let ends = memchr::memchr_iter(b'/', path).chain([path.len()]);
        if path.is_empty() || ends.clone().count() > DEPTH_MAX {
            return false;
        }
        for end in ends {
            let is_folder = is_folder || end < path.len();
            match self.decide(top, &path[..end], is_folder, &mut steps) {
                // Nothing in an ignored folder can be taken back.
                Some(true) => return true,
                Some(false) => {}
                None => return false,
            }
        }
        false
    }

    /// The last matching line of the deepest file decides; `None` where that cannot be said.
    fn decide(&self, top: &Root, path: &[u8], is_folder: bool, steps: &mut u64) -> Option<bool> {
        let starts = memchr::memrchr_iter(b'/', path).map(|slash| slash + 1).chain([0]);
        for start in starts {
            let patterns = self.patterns(top, &path[..start])?;
            let candidate = Candidate { path: &path[start..], is_folder, fold: self.fold };
            match last_match(&patterns, &candidate, steps) {
                Verdict::Ignored => return Some(true),
                Verdict::Kept => return Some(false),
                Verdict::Silent => {}
                Verdict::Unknown => return None,
            }
        }
        let candidate = Candidate { path, is_folder, fold: self.fold };
        match last_match(self.exclude.as_ref()?, &candidate, steps) {
            Verdict::Unknown => None,
            verdict => Some(verdict == Verdict::Ignored),
        }
    }

    /// The patterns of the folder, which is empty or ends in a slash.
    fn patterns(&self, top: &Root, folder: &[u8]) -> Patterns {
        let mut folders = self.folders.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = folders.get(folder) {
            return known.clone();
        }
        let file = [folder, b".gitignore"].concat();
        let patterns = file.to_path().ok().and_then(|file| read(top, file));
        folders.insert(folder.to_vec(), patterns.clone());
        patterns
    }
}

/// What one file of patterns says.
#[derive(PartialEq, Eq)]
enum Verdict {
    Ignored,
    Kept,
    Silent,
    /// The budget ran out.
    Unknown,
}

fn last_match(patterns: &[Pattern], candidate: &Candidate<'_>, steps: &mut u64) -> Verdict {
    for pattern in patterns.iter().rev() {
        match pattern.matches(candidate, steps) {
            Some(true) if pattern.negated => return Verdict::Kept,
            Some(true) => return Verdict::Ignored,
            Some(false) => {}
            None => return Verdict::Unknown,
        }
    }
    Verdict::Silent
}

/// A link or special file counts as absent, as it does for git; anything else that fails cannot be judged.
fn read(root: &Root, file: &Path) -> Patterns {
    let bytes = match root.read_bounded(file, BYTES_MAX) {
        Ok(bytes) => bytes.unwrap_or_default(),
        Err(OpenError::Link | OpenError::NotRegular(_)) => Vec::new(),
        Err(_) => return None,
    };
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let lines = text.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    Some(Arc::new(lines.filter_map(Pattern::parse).collect()))
}
