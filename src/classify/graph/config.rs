//! `package.json`, `tsconfig.json` and `jsconfig.json`, read as far as finding a module needs it.
//!
//! A file that does not parse says nothing; it is never an error.

use super::resolve::join;
use crate::classify::manifest::dependencies;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Entries of a list that are looked at.
const ENTRIES_MAX: usize = 1_000;
/// Configurations that one extends, one after another.
pub(super) const EXTENDS_MAX: usize = 16;

/// A package of the tree.
#[derive(Debug, Default)]
pub(super) struct Package {
    pub name: String,
    /// Files its entry may be, best first, relative to its folder.
    pub main: Vec<String>,
    /// Sub-path (`.`, `./pay`, `./*`) and where it leads, in every condition.
    pub exports: Vec<(String, String)>,
    /// The same for names that start with `#`.
    pub imports: Vec<(String, String)>,
    /// Globs of the modules that do something when they are loaded; none where all may.
    pub effects: Option<Vec<String>>,
    /// Packages it depends on, in whatever way.
    pub dependencies: BTreeSet<String>,
}

/// What a configuration says of names.
#[derive(Clone, Debug, Default)]
pub(super) struct Paths {
    /// The folder that plain names are looked up in.
    pub base: Option<String>,
    /// Pattern with at most one `*`, and targets below the top.
    pub aliases: Vec<(String, Vec<String>)>,
}

impl Package {
    pub fn read(text: &[u8]) -> Option<Self> {
        let value: Value = serde_json::from_slice(text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text)).ok()?;
        let string = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
        let main =
            ["source", "module", "browser", "react-native", "main", "types"].iter().filter_map(|key| string(key));
        let (main, dependencies) = (main.collect(), dependencies("package.json", text));
        let name = string("name").unwrap_or_default();
        let mut package = Self { name, main, dependencies, ..Self::default() };
        if let Some(exports) = value.get("exports") {
            targets(".", exports, &mut package.exports);
        }
        if let Some(imports) = value.get("imports") {
            targets("", imports, &mut package.imports);
        }
        package.effects = match value.get("sideEffects") {
            Some(Value::Bool(false)) => Some(Vec::new()),
            Some(Value::String(one)) => Some(vec![one.clone()]),
            Some(Value::Array(all)) => {
                Some(all.iter().take(ENTRIES_MAX).filter_map(Value::as_str).map(str::to_owned).collect())
            }
            _ => None,
        };
        Some(package)
    }
}

/// Every target of `value`, an entry of `exports` or `imports`; conditions are all taken.
fn targets(name: &str, value: &Value, found: &mut Vec<(String, String)>) {
    let mut open = vec![(name.to_owned(), value)];
    while let Some((name, value)) = open.pop() {
        match value {
            Value::String(target) => found.push((name, target.clone())),
            Value::Array(all) => open.extend(all.iter().take(ENTRIES_MAX).map(|value| (name.clone(), value))),
            Value::Object(all) => open.extend(all.iter().take(ENTRIES_MAX).map(|(key, value)| {
                let is_path = key.starts_with('.') || key.starts_with('#');
                (if is_path { key.clone() } else { name.clone() }, value)
            })),
            _ => {}
        }
        if found.len() > ENTRIES_MAX {
            return;
        }
    }
    found.sort();
}

