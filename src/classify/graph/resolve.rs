//! Which file of the tree an import names: as bundlers, Node and TypeScript look it up, without leaving the tree.
//!
//! Everything is a look-up in the inventory; no file is read here.

use super::super::syntax::{Edge, Glob};
use super::bundlers::{Bundler, Goal};
use super::config::{Package, Paths};
use globset::{GlobBuilder, GlobMatcher};
use regex::Regex;
use std::collections::HashMap;

/// What may be left out at the end of an import, first come first.
const EXTENSIONS: [&str; 22] = [
    ".ts",
    ".tsx",
    ".d.ts",
    ".js",
    ".jsx",
    ".mjs",
    ".cjs",
    ".mts",
    ".cts",
    ".json",
    ".vue",
    ".svelte",
    ".astro",
    ".native.ts",
    ".native.tsx",
    ".native.js",
    ".ios.ts",
    ".ios.tsx",
    ".ios.js",
    ".web.ts",
    ".web.tsx",
    ".web.js",
];
/// An extension as written, and what may stand for it in the sources.
const REWRITTEN: [(&str, &[&str]); 4] =
    [(".js", &[".ts", ".tsx", ".jsx"]), (".jsx", &[".tsx"]), (".mjs", &[".mts"]), (".cjs", &[".cts"])];
/// Folders that builds go to, in place of which sources are looked for.
const BUILT: [&str; 5] = ["dist/", "lib/", "build/", "out/", "esm/"];
/// Beginnings that projects commonly give their own folders, and those folders below the package.
const CUSTOMARY: [(&str, &[&str]); 15] = [
    ("@/", &["src/", "", "app/", "resources/js/"]),
    ("~/", &["", "src/", "app/"]),
    ("$lib/", &["src/lib/"]),
    ("@@/", &[""]),
    ("~~/", &[""]),
    ("src/", &["src/"]),
    ("#shared/", &["shared/"]),
    ("$lib", &["src/lib"]),
    // Quasar's, and anyone's whose plain names start in `src`.
    ("components/", &["src/components/"]),
    ("layouts/", &["src/layouts/"]),
    ("pages/", &["src/pages/"]),
    ("boot/", &["src/boot/"]),
    ("stores/", &["src/stores/"]),
    ("app/", &["src/app/", "app/"]),
    // Plasmo's.
    ("~", &["src/", ""]),
];
/// Patterns of one glob that are looked at.
const PATTERNS_MAX: usize = 50;

/// What an import leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// These files, by number: one, but for platform variants.
    Files(Vec<u32>),
    /// A package from outside the tree.
    Outside,
    /// Something that should be in the tree, and is not.
    Missing,
}

/// Modules of a runtime that have others below them.
const BUILT_IN: [&str; 12] =
    ["fs", "timers", "stream", "util", "path", "dns", "readline", "assert", "inspector", "bun", "deno", "cloudflare"];

/// Everything that names are looked up in.
#[derive(Default)]
pub(super) struct Resolver {
    /// Files by path.
    pub numbers: HashMap<String, u32>,
    /// Packages by folder.
    pub packages: HashMap<String, Package>,
    /// Folders of packages by name.
    pub named: HashMap<String, Vec<String>>,
    /// Configurations by folder.
    pub paths: HashMap<String, Paths>,
    /// What bundlers call things, by the folder they build.
    pub bundlers: HashMap<String, Bundler>,
}

