//! Whether one of some files that went became one of some files that came, as git's own rename detection has it.
//!
//! libgit2 compares contents it is given, in a store in memory: no repository of anybody is opened.

use git2::{DiffFindOptions, DiffOptions, Odb, Oid, Repository};

/// Files larger than this are not compared.
const FILE_BYTES_MAX: usize = 16 << 20;
/// Files on either side.
const FILES_MAX: usize = 1_000;

/// For each of `came`, the number of the one of `gone` that it was renamed from.
pub fn renames(gone: &[&[u8]], came: &[&[u8]]) -> Vec<Option<usize>> {
    find(gone, came).unwrap_or_else(|_| vec![None; came.len()])
}

fn find(gone: &[&[u8]], came: &[&[u8]]) -> Result<Vec<Option<usize>>, git2::Error> {
    let mut found = vec![None; came.len()];
    let odb = Odb::new()?;
    odb.add_new_mempack_backend(1)?;
    let repository = Repository::from_odb(odb)?;
    let old = tree(&repository, "gone", gone)?;
    let new = tree(&repository, "came", came)?;
    let (old, new) = (repository.find_tree(old)?, repository.find_tree(new)?);
    let mut diff = repository.diff_tree_to_tree(Some(&old), Some(&new), Some(&mut DiffOptions::new()))?;
    diff.find_similar(Some(DiffFindOptions::new().renames(true).rename_limit(FILES_MAX)))?;
    for delta in diff.deltas().filter(|delta| delta.status() == git2::Delta::Renamed) {
        let number =
            |file: git2::DiffFile<'_>, stem: &str| file.path()?.to_str()?.strip_prefix(stem)?.parse::<usize>().ok();
        if let (Some(from), Some(to)) = (number(delta.old_file(), "gone"), number(delta.new_file(), "came"))
            && let Some(slot) = found.get_mut(to)
        {
            *slot = Some(from);
        }
    }
    Ok(found)
}

/// A tree with `files`, named by number.
fn tree(repository: &Repository, stem: &str, files: &[&[u8]]) -> Result<Oid, git2::Error> {
    let mut builder = repository.treebuilder(None)?;
    for (number, file) in files.iter().enumerate().take(FILES_MAX) {
        if file.len() <= FILE_BYTES_MAX {
            let blob = repository.blob(file)?;
            builder.insert(format!("{stem}{number}"), blob, 0o100_644)?;
        }
    }
    builder.write()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edit_is_a_rename_and_a_key_alone_is_not() {
        let lines: Vec<String> = (0..50).map(|line| format!("line {line} of a file")).collect();
        let lines = lines.join("\n");
        let edited = lines.replace("line 7 ", "line seven ");
        let other = "nothing of the kind\n".repeat(50);
        let found = renames(&[other.as_bytes(), lines.as_bytes()], &[edited.as_bytes(), b"line 1 of a file\n"]);
        assert_eq!(found, [Some(1), None]);
        assert_eq!(renames(&[], &[b"a"]), [None]);
    }
}
