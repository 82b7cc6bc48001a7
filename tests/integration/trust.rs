//! `--policy-from`: a change cannot silence its own findings, and what it tried is said.

use crate::template::{fingerprint, live_key};
use crate::workspace::Workspace;
use serde_json::Value;

/// A repository whose `main` has one commit, with a branch that adds a key.
fn change() -> (Workspace, String) {
    let work = Workspace::new();
    work.git(&["init", "-q"]);
    work.write("readme.txt", "nothing");
    work.git(&["add", "."]);
    work.git(&["commit", "-q", "-m", "base"]);
    work.git(&["checkout", "-q", "-b", "change"]);
    let key = live_key(1);
    work.write("a.py", format!("K = '{key}'\n"));
    (work, key)
}

fn scan(work: &Workspace, more: &[&str]) -> (Option<i32>, Value, String) {
    let run = work.run(&[&["scan", "--format", "json", "--policy-from", "main"], more].concat());
    let report = run.json();
    let remarks = report["remarks"].to_string();
    (run.code, report, remarks)
}

fn assert_reported(work: &Workspace, by: &str) {
    assert_eq!(work.run(&["scan"]).code, Some(0), "without a base the change would have silenced it");
    let (code, report, remarks) = scan(work, &[]);
    assert_eq!((code, report["findings"][0]["path"].as_str()), (Some(1), Some("a.py")), "{report}");
    assert_eq!(report["summary"]["suppressed"], 0);
    assert!(remarks.contains("suppression added in this change") && remarks.contains(by), "{remarks}");
}

#[test]
fn an_entry_added_with_the_key_is_reported_and_does_not_hold() {
    let (work, key) = change();
    let entry = format!("[[allow]]\nfingerprint = \"{}\"\nreason = \"trust me\"\n", fingerprint(&key));
    work.write("ansalint.toml", entry);
    assert_reported(&work, "by entry");
}

#[test]
fn a_comment_added_with_the_key_is_reported_and_does_not_hold() {
    let (work, key) = change();
    let line = format!("K = '{key}' # ansalint: allow {} -- trust me\n", fingerprint(&key));
    work.write("a.py", &line);
    assert_reported(&work, "by comment");
    // Once it is on the base, it holds.
    work.git(&["add", "."]);
    work.git(&["commit", "-q", "-m", "allowed"]);
    work.git(&["branch", "-f", "main"]);
    let (code, report, _) = scan(&work, &[]);
    assert_eq!((code, report["summary"]["suppressed_by"]["comment"].as_u64()), (Some(0), Some(1)));
}

#[test]
fn a_rule_turned_off_or_a_path_left_out_in_the_change_does_not_hold() {
    for (text, by) in
        [("[rules]\nmerchant-secret-key-in-source = \"off\"\n", "by rule"), ("exclude = [\"a.py\"]\n", "by path")]
    {
        let (work, _) = change();
        work.write("ansalint.toml", text);
        assert_reported(&work, by);
    }
    let (work, _) = change();
    work.write("ansalint.toml", "fail-on = \"error\"\n[rules]\nmerchant-secret-key-in-source = \"note\"\n");
    let (code, report, remarks) = scan(&work, &[]);
    assert_eq!((code, report["findings"][0]["level"].as_str()), (Some(1), Some("error")));
    assert!(
        remarks.contains("level lowered in this change") && remarks.contains("differ from those of main"),
        "{remarks}"
    );
}

