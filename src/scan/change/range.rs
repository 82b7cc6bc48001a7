//! A range of commits: from its text to where it starts and ends.

use super::added::Ends;
use super::{ChangeOptions, Place};
use crate::null_id::is_null_id;
use crate::scan::Shared;
use crate::source::repository::{Refs, Resolved, resolve};
use anyhow::{Result, bail};

/// Which commits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    /// Where it starts, exclusive; none for everything that leads to its end.
    pub from: Option<String>,
    /// Where it ends.
    pub to: String,
    /// Whether it starts where the two parted instead.
    pub is_symmetric: bool,
}

impl Range {
    /// Of `A..B` or `A...B`, in which an absent side is `HEAD` and one of zeros is nothing.
    pub fn parse(text: &str) -> Option<Self> {
        let (from, to, is_symmetric) = match text.split_once("...") {
            Some((from, to)) => (from, to, true),
            None => text.split_once("..").map(|(from, to)| (from, to, false))?,
        };
        let or_head = |text: &str| if text.is_empty() { "HEAD".to_owned() } else { text.to_owned() };
        let from = if is_null_id(from) { None } else { Some(or_head(from)) };
        Some(Self { from, to: or_head(to), is_symmetric })
    }
}

/// Scans a range; gives the commit at its end.
///
/// # Errors
/// No repository, or an end of the range that is not in it.
pub(in crate::scan) fn run(shared: &Shared<'_>, options: &ChangeOptions, range: &Range) -> Result<Option<String>> {
    let place = Place::open(shared, options)?;
    if is_null_id(&range.to) {
        // A branch that is deleted adds nothing.
        return Ok(None);
    }
    let ends = place.ends(range)?;
    let end = ends.rights.first().map(|commit| commit.to_hex().to_string());
    place.scan(&ends)?;
    Ok(end)
}

impl Place<'_> {
    /// Where `range` starts and ends.
    ///
    /// # Errors
    /// An end of it that is not here.
    pub(super) fn ends(&self, range: &Range) -> Result<Ends> {
        let refs = self.checkout.refs();
        let right = self.commit(&range.to, &refs)?;
        let left = range.from.as_deref().map(|name| self.commit(name, &refs)).transpose()?.map(|left| left.commit);
        let lefts: Vec<_> = left.into_iter().collect();
        let old = if range.is_symmetric { Vec::new() } else { lefts.clone() };
        Ok(Ends { rights: vec![right.commit], tags: right.tags, lefts, old })
    }

    /// The commit that `name` stands for.
    ///
    /// # Errors
    /// None that is here; it says what to fetch.
    pub(super) fn commit(&self, name: &str, refs: &Refs) -> Result<Resolved> {
        resolve(name, refs, &self.objects).or_else(|reason| bail!("{name}: {reason}; {}", advice(name)))
    }
}

/// What to do about a commit that is not here.
fn advice(name: &str) -> String {
    let deepen = "set `fetch-depth: 0` where the repository is checked out, or `git fetch --unshallow`";
    if name.contains("@{") || name.contains(":/") || name.contains("..") {
        return "this notation is not read; name a ref or a commit".into();
    }
    if name.contains(['~', '^']) || name == "HEAD" || name == "@" {
        return deepen.into();
    }
    let below = name.strip_prefix("refs/remotes/").unwrap_or(name);
    let branch = below.strip_prefix("origin/").unwrap_or(below);
    let branch = branch.strip_prefix("refs/heads/").unwrap_or(branch);
    format!("fetch it first (`git fetch origin {branch}`), or {deepen}")
}
