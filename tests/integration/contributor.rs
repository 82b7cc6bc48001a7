//! What a contributor may try, by malice or by accident: files that decide, in a form that should decide nothing.

use crate::template::{fingerprint, live_key};
use crate::workspace::{Run, Workspace};
use std::fmt::Write as _;
use std::os::unix::fs::symlink;

const BASELINE: &str = "ansalint-baseline.jsonl";

fn repository() -> Workspace {
    let work = Workspace::new();
    work.git(&["init", "-q"]);
    work
}

fn entry(key: &str) -> String {
    format!("[[allow]]\nfingerprint = \"{}\"\nreason = \"known\"\n", fingerprint(key))
}

fn commit(work: &Workspace, message: &str) {
    work.git(&["add", "-A"]);
    work.git(&["commit", "-q", "--allow-empty", "-m", message]);
}

#[test]
fn line_ends_and_marks_of_other_editors_change_nothing() {
    let work = repository();
    let (one, two) = (live_key(1), live_key(2));
    work.write("a.py", format!("K = '{one}'\r\n"));
    work.write("b.py", format!("K = '{two}'\n"));
    assert_eq!(work.run(&["baseline", "create", "--reason", "old"]).code, Some(0));
    let baseline = std::fs::read_to_string(work.path().join(BASELINE)).unwrap();
    for (before, end) in [("\u{feff}", "\n"), ("", "\r\n"), ("\u{feff}", "\r\n")] {
        work.write(BASELINE, format!("{before}{}", baseline.replace('\n', end)));
        work.write("ansalint.toml", format!("{before}{}", "fail-on = \"note\"\n".replace('\n', end)));
        assert_eq!(work.run(&["scan"]).code, Some(0), "{before:?} {end:?}");
        work.write("ansalint.toml", format!("{before}{}", "\nexlcude = []\n".replace('\n', end)));
        let run = work.run(&["scan"]);
        assert!(run.stderr.contains("ansalint.toml:2:1") && run.stderr.contains("`exclude`"), "{}", run.stderr);
    }
    std::fs::remove_file(work.path().join(BASELINE)).unwrap();
    let comment = format!("# ansalint: allow {} -- a test\r\nK = '{one}'\r\n", fingerprint(&one));
    work.write("a.py", format!("\u{feff}{comment}"));
    work.write("ansalint.toml", format!("\u{feff}{}", entry(&two).replace('\n', "\r\n")));
    assert_eq!(work.run(&["scan"]).code, Some(0));
    // UTF-16 is no text of these files, and is not guessed at.
    let wide: Vec<u8> = "\u{feff}fail-on = \"error\"".encode_utf16().flat_map(u16::to_le_bytes).collect();
    work.write("ansalint.toml", wide);
    let run = work.run(&["scan"]);
    assert!(run.code == Some(2) && run.stderr.contains("no text"), "{}", run.stderr);
}

#[test]
fn a_merge_that_is_not_finished_is_named_and_one_that_is_holds_both_sides() {
    let work = repository();
    work.write("a.py", format!("K = '{}'\n", live_key(1)));
    commit(&work, "base");
    assert_eq!(work.run(&["baseline", "create"]).code, Some(0));
    commit(&work, "baseline");
    for (branch, seed) in [("one", 2), ("two", 3)] {
        work.git(&["checkout", "-q", "-b", branch, "main"]);
        work.write(format!("{branch}.py"), format!("K = '{}'\n", live_key(seed)));
        assert_eq!(work.run(&["baseline", "update"]).code, Some(0));
        commit(&work, branch);
    }
    let merged = work.git_command(&["merge", "-q", "one"]).output().unwrap();
    if !merged.status.success() {
        let text = std::fs::read_to_string(work.path().join(BASELINE)).unwrap();
        let line = text.lines().position(|line| line.starts_with("<<<<<<<")).unwrap() + 1;
        let run = work.run(&["scan"]);
        let place = format!("{BASELINE}:{line}");
        assert!(run.code == Some(2) && run.stderr.contains(&place), "{}", run.stderr);
        assert!(run.stderr.contains("a merge is not finished here"), "{}", run.stderr);
        let kept: Vec<&str> =
            text.lines().filter(|line| !["<<<", "===", ">>>"].iter().any(|mark| line.starts_with(mark))).collect();
        work.write(BASELINE, kept.join("\n") + "\n");
    }
    assert_eq!(work.run(&["scan"]).code, Some(0));
}