#[test]
fn whatever_a_change_sets_otherwise_is_named() {
    let (work, _) = change();
    let [dead, allowed] = [7, 8].map(|seed| fingerprint(&live_key(seed)));
    work.git(&["checkout", "-q", "main"]);
    work.write(
        "ansalint.toml",
        "fail-on = \"note\"\nexclude = [\"vendor/\", \"old/\"]\n[sides]\n\"x/**\" = \"client\"\n",
    );
    work.git(&["add", "ansalint.toml"]);
    work.git(&["commit", "-q", "-m", "settings"]);
    work.git(&["checkout", "-q", "-B", "change"]);
    // What is the same is no attempt, however it is written.
    work.write(
        "ansalint.toml",
        "exclude = ['vendor/', 'old/']\nfail-on = 'note' # as before\nsides = {'x/**' = 'client'}\n",
    );
    let (_, _, remarks) = scan(&work, &[]);
    assert!(remarks.contains("differ from those of main") && !remarks.contains("in this change"), "{remarks}");
    work.write(
        "ansalint.toml",
        format!(
            "fail-on = \"error\"\non-incomplete = \"warn\"\npublishable = true\nexclude = [\"old/\", \"a.py\"]\nbaseline = \"b.jsonl\"\n\
             [sides]\n\"x/**\" = \"server\"\n\"web/**\" = \"test\"\n[rules]\nANSA1004 = \"note\"\n[limits]\narchive-depth = 0\n\
             [[allow]]\nfingerprint = \"{allowed}\"\nreason = \"r\"\npath = \"p\"\n\
             [[accept-unread]]\npath = \"z.zip\"\nreason = \"r\"\nhash = \"{}\"\n\
             [[deactivated]]\nfingerprint = \"{dead}\"\ndate = 2026-01-01\nticket = \"T\"\n",
            "0".repeat(64)
        ),
    );
    let entry = format!("{{\"fingerprint\":\"{dead}\",\"path\":\"a\",\"rule\":\"r\",\"side\":\"server\"}}");
    work.write("b.jsonl", format!("{{\"schema\":\"ansalint-baseline/1\"}}\n{entry}\n"));
    let (code, report, _) = scan(&work, &[]);
    assert_eq!(code, Some(1));
    let remarks: Vec<&str> = report["remarks"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
    let not = "in this change, and not in force:";
    for told in [
        format!("changed {not} fail-on = \"error\", where \"note\" is in force"),
        format!("added {not} on-incomplete = \"warn\""),
        format!("added {not} publishable = true"),
        format!("added {not} exclude = [\"a.py\"]"),
        "taken out in this change, and still in force: exclude = [\"vendor/\"]".into(),
        format!("added {not} baseline = \"b.jsonl\""),
        format!("changed {not} [sides] \"x/**\" = \"server\", where \"client\" is in force"),
        format!("added {not} [sides] \"web/**\" = \"test\""),
        format!("added {not} [rules] ANSA1004 = \"note\""),
        format!("added {not} [limits] archive-depth = 0"),
        format!("added {not} [[allow]] {allowed} at p: r"),
        format!("added {not} [[accept-unread]] z.zip with {}: r", "0".repeat(64)),
        format!("added {not} [[deactivated]] {dead} on 2026-01-01: T"),
        "the baseline is another in this change, and not in force; lines new or changed: 1, gone or changed: 0".into(),
    ] {
        assert!(remarks.contains(&told.as_str()), "{told}: {remarks:#?}");
    }
    // The last glob that matches holds, so their order counts.
    work.write(
        "ansalint.toml",
        "fail-on = \"note\"\nexclude = [\"old/\", \"vendor/\"]\n[sides]\n\"x/**\" = \"client\"\n",
    );
    assert!(scan(&work, &[]).2.contains("the order of globs is another in this change"));
}

#[test]
fn a_baseline_updated_in_the_change_does_not_hold() {
    let (work, key) = change();
    assert_eq!(work.run(&["baseline", "create"]).code, Some(0));
    assert_reported(&work, "by baseline");
    work.git(&["add", "ansalint-baseline.jsonl"]);
    work.git(&["commit", "-q", "-m", "baseline"]);
    work.git(&["branch", "-f", "main"]);
    let (code, report, _) = scan(&work, &[]);
    assert_eq!((code, report["summary"]["suppressed_by"]["baseline"].as_u64()), (Some(0), Some(1)));
    // Taking it away in the change changes nothing either.
    std::fs::remove_file(work.path().join("ansalint-baseline.jsonl")).unwrap();
    assert_eq!(scan(&work, &[]).0, Some(0));
    assert!(!report.to_string().contains(&key[13..]));
}

/// A repository whose base keeps everything that allows in a folder, and a change with a key that base does not allow.
#[cfg(unix)]
fn elsewhere() -> (Workspace, String, [String; 6]) {
    let (work, _) = change();
    let known = live_key(5);
    work.git(&["checkout", "-q", "main"]);
    let entry = |key: &str| format!("[[allow]]\nfingerprint = \"{}\"\nreason = \"known\"\n", fingerprint(key));
    work.write("ci/rules.toml", entry(&known));
    work.write("ci/baseline.jsonl", "{\"schema\":\"ansalint-baseline/1\"}\n");
    work.write("ci/dead.toml", "");
    work.git(&["add", "."]);
    work.git(&["commit", "-q", "-m", "policy"]);
    work.git(&["checkout", "-q", "-B", "change"]);
    work.write("b.py", format!("K = '{known}'\n"));
    // What would allow the key of the change.
    work.write("evil/rules.toml", entry(&live_key(1)) + &entry(&known));
    work.write("evil/baseline.jsonl", "{\"schema\":\"ansalint-baseline/1\"}\n");
    work.write("evil/dead.toml", "");
    let args = ["--config", "ci/rules.toml", "--baseline", "ci/baseline.jsonl", "--deactivated", "ci/dead.toml"];
    (work, known, args.map(str::to_owned))
}

#[cfg(unix)]
#[test]
fn files_of_the_base_hold_whatever_the_change_did_to_their_folders() {
    let (work, known, args) = elsewhere();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let check = |about: &str, args: &[&str]| {
        let (code, report, _) = scan(&work, args);
        let paths: Vec<&str> =
            report["findings"].as_array().unwrap().iter().map(|one| one["path"].as_str().unwrap()).collect();
        assert_eq!((code, paths), (Some(1), vec!["a.py"]), "{about}: {report}");
        assert_eq!(report["suppressed"][0]["key"]["fingerprint"], fingerprint(&known), "{about}");
    };
    check("untouched", &args);
    let absolute = work.path().join("ci/../ci/./rules.toml").display().to_string();
    check("by its whole name", &["--config", &absolute]);
    std::fs::remove_dir_all(work.path().join("ci")).unwrap();
    check("removed", &args);
    std::os::unix::fs::symlink("evil", work.path().join("ci")).unwrap();
    check("a link", &args);
    check("a link, by its whole name", &["--config", &absolute]);
    std::fs::remove_file(work.path().join("ci")).unwrap();
    std::os::unix::fs::symlink(work.path().join("evil"), work.path().join("ci")).unwrap();
    check("a link to a whole name", &args);
    // A folder with a link in its name above the repository is still the repository.
    let around = Workspace::new();
    std::os::unix::fs::symlink(work.path(), around.path().join("alias")).unwrap();
    let alias = around.path().join("alias/ci/rules.toml").display().to_string();
    check("through a link above", &["--config", &alias]);
    // What only the change has is not there.
    let (code, report, _) = scan(&work, &["--config", "evil/rules.toml"]);
    assert_eq!((code, report["summary"]["suppressed"].as_u64()), (Some(1), Some(0)), "{report}");
}

#[test]
fn a_key_declared_dead_in_the_change_is_alive() {
    let (work, key) = change();
    work.git(&["add", "."]);
    work.git(&["commit", "-q", "-m", "with"]);
    work.git(&["rm", "-q", "a.py"]);
    work.git(&["commit", "-q", "-m", "without"]);
    let dead = fingerprint(&key);
    work.write("dead.toml", format!("[[deactivated]]\nfingerprint = \"{dead}\"\ndate = 2026-01-01\nticket = \"T\"\n"));
    let range = ["range", "main..HEAD", "--deactivated", "dead.toml"];
    let own = work.run(&range);
    let based = work.run(&[&range[..], &["--policy-from", "main"]].concat());
    assert_eq!(based.code, Some(1), "{}", based.stdout);
    assert!(!based.stdout.contains("was deactivated"), "{}", based.stdout);
    assert!(own.stdout.contains("was deactivated"), "{}", own.stdout);
}

#[test]
fn a_broken_configuration_in_the_change_is_told_and_not_obeyed() {
    let (work, _) = change();
    work.write("ansalint.toml", "rules = 3\n");
    let (code, _, remarks) = scan(&work, &[]);
    assert!(code == Some(1) && remarks.contains("in this change is not valid"), "{remarks}");
}

#[test]
fn there_is_a_way_out_and_it_is_printed() {
    let (work, key) = change();
    let text = work.run(&["scan", "--policy-from", "main"]).stdout;
    for part in [
        "ansalint.toml of main",
        "[[allow]]",
        &format!("fingerprint = \"{}\"", fingerprint(&key)),
        "path = \"a.py\"",
        "expires = 20",
        &format!("--allow {}", fingerprint(&key)),
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let (code, report, _) = scan(&work, &["--allow", &fingerprint(&key)]);
    assert_eq!((code, report["summary"]["suppressed_by"]["argument"].as_u64()), (Some(0), Some(1)));
    // What is printed works, once it is where it says.
    let entry = &text[text.find("[[allow]]").unwrap()..text.find("\n\nor allow").unwrap()];
    work.write("ansalint.toml", entry);
    work.git(&["add", "ansalint.toml"]);
    work.git(&["commit", "-q", "-m", "allow"]);
    work.git(&["branch", "-f", "main"]);
    assert_eq!(scan(&work, &[]).0, Some(0));
}

#[test]
fn a_base_is_named_as_git_names_commits_and_a_missing_one_is_an_error() {
    let (work, key) = change();
    let entry = format!("[[allow]]\nfingerprint = \"{}\"\nreason = \"known\"\n", fingerprint(&key));
    work.write("ansalint.toml", entry);
    work.git(&["add", "ansalint.toml"]);
    work.git(&["commit", "-q", "-m", "allow"]);
    work.git(&["tag", "-a", "-m", "t", "v1"]);
    work.git(&["commit", "-q", "--allow-empty", "-m", "more"]);
    work.git(&["update-ref", "refs/remotes/origin/main", "HEAD"]);
    let head = String::from_utf8(std::fs::read(work.path().join(".git/refs/heads/change")).unwrap()).unwrap();
    let code = |rev: &str| work.run(&["scan", "--policy-from", rev]).code;
    let allowed = [
        head.trim(),
        &head[..12],
        "HEAD",
        "@",
        "change",
        "refs/heads/change",
        "v1",
        "HEAD~1",
        "HEAD^",
        "v1^0",
        "origin/main",
    ];
    for rev in allowed {
        assert_eq!(code(rev), Some(0), "{rev}");
    }
    for rev in ["main", "HEAD~2", "v1~", "HEAD^^", "heads/main"] {
        assert_eq!(code(rev), Some(1), "{rev}");
    }
    work.git(&["gc", "-q"]);
    for rev in [head.trim(), &head[..12], "v1"] {
        assert_eq!(code(rev), Some(0), "{rev} in a pack");
    }
    for rev in ["gone", &"0".repeat(40), "HEAD~9", "HEAD^2", "HEAD@{1}", "abcd", ""] {
        let run = work.run(&["scan", "--policy-from", rev]);
        assert_eq!(run.code, Some(2), "{rev}");
        assert!(run.stderr.contains("not available") && run.stderr.contains("fetch-depth: 0"), "{}", run.stderr);
    }
    let plain = Workspace::new();
    plain.write("a", "x");
    assert_eq!(plain.run(&["scan", "--policy-from", "main"]).code, Some(2));
}

#[test]
fn what_is_staged_or_in_a_range_is_settled_like_a_scan() {
    let (work, key) = change();
    work.write("a.py", format!("K = '{key}' # ansalint: allow {} -- for tests\n", fingerprint(&key)));
    work.write("vendor/b.py", live_key(2));
    work.write("c.py", live_key(3));
    work.write(
        "ansalint.toml",
        format!(
            "exclude = [\"vendor\"]\n[[allow]]\nfingerprint = \"{}\"\nreason = \"known\"\n",
            fingerprint(&live_key(3))
        ),
    );
    work.git(&["add", "."]);
    let counts = |report: &Value| report["summary"]["suppressed_by"].to_string();
    let all = "{\"comment\":1,\"entry\":1,\"path\":1}";
    for command in ["staged", "hook"] {
        let run = work.run(&[command, "--format", "json"]);
        assert_eq!((run.code, counts(&run.json()).as_str()), (Some(0), all), "{command}: {}", run.stdout);
        let run = work.run(&[command, "--format", "json", "--policy-from", "main"]);
        assert_eq!((run.code, run.json()["summary"]["suppressed"].as_u64()), (Some(1), Some(0)), "{command}");
    }
    work.git(&["commit", "-q", "-m", "change"]);
    let run = work.run(&["range", "main..HEAD", "--format", "json"]);
    assert_eq!((run.code, counts(&run.json()).as_str()), (Some(0), all), "{}", run.stdout);
    let run = work.run(&["range", "main..HEAD", "--format", "json", "--policy-from", "main"]);
    assert_eq!(run.code, Some(1));
    assert_eq!(run.json()["remarks"].to_string().matches("suppression added in this change").count(), 3);
    let run = work.run(&["history", "--format", "json"]);
    assert_eq!((run.code, counts(&run.json()).as_str()), (Some(0), all), "{}", run.stdout);
    // In a folder below the top, paths still count from the top.
    let sub = work.command(&["range", "main..HEAD"]).current_dir(work.path().join("vendor")).output().unwrap();
    assert_eq!(sub.status.code(), Some(0));
}

#[test]
fn a_hook_warns_of_what_the_base_branch_does_not_allow_yet() {
    let (work, key) = change();
    work.git(&["update-ref", "refs/remotes/origin/main", "main"]);
    work.write("a.py", format!("K = '{key}' # ansalint: allow {} -- for tests\n", fingerprint(&key)));
    work.git(&["add", "."]);
    let run = work.run(&["hook"]);
    assert_eq!(run.code, Some(0), "{}", run.stdout);
    assert!(run.stdout.contains("is allowed here and not yet on origin/main"), "{}", run.stdout);
    work.git(&["commit", "-q", "-m", "allowed"]);
    work.git(&["update-ref", "refs/remotes/origin/main", "HEAD"]);
    work.write("a.py", format!("L = 1\nK = '{key}' # ansalint: allow {} -- for tests\nM = 1\n", fingerprint(&key)));
    work.write("b.py", format!("K = '{}'\n", live_key(5)));
    work.git(&["add", "."]);
    let run = work.run(&["hook"]);
    assert!(run.code == Some(1) && !run.stdout.contains("not yet on"), "{}", run.stdout);
}