/// Reads the configuration at `path` and what it extends; `load` gives the text of a file of the tree.
pub(super) fn paths(path: &str, load: &dyn Fn(&str) -> Option<Vec<u8>>) -> Option<Paths> {
    let mut paths = Paths::default();
    let mut aliases: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut open = vec![path.to_owned()];
    let mut seen = Vec::new();
    while let Some(path) = open.pop() {
        if seen.contains(&path) || seen.len() == EXTENDS_MAX {
            continue;
        }
        let Some(text) = load(&path).or_else(|| load(&format!("{path}.json"))) else { continue };
        seen.push(path.clone());
        let Ok(value) = serde_json::from_slice::<Value>(&plain(&text)) else { continue };
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let options = value.get("compilerOptions");
        let option = |key: &str| options.and_then(|options| options.get(key));
        let base = option("baseUrl").and_then(Value::as_str).and_then(|base| join(folder, base));
        for (pattern, targets) in option("paths").and_then(Value::as_object).into_iter().flatten().take(ENTRIES_MAX) {
            let from = base.as_deref().unwrap_or(folder);
            let targets = targets.as_array().into_iter().flatten().take(16).filter_map(|one| join(from, one.as_str()?));
            // What was read first is nearer, and holds.
            aliases.entry(pattern.clone()).or_insert_with(|| targets.collect());
        }
        paths.base = paths.base.or(base);
        let many = |key: &str| match value.get(key) {
            Some(Value::String(one)) => vec![one.clone()],
            Some(Value::Array(all)) => all
                .iter()
                .filter_map(|one| one.as_str().or_else(|| one.get("path")?.as_str()).map(str::to_owned))
                .collect(),
            _ => Vec::new(),
        };
        let below = many("extends").into_iter().chain(many("references"));
        open.extend(below.filter(|one| one.starts_with('.')).filter_map(|one| join(folder, &one)));
    }
    if seen.is_empty() {
        return None;
    }
    paths.aliases = aliases.into_iter().collect();
    // The longest beginning is the best match.
    paths.aliases.sort_by_key(|(pattern, _)| std::cmp::Reverse(pattern.split('*').next().map_or(0, str::len)));
    Some(paths)
}

/// JSON with comments and commas too many, without them.
fn plain(text: &[u8]) -> Vec<u8> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut kept = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        match &text[at..] {
            [b'"', rest @ ..] => {
                let mut end = 0;
                while end < rest.len() && rest[end] != b'"' {
                    end += if rest[end] == b'\\' { 2 } else { 1 };
                }
                let stop = (at + end + 2).min(text.len());
                kept.extend_from_slice(&text[at..stop]);
                at = stop;
            }
            [b'/', b'/', ..] => at += memchr::memchr(b'\n', &text[at..]).unwrap_or(text.len() - at),
            [b'/', b'*', ..] => at += memchr::memmem::find(&text[at..], b"*/").map_or(text.len() - at, |end| end + 2),
            [close @ (b'}' | b']'), ..] => {
                let end = kept.iter().rposition(|byte: &u8| !byte.is_ascii_whitespace());
                if let Some(end) = end.filter(|&end| kept[end] == b',') {
                    kept.truncate(end);
                }
                kept.push(*close);
                at += 1;
            }
            [byte, ..] => {
                kept.push(*byte);
                at += 1;
            }
            [] => break,
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_last_commas_are_no_fault() {
        let text = br#"{ // a "b"
            "compilerOptions": { /* { */ "baseUrl": ".", "paths": { "@/*": ["./src/*",], "x//y": ["z"], }, },
        }"#;
        let paths = paths("app/tsconfig.json", &|path| (path == "app/tsconfig.json").then(|| text.to_vec())).unwrap();
        assert_eq!(paths.base.as_deref(), Some("app"));
        let expected = [("x//y", "app/z"), ("@/*", "app/src/*")];
        let expected = expected.map(|(pattern, target)| (pattern.to_owned(), vec![target.to_owned()]));
        assert_eq!(paths.aliases, expected);
    }

    #[test]
    fn packages_tell_their_entries() {
        let text = br##"{"name": "@a/b", "main": "dist/index.js", "exports": {".": {"import": "./dist/index.mjs", "require": "./dist/index.cjs"}, "./pay": "./src/pay.ts"}, "imports": {"#x/*": "./src/*"}}"##;
        let package = Package::read(text).unwrap();
        assert_eq!((package.name.as_str(), package.main[0].as_str()), ("@a/b", "dist/index.js"));
        assert_eq!(package.exports.len(), 3);
        assert!(package.exports.contains(&("./pay".into(), "./src/pay.ts".into())));
        assert_eq!(package.imports, [("#x/*".to_owned(), "./src/*".to_owned())]);
        assert!(Package::read(b"\xff{").is_none());
    }
}
