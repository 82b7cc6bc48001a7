//! What manifests depend on, read as far as a side needs it.
//!
//! A manifest that does not parse depends on nothing; it is never an error.

use serde_json::Value;
use std::collections::BTreeSet;

/// Keys of `package.json` and `composer.json` that hold dependencies by name.
const SECTIONS: [&str; 6] =
    ["dependencies", "devDependencies", "peerDependencies", "optionalDependencies", "require", "require-dev"];

/// The names that the manifest called `name` depends on.
pub fn dependencies(name: &str, text: &[u8]) -> BTreeSet<String> {
    match name.rsplit('/').next() {
        Some("package.json" | "composer.json") => of_json(text),
        Some("pubspec.yaml") => of_yaml(text),
        _ => BTreeSet::new(),
    }
}

fn of_json(text: &[u8]) -> BTreeSet<String> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let Ok(Value::Object(manifest)) = serde_json::from_slice(text) else { return BTreeSet::new() };
    let sections = SECTIONS.iter().filter_map(|section| manifest.get(*section)?.as_object());
    sections.flat_map(|section| section.keys().cloned()).collect()
}

/// The keys one level below `dependencies:` and `dev_dependencies:`, in block style as `dart pub` writes it.
fn of_yaml(text: &[u8]) -> BTreeSet<String> {
    let text = String::from_utf8_lossy(text);
    let mut names = BTreeSet::new();
    let (mut is_inside, mut indent) = (false, None);
    for line in text.lines().filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#')) {
        let depth = line.len() - line.trim_start().len();
        if depth == 0 {
            is_inside = matches!(line.trim_end(), "dependencies:" | "dev_dependencies:");
            indent = None;
        } else if is_inside && depth == *indent.get_or_insert(depth) {
            names.extend(line.trim().split_once(':').map(|(name, _)| name.to_owned()));
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_nonsense_is_nothing() {
        let json = br#"{"dependencies": {"react": "1"}, "devDependencies": {"vite": "2"}, "scripts": {"x": "y"}}"#;
        assert_eq!(dependencies("a/package.json", json).into_iter().collect::<Vec<_>>(), ["react", "vite"]);
        let yaml = b"name: app\ndependencies:\n  flutter:\n    sdk: flutter\n  # no\n  http: ^1\nflutter:\n  assets:\n";
        assert_eq!(dependencies("pubspec.yaml", yaml).into_iter().collect::<Vec<_>>(), ["flutter", "http"]);
        let deep = "[".repeat(100_000);
        for text in [b"\xff\xfe{".as_slice(), b"[]", b"", deep.as_bytes()] {
            assert!(dependencies("package.json", text).is_empty());
        }
    }
}
