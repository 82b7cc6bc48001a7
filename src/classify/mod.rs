//! Which side a key's code is on, with evidence.
//!
//! Pure: it works on the text, the path and the facts it is given, and reads nothing. What it knows of platforms is data in
//! `rules/sides`; here pieces of evidence are gathered and weighed.

mod account;
mod bracket;
mod calls;
mod compiled;
mod evidence;
mod graph;
mod leaving;
mod listed;
mod manifest;
mod project;
mod region;
mod rules;
mod syntax;
mod variable;

pub use calls::{Call, Calls, Passed, Surroundings};
pub use graph::Graph;
pub use rules::{Example, Platform};

use crate::blob::Part;
use crate::rule::RuleError;
use crate::side::{Facts, Judgement, Side, Wanted};
use compiled::Compiled;
use evidence::{Gathered, fill};
use listed::Listed;
use region::{Named, Regions};
use std::cell::OnceCell;
use std::ops::Range;
use variable::Assigned;

/// What is judged: one key in one text.
pub struct Subject<'a> {
    /// Path below the top of the tree the facts describe, with `/`.
    pub path: &'a str,
    /// The text around the key: all of a small file, a window of a large one. UTF-16 comes decoded.
    pub text: &'a [u8],
    /// Byte range of the key in `text`.
    pub key: Range<usize>,
}

/// The compiled side rules.
#[derive(Debug)]
pub struct Classifier {
    rules: Compiled,
}

impl Classifier {
    /// Compiles side rules: file name and TOML text each.
    pub fn new(sides: &[(String, String)]) -> Result<Self, RuleError> {
        Ok(Self { rules: Compiled::new(sides)? })
    }

    /// Compiles every pattern, which otherwise happens when it is first needed.
    pub fn check(&self) -> Result<(), RuleError> {
        self.rules.check()
    }

    /// The side of `subject`, and why.
    pub fn judge(&self, subject: &Subject<'_>, facts: &Facts) -> Judgement {
        self.prepare(subject.path, subject.text, Part::Start, facts).judge_in(subject.text, &subject.key)
    }

    /// Gathers what holds for every key in `text`, so that many keys in one file cost little more than one.
    pub fn prepare<'p>(&'p self, path: &str, text: &[u8], part: Part, facts: &Facts) -> Prepared<'p> {
        let rules = &self.rules;
        let listed = Listed::nearest(facts);
        let depends = |wanted: &[String]| wanted.is_empty() || listed.any(wanted).is_some();
        let mut gathered = Gathered::default();
        gathered.of_file(rules, path, &depends);
        gathered.of_text(rules, path, text, &depends);
        gathered.extend(project::says(rules, path, facts));
        let about = rules.regions.iter().filter(|rule| rule.is_about(path) && depends(&rule.rule.depends));
        let regions = Regions::new(about, text, part);
        let about = rules.settings.iter().filter(|rule| rule.is_about(path) && depends(&rule.rule.depends));
        let settings = region::settings(about, text);
        let prefixes = listed::prefixes(rules, facts);
        let handed = OnceCell::new();
        Prepared { rules, path: path.into(), gathered, regions, settings, prefixes, listed, handed }
    }
}

/// What holds for every key in one text.
pub struct Prepared<'p> {
    rules: &'p Compiled,
    path: String,
    gathered: Gathered,
    regions: Regions<'p>,
    /// Where the build takes values from, their name if the place has one, and the sentence.
    settings: Vec<(Range<usize>, Named, &'p str)>,
    /// Prefixes that a setting chose, and the sentence about each.
    prefixes: Vec<(String, String)>,
    listed: Listed,
    /// Literals that leave the server, once they are asked for.
    handed: OnceCell<Vec<syntax::Handed>>,
}

impl Prepared<'_> {
    /// The side of the key at `key` of `text`, which is the text this was prepared with.
    pub fn judge_in(&self, text: &[u8], key: &Range<usize>) -> Judgement {
        let assigned = variable::assigned(text, key);
        self.set(assigned.as_ref(), key.start)
            .or_else(|| assigned.as_ref().and_then(|assigned| self.inlined(assigned)))
            .or_else(|| self.dotenv(assigned.as_ref()))
            .unwrap_or_else(|| self.left(text, key, self.gather(key).judge()))
    }

    /// Everything that speaks of what stands at `key`.
    fn gather(&self, key: &Range<usize>) -> Gathered {
        let mut gathered = self.gathered.clone();
        gathered.of_region(&self.regions, key);
        gathered
    }

    /// The judgement of a value that a build takes from a configuration file.
    fn set(&self, assigned: Option<&Assigned>, at: usize) -> Option<Judgement> {
        let (_, named, why) = self.settings.iter().find(|(range, ..)| range.contains(&at))?;
        let name = named.as_deref().or(assigned.map(|assigned| assigned.name.as_str()))?;
        Some(public(name, fill(why, &[("{name}", name)])))
    }

    /// The judgement of a variable that a bundler inlines.
    fn inlined(&self, assigned: &Assigned) -> Option<Judgement> {
        if assigned.is_constant || self.rules.never_inlined.is_match(self.path.to_ascii_lowercase()) {
            return None;
        }
        let name = assigned.name.as_str();
        let starts = |prefix: &str| name.starts_with(prefix) && name.len() > prefix.len();
        let ruled = self.rules.variables.iter().find_map(|rule| {
            let prefix = rule.prefixes.iter().find(|prefix| starts(prefix))?;
            let is_used = rule.depends.is_empty() || self.listed.any(&rule.depends).is_some();
            is_used.then_some((prefix.as_str(), rule.why.as_str()))
        });
        let chosen = || self.prefixes.iter().find(|(prefix, _)| starts(prefix));
        let (prefix, why) = ruled.or_else(|| chosen().map(|(prefix, why)| (prefix.as_str(), why.as_str())))?;
        Some(public(name, fill(why, &[("{name}", name), ("{prefix}", prefix)])))
    }

    /// The judgement of a variable in a file that has no side of its own.
    fn dotenv(&self, assigned: Option<&Assigned>) -> Option<Judgement> {
        let dotenv = &self.rules.dotenvs.iter().find(|dotenv| dotenv.is_about(&self.path))?.rule;
        let judgement = |side, why| Some(Judgement::new(side, vec![why]));
        if let Some(why) = self.listed.whole(self.rules) {
            return Some(assigned.map_or_else(
                || Judgement::new(Side::Client, vec![why.clone()]),
                |assigned| public(&assigned.name, why.clone()),
            ));
        }
        match assigned {
            Some(assigned) => judgement(Side::Server, fill(&dotenv.why, &[("{name}", &assigned.name)])),
            None => judgement(Side::Unknown, "the key is no variable's value".into()),
        }
    }
}

/// The judgement of the variable `name`, whose value reaches clients.
fn public(name: &str, why: String) -> Judgement {
    Judgement { public_variable: Some(name.into()), ..Judgement::new(Side::Client, vec![why]) }
}

impl Wanted for Classifier {
    fn is_manifest(&self, name: &str) -> bool {
        self.rules.manifests.is_match(name.to_ascii_lowercase())
    }

    fn nested(&self) -> &[String] {
        &self.rules.nested
    }
}
