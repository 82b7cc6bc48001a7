//! Gradle plugins that a tree defines for itself, read as far as telling those that build for Android.
//!
//! A plugin is a script named after its id, or a class that a build file registers; a catalogue may give it an alias.

use regex::Regex;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// Files that may define a plugin.
const FILES_MAX: usize = 5_000;
/// Plugins applied by one another that are followed.
const DEPTH_MAX: u8 = 4;

/// A plugin that is applied by its id or its alias.
static APPLIED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let pattern = r#"(?m)(?:\bid\s*\(?\s*["']|\bplugin\s*[:=]\s*["']|\bapply\(\s*["']|^\s*`)([\w.\-]+)["'`]|\b\w+\.plugins\.([\w.]+)"#;
    Regex::new(pattern).ok()
});
/// A plugin that is registered: its id or alias, and its class.
static REGISTERED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let pattern = r#"\bid\s*=?\s*(?:["']([\w.\-]+)["']|\w+\.plugins\.([\w.]+?)(?:\.get\(\)\.pluginId|\.asProvider\(\).*)?)\s*;?\s*implementationClass\s*=?\s*["']([\w.$]+)["']"#;
    Regex::new(pattern).ok()
});
/// An alias in a catalogue.
static ALIAS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"(?m)^\s*([\w\-]+)\s*=\s*(?:\{[^}\n]*\bid\s*=\s*["']([\w.\-]+)["']|["']([\w.\-]+):[^"']*["'])"#).ok()
});
/// What a plugin for Android applies; what it does where another one is applied says nothing.
static ANDROID: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let pattern = concat!(
        r#"(?:\bapply\s*(?:\(|plugin\s*:)\s*(?:plugin\s*[=:]\s*)?|\bid\s*\(?\s*)"#,
        r#"["']com\.android\.(?:application|library|dynamic-feature|kotlin\.multiplatform\.library)["']"#,
        r#"|\bapply\s*(?:<|\()\s*(?:com\.android\.build\.gradle\.)?(?:Library|App|DynamicFeature)Plugin\b"#,
        r#"|\b(?:alias|apply)\s*\(\s*\w+\.plugins\.(?:[\w.]*\.)?android\.?(?:[lL]ibrary|[aA]pplication)"#,
        r#"|\bfindPlugin\(\s*["'](?:[\w\-]*[.\-])?android[.\-]?(?:[lL]ibrary|[aA]pplication)["']"#,
    );
    Regex::new(pattern).ok()
});

/// The plugins of one tree.
#[derive(Default)]
pub(super) struct Plugins {
    /// Files that may define one, by their name without what follows the id or class.
    files: BTreeMap<String, String>,
    catalogues: BTreeSet<String>,
    /// Id or alias, and class.
    classes: BTreeMap<String, String>,
    /// Ids by alias; none before the first question.
    aliases: Option<BTreeMap<String, String>>,
    /// Whether the files that were read so far define plugins for Android.
    known: BTreeMap<String, bool>,
}

impl Plugins {
    /// Takes note of the file at `path`.
    pub fn list(&mut self, path: String) {
        let name = path.rsplit('/').next().unwrap_or_default();
        if name.ends_with(".versions.toml") {
            self.catalogues.insert(path);
            return;
        }
        let script = name.strip_suffix(".gradle.kts").or_else(|| name.strip_suffix(".gradle"));
        let class = [".kt", ".java", ".groovy"].iter().find_map(|end| name.strip_suffix(end));
        let class = class.filter(|class| class.contains("Plugin") || class.contains("Convention"));
        if let Some(stem) = script.or(class).map(str::to_owned)
            && self.files.len() < FILES_MAX
        {
            self.files.entry(stem).or_insert(path);
        }
    }

    /// Takes what `text`, a build file, registers.
    pub fn register(&mut self, text: &str) {
        let found = REGISTERED.as_ref().into_iter().flat_map(|pattern| pattern.captures_iter(text)).take(FILES_MAX);
        for found in found {
            let (Some(id), Some(class)) = (found.get(1).or_else(|| found.get(2)), found.get(3)) else { continue };
            let class = class.as_str().rsplit(['.', '$']).next().unwrap_or_default();
            self.classes.insert(plain(id.as_str()), class.to_owned());
        }
    }

    /// The sentence about a plugin of this tree that makes the module with the build file `text` one for Android.
    pub fn android(&mut self, text: &str, load: &dyn Fn(&str) -> String) -> Option<String> {
        if self.aliases.is_none() {
            self.aliases = Some(self.aliases(load));
        }
        let (name, file) = self.applied(text, load, DEPTH_MAX)?;
        Some(format!("applies `{name}`, which `{file}` makes a plugin for Android"))
    }

    /// The first plugin applied in `text` that is for Android, and the file that makes it one.
    fn applied(&mut self, text: &str, load: &dyn Fn(&str) -> String, depth: u8) -> Option<(String, String)> {
        let found = APPLIED.as_ref()?.captures_iter(text).take(FILES_MAX);
        let names = found.filter_map(|found| found.get(1).or_else(|| found.get(2)));
        for name in names.map(|name| name.as_str().trim_end_matches('.')) {
            let Some(file) = self.definition(name).cloned() else { continue };
            let is_android = if let Some(&known) = self.known.get(&file) {
                known
            } else {
                // Should it apply itself, it is not gone into again.
                self.known.insert(file.clone(), false);
                let definition = load(&file);
                let is_android = ANDROID.as_ref().is_some_and(|pattern| pattern.is_match(&definition))
                    || (depth > 0 && self.applied(&definition, load, depth - 1).is_some());
                self.known.insert(file.clone(), is_android);
                is_android
            };
            if is_android {
                return Some((name.to_owned(), file));
            }
        }
        None
    }

    /// The file that defines the plugin called `name`.
    fn definition(&self, name: &str) -> Option<&String> {
        let id = self.aliases.as_ref().and_then(|aliases| aliases.get(&plain(name))).map_or(name, String::as_str);
        let class = self.classes.get(&plain(id)).or_else(|| self.classes.get(&plain(name)));
        class.and_then(|class| self.files.get(class)).or_else(|| self.files.get(id))
    }

    /// Ids by alias.
    fn aliases(&self, load: &dyn Fn(&str) -> String) -> BTreeMap<String, String> {
        let mut aliases = BTreeMap::new();
        for path in &self.catalogues {
            let text = load(path);
            let plugins = text.split_once("[plugins]").map_or("", |(_, rest)| rest);
            for found in ALIAS.as_ref().into_iter().flat_map(|pattern| pattern.captures_iter(plugins)).take(FILES_MAX) {
                let Some(id) = found.get(2).or_else(|| found.get(3)) else { continue };
                aliases.insert(plain(&found[1]), id.as_str().to_owned());
            }
        }
        aliases
    }
}

/// A name as aliases and accessors spell it alike.
fn plain(name: &str) -> String {
    name.replace(['-', '_'], ".")
}
