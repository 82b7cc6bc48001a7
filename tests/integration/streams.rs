//! The program's manners: exit codes, streams, files it writes, and what it never says.

use crate::template::live_key;
use crate::workspace::{Run, Workspace};
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::{Command, Stdio};

/// Every format there is.
pub const FORMATS: [&str; 9] = ["text", "json", "jsonl", "sarif", "github", "gitlab", "junit", "csv", "markdown"];

fn leaky() -> Workspace {
    let work = Workspace::new();
    work.write("a.txt", format!("one {} two {}\n", live_key(1), live_key(2)));
    work
}

fn shell(work: &Workspace, line: &str) -> Run {
    let mut command = Command::new("bash");
    command.args(["-c", line]).current_dir(work.path()).env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap()).env("ansalint", env!("CARGO_BIN_EXE_ansalint"));
    command.output().unwrap().into()
}

#[test]
fn bad_usage_is_2_and_names_the_fix() {
    let work = Workspace::new();
    work.write("rules/keys.toml", "environments = 3\n");
    let cases: [(&[&str], &str); 9] = [
        (&["scan", "gone"], "gone"),
        (&["scan", "--format", "yaml"], "json"),
        (&["scan", "--jobs", "0"], "0"),
        (&["scan", "--files-from", "gone"], "gone"),
        (&["scan", "--rules", "rules"], "placeholders.toml"),
        (&["scan", "-", "rules"], "standard input"),
        (&["scan", "--output", "gone/report.json", "rules"], "gone"),
        (&["scan", "--output", "rules", "rules"], "rules"),
        (&["frob"], "frob"),
    ];
    for (args, named) in cases {
        let run = work.run(args);
        assert_eq!(run.code, Some(2), "{args:?}: {}{}", run.stdout, run.stderr);
        assert!(run.stderr.contains(named) && run.stdout.is_empty(), "{args:?}: {}", run.stderr);
    }
}

#[test]
fn a_bad_rules_file_is_named_with_line_and_column() {
    let work = leaky();
    let source = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("rules");
    for name in ["placeholders.toml", "findings.toml", "calls.toml"] {
        work.write(format!("rules/{name}"), fs::read(source.join(name)).unwrap());
    }
    fs::create_dir(work.path().join("rules/sides")).unwrap();
    let keys = fs::read_to_string(source.join("keys.toml")).unwrap();
    work.write("rules/keys.toml", &keys);
    assert_eq!(work.run(&["scan", "--rules", "rules", "a.txt"]).code, Some(1));
    work.write("rules/keys.toml", keys.replacen("title =", "tilte =", 1));
    let run = work.run(&["scan", "--rules", "rules", "a.txt"]);
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("keys.toml:") && run.stderr.contains("tilte"), "{}", run.stderr);
    work.write("rules/keys.toml", keys.replacen("merchant-secret-key-in-source\"", "no-such-rule\"", 1));
    let run = work.run(&["scan", "--rules", "rules", "a.txt"]);
    assert!(run.code == Some(2) && run.stderr.contains("no-such-rule"), "{}", run.stderr);
}

#[test]
fn nothing_to_scan_is_2() {
    let work = Workspace::new();
    let run = work.run(&["scan"]);
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("nothing to scan"), "{}", run.stderr);
    work.git(&["init", "-q"]);
    let run = work.run(&["scan", ".git"]);
    assert!(run.code == Some(2) && run.stderr.contains("history"), "{}", run.stderr);
}

#[test]
fn standard_input_is_scanned() {
    let work = leaky();
    let run = shell(&work, "\"$ansalint\" scan --format json - < a.txt");
    assert_eq!(run.code, Some(1));
    let report = run.json();
    assert_eq!(report["findings"][0]["path"], "-");
    assert_eq!(report["findings"][0]["origin"]["kind"], "stdin");
    assert_eq!(shell(&work, "printf clean | \"$ansalint\" scan -").code, Some(0));
}

#[test]
fn a_closed_pipe_is_silent_and_keeps_the_code() {
    let work = leaky();
    for index in 0..3_000 {
        work.write(format!("many/{index}.txt"), live_key(index));
    }
    let run = shell(&work, "\"$ansalint\" scan | head -c 10 > /dev/null; exit ${PIPESTATUS[0]}");
    assert_eq!((run.code, run.stderr.as_str()), (Some(1), ""));
}

