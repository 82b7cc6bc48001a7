//! The shape of the project, held to what ARCHITECTURE.md says of it.

use regex::Regex;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Who may import whom among the modules of `src`, top layer last. An entry that nothing uses is a fault too.
const IMPORTS: &[(&str, &[&str])] = &[
    // Data.
    ("blob", &[]),
    ("null_id", &[]),
    ("path", &[]),
    ("secret", &[]),
    ("side", &[]),
    ("rule", &["secret"]),
    ("finding", &["blob", "rule", "secret", "side"]),
    // Pure.
    ("classify", &["blob", "rule", "side"]),
    ("detect", &["blob", "finding", "rule", "secret"]),
    ("explain", &["blob", "finding", "rule"]),
    ("ci", &["null_id"]),
    ("line_hash", &[]),
    ("settings", &["rule", "secret", "side"]),
    ("suppress", &["finding", "rule", "secret", "settings", "side"]),
    ("unpack", &["blob"]),
    // Edges.
    ("output", &[]),
    ("report", &["blob", "finding", "path", "rule", "side"]),
    ("source", &["blob", "path", "side"]),
    // The scan.
    (
        "scan",
        &[
            "blob",
            "classify",
            "detect",
            "finding",
            "line_hash",
            "null_id",
            "path",
            "report",
            "rule",
            "settings",
            "side",
            "source",
            "suppress",
            "unpack",
        ],
    ),
    // The program.
    ("cli", &[]),
    ("exit", &["report", "rule"]),
    ("stdio", &["detect", "report", "rule"]),
    (
        "config",
        &[
            "ci", "cli", "detect", "exit", "null_id", "output", "path", "report", "rule", "scan", "secret", "settings",
            "source", "suppress", "unpack",
        ],
    ),
    (
        "conclude",
        &["config", "exit", "finding", "path", "report", "rule", "scan", "secret", "settings", "source", "suppress"],
    ),
    (
        "command",
        &[
            "cli", "conclude", "config", "detect", "exit", "explain", "finding", "output", "path", "report", "rule",
            "scan", "settings", "stdio", "suppress",
        ],
    ),
];