/// `path` relative to `folder`, without `.` and `..`; none if it leaves the tree.
pub(super) fn join(folder: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

/// The folder of `path`.
pub(super) fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// `folder` and those above it, nearest first.
fn above(folder: &str) -> impl Iterator<Item = &str> {
    let mut next = Some(folder);
    std::iter::from_fn(move || {
        let here = next?;
        next = (!here.is_empty()).then(|| self::folder(here));
        Some(here)
    })
}

impl Resolver {
    /// What `specifier` in the file at `importer` leads to.
    pub fn resolve(&self, importer: &str, specifier: &str) -> Target {
        let end = specifier.char_indices().find(|&(at, one)| one == '?' || (one == '#' && at > 0));
        let specifier = &specifier[..end.map_or(specifier.len(), |(at, _)| at)];
        let specifier = specifier.rsplit('!').next().unwrap_or(specifier);
        let here = folder(importer);
        let found = |files: Vec<u32>| if files.is_empty() { Target::Missing } else { Target::Files(files) };
        if specifier.is_empty() || specifier.contains("://") || specifier.starts_with("node:") {
            return Target::Outside;
        }
        if specifier == "." || specifier == ".." || specifier.starts_with("./") || specifier.starts_with("../") {
            return found(join(here, specifier).map(|path| self.file(&path)).unwrap_or_default());
        }
        let package = self.package_of(here);
        if specifier.starts_with('/') {
            let below = ["", "public", "src"].iter().filter_map(|start| join(&join(package, start)?, specifier));
            return below
                .map(|path| self.file(&path))
                .find(|files| !files.is_empty())
                .map_or(Target::Outside, Target::Files);
        }
        let files = self.named(here, package, specifier);
        if !files.is_empty() {
            return Target::Files(files);
        }
        let is_own = specifier.starts_with(['#', '~']) || specifier.starts_with("@/") || specifier.starts_with("$lib");
        let is_aliased = self.configuration(here).is_some_and(|paths| {
            paths.aliases.iter().any(|(pattern, _)| pattern != "*" && matched(pattern, specifier).is_some())
        });
        let bundlers: Vec<&Bundler> = self.bundlers(here).collect();
        let is_named = |bundler: &&Bundler| {
            let mut goals = bundler.names.iter().filter(|(pattern, _)| matched(pattern, specifier).is_some());
            goals.any(|(_, goals)| goals.iter().all(|goal| matches!(goal, Goal::Path(_))))
        };
        let is_aliased = is_aliased || bundlers.iter().any(is_named);
        let is_partial = bundlers.iter().any(|bundler| bundler.is_partial);
        let is_workspace = self.named.contains_key(split(specifier).0);
        // A path below a package that nobody depends on is what a bundler makes of an alias that is not known here.
        let (name, below) = split(specifier);
        let is_bare = below.is_empty() && !name.starts_with('@') && !is_partial;
        let is_foreign = is_bare || self.is_dependency(here, name) || BUILT_IN.contains(&name);
        if is_own || is_aliased || is_workspace || !is_foreign { Target::Missing } else { Target::Outside }
    }

    /// Whether a package around `here` depends on the one called `name`, or on its types.
    fn is_dependency(&self, here: &str, name: &str) -> bool {
        let types = format!("@types/{}", name.trim_start_matches('@').replace('/', "__"));
        let mut packages = above(here).filter_map(|folder| self.packages.get(folder));
        packages.any(|package| package.dependencies.contains(name) || package.dependencies.contains(&types))
    }

    /// The beginning of paths that `specifier`, cut where it is filled in at run time, may lead to, and what they hold behind it.
    pub fn beginning(&self, importer: &str, specifier: &str) -> Option<(String, String)> {
        let here = folder(importer);
        let (start, rest) = specifier.rsplit_once('/').map_or(("", specifier), |(start, rest)| (start, rest));
        let none = String::new();
        if start.starts_with('.') {
            let folder = join(here, start)?;
            return Some((if folder.is_empty() { rest.into() } else { format!("{folder}/{rest}") }, none));
        }
        let package = self.package_of(here);
        if let Some((beginning, [first, ..])) = CUSTOMARY.iter().find(|(beginning, _)| specifier.starts_with(beginning))
        {
            return Some((join(package, &format!("{}{}", first, specifier.strip_prefix(beginning)?))?, none));
        }
        let all = if package.is_empty() { String::new() } else { format!("{package}/") };
        // Nothing literal in front: anything of the package. A name that is not known: what lies so below anything.
        let below = specifier.split_once('/').map_or("", |(_, below)| below).to_owned();
        let is_unknown = || self.resolve(importer, &format!("{specifier}any")) == Target::Missing;
        (specifier.is_empty() || is_unknown()).then_some((all, below))
    }

    /// Whether the module at `path` may be left out where nothing is taken of it, by what its package says.
    pub fn is_pure(&self, path: &str) -> bool {
        let package = self.package_of(folder(path));
        let Some(effects) = self.packages.get(package).and_then(|package| package.effects.as_ref()) else {
            return false;
        };
        let below = path.strip_prefix(package).unwrap_or(path).trim_start_matches('/');
        let matches = |glob: &String| {
            let glob = glob.trim_start_matches("./");
            let glob = if glob.contains('/') { glob.to_owned() } else { format!("**/{glob}") };
            matcher(&glob).is_none_or(|matcher| matcher.is_match(below))
        };
        !effects.iter().any(matches)
    }

    /// What the patterns of `glob`, in the file at `importer`, match.
    fn globbed(&self, importer: &str, glob: &Glob) -> Globbed {
        let here = folder(importer);
        let filter = glob.filter.as_deref().and_then(|filter| Regex::new(filter).ok());
        let mut globbed = Globbed { start: here.to_owned(), filter, ..Globbed::default() };
        for pattern in glob.patterns.iter().take(PATTERNS_MAX) {
            let (is_left_out, pattern) =
                pattern.strip_prefix('!').map_or((false, pattern.as_str()), |rest| (true, rest));
            let matchers = self.places(here, pattern).into_iter().filter_map(|place| matcher(&place));
            if is_left_out { globbed.left_out.extend(matchers) } else { globbed.taken.extend(matchers) }
        }
        // The expression is about the path from the folder that is named, which the first pattern starts with.
        let named = glob.patterns.first().and_then(|first| first.split("/*").next());
        globbed.start = named.and_then(|named| join(here, named)).unwrap_or_default();
        globbed
    }

    /// What `edge`, in the file at `importer`, names by patterns; none if it is open and where it leads is not known.
    pub fn many(&self, importer: &str, edge: &Edge) -> Option<Globbed> {
        let glob = edge.glob.as_ref()?;
        if !edge.is_open {
            return Some(self.globbed(importer, glob));
        }
        let here = folder(importer);
        let package = self.packages.get(self.package_of(here));
        // Vite takes the files of one folder, others those below it as well.
        let is_flat = package.is_some_and(|package| package.dependencies.contains("vite"));
        let star = if is_flat { "*" } else { "{*,*/**/*}" };
        let places = glob.patterns.iter().flat_map(|pattern| self.places(here, pattern));
        let globs = places.map(|place| format!("{}{{,.*,/index.*}}", place.replace('*', star)));
        let taken: Vec<GlobMatcher> = globs.filter_map(|glob| matcher(&glob)).collect();
        (!taken.is_empty()).then(|| Globbed { taken, ..Globbed::default() })
    }

    /// The paths below the top that `pattern`, in a file of the folder `here`, may mean.
    fn places(&self, here: &str, pattern: &str) -> Vec<String> {
        let package = self.package_of(here);
        if pattern.starts_with("./") || pattern.starts_with("../") {
            return join(here, pattern).into_iter().collect();
        }
        if let Some(rest) = pattern.strip_prefix('/') {
            return join(package, rest).into_iter().collect();
        }
        let aliases = self.configuration(here).into_iter().flat_map(|paths| &paths.aliases);
        let stars = aliases.filter_map(|(alias, targets)| Some((matched(alias, pattern)?, targets)));
        let mut places: Vec<String> =
            stars.flat_map(|(star, targets)| targets.iter().map(move |target| target.replacen('*', star, 1))).collect();
        let bundled = self.bundlers(here).flat_map(|bundler| &bundler.names);
        places.extend(
            bundled
                .filter_map(|(alias, goals)| Some((matched(alias, pattern)?, goals)))
                .flat_map(|(star, goals)| goals.iter().filter_map(move |goal| goal.path(star))),
        );
        for (beginning, below) in CUSTOMARY {
            let rest = pattern.strip_prefix(beginning);
            places.extend(
                rest.iter().flat_map(|rest| below.iter().filter_map(move |one| join(package, &format!("{one}{rest}")))),
            );
        }
        places.extend(join(here, pattern).filter(|_| pattern.starts_with("**")));
        places
    }

    /// The folder of the nearest `package.json` at or above `folder`; the top if there is none.
    pub fn package_of<'f>(&self, folder: &'f str) -> &'f str {
        above(folder).find(|folder| self.packages.contains_key(*folder)).unwrap_or("")
    }

    fn configuration(&self, folder: &str) -> Option<&Paths> {
        above(folder).find_map(|folder| self.paths.get(folder))
    }

    /// What bundlers call things in `folder`, the nearest first.
    fn bundlers<'r>(&'r self, folder: &'r str) -> impl Iterator<Item = &'r Bundler> {
        above(folder).filter_map(|folder| self.bundlers.get(folder))
    }

    /// The files that a bundler's name for something leads to, through `depth` more names.
    fn bundled(&self, here: &str, specifier: &str, depth: u8) -> Vec<u32> {
        for bundler in self.bundlers(here) {
            let names = bundler.names.iter().filter_map(|(pattern, goals)| Some((matched(pattern, specifier)?, goals)));
            for (star, goals) in names {
                let mut files: Vec<u32> = goals.iter().flat_map(|goal| self.goal(here, goal, star, depth)).collect();
                files.sort_unstable();
                files.dedup();
                if !files.is_empty() {
                    return files;
                }
            }
            let found = bundler.roots.iter().filter_map(|root| join(root, specifier)).map(|path| self.file(&path));
            if let Some(files) = found.into_iter().find(|files| !files.is_empty()) {
                return files;
            }
        }
        Vec::new()
    }

    fn goal(&self, here: &str, goal: &Goal, star: &str, depth: u8) -> Vec<u32> {
        match goal {
            Goal::Path(path) => self.file(path.replacen('*', star, 1).trim_end_matches('/')),
            Goal::Name(name) => {
                let name = name.replacen('*', star, 1);
                let package = self.package_of(here);
                let next = if depth > 0 { self.bundled(here, &name, depth - 1) } else { Vec::new() };
                let next = if next.is_empty() { self.workspace(&name) } else { next };
                // Written without a dot, it may be a path for all that.
                if next.is_empty() {
                    join(package, &name).map(|path| self.file(&path)).unwrap_or_default()
                } else {
                    next
                }
            }
        }
    }

    /// The files that a name without a path in front means.
    fn named(&self, here: &str, package: &str, specifier: &str) -> Vec<u32> {
        if specifier.starts_with('#')
            && let Some(found) = self.packages.get(package).map(|known| self.mapped(package, &known.imports, specifier))
            && !found.is_empty()
        {
            return found;
        }
        let bundled = self.bundled(here, specifier, 1);
        if !bundled.is_empty() {
            return bundled;
        }
        if let Some(paths) = self.configuration(here) {
            let aliased =
                paths.aliases.iter().filter_map(|(pattern, targets)| Some((matched(pattern, specifier)?, targets)));
            for (star, targets) in aliased {
                let found = targets.iter().map(|target| self.file(&target.replacen('*', star, 1)));
                if let Some(files) = found.into_iter().find(|files| !files.is_empty()) {
                    return files;
                }
            }
            let found = paths.base.as_ref().and_then(|base| join(base, specifier)).map(|path| self.file(&path));
            if let Some(files) = found.filter(|files| !files.is_empty()) {
                return files;
            }
        }
        let workspace = self.workspace(specifier);
        if !workspace.is_empty() {
            return workspace;
        }
        for (beginning, below) in CUSTOMARY {
            let Some(rest) = specifier.strip_prefix(beginning) else { continue };
            let tried = below.iter().filter_map(|start| join(package, &format!("{start}{rest}")));
            if let Some(files) = tried.map(|path| self.file(&path)).find(|files| !files.is_empty()) {
                return files;
            }
        }
        Vec::new()
    }

    /// The files of a package of this tree that `specifier` names.
    fn workspace(&self, specifier: &str) -> Vec<u32> {
        let (name, rest) = split(specifier);
        let mut files = Vec::new();
        for folder in self.named.get(name).into_iter().flatten() {
            let Some(package) = self.packages.get(folder) else { continue };
            let key = if rest.is_empty() { ".".into() } else { format!("./{rest}") };
            let mut found = self.mapped(folder, &package.exports, &key);
            if found.is_empty() && rest.is_empty() {
                let entries = package.main.iter().filter_map(|main| self.built(folder, main).into_iter().next());
                found = entries.take(1).collect();
            }
            if found.is_empty() {
                let tried = ["", "src"].iter().filter_map(|start| join(folder, &format!("{start}/{rest}")));
                found = tried.map(|path| self.file(&path)).find(|files| !files.is_empty()).unwrap_or_default();
            }
            files.extend(found);
        }
        files.sort_unstable();
        files.dedup();
        files
    }

    /// The files that `key` is mapped to in `table`, an `exports` or `imports` of the package in `folder`.
    fn mapped(&self, folder: &str, table: &[(String, String)], key: &str) -> Vec<u32> {
        let targets =
            table.iter().filter_map(|(pattern, target)| Some(target.replacen('*', matched(pattern, key)?, 1)));
        let mut files: Vec<u32> = targets.flat_map(|target| self.built(folder, &target)).collect();
        files.sort_unstable();
        files.dedup();
        files
    }

    /// The file at `path` below `folder`, or the source that it will be built from.
    fn built(&self, folder: &str, path: &str) -> Vec<u32> {
        let path = path.trim_start_matches("./");
        let direct = join(folder, path).map(|path| self.file(&path)).unwrap_or_default();
        if !direct.is_empty() {
            return direct;
        }
        let Some(rest) = BUILT.iter().find_map(|built| path.strip_prefix(built)) else { return Vec::new() };
        let stem = rest.split('/').next_back().and_then(|name| name.split_once('.')).map_or("", |(stem, _)| stem);
        let inner = self::folder(rest);
        let sources = [format!("src/{inner}/{stem}"), format!("{inner}/{stem}")];
        let tried = sources.iter().filter_map(|source| join(folder, source));
        tried.map(|path| self.file(&path)).find(|files| !files.is_empty()).unwrap_or_default()
    }

    /// The file at `path`, with an extension or as a folder's index where need be.
    fn file(&self, path: &str) -> Vec<u32> {
        if let Some(&number) = self.numbers.get(path) {
            return vec![number];
        }
        for (written, sources) in REWRITTEN {
            let stem = path.strip_suffix(written);
            if let Some(number) =
                stem.and_then(|stem| sources.iter().find_map(|one| self.numbers.get(&format!("{stem}{one}"))))
            {
                return vec![*number];
            }
        }
        let with: Vec<u32> =
            EXTENSIONS.iter().filter_map(|one| self.numbers.get(&format!("{path}{one}")).copied()).collect();
        if !with.is_empty() {
            return with;
        }
        if let Some(package) = self.packages.get(path) {
            let entry = package.main.iter().map(|main| self.plain(path, main)).find(|files| !files.is_empty());
            if let Some(files) = entry {
                return files;
            }
        }
        let index = if path.is_empty() { "index".to_owned() } else { format!("{path}/index") };
        EXTENSIONS.iter().filter_map(|one| self.numbers.get(&format!("{index}{one}")).copied()).collect()
    }

    /// The file that a `main` names.
    fn plain(&self, folder: &str, main: &str) -> Vec<u32> {
        let path = join(folder, main).unwrap_or_default();
        let tried = std::iter::once("").chain(EXTENSIONS);
        tried.filter_map(|one| self.numbers.get(&format!("{path}{one}")).copied()).take(1).collect()
    }
}

