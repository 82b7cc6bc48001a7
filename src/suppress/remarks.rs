//! The sentences about what allows a key: reminders, what has expired, what is unused, what is too weak.
//!
//! Words alone; reports escape them.

use super::Known;
use crate::finding::{Finding, Silencer, Suppression};
use crate::settings::{DAYS, Date, Entry, RuleLevel};
use crate::side::Side;

/// A key and where it is, as a sentence names it.
fn named(finding: &Finding) -> String {
    let masked = finding.key.as_ref().map_or("", |key| key.masked.as_str());
    format!("{masked} ({}) at {}", finding.fingerprint(), finding.path)
}

/// A side that the configuration sets against what the code says.
pub fn taken_from_client(finding: &Finding, is_guarded: bool) -> String {
    let (side, own) = (finding.side.as_str(), finding.overruled.map_or("", Side::as_str));
    let guard = if is_guarded {
        "; it is a live key in client code all the same: no level, glob or comment silences it"
    } else {
        ""
    };
    format!("`[sides]` puts {} on side {side}, and the code itself says {own}{guard}", named(finding))
}

/// For every run, as long as a live key in client code is allowed.
pub fn reminder(finding: &Finding, suppression: &Suppression) -> String {
    let by = match suppression.by {
        Silencer::Argument => "by --allow",
        Silencer::Entry => "by an entry in the configuration",
        Silencer::Baseline => "by the baseline",
        Silencer::Comment => "by a comment",
        Silencer::Path | Silencer::Rule => "by the configuration",
    };
    let until = suppression.expires.as_ref().map_or_else(String::new, |day| format!(" until {day}"));
    let owner = suppression.owner.as_ref().map_or_else(String::new, |owner| format!(", {owner} answers for it"));
    format!("reminder: the live key {} is in client code and is allowed{until} {by}{owner}", named(finding))
}

/// A level that does not hold for a live key in client code.
pub fn not_lowered(name: &str, code: &str, wanted: RuleLevel) -> String {
    format!(
        "`{name} = \"{}\"` does not hold for {code}: a live key in client code is allowed by its fingerprint alone, with owner and expiry",
        wanted.as_str()
    )
}

/// An entry that lacks what a live key in client code needs.
pub fn incomplete_entry(finding: &Finding, today: Date) -> String {
    format!(
        "the entry for {} allows nothing: a live key in client code needs `owner` and `expires`, such as `expires = {}`",
        named(finding),
        today.plus_days(DAYS)
    )
}

/// A line of the baseline that lacks it.
pub fn incomplete_baseline(finding: &Finding) -> String {
    format!(
        "the baseline does not hold for {}: a live key in client code needs an owner and an expiry; run `ansalint baseline update --owner NAME`",
        named(finding)
    )
}

/// A comment on a live key in client code.
pub fn comment_too_weak(finding: &Finding) -> String {
    format!(
        "no comment allows {}: a live key in client code needs an [[allow]] entry with owner and expiry",
        named(finding)
    )
}

/// A glob over a live key in client code.
pub fn glob_too_weak(finding: &Finding, glob: &str) -> String {
    format!(
        "`{glob}` is left out, but {} counts: a live key in client code needs an [[allow]] entry with owner and expiry",
        named(finding)
    )
}

/// A finding that was known in a milder form.
pub fn worse(finding: &Finding, known: &Known) -> String {
    format!(
        "{} is in the baseline as `{}` on side {}, and has become worse: `{}` on side {}",
        named(finding),
        known.rule,
        known.side.as_str(),
        finding.rule,
        finding.side.as_str()
    )
}

/// A key that was in the history alone.
pub fn back_in_files(finding: &Finding) -> String {
    format!("{} is in the baseline as one that only the history has, and it is in a file again", named(finding))
}

/// A key that the baseline knows at another path.
pub fn moved(known: &Known, path: &str) -> String {
    format!(
        "the baseline knows {} at {}, and it is now at {path}; run `ansalint baseline update`",
        known.fingerprint, known.path
    )
}

/// A line of the baseline whose day has passed.
pub fn expired_baseline(finding: &Finding, known: &Known) -> String {
    let day = known.expires.map_or_else(String::new, |day| format!(" on {day}"));
    format!("the baseline's entry for {} expired{day}", named(finding))
}

/// An entry whose day has passed.
pub fn expired_entry(entry: &Entry) -> String {
    let day = entry.expires.map_or_else(String::new, |day| format!(" on {day}"));
    format!("the [[allow]] entry for {} expired{day}: {}", entry.fingerprint.get_ref(), entry.reason.get_ref())
}

/// An entry that nothing needs.
pub fn unused_entry(entry: &Entry) -> String {
    format!(
        "the [[allow]] entry for {} is unused; take it out: {}",
        entry.fingerprint.get_ref(),
        entry.reason.get_ref()
    )
}

/// An argument that nothing needs.
pub fn unused_argument(fingerprint: &str) -> String {
    format!("`--allow {fingerprint}` is unused")
}

/// Lines of the baseline that nothing needs.
pub fn unused_baseline(count: usize) -> String {
    let (entries, match_) = if count == 1 { ("entry", "matches") } else { ("entries", "match") };
    format!(
        "{count} {entries} of the baseline {match_} no file any more; `ansalint baseline prune` takes out what the history does not need either"
    )
}
