//! Which projects of a tree build on which: modules of Gradle and Maven, .NET projects and Dart packages, as their build files say.
//!
//! A library ships in every app that is built on it. Only references that end up in what is built count: none of tests,
//! analyzers or annotation processors. Plugins of a project's own are read as far as telling those for Android.

use super::inventory::{MODULE_BYTES_MAX, extension, holds_sources};
use super::plugins::Plugins;
use super::resolve::{folder, join};
use crate::side::TreeView;
use regex::Regex;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// Build files of one tree.
const BUILDS_MAX: usize = 5_000;
const FOLDERS_MAX: usize = 50_000;
/// References of one build file.
const REFERENCES_MAX: usize = 1_000;

/// The JVM as a place that a module of several platforms is built for, and Android.
static JVM: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(?m)^\s*jvm\s*[({]").ok());
static ANDROID: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?m)^\s*(?:android|androidTarget|androidLibrary)\s*[({]").ok());
/// A reference to another module of the same Gradle build.
static MODULE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"\bproject\s*\(?\s*(?:path\s*[=:]\s*)?["']:?([\w:.\-]+)["']|\bprojects\.([A-Za-z][\w.]*)"#).ok()
});
/// What a module is declared with if it ends up in what is built.
static SHIPPED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?:^|[a-z])(?:[iI]mplementation|[aA]pi|[rR]untimeOnly|[cC]ompile|[eE]xport|[eE]mbed|[sS]hadow|wearApp)$",
    )
    .ok()
});
/// A module that lies elsewhere than its name says.
static MOVED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let pattern = r#"project\s*\(\s*["']:?([\w:.\-]+)["']\s*\)\s*\.\s*projectDir\s*=\s*(?:new\s+File|file|File)\s*\(\s*(?:[\w.]+\s*,\s*)?["'](?:\$\{?\w+\}?/)?([^"'$]+)["']"#;
    Regex::new(pattern).ok()
});
/// A reference of a .NET project, with its attributes and what it holds.
static REFERENCE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"<ProjectReference\s[^>]*?/>|<ProjectReference\s[^>]*>[\s\S]*?</ProjectReference>|<Import\s[^>]*\.projitems"[^>]*>"#).ok()
});
/// A dependency of a module of Maven.
static DEPENDENCY: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"<dependency>[\s\S]*?</dependency>").ok());
/// The name of what a module of Maven makes.
static ARTIFACT: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"<artifactId>\s*([\w.\-]+)\s*</artifactId>").ok());
/// The file that a reference names.
static INCLUDED: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"\b(?:Include|Project)\s*=\s*"([^"]+)""#).ok());
/// A reference that only the build needs.
static BUILD_ONLY: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"ReferenceOutputAssembly\s*(?:=\s*"|>)\s*(?i:false)|OutputItemType\s*(?:=\s*"|>)\s*Analyzer"#).ok()
});

/// A project with a build file.
pub(super) struct Build {
    /// Of the build file.
    pub path: String,
    /// Projects that build on it, by number, and the line that says so.
    pub users: Vec<(u32, u64)>,
    /// Whether it is built for the JVM beside other places, as a module of several platforms may be.
    pub has_jvm: bool,
    /// Whether it is built for Android as well as for other places.
    pub has_android: bool,
    /// The sentence about a plugin of the tree that makes it an Android module.
    pub android: Option<String>,
}

impl Build {
    /// A source that would be part of it, for what is said of such.
    pub fn sources(&self) -> [String; 2] {
        let names = match extension(&self.path) {
            "yaml" => ["lib/any.dart", "bin/any.dart"],
            "xml" => ["src/main/java/Any.java", "src/main/kotlin/Any.kt"],
            "gradle" | "kts" => ["src/main/kotlin/Any.kt", "src/commonMain/kotlin/Any.kt"],
            _ => ["Any.cs", "Any.fs"],
        };
        names.map(|name| join(folder(&self.path), name).unwrap_or_default())
    }
}

/// The projects of one tree.
#[derive(Default)]
pub(super) struct Builds {
    /// Sorted by path.
    pub all: Vec<Build>,
    /// The number of the project in each folder.
    folders: BTreeMap<String, u32>,
}

