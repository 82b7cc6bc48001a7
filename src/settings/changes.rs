//! What one configuration says that another does not, in words.
//!
//! Each setting is a name and a value; the words are as the file has them. Texts are cut, and reports escape them.

use super::{AcceptUnread, Deactivated, Entry, OnIncomplete, Settings, cut};
use std::collections::BTreeMap;

/// What `own` sets otherwise than `base`, which is in force.
pub fn changes(base: &Settings, own: &Settings) -> Vec<String> {
    let (was, is) = (list(base), list(own));
    let mut told = Vec::new();
    for (name, value) in &is {
        match was.get(name) {
            None => told.push(format!("added in this change, and not in force: {name}{value}")),
            Some(old) if old != value => {
                let old = old.trim_start_matches([' ', '=', ':']);
                told.push(format!("changed in this change, and not in force: {name}{value}, where {old} is in force"));
            }
            Some(_) => {}
        }
    }
    let gone = was.iter().filter(|(name, _)| !is.contains_key(*name));
    told.extend(gone.map(|(name, value)| format!("taken out in this change, and still in force: {name}{value}")));
    if told.is_empty() && base != own {
        told.push("the order of globs is another in this change, and not in force".into());
    }
    told
}

/// Every setting by name, with its value as it stands behind the name.
fn list(settings: &Settings) -> BTreeMap<String, String> {
    let Settings {
        fail_on,
        on_incomplete,
        publishable,
        baseline,
        exclude,
        rules,
        sides,
        limits,
        allow,
        accept_unread,
        deactivated,
    } = settings;
    let mut all = BTreeMap::new();
    let mut set = |name: String, value: String| drop(all.insert(name, value));
    let quoted = |text: &str| format!(" = \"{}\"", cut(text));
    if let Some(level) = fail_on {
        set("fail-on".into(), quoted(level.get_ref().as_str()));
    }
    if let Some(action) = on_incomplete {
        let is_warning = *action.get_ref() == OnIncomplete::Warn;
        set("on-incomplete".into(), quoted(if is_warning { "warn" } else { "fail" }));
    }
    if let Some(asked) = publishable {
        set("publishable".into(), format!(" = {}", asked.get_ref()));
    }
    if let Some(path) = baseline {
        set("baseline".into(), quoted(path.get_ref()));
    }
    for glob in exclude {
        set(format!("exclude = [\"{}\"]", cut(glob.get_ref())), String::new());
    }
    for (name, level) in rules {
        set(format!("[rules] {}", cut(name.get_ref())), quoted(level.get_ref().as_str()));
    }
    for (glob, side) in sides {
        set(format!("[sides] \"{}\"", cut(glob.get_ref())), quoted(side.get_ref().as_str()));
    }
    for (name, value) in limits.set() {
        set(format!("[limits] {name}"), format!(" = {}", value.get_ref()));
    }
    for Entry { fingerprint, reason, owner, expires, path } in allow {
        let place = path.as_ref().map_or_else(String::new, |path| format!(" at {}", cut(path.get_ref())));
        let owner = owner.as_ref().map_or_else(String::new, |owner| format!(", owner {}", cut(owner)));
        let until = expires.map_or_else(String::new, |day| format!(", until {day}"));
        let words = format!(": {}{owner}{until}", cut(reason.get_ref()));
        set(format!("[[allow]] {}{place}", fingerprint.get_ref()), words);
    }
    for AcceptUnread { path, reason, hash } in accept_unread {
        let words = format!(": {}", cut(reason.get_ref()));
        set(format!("[[accept-unread]] {} with {}", cut(path.get_ref()), hash.get_ref()), words);
    }
    for Deactivated { fingerprint, date, ticket } in deactivated {
        let words = format!(" on {date}: {}", cut(ticket.get_ref()));
        set(format!("[[deactivated]] {}", fingerprint.get_ref()), words);
    }
    all
}
