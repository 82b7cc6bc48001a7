//! Calls of endpoints that take a merchant secret key, and headers that send one.
//!
//! An endpoint counts behind Ansa's host, in the same text or in a module that it imports; one that nobody else has counts
//! with its version too, but where it is asked of the caller's own site.

use super::names::Names;
use super::{CALLS_MAX, Call, Surroundings, call, is_comment};
use crate::rule::{CallRules, Needs, RuleError};
use regex::bytes::{Captures, Regex};
use std::cell::LazyCell;
use std::ops::Range;

/// Bytes before a path in which the call that it is given to is looked for.
const CALLEE_BYTES: usize = 120;
/// Places of an endpoint of Ansa's alone that are looked at in one text.
const BASED_MAX: usize = 100;
/// Functions that ask the caller's own site where no host is named.
const RELATIVE: [&str; 13] = [
    "fetch",
    "$fetch",
    "useFetch",
    "useLazyFetch",
    "ofetch",
    "axios",
    "ky",
    "Request",
    "URL",
    "open",
    "request",
    "useSWR",
    "navigateTo",
];
/// Objects whose methods do the same, or that declare what a server answers.
const OWN: [&str; 14] = [
    "axios",
    "ky",
    "$",
    "jQuery",
    "http",
    "$http",
    "app",
    "router",
    "server",
    "route",
    "fastify",
    "Route",
    "superagent",
    "request",
];

/// The patterns, compiled.
#[derive(Debug)]
pub(super) struct Merchant {
    hosts: Vec<String>,
    /// An endpoint behind Ansa's own host.
    hosted: Regex,
    /// An endpoint with its version, or whole in quotes.
    endpoint: Regex,
    /// An endpoint of Ansa's alone behind a name or at the start of a literal.
    based: Regex,
    /// What is sent in the header; the name in group 1 or 2.
    header: Regex,
    /// What a literal is given to.
    callee: Regex,
}

