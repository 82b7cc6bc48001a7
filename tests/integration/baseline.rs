//! The baseline: what was there before stays silent, what is new or worse does not.

use crate::template::{expand, fingerprint, live_key};
use crate::workspace::{Run, Workspace};
use serde_json::Value;
use std::fs;

const FILE: &str = "ansalint-baseline.jsonl";

fn repository() -> Workspace {
    let work = Workspace::new();
    work.git(&["init", "-q"]);
    work
}

fn ok(run: Run) -> String {
    assert_eq!(run.code, Some(0), "{}{}", run.stdout, run.stderr);
    run.stdout
}

fn scan(work: &Workspace) -> (Option<i32>, Value) {
    let run = work.run(&["scan", "--format", "json"]);
    (run.code, run.json())
}

fn remarks(report: &Value) -> String {
    report["remarks"].to_string()
}

#[test]
fn old_leaks_are_silent_and_the_next_one_fails() {
    let work = repository();
    work.write("a.py", format!("K = '{}'\nL = '{}'\n", live_key(1), live_key(2)));
    work.write("b.txt", expand("ansa_cs_live_{base64:32}", 3));
    assert_eq!(scan(&work).0, Some(1));
    let told = ok(work.run(&["baseline", "create", "--reason", "before we looked"]));
    assert!(told.contains("3 added"), "{told}");
    let text = fs::read_to_string(work.path().join(FILE)).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!((lines.len(), lines[0]), (4, "{\"schema\":\"ansalint-baseline/1\"}"));
    assert!(lines[1..].is_sorted() && text.contains("before we looked"));
    for seed in 1..3 {
        assert!(text.contains(&fingerprint(&live_key(seed))) && !text.contains(&live_key(seed)[13..]));
    }
    let (code, report) = scan(&work);
    assert_eq!((code, report["summary"]["suppressed_by"]["baseline"].as_u64()), (Some(0), Some(3)));
    work.write("c.py", live_key(4));
    let (code, report) = scan(&work);
    assert_eq!((code, report["findings"][0]["path"].as_str()), (Some(1), Some("c.py")));
    // A known key that is copied is new where it was copied to.
    work.write("c.py", live_key(1));
    assert_eq!(scan(&work).0, Some(1));
    let again = work.run(&["baseline", "create"]);
    assert!(again.code == Some(2) && again.stderr.contains("update"), "{}", again.stderr);
    assert!(ok(work.run(&["baseline", "update"])).contains("1 added"));
    assert_eq!(scan(&work).0, Some(0));
    assert_eq!(work.run(&["scan", "--no-config"]).code, Some(1));
    let elsewhere = work.path().join("other.jsonl");
    fs::rename(work.path().join(FILE), &elsewhere).unwrap();
    assert_eq!(scan(&work).0, Some(1));
    assert_eq!(work.run(&["scan", "--baseline", "other.jsonl"]).code, Some(0));
    work.write("ansalint.toml", "baseline = \"other.jsonl\"\n");
    assert_eq!(scan(&work).0, Some(0));
    work.write("ansalint.toml", "baseline = \"gone.jsonl\"\n");
    assert_eq!(work.run(&["scan"]).code, Some(2));
}

#[test]
fn a_known_finding_that_gets_worse_fires_again() {
    let work = repository();
    let key = live_key(1);
    work.write("src/pay.js", format!("export const key = '{key}'\n"));
    work.write("package.json", "{\"dependencies\": {\"express\": \"4\"}}");
    ok(work.run(&["baseline", "create"]));
    assert_eq!(scan(&work).0, Some(0));
    work.write("src/pay.js", format!("document.title = '{key}'\n"));
    let (code, report) = scan(&work);
    assert_eq!((code, report["findings"][0]["code"].as_str()), (Some(1), Some("ANSA1001")));
    assert!(remarks(&report).contains("has become worse"), "{}", remarks(&report));
}