/// The modules each external crate is used in: one home, or the reason why not.
const HOMES: &[(&str, &[&str])] = &[
    ("aho_corasick", &["detect"]),
    ("annotate_snippets", &["report"]),
    // Errors with context, in the shell of the program.
    ("anyhow", &["command", "config", "output", "scan", "stdio"]),
    ("brotli_decompressor", &["detect", "unpack"]),
    // Paths and texts of scanned trees are bytes.
    ("bstr", &["classify", "conclude", "scan", "source"]),
    ("bzip2", &["unpack"]),
    // The definition, its parse, and what is generated from it.
    ("clap", &["cli", "command", "main"]),
    // The shells are an argument.
    ("clap_complete", &["cli", "command"]),
    ("clap_mangen", &["command"]),
    ("deflate64", &["unpack"]),
    // Streams inside encodings, archives, and loose objects.
    ("flate2", &["detect", "source", "unpack"]),
    ("git2", &["source"]),
    // Names of objects, wherever a history is told.
    ("gix_hash", &["scan", "source"]),
    ("gix_index", &["source"]),
    // Kinds of objects likewise.
    ("gix_object", &["scan", "source"]),
    ("gix_pack", &["source"]),
    // Globs of the side rules, and those of a repository.
    ("globset", &["classify", "settings"]),
    ("ignore", &["source"]),
    ("indicatif", &["scan"]),
    ("jiff", &["report", "settings"]),
    ("libdeflater", &["source"]),
    ("lz4_flex", &["unpack"]),
    ("lzma_rust2", &["unpack"]),
    // One routine of byte search, wherever bytes are.
    ("memchr", &["classify", "detect", "rule", "scan", "source", "suppress", "unpack"]),
    // The walk over a list, and the pool it runs on.
    ("rayon", &["scan", "source"]),
    // Patterns of rules, and the classes of characters that are escaped.
    ("regex", &["classify", "detect", "report", "rule"]),
    // Descriptors; and one look at standard output before anything else runs.
    ("rustix", &["source", "stdio"]),
    ("sarif", &["report"]),
    // Derives, on every serialised form.
    ("serde", &["ci", "classify", "explain", "report", "rule", "settings", "side", "suppress", "unpack"]),
    // Reports, manifests, baselines, and the list of rules.
    ("serde_json", &["ci", "classify", "command", "report", "suppress", "unpack"]),
    // Fingerprints of keys, and of the rules.
    ("sha2", &["rule", "secret"]),
    ("tempfile", &["output"]),
    // Rules, examples, and the configuration.
    ("toml", &["explain", "rule", "settings"]),
    // Imports and loaders, where a hit needs them.
    ("tree_sitter", &["classify"]),
    ("tree_sitter_typescript", &["classify"]),
    ("zstd", &["detect", "unpack"]),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Files below `folder` with one of `extensions`.
fn files(folder: &str, extensions: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extensions.iter().any(|one| extension == *one)) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Module of `src` by its first name, and its code without tests and comments.
fn modules() -> BTreeMap<String, String> {
    let mut modules: BTreeMap<String, String> = BTreeMap::new();
    for path in files("src", &["rs"]) {
        let below = path.strip_prefix(root().join("src")).unwrap();
        let name = below.components().next().unwrap().as_os_str().to_str().unwrap().trim_end_matches(".rs").to_owned();
        let is_test = below.file_stem().is_some_and(|stem| stem == "tests");
        if name != "lib" && !is_test {
            modules.entry(name).or_default().push_str(&code(&fs::read_to_string(&path).unwrap()));
        }
    }
    modules
}

fn code(text: &str) -> String {
    let code = text.split("#[cfg(test)]").next().unwrap();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n") + "\n"
}

/// First names behind `crate::` in `code`, lists in braces included.
fn imports(code: &str, prefix: &str) -> BTreeSet<String> {
    let single = Regex::new(&format!(r"\b{prefix}::([a-z_]+)")).unwrap();
    let list = Regex::new(&format!(r"\b{prefix}::\{{([^}}]*)")).unwrap();
    let mut names: BTreeSet<String> = single.captures_iter(code).map(|found| found[1].to_owned()).collect();
    for found in list.captures_iter(code) {
        names.extend(
            found[1]
                .split(',')
                .map(|name| name.trim().split("::").next().unwrap().to_owned())
                .filter(|name| !name.is_empty()),
        );
    }
    names
}

#[test]
fn imports_are_those_of_the_table_and_point_down() {
    let modules = modules();
    let position = |name: &str| IMPORTS.iter().position(|(known, _)| *known == name);
    for (name, code) in modules.iter().filter(|(name, _)| *name != "main") {
        let index = position(name).unwrap_or_else(|| panic!("src/{name} is not in the table of imports"));
        let own: BTreeSet<String> = imports(code, "crate").into_iter().filter(|import| import != name).collect();
        let allowed: BTreeSet<String> = IMPORTS[index].1.iter().map(|&import| import.to_owned()).collect();
        assert_eq!(own, allowed, "imports of {name}");
        for import in &own {
            assert!(position(import).unwrap() < index, "{name} imports {import}, which is not below it");
        }
    }
    let of_main = imports(&modules["main"], "ansalint");
    assert_eq!(of_main.into_iter().collect::<Vec<_>>(), ["cli", "command", "exit", "stdio"]);
}

#[test]
fn every_external_crate_has_its_home() {
    let manifest: toml::Table = toml::from_str(&fs::read_to_string(root().join("Cargo.toml")).unwrap()).unwrap();
    let dependencies: BTreeSet<String> =
        manifest["dependencies"].as_table().unwrap().keys().map(|name| name.replace('-', "_")).collect();
    let known: BTreeSet<String> = HOMES.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(dependencies, known);
    let architecture = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let modules = modules();
    for (name, homes) in HOMES {
        let pattern = Regex::new(&format!(r"(?:\b|^){name}::|\buse {name}\b")).unwrap();
        let used: Vec<&str> =
            modules.iter().filter(|(_, code)| pattern.is_match(code)).map(|(module, _)| module.as_str()).collect();
        assert_eq!(&used, homes, "{name}");
        assert!(
            architecture.contains(&format!("`{}`", name.replace('_', "-"))),
            "ARCHITECTURE.md does not say why {name} is here"
        );
    }
}

#[test]
fn files_and_functions_keep_their_size() {
    let ruler = Regex::new(r"//+\s*[-=*#]{4,}").unwrap();
    for path in ["src", "tests/integration", "benches"].iter().flat_map(|folder| files(folder, &["rs"])) {
        let text = fs::read_to_string(&path).unwrap();
        let name = path.display();
        assert!(text.starts_with("//!"), "{name} does not say what it is");
        assert!(text.lines().count() <= 500, "{name} is longer than 500 lines");
        let stem = path.file_stem().unwrap().to_str().unwrap();
        assert!(!["util", "utils", "common", "helpers", "misc"].contains(&stem), "{name} needs a name of its own");
        assert!(!ruler.is_match(&text), "{name} has a ruler");
        assert!(!text.contains(concat!("process::", "exit")), "{name} ends the process");
        for (line, length) in functions(&text) {
            assert!(length <= 70, "{name}:{line}: a function of {length} lines");
        }
    }
    assert!(fs::read_to_string(root().join("src/main.rs")).unwrap().lines().count() <= 60);
    assert!(fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap().lines().count() <= 150);
}

/// Line and length of each function, by its indentation: `cargo fmt` has seen to that.
fn functions(text: &str) -> Vec<(usize, usize)> {
    let start = Regex::new(r"^(\s*)(?:pub(?:\([a-z]+\))? )?(?:const )?(?:unsafe )?fn ").unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        // One without a body, in a trait.
        if line.ends_with(';') {
            continue;
        }
        let Some(indent) = start.captures(line).map(|found| found[1].to_owned()) else { continue };
        let end = lines[index..].iter().position(|line| *line == format!("{indent}}}"));
        found.push((index + 1, end.map_or(1, |end| end + 1)));
    }
    found
}

