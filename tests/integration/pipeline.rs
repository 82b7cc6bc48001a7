//! `ansalint ci`: events as GitHub tells them, on repositories in the state that a runner has them.

use crate::template::{fingerprint, live_key};
use crate::workspace::{Run, Workspace};
use serde_json::{Value, json};
use std::fs;

/// A repository whose `main` has an old key and a change that adds another.
pub struct Pipeline {
    pub work: Workspace,
    pub old: String,
    pub new: String,
    pub base: String,
    pub head: String,
}

/// Names of commits that the events of these tests need.
fn name(work: &Workspace, revision: &str) -> String {
    let output = std::process::Command::new("git").args(["rev-parse", revision]).current_dir(work.path()).output();
    String::from_utf8(output.unwrap().stdout).unwrap().trim().to_owned()
}

fn commit(work: &Workspace, message: &str) -> String {
    work.git(&["add", "-A"]);
    work.git(&["commit", "-q", "--allow-empty", "-m", message]);
    name(work, "HEAD")
}

impl Pipeline {
    fn new() -> Self {
        let work = Workspace::new();
        work.git(&["init", "-q"]);
        let (old, new) = (live_key(1), live_key(2));
        work.write("old.py", format!("K = '{old}'\n"));
        let base = commit(&work, "base");
        work.git(&["checkout", "-q", "-b", "change"]);
        work.write("new.py", format!("K = '{new}'\n"));
        let head = commit(&work, "change");
        Self { work, old, new, base, head }
    }

    fn pull_request(&self) -> Value {
        json!({
            "pull_request": {"base": {"sha": self.base, "ref": "main"}, "head": {"sha": self.head, "repo": {"full_name": "o/r"}}},
            "repository": {"full_name": "o/r", "private": true, "default_branch": "main"}
        })
    }

    fn run(&self, event: &str, payload: &Value, more: &[&str]) -> Run {
        run(&self.work, event, payload, more)
    }

    fn file(&self, name: &str) -> String {
        file(&self.work, name)
    }
}

fn file(work: &Workspace, name: &str) -> String {
    fs::read_to_string(work.path().join(".git/ci").join(name)).unwrap_or_default()
}

/// Runs the program as the runner would; its files lie where no scan looks.
fn run(work: &Workspace, event: &str, payload: &Value, more: &[&str]) -> Run {
    let folder = work.path().join(".git/ci");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("event.json"), payload.to_string()).unwrap();
    let reports = folder.join("reports");
    let mut command = work.command(&[&["ci", "--reports", reports.to_str().unwrap()], more].concat());
    command.env("GITHUB_ACTIONS", "true").env("GITHUB_EVENT_NAME", event);
    command.env("GITHUB_EVENT_PATH", folder.join("event.json"));
    command.env("GITHUB_STEP_SUMMARY", folder.join("summary.md")).env("GITHUB_OUTPUT", folder.join("outputs"));
    // What a hostile step before may have left (nothing of it is for this program).
    for name in
        ["GIT_DIR", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_INDEX_FILE", "GIT_WORK_TREE"]
    {
        command.env(name, "/nonexistent");
    }
    command.env("GIT_CONFIG_COUNT", "1").env("GIT_CONFIG_KEY_0", "core.fsmonitor").env("GIT_CONFIG_VALUE_0", "false");
    let run: Run = command.output().unwrap().into();
    for text in [&run.stdout, &run.stderr, &file(work, "summary.md"), &file(work, "outputs")] {
        assert!((1..9).all(|seed| !text.contains(&live_key(seed)[13..])), "a key in {text}");
    }
    run
}

fn push(before: &str, after: &str) -> Value {
    json!({"ref": "refs/heads/change", "before": before, "after": after,
        "repository": {"full_name": "o/r", "private": true, "default_branch": "main"}})
}

fn output(work: &Workspace, name: &str) -> String {
    let outputs = file(work, "outputs");
    let line = outputs.lines().find_map(|line| line.strip_prefix(&format!("{name}=")));
    line.unwrap_or_else(|| panic!("no output {name} in {outputs}")).to_owned()
}

fn results(work: &Workspace, name: &str) -> Vec<String> {
    let report: Value = serde_json::from_str(&file(work, &format!("reports/{name}"))).unwrap();
    let uri =
        |one: &Value| one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].as_str().unwrap().to_owned();
    let mut uris: Vec<String> = report["runs"][0]["results"].as_array().unwrap().iter().map(uri).collect();
    uris.sort();
    uris
}

