//! An organisation's configuration over a repository's own, which may tighten it and not loosen it.
//!
//! Entries that name one key, by fingerprint and with a reason, are no loosening: they hold from either file.

use super::{Limits, OnIncomplete, RuleLevel, Settings};
use crate::rule::{Level, Rules};
use crate::side::Side;
use std::collections::BTreeMap;
use toml::Spanned;

/// `own` under `policy`, and what of `own` does not hold.
pub fn under(policy: Settings, own: Settings, rules: &Rules) -> (Settings, Vec<String>) {
    let mut joined = policy;
    let mut refused = Vec::new();
    let level = joined.fail_on.as_ref().map_or(Level::Warning, |level| *level.get_ref());
    match own.fail_on {
        Some(own) if *own.get_ref() > level => refused.push(format!("fail-on = \"{}\"", own.get_ref().as_str())),
        Some(own) => joined.fail_on = Some(own),
        None => {}
    }
    let warns = joined.on_incomplete.as_ref().is_some_and(|action| *action.get_ref() == OnIncomplete::Warn);
    match own.on_incomplete {
        Some(own) if *own.get_ref() == OnIncomplete::Warn && !warns => refused.push("on-incomplete = \"warn\"".into()),
        Some(own) => joined.on_incomplete = Some(own),
        None => {}
    }
    if own.publishable.as_ref().is_some_and(|asked| *asked.get_ref()) {
        joined.publishable = own.publishable;
    }
    joined.baseline = own.baseline.or(joined.baseline);
    refused.extend(own.exclude.iter().map(|glob| format!("exclude = [\"{}\"]", glob.get_ref())));
    for (glob, side) in own.sides {
        if matches!(side.get_ref(), Side::Client | Side::Shared) {
            joined.sides.insert(glob, side);
        } else {
            refused.push(format!("[sides] \"{}\" = \"{}\"", glob.get_ref(), side.get_ref().as_str()));
        }
    }
    for (name, level) in own.rules {
        if *level.get_ref() >= floor(name.get_ref(), &joined.rules, rules) {
            joined.rules.insert(name, level);
        } else {
            refused.push(format!("[rules] {} = \"{}\"", name.get_ref(), level.get_ref().as_str()));
        }
    }
    joined.limits.jobs = match (joined.limits.jobs, own.limits.jobs) {
        (Some(one), Some(other)) => Some(if one.get_ref() < other.get_ref() { one } else { other }),
        (one, other) => one.or(other),
    };
    let bounds = Limits { jobs: None, ..own.limits };
    if bounds != Limits::default() {
        refused.push("[limits] archive-… and decode-…".into());
    }
    joined.allow.extend(own.allow);
    joined.accept_unread.extend(own.accept_unread);
    joined.deactivated.extend(own.deactivated);
    let told = refused.into_iter().map(|what| format!("looser than the policy, and does not hold: {what}"));
    (joined, told.collect())
}

/// The lowest level that what is called `name` may be set to.
fn floor(name: &str, policy: &BTreeMap<Spanned<String>, Spanned<RuleLevel>>, rules: &Rules) -> RuleLevel {
    let set =
        |wanted: &str| policy.iter().find(|(known, _)| known.get_ref() == wanted).map(|(_, level)| *level.get_ref());
    let codes = rules.codes();
    let meant = codes.iter().filter(|(code, rule, _)| code == name || rule.name == name);
    let floors = meant.map(|(code, rule, environment)| {
        set(code).or_else(|| set(&rule.name)).unwrap_or(RuleLevel::of(rule.grade(*environment).level))
    });
    floors.max().unwrap_or(RuleLevel::Off)
}