#[test]
fn files_that_decide_are_never_links_neither_on_disk_nor_in_the_base() {
    for name in ["ansalint.toml", BASELINE] {
        let work = repository();
        work.write("a.py", format!("K = '{}'\n", live_key(1)));
        work.write("allowed.toml", entry(&live_key(1)));
        commit(&work, "base");
        work.git(&["checkout", "-q", "-b", "change"]);
        symlink("allowed.toml", work.path().join(name)).unwrap();
        let run = work.run(&["scan"]);
        assert!(run.code == Some(2) && run.stderr.contains("link"), "{}", run.stderr);
        // The base has no such file; what the change puts there is told and not followed.
        let run = work.run(&["scan", "--policy-from", "main"]);
        assert!(
            run.code == Some(1) && run.stdout.contains("in this change is not valid"),
            "{}{}",
            run.stdout,
            run.stderr
        );
        commit(&work, "link");
        let run = work.run(&["scan", "--policy-from", "HEAD"]);
        assert!(run.code == Some(2) && run.stderr.contains("a link, which is not followed"), "{}", run.stderr);
    }
}

#[test]
fn attributes_and_ignore_rules_of_a_change_hide_nothing() {
    let work = repository();
    work.write("a.txt", "x");
    commit(&work, "base");
    work.git(&["checkout", "-q", "-b", "change"]);
    work.write("web/pay.js", format!("document.title = '{}'\n", live_key(1)));
    work.write("api/pay.py", format!("K = '{}'\n", live_key(2)));
    work.git(&["add", "-A"]);
    let attributes = "* -diff -text binary export-ignore linguist-generated linguist-vendored filter=none merge=ours\n";
    for name in [".gitattributes", ".git/info/attributes", "web/.gitattributes"] {
        work.write(name, attributes);
    }
    for name in
        [".gitignore", ".git/info/exclude", "api/.gitignore", ".ignore", ".rgignore", ".ansaignore", ".gitleaksignore"]
    {
        work.write(name, "*\n");
    }
    let both = |run: &Run| {
        let found = [1, 2].iter().all(|seed| run.stdout.contains(&fingerprint(&live_key(*seed))));
        assert!(run.code == Some(1) && found, "{}{}", run.stdout, run.stderr);
        assert_eq!(run.json()["summary"]["error"], 2, "{}", run.stdout);
    };
    both(&work.run(&["staged", "--format", "json"]));
    work.git(&["commit", "-q", "-m", "change"]);
    both(&work.run(&["scan", "--format", "json"]));
    both(&work.run(&["scan", "--tracked", "--format", "json"]));
    both(&work.run(&["range", "main..HEAD", "--format", "json"]));
    both(&work.run(&["range", "main..HEAD", "--format", "json", "--policy-from", "main"]));
}

#[test]
fn a_configuration_as_large_as_it_may_be_is_read_in_bounds() {
    let work = repository();
    work.write("a.py", format!("K = '{}'\n", live_key(1)));
    commit(&work, "base");
    let mut text = String::from("exclude = [\n");
    for number in 0..900 {
        writeln!(text, "  \"{{a,b,c{number}}}*/**/x{number}?[a-z]*.{{js,ts}}/**\",").unwrap();
    }
    text.push_str("]\n");
    work.write("ansalint.toml", &text);
    let run = work.run(&["scan", "--policy-from", "main"]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(!run.stdout.contains("not valid"), "{}", run.stdout);
    let stars = format!("exclude = [\"{}b/x\"]\n", "*a".repeat(20_000));
    let many = text.replace("]\n", &"  \"x/**\",\n".repeat(500)) + "]\n";
    let sides: String = (0..2_000).map(|number| format!("\"x{number}\" = \"test\"\n")).collect();
    for (text, part) in
        [(stars, "bytes at most"), (many, "globs at most"), (format!("[sides]\n{sides}"), "globs at most")]
    {
        work.write("ansalint.toml", &text);
        let run = work.run(&["scan"]);
        assert!(run.code == Some(2) && run.stderr.contains(part), "{}", run.stderr);
        let run = work.run(&["scan", "--policy-from", "main"]);
        assert!(run.code == Some(1) && run.stdout.contains("not valid"), "{}", run.stdout);
    }
}