/// Files that git tracks, or would: what is published.
fn published() -> Vec<PathBuf> {
    let skipped = ["target", ".git"];
    let mut found = Vec::new();
    let mut folders = vec![root().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if skipped.contains(&name.as_str()) {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if path.is_file() && name != ".git" {
                found.push(path);
            }
        }
    }
    found
}

#[test]
fn nothing_published_holds_a_key_or_a_path_of_one_machine() {
    let key = Regex::new(&["ansa_sk_", "(live|sandbox)_[A-Za-z0-9+/]{20,}"].concat()).unwrap();
    let machine = Regex::new(r#"(?m)(?:^|[\s"'`(=])/(?:work|root|home|Users)/[a-z.]"#).unwrap();
    for path in published() {
        let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
        assert!(!key.is_match(&text), "{} holds what looks like a key", path.display());
        assert!(!machine.is_match(&text), "{} names a folder of one machine", path.display());
    }
}

#[test]
fn the_pages_are_there() {
    for name in [
        "README.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "LICENSE-APACHE",
        "LICENSE-MIT",
        "deny.toml",
        "clippy.toml",
    ] {
        assert!(root().join(name).is_file(), "{name} is missing");
    }
    assert!(fs::read_to_string(root().join("CHANGELOG.md")).unwrap().contains("\n## Unreleased\n"));
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    assert!(readme.contains("cargo test --locked"), "README.md does not name the test command");
}