#[test]
fn a_pull_request_fails_for_what_it_adds_and_uploads_the_tree() {
    let pipeline = Pipeline::new();
    let run = pipeline.run("pull_request", &pipeline.pull_request(), &[]);
    assert_eq!(run.code, Some(1), "{}{}", run.stdout, run.stderr);
    let annotations: Vec<&str> = run.stdout.lines().filter(|line| line.starts_with("::")).collect();
    assert!(annotations.len() == 1 && annotations[0].starts_with("::error file=new.py,line=1"), "{annotations:?}");
    assert_eq!(results(&pipeline.work, "ansalint-tree.sarif"), ["new.py", "old.py"]);
    assert!(!pipeline.work.path().join(".git/ci/reports/ansalint-history.sarif").exists());
    let summary = pipeline.file("summary.md");
    assert!(summary.contains("new.py") && summary.contains("1 of them added by this change; this fails"), "{summary}");
    let told = |name: &str| output(&pipeline.work, name);
    assert_eq!((told("findings"), told("new-findings"), told("exit-code")), ("2".into(), "1".into(), "1".into()));
    assert!(told("sarif-file").ends_with("ansalint-tree.sarif") && told("complete") == "true");
    assert_eq!((told("uploadable"), told("version")), ("false".into(), env!("CARGO_PKG_VERSION").into()));
    let report: Value = serde_json::from_str(&pipeline.file("reports/ansalint.json")).unwrap();
    let news: Vec<_> = report["findings"].as_array().unwrap().iter().map(|one| one["new"].as_bool().unwrap()).collect();
    assert_eq!((report["command"].as_str(), news), (Some("ci"), vec![true, false]));
}

#[test]
fn gates_and_enforcement_decide_what_fails() {
    let mut pipeline = Pipeline::new();
    let code = |pipeline: &Pipeline, more: &[&str]| {
        let run = pipeline.run("pull_request", &pipeline.pull_request(), more);
        (run.code, output(&pipeline.work, "exit-code"))
    };
    assert_eq!(code(&pipeline, &["--gate", "none"]), (Some(0), "0".into()));
    assert_eq!(code(&pipeline, &["--enforce", "false"]), (Some(0), "1".into()));
    pipeline.work.git(&["rm", "-q", "new.py"]);
    pipeline.work.git(&["commit", "-q", "--amend", "--allow-empty", "-m", "nothing"]);
    pipeline.head = name(&pipeline.work, "HEAD");
    assert_eq!(code(&pipeline, &[]), (Some(0), "0".into()));
    assert_eq!(code(&pipeline, &["--gate", "all"]), (Some(1), "1".into()));
    let told = |gate| pipeline.run("pull_request", &pipeline.pull_request(), &["--gate", gate]).stdout;
    assert!(told("all").contains("::error file=old.py"), "what fails is annotated: {}", told("all"));
    assert!(!told("new").contains("file=old.py"), "{}", told("new"));
}

#[test]
fn what_only_a_commit_between_or_a_merge_holds_is_found() {
    let pipeline = Pipeline::new();
    let work = &pipeline.work;
    work.git(&["rm", "-q", "new.py"]);
    let head = commit(work, "removed again");
    let event = json!({"pull_request": {"base": {"sha": pipeline.base}, "head": {"sha": head}}, "repository": {"private": true}});
    let run = pipeline.run("pull_request", &event, &[]);
    assert_eq!(run.code, Some(1));
    assert!(run.stdout.contains("::error file=new.py"), "{}", run.stdout);
    work.git(&["checkout", "-q", "-b", "side", "main"]);
    commit(work, "side");
    work.git(&["checkout", "-q", "-b", "merged", "main"]);
    work.git(&["merge", "-q", "--no-ff", "--no-commit", "side"]);
    work.write("merge.py", format!("K = '{}'\n", live_key(3)));
    let merge = commit(work, "merge");
    work.git(&["rm", "-q", "merge.py"]);
    let head = commit(work, "gone");
    let event = json!({"pull_request": {"base": {"sha": pipeline.base}, "head": {"sha": head}}, "repository": {"private": true}});
    let run = pipeline.run("pull_request", &event, &[]);
    assert!(run.code == Some(1) && run.stdout.contains("merge.py") && run.stdout.contains(&merge), "{}", run.stdout);
}

