//! Other folders of objects that a store names: read where they lie below the root, or where it is asked for.

use crate::source::open::Root;
use bstr::ByteSlice as _;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const FILE_BYTES_MAX: u64 = 1 << 20;
const ALTERNATES_MAX: usize = 100;

/// Which alternates may be read.
pub struct Allowed<'r> {
    /// Those below this folder, which has no link in it.
    pub root: &'r Path,
    /// All others too.
    pub outside: bool,
}

/// `objects` with the alternates that may be read, and why others are not; each is a path and a reason.
pub fn with_alternates(objects: Root, allowed: &Allowed<'_>) -> (Vec<Root>, Vec<(String, String)>) {
    let mut known = BTreeSet::from([real(objects.path())]);
    let mut folders = vec![objects];
    let mut faults = Vec::new();
    let mut at = 0;
    while let Some(folder) = folders.get(at) {
        at += 1;
        let text = match folder.read_bounded(Path::new("info/alternates"), FILE_BYTES_MAX) {
            Ok(text) => text.unwrap_or_default(),
            Err(error) => {
                faults.push(("objects/info/alternates".into(), error.to_string()));
                continue;
            }
        };
        let base = folder.path().to_owned();
        for named in text.lines().filter_map(named) {
            let path = real(&base.join(named));
            if !known.insert(path.clone()) {
                continue;
            }
            if known.len() > ALTERNATES_MAX {
                faults.push(("objects/info/alternates".into(), "too many alternates".into()));
                return (folders, faults);
            }
            let opened = if path.starts_with(allowed.root) || allowed.outside {
                Root::open(&path).map_err(|error| format!("an alternate object store: {error}"))
            } else {
                Err("an object store outside the repository, read only with --follow-alternates".into())
            };
            match opened {
                Ok(folder) => folders.push(folder),
                Err(reason) => faults.push(("objects/info/alternates".into(), reason)),
            }
        }
    }
    (folders, faults)
}

/// The path in a line of the file.
fn named(line: &[u8]) -> Option<&Path> {
    let line = line.trim_end_with(|end| end == '\r');
    if line.is_empty() || line.starts_with(b"#") {
        return None;
    }
    line.strip_prefix(b"\"").and_then(|line| line.strip_suffix(b"\"")).unwrap_or(line).to_path().ok()
}

fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}
