//! Configurations of bundlers that give names to folders and modules: which files those are, and what they say below the top.
//!
//! They are read and never run; a name whose place is not literal is known to stand for something of the tree.

use super::super::syntax::{Aliases, Find, Place, aliases};
use super::resolve::{folder, join};
use memchr::memmem;

/// Names of such files, up to their extension.
const NAMED: [&str; 28] = [
    "vite.config",
    "vitest.config",
    "electron.vite.config",
    "electron-vite.config",
    "webpack.config",
    "rspack.config",
    "rsbuild.config",
    "rolldown.config",
    "rollup.config",
    "farm.config",
    "vue.config",
    "craco.config",
    "config-overrides",
    "next.config",
    "nuxt.config",
    "svelte.config",
    "astro.config",
    "quasar.config",
    "quasar.conf",
    "app.config",
    "wxt.config",
    "metro.config",
    "babel.config",
    "babel.config.json",
    "gatsby-node",
    "react-router.config",
    "ember-cli-build",
    "vike.config",
];
/// Folders that hold nothing but configurations of the package around them.
const HOLDING: [&str; 9] =
    ["config", "configs", "build", "webpack", "vite", "scripts", "tools", ".storybook", ".config"];
/// What a configuration with names has in it.
const MARKS: [&[u8]; 6] =
    [b"lias", b"node_modules", b"extraNodeModules", b"module-resolver", b"_moduleAliases", b"addWebpackAlias"];

/// What configurations of one folder say of names.
#[derive(Clone, Debug, Default)]
pub(super) struct Bundler {
    /// Pattern with at most one `*`, and where it leads; nowhere that is known if that is not literal.
    pub names: Vec<(String, Vec<Goal>)>,
    /// Folders that plain names are looked up in.
    pub roots: Vec<String>,
    /// Whether there are names that are not known.
    pub is_partial: bool,
}

/// Where a name leads, with a `*` for what the pattern's stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Goal {
    /// A path below the top.
    Path(String),
    /// Another name.
    Name(String),
}

/// Whether the file called `name` may give names.
pub(super) fn is_bundlers(name: &str) -> bool {
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    if matches!(extension, "json" | "babelrc") || stem == ".babelrc" {
        return matches!(name, "babel.config.json" | ".babelrc" | ".babelrc.json" | ".babelrc.js" | "package.json");
    }
    if !matches!(extension, "js" | "ts" | "mjs" | "mts" | "cjs" | "cts") {
        return false;
    }
    // `vite.renderer.config.ts`, `webpack.common.js`.
    let is_split = (stem.starts_with("vite.") && stem.ends_with(".config")) || stem.starts_with("webpack.");
    NAMED.contains(&stem) || is_split || stem == "webpack-common"
}

/// The folder that the configuration at `path` is for.
pub(super) fn home<'p>(path: &'p str, has_package: &dyn Fn(&str) -> bool) -> &'p str {
    let mut here = folder(path);
    while HOLDING.contains(&here.rsplit('/').next().unwrap_or(here)) && !has_package(here) {
        here = folder(here);
    }
    here
}

impl Bundler {
    /// Reads `text`, the configuration at `path` for the folder `home`.
    pub fn read(path: &str, home: &str, text: &[u8]) -> Option<Self> {
        if !MARKS.iter().any(|mark| memmem::find(text, mark).is_some()) {
            return None;
        }
        let name = path.rsplit('/').next().unwrap_or(path);
        let found = aliases(text, name == ".babelrc" || super::inventory::extension(name) == "json");
        let mut bundler = Self::default();
        bundler.add(&found, (folder(path), home));
        Some(bundler)
    }

    /// Joins what another configuration of the same folder says.
    pub fn merge(&mut self, other: Self) {
        for (pattern, goals) in other.names {
            self.insert(pattern, goals);
        }
        self.roots.extend(other.roots);
        self.is_partial |= other.is_partial;
        // The longest beginning is the best match.
        self.names.sort_by_key(|(pattern, _)| std::cmp::Reverse(pattern.split('*').next().map_or(0, str::len)));
    }

