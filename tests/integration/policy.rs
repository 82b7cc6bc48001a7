//! What a repository may say about its own findings: configuration, comments, entries, baseline; and what it may not.

use crate::template::{expand, fingerprint, live_key};
use crate::workspace::{Run, Workspace};
use serde_json::Value;

fn sandbox_key(seed: u64) -> String {
    expand("ansa_sk_sandbox_{base62:32}", seed)
}

/// A live key in client code.
fn client(work: &Workspace, path: &str, seed: u64) -> String {
    let key = live_key(seed);
    work.write(path, format!("document.title = '{key}'\n"));
    key
}

fn entry(key: &str, more: &str) -> String {
    format!("[[allow]]\nfingerprint = \"{}\"\nreason = \"being replaced\"\n{more}\n", fingerprint(key))
}

fn scan(work: &Workspace, more: &[&str]) -> (Option<i32>, Value) {
    let run = work.run(&[&["scan", "--format", "json"], more].concat());
    (run.code, run.json())
}

/// `by` and path of everything suppressed.
fn suppressed(report: &Value) -> Vec<String> {
    let all = report["suppressed"].as_array().unwrap();
    assert_eq!(report["summary"]["suppressed"], all.len());
    let told =
        |one: &Value| format!("{} {}", one["suppression"]["by"].as_str().unwrap(), one["path"].as_str().unwrap());
    all.iter().map(told).collect()
}

fn paths(report: &Value) -> Vec<&str> {
    report["findings"].as_array().unwrap().iter().map(|one| one["path"].as_str().unwrap()).collect()
}

