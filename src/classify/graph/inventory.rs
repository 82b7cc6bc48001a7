//! Every module of a tree, and who names whom: read once, by a search for what looks like an import.
//!
//! It takes too many for imports rather than too few; whether one is left in what ships is asked of the parser later, for
//! the few that lead to a key. Modules that are generated or bundled by their size are not looked into.

use super::super::syntax;
use super::bundlers::{self, Bundler};
use super::config::{self, Package};
use super::resolve::{Resolver, Target, folder};
use crate::side::TreeView;
use regex::bytes::Regex;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// Modules of one tree that are looked into.
const MODULES_MAX: usize = 20_000;
const FOLDERS_MAX: usize = 50_000;
/// Bytes of one module.
pub(super) const MODULE_BYTES_MAX: usize = 256 << 10;
/// Bytes of all modules of one tree.
const BYTES_MAX: usize = 512 << 20;
/// Modules of one tree whose globs are looked at.
const GLOBBING_MAX: usize = 2_000;
/// Imports of one module.
const IMPORTS_MAX: usize = 2_000;
/// The longest import.
const SPECIFIER_MAX: usize = 300;
/// Levels of folders.
const DEPTH_MAX: usize = 64;

const MODULES: [&str; 12] = ["js", "jsx", "ts", "tsx", "mjs", "cjs", "mts", "cts", "vue", "svelte", "astro", "mdx"];
/// Folders of things installed or made.
const MADE: [&str; 12] = [
    "node_modules",
    "bower_components",
    "jspm_packages",
    "coverage",
    "__pycache__",
    "venv",
    "Pods",
    "DerivedData",
    "vendor",
    "target",
    "tmp",
    "storybook-static",
];
/// Folders that builds go to, where they lie beside a `package.json`.
const BUILT: [&str; 5] = ["dist", "build", "out", "public", "www"];
/// Folders whose names start with a dot and that hold sources.
const DOTTED: [&str; 4] = [".storybook", ".server", ".client", ".vitepress"];

/// What looks like the name of a module behind `from`, `import`, `require` or `new URL`.
static IMPORTED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let pattern = concat!(
        r#"(?-u)(?:from|import|require(?:\.resolve|\.context)?|URL|glob|globEager)"#,
        r#"(?:\s|\(|\[|/\*[^*]*\*/)*(["'`])([^"'`\n]{1,300})["'`]"#
    );
    Regex::new(pattern).ok()
});
/// A module named at run time.
static OPEN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"(?-u)\b(?:import|require|context|glob|globEager)\s*\((?:\s|/\*[^*]*\*/)*(?:[^"'`\s)/]|`[^`]*\$\{|["'][^"'\n]*["']\s*\+|["'][^"'\n]*\*|["'][^"'\n]*["']\s*,\s*(?:true|false))"#).ok()
});

/// What names many modules at once.
const GLOBS: [&[u8]; 2] = [b"import.meta.glob", b"require.context"];

/// A file of the tree.
pub(super) struct File {
    pub path: String,
    /// Files that seem to import it, sorted.
    pub importers: Vec<u32>,
}

/// The modules of one tree.
#[derive(Default)]
pub(super) struct Inventory {
    /// Sorted by path.
    pub files: Vec<File>,
    pub resolver: Resolver,
    /// Files with an import that is filled in at run time, sorted.
    pub open: Vec<u32>,
    /// Imports that lead nowhere in the tree though they should: who, and what.
    pub missing: Vec<(u32, String)>,
    /// Whether there was more than is looked into.
    pub is_cut: bool,
}

impl Inventory {
    /// Lists and reads the tree.
    pub fn read(view: &dyn TreeView) -> Self {
        let mut inventory = Self::default();
        let mut configurations = inventory.list(view);
        configurations.sort();
        for path in &configurations {
            inventory.configure(view, path);
        }
        for path in configurations.iter().filter(|path| bundlers::is_bundlers(name(path))) {
            inventory.bundle(view, path);
        }
        for folders in inventory.resolver.named.values_mut() {
            folders.sort();
        }
        inventory.link(view);
        inventory
    }

    /// Lists modules; gives the paths of what configures them.
    fn list(&mut self, view: &dyn TreeView) -> Vec<String> {
        let (mut paths, mut configurations) = (Vec::new(), Vec::new());
        let mut open = vec![String::new()];
        let mut folders = 0;
        while let Some(folder) = open.pop() {
            folders += 1;
            if folders > FOLDERS_MAX || paths.len() > MODULES_MAX {
                self.is_cut = true;
                break;
            }
            let names = view.list(&folder);
            let has_package = names.iter().any(|name| name == "package.json");
            for name in &names {
                let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
                if let Some(name) = name.strip_suffix('/') {
                    let holds = holds_sources(name, has_package) && path.matches('/').count() <= DEPTH_MAX;
                    open.extend(holds.then(|| path.trim_end_matches('/').to_owned()));
                    continue;
                }
                if is_configuration(name) || bundlers::is_bundlers(name) {
                    configurations.push(path.clone());
                }
                let extension = extension(name);
                if MODULES.contains(&extension) || extension == "json" {
                    paths.push(path);
                }
            }
        }
        paths.sort();
        self.is_cut |= paths.len() > MODULES_MAX;
        paths.truncate(MODULES_MAX);
        self.resolver.numbers = paths.iter().cloned().zip(0..).collect();
        self.files = paths.into_iter().map(|path| File { path, importers: Vec::new() }).collect();
        configurations
    }