#[test]
fn live_keys_in_client_code_need_an_owner_and_expire() {
    let work = repository();
    let key = live_key(1);
    work.write("a.js", format!("document.title = '{key}'\n"));
    let created = work.run(&["baseline", "create"]);
    assert_eq!(created.code, Some(1), "{}", created.stdout);
    for part in ["0 added", "NOT ADDED: 1 live key", "a.js:1: ", &fingerprint(&key), "--owner", "1 finding still makes"]
    {
        assert!(created.stdout.contains(part), "{part}: {}", created.stdout);
    }
    assert_eq!(scan(&work).0, Some(1));
    assert!(ok(work.run(&["baseline", "update", "--owner", "payments"])).contains("1 added"));
    let line = fs::read_to_string(work.path().join(FILE)).unwrap();
    let expires = line.split("\"expires\":\"").nth(1).unwrap()[..10].to_owned();
    let (code, report) = scan(&work);
    assert_eq!(code, Some(0));
    assert!(remarks(&report).contains(&format!("until {expires} by the baseline, payments")), "{}", remarks(&report));
    // One whose day has passed fires, and is not renewed in silence.
    fs::write(work.path().join(FILE), line.replace(&expires, "2020-01-01")).unwrap();
    let (code, report) = scan(&work);
    assert!(code == Some(1) && remarks(&report).contains("expired on 2020-01-01"), "{}", remarks(&report));
    assert!(ok(work.run(&["baseline", "show"])).contains("EXPIRED 2020-01-01"));
    let again = work.run(&["baseline", "update"]);
    assert!(again.code == Some(1) && again.stdout.contains("not renewed"), "{}", again.stdout);
    assert_eq!(scan(&work).0, Some(1));
    ok(work.run(&["baseline", "update", "--expires", "2999-12-31"]));
    assert_eq!(scan(&work).0, Some(0));
    for (option, value, part) in [
        ("--expires", "tomorrow", "is no day"),
        ("--expires", "2020-01-01", "that day has passed"),
        ("--owner", " ", "--owner is empty"),
    ] {
        let before = fs::read(work.path().join(FILE)).unwrap();
        let run = work.run(&["baseline", "update", option, value]);
        assert!(run.code == Some(2) && run.stderr.contains(part), "{value}: {}", run.stderr);
        assert_eq!(fs::read(work.path().join(FILE)).unwrap(), before);
    }
    // A line without an owner, whoever wrote it, holds nothing.
    let text = fs::read_to_string(work.path().join(FILE)).unwrap();
    fs::write(work.path().join(FILE), text.replace("\"owner\":\"payments\",", "")).unwrap();
    assert_eq!(scan(&work).0, Some(1));
}

#[test]
fn renames_are_followed_and_what_is_gone_is_pruned() {
    let work = repository();
    work.write("old/a.py", format!("K = '{}'\n", live_key(1)));
    work.write("b.py", format!("K = '{}'\n", live_key(2)));
    ok(work.run(&["baseline", "create", "--reason", "known"]));
    fs::create_dir(work.path().join("new")).unwrap();
    fs::rename(work.path().join("old/a.py"), work.path().join("new/b.py")).unwrap();
    let (code, report) = scan(&work);
    assert!(code == Some(0) && remarks(&report).contains("it is now at new/b.py"), "{}", remarks(&report));
    // A part of the repository will do, since the old path is gone from the disk.
    assert_eq!(work.run(&["scan", "new"]).code, Some(0));
    assert!(ok(work.run(&["baseline", "update"])).contains("1 moved"));
    assert!(!remarks(&scan(&work).1).contains("is now at"));
    let text = fs::read_to_string(work.path().join(FILE)).unwrap();
    assert!(text.contains("new/b.py") && !text.contains("old/a.py") && text.contains("known"));
    fs::write(work.path().join("b.py"), "clean").unwrap();
    let (_, report) = scan(&work);
    assert!(remarks(&report).contains("1 entry of the baseline matches no file"), "{}", remarks(&report));
    assert!(ok(work.run(&["baseline", "prune"])).contains("1 removed"));
    assert!(ok(work.run(&["baseline", "show"])).contains(": 1 entry"));
}

#[test]
fn a_baseline_that_is_damaged_is_an_error() {
    let work = repository();
    work.write("a.txt", live_key(1));
    ok(work.run(&["baseline", "create"]));
    let text = fs::read_to_string(work.path().join(FILE)).unwrap();
    for bad in
        [String::new(), format!("{text}<<<<<<< HEAD\n"), text.replace("\"path\"", "\"paht\""), text.replace("/1", "/2")]
    {
        work.write(FILE, &bad);
        let run = work.run(&["scan"]);
        assert!(run.code == Some(2) && run.stderr.contains(FILE), "{bad}: {}", run.stderr);
    }
}

