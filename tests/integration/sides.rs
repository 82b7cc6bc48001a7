//! The side rules, held to the examples that stand beside them; and whole small projects, as the program sees them.

use crate::template::live_key;
use crate::workspace::Workspace;
use ansalint::classify::{Classifier, Platform, Subject};
use ansalint::rule::RuleFiles;
use ansalint::side::{Facts, Folder, Wanted as _};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// The facts around `path` in a tree of `files`.
fn facts(classifier: &Classifier, path: &str, files: &BTreeMap<String, String>) -> Facts {
    let above: Vec<&str> = Path::new(path).ancestors().skip(1).map(|folder| folder.to_str().unwrap()).collect();
    let folders = above.into_iter().map(|folder| {
        let below = |file: &str| -> Option<String> {
            let rest = if folder.is_empty() { file } else { file.strip_prefix(folder)?.strip_prefix('/')? };
            Some(rest.to_owned())
        };
        let mut names = Vec::new();
        let mut manifests = Vec::new();
        for (file, text) in files {
            let Some(rest) = below(file) else { continue };
            let first = rest.split_once('/').map_or_else(|| rest.clone(), |(first, _)| format!("{first}/"));
            names.push(first);
            if classifier.is_manifest(&rest) && !rest.contains('/') || classifier.nested().contains(&rest) {
                manifests.push((rest, text.clone().into_bytes()));
            }
        }
        names.sort();
        names.dedup();
        Arc::new(Folder { path: folder.into(), names, manifests })
    });
    Facts { folders: folders.collect() }
}

#[test]
fn every_platform_gets_its_examples_right() {
    let files = RuleFiles::embedded();
    let classifier = Classifier::new(&files.sides).unwrap();
    classifier.check().unwrap();
    let mut faults = Vec::new();
    for (name, text) in &files.sides {
        let platform: Platform = RuleFiles::parse(name, text).unwrap();
        assert!(!platform.example.is_empty(), "{name} has no examples");
        for example in &platform.example {
            let at = example.text.find("{key}").unwrap();
            let text = example.text.replace("{key}", &live_key(1));
            let mut around = example.around.clone();
            around.insert(example.path.clone(), text.clone());
            let facts = facts(&classifier, &example.path, &around);
            let subject = Subject { path: &example.path, text: text.as_bytes(), key: at..at + 45 };
            let judgement = classifier.judge(&subject, &facts);
            let first = judgement.evidence.first().map_or("", String::as_str);
            let is_right = judgement.side == example.side
                && first.contains(&example.because)
                && judgement.public_variable == example.public_variable;
            if !is_right {
                faults.push(format!("{name} {}: {judgement:?}", example.path));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn whole_projects_get_the_right_side_for_every_file() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/projects");
    let mut faults = Vec::new();
    let mut labelled = 0;
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let project: BTreeMap<String, BTreeMap<String, String>> =
            toml::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let work = Workspace::new();
        for (path, text) in &project["files"] {
            work.write(path, text.replace("{key}", &live_key(1)));
        }
        let report = work.run(&["scan", "--format", "json"]).json();
        let mut sides = project["sides"].clone();
        for finding in report["findings"].as_array().unwrap() {
            let path = finding["path"].as_str().unwrap();
            let expected = sides.remove(path);
            labelled += 1;
            if expected.as_deref() != finding["side"]["value"].as_str() {
                faults.push(format!("{name}: {path}: expected {expected:?}, got {}", finding["side"]));
            }
            assert!(!finding["side"]["evidence"].as_array().unwrap().is_empty(), "{name}: {path}");
        }
        faults.extend(sides.keys().map(|path| format!("{name}: {path}: not found")));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(labelled >= 40, "only {labelled} files are labelled");
}
