//! Live keys in client code: what a repository says of its own sides does not make them easier to silence.

use crate::template::{expand, fingerprint, live_key};
use crate::workspace::Workspace;
use serde_json::Value;

/// A live key that the code itself says is in a client, and a configuration that puts its folder elsewhere.
fn taken(side: &str, more: &str) -> (Workspace, String) {
    let work = Workspace::new();
    work.git(&["init", "-q"]);
    let key = live_key(1);
    work.write("web/pay.js", format!("document.title = '{key}'\n"));
    work.write("ansalint.toml", format!("{more}[sides]\n\"web/**\" = \"{side}\"\n"));
    (work, key)
}

fn scan(work: &Workspace) -> (Option<i32>, Value, String) {
    let run = work.run(&["scan", "--format", "json"]);
    let report = run.json();
    let remarks = report["remarks"].to_string();
    (run.code, report, remarks)
}

#[test]
fn a_glob_over_sides_does_not_make_a_live_client_key_easier_to_silence() {
    for side in ["server", "test", "docs", "infra", "unknown"] {
        let (work, key) = taken(side, "exclude = [\"web\"]\n[rules]\nmerchant-secret-key-in-source = \"off\"\n");
        let allowed = format!("// ansalint: allow {} -- trust me\ndocument.title = '{key}'\n", fingerprint(&key));
        work.write("web/pay.js", allowed);
        let (code, report, remarks) = scan(&work);
        let finding = &report["findings"][0];
        assert_eq!((code, finding["level"].as_str()), (Some(1), Some("error")), "{report}");
        // The side is the one that was asked for, with the evidence and with what it overrules.
        assert_eq!(
            (finding["side"]["value"].as_str(), finding["side"]["overruled"].as_str()),
            (Some(side), Some("client"))
        );
        let evidence = finding["side"]["evidence"][0].as_str().unwrap();
        assert!(evidence.contains("`web/**`") && evidence.contains("the code itself says client"), "{evidence}");
        for part in ["`[sides]` puts", "no comment allows", "`web` is left out", "does not hold for ANSA1004"] {
            assert!(remarks.contains(part), "{part}: {remarks}");
        }
    }
}

#[test]
fn a_side_explained_tells_what_the_configuration_sets() {
    let (work, _) = taken("server", "");
    work.write("api/a.py", "x\n");
    let run = work.run(&["explain", "--side", "web/pay.js", "--side", "api/a.py"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(run.stdout.starts_with("web/pay.js: server\n"), "{}", run.stdout);
    assert_eq!(run.stdout.matches("the configuration puts `web/**` on side server").count(), 1, "{}", run.stdout);
    assert!(run.stdout.contains("against client: "), "{}", run.stdout);
}

#[test]
fn what_the_code_says_holds_for_baselines_entries_and_ignored_files_too() {
    let (work, key) = taken("server", "");
    let entry = format!("[[allow]]\nfingerprint = \"{}\"\nreason = \"x\"\n", fingerprint(&key));
    let sides = "[sides]\n\"web/**\" = \"server\"\n";
    work.write("ansalint.toml", format!("{entry}{sides}"));
    let (code, _, remarks) = scan(&work);
    assert!(code == Some(1) && remarks.contains("needs `owner` and `expires`"), "{remarks}");
    work.write("ansalint.toml", sides);
    let made = work.run(&["baseline", "create"]);
    assert!(made.code == Some(1) && made.stdout.contains("NOT ADDED: 1 live key in client code"), "{}", made.stdout);
    // A stored report has it too.
    work.run(&["scan", "--format", "json", "--output", "s.json"]);
    let made = work.run(&["baseline", "update", "--from", "s.json"]);
    assert!(made.code == Some(1) && made.stdout.contains("NOT ADDED"), "{}", made.stdout);
    assert_eq!(work.run(&["baseline", "update", "--owner", "web team"]).code, Some(0));
    let (code, _, remarks) = scan(&work);
    assert!(code == Some(0) && remarks.contains("web team answers for it"), "{remarks}");
    std::fs::remove_file(work.path().join("ansalint-baseline.jsonl")).unwrap();
    work.write(".gitignore", "web\n");
    assert_eq!(scan(&work).0, Some(1));
}

#[test]
fn a_side_that_the_code_does_not_contradict_is_simply_taken() {
    let work = Workspace::new();
    work.write("api/pay.py", format!("K = '{}'\n", live_key(1)));
    work.write("web/pay.js", format!("document.title = '{}'\n", expand("ansa_sk_sandbox_{base62:32}", 2)));
    work.write(
        "ansalint.toml",
        "exclude = [\"api\"]\n[rules]\nANSA1104 = \"off\"\n[sides]\n\"api/**\" = \"test\"\n\"web/**\" = \"server\"\n",
    );
    let (code, report, remarks) = scan(&work);
    assert_eq!((code, report["summary"]["suppressed"].as_u64()), (Some(0), Some(2)), "{report}");
    // A sandbox key is no live one, and a glob that takes it out of client code is told all the same.
    assert!(remarks.matches("`[sides]` puts").count() == 1 && !remarks.contains("live key"), "{remarks}");
}
