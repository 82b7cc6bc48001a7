//! The formats, held to their schemas, and to what their readers need beyond a schema.

use crate::template::{expand, live_key};
use crate::workspace::Workspace;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

pub fn schema(path: &str) -> jsonschema::Validator {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    // The official schema of SARIF has a stray bracket in one pattern, which strict engines refuse.
    let text = text.replace("[a-zA-Z]{2}]?$", "[a-zA-Z]{2}?$");
    jsonschema::validator_for(&serde_json::from_str(&text).unwrap()).unwrap()
}

pub fn check(validator: &jsonschema::Validator, document: &Value) {
    let faults: Vec<String> =
        validator.iter_errors(document).map(|fault| format!("{}: {fault}", fault.instance_path())).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Trees that between them show everything a report can hold.
fn trees() -> Vec<Workspace> {
    let clean = Workspace::new();
    clean.write("a.txt", "nothing");
    let hostile = Workspace::new();
    hostile.write("x\n::error file=a::pwn\u{1b}[2J\u{202e}txt.env", live_key(1));
    hostile.write("a b#c?d%.env", live_key(2));
    hostile.write("ü.env", format!("{}\u{202e}\u{1b}[0m\n", live_key(3)));
    hostile.write("gone/k.txt", "ansa_sk_live_your_secret_key_here");
    #[cfg(unix)]
    {
        let odd = <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(b"\xff\xfe.env");
        std::fs::write(hostile.path().join(odd), live_key(4)).unwrap();
        std::os::unix::fs::symlink("nowhere", hostile.path().join("link")).unwrap();
    }
    let mixed = Workspace::new();
    mixed.git(&["init", "-q"]);
    mixed.git(&["commit", "-q", "--allow-empty", "-m", "first"]);
    mixed.write(".gitignore", ".env\n");
    mixed.write(".env", format!("ANSA={}\n", live_key(5)));
    mixed.write("src/a.js", format!("document.title = '{}' + '{}'\n", live_key(6), live_key(7)));
    let all = "ansa_sk_sandbox_{uuid} ansa_cs_live_{base64:32} ansa_cs_sandbox_{base64:32} ansa_pk_live_{base64:32}\n";
    mixed.write("all.txt", expand(all, 8).repeat(200));
    vec![clean, hostile, mixed]
}

/// A JSON report is as its published schema says.
pub fn assert_valid(report: &Value) {
    check(&schema("schemas/ansalint-1.schema.json"), report);
}

#[test]
fn json_follows_its_published_schema() {
    let validator = schema("schemas/ansalint-1.schema.json");
    for tree in trees() {
        for more in [&[][..], &["--show-ignored", "--publishable"]] {
            check(&validator, &tree.run(&[&["scan", "--format", "json"], more].concat()).json());
        }
    }
    let mut wrong = trees()[2].run(&["scan", "--format", "json"]).json();
    wrong["findings"][0]["extra"] = 1.into();
    assert!(!validator.is_valid(&wrong));
}

#[test]
fn sarif_follows_the_official_schema() {
    let validator = schema("tests/schemas/sarif-2.1.0.json");
    for tree in trees() {
        let document = tree.run(&["scan", "--format", "sarif", "--publishable"]).json();
        check(&validator, &document);
        rules_and_results_agree(&document["runs"][0]);
    }
}

/// Every region starts at a line, which GitHub's own schema demands beyond the official one.
pub fn regions_have_lines(value: &Value) {
    match value {
        Value::Object(members) => {
            if let Some(region) = members.get("region") {
                assert!(region["startLine"].as_u64().is_some_and(|line| line > 0), "{region}");
            }
            members.values().for_each(regions_have_lines);
        }
        Value::Array(all) => all.iter().for_each(regions_have_lines),
        _ => {}
    }
}

fn rules_and_results_agree(run: &Value) {
    regions_have_lines(run);
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    for rule in rules {
        let id = rule["id"].as_str().unwrap();
        assert!(rule["help"]["markdown"].as_str().unwrap().len() > 40, "{id}");
        assert!(rule["helpUri"].as_str().unwrap().ends_with(&format!("#{}", id.to_lowercase())), "{id}");
        assert!(rule["properties"]["tags"].as_array().unwrap().len() <= 20, "{id}");
        let has_severity =
            !["ANSA3", "ANSA4", "ANSA1005", "ANSA1006", "ANSA1007"].iter().any(|one| id.starts_with(one));
        assert_eq!(rule["properties"]["security-severity"].is_string(), has_severity, "{id}");
    }
    let mut fingerprints = BTreeSet::new();
    for result in run["results"].as_array().unwrap() {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(result["ruleId"], rules[index]["id"]);
        assert_eq!(
            (result["kind"].as_str(), result["message"]["text"].as_str().unwrap().is_empty()),
            (Some("fail"), false)
        );
        let location = &result["locations"][0]["physicalLocation"];
        assert_eq!(location["artifactLocation"]["uriBaseId"], "%SRCROOT%");
        let uri = location["artifactLocation"]["uri"].as_str().unwrap();
        assert!(uri.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~/%".contains(&byte)), "{uri}");
        let prints = &result["partialFingerprints"];
        assert!(prints["primaryLocationLineHash"].as_str().unwrap().contains(':'));
        assert!(
            fingerprints.insert(prints["ansalint/v1"].as_str().unwrap().to_owned()),
            "two results share an identity"
        );
    }
    assert_eq!(run["columnKind"], "utf16CodeUnits");
    assert!(run["originalUriBaseIds"]["%SRCROOT%"]["uri"].is_null());
}

#[test]
fn sarif_uris_decode_to_the_exact_bytes() {
    let document = trees()[1].run(&["scan", "--format", "sarif"]).json();
    let results = document["runs"][0]["results"].as_array().unwrap().clone();
    let uris: Vec<Value> =
        results.iter().map(|one| one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].clone()).collect();
    let expected = [
        "%FF%FE.env",
        "a%20b%23c%3Fd%25.env",
        "x%0A%3A%3Aerror%20file%3Da%3A%3Apwn%1B%5B2J%E2%80%AEtxt.env",
        "%C3%BC.env",
    ];
    assert_eq!(uris, expected);
}

#[test]
fn more_results_than_github_takes_are_counted() {
    let work = Workspace::new();
    for seed in 0..26 {
        let lines: Vec<String> = (0..1_000).map(|line| live_key(seed * 1_000 + line)).collect();
        work.write(format!("{seed}.txt"), lines.join("\n"));
    }
    let run = &work.run(&["scan", "--format", "sarif"]).json()["runs"][0];
    assert_eq!(run["results"].as_array().unwrap().len(), 25_000);
    assert_eq!(run["properties"]["omittedResults"], 1_000);
    let text = work.run(&["scan"]).stdout;
    assert!(text.contains("25500 more findings") && text.contains("26000 errors"), "{}", &text[text.len() - 300..]);
}

#[test]
fn identities_survive_moved_lines() {
    let work = Workspace::new();
    let prints = |text: String| {
        work.write("a.txt", text);
        let document = work.run(&["scan", "--format", "sarif"]).json();
        document["runs"][0]["results"][0]["partialFingerprints"].clone()
    };
    assert_eq!(prints(format!("{}\n", live_key(1))), prints(format!("\n// more\n\n{}\n", live_key(1))));
}

#[test]
fn text_tells_the_side_and_what_to_do() {
    let tree = &trees()[2];
    let text = tree.run(&["scan"]).stdout;
    for part in [
        "error[ANSA1001]: Merchant secret key in client code",
        " --> src/a.js:1:19",
        "= side: client",
        "the code uses `document.title`",
        "contact support@getansa.com",
        "no self-service revocation",
        "as for ANSA1001 above",
        "note: 1 key in files that git ignores and does not track: .env",
        "2 errors, 2 warnings, 2 notes (6 different keys); read 4 files",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    let quiet = tree.run(&["scan", "--quiet"]).stdout;
    assert!(quiet.contains("ANSA1001") && !quiet.contains("read 4 files"));
}

#[test]
fn the_page_of_rules_is_up_to_date() {
    let rules = ansalint::rule::Rules::load(&ansalint::rule::RuleFiles::embedded()).unwrap();
    let page = ansalint::report::rules_page(&rules);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rules.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == page, "docs/rules.md is out of date; run: UPDATE_DOCS=1 cargo test --test integration rules_is_up");
}