impl Merchant {
    pub fn new(rules: &CallRules) -> Result<Self, RuleError> {
        let regex =
            |pattern: &str| Regex::new(pattern).map_err(|error| RuleError::new("calls.toml", error.to_string()));
        let any =
            |all: &mut dyn Iterator<Item = &String>| all.map(|one| regex::escape(one)).collect::<Vec<_>>().join("|");
        let all = any(&mut rules.endpoints.iter());
        let telling = any(&mut rules.endpoints.iter().filter(|one| one.contains(['-', '_'])));
        let own = any(&mut rules.own_endpoints.iter());
        let end = r#"(?:["'`?\s)},;<\\]|$)"#;
        Ok(Self {
            hosts: rules.host.values().cloned().collect(),
            hosted: regex(&format!(r"(?-u)getansa\.com(?:/v\d+)?/({all}){end}"))?,
            endpoint: regex(&format!(r#"(?-u)/v\d+/({all}){end}|["'`]/?({telling})["'`?]"#))?,
            based: regex(&format!(
                r#"(?-u)(?:\$\{{\s*([\w$.!?]+)(?:\[["']\w+["']\])?\s*\}}|\\\(\s*([\w.!?]+)\s*\)|\$([A-Za-z_]\w*)|([\w$.]+)\s*\+\s*["'`]|(["'`]))(/?)(v\d+/)?({own}){end}"#
            ))?,
            header: regex(concat!(
                r#"(?i-u)\bauthorization(?:Header)?["'\])]*\s*(?:[:=,]|=>|\bto\b)\s*(?:value\s*:\s*)?["'`]?(?:bearer\s+)?[$#\\]?[({]?\s*"#,
                r#"([a-z_$][\w$.?!]*(?:\[["']\w+["']\])?)"#,
                r#"|setValue\(\s*([\w.]+)\s*,\s*forHTTPHeaderField\s*:\s*"Authorization""#
            ))?,
            callee: regex(r"(?-u)@?([\w$]+(?:\??\.[\w$]+)*)\s*(?:<[^<>()]*>)?\(\s*(?:\w+\s*[:=]\s*)?$")?,
        })
    }

    /// What is called and sent in the text.
    pub fn calls(&self, names: &Names, around: &Surroundings<'_>) -> Vec<Call> {
        let text = around.text;
        let has_host = self.hosts.iter().any(|host| memchr::memmem::find(text, host.as_bytes()).is_some());
        let endpoint = |name: &Range<usize>| {
            let subject = String::from_utf8_lossy(&text[name.clone()]);
            call(name, Needs::MerchantCall, &subject, format!("`{subject}` takes a merchant secret key"))
        };
        let mut calls = Vec::new();
        let endpoints = self.hosted.captures_iter(text).chain(self.endpoint.captures_iter(text).filter(|_| has_host));
        let ends = endpoints.filter_map(|found| found.get(1).or_else(|| found.get(2)));
        calls.extend(ends.take(CALLS_MAX).map(|name| endpoint(&name.range())));
        let elsewhere = LazyCell::new(|| (around.elsewhere)(&self.hosts));
        let based = self.based.captures_iter(text).take(BASED_MAX);
        let based = based.filter(|found| self.is_ansas(names, (text, &|| *elsewhere), found));
        calls.extend(based.filter_map(|found| found.get(8)).take(CALLS_MAX).map(|name| endpoint(&name.range())));
        calls.extend(self.headers(names, text, has_host));
        calls.retain(|call| !is_comment(text, call.range.start));
        calls
    }

    /// Whether the endpoint of `found` is asked of Ansa.
    fn is_ansas(&self, names: &Names, (text, elsewhere): (&[u8], &dyn Fn() -> bool), found: &Captures<'_>) -> bool {
        let is_versioned = found.get(7).is_some();
        if let Some(base) = (1..=4).find_map(|group| found.get(group)) {
            let base = String::from_utf8_lossy(base.as_bytes());
            let name = base.rsplit('.').next().unwrap_or_default().trim_end_matches(['!', '?']);
            return match self.constant(text, name) {
                Some(is_ansas) => is_ansas,
                None => is_versioned || base.split('.').any(|part| names.says_ansa(part)) || elsewhere(),
            };
        }
        let Some(quote) = found.get(5) else { return false };
        let before = &text[quote.start().saturating_sub(CALLEE_BYTES)..quote.start()];
        let callee = self.callee.captures(before).and_then(|found| found.get(1));
        let callee = callee.map(|callee| String::from_utf8_lossy(callee.as_bytes()).replace('?', ""));
        let Some(callee) = callee else { return is_versioned || elsewhere() };
        let (object, method) = callee.rsplit_once('.').unwrap_or(("", &callee));
        let object = object.rsplit('.').next().unwrap_or_default();
        let starts_at_site = found.get(6).is_some_and(|slash| !slash.is_empty());
        let asks_site = if object.is_empty() { RELATIVE.contains(&method) } else { OWN.contains(&object) };
        if asks_site && starts_at_site {
            return false;
        }
        is_versioned || callee.split('.').any(|part| names.says_ansa(part)) || elsewhere()
    }

    /// Whether the constant `name` of `text` is Ansa's host, if it is written there.
    fn constant(&self, text: &[u8], name: &str) -> Option<bool> {
        if name.is_empty() {
            return None;
        }
        let pattern = format!(r"(?m-u)\b{}[ \t]*(?::[ \t]*[\w<>?]+[ \t]*)?[=:][ \t]*([^\n;]*)", regex::escape(name));
        let value = Regex::new(&pattern).ok()?.captures(text)?.get(1)?.as_bytes();
        let holds = |part: &str| memchr::memmem::find(value, part.as_bytes()).is_some();
        if self.hosts.iter().any(|host| holds(host)) {
            return Some(true);
        }
        let is_path = value.first().is_some_and(|quote| b"\"'`".contains(quote)) && value.get(1) == Some(&b'/');
        (holds("://") || is_path).then_some(false)
    }

    /// Names that say secret and are sent in the header.
    fn headers(&self, names: &Names, text: &[u8], has_host: bool) -> Vec<Call> {
        let mut calls = Vec::new();
        for found in self.header.captures_iter(text).take(CALLS_MAX) {
            let Some(value) = found.get(1).or_else(|| found.get(2)) else { continue };
            let value_text = String::from_utf8_lossy(value.as_bytes());
            let mut parts = value_text.split(|one: char| !one.is_alphanumeric() && one != '_' && one != '$');
            let name = parts.rfind(|part| !part.is_empty()).unwrap_or_default();
            // A key written there is told of as a key.
            let is_key = ["ansa_sk_live_", "ansa_sk_sandbox_"].iter().any(|start| name.starts_with(start));
            if is_key {
                continue;
            }
            if names.says_secret(name) || (has_host && names.is_secret(name)) {
                let why = format!("`{name}` is sent in `Authorization`");
                calls.push(call(&value.range(), Needs::MerchantCall, "Authorization", why));
            }
        }
        calls
    }
}