#[test]
fn a_baseline_made_in_a_folder_holds_everywhere() {
    let work = repository();
    work.write("sub/a.txt", live_key(1));
    work.write("b.txt", live_key(2));
    let in_sub =
        |args: &[&str]| -> Run { work.command(args).current_dir(work.path().join("sub")).output().unwrap().into() };
    ok(in_sub(&["baseline", "create"]));
    assert!(work.path().join(FILE).is_file());
    assert_eq!(scan(&work).0, Some(0));
    assert_eq!(in_sub(&["scan"]).code, Some(0));
    assert_eq!(in_sub(&["scan", ".."]).code, Some(0));
    assert_eq!(in_sub(&["scan", "../b.txt"]).code, Some(0));
}

#[test]
fn stored_reports_stand_in_for_a_scan() {
    let work = repository();
    work.write("a.py", format!("K = '{}'\n", live_key(1)));
    work.git(&["add", "."]);
    work.git(&["commit", "-q", "-m", "with"]);
    work.git(&["rm", "-q", "a.py"]);
    work.git(&["commit", "-q", "-m", "without"]);
    work.write("b.py", format!("K = '{}'\n", live_key(2)));
    let history = |code| {
        let run = work.run(&["history", "--format", "json", "--output", "h.json"]);
        assert_eq!(run.code, Some(code), "{}", run.stderr);
    };
    history(1);
    assert_eq!(work.run(&["scan", "--format", "json", "--output", "s.json"]).code, Some(1));
    let told = ok(work.run(&["baseline", "create", "--from", "h.json", "--from", "s.json"]));
    assert!(told.contains("2 added"), "{told}");
    history(0);
    assert_eq!(scan(&work).0, Some(0));
    // What the tree alone no longer has stays, as long as the history is asked too.
    assert_eq!(work.run(&["scan", "--format", "json", "--output", "s.json"]).code, Some(0));
    assert!(ok(work.run(&["baseline", "prune", "--from", "h.json", "--from", "s.json"])).contains("0 removed"));
    assert!(ok(work.run(&["baseline", "prune", "--from", "s.json"])).contains("0 removed"));
    // Nor does a report of one file take out what is in another.
    assert_eq!(work.run(&["scan", "a.py", "--format", "json", "--output", "part.json"]).code, Some(2));
    work.write("c.py", "nothing");
    assert_eq!(work.run(&["scan", "c.py", "--format", "json", "--output", "part.json"]).code, Some(0));
    let told = ok(work.run(&["baseline", "prune", "--from", "part.json"]));
    assert!(told.contains("0 removed") && told.contains("stored reports do not tell of"), "{told}");
    assert!(ok(work.run(&["baseline", "prune", "--from", "s.json", "--tree-only"])).contains("1 removed"));
    assert_eq!(work.run(&["baseline", "update", "--from", "gone.json"]).code, Some(2));
}

/// A key that stood in a file of some commit, known to the baseline, and is in no file now.
fn gone() -> (Workspace, String) {
    let work = repository();
    work.write("a.py", format!("K = '{}'\n", live_key(1)));
    work.git(&["add", "."]);
    work.git(&["commit", "-q", "-m", "with"]);
    ok(work.run(&["baseline", "create"]));
    let text = fs::read_to_string(work.path().join(FILE)).unwrap();
    assert!(!text.contains("reach"), "{text}");
    work.git(&["rm", "-q", "a.py"]);
    work.git(&["commit", "-q", "-m", "without"]);
    (work, text)
}

#[test]
fn what_the_history_needs_is_not_pruned_and_not_called_unused() {
    let (work, text) = gone();
    assert_eq!(work.run(&["history"]).code, Some(0));
    assert!(remarks(&scan(&work).1).contains("what the history does not need either"));
    let told = ok(work.run(&["baseline", "prune"]));
    assert!(told.contains("0 removed") && told.contains("kept: 1 entry is needed by the history alone"), "{told}");
    assert_eq!(work.run(&["history"]).code, Some(0));
    assert!(!remarks(&scan(&work).1).contains("prune"), "{}", remarks(&scan(&work).1));
    assert!(ok(work.run(&["baseline", "show"])).contains("in the history alone"));
    // Once nothing holds the key any more, there is nothing to keep.
    work.git(&["update-ref", "-d", "refs/heads/main"]);
    work.git(&["reflog", "expire", "--expire=now", "--all"]);
    work.git(&["gc", "-q", "--prune=now"]);
    assert!(ok(work.run(&["baseline", "prune"])).contains("1 removed"));
    fs::write(work.path().join(FILE), text).unwrap();
    assert!(ok(work.run(&["baseline", "prune", "--tree-only"])).contains("1 removed"));
}

