//! What one thread found, and how the threads' finds become one report.
//!
//! Joining is independent of order: the report is sorted, and one identity is one finding.

use super::Options;
use crate::detect::Class;
use crate::finding::{Finding, Ignored};
use crate::report::{Coverage, LeftOut, Report, Repository};
use std::collections::BTreeMap;

/// The most rejected candidates that are listed one by one.
const IGNORED_LISTED_MAX: usize = 100_000;

/// What one thread found.
#[derive(Default)]
pub(super) struct Batch {
    pub findings: Vec<Finding>,
    pub coverage: Coverage,
    pub ignored_by_class: [u64; Class::ALL.len()],
    pub ignored: Vec<Ignored>,
    /// Things people should know; sorted when the report is made.
    pub remarks: Vec<String>,
    /// Whether something stands in what was read that its path has a say in.
    pub depends_on_path: bool,
    /// Whether there is a repository, which may be empty.
    pub is_repository: bool,
}

impl Batch {
    /// Whether nothing was read and nothing was left out.
    pub fn is_empty(&self) -> bool {
        let coverage = &self.coverage;
        !self.is_repository
            && coverage.files == 0
            && coverage.left_out.is_empty()
            && !coverage.skipped.contains_key("link")
            && self.findings.is_empty()
    }

    /// Adds what another thread found.
    pub fn merge(&mut self, other: Self) {
        self.findings.extend(other.findings);
        self.coverage.files += other.coverage.files;
        self.coverage.bytes += other.coverage.bytes;
        self.coverage.objects += other.coverage.objects;
        self.remarks.extend(other.remarks);
        self.is_repository |= other.is_repository;
        self.depends_on_path |= other.depends_on_path;
        self.coverage.left_out.extend(other.coverage.left_out);
        for (what, count) in other.coverage.skipped {
            *self.coverage.skipped.entry(what).or_default() += count;
        }
        for (sum, count) in self.ignored_by_class.iter_mut().zip(other.ignored_by_class) {
            *sum += count;
        }
        self.ignored.extend(other.ignored);
    }

    pub fn skip(&mut self, what: &str) {
        *self.coverage.skipped.entry(what.into()).or_default() += 1;
    }

    pub fn leave_out(&mut self, path: String, reason: &str) {
        self.coverage.left_out.push(LeftOut { path, reason: reason.into() });
    }

    /// Sorts everything and joins findings of one identity.
    pub fn into_report(mut self, options: &Options, head: Option<String>) -> Report {
        self.coverage.left_out.sort();
        self.coverage.left_out.dedup();
        self.ignored.sort();
        self.ignored.dedup();
        self.ignored.truncate(IGNORED_LISTED_MAX);
        self.remarks.sort();
        self.remarks.dedup();
        let counts = Class::ALL.iter().zip(self.ignored_by_class).filter(|(_, count)| *count > 0);
        Report {
            command: options.scope.command().into(),
            rules_digest: options.rules.digest.clone(),
            repository: Repository { head },
            coverage: self.coverage,
            findings: in_order(join(self.findings)),
            ignored_by_class: counts.map(|(class, count)| (class.as_str().into(), count)).collect(),
            ignored: options.wanted.ignored.then_some(self.ignored),
            remarks: self.remarks,
            ..Report::default()
        }
    }
}

/// In a history, the findings of one key together, that which was introduced first in front; keys likewise.
fn in_order(findings: Vec<Finding>) -> Vec<Finding> {
    if !findings.iter().any(|finding| finding.history.is_some()) {
        return findings;
    }
    let introduced = |finding: &Finding| {
        let event = finding.history.as_ref().and_then(|history| history.introduced.as_ref());
        event.map_or((i64::MAX, u32::MAX), |event| (event.time, event.rank))
    };
    let mut first: BTreeMap<String, (i64, u32)> = BTreeMap::new();
    for finding in &findings {
        let time = introduced(finding);
        first.entry(finding.fingerprint()).and_modify(|known| *known = time.min(*known)).or_insert(time);
    }
    let mut findings = findings;
    findings.sort_by_cached_key(|finding| {
        let fingerprint = finding.fingerprint();
        (first.get(&fingerprint).copied(), fingerprint, introduced(finding))
    });
    findings
}

/// One finding an identity; the most serious says what it is, and all places are kept.
fn join(findings: Vec<Finding>) -> Vec<Finding> {
    let mut joined: BTreeMap<String, Finding> = BTreeMap::new();
    for mut finding in findings {
        match joined.get_mut(&finding.id()) {
            None => drop(joined.insert(finding.id(), finding)),
            Some(known) => {
                let is_new = known.new || finding.new;
                if (finding.level, &known.code) > (known.level, &finding.code) {
                    std::mem::swap(known, &mut finding);
                }
                known.new = is_new;
                if let (Some(known), Some(other)) = (&mut known.history, &finding.history) {
                    known.renew(other);
                }
                // The sides of clients come first.
                known.overruled = known.overruled.into_iter().chain(finding.overruled).min();
                if finding.allowed_inline.is_none() {
                    known.allowed_inline = None;
                }
                known.places.append(&mut finding.places);
                known.places.sort();
                known.places.dedup();
            }
        }
    }
    fold_source_maps(&mut joined);
    let mut findings: Vec<Finding> = joined.into_values().collect();
    findings.sort_by_cached_key(|finding| {
        (finding.path.clone(), finding.places.first().map(|place| place.start), finding.code.clone(), finding.id())
    });
    findings
}

/// A key in a bundle and in its source map is one finding, the bundle's, which tells what the map says.
fn fold_source_maps(joined: &mut BTreeMap<String, Finding>) {
    let maps: Vec<(String, String)> = joined
        .iter()
        .filter_map(|(id, finding)| {
            let path = finding.generated.clone()?;
            let bundle = Finding { path, ..finding.clone() }.id();
            joined.contains_key(&bundle).then(|| (id.clone(), bundle))
        })
        .collect();
    for (map, bundle) in maps {
        if map == bundle {
            continue;
        }
        let Some(map) = joined.remove(&map) else { continue };
        if let Some(bundle) = joined.get_mut(&bundle) {
            bundle.evidence.push(format!("the source map `{}` next to it holds it too", map.path));
            bundle.evidence.extend(map.evidence.into_iter().filter(|told| told.starts_with(super::original::TELLS)));
        }
    }
}
