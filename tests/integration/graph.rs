//! Who imports a module: small labelled trees, the same on disk and as a commit.

use crate::template::live_key;
use crate::workspace::Workspace;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tree {
    /// What the tree shows.
    why: String,
    /// Path and text; `{key}` is where a key stands.
    files: BTreeMap<String, String>,
    expect: BTreeMap<String, Expected>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    side: String,
    /// What one of the sentences must hold.
    #[serde(default)]
    because: String,
    /// `path:line` of each import from the client entry on; none where it does not matter.
    chain: Option<Vec<String>>,
}

#[test]
fn importers_decide_on_disk_and_in_a_commit_alike() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/graphs");
    let (mut faults, mut labelled) = (Vec::new(), 0);
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let tree: Tree = toml::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let work = Workspace::new();
        for (seed, (path, text)) in (1..).zip(&tree.files) {
            work.write(path, text.replace("{key}", &live_key(seed)));
        }
        let scanned = work.run(&["scan", "--format", "json"]).json();
        let sarif = work.run(&["scan", "--format", "sarif"]).json();
        faults.extend(compare(&format!("{name}, scan"), &tree, &scanned));
        faults.extend(chains(&format!("{name}, sarif"), &tree, &sarif));
        work.git(&["init", "-q"]);
        work.git(&["add", "."]);
        work.git(&["commit", "-q", "-m", "all"]);
        let history = work.run(&["history", "--format", "json"]).json();
        faults.extend(compare(&format!("{name}, history"), &tree, &history));
        labelled += tree.expect.len();
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(labelled >= 40, "only {labelled} modules are labelled");
}

#[test]
fn thousands_of_modules_and_hostile_ones_are_walked() {
    let work = Workspace::new();
    work.write("package.json", r#"{"dependencies": {"express": "5", "react": "19", "react-dom": "19"}}"#);
    for number in 0..5_000 {
        let next = number + 1;
        let next = if next % 50 == 0 { number } else { next };
        work.write(
            format!("src/m{number}.ts"),
            format!("import {{ f as g }} from './m{next}'\nexport const f = () => g\n"),
        );
    }
    work.write("src/m49.ts", format!("export const f = '{}'\n", live_key(1)));
    work.write("src/entry.tsx", "import { f } from './m0'\nimport 'react-dom/client'\ndocument.title = f\n");
    work.write("src/tangled.ts", format!("export const key = '{}'\n", live_key(2)));
    let tangle = "'".repeat(200_000);
    work.write("src/bad.jsx", format!("import {{ key }} from './tangled'\ndocument.title = useState(key)\n{tangle}\n"));
    work.write("src/deep.ts", format!("export const key = '{}'\n", live_key(3)));
    let deep = "(".repeat(100_000);
    work.write("src/nested.jsx", format!("import {{ key }} from './deep'\ndocument.title = useState(key)\n{deep}\n"));
    let report = work.run(&["scan", "--format", "json"]).json();
    let side = |path: &str| {
        let findings = report["findings"].as_array().unwrap();
        findings.iter().find(|finding| finding["path"] == *path).unwrap()["side"].clone()
    };
    assert_eq!(side("src/m49.ts")["value"], "shared");
    assert!(
        side("src/m49.ts")["evidence"][0]
            .as_str()
            .unwrap()
            .contains("`src/entry.tsx` imports it (line 1), through `src/m0.ts`")
    );
    // Read to its end or given up, a module that is hostile to its reader never makes a key look like the server's.
    for path in ["src/tangled.ts", "src/deep.ts"] {
        let side = side(path);
        assert!(side["value"] == "shared" || side["value"] == "unknown", "{path}: {side}");
    }
    let explained = work.run(&["explain", "--side", "src/m49.ts"]);
    assert!(explained.stdout.starts_with("src/m49.ts: shared\n"), "{}{}", explained.stdout, explained.stderr);
}

fn compare(about: &str, tree: &Tree, report: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    let findings = report["findings"].as_array().unwrap();
    for (path, expected) in &tree.expect {
        let Some(finding) = findings.iter().find(|one| one["path"] == **path && one["key"].is_object()) else {
            faults.push(format!("{about}: {path}: not found ({})", tree.why));
            continue;
        };
        let evidence = finding["side"]["evidence"].to_string();
        if finding["side"]["value"] != *expected.side || !evidence.contains(&expected.because) {
            faults.push(format!("{about}: {path}: expected {}, got {}", expected.side, finding["side"]));
        }
    }
    faults
}

/// The flows of a SARIF report.
fn chains(about: &str, tree: &Tree, report: &Value) -> Vec<String> {
    let results = report["runs"][0]["results"].as_array().unwrap();
    let physical = |location: &Value| {
        let physical = &location["physicalLocation"];
        let uri = physical["artifactLocation"]["uri"].as_str().unwrap().to_owned();
        (uri, physical["region"]["startLine"].as_u64().unwrap())
    };
    let mut faults = Vec::new();
    for (path, expected) in &tree.expect {
        let Some(chain) = &expected.chain else { continue };
        let own = |result: &&Value| physical(&result["locations"][0]).0 == *path;
        let result = results.iter().find(own).unwrap();
        let steps = result["codeFlows"][0]["threadFlows"][0]["locations"].as_array().cloned().unwrap_or_default();
        let mut steps: Vec<(String, u64)> = steps.iter().map(|step| physical(&step["location"])).collect();
        let last = steps.pop();
        let steps: Vec<String> = steps.into_iter().map(|(path, line)| format!("{path}:{line}")).collect();
        if steps != *chain || last != Some(physical(&result["locations"][0])) {
            faults.push(format!("{about}: {path}: expected {chain:?}, got {steps:?}, {last:?}"));
        }
    }
    faults
}