/// The files that a glob names.
#[derive(Default)]
pub(super) struct Globbed {
    taken: Vec<GlobMatcher>,
    left_out: Vec<GlobMatcher>,
    /// Where paths that `filter` sees start.
    start: String,
    filter: Option<Regex>,
}

impl Globbed {
    /// Whether the file at `path` is one of them.
    pub fn has(&self, path: &str) -> bool {
        let any = |matchers: &[GlobMatcher]| matchers.iter().any(|one| one.is_match(path));
        let passes = |filter: &Regex| {
            let below = path.strip_prefix(&self.start).unwrap_or(path).trim_start_matches('/');
            filter.is_match(&format!("./{below}"))
        };
        any(&self.taken) && !any(&self.left_out) && self.filter.as_ref().is_none_or(passes)
    }
}

/// `glob` ready to match; none where it is none.
fn matcher(glob: &str) -> Option<GlobMatcher> {
    let built = GlobBuilder::new(glob).literal_separator(true).empty_alternates(true).build();
    built.ok().map(|glob| glob.compile_matcher())
}

/// Package name, and what stands behind it.
fn split(specifier: &str) -> (&str, &str) {
    let from = if specifier.starts_with('@') { specifier.find('/').map_or(specifier.len(), |at| at + 1) } else { 0 };
    let end = specifier[from..].find('/').map_or(specifier.len(), |at| from + at);
    (&specifier[..end], specifier[end..].trim_start_matches('/'))
}

/// What the `*` of `pattern` stands for in `text`.
fn matched<'t>(pattern: &str, text: &'t str) -> Option<&'t str> {
    let Some((start, end)) = pattern.split_once('*') else { return (pattern == text).then_some("") };
    text.strip_prefix(start)?.strip_suffix(end)
}
