//! Side rules ready to match: globs compiled at once, patterns when they are first needed.
//!
//! It matches; what a match is worth is the engine's.

use super::rules::{Balance, Content, Dotenv, File, Platform, Prefix, Project, Region, Setting, Variable, Whole};
use crate::rule::{RuleError, RuleFiles};
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use regex::bytes::Regex;
use std::sync::OnceLock;

/// Every rule of every platform.
#[derive(Debug, Default)]
pub(super) struct Compiled {
    pub projects: Vec<Matched<Project>>,
    pub files: Vec<Matched<File>>,
    pub contents: Vec<Matched<Content>>,
    pub regions: Vec<Matched<Region>>,
    pub settings: Vec<Matched<Setting>>,
    pub variables: Vec<Variable>,
    pub prefixes: Vec<Matched<Prefix>>,
    pub wholes: Vec<Matched<Whole>>,
    /// Files whose variables no bundler reads.
    pub never_inlined: GlobSet,
    pub dotenvs: Vec<Matched<Dotenv>>,
    /// Manifests that lie below the folder they speak for.
    pub nested: Vec<String>,
    /// Names of manifests.
    pub manifests: GlobSet,
}

/// A rule with the files it speaks of.
#[derive(Debug)]
pub(super) struct Matched<R> {
    pub rule: R,
    /// Of the path if a glob holds `/`, else of the name; empty matches everything.
    files: GlobSet,
    /// The manifest's name, for rules that have one.
    manifest: GlobSet,
    patterns: [Pattern; 2],
    /// How brackets close what the first pattern opens, where no second one does.
    pub balance: Balance,
}

/// A pattern that is compiled when it is first needed.
#[derive(Debug, Default)]
pub(super) struct Pattern {
    source: Option<String>,
    regex: OnceLock<Option<Regex>>,
}

impl Pattern {
    fn new(source: Option<&String>) -> Self {
        Self { source: source.cloned(), regex: OnceLock::new() }
    }

    pub fn get(&self) -> Option<&Regex> {
        self.regex.get_or_init(|| Regex::new(self.source.as_deref()?).ok()).as_ref()
    }

    /// Whether it is absent or compiles.
    fn check(&self) -> Result<(), regex::Error> {
        self.source.as_deref().map_or(Ok(()), |source| Regex::new(source).map(drop))
    }
}

impl<R> Matched<R> {
    pub fn is_about(&self, path: &str) -> bool {
        self.files.is_empty() || self.files.is_match(path.to_ascii_lowercase())
    }

    pub fn is_manifest(&self, name: &str) -> bool {
        self.manifest.is_match(name.to_ascii_lowercase())
    }

    /// The pattern of a rule that has one; of a region, what opens it.
    pub fn pattern(&self) -> Option<&Regex> {
        self.patterns[0].get()
    }

    /// The second pattern: of a region, what closes it; of a content rule, names that do not count.
    pub fn second(&self) -> Option<&Regex> {
        self.patterns[1].get()
    }
}

impl Compiled {
    /// Compiles the side rules in `texts`: file name and TOML each.
    pub fn new(texts: &[(String, String)]) -> Result<Self, RuleError> {
        let mut compiled = Self::default();
        let mut manifests = Vec::new();
        for (name, text) in texts {
            let name = format!("sides/{name}");
            let platform: Platform = RuleFiles::parse(&name, text)?;
            manifests.extend(platform.project.iter().flat_map(|project| project.manifest.clone()));
            manifests.extend(platform.prefix.iter().flat_map(|prefix| prefix.manifest.clone()));
            compiled.add(platform).map_err(|error| RuleError::new(&name, error.to_string()))?;
        }
        let (nested, direct): (Vec<String>, Vec<String>) =
            manifests.into_iter().partition(|name| name.trim_end_matches('/').contains('/'));
        compiled.nested = nested;
        compiled.nested.sort();
        compiled.nested.dedup();
        compiled.manifests = globs(&direct).map_err(|error| RuleError::new("sides", error.to_string()))?;
        Ok(compiled)
    }

