//! The dependencies around a file, and what settings around it choose.

use super::compiled::Compiled;
use super::evidence::{fill, join, short};
use super::manifest;
use crate::side::Facts;
use regex::bytes::Regex;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// Names in quotes of any kind.
static QUOTED: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r#"["'`]([A-Za-z0-9_]+)["'`]"#).ok());

/// The manifests of the nearest folder that has some which list dependencies.
pub struct Listed {
    /// Path, content, and what it depends on.
    manifests: Vec<(String, Vec<u8>, BTreeSet<String>)>,
}

impl Listed {
    /// Of the nearest folder in `facts`.
    pub fn nearest(facts: &Facts) -> Self {
        let lists = |name: &str| matches!(name, "package.json" | "pubspec.yaml" | "composer.json");
        let manifests = facts.folders.iter().find_map(|folder| {
            let listing = folder.manifests.iter().filter(|(name, _)| lists(name));
            let read = listing
                .map(|(name, text)| (join(&folder.path, name), text.clone(), manifest::dependencies(name, text)));
            Some(read.collect::<Vec<_>>()).filter(|manifests| !manifests.is_empty())
        });
        Self { manifests: manifests.unwrap_or_default() }
    }

    /// The first of `wanted` that is listed, and the manifest that lists it.
    pub fn any<'w>(&self, wanted: &'w [String]) -> Option<(&str, &'w str)> {
        let of = |name: &'w String| {
            let found = self.manifests.iter().find(|(.., names)| names.contains(name))?;
            Some((found.0.as_str(), name.as_str()))
        };
        wanted.iter().find_map(of)
    }

    /// The sentence about a package here that puts whole dotenv files into the app.
    pub fn whole(&self, rules: &Compiled) -> Option<String> {
        rules.wholes.iter().find_map(|rule| {
            let (manifest, name) = self.any(&rule.rule.depends)?;
            let text = self.manifests.iter().find(|(path, ..)| path == manifest).map(|(_, text, _)| text)?;
            let holds = rule.rule.contains.is_none() || rule.pattern().is_some_and(|pattern| pattern.is_match(text));
            holds.then(|| fill(&rule.rule.why, &[("{manifest}", manifest), ("{name}", name)]))
        })
    }
}

/// Prefixes that settings in `facts` choose, with the sentence about each; the nearest setting of a kind counts.
pub fn prefixes(rules: &Compiled, facts: &Facts) -> Vec<(String, String)> {
    let mut chosen = BTreeMap::new();
    for rule in &rules.prefixes {
        let all = facts.folders.iter().flat_map(|folder| folder.manifests.iter().map(move |one| (folder, one)));
        let nearest = all.filter(|(_, (name, _))| rule.is_manifest(name)).find_map(|(folder, (name, text))| {
            let found = rule.pattern()?.captures(text)?.get(1)?;
            Some((join(&folder.path, name), found.as_bytes()))
        });
        let Some(((manifest, list), quoted)) = nearest.zip(QUOTED.as_ref()) else { continue };
        for prefix in quoted.captures_iter(list).filter_map(|found| found.get(1)) {
            let prefix = short(prefix.as_bytes());
            chosen.insert(prefix, fill(&rule.rule.why, &[("{manifest}", &manifest)]));
        }
    }
    chosen.into_iter().collect()
}