#[test]
fn a_report_that_cannot_be_written_is_2() {
    let work = leaky();
    for line in
        ["\"$ansalint\" scan > /dev/full", "\"$ansalint\" scan >&-", "\"$ansalint\" scan --format json > /dev/full"]
    {
        let run = shell(&work, line);
        assert_eq!(run.code, Some(2), "{line}");
        assert!(run.stderr.contains("standard output"), "{line}: {}", run.stderr);
    }
    assert_eq!(shell(&work, "\"$ansalint\" scan > /dev/null").code, Some(1));
    assert_eq!(shell(&work, "\"$ansalint\" scan <&- > /dev/null").code, Some(1));
}

#[test]
fn output_is_whole_private_and_never_through_a_link() {
    let work = leaky();
    let report = work.path().join("report.json");
    let run = work.run(&["scan", "--format", "json", "--output", "report.json", "a.txt"]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""));
    assert_eq!(fs::metadata(&report).unwrap().permissions().mode() & 0o777, 0o600);
    let first = fs::read(&report).unwrap();
    // The report itself holds nothing to find.
    assert_eq!(work.run(&["scan", "report.json"]).code, Some(0));
    let run = shell(&work, "ulimit -f 0; trap '' XFSZ; \"$ansalint\" scan --format json --output report.json a.txt");
    assert_eq!(run.code, Some(2), "{}", run.stderr);
    assert_eq!(fs::read(&report).unwrap(), first);
    let names: Vec<_> = work.path().read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
    symlink("report.json", work.path().join("link.json")).unwrap();
    let run = work.run(&["scan", "--output", "link.json", "a.txt"]);
    assert!(run.code == Some(2) && run.stderr.contains("link"), "{}", run.stderr);
    assert_eq!(fs::read(&report).unwrap(), first);
}

#[test]
fn no_output_holds_a_key_in_any_format() {
    let work = Workspace::new();
    let keys: Vec<String> = (0..8).map(live_key).collect();
    work.write("line.txt", keys[..3].join(" and "));
    work.write(format!("{}.txt", keys[3]), keys[3].as_bytes());
    work.write("wide.txt", keys[4].encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>());
    work.write(
        "wide in bytes",
        [&b"\x01\xff"[..], &keys[5].encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>(), &[7; 900]].concat(),
    );
    work.write("long.txt", format!("{}{}", "x".repeat(300), keys[6..].join(&"y".repeat(90))));
    symlink(&keys[0], work.path().join("link")).unwrap();
    for format in FORMATS {
        for more in [&[][..], &["--show-ignored"], &["--color", "always"]] {
            let run = work.run(&[&["scan", "--format", format], more].concat());
            assert_eq!(run.code, Some(1));
            for key in &keys {
                let tail = &key["ansa_sk_live_".len()..];
                assert!(!run.stdout.contains(tail) && !run.stderr.contains(tail), "{format}");
                assert!(!run.stdout.contains(&tail[4..20]), "{format}");
            }
        }
    }
}

#[test]
fn reports_are_the_same_for_any_number_of_threads() {
    let work = Workspace::new();
    for index in 0..400 {
        work.write(
            format!("{}/{}/{index}.js", index % 7, index % 11),
            format!("a\nk = '{}' + '{}'", live_key(index % 50), live_key(index)),
        );
    }
    // GitLab's has the time in it.
    for format in FORMATS.into_iter().filter(|format| *format != "gitlab") {
        let one = work.run(&["scan", "--format", format, "--jobs", "1"]).stdout;
        for jobs in ["2", "16", "16"] {
            assert_eq!(work.run(&["scan", "--format", format, "--jobs", jobs]).stdout, one);
        }
    }
}

#[test]
fn few_descriptors_and_little_stack_are_enough() {
    let work = Workspace::new();
    for index in 0..2_000 {
        work.write(format!("{}/{index}.txt", index % 100), "clean");
    }
    work.write("k.txt", live_key(1));
    let run = shell(&work, "ulimit -n 32; ulimit -s 256; \"$ansalint\" scan --jobs 16 --format json");
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert_eq!(run.json()["coverage"]["files"], 2_001);
}

#[test]
fn colour_is_for_terminals_and_those_who_ask() {
    let work = leaky();
    assert!(!work.run(&["scan"]).stdout.contains('\u{1b}'));
    assert!(work.run(&["scan", "--color", "always"]).stdout.contains('\u{1b}'));
    let on_a_terminal = |environment: &str| {
        shell(&work, &format!("{environment} script -qec \"$ansalint scan\" /dev/null < /dev/null"))
            .stdout
            .contains("\u{1b}[")
    };
    assert!(on_a_terminal("TERM=xterm"));
    assert!(!on_a_terminal("TERM=xterm NO_COLOR=1"));
    assert!(!on_a_terminal("TERM=dumb"));
}

