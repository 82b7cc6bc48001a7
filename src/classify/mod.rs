//! Which side a key's code is on, with evidence.
//!
//! Pure: it works on the text, the path and the facts it is given, and reads nothing. What it knows of platforms is data in
//! `rules/sides`; here pieces of evidence are gathered and weighed.

mod compiled;
mod evidence;
mod manifest;
mod rules;
mod variable;

pub use rules::{Example, Platform};

use crate::rule::RuleError;
use crate::side::{Facts, Judgement, Side, Wanted};
use compiled::Compiled;
use evidence::{Gathered, fill};
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
        let assigned = variable::assigned(subject.text, &subject.key);
        if let Some(judgement) = assigned.as_ref().and_then(|assigned| self.inlined(assigned, facts)) {
            return judgement;
        }
        if let Some(judgement) = self.dotenv(subject, assigned.as_ref(), facts) {
            return judgement;
        }
        let mut gathered = Gathered::default();
        gathered.of_file(&self.rules, subject);
        gathered.of_text(&self.rules, subject);
        gathered.of_region(&self.rules, subject);
        gathered.of_projects(&self.rules, subject, facts);
        gathered.judge()
    }

    /// The judgement of a variable that a bundler inlines.
    fn inlined(&self, assigned: &Assigned, facts: &Facts) -> Option<Judgement> {
        let name = assigned.name.as_str();
        let starts = |prefix: &&String| name.starts_with(prefix.as_str()) && name.len() > prefix.len();
        let (rule, prefix) = self.rules.variables.iter().filter(|_| !assigned.is_constant).find_map(|rule| {
            let prefix = rule.prefixes.iter().find(starts)?;
            (rule.depends.is_empty() || depends(facts, &rule.depends).is_some()).then_some((rule, prefix))
        })?;
        let why = fill(&rule.why, &[("{name}", name), ("{prefix}", prefix)]);
        Some(Judgement { side: Side::Client, evidence: vec![why], public_variable: Some(name.into()) })
    }

    /// The judgement of a variable in a file that has no side of its own.
    fn dotenv(&self, subject: &Subject<'_>, assigned: Option<&Assigned>, facts: &Facts) -> Option<Judgement> {
        let dotenv = &self.rules.dotenvs.iter().find(|dotenv| dotenv.is_about(subject.path))?.rule;
        let judgement = |side, why| Some(Judgement { side, evidence: vec![why], public_variable: None });
        if let Some((manifest, name)) = depends(facts, &dotenv.whole) {
            return judgement(Side::Client, fill(&dotenv.whole_why, &[("{manifest}", &manifest), ("{name}", &name)]));
        }
        match assigned {
            Some(assigned) => judgement(Side::Server, fill(&dotenv.why, &[("{name}", &assigned.name)])),
            None => judgement(Side::Unknown, "the key is no variable's value".into()),
        }
    }
}

/// The nearest manifest that lists dependencies, if it names one of `wanted`: its path, and which.
fn depends(facts: &Facts, wanted: &[String]) -> Option<(String, String)> {
    let listed =
        facts.folders.iter().flat_map(|folder| folder.manifests.iter().map(move |manifest| (folder, manifest)));
    let (folder, (name, text)) =
        listed.into_iter().find(|(_, (name, _))| matches!(name.as_str(), "package.json" | "pubspec.yaml"))?;
    let dependencies = manifest::dependencies(name, text);
    let found = wanted.iter().find(|wanted| dependencies.contains(*wanted))?;
    Some((evidence::join(&folder.path, name), found.clone()))
}

impl Wanted for Classifier {
    fn is_manifest(&self, name: &str) -> bool {
        self.rules.manifests.is_match(name)
    }

    fn nested(&self) -> &[String] {
        &self.rules.nested
    }
}
