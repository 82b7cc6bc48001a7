//! Where text that somebody else wrote gets out: commits, names, members of archives, messages about faults. And what
//! the program leaves on a disk.

use crate::formats::{check, regions_have_lines, schema};
use crate::pack;
use crate::template::{expand, fingerprint, live_key};
use crate::workspace::{Run, Workspace};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What clears a terminal, what turns text around, what has no width, and what starts a command.
const EVIL: &str = "\u{1b}[2J\u{9b}31m\u{202e}\u{200b}\u{2066}\r::error::pwn";
const FORMATS: [&str; 9] = ["text", "json", "jsonl", "sarif", "github", "gitlab", "junit", "csv", "markdown"];

/// Every text of a history that people choose, with a key beside what should not get out as it is.
fn history() -> Workspace {
    let work = Workspace::new();
    work.git(&["init", "-q"]);
    work.write(format!("a{EVIL}.js"), format!("document.title = '{}' // {EVIL}\n", live_key(1)));
    work.write("a.zip", pack::zip(&[(&format!("in{EVIL}.env"), format!("K={}\n", live_key(2)).as_bytes())]));
    work.git(&["add", "."]);
    let author = format!("{EVIL} <a@example.invalid>");
    let message = format!("{EVIL} {}\n\n::stop-commands::x\n{}\n", live_key(3), live_key(4));
    work.git(&["commit", "-q", "--author", &author, "-m", &message]);
    work.git(&["tag", "-a", "-m", &format!("{EVIL} {}", live_key(5)), "v1"]);
    work.git(&["notes", "add", "-m", &format!("{EVIL} {}", live_key(6))]);
    // Git takes all but control characters and a few signs into the name of a ref.
    work.git(&["branch", "b\u{202e}\u{200b}-error"]);
    work
}

fn assert_inert(about: &str, output: &str) {
    let is_bad =
        |one: char| (one.is_control() && !matches!(one, '\n' | '\r')) || "\u{202e}\u{200b}\u{2066}".contains(one);
    assert!(!output.contains(is_bad), "{about}: {output:?}");
    for line in output.split(['\n', '\r']).map(str::trim_start) {
        let is_pwned = line.starts_with("::error::") || line.starts_with("::stop") || line.starts_with("##[");
        assert!(!is_pwned, "{about}: {line}");
    }
    for seed in 1..=6 {
        assert!(!output.contains(&live_key(seed)[13..]), "{about}: {output}");
    }
}

