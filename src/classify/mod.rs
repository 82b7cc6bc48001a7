//! Which side a key's code is on, with evidence.
//!
//! Pure: it works on the text, the path and the facts it is given, and reads nothing. What it knows of platforms is data in
//! `rules/sides`; here pieces of evidence are gathered and weighed.

mod calls;
mod compiled;
mod evidence;
mod graph;
mod manifest;
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
use evidence::{Gathered, Regions, fill};
use std::collections::BTreeSet;
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
        let mut gathered = Gathered::default();
        gathered.of_file(&self.rules, path);
        gathered.of_text(&self.rules, path, text);
        gathered.of_projects(&self.rules, path, facts);
        let regions = Regions::new(&self.rules, path, text, part);
        Prepared { rules: &self.rules, path: path.into(), gathered, regions, listed: Listed::nearest(facts) }
    }
}

/// What holds for every key in one text.
pub struct Prepared<'p> {
    rules: &'p Compiled,
    path: String,
    gathered: Gathered,
    regions: Regions<'p>,
    listed: Option<Listed>,
}

/// The nearest manifest that lists dependencies.
struct Listed {
    manifest: String,
    dependencies: BTreeSet<String>,
}

impl Prepared<'_> {
    /// The side of the key at `key` of `text`, which is the text this was prepared with.
    pub fn judge_in(&self, text: &[u8], key: &Range<usize>) -> Judgement {
        let assigned = variable::assigned(text, key);
        if let Some(judgement) = assigned.as_ref().and_then(|assigned| self.inlined(assigned)) {
            return judgement;
        }
        if let Some(judgement) = self.dotenv(assigned.as_ref()) {
            return judgement;
        }
        let mut gathered = self.gathered.clone();
        gathered.of_region(&self.regions, key);
        gathered.judge()
    }

    /// The judgement of a variable that a bundler inlines.
    fn inlined(&self, assigned: &Assigned) -> Option<Judgement> {
        if self.rules.never_inlined.is_match(&self.path) {
            return None;
        }
        let name = assigned.name.as_str();
        let starts = |prefix: &&String| name.starts_with(prefix.as_str()) && name.len() > prefix.len();
        let (rule, prefix) = self.rules.variables.iter().filter(|_| !assigned.is_constant).find_map(|rule| {
            let prefix = rule.prefixes.iter().find(starts)?;
            (rule.depends.is_empty() || self.depends(&rule.depends).is_some()).then_some((rule, prefix))
        })?;
        let why = fill(&rule.why, &[("{name}", name), ("{prefix}", prefix)]);
        Some(Judgement { public_variable: Some(name.into()), ..Judgement::new(Side::Client, vec![why]) })
    }

    /// The judgement of a variable in a file that has no side of its own.
    fn dotenv(&self, assigned: Option<&Assigned>) -> Option<Judgement> {
        let dotenv = &self.rules.dotenvs.iter().find(|dotenv| dotenv.is_about(&self.path))?.rule;
        let judgement = |side, why| Some(Judgement::new(side, vec![why]));
        if let Some((manifest, name)) = self.depends(&dotenv.whole) {
            return judgement(Side::Client, fill(&dotenv.whole_why, &[("{manifest}", manifest), ("{name}", name)]));
        }
        match assigned {
            Some(assigned) => judgement(Side::Server, fill(&dotenv.why, &[("{name}", &assigned.name)])),
            None => judgement(Side::Unknown, "the key is no variable's value".into()),
        }
    }

    /// The nearest manifest that lists dependencies, if it names one of `wanted`: its path, and which.
    fn depends<'w>(&self, wanted: &'w [String]) -> Option<(&str, &'w str)> {
        let listed = self.listed.as_ref()?;
        let found = wanted.iter().find(|wanted| listed.dependencies.contains(*wanted))?;
        Some((&listed.manifest, found))
    }
}

impl Listed {
    fn nearest(facts: &Facts) -> Option<Self> {
        let all =
            facts.folders.iter().flat_map(|folder| folder.manifests.iter().map(move |manifest| (folder, manifest)));
        let lists = |name: &str| matches!(name, "package.json" | "pubspec.yaml");
        let (folder, (name, text)) = all.into_iter().find(|(_, (name, _))| lists(name))?;
        Some(Self { manifest: evidence::join(&folder.path, name), dependencies: manifest::dependencies(name, text) })
    }
}

impl Wanted for Classifier {
    fn is_manifest(&self, name: &str) -> bool {
        self.rules.manifests.is_match(name)
    }

    fn nested(&self) -> &[String] {
        &self.rules.nested
    }
}
