//! shim
use super::open::Root;
use std::path::Path;
/// shim
pub fn is_git_directory(root: &Root, path: &Path) -> bool {
    root.folder(path).is_ok_and(|git| git.folder(Path::new("objects")).is_ok() && git.file(Path::new("HEAD")).is_ok())
}
