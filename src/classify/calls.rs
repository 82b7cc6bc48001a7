//! Names and calls that matter without a key: what `rules/calls.toml` describes, found around its needles.
//!
//! It says what stands where; whether that is worth telling depends on the side, which is asked for by the caller.

mod given;
mod host;
mod merchant;
mod names;

pub use given::Passed;

use super::syntax;
use super::variable::Assigned;
use super::{Prepared, bracket, evidence};
use crate::rule::{CallRules, Environment, Needs, RuleError};
use given::Givens;
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use merchant::Merchant;
use names::Names;
use regex::bytes::Regex;
use std::cell::LazyCell;
use std::collections::BTreeSet;
use std::ops::Range;

/// Bytes before a name that say how it is used, and those in which the brackets around it open.
const BEFORE_BYTES: usize = 2_048;
const AROUND_BYTES: usize = 32_768;
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
    merchant: Merchant,
}

#[derive(Debug)]
struct Mechanism {
    files: GlobSet,
    holds: Vec<u8>,
    before: Regex,
    inside: Option<Regex>,
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
    /// Whether a module that it imports holds one of some texts.
    pub elsewhere: &'t dyn Fn(&[String]) -> bool,
}

impl Calls {
    /// Compiles `rules`.
    pub fn new(rules: &CallRules) -> Result<Self, RuleError> {
        let fault = |error: String| RuleError::new("calls.toml", error);
        let regex = |pattern: &str| Regex::new(pattern).map_err(|error| fault(error.to_string()));
        let mut mechanisms = Vec::new();
        for one in &rules.mechanism {
            let files = globs(&one.files).map_err(|error| fault(error.to_string()))?;
            let (holds, why) = (one.holds.clone().into_bytes(), one.why.clone());
            let inside = one.inside.as_deref().map(regex).transpose()?;
            mechanisms.push(Mechanism { files, holds, before: regex(&one.before)?, inside, why });
        }
        Ok(Self {
            names: Names::new(rules),
            givens: Givens::new(rules)?,
            mechanisms,
            merchant: Merchant::new(rules)?,
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
        calls.extend(self.shipped(&prepared.path, around.text, self.merchant.calls(&self.names, around)));
        if !named.is_empty() {
            calls.extend(self.returned(&prepared.path, around.text));
        }
        calls.extend(host::mismatches(&self.rules, around));
        tidy(calls)
    }

    /// Everything that [`Calls::find`] may say of the text, wherever it stood.
    pub fn find_any(&self, around: &Surroundings<'_>) -> Vec<Call> {
        let mut calls = self.merchant.calls(&self.names, around);
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
        let around = &text[range.start.saturating_sub(AROUND_BYTES)..range.start];
        let open = LazyCell::new(|| bracket::open(around));
        let is_inside =
            |inside: &Regex| open.iter().any(|&at| inside.is_match(&around[at.saturating_sub(BEFORE_BYTES)..=at]));
        let meets = |one: &&Mechanism| {
            (one.files.is_empty() || one.files.is_match(file))
                && (one.holds.is_empty() || memchr::memmem::find(text, &one.holds).is_some())
                && one.before.is_match(before)
                && one.inside.as_ref().is_none_or(is_inside)
        };
        self.mechanisms.iter().find(meets).map(|one| evidence::fill(&one.why, &[("{name}", name)]))
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
        loaders.chain(["load", "actions"].into_iter().filter(|_| is_page)).collect()
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
