//! Names and calls that matter without a key: what `rules/calls.toml` describes, found around its needles.
//!
//! It says what stands where; whether that is worth telling depends on the side, which is asked for by the caller.

mod given;
mod host;
mod names;

pub use given::Passed;

use super::syntax;
use super::variable::Assigned;
use super::{Prepared, evidence};
use crate::rule::{CallRules, Environment, Needs, RuleError};
use given::Givens;
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use names::Names;
use regex::bytes::Regex;
use std::collections::BTreeSet;
use std::ops::Range;

/// Bytes before a name that say how it is used.
const BEFORE_BYTES: usize = 2_048;
/// What is told of one text.
const CALLS_MAX: usize = 1_000;

/// Something to tell of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Where it stands in the text.
    pub range: Range<usize>,
    /// What it meets.
    pub needs: Needs,
    /// The variable, endpoint or host.
    pub subject: String,
    /// Why.
    pub why: String,
    /// Of the key concerned; live where there is none.
    pub environment: Environment,
}

/// The rules, compiled.
#[derive(Debug)]
pub struct Calls {
    rules: CallRules,
    names: Names,
    givens: Givens,
    mechanisms: Vec<Mechanism>,
    /// An endpoint behind Ansa's own host.
    hosted: Regex,
    /// An endpoint with its version, or whole in quotes.
    endpoint: Regex,
    /// What is sent in the header; the name in group 1 or 2.
    header: Regex,
}

#[derive(Debug)]
struct Mechanism {
    files: GlobSet,
    holds: Vec<u8>,
    before: Regex,
    why: String,
}

/// A text in which a needle stands.
pub struct Surroundings<'t> {
    /// All of a small file, a window of a large one.
    pub text: &'t [u8],
    /// Where needles stand in it.
    pub needles: &'t [Range<usize>],
    /// Keys in it, and what they are for.
    pub keys: &'t [(Range<usize>, Environment)],
}

