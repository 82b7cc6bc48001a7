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
            let text = example.text.replace("{key}", &live_key(1)).replace("{ANSA}", "ANSA");
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
    wrong: Vec<String>,
    /// Labels without keys, and keys without labels.
    faults: Vec<String>,
}

/// Sides as rows and columns; `shared` is client code, and counts as that.
const SIDES: [&str; 6] = ["client", "server", "infra", "docs", "test", "unknown"];

fn side(word: &str) -> &str {
    if word == "shared" { "client" } else { word }
}

/// The labelled projects, by name: their files, and the sides of those with a key.
fn projects() -> BTreeMap<String, BTreeMap<String, BTreeMap<String, String>>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/projects");
    let paths = folder.read_dir().unwrap().map(|entry| entry.unwrap().path());
    let read = |path: std::path::PathBuf| {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        (name, toml::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap())
    };
    paths.map(read).collect()
}

impl Measured {
    /// Every project is the top of a repository of its own, so that none sees another's manifests.
    fn new() -> Self {
        let projects = projects();
        let work = Workspace::new();
        let mut labels = BTreeMap::new();
        for (name, project) in &projects {
            work.write(format!("{name}/.git/HEAD"), "ref: refs/heads/main\n");
            for folder in ["objects", "refs"] {
                std::fs::create_dir(work.path().join(name).join(".git").join(folder)).unwrap();
            }
            for (path, text) in &project["files"] {
                work.write(format!("{name}/{path}"), text.replace("{key}", &live_key(1)).replace("{ANSA}", "ANSA"));
            }
            labels.extend(project["sides"].iter().map(|(path, side)| (format!("{name}/{path}"), side.clone())));
        }
        let mut args = vec!["scan", "--format", "json"];
        args.extend(projects.keys().map(String::as_str));
        let mut measured = Self { projects: projects.len(), ..Self::default() };
        let report = work.run(&args).json();
        // Rules about names and calls fire without a key, and have no label.
        for finding in report["findings"].as_array().unwrap().iter().filter(|finding| !finding["key"].is_null()) {
            measured.compare(finding, &mut labels);
        }
        measured.faults.extend(labels.keys().map(|path| format!("{path}: labelled, and no key found")));
        measured
    }

    fn compare(&mut self, finding: &serde_json::Value, labels: &mut BTreeMap<String, String>) {
        // Names and calls without a key have tests of their own.
        if finding["key"].is_null() {
            return;
        }
        let path = finding["path"].as_str().unwrap();
        let Some(label) = labels.remove(path) else {
            self.faults.push(format!("{path}: a key, and no label"));
            return;
        };
        let (label, answer) = (side(&label), side(finding["side"]["value"].as_str().unwrap()));
        *self.counts.entry((label.to_owned(), answer.to_owned())).or_default() += 1;
        if label != answer {
            self.wrong.push(format!("{path}: {label}, answered {}", finding["side"]));
        }
        if finding["side"]["evidence"].as_array().unwrap().is_empty() {
            self.faults.push(format!("{path}: no evidence"));
        }
    }

    fn count(&self, is_in: impl Fn(&str, &str) -> bool) -> usize {
        self.counts.iter().filter(|((label, answer), _)| is_in(label, answer)).map(|(_, count)| count).sum()
    }

    fn table(&self) -> String {
        let files = self.count(|_, _| true);
        let mut lines = vec![format!(
            "{files} labelled files of {} projects; a row is a label, a column an answer.\n",
            self.projects
        )];
        lines.push(format!("| | {} |", SIDES.join(" | ")));
        lines.push(format!("|---{}|", "|---".repeat(SIDES.len())));
        for label in &SIDES {
            let cells =
                SIDES.iter().map(|answer| self.count(|one, other| one == *label && other == *answer).to_string());
            lines.push(format!("| **{label}** | {} |", cells.collect::<Vec<_>>().join(" | ")));
        }
        lines.join("\n") + "\n"
    }
}

/// Prints how labels and answers compare, with `-- --nocapture`; `UPDATE_DOCS=1` writes the table into the README.
#[test]
fn matrix_of_the_labelled_projects() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let measured = Measured::new();
    let table = measured.table();
    println!("{}\n\n{table}", measured.wrong.join("\n"));
    assert!(measured.faults.is_empty(), "{:#?}", measured.faults);
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
}

/// Every project as a folder of one repository: a checkout and its commit must be judged alike.
#[cfg(unix)]
#[test]
fn a_checkout_and_its_commit_get_the_same_sides() {
    let work = Workspace::new();
    work.git(&["init", "-q"]);
    for (name, project) in projects() {
        for (path, text) in &project["files"] {
            work.write(format!("{name}/{path}"), text.replace("{key}", &live_key(1)).replace("{ANSA}", "ANSA"));
        }
    }
    // What a link leads to is no manifest, on disk or in a tree.
    work.write("linked/pay.js", format!("const key = '{}'", live_key(1)));
    std::os::unix::fs::symlink("../express/package.json", work.path().join("linked/package.json")).unwrap();
    work.git(&["add", "--all", "--force"]);
    work.git(&["commit", "-qm", "all"]);
    let told = |command: &str| -> BTreeMap<String, (String, String)> {
        let report = work.run(&[command, "--format", "json"]).json();
        let findings = report["findings"].as_array().unwrap().iter().filter(|finding| !finding["key"].is_null());
        let side = |finding: &serde_json::Value| {
            (finding["side"]["value"].to_string(), finding["side"]["evidence"][0].to_string())
        };
        findings.map(|finding| (finding["path"].as_str().unwrap().to_owned(), side(finding))).collect()
    };
    let (disk, commit) = (told("scan"), told("history"));
    assert!(disk.len() >= 400 && disk["linked/pay.js"].0.contains("unknown"));
    let differing: Vec<_> = disk.iter().filter(|(path, side)| commit.get(*path) != Some(side)).collect();
    assert!(differing.is_empty(), "{differing:#?}");
}
