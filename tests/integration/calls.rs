//! Findings without a key: the examples beside the rules, and the same answers from a folder and from its commit.

use crate::template::{expand, live_key};
use crate::workspace::Workspace;
use ansalint::rule::{RuleFiles, Rules};
use serde_json::Value;
use std::collections::BTreeSet;

/// Code, path and subject of every finding without a key.
fn told(report: &Value) -> BTreeSet<(String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let findings = report["findings"].as_array().unwrap().iter().filter(|one| one["key"].is_null());
    findings.map(|one| (text(&one["code"]), text(&one["path"]), text(&one["subject"]))).collect()
}

#[test]
fn every_mechanism_gets_its_examples_right() {
    let rules = Rules::load(&RuleFiles::embedded()).unwrap().calls;
    let mut faults = Vec::new();
    for one in &rules.mechanism {
        assert!(!one.positive.is_empty(), "{} has no example", one.why);
        let examples = one.positive.iter().map(|example| (example, true));
        for ((path, text), is_told) in examples.chain(one.negative.iter().map(|example| (example, false))) {
            let work = Workspace::new();
            work.write(path, expand(text, 1));
            let report = work.run(&["scan", "--format", "json"]).json();
            let codes: Vec<String> = told(&report).into_iter().map(|(code, _, _)| code).collect();
            if codes.contains(&"ANSA1005".to_owned()) != is_told {
                faults.push(format!("{path}: {text}: {codes:?}"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_commit_is_told_of_like_the_folder_it_came_from() {
    let work = Workspace::new();
    work.write("package.json", r#"{"dependencies": {"@remix-run/react": "2", "react": "19", "react-dom": "19"}}"#);
    work.write("src/a.jsx", "import { useState } from 'react'\nconst k = import.meta.env.VITE_ANSA_SECRET\n");
    work.write("src/pay.jsx", "import { useState } from 'react'\nimport { url } from './url'\nfetch(url)\n");
    work.write("src/url.js", "export const url = 'https://api.getansa.com/v1/initialize-payment-session'\n");
    work.write("app/routes/r.jsx", "export const loader = () => ({ ansaSecretKey: row.k })\n");
    work.write("live.py", format!("import requests\nu = 'api-sandbox.getansa.com'\nk = '{}'\n", live_key(1)));
    work.write("server.py", "import flask\nk = os.environ['ANSA_SECRET_KEY']\nu = 'api.getansa.com/v1/transactions'\n");
    let scanned = told(&work.run(&["scan", "--format", "json"]).json());
    let expected = [
        ("ANSA1005", "src/a.jsx", "VITE_ANSA_SECRET"),
        ("ANSA1006", "src/url.js", "initialize-payment-session"),
        ("ANSA1007", "app/routes/r.jsx", "ansaSecretKey"),
        ("ANSA4001", "live.py", "api-sandbox.getansa.com"),
    ];
    let expected = expected.map(|(code, path, subject)| (code.to_owned(), path.to_owned(), subject.to_owned()));
    assert_eq!(scanned, BTreeSet::from(expected));
    work.git(&["init", "-q"]);
    work.git(&["add", "."]);
    work.git(&["commit", "-q", "-m", "all"]);
    assert_eq!(told(&work.run(&["history", "--format", "json"]).json()), scanned);
}

#[test]
fn without_a_key_an_identity_is_over_rule_and_subject() {
    let work = Workspace::new();
    work.write(
        "a.sh",
        expand("flutter build --dart-define={ANSA}_SECRET=$A\nflutter run --dart-define={ANSA}_SECRET=$A\n", 1),
    );
    let report = work.run(&["scan", "--format", "json"]).json();
    let finding = &report["findings"][0];
    assert_eq!(report["findings"].as_array().unwrap().len(), 1);
    assert_eq!(finding["places"].as_array().unwrap().len(), 2);
    let first = finding["id"].clone();
    work.write("a.sh", expand("\n\nflutter build --dart-define={ANSA}_SECRET=$A\n", 1));
    let report = work.run(&["scan", "--format", "json"]).json();
    assert_eq!(report["findings"][0]["id"], first);
    let text = work.run(&["scan"]);
    assert_eq!(text.code, Some(1));
    assert!(text.stdout.contains("ANSA_SECRET") && text.stdout.contains("ANSA1005"), "{}", text.stdout);
}