impl Calls {
    /// Compiles `rules`.
    pub fn new(rules: &CallRules) -> Result<Self, RuleError> {
        let fault = |error: String| RuleError::new("calls.toml", error);
        let regex = |pattern: &str| Regex::new(pattern).map_err(|error| fault(error.to_string()));
        let all = rules.endpoints.iter().map(|one| regex::escape(one)).collect::<Vec<_>>().join("|");
        let telling = rules.endpoints.iter().filter(|one| one.contains(['-', '_'])).map(|one| regex::escape(one));
        let telling = telling.collect::<Vec<_>>().join("|");
        let mut mechanisms = Vec::new();
        for one in &rules.mechanism {
            let files = globs(&one.files).map_err(|error| fault(error.to_string()))?;
            let (holds, why) = (one.holds.clone().into_bytes(), one.why.clone());
            mechanisms.push(Mechanism { files, holds, before: regex(&one.before)?, why });
        }
        Ok(Self {
            names: Names::new(rules),
            givens: Givens::new(rules)?,
            mechanisms,
            hosted: regex(&format!(r#"getansa\.com(?:/v\d+)?/({all})(?:["'`?\s)}},;<\\]|$)"#))?,
            endpoint: regex(&format!(r#"/v\d+/({all})(?:["'`?\s)}},;<\\]|$)|["'`]/?({telling})["'`?]"#))?,
            header: regex(concat!(
                r#"(?i)\bauthorization(?:Header)?["'\])]*\s*(?:[:=,]|=>|\bto\b)\s*(?:value\s*:\s*)?["'`]?(?:bearer\s+)?[$#\\]?[({]?\s*"#,
                r#"([a-z_$][\w$.?!]*(?:\[["']\w+["']\])?)"#,
                r#"|setValue\(\s*([\w.]+)\s*,\s*forHTTPHeaderField\s*:\s*"Authorization""#
            ))?,
            rules: rules.clone(),
        })
    }

    /// What code of `prepared` says, sorted; the caller knows whether its side makes that worth telling.
    pub fn find(&self, prepared: &Prepared<'_>, around: &Surroundings<'_>) -> Vec<Call> {
        let mut calls = Vec::new();
        let named = self.named(around);
        for (name, range) in &named {
            let assigned = Assigned { name: name.clone(), is_constant: false };
            let inlined = prepared.inlined(&assigned).and_then(|judgement| judgement.evidence.into_iter().next());
            let why = inlined.or_else(|| self.mechanism(&prepared.path, around.text, range, name));
            calls.extend(why.map(|why| call(range, Needs::SecretName, name, why)));
        }
        calls.extend(self.shipped(&prepared.path, around.text, self.merchant_calls(around.text)));
        if !named.is_empty() {
            calls.extend(self.returned(&prepared.path, around.text));
        }
        calls.extend(host::mismatches(&self.rules, around));
        tidy(calls)
    }

    /// Everything that [`Calls::find`] may say of the text, wherever it stood.
    pub fn find_any(&self, around: &Surroundings<'_>) -> Vec<Call> {
        let mut calls = self.merchant_calls(around.text);
        for (name, range) in self.named(around) {
            for needs in [Needs::SecretName, Needs::ReturnedField] {
                calls.push(call(&range, needs, &name, String::new()));
            }
        }
        calls.extend(host::mismatches(&self.rules, around));
        tidy(calls)
    }

    /// What of the SDK the key at `key` is given to, although it takes another kind.
    pub fn given_as(&self, passed: &Passed, text: &[u8], key: &Range<usize>) -> Option<String> {
        self.givens.given_as(passed, text, key)
    }

    /// The names that `text` passes on to the SDK.
    pub fn passed(&self, text: &[u8]) -> Passed {
        self.givens.passed(text)
    }

    /// Names around the needles that say Ansa and secret.
    fn named(&self, around: &Surroundings<'_>) -> Vec<(String, Range<usize>)> {
        let mut found = Vec::new();
        let mut seen = 0;
        for needle in around.needles {
            if needle.start < seen {
                continue;
            }
            let range = names::around(around.text, needle);
            seen = range.end;
            let name = String::from_utf8_lossy(&around.text[range.clone()]).into_owned();
            if self.names.says_secret(&name) && !is_comment(around.text, range.start) {
                found.push((name, range));
            }
            if found.len() == CALLS_MAX {
                break;
            }
        }
        found
    }

    /// How the variable at `range` is written into client code, besides by its prefix.
    fn mechanism(&self, path: &str, text: &[u8], range: &Range<usize>, name: &str) -> Option<String> {
        let file = path.rsplit('/').next().unwrap_or(path);
        let before = &text[range.start.saturating_sub(BEFORE_BYTES)..range.start];
        let meets = |one: &&Mechanism| {
            (one.files.is_empty() || one.files.is_match(file))
                && (one.holds.is_empty() || memchr::memmem::find(text, &one.holds).is_some())
                && one.before.is_match(before)
        };
        self.mechanisms.iter().find(meets).map(|one| evidence::fill(&one.why, &[("{name}", name)]))
    }

    /// Calls of endpoints that take a merchant secret key, and headers that send one.
    fn merchant_calls(&self, text: &[u8]) -> Vec<Call> {
        let has_host = self.rules.host.values().any(|host| memchr::memmem::find(text, host.as_bytes()).is_some());
        let mut calls = Vec::new();
        let endpoints = self.hosted.captures_iter(text).chain(self.endpoint.captures_iter(text).filter(|_| has_host));
        for found in endpoints.take(CALLS_MAX) {
            let Some(name) = found.get(1).or_else(|| found.get(2)) else { continue };
            let subject = String::from_utf8_lossy(name.as_bytes());
            let why = format!("`{subject}` takes a merchant secret key");
            calls.push(call(&name.range(), Needs::MerchantCall, &subject, why));
        }
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
            if self.names.says_secret(name) || (has_host && self.names.is_secret(name)) {
                let why = format!("`{name}` is sent in `Authorization`");
                calls.push(call(&value.range(), Needs::MerchantCall, "Authorization", why));
            }
        }
        calls.retain(|call| !is_comment(text, call.range.start));
        calls
    }

    /// Those of `calls` that stand in what is left of a module when its loaders are taken out.
    fn shipped(&self, path: &str, text: &[u8], calls: Vec<Call>) -> Vec<Call> {
        if calls.is_empty() || !is_module(path) {
            return calls;
        }
        let loaders = self.loaders(path);
        let is_plain = extension(path) == "ts";
        let stripped = syntax::stripped(text, syntax::Dialect { is_plain, elides: false, stripped: &loaders });
        let is_shipped = |call: &Call| !stripped.iter().any(|part| part.contains(&call.range.start));
        calls.into_iter().filter(is_shipped).collect()
    }

    /// Fields that loaders return.
    fn returned(&self, path: &str, text: &[u8]) -> Vec<Call> {
        if !is_module(path) {
            return Vec::new();
        }
        let loaders = self.loaders(path);
        let says_secret = |name: &str| self.names.says_secret(name);
        let fields = syntax::returned(text, extension(path) == "ts", &loaders, &says_secret);
        let calls = fields.into_iter().map(|field| {
            let why = match field.loader {
                Some(loader) => format!("`{loader}` runs on the server and returns `{}` to the client", field.name),
                None => format!("the page reads `{}` of what its loader returned", field.name),
            };
            call(&field.range, Needs::ReturnedField, &field.name, why)
        });
        calls.collect()
    }

    /// The exports of the module at `path` that run on a server for the client.
    fn loaders(&self, path: &str) -> Vec<&str> {
        let file = path.rsplit('/').next().unwrap_or(path);
        let is_page = file.starts_with("+page.server.") || file.starts_with("+layout.server.");
        let loaders = self.rules.loaders.iter().map(String::as_str);
        loaders.chain(is_page.then_some("load")).collect()
    }
}

fn extension(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or_default()
}

/// Whether the file at `path` is JavaScript or TypeScript.
fn is_module(path: &str) -> bool {
    matches!(extension(path), "js" | "jsx" | "ts" | "tsx" | "mjs" | "mts" | "cjs" | "cts")
}

fn call(range: &Range<usize>, needs: Needs, subject: &str, why: String) -> Call {
    Call { range: range.clone(), needs, subject: subject.into(), why, environment: Environment::Live }
}

/// In order, each place once, and not too many.
fn tidy(mut calls: Vec<Call>) -> Vec<Call> {
    calls.sort_by(|one, other| {
        (one.range.start, one.needs, &one.subject).cmp(&(other.range.start, other.needs, &other.subject))
    });
    let mut seen = BTreeSet::new();
    calls.retain(|call| seen.insert((call.range.start, call.needs, call.subject.clone())));
    calls.truncate(CALLS_MAX);
    calls
}

/// Whether the line at `at` starts with a mark of comments.
fn is_comment(text: &[u8], at: usize) -> bool {
    let start = memchr::memrchr(b'\n', &text[..at]).map_or(0, |newline| newline + 1);
    let line = text[start..at].trim_ascii_start();
    [&b"//"[..], b"/*", b"*", b"#", b"<!--", b"-- ", b";", b"{/*"].iter().any(|mark| line.starts_with(mark))
}

fn globs(patterns: &[String]) -> Result<GlobSet, globset::Error> {
    let mut builder = GlobSetBuilder::new();
    for pattern in patterns {
        builder.add(GlobBuilder::new(pattern).case_insensitive(true).build()?);
    }
    builder.build()
}
