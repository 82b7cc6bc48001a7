//! Joins several reports into one: a tree and its history, or the parts of one scan.
//!
//! One identity stays one finding. What counts in one report counts in the whole.

use super::{Report, Repository};
use crate::finding::Finding;
use std::collections::{BTreeMap, BTreeSet};

/// All of `reports` as one; none where there is none.
pub fn join(reports: Vec<Report>) -> Option<Report> {
    let mut reports = reports.into_iter();
    let mut joined = reports.next()?;
    let mut commands = BTreeSet::from([joined.command.clone()]);
    for report in reports {
        commands.insert(report.command.clone());
        add(&mut joined, report);
    }
    joined.command = commands.into_iter().collect::<Vec<_>>().join("+");
    let counting: BTreeSet<String> = joined.findings.iter().map(Finding::id).collect();
    joined.suppressed.retain(|one| !counting.contains(&one.finding.id()));
    joined.suppressed.sort_by_cached_key(|one| order(&one.finding));
    joined.suppressed.dedup_by_key(|one| one.finding.id());
    joined.coverage.left_out.sort();
    joined.coverage.left_out.dedup();
    joined.coverage.accepted.sort();
    joined.coverage.accepted.dedup();
    joined.remarks.sort();
    joined.remarks.dedup();
    Some(joined)
}

fn add(joined: &mut Report, report: Report) {
    if joined.repository.head != report.repository.head {
        joined.repository = Repository::default();
        joined.remarks.push("the reports joined here are not of the same commit".into());
    }
    for (name, one, other) in [
        ("rules", Some(&joined.rules_digest), Some(&report.rules_digest)),
        ("configurations", joined.config_digest.as_ref(), report.config_digest.as_ref()),
    ] {
        if one != other {
            joined.remarks.push(format!("the reports joined here were made with different {name}"));
        }
    }
    if joined.config_digest != report.config_digest {
        joined.config_digest = None;
    }
    joined.coverage.files += report.coverage.files;
    joined.coverage.objects += report.coverage.objects;
    joined.coverage.bytes += report.coverage.bytes;
    joined.coverage.left_out.extend(report.coverage.left_out);
    joined.coverage.accepted.extend(report.coverage.accepted);
    add_counts(&mut joined.coverage.skipped, report.coverage.skipped);
    add_counts(&mut joined.ignored_by_class, report.ignored_by_class);
    if let Some(ignored) = report.ignored {
        let all = joined.ignored.get_or_insert_default();
        all.extend(ignored);
        all.sort();
        all.dedup();
    }
    joined.remarks.extend(report.remarks);
    joined.suppressed.extend(report.suppressed);
    add_counts(&mut joined.withheld.levels, report.withheld.levels);
    add_counts(&mut joined.withheld.suppressed, report.withheld.suppressed);
    joined.withheld.secrets = joined.withheld.secrets.saturating_add(report.withheld.secrets);
    joined.findings = findings(std::mem::take(&mut joined.findings), report.findings);
}

fn add_counts<K: Ord>(counts: &mut BTreeMap<K, u64>, others: BTreeMap<K, u64>) {
    for (what, number) in others {
        let count = counts.entry(what).or_default();
        *count = count.saturating_add(number);
    }
}

/// One finding an identity: the most serious says what it is, all places are kept, and the history where one has it.
fn findings(one: Vec<Finding>, other: Vec<Finding>) -> Vec<Finding> {
    let mut joined: BTreeMap<String, Finding> = BTreeMap::new();
    for mut finding in one.into_iter().chain(other) {
        match joined.get_mut(&finding.id()) {
            None => drop(joined.insert(finding.id(), finding)),
            Some(known) => {
                if (finding.level, &known.code) > (known.level, &finding.code) {
                    std::mem::swap(known, &mut finding);
                }
                known.new |= finding.new;
                // The sides of clients come first.
                known.overruled = known.overruled.into_iter().chain(finding.overruled).min();
                if let (Some(known), Some(other)) = (&mut known.history, &finding.history) {
                    known.renew(other);
                }
                known.history = known.history.take().or(finding.history);
                known.commit = known.commit.take().or(finding.commit);
                known.places.append(&mut finding.places);
                known.places.sort();
                known.places.dedup();
            }
        }
    }
    let mut findings: Vec<Finding> = joined.into_values().collect();
    findings.sort_by_cached_key(order);
    findings
}

fn order(finding: &Finding) -> impl Ord + use<> {
    let start = finding.places.first().map(|place| place.start);
    (finding.path.clone(), start, finding.code.clone(), finding.id())
}