#[test]
fn in_public_repositories_logs_count_what_is_only_in_history() {
    let pipeline = Pipeline::new();
    let work = &pipeline.work;
    work.git(&["rm", "-q", "new.py"]);
    let head = commit(work, "removed again");
    let event = json!({"pull_request": {"base": {"sha": pipeline.base}, "head": {"sha": head}}, "repository": {"private": false}});
    let run = pipeline.run("pull_request", &event, &[]);
    assert_eq!(run.code, Some(1));
    let (summary, report) = (pipeline.file("summary.md"), pipeline.file("reports/ansalint.json"));
    for text in [&run.stdout, &summary, &report] {
        assert!(!text.contains("new.py") && !text.contains(&fingerprint(&pipeline.new)), "{text}");
    }
    assert!(run.stdout.contains("1 finding is only in history and not shown"), "{}", run.stdout);
    // A headline counts it.
    assert!(summary.starts_with("## ansalint: 2 errors; 1 of them only in history, and not shown\n"), "{summary}");
    assert!(summary.contains("\n2 different keys; "), "{summary}");
    assert!(run.stdout.contains("ansalint: 1 error; 1 of them only in history, and not shown\n"), "{}", run.stdout);
    assert!(!format!("{}{summary}", run.stdout).contains("nothing found"), "{}{summary}", run.stdout);
    let stored = work.run(&["report", ".git/ci/reports/ansalint.json", "--format", "text"]);
    let last = stored.stdout.trim_end().lines().last().unwrap_or_default().to_owned();
    assert!(last.starts_with("2 errors; 1 of them only in history, and not shown (2 different keys)"), "{last}");
    let again = work.run(&["report", "merge", ".git/ci/reports/ansalint.json", "--format", "json"]).json();
    assert_eq!(again["summary"]["withheld"]["error"], 1, "{again}");
    crate::formats::assert_valid(&again);
    assert!(run.stdout.contains(&format!("ansalint range {}..{head}", pipeline.base)), "{}", run.stdout);
    let run = pipeline.run("schedule", &json!({"repository": {"private": false}}), &[]);
    assert_eq!(run.code, Some(0), "{}", run.stdout);
    assert!(run.stdout.contains("file=old.py") && !run.stdout.contains("new.py"), "{}", run.stdout);
    assert_eq!(results(work, "ansalint-history.sarif").len(), 2);
    assert_eq!(results(work, "ansalint-tree.sarif"), ["old.py"]);
}

#[test]
fn a_push_is_judged_by_where_the_branch_was() {
    let pipeline = Pipeline::new();
    let Pipeline { work, base, head, .. } = &pipeline;
    let code = |payload: &Value| pipeline.run("push", payload, &[]).code;
    let counts = || (output(work, "findings"), output(work, "new-findings"));
    let zeros = "0".repeat(40);
    assert_eq!((code(&push(base, head)), counts()), (Some(1), ("2".into(), "1".into())));
    // A new branch, with and without something to compare with.
    assert_eq!((code(&push(&zeros, head)), counts()), (Some(1), ("2".into(), "2".into())));
    work.git(&["update-ref", "refs/remotes/origin/main", base]);
    assert_eq!((code(&push(&zeros, head)), counts()), (Some(1), ("2".into(), "1".into())));
    // A push by force over something that is gone, and over something that is not.
    let mut forced = push(&"1".repeat(40), head);
    forced["forced"] = true.into();
    assert_eq!((code(&forced), counts()), (Some(1), ("2".into(), "1".into())));
    work.git(&["update-ref", "-d", "refs/remotes/origin/main"]);
    assert_eq!((code(&forced), counts()), (Some(1), ("2".into(), "2".into())));
    // Not by force, and gone: nobody can tell what is new.
    let run = pipeline.run("push", &push(&"1".repeat(40), head), &[]);
    assert!(run.code == Some(2) && run.stderr.contains("fetch-depth: 0"), "{}", run.stderr);
    let mut deleted = push(head, &zeros);
    deleted["deleted"] = true.into();
    let run = pipeline.run("push", &deleted, &[]);
    assert!(run.code == Some(0) && run.stdout.contains("deleted"), "{}", run.stdout);
    assert_eq!(output(work, "exit-code"), "0");
}

#[test]
fn a_shallow_checkout_is_an_error_that_says_what_to_set() {
    let pipeline = Pipeline::new();
    let shallow = Workspace::new();
    let from = format!("file://{}", pipeline.work.path().display());
    shallow.git(&["clone", "-q", "--depth", "1", "--branch", "change", &from, "."]);
    let run = run(&shallow, "pull_request", &pipeline.pull_request(), &[]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""));
    assert!(run.stderr.contains("not available") && run.stderr.contains("fetch-depth: 0"), "{}", run.stderr);
}

