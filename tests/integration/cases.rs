//! Runs every `tests/cases/*.toml`: files to lay out, a command, and what it must report. No Rust to add one.

use crate::template::expand;
use crate::workspace::Workspace;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Case {
    /// What the case shows.
    why: String,
    /// Arguments behind `scan --format json`.
    #[serde(default)]
    args: Vec<String>,
    /// The exit code.
    exit: i32,
    /// Path and content; keys are templates.
    files: BTreeMap<String, String>,
    /// Every finding, in order; only the named fields are compared.
    #[serde(default)]
    findings: Vec<Expected>,
    /// Counts of rejected candidates.
    #[serde(default)]
    ignored: BTreeMap<String, u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    code: String,
    path: String,
    level: Option<String>,
    side: Option<String>,
    /// The variable, endpoint or host.
    subject: Option<String>,
    /// What one of the sentences of evidence must hold.
    because: Option<String>,
    /// `line:column-column` of every place.
    places: Option<Vec<String>>,
}

#[test]
fn every_case_reports_what_it_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut count = 0;
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let case: Case =
            toml::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap_or_else(|error| panic!("{name}: {error}"));
        run(&name, &case);
        count += 1;
    }
    assert!(count >= 10, "the cases have gone");
}

fn run(name: &str, case: &Case) {
    let about = format!("{name}: {}", case.why);
    let work = Workspace::new();
    for (path, text) in &case.files {
        work.write(path, expand(text, 1));
    }
    let mut args = vec!["scan", "--format", "json"];
    args.extend(case.args.iter().map(String::as_str));
    let run = work.run(&args);
    assert_eq!(run.code, Some(case.exit), "{about}\n{}{}", run.stdout, run.stderr);
    let report = run.json();
    let findings = report["findings"].as_array().unwrap();
    let seen: Vec<(&str, &str)> = findings.iter().map(|one| (text(&one["code"]), text(&one["path"]))).collect();
    let expected: Vec<(&str, &str)> = case.findings.iter().map(|one| (one.code.as_str(), one.path.as_str())).collect();
    assert_eq!(seen, expected, "{about}");
    for (finding, expected) in findings.iter().zip(&case.findings) {
        compare(&about, finding, expected);
    }
    let ignored: BTreeMap<String, u64> =
        serde_json::from_value(report["summary"]["ignored"]["by_class"].clone()).unwrap();
    assert_eq!(ignored, case.ignored, "{about}");
}

fn compare(about: &str, finding: &Value, expected: &Expected) {
    if let Some(level) = &expected.level {
        assert_eq!(text(&finding["level"]), level, "{about}");
    }
    if let Some(side) = &expected.side {
        assert_eq!(text(&finding["side"]["value"]), side, "{about}: {}", finding["side"]["evidence"]);
    }
    if let Some(subject) = &expected.subject {
        assert_eq!(text(&finding["subject"]), expand(subject, 1), "{about}");
    }
    if let Some(because) = &expected.because {
        let evidence = finding["side"]["evidence"].to_string();
        assert!(evidence.contains(&expand(because, 1)), "{about}: {evidence}");
    }
    if let Some(places) = &expected.places {
        let seen: Vec<String> = finding["places"].as_array().unwrap().iter().map(place).collect();
        assert_eq!(&seen, places, "{about}");
    }
}

fn place(place: &Value) -> String {
    let (start, end) = (&place["start"], &place["end"]);
    assert_eq!(start["line"], end["line"]);
    format!("{}:{}-{}", start["line"], start["column"], end["column"])
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}