/// What was listed.
#[derive(Default)]
struct Listed {
    builds: BTreeSet<String>,
    settings: BTreeSet<String>,
    plugins: Plugins,
}

impl Builds {
    /// Lists the tree and reads its build files.
    pub fn read(view: &dyn TreeView) -> Self {
        let mut listed = list(view);
        let load = |path: &str| {
            view.read(path, MODULE_BYTES_MAX)
                .map(|text| String::from_utf8_lossy(&text).into_owned())
                .unwrap_or_default()
        };
        let texts: Vec<(String, String)> = listed.builds.iter().map(|path| (path.clone(), load(path))).collect();
        for (_, text) in texts.iter().filter(|(path, _)| is_gradle(path)) {
            listed.plugins.register(text);
        }
        let mut builds = Self::default();
        for (number, (path, text)) in (0_u32..).zip(&texts) {
            builds.folders.entry(folder(path).to_owned()).or_insert(number);
            let android = is_gradle(path).then(|| listed.plugins.android(text, &load)).flatten();
            let targets = |pattern: &LazyLock<Option<Regex>>| pattern.as_ref().is_some_and(|one| one.is_match(text));
            let (has_jvm, has_android) = (targets(&JVM), targets(&ANDROID));
            builds.all.push(Build { path: path.clone(), users: Vec::new(), has_jvm, has_android, android });
        }
        let mut places = Places::new(&builds, &listed.settings, &load);
        for (number, (_, text)) in (0_u32..).zip(&texts).filter(|(_, (path, _))| extension(path) == "yaml") {
            let name = text.lines().find_map(|line| line.strip_prefix("name:"));
            places.packages.extend(name.map(|name| (name.trim().to_owned(), number)));
        }
        for (number, (_, text)) in (0_u32..).zip(&texts).filter(|(_, (path, _))| extension(path) == "xml") {
            places.artifacts.extend(artifact(text).map(|name| (name, number)));
        }
        let mut users = Vec::new();
        for (number, (path, text)) in (0_u32..).zip(&texts) {
            let found = match extension(path) {
                "yaml" => places.packages(text),
                "xml" => places.artifacts(text),
                _ if is_gradle(path) => places.modules(path, text),
                _ => places.references(path, text),
            };
            users
                .extend(found.into_iter().filter(|(used, _)| *used != number).map(|(used, line)| (used, number, line)));
        }
        for (used, user, line) in users {
            builds.all[used as usize].users.push((user, line));
        }
        builds
    }

    /// The project that the file at `path` belongs to.
    pub fn around(&self, path: &str) -> Option<u32> {
        let mut here = folder(path);
        loop {
            if let Some(&number) = self.folders.get(here) {
                return Some(number);
            }
            if here.is_empty() {
                return None;
            }
            here = folder(here);
        }
    }
}

fn is_gradle(path: &str) -> bool {
    path.ends_with(".gradle") || path.ends_with(".gradle.kts")
}

fn list(view: &dyn TreeView) -> Listed {
    let mut listed = Listed::default();
    let mut open = vec![String::new()];
    let mut folders = 0;
    while let Some(folder) = open.pop() {
        folders += 1;
        if folders > FOLDERS_MAX || listed.builds.len() >= BUILDS_MAX {
            break;
        }
        let names = view.list(&folder);
        let has_package = names.iter().any(|name| name == "package.json");
        for name in &names {
            let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
            if let Some(name) = name.strip_suffix('/') {
                let holds = holds_sources(name, has_package) && path.matches('/').count() <= 64;
                open.extend(holds.then(|| path.trim_end_matches('/').to_owned()));
                continue;
            }
            match name.as_str() {
                "settings.gradle" | "settings.gradle.kts" => drop(listed.settings.insert(path)),
                "build.gradle" | "build.gradle.kts" | "pubspec.yaml" | "pom.xml" => drop(listed.builds.insert(path)),
                name if matches!(extension(name), "csproj" | "fsproj" | "vbproj" | "projitems") => {
                    listed.builds.insert(path);
                }
                _ => listed.plugins.list(path),
            }
        }
    }
    listed
}