#[test]
fn a_key_that_moved_stays_known_where_the_history_has_it() {
    let (work, _) = gone();
    work.write("src/a.py", format!("K = '{}'\n", live_key(1)));
    let told = ok(work.run(&["baseline", "update"]));
    assert!(told.contains("1 moved") && told.contains("kept: 1 entry"), "{told}");
    work.git(&["add", "."]);
    work.git(&["commit", "-q", "-m", "moved"]);
    assert_eq!((scan(&work).0, work.run(&["history"]).code), (Some(0), Some(0)));
}

#[test]
fn a_key_that_went_is_not_known_where_a_change_brings_it_back() {
    for is_pruned in [false, true] {
        let (work, _) = gone();
        if is_pruned {
            ok(work.run(&["baseline", "prune"]));
        }
        work.git(&["add", "."]);
        work.git(&["commit", "-q", "--allow-empty", "-m", "base"]);
        work.git(&["branch", "base"]);
        for path in ["a.py", "svc/new.py"] {
            // At its own path, an entry that still stands there knows it.
            let is_known = path == "a.py" && !is_pruned;
            work.write(path, format!("K = '{}'\n", live_key(1)));
            work.git(&["add", "."]);
            assert_eq!(work.run(&["staged"]).code, Some(i32::from(!is_known)), "{path} {is_pruned}");
            work.git(&["commit", "-q", "-m", "again"]);
            let range = work.run(&["range", "base..HEAD", "--policy-from", "base"]);
            assert_eq!(range.code, Some(i32::from(!is_known)), "{path} {is_pruned}: {}", range.stdout);
            let tree = work.run(&["scan", "--policy-from", "base"]);
            assert_eq!(tree.code, Some(i32::from(!is_known)), "{path} {is_pruned}: {}", tree.stdout);
            work.git(&["reset", "-q", "--hard", "base"]);
        }
    }
}

#[test]
fn two_lines_for_one_key_are_one_too_many() {
    let (work, text) = gone();
    let line = text.lines().nth(1).unwrap();
    work.write(FILE, format!("{text}{line}\n"));
    assert_eq!(scan(&work).0, Some(0));
    work.write(FILE, format!("{text}{}\n", line.replacen('{', "{\"reason\":\"x\",", 1)));
    let run = work.run(&["scan"]);
    assert!(run.code == Some(2) && run.stderr.contains("stands here twice"), "{}", run.stderr);
}

#[test]
fn a_history_that_cannot_be_read_whole_takes_nothing_out() {
    let (work, _) = gone();
    let clone = work.path().join("shallow");
    let (from, to) = (format!("file://{}", work.path().display()), clone.display().to_string());
    work.git(&["clone", "-q", "--depth=1", &from, &to]);
    fs::copy(work.path().join(FILE), clone.join(FILE)).unwrap();
    let run: Run = work.command(&["baseline", "prune"]).current_dir(&clone).output().unwrap().into();
    assert!(run.code == Some(3) && run.stdout.contains("0 removed"), "{}{}", run.stdout, run.stderr);
    assert!(run.stdout.contains("not all of the history could be read"), "{}", run.stdout);
}