    fn add(&mut self, platform: Platform) -> Result<(), globset::Error> {
        for rule in platform.project {
            let (files, manifest) = (paths(&rule.files)?, globs(&rule.manifest)?);
            let patterns = [rule.contains.clone(), None];
            self.projects.push(Matched { manifest, ..Matched::new(rule, files, patterns) });
        }
        for rule in platform.file {
            self.files.push(Matched::new_of(rule, |rule| &rule.files, |_| [None, None])?);
        }
        for rule in platform.content {
            let patterns = |rule: &Content| [Some(rule.pattern.clone()), rule.except.clone()];
            self.contents.push(Matched::new_of(rule, |rule| &rule.files, patterns)?);
        }
        for rule in platform.region {
            let balance = rule.balance.unwrap_or(Balance::Bracket);
            let patterns = |rule: &Region| [Some(rule.open.clone()), rule.close.clone()];
            self.regions.push(Matched { balance, ..Matched::new_of(rule, |rule| &rule.files, patterns)? });
        }
        for rule in platform.setting {
            let balance = rule.balance.unwrap_or(Balance::Bracket);
            let patterns = |rule: &Setting| [Some(rule.open.clone()), rule.close.clone()];
            self.settings.push(Matched { balance, ..Matched::new_of(rule, |rule| &rule.files, patterns)? });
        }
        for rule in platform.prefix {
            let manifest = globs(&rule.manifest)?;
            let patterns = [Some(rule.contains.clone()), None];
            self.prefixes.push(Matched { manifest, ..Matched::new(rule, GlobSet::empty(), patterns) });
        }
        for rule in platform.whole {
            let patterns = [rule.contains.clone(), None];
            self.wholes.push(Matched::new(rule, GlobSet::empty(), patterns));
        }
        if let Some(rule) = platform.dotenv {
            self.never_inlined = paths(&rule.never)?;
            self.dotenvs.push(Matched::new_of(rule, |rule| &rule.files, |_| [None, None])?);
        }
        self.variables.extend(platform.variable);
        Ok(())
    }

    /// Compiles every pattern, which otherwise happens when it is first needed.
    pub fn check(&self) -> Result<(), RuleError> {
        fn of<R>(rules: &[Matched<R>]) -> impl Iterator<Item = &Pattern> {
            rules.iter().flat_map(|rule| &rule.patterns)
        }
        let code = of(&self.projects).chain(of(&self.contents)).chain(of(&self.regions));
        let variables = of(&self.settings).chain(of(&self.prefixes)).chain(of(&self.wholes));
        let mut patterns = code.chain(variables);
        patterns.try_for_each(|pattern| pattern.check().map_err(|error| RuleError::new("sides", error.to_string())))
    }
}

impl<R> Matched<R> {
    fn new(rule: R, files: GlobSet, patterns: [Option<String>; 2]) -> Self {
        let patterns = patterns.map(|source| Pattern::new(source.as_ref()));
        Self { rule, files, manifest: GlobSet::empty(), patterns, balance: Balance::Bracket }
    }

    fn new_of(
        rule: R,
        files: impl Fn(&R) -> &Vec<String>,
        patterns: impl Fn(&R) -> [Option<String>; 2],
    ) -> Result<Self, globset::Error> {
        let (files, patterns) = (paths(files(&rule))?, patterns(&rule));
        Ok(Self::new(rule, files, patterns))
    }
}

/// Globs of paths; one without `/` is of the name alone.
fn paths(patterns: &[String]) -> Result<GlobSet, globset::Error> {
    let widened = patterns.iter().flat_map(|pattern| {
        if pattern.contains('/') {
            return vec![pattern.clone()];
        }
        expand(pattern).into_iter().map(|pattern| format!("**/{pattern}")).collect()
    });
    globs(&widened.collect::<Vec<_>>())
}

/// Case does not count: patterns are in lower case, and so is what they are matched with, which spares most of them a regex.
fn globs(patterns: &[String]) -> Result<GlobSet, globset::Error> {
    let mut builder = GlobSetBuilder::new();
    for pattern in patterns {
        let pattern = pattern.to_ascii_lowercase();
        builder.add(GlobBuilder::new(&pattern).literal_separator(true).empty_alternates(true).build()?);
    }
    builder.build()
}

/// `a.{b,c}` as `a.b` and `a.c`: names and extensions alone are looked up, alternatives need a regex.
fn expand(pattern: &str) -> Vec<String> {
    let parts = pattern.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?)));
    let Some((before, (choices, after))) = parts else { return vec![pattern.to_owned()] };
    let choices = choices.split(',').flat_map(|choice| expand(&format!("{before}{choice}{after}")));
    choices.collect()
}