/// Where projects lie that are named.
struct Places<'b> {
    builds: &'b Builds,
    /// Projects by the path of their build file in lower case, since Windows does not tell cases apart.
    files: BTreeMap<String, u32>,
    /// Folders of Gradle builds, longest first, and the modules that lie elsewhere than their names say.
    roots: Vec<(String, BTreeMap<String, String>)>,
    /// Dart packages by name.
    packages: BTreeMap<String, u32>,
    /// Modules of Maven by their artifact.
    artifacts: BTreeMap<String, u32>,
}

impl<'b> Places<'b> {
    fn new(builds: &'b Builds, settings: &BTreeSet<String>, load: &dyn Fn(&str) -> String) -> Self {
        let files = (0_u32..).zip(&builds.all).map(|(number, build)| (build.path.to_lowercase(), number)).collect();
        let moved = |path: &String| {
            let text = load(path);
            let found = MOVED.as_ref().into_iter().flat_map(|pattern| pattern.captures_iter(&text));
            let all = found
                .take(REFERENCES_MAX)
                .filter_map(|found| Some((found[1].to_owned(), join(folder(path), found[2].trim_start_matches('/'))?)));
            all.collect()
        };
        let mut roots: Vec<(String, BTreeMap<String, String>)> =
            settings.iter().map(|path| (folder(path).to_owned(), moved(path))).collect();
        roots.sort_by_key(|(root, _)| std::cmp::Reverse(root.len()));
        Self { builds, files, roots, packages: BTreeMap::new(), artifacts: BTreeMap::new() }
    }

    /// The Gradle modules that `text`, the build file at `path`, builds on.
    fn modules(&self, path: &str, text: &str) -> Vec<(u32, u64)> {
        let is_around = |root: &str| root.is_empty() || folder(path) == root || path.starts_with(&format!("{root}/"));
        let nothing = (String::new(), BTreeMap::new());
        let (root, moved) = self.roots.iter().find(|(root, _)| is_around(root)).unwrap_or(&nothing);
        let found = MODULE.as_ref().into_iter().flat_map(|pattern| pattern.captures_iter(text)).take(REFERENCES_MAX);
        let used = found.filter_map(|found| {
            let at = found.get(0)?.start();
            if !is_shipped(text, at) {
                return None;
            }
            let number = match (found.get(1), found.get(2)) {
                (Some(name), _) => {
                    let place = moved.get(name.as_str()).cloned();
                    self.builds.folders.get(&place.or_else(|| join(root, &name.as_str().replace(':', "/")))?)
                }
                (None, accessor) => self.accessed(root, moved, accessor?.as_str()),
            };
            Some((*number?, line_at(text, at)))
        });
        used.collect()
    }

    /// The module that an accessor such as `shared.coreNetwork` stands for.
    fn accessed(&self, root: &str, moved: &BTreeMap<String, String>, accessor: &str) -> Option<&u32> {
        let plain = |text: &str| text.replace(['-', '_'], "").to_lowercase();
        let wanted = plain(accessor);
        let mut parts: &str = &wanted;
        loop {
            let is_meant = |folder: &str| {
                let below = folder.strip_prefix(root).map(|below| below.trim_start_matches('/'));
                below.is_some_and(|below| plain(&below.replace('/', ".")) == parts)
            };
            let elsewhere = moved.iter().find(|(name, _)| plain(&name.replace(':', ".")) == parts);
            let found = elsewhere.and_then(|(_, folder)| self.builds.folders.get(folder));
            let found =
                found.or_else(|| self.builds.folders.iter().find(|(folder, _)| is_meant(folder)).map(|one| one.1));
            if found.is_some() {
                return found;
            }
            parts = parts.rsplit_once('.')?.0;
        }
    }