#[test]
fn a_missing_reader_of_messages_changes_nothing() {
    let work = leaky();
    let mut command = work.command(&["scan", "gone"]);
    let status = command.stderr(Stdio::null()).status().unwrap();
    assert_eq!(status.code(), Some(2));
}

#[test]
fn completions_and_manual_come_from_the_same_definition() {
    let work = Workspace::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let run = work.run(&["completions", shell]);
        assert!(run.code == Some(0) && run.stdout.contains("files-from"), "{shell}");
    }
    let page = work.run(&["man"]).stdout;
    assert!(page.contains(".TH ansalint") && page.contains("Exit codes"), "{page}");
    let help = work.run(&["scan", "--help"]).stdout;
    for flag in [
        "--tracked",
        "--files-from",
        "--format",
        "--output",
        "--fail-on",
        "--jobs",
        "--quiet",
        "--color",
        "--show-ignored",
    ] {
        assert!(help.contains(flag), "{flag}");
    }
}

#[test]
fn keys_in_names_stay_out_of_the_evidence() {
    let work = Workspace::new();
    let (name, folder, other) = (live_key(1), live_key(2), live_key(3));
    work.write(".env", format!("{name}={other}\n"));
    work.write("index.html", format!("<script src=\"{folder}/{name}.js\"></script>"));
    work.write(format!("{folder}/{name}.js"), &other);
    work.write(format!("{folder}/package.json"), "{\"dependencies\": {\"react-dom\": \"19\"}}");
    for format in FORMATS {
        let run = work.run(&["scan", "--format", format]);
        assert_eq!(run.code, Some(1));
        for key in [&name, &folder, &other] {
            assert!(!run.stdout.contains(&key[13..]), "{format}: {}", run.stdout);
        }
    }
}

#[test]
fn very_many_keys_in_one_file_end_soon_and_say_so() {
    let work = Workspace::new();
    let keys: Vec<String> = (0..12_000).map(|seed| format!("'{}'", live_key(seed))).collect();
    work.write("keys.php", format!("<?php\nimport('x');\n{}", keys.join(",\n")));
    work.write(
        "package.json",
        format!("{{\"dependencies\": {{\"react-dom\": \"1\"}}, \"x\": \"{}\"}}", "y".repeat(900_000)),
    );
    let run = work.run(&["scan", "--format", "json"]);
    assert_eq!(run.code, Some(1));
    let report = run.json();
    // What was opened in a window that is gone is not known, and so neither server nor client.
    let sides: std::collections::BTreeSet<&str> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["side"]["value"].as_str().unwrap())
        .collect();
    assert_eq!(sides.into_iter().collect::<Vec<_>>(), ["server", "unknown"]);
    assert_eq!(report["summary"]["findings"], 12_000);
}

#[test]
fn messages_about_arguments_hold_no_key_and_no_command() {
    let work = Workspace::new();
    let key = live_key(1);
    let unknown = format!("--{key}");
    let cases: [&[&str]; 6] = [
        &["scan", &key],
        &["scan", &unknown],
        &["scan", "--format", &key],
        &["scan", "--rules", &key],
        &[&key],
        &["scan", "--fail-on", "x\n::error::pwn"],
    ];
    for args in cases {
        let run = work.run(args);
        assert_eq!(run.code, Some(2), "{args:?}");
        assert!(!run.stderr.contains(&key[13..]), "{}", run.stderr);
        assert!(run.stderr.lines().all(|line| !line.trim_start().starts_with("::")), "{}", run.stderr);
    }
    assert_eq!(shell(&work, "\"$ansalint\" scan - <&-").code, Some(2));
}

#[test]
fn neighbours_of_a_key_stay_masked_at_seams_and_behind_escapes() {
    let work = Workspace::new();
    let (one, two) = (live_key(1), live_key(2));
    for before in [1, 5, 10, 20, 40] {
        let start = 512 * 1024 - 8192 - before;
        let line = format!("{}{one} {two}{}", " ".repeat(start), " ".repeat(20_000));
        work.write(format!("seam{before}.txt"), line);
    }
    let (head, tail) = one.split_at(30);
    for escape in ["\\/", "%2F", "&#x2F;", "\\u002f"] {
        work.write(format!("{}.json", escape.len()), format!("{{\"a\": \"{head}{escape}{tail}\", \"b\": \"{two}\"}}"));
    }
    work.write(".env", format!("{head}+{tail}={two}\n"));
    for format in ["text", "json", "sarif"] {
        let output = work.run(&["scan", "--format", format]).stdout;
        assert!(output.contains("seam1.txt"));
        for piece in [&one[25..30], &tail[..10], &one[20..], &two[13..]] {
            assert!(!output.contains(piece), "{format}: {piece}");
        }
    }
}
