//! Gathers what surrounds a file: the names in the folders above it, and the manifests among them.
//!
//! Only regular files are read, each within bounds; whatever else is there is simply absent. What a manifest says
//! about a side is not judged here.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use bstr::ByteSlice;

use crate::path::encode;
use crate::side::{Facts, Folder, TreeView, Wanted};
use crate::source::open::{Entry, OpenError, Root};

/// Folders nearer than this to a file are looked at, and the top.
const FOLDERS_MAX: usize = 64;
const NAMES_MAX: usize = 2_000;
/// All are read before they are sorted and cut, so that the order of the disk does not show.
const ENTRIES_MAX: usize = 200_000;
const MANIFESTS_MAX: usize = 64;
const MANIFEST_BYTES_MAX: u64 = 1 << 20;
/// Of one folder's manifests together.
const FOLDER_BYTES_MAX: usize = 8 << 20;
/// Of all that is remembered.
const CACHE_BYTES_MAX: usize = 256 << 20;

/// The facts of one tree, each folder read once.
pub struct FolderFacts {
    top: Root,
    wanted: Arc<dyn Wanted>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    folders: HashMap<Vec<u8>, Arc<Folder>>,
    bytes: usize,
}

impl FolderFacts {
    /// The tree below `top`, with the manifests that `wanted` names.
    pub fn new(top: &Path, wanted: Arc<dyn Wanted>) -> Result<Self, OpenError> {
        Ok(Self { top: Root::open(top)?, wanted, known: Mutex::default() })
    }

    /// The folders from `folder` up to the top, nearest first.
    ///
    /// `folder` is a path below the top, bytes with `/` between its parts and none at the end; the top is empty.
    pub fn facts(&self, folder: &[u8]) -> Facts {
        let above = memchr::memrchr_iter(b'/', folder).map(|slash| &folder[..slash]);
        let mut folders: Vec<_> = std::iter::once(folder)
            .chain(above)
            .filter(|path| !path.is_empty())
            .take(FOLDERS_MAX)
            .map(|path| self.folder(path))
            .collect();
        folders.push(self.folder(b""));
        Facts { folders }
    }

    fn folder(&self, path: &[u8]) -> Arc<Folder> {
        if let Some(folder) = self.known.lock().unwrap_or_else(PoisonError::into_inner).folders.get(path) {
            return Arc::clone(folder);
        }
        let folder = Arc::new(self.read(path));
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.bytes += path.len() + weight(&folder);
        if known.bytes > CACHE_BYTES_MAX {
            *known = Known::default();
        }
        known.folders.insert(path.to_vec(), Arc::clone(&folder));
        folder
    }

    fn read(&self, path: &[u8]) -> Folder {
        let mut folder = Folder { path: encode(path), ..Folder::default() };
        let Ok(root) = path.to_path().map_err(|_| OpenError::NotFound).and_then(|path| self.top.folder(path)) else {
            return folder;
        };
        let mut entries = root.entries(ENTRIES_MAX).unwrap_or_default();
        entries.sort_unstable();
        folder.manifests = self.manifests(&root, &entries);
        folder.names = entries.iter().take(NAMES_MAX).map(name).collect();
        folder
    }

    fn manifests(&self, root: &Root, entries: &[Entry]) -> Vec<(String, Vec<u8>)> {
        let direct = entries.iter().filter(|entry| !entry.is_folder).filter_map(|entry| entry.name.to_str().ok());
        let direct = direct.filter(|name| self.wanted.is_manifest(name));
        let nested = self.wanted.nested().iter().map(String::as_str);
        let mut manifests = Vec::new();
        let mut bytes = 0;
        for name in direct.chain(nested) {
            let Ok(Some(text)) = root.read_bounded(Path::new(name), MANIFEST_BYTES_MAX) else { continue };
            bytes += text.len();
            if manifests.len() == MANIFESTS_MAX || bytes > FOLDER_BYTES_MAX {
                break;
            }
            manifests.push((name.to_owned(), text));
        }
        manifests.sort_unstable();
        manifests.dedup_by(|one, other| one.0 == other.0);
        manifests
    }
}