#[test]
fn a_change_cannot_allow_its_own_key_and_is_told_the_way_out() {
    let mut pipeline = Pipeline::new();
    let entry = format!("[[allow]]\nfingerprint = \"{}\"\nreason = \"trust me\"\n", fingerprint(&pipeline.new));
    pipeline.work.write("ansalint.toml", &entry);
    pipeline.head = commit(&pipeline.work, "allowed by itself");
    let run = pipeline.run("pull_request", &pipeline.pull_request(), &[]);
    assert_eq!(run.code, Some(1), "{}", run.stdout);
    for part in
        ["suppression added in this change", "[[allow]]", "ANSALINT_ALLOW", "of the branch main (now ", &pipeline.base]
    {
        assert!(run.stdout.contains(part), "{part}: {}", run.stdout);
    }
    let run = pipeline.run("pull_request", &pipeline.pull_request(), &["--allow", &fingerprint(&pipeline.new)]);
    assert_eq!(run.code, Some(0), "{}", run.stdout);
    assert!(!pipeline.file("reports/ansalint-tree.sarif").contains("new.py"));
    // A push is judged by what is pushed.
    assert_eq!(pipeline.run("push", &push(&pipeline.base, &pipeline.head), &[]).code, Some(0));
}

#[test]
fn a_change_of_settings_alone_that_brings_an_old_key_into_a_client_is_new() {
    let work = Workspace::new();
    work.git(&["init", "-q"]);
    work.write("web/package.json", "{\"dependencies\": {\"express\": \"4\"}}");
    work.write("web/src/pay.ts", format!("export const key = '{}'\n", live_key(1)));
    work.write("api/package.json", "{\"dependencies\": {\"express\": \"4\"}}");
    work.write("api/src/pay.ts", format!("export const key = '{}'\n", live_key(2)));
    work.write("old/package.json", "{\"dependencies\": {\"vite\": \"5\", \"react-dom\": \"18\"}}");
    work.write("old/src/pay.ts", format!("export const key = '{}'\n", live_key(3)));
    let base = commit(&work, "base");
    work.write("web/package.json", "{\"dependencies\": {\"vite\": \"5\", \"react-dom\": \"18\"}}");
    work.write("api/package.json", "{\"dependencies\": {\"express\": \"5\"}}");
    let head = commit(&work, "settings");
    let payload = json!({
        "pull_request": {"base": {"sha": base}, "head": {"sha": head, "repo": {"full_name": "o/r"}}},
        "repository": {"full_name": "o/r", "private": true, "default_branch": "main"}
    });
    let run = run(&work, "pull_request", &payload, &[]);
    assert_eq!(run.code, Some(1), "{}{}", run.stdout, run.stderr);
    assert!(run.stdout.contains("::error file=web/src/pay.ts"), "{}", run.stdout);
    assert!(
        !run.stdout.contains("file=api/src/pay.ts") && !run.stdout.contains("file=old/src/pay.ts"),
        "{}",
        run.stdout
    );
    assert!(run.stdout.contains("1 old key is in client code through this change"), "{}", run.stdout);
    let report: Value = serde_json::from_str(&file(&work, "reports/ansalint.json")).unwrap();
    let news: Vec<(&str, bool)> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["path"].as_str().unwrap(), one["new"].as_bool().unwrap()))
        .collect();
    assert_eq!(news, [("api/src/pay.ts", false), ("old/src/pay.ts", false), ("web/src/pay.ts", true)]);
    assert!(report["findings"][2]["side"]["evidence"].to_string().contains("the key was here before"), "{report}");
    // From where the settings were changed already, nothing is new.
    let after = commit(&work, "more");
    let run = self::run(&work, "push", &push(&head, &after), &[]);
    assert_eq!(run.code, Some(0), "{}", run.stdout);
}

#[test]
fn a_merge_queue_is_a_change_like_any_other() {
    let pipeline = Pipeline::new();
    let event =
        json!({"merge_group": {"base_sha": pipeline.base, "head_sha": pipeline.head}, "repository": {"private": true}});
    assert_eq!(pipeline.run("merge_group", &event, &[]).code, Some(1));
    assert_eq!(output(&pipeline.work, "new-findings"), "1");
}

#[test]
fn pull_request_target_is_warned_of() {
    let pipeline = Pipeline::new();
    let run = pipeline.run("pull_request_target", &pipeline.pull_request(), &[]);
    assert_eq!(run.code, Some(1));
    assert!(run.stdout.starts_with("::warning title=ansalint::pull_request_target"), "{}", run.stdout);
}