fn remarks(report: &Value) -> String {
    report["remarks"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect::<Vec<_>>().join("\n")
}

fn assert_error(run: &Run, parts: &[&str]) {
    assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{}", run.stderr);
    for part in parts {
        assert!(run.stderr.contains(part), "{part}: {}", run.stderr);
    }
}

#[test]
fn faults_of_a_configuration_are_named_with_place_and_remedy() {
    let work = Workspace::new();
    work.write("a.txt", "x");
    for (text, parts) in [
        ("fail-on = \"warning\"\nexlcude = []\n", &["ansalint.toml:2:1", "exlcude", "did you mean `exclude`"][..]),
        ("fail-on = \"wraning\"\n", &["ansalint.toml:1:11", "did you mean `warning`"]),
        ("fail-on = 3\n", &["ansalint.toml:1:11", "a text in quotes"]),
        ("exclude = \"x\"\n", &["ansalint.toml:1:11", "a list in brackets"]),
        ("publishable = 3\n", &["ansalint.toml:1:15", "`true` or `false`"]),
        ("[limits]\njobs = -1\n", &["ansalint.toml:2:8", "a whole number"]),
        ("exclude = [\"ok\", \"a[\"]\n", &["ansalint.toml:1:18", "a["]),
        ("exclude = [\"**\"]\n", &["ansalint.toml:1:12", "everything"]),
        ("exclude = [\"*.js\", \"*\"]\n", &["everything"]),
        ("[sides]\n\"web/{\" = \"client\"\n", &["ansalint.toml:2:1", "web/{"]),
        ("[sides]\n\"web\" = \"cleint\"\n", &["ansalint.toml:2:9", "did you mean `client`"]),
        (
            "[rules]\nmerchant-secret-key-in-sauce = \"off\"\n",
            &["ansalint.toml:2:1", "`merchant-secret-key-in-source`"],
        ),
        ("[rules]\nANSA1104 = \"of\"\n", &["ansalint.toml:2:12", "did you mean `off`"]),
        ("[limits]\njobs = 0\n", &["ansalint.toml:2:8", "1024"]),
        ("[[allow]]\nfingerprint = \"abc\"\nreason = \"x\"\n", &["ansalint.toml:2:15", "32 hexadecimal"]),
        ("[[allow]]\nreason = \"x\"\n", &["ansalint.toml:1:1", "fingerprint"]),
        ("[[allow]]\npath = \"**\"\nreason = \"x\"\n", &["ansalint.toml:1:1", "fingerprint"]),
        ("x = ", &["ansalint.toml:1:"]),
    ] {
        work.write("ansalint.toml", text);
        assert_error(&work.run(&["scan"]), parts);
        assert_error(&work.run(&["config"]), parts);
    }
    work.write("ansalint.toml", format!("publishable = \"{}\"\n", "hunter2".repeat(10_000)));
    let run = work.run(&["scan"]);
    assert_error(&run, &["ansalint.toml:1:15", "`true` or `false`"]);
    assert!(!run.stderr.contains("hunter2"), "a value of the wrong type is not repeated");
    let key = live_key(1);
    for more in
        ["path = \"**\"", "path = \"../x\"", "reason = \" \"", "expires = \"soon\"", "expires = 2027-02-30", "who = 1"]
    {
        let reason = if more.starts_with("reason") { "" } else { "reason = \"x\"" };
        work.write("ansalint.toml", format!("[[allow]]\nfingerprint = \"{}\"\n{reason}\n{more}\n", fingerprint(&key)));
        assert_error(&work.run(&["scan"]), &["ansalint.toml:"]);
    }
    work.write("ansalint.toml", format!("[[allow]]\nfingerprint = \"{key}\"\nreason = \"x\"\n"));
    let run = work.run(&["scan"]);
    assert_error(&run, &["never the key"]);
    assert!(!run.stderr.contains(&key[13..]), "{}", run.stderr);
}

#[cfg(unix)]
#[test]
fn a_configuration_that_is_no_plain_text_is_an_error_that_echoes_nothing() {
    use std::os::unix::fs::symlink;
    let work = Workspace::new();
    work.write("a.txt", "x");
    work.write("elsewhere/secret", "hunter2 = \"hunter2\"\n");
    let path = work.path().join("ansalint.toml");
    let fails = |part: &str| {
        let run = work.run(&["scan"]);
        assert_error(&run, &["ansalint.toml", part]);
        assert!(!run.stderr.contains("hunter2"), "{}", run.stderr);
        let named = work.run(&["scan", "--config", "ansalint.toml"]);
        assert_error(&named, &["ansalint.toml", part]);
    };
    symlink("elsewhere/secret", &path).unwrap();
    fails("link");
    std::fs::remove_file(&path).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    fails("FIFO");
    std::fs::remove_file(&path).unwrap();
    std::fs::File::create(&path).unwrap().set_len(1 << 30).unwrap();
    fails("large");
    std::fs::write(&path, b"hunter2\0\xff\xfe").unwrap();
    fails("no text");
    std::fs::write(&path, "\u{1b}[2Jhunter2").unwrap();
    fails("no text");
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    fails("folder");
    assert_eq!(work.run(&["scan", "--no-config"]).code, Some(0));
    assert_error(&work.run(&["scan", "--config", "gone.toml"]), &["gone.toml"]);
}

#[test]
fn only_the_configuration_at_the_top_of_the_repository_counts() {
    let work = Workspace::new();
    work.write("ansalint.toml", "[rules]\nmerchant-secret-key-in-source = \"off\"\n");
    work.write("repo/sub/k.txt", live_key(1));
    work.write("repo/sub/ansalint.toml", "[rules]\nmerchant-secret-key-in-source = \"off\"\n");
    work.git(&["init", "-q", "repo"]);
    // Neither one above the repository nor one below its top.
    for path in ["repo", "repo/sub"] {
        let (code, report) = scan(&work, &[path]);
        assert_eq!((code, report["tool"]["config_digest"].is_null()), (Some(1), true));
    }
    work.write("repo/ansalint.toml", "[rules]\nmerchant-secret-key-in-source = \"note\"\n");
    for path in ["repo", "repo/sub", "repo/sub/k.txt"] {
        let (code, report) = scan(&work, &[path]);
        assert_eq!((code, report["findings"][0]["level"].as_str()), (Some(0), Some("note")), "{path}");
        assert_eq!(report["tool"]["config_digest"].as_str().unwrap().len(), 64);
    }
    assert_eq!(scan(&work, &["--no-config", "repo"]).0, Some(1));
}

#[test]
fn levels_and_what_fails_come_from_the_configuration_unless_arguments_say() {
    let work = Workspace::new();
    work.write("a.txt", sandbox_key(1));
    work.write("ansalint.toml", "fail-on = \"error\"\n");
    assert_eq!(scan(&work, &[]).0, Some(0));
    assert_eq!(scan(&work, &["--fail-on", "warning"]).0, Some(1));
    work.write("ansalint.toml", "[rules]\nmerchant-secret-key-in-source = \"note\"\nANSA1104 = \"error\"\n");
    let (code, report) = scan(&work, &["--fail-on", "error"]);
    assert_eq!((code, report["findings"][0]["level"].as_str()), (Some(1), Some("error")));
    work.write("ansalint.toml", "[rules]\nANSA1104 = \"off\"\n");
    let (code, report) = scan(&work, &[]);
    assert_eq!((code, suppressed(&report)), (Some(0), vec!["rule a.txt".into()]));
}

#[test]
fn a_live_key_in_client_code_takes_more_than_a_level_a_glob_or_a_comment() {
    let work = Workspace::new();
    let key = client(&work, "web/a.js", 1);
    let line = format!("document.title = '{key}' // ansalint: allow {} -- a test\n", fingerprint(&key));
    work.write("web/a.js", line);
    work.write("ansalint.toml", "exclude = [\"web\"]\n[rules]\nmerchant-secret-key-in-client-code = \"off\"\n");
    let (code, report) = scan(&work, &[]);
    assert_eq!((code, report["findings"][0]["level"].as_str()), (Some(1), Some("error")));
    let told = remarks(&report);
    for part in ["does not hold for ANSA1001", "`web` is left out", "no comment allows"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    work.write("ansalint.toml", entry(&key, ""));
    let (code, report) = scan(&work, &[]);
    assert!(code == Some(1) && remarks(&report).contains("needs `owner` and `expires`"), "{}", remarks(&report));
    work.write("ansalint.toml", entry(&key, "owner = \"payments\"\nexpires = 2999-01-01"));
    let (code, report) = scan(&work, &[]);
    assert_eq!((code, suppressed(&report)), (Some(0), vec!["entry web/a.js".into()]));
    let text = work.run(&["scan"]).stdout;
    assert!(text.contains("reminder") && text.contains("payments") && text.contains("2999-01-01"), "{text}");
    assert!(text.contains("suppressed 1 by an entry"), "{text}");
    // The sandbox form may be turned off.
    work.write("web/a.js", format!("document.title = '{}'\n", sandbox_key(2)));
    work.write("ansalint.toml", "[rules]\nmerchant-secret-key-in-client-code = \"off\"\n");
    assert_eq!(scan(&work, &[]).0, Some(0));
}

#[test]
fn what_is_left_out_is_swept_and_counted() {
    let work = Workspace::new();
    work.write("vendor/deep/a.txt", live_key(1));
    work.write("b.txt", "x");
    work.write("ansalint.toml", "exclude = [\"vendor/\"]\n");
    let (code, report) = scan(&work, &[]);
    assert_eq!((code, suppressed(&report)), (Some(0), vec!["path vendor/deep/a.txt".into()]));
    assert_eq!(report["coverage"]["files"], 3);
    let text = work.run(&["scan", "--show-ignored"]).stdout;
    assert!(text.contains("suppressed: vendor/deep/a.txt:1: ANSA1004"), "{text}");
}

#[test]
fn a_comment_allows_the_key_it_names_and_no_other() {
    let work = Workspace::new();
    let (one, two) = (live_key(1), live_key(2));
    let comment = |key: &str, reason: &str| format!("ansalint: allow {}{reason}", fingerprint(key));
    let code_of = |text: String| {
        work.write("a.py", text);
        scan(&work, &[])
    };
    let (code, report) = code_of(format!("# {}\nK = '{one}'\n", comment(&one, " -- for tests")));
    assert_eq!((code, suppressed(&report)), (Some(0), vec!["comment a.py".into()]));
    assert_eq!(report["suppressed"][0]["suppression"]["reason"], "for tests");
    let (code, _) = code_of(format!("K = '{one}'  # {}\r\n", comment(&one, " -- for tests")));
    assert_eq!(code, Some(0));
    let (code, report) = code_of(format!("K = '{one}', '{two}' # {}\n", comment(&one, " -- for tests")));
    assert_eq!((code, paths(&report).len(), suppressed(&report).len()), (Some(1), 1, 1));
    let (code, report) = code_of(format!("# {}\n\nK = '{one}'\n", comment(&one, " -- too far")));
    assert!(code == Some(1) && remarks(&report).contains("is unused"), "{}", remarks(&report));
    let (code, report) = code_of(format!("K = '{one}' # {}\n", comment(&one, "")));
    assert!(code == Some(1) && remarks(&report).contains("gives no reason"), "{}", remarks(&report));
    // Every place needs one.
    let (code, _) = code_of(format!("K = '{one}' # {}\n\nL = '{one}'\n", comment(&one, " -- only here")));
    assert_eq!(code, Some(1));
    // A reason that holds a key does not print it.
    let (_, report) = code_of(format!("K = '{one}' # {} {two}\n", comment(&one, " -- as")));
    assert!(!report.to_string().contains(&two[13..]));
}

#[test]
fn comments_are_seen_across_the_seams_of_a_long_file() {
    let work = Workspace::new();
    let key = live_key(1);
    for shift in [0, 1, 40, 80, 120, 200] {
        let seam = 512 * 1024 - 8192 - shift;
        let line = format!("# ansalint: allow {} -- a test\n", fingerprint(&key));
        let text = format!("{}\n{line}K = '{key}'\n{}", "x".repeat(seam), "y\n".repeat(20_000));
        work.write("a.py", text);
        assert_eq!(scan(&work, &[]).0, Some(0), "{shift}");
    }
}

#[test]
fn expired_and_unused_allowances_are_reported() {
    let work = Workspace::new();
    let (one, two) = (live_key(1), live_key(2));
    work.write("a.txt", &one);
    work.write("ansalint.toml", entry(&one, "expires = 2020-02-29") + &entry(&two, ""));
    let (code, report) = scan(&work, &["--allow", &fingerprint(&two)]);
    assert_eq!(code, Some(1));
    let told = remarks(&report);
    for part in ["expired on 2020-02-29: being replaced", "is unused; take it out", "`--allow "] {
        assert!(told.contains(part), "{part}: {told}");
    }
    // A part of the repository says nothing about the rest.
    assert!(!remarks(&scan(&work, &["a.txt"]).1).contains("unused"));
    assert_eq!(scan(&work, &["--allow", &fingerprint(&one)]).0, Some(0));
    assert_error(&work.run(&["scan", "--allow", &one]), &["32 hexadecimal"]);
    work.write("ansalint.toml", entry(&one, "path = \"b.txt\""));
    assert_eq!(scan(&work, &[]).0, Some(1));
    work.write("ansalint.toml", entry(&one, "path = \"a.txt\""));
    assert_eq!(scan(&work, &[]).0, Some(0));
    // Entries are about the repository, wherever the program is run.
    work.write("sub/b.txt", live_key(3));
    work.write("ansalint.toml", entry(&live_key(3), "path = \"sub/b.txt\"") + &entry(&one, ""));
    let mut command = work.command(&["scan", "--format", "json"]);
    work.git(&["init", "-q"]);
    let run: Run = command.current_dir(work.path().join("sub")).output().unwrap().into();
    assert_eq!((run.code, suppressed(&run.json())), (Some(0), vec!["entry b.txt".into()]));
}

#[test]
fn a_side_set_by_path_wins_and_says_so() {
    let work = Workspace::new();
    work.write("kiosk/main.c", format!("char *k = \"{}\";\n", live_key(1)));
    work.write("ansalint.toml", "[sides]\n\"k*/**\" = \"server\"\n\"kiosk/**\" = \"client\"\n");
    let (_, report) = scan(&work, &[]);
    let finding = &report["findings"][0];
    assert_eq!((finding["code"].as_str(), finding["side"]["value"].as_str()), (Some("ANSA1001"), Some("client")));
    let evidence = finding["side"]["evidence"][0].as_str().unwrap();
    assert!(evidence.contains("configuration") && evidence.contains("kiosk/**"), "{evidence}");
}

#[test]
fn what_cannot_be_read_may_be_accepted_by_its_hash() {
    let work = Workspace::new();
    work.write("a.txt", "x");
    work.write(".git/HEAD", "ref: refs/heads/main\n");
    std::fs::remove_dir_all(work.path().join(".git")).unwrap();
    work.git(&["init", "-q"]);
    work.write("k.txt", live_key(1));
    work.git(&["add", "k.txt"]);
    // A damaged loose object: the history is incomplete.
    let objects = work.path().join(".git/objects");
    let folder = std::fs::read_dir(&objects)
        .unwrap()
        .map(|one| one.unwrap().path())
        .find(|one| one.file_name().unwrap().len() == 2);
    let file = std::fs::read_dir(folder.unwrap()).unwrap().next().unwrap().unwrap().path();
    let name = file.strip_prefix(&objects).unwrap().to_str().unwrap().replace('/', "");
    let mut permissions = std::fs::metadata(&file).unwrap().permissions();
    #[cfg(unix)]
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o600);
    std::fs::set_permissions(&file, permissions).unwrap();
    std::fs::write(&file, "damaged").unwrap();
    let run = work.run(&["history", "--format", "json"]);
    assert_eq!(run.code, Some(3), "{}", run.stdout);
    let path = run.json()["coverage"]["left_out"][0]["path"].as_str().unwrap().to_owned();
    let accept = |hash: &str| {
        let text = format!("[[accept-unread]]\npath = \"{path}\"\nreason = \"lost in a crash\"\nhash = \"{hash}\"\n");
        work.write("ansalint.toml", text);
        work.run(&["history", "--format", "json"])
    };
    assert_eq!(accept(&"0".repeat(40)).code, Some(3));
    let run = accept(&name);
    let report = run.json();
    assert_eq!((run.code, report["complete"].as_bool()), (Some(0), Some(true)), "{report}");
    assert_eq!(report["coverage"]["left_out"][0]["accepted"], "lost in a crash");
}

#[test]
fn the_configuration_in_force_is_printed_with_where_it_came_from() {
    let work = Workspace::new();
    let key = live_key(1);
    work.write("a.txt", "x");
    work.write(
        "ansalint.toml",
        format!("fail-on = \"error\"\nexclude = [\"vendor\"]\n{}", entry(&key, "expires = 2020-01-01")),
    );
    let text = work.run(&["config"]).stdout;
    for part in [
        "fail-on = \"error\"  # ansalint.toml:1",
        "on-incomplete = \"fail\"  # default",
        "\"vendor\",  # ansalint.toml:2",
        "[[allow]]  # ansalint.toml:4",
        "# EXPIRED",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    // What is printed is a configuration that says the same.
    work.write("other.toml", &text);
    let again = work.run(&["config", "--config", "other.toml"]).stdout;
    let plain = |text: &str| text.lines().map(|line| line.split("  #").next().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(plain(&again)[1..], plain(&text)[1..]);
}

#[test]
fn the_schema_for_editors_agrees_with_the_parser() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/ansalint-config.schema.json");
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let work = Workspace::new();
    work.write("a.txt", "x");
    let check = |text: &str| {
        work.write("ansalint.toml", text);
        let table: toml::Table = toml::from_str(text).unwrap();
        // Editors see days as strings.
        let document: Value = serde_json::to_value(undated(toml::Value::Table(table))).unwrap();
        (work.run(&["config"]).code == Some(0), validator.is_valid(&document))
    };
    let key = fingerprint(&live_key(1));
    let whole = format!(
        "fail-on = \"note\"\non-incomplete = \"warn\"\npublishable = true\nexclude = [\"a/**\", \"*.min.js\"]\n\
         [rules]\nmerchant-secret-key-in-source = \"warning\"\nANSA2101 = \"off\"\n[sides]\n\"web/**\" = \"client\"\n\
         [limits]\njobs = 2\narchive-depth = 3\narchive-entry-bytes = 1000\ndecode-depth = 2\ndecode-ratio = 9\n\
         [[allow]]\nfingerprint = \"{key}\"\nreason = \"x\"\nowner = \"me\"\nexpires = 2030-01-31\npath = \"a/b\"\n\
         [[accept-unread]]\npath = \"a.zip\"\nreason = \"x\"\nhash = \"{}\"\n\
         [[deactivated]]\nfingerprint = \"{key}\"\ndate = \"2026-01-31\"\nticket = \"T-1\"\n",
        "ab".repeat(32)
    );
    assert_eq!(check(&whole), (true, true));
    assert_eq!(check(""), (true, true));
    for (from, to) in [
        ("fail-on = \"note\"", "fail-on = \"notice\""),
        ("on-incomplete = \"warn\"", "on-incomplete = \"ignore\""),
        ("publishable = true", "publishable = \"yes\""),
        ("publishable", "publishabel"),
        ("\"a/**\"", "3"),
        ("= \"off\"", "= \"of\""),
        ("= \"client\"", "= \"browser\""),
        ("jobs = 2", "jobs = 0"),
        ("jobs", "job"),
        ("archive-depth = 3", "archive-depth = 65"),
        ("archive-entry-bytes = 1000", "archive-entry-bytes = -1"),
        ("decode-depth = 2", "decode-depth = 0"),
        ("decode-ratio = 9", "decode-ratio = -1"),
        ("archive-entry-bytes", "archive-entry-size"),
        ("reason = \"x\"", "reason = \" \""),
        ("expires = 2030-01-31", "expires = 2030"),
        ("path = \"a/b\"", "path = \"**\""),
        ("owner", "ower"),
        ("hash = \"ab", "hash = \"zz"),
        ("ticket = \"T-1\"", "ticket = \"\""),
        ("ticket = \"T-1\"\n", "\n"),
        (key.as_str(), "abc"),
    ] {
        let text = whole.replacen(from, to, 1);
        assert!(text != whole, "{from}");
        assert_eq!(check(&text), (false, false), "{from} {to}");
    }
    // Every key the parser knows is in the schema.
    work.write("ansalint.toml", "zzzzzzzzzzzz = 1\n");
    let said = work.run(&["config"]).stderr;
    let known: Vec<&str> = said.split('`').skip(3).step_by(2).collect();
    let in_schema: Vec<&String> = schema["properties"].as_object().unwrap().keys().collect();
    assert!(
        known.len() == in_schema.len() && known.iter().all(|name| in_schema.iter().any(|key| key == name)),
        "{said}"
    );
}

fn undated(value: toml::Value) -> toml::Value {
    match value {
        toml::Value::Datetime(at) => toml::Value::String(at.to_string()),
        toml::Value::Array(all) => toml::Value::Array(all.into_iter().map(undated).collect()),
        toml::Value::Table(all) => toml::Value::Table(all.into_iter().map(|(key, one)| (key, undated(one))).collect()),
        other => other,
    }
}

#[test]
fn the_history_of_a_dead_key_is_a_note_and_its_use_is_not() {
    let work = Workspace::new();
    work.git(&["init", "-q"]);
    let key = live_key(1);
    work.write("a.py", format!("K = '{key}'\n"));
    work.git(&["add", "."]);
    work.git_at(1_546_300_800, &["commit", "-q", "-m", "with"]);
    let dead = |date: &str| {
        format!("[[deactivated]]\nfingerprint = \"{}\"\ndate = {date}\nticket = \"SEC-1\"\n", fingerprint(&key))
    };
    work.write("dead.toml", dead("2019-06-01"));
    let levels = |args: &[&str]| {
        let run = work.run(&[args, &["--format", "json", "--deactivated", "dead.toml"]].concat());
        let report = run.json();
        let finding = report["findings"][0].clone();
        (run.code, finding["level"].as_str().unwrap().to_owned(), finding["side"]["evidence"].to_string())
    };
    // Still in use: in the tree, and at HEAD.
    for args in [&["scan", "a.py"][..], &["history"]] {
        let (code, level, evidence) = levels(args);
        assert_eq!((code, level.as_str()), (Some(1), "error"), "{args:?}");
        assert!(evidence.contains("SEC-1") && evidence.contains("used here all the same"), "{evidence}");
    }
    work.write("a.py", "clean\n");
    work.git(&["commit", "-q", "-a", "-m", "without"]);
    let (code, level, evidence) = levels(&["history"]);
    assert_eq!((code, level.as_str()), (Some(0), "note"), "{evidence}");
    // What came after the day is use.
    work.write("dead.toml", dead("2018-06-01"));
    assert_eq!(levels(&["history"]).0, Some(1));
    // A day that is still to come buries nothing.
    work.write("dead.toml", dead("2999-01-01"));
    assert_eq!(levels(&["history"]).0, Some(1));
    // In the repository's own configuration as well.
    work.write("ansalint.toml", dead("2019-06-01"));
    let run = work.run(&["history", "--format", "json"]);
    assert_eq!(run.code, Some(0), "{}", run.stdout);
    work.write("dead.toml", "[[allow]]\n");
    assert_error(&work.run(&["scan", "--deactivated", "dead.toml"]), &["dead.toml:1:3", "allow"]);
}