    fn insert(&mut self, pattern: String, goals: Vec<Goal>) {
        match self.names.iter_mut().find(|(known, _)| *known == pattern) {
            Some((_, known)) => known.extend(goals),
            None => self.names.push((pattern, goals)),
        }
    }

    fn add(&mut self, found: &Aliases, (here, home): (&str, &str)) {
        self.is_partial = found.is_partial;
        self.roots = found.roots.iter().filter_map(|root| path(root, (here, home))).collect();
        for (find, place) in &found.names {
            let goal = place.as_ref().and_then(|place| goal(place, (here, home)));
            match find {
                Find::Name(name) => self.named(name, goal),
                Find::Pattern(pattern) => self.matching(pattern, goal),
            }
        }
    }

    /// A name, which stands for what lies below it as well unless it ends in `$`.
    fn named(&mut self, name: &str, goal: Option<Goal>) {
        if name.is_empty() || name.contains('*') {
            // The folder itself is no part of `@/*`.
            return self.insert(name.replace("**", "*"), goal.into_iter().collect());
        }
        if let Some(exact) = name.strip_suffix('$') {
            return self.insert(exact.into(), goal.into_iter().collect());
        }
        let plain = name.trim_end_matches('/');
        let below = goal.clone().map(|goal| goal.map(|place| format!("{}/*", place.trim_end_matches('/'))));
        self.insert(plain.into(), goal.into_iter().collect());
        self.insert(format!("{plain}/*"), below.into_iter().collect());
    }

    /// A regular expression, if it is a beginning and no more.
    fn matching(&mut self, pattern: &str, goal: Option<Goal>) {
        let beginning = pattern.strip_prefix('^').unwrap_or(pattern).replace("\\/", "/").replace("\\.", ".");
        let beginning = beginning.trim_end_matches('$');
        let rest = ["(.*)", "(.+)", "(.*?)"].iter().find_map(|star| beginning.strip_suffix(star));
        let start = rest.unwrap_or(beginning);
        if !pattern.starts_with('^') || start.contains(['(', '[', '\\', '*', '+', '?', '|', '.']) {
            self.is_partial = true;
            return;
        }
        if rest.is_none() && pattern.ends_with('$') {
            return self.insert(start.into(), goal.into_iter().collect());
        }
        let goal = goal.map(|goal| {
            goal.map(|place| match place.contains("$1") || place.contains("\\1") {
                true => place.replace("\\\\1", "*").replace("\\1", "*").replace("$1", "*"),
                false if start.ends_with('/') => format!("{}/*", place.trim_end_matches('/')),
                false => format!("{place}*"),
            })
        });
        self.insert(format!("{start}*"), goal.into_iter().collect());
    }
}

impl Goal {
    /// The path with `star` in place of `*`, if it is one.
    pub fn path(&self, star: &str) -> Option<String> {
        if let Self::Path(path) = self { Some(path.replacen('*', star, 1)) } else { None }
    }

    fn map(self, change: impl FnOnce(String) -> String) -> Self {
        match self {
            Self::Path(path) => Self::Path(change(path)),
            Self::Name(name) => Self::Name(change(name)),
        }
    }
}

/// Where `place` leads.
fn goal(place: &Place, (here, home): (&str, &str)) -> Option<Goal> {
    let is_path = |text: &str| text.starts_with(['.', '/', '~']);
    match place {
        Place::Text(text) if !is_path(text) && join(home, text).is_some() => Some(Goal::Name(text.clone())),
        place => path(place, (here, home)).map(Goal::Path),
    }
}

/// The path of `place`; as text it is from where the bundler is started, and `/` is there as well.
fn path(place: &Place, (here, home): (&str, &str)) -> Option<String> {
    match place {
        Place::Path(path) => join(here, path),
        Place::Text(text) => join(home, text.trim_start_matches(['~', '/'])),
        Place::Own => None,
    }
}