#[test]
fn one_command_makes_files_and_history_quiet() {
    let work = repository();
    let commit = |message: &str| {
        work.git(&["add", "-A"]);
        work.git(&["commit", "-q", "-m", message]);
    };
    // Gone from the files; in files and history; in a message; a live key in a client, gone, and a server key that was in a client once.
    work.write("gone.py", format!("K = '{}'\n", live_key(1)));
    work.write("both.py", format!("K = '{}'\n", live_key(2)));
    work.write("web.js", format!("document.title = '{}'\n", live_key(3)));
    work.write("turned.js", format!("document.title = '{}'\n", live_key(4)));
    commit(&format!("with {}", live_key(5)));
    work.git(&["rm", "-q", "gone.py", "web.js"]);
    work.write("turned.js", format!("require('fs').x = '{}'\n", live_key(4)));
    commit("without");
    // In a file that no commit has, where one had it.
    work.write("web.js", format!("document.title = '{}'\n", live_key(3)));
    let files = work.run(&["baseline", "create", "--owner", "payments"]);
    assert!(ok(files).contains("`ansalint baseline update --history`"));
    assert_eq!((scan(&work).0, work.run(&["history"]).code), (Some(0), Some(1)));
    fs::remove_file(work.path().join(FILE)).unwrap();
    // From a folder above, and from one below.
    let above = work.path().parent().unwrap();
    let folder = work.path().file_name().unwrap().to_str().unwrap();
    let mut command = work.command(&["baseline", "create", "--history", "--owner", "payments", folder]);
    let told = ok(command.current_dir(above).output().unwrap().into());
    // The message stands in two reflogs as well.
    assert!(told.contains("7 in all"), "{told}");
    let text = fs::read_to_string(work.path().join(FILE)).unwrap();
    for (seed, is_past) in [(1, true), (2, false), (3, false), (4, false), (5, true)] {
        let line = text.lines().find(|line| line.contains(&fingerprint(&live_key(seed)))).unwrap();
        assert_eq!(line.contains("\"reach\":\"history\""), is_past, "{seed}: {line}");
        assert!(line.contains("payments"), "{line}");
    }
    let quiet = || (scan(&work).0, work.run(&["history"]).code);
    assert_eq!(quiet(), (Some(0), Some(0)), "{}", work.run(&["history"]).stdout);
    assert!(!remarks(&scan(&work).1).contains("prune"), "{}", remarks(&scan(&work).1));
    let again = ok(work.run(&["baseline", "update", "--history"]));
    assert!(again.contains("0 added, 0 changed"), "{again}");
    // The next one fails in both, also where the history alone has it, and what only the history had fails in a file.
    work.write("next.py", format!("K = '{}'\n", live_key(6)));
    assert_eq!(quiet(), (Some(1), Some(0)));
    commit("next");
    assert_eq!(quiet(), (Some(1), Some(1)));
    work.git(&["rm", "-q", "next.py"]);
    commit("gone again");
    assert_eq!(quiet(), (Some(0), Some(1)));
    assert!(ok(work.run(&["baseline", "update", "--history"])).contains("1 added"));
    assert_eq!(quiet(), (Some(0), Some(0)));
    work.write("gone.py", format!("K = '{}'\n", live_key(1)));
    assert_eq!(scan(&work).0, Some(1));
}

#[test]
fn a_live_key_that_a_client_had_once_needs_an_owner_too() {
    let work = repository();
    work.write("a.js", format!("document.title = '{}'\n", live_key(1)));
    work.git(&["add", "-A"]);
    work.git(&["commit", "-q", "-m", "with"]);
    let created = work.run(&["baseline", "create", "--history"]);
    assert!(created.code == Some(1) && created.stdout.contains("NOT ADDED: 1 live key"), "{}", created.stdout);
    work.git(&["rm", "-q", "a.js"]);
    work.git(&["commit", "-q", "-m", "without"]);
    let updated = work.run(&["baseline", "update", "--history"]);
    assert!(updated.code == Some(1) && updated.stdout.contains("NOT ADDED: 1 live key"), "{}", updated.stdout);
    ok(work.run(&["baseline", "update", "--history", "--owner", "payments"]));
    assert_eq!(work.run(&["history"]).code, Some(0));
    let plain = Workspace::new();
    plain.write("a.txt", live_key(1));
    let run = plain.run(&["baseline", "create", "--history"]);
    assert!(run.code == Some(2) && run.stderr.contains("no repository"), "{}", run.stderr);
    assert!(!plain.path().join(FILE).exists());
    assert_eq!(plain.run(&["baseline", "create", "--history", "--from", "x.json"]).code, Some(2));
}

#[test]
fn what_two_branches_add_side_by_side_is_kept_by_a_merge() {
    let work = repository();
    work.write(".gitattributes", format!("{FILE} merge=union\n"));
    work.write("both.py", live_key(1));
    ok(work.run(&["baseline", "create"]));
    let commit = || {
        work.git(&["add", "-A"]);
        work.git(&["commit", "-q", "-m", "c"]);
    };
    commit();
    for (branch, seeds) in [("one", 2..6), ("two", 6..10)] {
        work.git(&["checkout", "-q", "-b", branch, "main"]);
        for seed in seeds {
            work.write(format!("{seed}.py"), live_key(seed));
        }
        // Both add this one.
        work.write("same.py", live_key(10));
        ok(work.run(&["baseline", "update"]));
        commit();
    }
    work.git(&["merge", "-q", "-m", "m", "one"]);
    let (code, report) = scan(&work);
    assert_eq!((code, report["summary"]["suppressed_by"]["baseline"].as_u64()), (Some(0), Some(10)), "{report}");
    assert!(ok(work.run(&["baseline", "update"])).contains("10 in all; 0 added"));
}