    /// The Dart packages of the tree that `text`, a `pubspec.yaml`, depends on, but for its tests.
    fn packages(&self, text: &str) -> Vec<(u32, u64)> {
        let (mut is_inside, mut used) = (false, Vec::new());
        for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim_start().starts_with('#')) {
            if !line.starts_with([' ', '\t']) && !line.is_empty() {
                is_inside = line.trim_end() == "dependencies:";
            } else if is_inside && let Some((name, _)) = line.trim().split_once(':') {
                used.extend(self.packages.get(name).map(|&package| (package, number)));
            }
        }
        used
    }

    /// The modules of Maven that `text`, a `pom.xml`, depends on, but for its tests and what the place it runs in has.
    fn artifacts(&self, text: &str) -> Vec<(u32, u64)> {
        let text = without(text, &["dependencyManagement", "build", "profiles"]);
        let found = DEPENDENCY.as_ref().into_iter().flat_map(|pattern| pattern.find_iter(&text)).take(REFERENCES_MAX);
        let used = found.filter_map(|found| {
            let is_needed =
                !["test", "provided"].iter().any(|scope| found.as_str().contains(&format!("<scope>{scope}<")));
            let name = ARTIFACT.as_ref()?.captures(found.as_str()).filter(|_| is_needed)?[1].to_owned();
            Some((*self.artifacts.get(&name)?, line_at(&text, found.start())))
        });
        used.collect()
    }

    /// The .NET projects that `text`, the project file at `path`, builds on.
    fn references(&self, path: &str, text: &str) -> Vec<(u32, u64)> {
        let found = REFERENCE.as_ref().into_iter().flat_map(|pattern| pattern.find_iter(text)).take(REFERENCES_MAX);
        let used = found.filter_map(|found| {
            if BUILD_ONLY.as_ref().is_some_and(|pattern| pattern.is_match(found.as_str())) {
                return None;
            }
            let named = INCLUDED.as_ref()?.captures(found.as_str())?[1].replace('\\', "/");
            let named = named.replace("$(MSBuildThisFileDirectory)", "");
            let number = self.files.get(&join(folder(path), &named)?.to_lowercase())?;
            Some((*number, line_at(text, found.start())))
        });
        used.collect()
    }
}

/// The artifact that `text`, a `pom.xml`, makes.
fn artifact(text: &str) -> Option<String> {
    let text = without(text, &["parent", "dependencies", "dependencyManagement", "build", "profiles"]);
    Some(ARTIFACT.as_ref()?.captures(&text)?[1].to_owned())
}

/// `text` without the elements called `names`, but for their ends of lines.
fn without(text: &str, names: &[&str]) -> String {
    let mut text = text.to_owned();
    for name in names {
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        let mut kept = String::with_capacity(text.len());
        let mut rest = text.as_str();
        while let Some((before, inside)) = rest.split_once(&open) {
            let (inside, behind) = inside.split_once(&close).unwrap_or((inside, ""));
            kept.push_str(before);
            kept.extend(inside.chars().filter(|&one| one == '\n'));
            rest = behind;
        }
        kept.push_str(rest);
        text = kept;
    }
    text
}

/// Whether what is declared at `at` of a Gradle script ends up in what is built: by the word its statement starts with.
fn is_shipped(text: &str, at: usize) -> bool {
    let before = &text[..at];
    let mut lines = before.rsplit('\n');
    let line = lines.next().unwrap_or_default().trim_start();
    // In a list over several lines, or within one line's braces, the word stands further ahead.
    let line = if line.is_empty() { lines.find(|line| !line.trim().is_empty()).unwrap_or_default() } else { line };
    let line = line.rsplit('{').find(|part| !part.trim().is_empty()).unwrap_or(line).trim_start();
    if line.starts_with("//") || line.starts_with('*') || line.starts_with("/*") {
        return false;
    }
    let line = line.trim_start_matches(['"', '\'']);
    let word = &line[..line.find(|one: char| !one.is_alphanumeric()).unwrap_or(line.len())];
    let is_test = word.starts_with("test") || word.contains("Test");
    !is_test && SHIPPED.as_ref().is_some_and(|pattern| pattern.is_match(word))
}

fn line_at(text: &str, at: usize) -> u64 {
    memchr::memchr_iter(b'\n', &text.as_bytes()[..at]).count() as u64 + 1
}