#[test]
fn texts_of_commits_tags_notes_refs_and_archives_come_out_escaped() {
    let work = history();
    let lists = work.run(&["history", "--authors", "--format", "json"]);
    for seed in 1..=6 {
        assert!(lists.stdout.contains(&fingerprint(&live_key(seed))), "{seed}: {}", lists.stdout);
    }
    let sarif = schema("tests/schemas/sarif-2.1.0.json");
    for command in [&["history", "--authors"][..], &["scan"], &["range", ZEROS_TO_HEAD, "--authors"]] {
        for format in FORMATS {
            let run = work.run(&[command, &["--format", format]].concat());
            assert_eq!(run.code, Some(1), "{command:?} {format}: {}", run.stderr);
            assert_inert(&format!("{command:?} {format}"), &run.stdout);
            assert_inert(&format!("{command:?} {format}"), &run.stderr);
            if format == "sarif" {
                check(&sarif, &run.json());
                regions_have_lines(&run.json());
            }
        }
    }
    let text = work.run(&["history", "--authors"]).stdout;
    for part in ["\\u{202e}", "\\u{200b}", "\\x1b"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

const ZEROS_TO_HEAD: &str = "0000000000000000000000000000000000000000..HEAD";

/// Breaks as the program would, over a text that somebody else wrote, and comes back with what was said.
#[test]
fn a_panic_says_where_and_nothing_of_what() {
    let text = format!("{EVIL} {}", live_key(1));
    // This test runs itself: what is to be seen is what a whole process writes.
    if std::env::var_os("ANSALINT_TEST_BREAKS").is_some() {
        ansalint::stdio::quiet_panics();
        panic!("{text}");
    }
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    let name = "sinks::a_panic_says_where_and_nothing_of_what";
    let output = child.args(["--exact", name, "--nocapture"]).env("ANSALINT_TEST_BREAKS", "1").output().unwrap();
    assert!(!output.status.success(), "the text was not broken over");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("internal error at ") && told.contains("please report it"), "{told}");
    assert_inert("a panic", &told);
    assert_inert("a panic", &String::from_utf8_lossy(&output.stdout));
}

#[test]
fn messages_about_faults_are_escaped_like_reports() {
    let work = Workspace::new();
    work.write("a.txt", "x");
    work.git(&["init", "-q"]);
    let named = format!("{EVIL}{}", live_key(1));
    work.write("ansalint.toml", format!("\"{}\" = 1\n", named.replace(char::is_control, "?")));
    work.write("r.json", format!("{{\"schema\": \"{}\"}}", named.replace(char::is_control, "?")));
    let range = format!("{named}..HEAD");
    let cases: [&[&str]; 9] = [
        &["scan"],
        &["scan", &named],
        &["scan", "--no-config", "--files-from", &named],
        &["scan", "--config", &named],
        &["scan", "--no-config", "--policy-from", &named],
        &["scan", "--no-config", "--baseline", &named],
        &["scan", "--no-config", "--deactivated", &named],
        &["range", "--no-config", &range],
        &["report", "r.json"],
    ];
    for args in cases {
        let run = work.run(args);
        assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{args:?}: {}", run.stderr);
        assert!(run.stderr.starts_with("error: "), "{}", run.stderr);
        assert_inert(&format!("{args:?}"), &run.stderr);
    }
}

#[test]
fn a_mask_shows_a_prefix_and_at_most_four_characters_or_a_quarter() {
    let work = Workspace::new();
    let lengths = [16, 17, 19, 20, 24, 32, 43, 64, 200];
    for (seed, length) in (1..).zip(lengths) {
        work.write(format!("{length}.txt"), expand(&format!("ansa_sk_live_{{base62:{length}}}"), seed));
    }
    let report = work.run(&["scan", "--format", "json"]).json();
    let findings = report["findings"].as_array().unwrap();
    assert_eq!(findings.len(), lengths.len(), "{report}");
    for finding in findings {
        let length: usize = finding["path"].as_str().unwrap().trim_end_matches(".txt").parse().unwrap();
        let shown = finding["key"]["masked"].as_str().unwrap().strip_prefix("ansa_sk_live_…").unwrap();
        assert!(shown.len() <= 4 && shown.len() * 4 <= length, "{length}: {shown}");
    }
}

/// Everything below a folder but git's own, by path.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.insert(path.clone(), std::fs::read(path).unwrap());
            }
        }
    }
    found
}

#[test]
fn nothing_is_left_on_a_disk_but_what_was_asked_for() {
    let work = history();
    work.write("staged.py", format!("K = '{}'\n", live_key(4)));
    work.git(&["add", "staged.py"]);
    let (around, before) = (Workspace::new(), files(work.path()));
    let run = |args: &[&str]| -> Run {
        let folder = around.path();
        let mut command = work.command(args);
        for name in ["HOME", "TMPDIR", "TMP", "TEMP", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"] {
            command.env(name, folder);
        }
        command.output().unwrap().into()
    };
    let range = ZEROS_TO_HEAD;
    let commands: [&[&str]; 9] = [
        &["scan"],
        &["history", "--check-missing"],
        &["staged"],
        &["range", range],
        &["hook"],
        &["message", ".git/COMMIT_EDITMSG"],
        &["config"],
        &["explain", "ANSA1001"],
        &["ci", "--base", "HEAD", "--gate", "all"],
    ];
    for args in commands {
        let run = run(args);
        assert!(run.code.is_some_and(|code| code < 2), "{args:?}: {}", run.stderr);
    }
    assert!(files(around.path()).is_empty(), "{:?}", files(around.path()));
    assert_eq!(files(work.path()), before);
    // What is written holds no key either.
    let told = run(&["ci", "--base", "HEAD", "--reports", "out"]);
    assert!(told.code.is_some_and(|code| code < 2), "{}", told.stderr);
    assert_eq!(run(&["baseline", "create", "--owner", "me"]).code, Some(0));
    let added: Vec<_> = files(work.path()).into_iter().filter(|(path, _)| !before.contains_key(path)).collect();
    assert_eq!(added.len(), 3, "{:?}", added.iter().map(|(path, _)| path).collect::<Vec<_>>());
    for (path, content) in added {
        assert_inert(&path.display().to_string(), &String::from_utf8(content).unwrap());
    }
}
