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

/// What became of the labelled files of `tests/projects`.
#[derive(Default)]
struct Measured {
    /// Count by the label's side and the answer's.
    counts: BTreeMap<(String, String), usize>,
    projects: usize,
    faults: Vec<String>,
}

/// Sides as rows and columns; `shared` is client code, and counts as that.
const SIDES: [&str; 6] = ["client", "server", "infra", "docs", "test", "unknown"];

fn side(word: &str) -> &str {
    if word == "shared" { "client" } else { word }
}

impl Measured {
    fn of(folder: &Path) -> Self {
        let mut measured = Self::default();
        let mut paths: Vec<_> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        for path in paths {
            measured.project(&path);
        }
        measured
    }

    fn project(&mut self, path: &Path) {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let project: BTreeMap<String, BTreeMap<String, String>> =
            toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let work = Workspace::new();
        for (path, text) in &project["files"] {
            work.write(path, text.replace("{key}", &live_key(1)));
        }
        let report = work.run(&["scan", "--format", "json"]).json();
        let mut sides = project["sides"].clone();
        self.projects += 1;
        for finding in report["findings"].as_array().unwrap() {
            let path = finding["path"].as_str().unwrap();
            let Some(label) = sides.remove(path) else {
                self.faults.push(format!("{name}: {path}: a key and no label"));
                continue;
            };
            let (label, answer) = (side(&label), side(finding["side"]["value"].as_str().unwrap()));
            *self.counts.entry((label.to_owned(), answer.to_owned())).or_default() += 1;
            if label != answer {
                self.faults.push(format!("{name}: {path}: {label}, answered {}", finding["side"]));
            }
            assert!(!finding["side"]["evidence"].as_array().unwrap().is_empty(), "{name}: {path}");
        }
        self.faults.extend(sides.keys().map(|path| format!("{name}: {path}: labelled, not found")));
    }

    fn count(&self, is_in: impl Fn(&str, &str) -> bool) -> usize {
        self.counts.iter().filter(|((label, answer), _)| is_in(label, answer)).map(|(_, count)| count).sum()
    }

    fn table(&self) -> String {
        let files = self.count(|_, _| true);
        let mut lines = vec![format!("{files} labelled files of {} projects; a row is a label, a column an answer.\n", self.projects)];
        lines.push(format!("| | {} |", SIDES.join(" | ")));
        lines.push(format!("|---{}|", "|---".repeat(SIDES.len())));
        for label in &SIDES {
            let cells = SIDES.iter().map(|answer| self.count(|one, other| one == *label && other == *answer).to_string());
            lines.push(format!("| **{label}** | {} |", cells.collect::<Vec<_>>().join(" | ")));
        }
        lines.join("\n") + "\n"
    }
}

/// Prints how labels and answers compare, with `-- --nocapture`; `UPDATE_DOCS=1` writes the table into the README.
#[test]
fn matrix_of_the_labelled_projects() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let measured = Measured::of(&root.join("tests/projects"));
    let table = measured.table();
    println!("{}\n\n{table}", measured.faults.join("\n"));
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let (before, rest) = readme.split_once("<!-- matrix -->\n").expect("the place of the table");
    let (known, after) = rest.split_once("<!-- /matrix -->").expect("the end of the table");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        let updated = format!("{before}<!-- matrix -->\n{table}<!-- /matrix -->{after}");
        std::fs::write(root.join("README.md"), updated).unwrap();
    } else {
        assert_eq!(known, table, "the README's table is not what is measured; UPDATE_DOCS=1 writes it");
    }
    let labelled = |label: &'static str| measured.count(move |one, _| one == label);
    let clients_found = measured.count(|label, answer| label == "client" && answer == "client");
    let called_client = measured.count(|label, answer| label == "server" && answer == "client");
    let unknown = measured.count(|label, answer| label != "unknown" && answer == "unknown");
    let files = measured.count(|_, _| true);
    assert!(files >= 400 && measured.projects >= 40, "too little is labelled");
    assert!(clients_found * 100 >= labelled("client") * 99, "client recall is below 99 %");
    assert!(called_client * 100 <= labelled("server") * 2, "more than 2 % of server files are called client");
    assert!(unknown * 100 <= files * 5, "more than 5 % are unknown");
    assert!(measured.faults.iter().all(|fault| !fault.contains("label") || fault.contains("answered")));
}
