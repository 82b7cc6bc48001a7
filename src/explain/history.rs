//! The commands that clean a repository's history of the findings of one report.
//!
//! Objects are dropped by their names, so no command and no file holds a key. Names from the report are quoted for a
//! shell, and left out where quoting would not make them safe to paste.

use crate::finding::{Finding, History};
use std::collections::{BTreeMap, BTreeSet};

/// Refs and blobs that are written out.
const LISTED_MAX: usize = 200;

/// What to run for `findings`, line by line; nothing where none of them is in history.
pub fn commands(findings: &[&Finding]) -> Vec<String> {
    let past: Vec<(&Finding, &History)> =
        findings.iter().filter_map(|finding| Some((*finding, finding.history.as_ref()?))).collect();
    if past.is_empty() {
        return Vec::new();
    }
    let places = past.iter().flat_map(|(finding, _)| &finding.places);
    let objects: BTreeSet<&str> = places.filter_map(|place| place.blob.as_deref()).filter(|id| is_hex(id)).collect();
    let texts: BTreeSet<&str> = past.iter().filter_map(|(finding, _)| text_of(finding)).collect();
    let blobs: Vec<&&str> = objects.iter().filter(|id| !texts.contains(**id)).collect();
    let mut lines = Vec::new();
    if !blobs.is_empty() {
        lines.push("git clone --mirror \"$(git remote get-url origin)\" repository.git && cd repository.git".into());
        lines.push(format!("printf '%s\\n' {} > blobs.txt", some(&blobs, |id| (**id).to_owned())));
        lines.push("git filter-repo --sensitive-data-removal --strip-blobs-with-ids blobs.txt".into());
    }
    for text in texts.iter().take(LISTED_MAX) {
        lines.push(format!(
            "# reword {text}: git rebase --interactive {text}^   (a tag: git tag --force --annotate NAME)"
        ));
    }
    let mut refs: BTreeMap<&str, bool> = BTreeMap::new();
    for name in past.iter().flat_map(|(_, history)| &history.refs) {
        refs.insert(name, quoted(name).is_some());
    }
    lines.extend(refs.iter().take(LISTED_MAX).map(|(name, is_safe)| for_ref(name, *is_safe)));
    let unlisted = past.iter().any(|(_, history)| history.refs_total > history.refs.len() as u64);
    if refs.len() > LISTED_MAX || unlisted {
        lines.push("# and more refs than are listed here: git push --force --mirror origin".into());
    }
    lines.push("git reflog expire --expire=now --all && git gc --prune=now   # here, and in every other clone".into());
    lines
}

/// The commit or tag whose own text holds the key.
fn text_of(finding: &Finding) -> Option<&str> {
    use crate::blob::Origin;
    let is_text = matches!(finding.origin, Origin::Commit | Origin::Tag);
    finding.commit.as_deref().filter(|id| is_text && is_hex(id))
}

fn for_ref(name: &str, is_safe: bool) -> String {
    let Some(quoted) = quoted(name).filter(|_| is_safe) else {
        return "# a ref whose name cannot be pasted safely; see the report".into();
    };
    if name == "refs/stash" {
        return "git stash clear   # or drop the entry that holds it".into();
    }
    if name.starts_with("refs/pull/") || name.starts_with("refs/merge-requests/") {
        return format!("# {quoted}: the host keeps this one; ask its support to remove it");
    }
    if !name.starts_with("refs/") || name.starts_with("refs/remotes/") {
        return format!("# {quoted}: goes with the reflog and the next fetch");
    }
    format!("git push --force origin {quoted}:{quoted}")
}

fn some<T>(all: &[T], word: impl Fn(&T) -> String) -> String {
    let shown: Vec<String> = all.iter().take(LISTED_MAX).map(word).collect();
    shown.join(" ")
}

fn is_hex(text: &str) -> bool {
    (40..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// `text` as one word of a shell; none where it holds what a terminal or shell might act on all the same.
fn quoted(text: &str) -> Option<String> {
    let is_plain = !text.is_empty() && !text.starts_with('-') && !text.chars().any(|one| one.is_control() || one > '~');
    is_plain.then(|| format!("'{}'", text.replace('\'', "'\\''")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_or_left_out() {
        assert_eq!(quoted("refs/heads/a'; rm -rf ~ #").unwrap(), "'refs/heads/a'\\''; rm -rf ~ #'");
        assert!(["", "-x", "a\u{1b}[2J", "a\nb", "a\u{202e}b"].iter().all(|name| quoted(name).is_none()));
        assert_eq!(for_ref("refs/heads/main", true), "git push --force origin 'refs/heads/main':'refs/heads/main'");
        assert!(for_ref("refs/pull/1/head", true).contains("ask its support"));
    }
}