#[test]
fn a_fork_needs_no_right_and_is_not_uploaded() {
    let pipeline = Pipeline::new();
    let mut event = pipeline.pull_request();
    event["repository"]["private"] = false.into();
    assert_eq!(pipeline.run("pull_request", &event, &[]).code, Some(1));
    assert_eq!(output(&pipeline.work, "uploadable"), "true");
    event["pull_request"]["head"]["repo"]["full_name"] = "x/r".into();
    assert_eq!(pipeline.run("pull_request", &event, &[]).code, Some(1));
    assert_eq!(output(&pipeline.work, "uploadable"), "false");
}

#[test]
fn surveys_look_at_everything_and_a_schedule_fails_nothing() {
    let pipeline = Pipeline::new();
    let event = json!({"repository": {"private": true}});
    let run = pipeline.run("schedule", &event, &[]);
    assert!(run.code == Some(0) && run.stdout.contains("the gate is `none`"), "{}", run.stdout);
    assert_eq!(results(&pipeline.work, "ansalint-history.sarif"), ["new.py", "old.py"]);
    assert_eq!(pipeline.run("workflow_dispatch", &event, &[]).code, Some(1));
    assert_eq!(pipeline.run("workflow_dispatch", &event, &["--history", "never"]).code, Some(1));
    assert!(!pipeline.work.path().join(".git/ci/reports/ansalint-history.sarif").exists());
}

#[test]
fn a_policy_may_be_tightened_and_not_loosened() {
    let pipeline = Pipeline::new();
    let policy = pipeline.work.write(".git/policy.toml", "fail-on = \"warning\"\n");
    let arguments = ["--policy", policy.to_str().unwrap(), "--gate", "all"];
    let event = json!({"repository": {"private": true}});
    let run = |own: &str, policy_text: &str| {
        pipeline.work.write("ansalint.toml", own);
        fs::write(&policy, policy_text).unwrap();
        pipeline.run("workflow_dispatch", &event, &arguments)
    };
    for own in [
        "exclude = [\"*.py\"]\n",
        "[rules]\nmerchant-secret-key-in-source = \"off\"\n",
        "[rules]\nANSA1004 = \"note\"\n",
        "[rules]\nmerchant-secret-key-in-source = \"note\"\n",
        "[sides]\n\"*.py\" = \"test\"\n",
        "[limits]\narchive-depth = 0\n",
        "[limits]\ndecode-depth = 1\n",
    ] {
        assert_eq!(run(own, "").code, Some(1), "{own}");
        let told = run(own, "fail-on = \"warning\"\n").stdout;
        assert!(told.contains("looser than the policy, and does not hold"), "{told}");
    }
    let lenient = "[rules]\nmerchant-secret-key-in-source = \"note\"\n";
    assert_eq!(run("", lenient).code, Some(0));
    assert_eq!(run("fail-on = \"note\"\n", lenient).code, Some(1));
    assert_eq!(run("[rules]\nANSA1004 = \"error\"\n", lenient).code, Some(1));
    assert_eq!(run("fail-on = \"error\"\n", "fail-on = \"note\"\n[rules]\nANSA1004 = \"note\"\n").code, Some(1));
    let allowed =
        |key: &str| format!("[[allow]]\nfingerprint = \"{}\"\nreason = \"being replaced\"\n", fingerprint(key));
    assert_eq!(run(&(allowed(&pipeline.old) + &allowed(&pipeline.new)), "").code, Some(0));
    let missing = pipeline.run("workflow_dispatch", &event, &["--policy", "gone.toml"]);
    assert!(missing.code == Some(2) && missing.stderr.contains("gone.toml"), "{}", missing.stderr);
}

#[test]
fn events_that_are_not_understood_are_errors() {
    let pipeline = Pipeline::new();
    for (event, payload) in
        [("push", json!([])), ("push", json!({})), ("pull_request", json!({})), ("merge_group", json!({}))]
    {
        let run = pipeline.run(event, &payload, &[]);
        assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{event} {payload}");
        assert!(run.stderr.contains("event"), "{}", run.stderr);
    }
    let run = pipeline.work.run(&["ci"]);
    assert!(run.code == Some(2) && run.stderr.contains("--base"), "{}", run.stderr);
    // Elsewhere than on GitHub, the base is named; zeros are none.
    let run = pipeline.work.run(&["ci", "--base", &"0".repeat(40)]);
    assert!(run.code == Some(1) && run.stdout.contains("2 of them added by this change"), "{}", run.stdout);
    let run = pipeline.work.run(&["ci", "--base", "main"]);
    assert!(run.code == Some(1) && run.stdout.contains("new.py") && !run.stdout.contains("::error"), "{}", run.stdout);
}
