//! Side rules ready to match: globs compiled at once, patterns when they are first needed.
//!
//! It matches; what a match is worth is the engine's.

use super::rules::{Content, Dotenv, File, Platform, Project, Region, Variable};
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
    pub variables: Vec<Variable>,
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
        self.files.is_empty() || self.files.is_match(path)
    }

    pub fn is_manifest(&self, name: &str) -> bool {
        self.manifest.is_match(name)
    }

    /// The pattern of a rule that has one; of a region, what opens it.
    pub fn pattern(&self) -> Option<&Regex> {
        self.patterns[0].get()
    }

    /// What closes a region.
    pub fn close(&self) -> Option<&Regex> {
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
            let patterns = [Pattern::new(rule.contains.as_ref()), Pattern::default()];
            self.projects.push(Matched { rule, files, manifest, patterns });
        }
        for rule in platform.file {
            self.files.push(Matched::of_files(paths(&rule.files)?, [None, None], rule));
        }
        for rule in platform.content {
            self.contents.push(Matched::of_files(paths(&rule.files)?, [Some(rule.pattern.clone()), None], rule));
        }
        for rule in platform.region {
            let patterns = [Some(rule.open.clone()), Some(rule.close.clone())];
            self.regions.push(Matched::of_files(paths(&rule.files)?, patterns, rule));
        }
        if let Some(rule) = platform.dotenv {
            self.never_inlined = paths(&rule.never)?;
            self.dotenvs.push(Matched::of_files(paths(&rule.files)?, [None, None], rule));
        }
        self.variables.extend(platform.variable);
        Ok(())
    }

    /// Compiles every pattern, which otherwise happens when it is first needed.
    pub fn check(&self) -> Result<(), RuleError> {
        let projects = self.projects.iter().flat_map(|one| &one.patterns);
        let contents = self.contents.iter().flat_map(|one| &one.patterns);
        let regions = self.regions.iter().flat_map(|one| &one.patterns);
        let mut patterns = projects.chain(contents).chain(regions);
        patterns.try_for_each(|pattern| pattern.check().map_err(|error| RuleError::new("sides", error.to_string())))
    }
}

impl<R> Matched<R> {
    fn of_files(files: GlobSet, patterns: [Option<String>; 2], rule: R) -> Self {
        let patterns = patterns.map(|source| Pattern::new(source.as_ref()));
        Self { rule, files, manifest: GlobSet::empty(), patterns }
    }
}

/// Globs of paths; one without `/` is of the name alone.
fn paths(patterns: &[String]) -> Result<GlobSet, globset::Error> {
    let widened =
        patterns.iter().map(|pattern| if pattern.contains('/') { pattern.clone() } else { format!("**/{pattern}") });
    globs(&widened.collect::<Vec<_>>())
}

fn globs(patterns: &[String]) -> Result<GlobSet, globset::Error> {
    let mut builder = GlobSetBuilder::new();
    for pattern in patterns {
        builder.add(
            GlobBuilder::new(pattern).literal_separator(true).case_insensitive(true).empty_alternates(true).build()?,
        );
    }
    builder.build()
}