    fn configure(&mut self, view: &dyn TreeView, path: &str) {
        let load = |path: &str| view.read(path, MODULE_BYTES_MAX);
        let (folder, name) = (folder(path).to_owned(), name(path));
        if name == "package.json" {
            let Some(package) = load(path).and_then(|text| Package::read(&text)) else { return };
            if !package.name.is_empty() {
                self.resolver.named.entry(package.name.clone()).or_default().push(folder.clone());
            }
            self.resolver.packages.insert(folder, package);
        } else if is_configuration(name)
            && !self.resolver.paths.contains_key(&folder)
            && let Some(paths) = config::paths(path, &load)
        {
            self.resolver.paths.insert(folder, paths);
        }
    }

    /// Takes the names that the bundler's configuration at `path` gives.
    fn bundle(&mut self, view: &dyn TreeView, path: &str) {
        let Some(text) = view.read(path, MODULE_BYTES_MAX) else { return };
        let home = bundlers::home(path, &|folder| self.resolver.packages.contains_key(folder));
        if let Some(bundler) = Bundler::read(path, home, &text) {
            self.resolver.bundlers.entry(home.to_owned()).or_default().merge(bundler);
        }
    }

    /// Finds what every module names.
    fn link(&mut self, view: &dyn TreeView) {
        let mut bytes = 0;
        let mut edges: BTreeSet<(u32, u32)> = BTreeSet::new();
        let mut known: BTreeMap<(String, String), Target> = BTreeMap::new();
        let mut globbing = 0;
        for (number, file) in (0_u32..).zip(&self.files) {
            if extension(&file.path) == "json" {
                continue;
            }
            let Some(text) = view.read(&file.path, MODULE_BYTES_MAX) else { continue };
            bytes += text.len();
            if bytes > BYTES_MAX {
                self.is_cut = true;
                break;
            }
            for specifier in imported(&text) {
                let key = (folder(&file.path).to_owned(), specifier.clone());
                let target = known.entry(key).or_insert_with(|| self.resolver.resolve(&file.path, &specifier));
                match target {
                    Target::Files(files) => edges.extend(files.iter().map(|&target| (target, number))),
                    Target::Missing if specifier.contains('*') => {}
                    Target::Missing => self.missing.push((number, specifier)),
                    Target::Outside => {}
                }
            }
            let is_open = OPEN.as_ref().is_some_and(|pattern| pattern.is_match(&text));
            if is_open {
                self.open.push(number);
            }
            if is_open || GLOBS.iter().any(|call| memchr::memmem::find(&text, call).is_some()) {
                globbing += 1;
                if globbing > GLOBBING_MAX {
                    self.is_cut = true;
                    continue;
                }
                edges.extend(self.globbed(&file.path, &text).into_iter().map(|target| (target, number)));
            }
        }
        for (target, importer) in edges {
            if target != importer {
                self.files[target as usize].importers.push(importer);
            }
        }
    }
}

impl Inventory {
    /// The files that globs in `text`, the module at `path`, name.
    fn globbed(&self, path: &str, text: &[u8]) -> Vec<u32> {
        let is_plain = matches!(extension(path), "ts" | "mts" | "cts");
        let dialect = syntax::Dialect { is_plain, elides: false, stripped: &[] };
        let scripts = syntax::scripts(path, text, false);
        let globs = scripts.iter().flat_map(|script| syntax::module(&script.text, dialect).edges);
        let globs: Vec<_> = globs.filter_map(|edge| self.resolver.many(path, &edge)).collect();
        if globs.is_empty() {
            return Vec::new();
        }
        let numbered = (0_u32..).zip(&self.files);
        numbered.filter(|(_, file)| globs.iter().any(|glob| glob.has(&file.path))).map(|(number, _)| number).collect()
    }
}

pub(super) fn extension(path: &str) -> &str {
    path.rsplit_once('.').map_or("", |(_, extension)| extension)
}

fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Whether the folder called `name` is looked into.
pub(super) fn holds_sources(name: &str, has_package: bool) -> bool {
    let is_hidden = name.starts_with('.') && !DOTTED.contains(&name);
    let is_built = has_package && BUILT.contains(&name);
    !is_hidden && !is_built && !MADE.contains(&name)
}

fn is_configuration(name: &str) -> bool {
    let is_typed = |name: &str| name.starts_with("tsconfig.") || name.starts_with("jsconfig.");
    name == "package.json" || (is_typed(name) && matches!(name, "tsconfig.json" | "jsconfig.json"))
}

/// What looks like imports in `text`, each once.
fn imported(text: &[u8]) -> BTreeSet<String> {
    let Some(pattern) = IMPORTED.as_ref() else { return BTreeSet::new() };
    let found = pattern.captures_iter(text).filter_map(|found| found.get(2)).take(IMPORTS_MAX);
    let names = found.filter_map(|name| std::str::from_utf8(name.as_bytes()).ok());
    names.filter(|name| name.len() <= SPECIFIER_MAX && !name.contains("${")).map(str::to_owned).collect()
}