impl TreeView for FolderFacts {
    fn read(&self, path: &str, bytes_max: usize) -> Option<Vec<u8>> {
        self.top.read_bounded(Path::new(path), bytes_max as u64).ok().flatten()
    }

    fn list(&self, folder: &str) -> Vec<String> {
        let entries = self.top.folder(Path::new(folder)).and_then(|folder| folder.entries(ENTRIES_MAX));
        let to_name = |entry: Entry| Some(String::from_utf8(entry.name).ok()? + if entry.is_folder { "/" } else { "" });
        let mut names: Vec<String> = entries.unwrap_or_default().into_iter().filter_map(to_name).collect();
        names.sort_unstable();
        names
    }

    fn facts(&self, folder: &str) -> Facts {
        Self::facts(self, folder.as_bytes())
    }
}

fn name(entry: &Entry) -> String {
    let mut name = encode(&entry.name);
    if entry.is_folder {
        name.push('/');
    }
    name
}

/// About how many bytes a folder takes.
fn weight(folder: &Folder) -> usize {
    let names: usize = folder.names.iter().map(|name| name.len() + size_of::<String>()).sum();
    let manifests: usize = folder.manifests.iter().map(|(name, text)| name.len() + text.len()).sum();
    names + manifests
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use std::fs;

    struct Packages(Vec<String>);

    impl Wanted for Packages {
        fn is_manifest(&self, name: &str) -> bool {
            name.strip_suffix(".json").is_some()
        }

        fn nested(&self) -> &[String] {
            &self.0
        }
    }

    #[test]
    fn folders_come_nearest_first_with_their_manifests() {
        let home = tempfile::tempdir().unwrap();
        let top = home.path();
        fs::create_dir_all(top.join("app/src/main")).unwrap();
        fs::write(top.join("package.json"), "{}").unwrap();
        fs::write(top.join("app/b.json"), "1").unwrap();
        fs::write(top.join("app/large.json"), " ".repeat(1 << 20) + " ").unwrap();
        fs::write(top.join("app/src/main/A.xml"), "2").unwrap();
        std::os::unix::fs::symlink("b.json", top.join("app/a.json")).unwrap();
        std::os::unix::fs::symlink("app", top.join("link")).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(top.join("app/c.json")).status().unwrap().success());
        let wanted = Arc::new(Packages(vec!["src/main/A.xml".to_owned()]));
        let facts = FolderFacts::new(top, wanted).unwrap();
        let found = facts.facts(b"app/src");
        let paths: Vec<_> = found.folders.iter().map(|folder| folder.path.as_str()).collect();
        assert_eq!(paths, ["app/src", "app", ""]);
        assert_eq!(found.folders[0].names, ["main/"]);
        assert_eq!(found.folders[1].names, ["a.json", "b.json", "c.json", "large.json", "src/"]);
        let manifests: Vec<_> = found.folders[1].manifests.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(manifests, ["b.json", "src/main/A.xml"]);
        assert_eq!(found.folders[2].manifest("package.json").unwrap(), b"{}");
        assert!(Arc::ptr_eq(&found.folders[1], &facts.facts(b"app").folders[0]));
        assert_eq!(facts.facts(b"").folders.len(), 1);
        assert!(facts.facts(b"link").folders[0].names.is_empty());
        assert!(facts.facts(b"none/x").folders[0].names.is_empty());
    }

    #[test]
    fn thousands_of_levels_are_cut() {
        let home = tempfile::tempdir().unwrap();
        let facts =
            FolderFacts::new(home.path(), Arc::new(Packages(vec![]))).map(|facts| facts.facts(&b"d/".repeat(9_000)));
        assert_eq!(facts.unwrap().folders.len(), FOLDERS_MAX + 1);
    }
}
