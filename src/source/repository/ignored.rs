//! Whether git would ignore a path: `.gitignore` files from the top down, then `info/exclude`.
//!
//! The user's own excludes are not read. Where a file of patterns is too large, or holds what cannot be trusted,
//! nothing is ignored, since an ignored file is judged more mildly.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use bstr::ByteSlice;

use super::pattern::{Patterns, Verdict};
use crate::source::open::{OpenError, Root};

const BYTES_MAX: u64 = 1 << 18;
const DEPTH_MAX: usize = 256;

/// Patterns of one file; `None` where they decide nothing.
type Known = Option<Arc<Patterns>>;

/// The ignore files of one working tree, read as they are asked for.
#[derive(Debug)]
pub struct Ignored {
    folders: Mutex<HashMap<Vec<u8>, Known>>,
    exclude: Known,
    fold: bool,
}

impl Ignored {
    /// Reads `info/exclude` of the git directory `common`; `fold` ignores the case of ASCII letters.
    pub fn new(common: &Root, fold: bool) -> Self {
        Self { folders: Mutex::default(), exclude: read(common, Path::new("info/exclude"), fold), fold }
    }

    /// Whether `path` below `top`, or a folder it lies in, is ignored.
    pub fn contains(&self, top: &Root, path: &[u8], is_folder: bool) -> bool {
        let ends = memchr::memchr_iter(b'/', path).chain([path.len()]);
        if path.is_empty() || ends.clone().count() > DEPTH_MAX {
            return false;
        }
        for end in ends {
            let is_folder = is_folder || end < path.len();
            match self.decide(top, &path[..end], is_folder) {
                // Nothing in an ignored folder can be taken back.
                Some(true) => return true,
                Some(false) => {}
                None => return false,
            }
        }
        false
    }

    /// The last matching line of the deepest file decides; `None` where that cannot be said.
    fn decide(&self, top: &Root, path: &[u8], is_folder: bool) -> Option<bool> {
        let starts = memchr::memrchr_iter(b'/', path).map(|slash| slash + 1).chain([0]);
        for start in starts {
            let patterns = self.patterns(top, &path[..start])?;
            match patterns.decide(path[start..].to_path().ok()?, is_folder) {
                Verdict::Ignored => return Some(true),
                Verdict::Kept => return Some(false),
                Verdict::Silent => {}
            }
        }
        Some(self.exclude.as_ref()?.decide(path.to_path().ok()?, is_folder) == Verdict::Ignored)
    }

    /// The patterns of the folder, which is empty or ends in a slash.
    fn patterns(&self, top: &Root, folder: &[u8]) -> Known {
        let mut folders = self.folders.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = folders.get(folder) {
            return known.clone();
        }
        let file = [folder, b".gitignore"].concat();
        let patterns = file.to_path().ok().and_then(|file| read(top, file, self.fold));
        folders.insert(folder.to_vec(), patterns.clone());
        patterns
    }
}

/// A link or special file counts as absent, as it does for git; anything else that fails cannot be judged.
fn read(root: &Root, file: &Path, fold: bool) -> Known {
    let bytes = match root.read_bounded(file, BYTES_MAX) {
        Ok(bytes) => bytes.unwrap_or_default(),
        Err(OpenError::Link | OpenError::NotRegular(_)) => Vec::new(),
        Err(_) => return None,
    };
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    Patterns::parse(text, fold).map(Arc::new)
}
