//! Keys that were there before a change, and that the change brought into clients without touching them.
//!
//! A manifest, the settings of a bundler or an import elsewhere can do that. Only about keys that reach a client now is
//! the older side asked, and only for the files they stand in.

use super::Place;
use super::past::{Mark, Past};
use super::walk::walk;
use crate::finding::Finding;
use crate::scan::{Options, Scope, Shared};
use anyhow::Result;

/// Which of `findings`, each with the path of its file from the top of the repository, reach a client now while the older
/// side of the range that `options` ask for has the same key at that path in no client. Those it does not have are no
/// matter of this: what a range adds is told by the range itself.
///
/// # Errors
/// No repository, or an end of the range that is not in it.
pub fn brought_into_clients(options: &Options, findings: &[(Vec<u8>, &Finding)]) -> Result<Vec<bool>> {
    let nothing = || Ok(vec![false; findings.len()]);
    let Scope::Range(change, range) = &options.scope else { return nothing() };
    let reaches = |finding: &Finding| Mark::of(finding).in_client;
    if !findings.iter().any(|(_, finding)| reaches(finding)) {
        return nothing();
    }
    let shared = Shared::new(options)?;
    let place = Place::open(&shared, change)?;
    let ends = place.ends(range)?;
    let old = if range.from.is_some() {
        place.trees_before(&ends, &walk(&place, &ends.rights, &ends.lefts))
    } else {
        Vec::new()
    };
    let facts = place.facts();
    let mut past = Past::new(&place, &facts);
    let mut held = |path: &[u8], wanted: &Mark| {
        let archive = memchr::memmem::find(path, b"!/").map_or(path, |end| &path[..end]);
        old.iter().any(|&tree| past.holds(tree, path, wanted) || past.holds(tree, archive, wanted))
    };
    let mut is_brought = |path: &[u8], finding: &Finding| {
        reaches(finding) && held(path, &Mark::anywhere(finding.fingerprint())) && !held(path, &Mark::of(finding))
    };
    Ok(findings.iter().map(|(path, finding)| is_brought(path, finding)).collect())
}
