//! How long a key has been in a repository, in sentences for people.

use super::date;
use crate::finding::{Event, Finding, History};

/// Refs that are named.
const REFS_MAX: usize = 5;
/// Digits of a commit that are shown.
const SHORT: usize = 12;

/// What there is to say of `history`, a line each.
pub fn lines(history: &History, command: &str) -> Vec<String> {
    // In a report of `ci`, what comes of the range names no refs.
    let is_range = command == "range" || (command == "ci" && history.refs.is_empty());
    let mut lines = Vec::new();
    if let Some(event) = &history.introduced {
        let days = history.days.map_or_else(String::new, |days| format!(", {days} days ago"));
        lines.push(format!("introduced {}{days}", told(event)));
    }
    if let Some(event) = &history.reintroduced {
        lines.push(format!("brought back {}", told(event)));
    }
    match (&history.removed, history.at_head) {
        (_, true) if is_range => lines.push("still there at the end of the range".into()),
        (_, true) => lines.push("still at HEAD".into()),
        (Some(event), false) => lines.push(format!("removed {}, and still stored", told(event))),
        (None, false) if is_range => lines.push("gone again by the end of the range".into()),
        (None, false) => {}
    }
    if !is_range {
        lines.extend(reach(history));
    }
    if let Some(total) = history.paths_total.filter(|total| *total > 100) {
        lines.push(format!("{total} paths in one tree, of which 100 are told"));
    }
    lines
}

/// One line about a finding of a key that is told of already.
pub fn occurrence(finding: &Finding) -> String {
    let place = finding
        .places
        .first()
        .map_or_else(String::new, |place| format!(":{}:{}", place.start.line, place.start.column));
    let introduced = finding.history.as_ref().and_then(|history| history.introduced.as_ref());
    let introduced = introduced.map_or_else(String::new, |event| format!(", introduced {}", told(event)));
    let old = if finding.new { "" } else { ", not new" };
    format!(
        "{} {}, {}: {}{place}{introduced}{old}",
        finding.level.as_str(),
        finding.code,
        finding.side.as_str(),
        finding.path
    )
}

fn told(event: &Event) -> String {
    let date = date(event.time);
    let day = date.get(..10).unwrap_or(&date);
    let commit = event.commit.get(..SHORT).unwrap_or(&event.commit);
    let author = event.author.as_ref().map_or_else(String::new, |author| format!(" by {author}"));
    format!("{day} in {commit}{author}")
}

/// What leads to it; none where nothing of that has a name.
fn reach(history: &History) -> Option<String> {
    if history.refs.is_empty() {
        return (!history.reachable).then(|| "nothing leads to it: only its object is left".into());
    }
    let shown = history.refs.iter().take(REFS_MAX).map(String::as_str).collect::<Vec<_>>().join(", ");
    let more = history.refs_total.saturating_sub(REFS_MAX as u64);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    Some(format!("reached from {shown}{more}"))
}
