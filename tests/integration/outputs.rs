//! The formats for machines that are not ours: what hostile names, lines and numbers do to them.

use crate::template::{expand, fingerprint, live_key};
use crate::workspace::Workspace;
use serde_json::Value;
use std::path::Path;

const HOSTILE: &str = "x\n::error file=a::pwn\u{1b}[2J\u{202e}txt.env";

fn hostile() -> Workspace {
    let work = Workspace::new();
    for (seed, name) in (1..).zip([
        HOSTILE,
        "a,b:c%d\r\ne.txt",
        "=cmd|' C calc'!A0",
        "@x",
        "-1+1",
        "<img src=x onerror=alert(1)>",
        "`a` | b ``c`` @team #1.md",
        "ü&'\"<b>]]>.env",
        "\u{1}\u{8}\u{b}\u{fffe}\u{7f}.txt",
    ]) {
        let line = format!("::stop-commands::x ::add-mask::a ##[error] {} \u{202e}\u{1b}[31m | `<b>`", live_key(seed));
        work.write(name, format!("::stop-commands::x\n{line}\n##[error]\n"));
    }
    work
}

fn run(work: &Workspace, format: &str) -> String {
    let run = work.run(&["scan", "--format", format]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    run.stdout
}

#[test]
fn no_format_emits_controls_or_lines_that_are_commands() {
    let work = hostile();
    for format in ["text", "json", "jsonl", "sarif", "github", "gitlab", "junit", "csv", "markdown"] {
        let output = run(&work, format);
        let bad = |one: char| {
            (one.is_control() && !matches!(one, '\n' | '\r')) || "\u{202e}\u{200b}\u{2028}\u{fffe}".contains(one)
        };
        assert!(!output.contains(bad), "{format}: {output:?}");
        if format == "text" {
            assert_eq!(output.lines().filter(|line| line.starts_with(" --> ")).count(), 9, "{output}");
        }
        let is_meant = |line: &str| {
            format == "github" && ["::error ", "::warning ", "::notice "].iter().any(|one| line.starts_with(one))
        };
        for line in output.lines().filter(|line| !is_meant(line)) {
            let start = line.trim_start();
            assert!(!start.starts_with("::") && !start.starts_with("##["), "{format}: {line}");
        }
    }
}

/// What a runner of GitHub Actions makes of a command: its properties and its message.
fn parsed(line: &str) -> (Vec<(String, String)>, String) {
    let (command, message) = line.strip_prefix("::").unwrap().split_once("::").unwrap();
    let undo = |text: &str| {
        text.replace("%2C", ",").replace("%3A", ":").replace("%0A", "\n").replace("%0D", "\r").replace("%25", "%")
    };
    let properties = command.split_once(' ').unwrap().1.split(',').map(|pair| pair.split_once('=').unwrap());
    (properties.map(|(name, value)| (name.to_owned(), undo(value))).collect(), undo(message))
}

#[test]
fn annotations_are_one_line_each_and_paths_survive() {
    let output = run(&hostile(), "github");
    let commands: Vec<_> = output.lines().filter(|line| line.starts_with("::")).map(parsed).collect();
    assert_eq!(commands.len(), 9, "{output}");
    let files: Vec<&str> = commands.iter().map(|(properties, _)| properties[0].1.as_str()).collect();
    for name in ["a,b:c%d\r\ne.txt", "=cmd|' C calc'!A0", "ü&'\"<b>]]>.env"] {
        assert!(files.contains(&name), "{name:?}: {files:?}");
    }
    for (properties, message) in &commands {
        let names: Vec<&str> = properties.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["file", "line", "endLine", "col", "endColumn", "title"]);
        assert!(message.contains("Fingerprint "), "{message}");
    }
}

#[test]
fn annotations_stay_within_what_github_shows() {
    let work = Workspace::new();
    for seed in 0..25 {
        work.write(format!("{seed}.txt"), live_key(seed));
        work.write(format!("{seed}.c"), expand("ansa_cs_live_{base64:32}", 100 + seed));
    }
    let output = run(&work, "github");
    let count = |start: &str| output.lines().filter(|line| line.starts_with(start)).count();
    assert_eq!((count("::error "), count("::warning ")), (10, 10));
    assert!(output.contains("ansalint: 25 errors, 25 warnings; 30 not shown as annotations"), "{output}");
}

#[test]
fn cells_hold_no_formula_and_rows_keep_their_number_of_cells() {
    let output = run(&hostile(), "csv");
    assert!(output.ends_with("\r\n"));
    let rows: Vec<Vec<String>> = output.split("\r\n").filter(|row| !row.is_empty()).map(cells).collect();
    assert_eq!(rows.len(), 10);
    for row in &rows {
        assert_eq!(row.len(), 17, "{row:?}");
        assert!(row.iter().all(|cell| !cell.starts_with(['=', '+', '-', '@', '\t', '\r'])), "{row:?}");
    }
    for guarded in ["'=cmd|' C calc'!A0", "'@x", "'-1+1"] {
        assert!(rows.iter().any(|row| row[0] == guarded), "{guarded}");
    }
}

fn cells(row: &str) -> Vec<String> {
    let (mut cells, mut quoted, mut last) = (vec![String::new()], false, ' ');
    for one in row.chars() {
        match one {
            '"' if quoted => quoted = false,
            '"' => {
                if last == '"' {
                    cells.last_mut().unwrap().push('"');
                }
                quoted = true;
            }
            ',' if !quoted => cells.push(String::new()),
            _ => cells.last_mut().unwrap().push(one),
        }
        last = one;
    }
    cells
}

#[test]
fn junit_is_well_formed_whatever_the_names() {
    let work = hostile();
    work.write("ok.txt", "clean");
    let output = run(&work, "junit");
    let names = elements(&output);
    assert_eq!(names.iter().filter(|name| *name == "testcase").count(), 9);
    assert!(output.contains("tests=\"9\" failures=\"9\" errors=\"0\" skipped=\"0\""), "{output}");
    let clean = Workspace::new();
    clean.write("a.txt", "clean");
    let output = clean.run(&["scan", "--format", "junit"]).stdout;
    assert!(elements(&output).contains(&"testcase".to_owned()) && output.contains("tests=\"1\" failures=\"0\""));
}

/// Names of all elements of a document, which has to be well-formed: tags nest, values are quoted, `&` starts an entity.
fn elements(text: &str) -> Vec<String> {
    let tag = regex::Regex::new(r#"^(/?)([a-z-]+)((?: [a-z]+="[^<"]*")*)(/?)$"#).unwrap();
    let entity = regex::Regex::new(r"&(?:amp|lt|gt|quot|apos);").unwrap();
    assert!(!entity.replace_all(text, "").contains('&'));
    assert!(!text.contains(|one: char| (one < ' ' && one != '\n') || one == '\u{fffe}' || one == '\u{ffff}'));
    let (mut open, mut seen) = (Vec::new(), Vec::new());
    for piece in text.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>").unwrap().split('<').skip(1) {
        let (inside, behind) = piece.split_once('>').unwrap();
        assert!(!behind.contains('>'), "{behind}");
        let found = tag.captures(inside).unwrap_or_else(|| panic!("{inside}"));
        match (&found[1], &found[4]) {
            ("/", _) => assert_eq!(open.pop().as_deref(), Some(&found[2])),
            (_, "/") => seen.push(found[2].to_owned()),
            _ => {
                open.push(found[2].to_owned());
                seen.push(found[2].to_owned());
            }
        }
    }
    assert!(open.is_empty(), "{open:?}");
    seen
}

#[test]
fn a_summary_holds_inert_text_and_stays_below_a_mebibyte() {
    let output = run(&hostile(), "markdown");
    // Outside code spans nothing of a scanned file is left.
    let spans = regex::Regex::new("(?s)(`+)(?: .*? )(`+)").unwrap();
    let mut outside = String::new();
    let mut rest = output.as_str();
    while let Some(found) = spans.captures(rest) {
        let whole = found.get(0).unwrap();
        outside.push_str(&rest[..whole.start()]);
        let fence = format!(" {}", &found[1]);
        let inside = &rest[whole.start() + found[1].len()..];
        let end = inside.match_indices(&fence).find(|(at, _)| !inside[at + fence.len()..].starts_with('`')).unwrap().0;
        assert!(!inside[..end].contains('|') && !inside[..end].contains('\n'));
        rest = &inside[end + fence.len()..];
    }
    outside.push_str(rest);
    for part in ["<img", "<b>", "@team", "#1", "onerror", "`"] {
        assert!(!outside.contains(part), "{part}: {outside}");
    }
    for row in output.lines().filter(|line| line.starts_with("| error")) {
        assert_eq!(row.matches('|').count(), 6, "{row}");
    }
    let many = Workspace::new();
    for seed in 0..8 {
        let lines: Vec<String> = (0..1_000).map(|line| live_key(seed * 1_000 + line)).collect();
        many.write(format!("{}/{seed}.txt", "long-folder-name".repeat(10)), lines.join("\n"));
    }
    let output = run(&many, "markdown");
    assert!(output.len() < 1 << 20 && output.contains(" more; the JSON report has them all"), "{}", output.len());
}

#[test]
fn gitlab_gets_what_its_schema_demands() {
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schemas/gitlab-secret-detection-15.2.1.json");
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(schema).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let work = hostile();
    work.git(&["init", "-q"]);
    work.git(&["commit", "-q", "--allow-empty", "-m", "first"]);
    let head = std::fs::read_to_string(work.path().join(".git/refs/heads/main")).unwrap();
    for work in [hostile(), work] {
        let document: Value = serde_json::from_str(&run(&work, "gitlab")).unwrap();
        let faults: Vec<String> =
            validator.iter_errors(&document).map(|fault| format!("{}: {fault}", fault.instance_path())).collect();
        assert!(faults.is_empty(), "{}", faults.join("\n"));
        let all = document["vulnerabilities"].as_array().unwrap();
        assert_eq!((all.len(), all[0]["severity"].as_str()), (9, Some("High")));
        let sha =
            if work.path().join(".git").exists() { head.trim() } else { "0000000000000000000000000000000000000000" };
        assert_eq!(all[0]["location"]["commit"]["sha"], sha);
    }
}

#[test]
fn every_format_counts_what_is_suppressed() {
    let work = hostile();
    let allowed = format!("[[allow]]\nfingerprint = \"{}\"\nreason = \"x\"\n", fingerprint(&live_key(1)));
    work.write("ansalint.toml", allowed);
    for (format, part) in [
        ("text", "suppressed 1 by an entry"),
        ("json", "\"suppressed\": 1"),
        ("jsonl", "\"suppressed\":1"),
        ("sarif", "\"kind\": \"external\""),
        ("github", "suppressed 1 by an entry"),
        ("gitlab", "suppressed 1 by an entry"),
        ("junit", "skipped=\"1\""),
        ("csv", ",entry,"),
        ("markdown", "suppressed 1 by an entry"),
    ] {
        let output = run(&work, format);
        assert!(output.contains(part), "{format}: {output}");
    }
}

#[test]
fn lines_are_the_json_report_piece_by_piece() {
    let work = hostile();
    let allowed = format!("[[allow]]\nfingerprint = \"{}\"\nreason = \"x\"\n", fingerprint(&live_key(1)));
    work.write("ansalint.toml", allowed);
    let whole: Value = serde_json::from_str(&run(&work, "json")).unwrap();
    let lines: Vec<Value> = run(&work, "jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 10);
    let of_type = |wanted: &str| -> Vec<Value> {
        let plain = |line: &Value| {
            let mut line = line.clone();
            line.as_object_mut().unwrap().remove("type");
            line
        };
        lines.iter().filter(|line| line["type"] == wanted).map(plain).collect()
    };
    assert_eq!(of_type("finding"), *whole["findings"].as_array().unwrap());
    assert_eq!(of_type("suppressed"), *whole["suppressed"].as_array().unwrap());
    let last = &of_type("report")[0];
    assert_eq!((&last["summary"], &last["coverage"]), (&whole["summary"], &whole["coverage"]));
    assert_eq!(lines.last().unwrap()["type"], "report");
}

#[test]
fn a_stored_report_gives_the_same_in_every_format() {
    let work = hostile();
    let allowed = format!("[[allow]]\nfingerprint = \"{}\"\nreason = \"x\"\n", fingerprint(&live_key(1)));
    work.write("ansalint.toml", allowed);
    let stored = Workspace::new();
    stored.write("r.json", run(&work, "json"));
    for format in ["json", "jsonl", "github", "junit", "csv", "markdown"] {
        let converted = stored.run(&["report", "r.json", "--format", format]);
        assert_eq!((converted.code, converted.stdout), (Some(0), run(&work, format)), "{format}");
    }
    for format in ["text", "sarif", "gitlab"] {
        let converted = stored.run(&["report", "--format", format, "r.json"]);
        assert!(converted.code == Some(0) && converted.stdout.contains("ANSA1004"), "{format}");
    }
    assert_eq!(stored.run(&["report", "r.json", "--fail-on", "error"]).code, Some(1));
    for (text, part) in [("{", "no JSON"), ("{\"schema\": \"ansalint/1\"}", "no report"), ("[]", "no report")] {
        stored.write("bad.json", text);
        let run = stored.run(&["report", "bad.json"]);
        assert!(run.code == Some(2) && run.stderr.contains(part), "{text}: {}", run.stderr);
    }
    assert_eq!(stored.run(&["report", "gone.json"]).code, Some(2));
    assert_eq!(stored.run(&["report"]).code, Some(2));
    // A report that somebody has put a key into does not carry it on.
    let key = live_key(77);
    stored.write("r.json", run(&work, "json").replace("\"scan\"", &format!("\"{key}\"")));
    assert!(!stored.run(&["report", "r.json"]).stdout.contains(&key[13..]));
}

#[test]
fn a_stored_report_means_the_same_however_another_tool_spelt_it() {
    let unit = |unit: u16| format!("\\u{unit:04x}");
    let ascii = |text: &str| {
        let escape = |one: char| {
            if one.is_ascii() {
                one.to_string()
            } else {
                one.encode_utf16(&mut [0; 2]).iter().map(|&one| unit(one)).collect()
            }
        };
        text.chars().map(escape).collect::<String>()
    };
    let work = hostile();
    let stored = Workspace::new();
    let whole = run(&work, "json");
    stored.write("r.json", ascii(&whole));
    let run_of = |file: &str| stored.run(&["report", file]).stdout;
    assert!(ascii(&whole).contains("\\u2026") && !ascii(&whole).contains('…'));
    assert_eq!(run_of("r.json"), whole);
    // In one line, with every slash escaped, and with every letter escaped.
    let line = serde_json::from_str::<Value>(&whole).unwrap().to_string();
    stored.write("r.json", line.replace('/', "\\/"));
    assert_eq!(run_of("r.json"), whole);
    // A key does not get through in any spelling.
    let key = live_key(77);
    let spelt: String = key.encode_utf16().map(unit).collect();
    for spelling in [key.clone(), spelt, key.replacen('_', "\\u005f", 2), key.replacen("sk", "\\u0073k", 1)] {
        for place in ["\"scan\"", "\"remarks\": []", "\"evidence\": ["] {
            let with = format!("\"{spelling}\"");
            let with = match place {
                "\"scan\"" => with,
                "\"remarks\": []" => format!("\"remarks\": [{with}]"),
                _ => format!("{place}{with},"),
            };
            assert!(whole.contains(place), "{place}");
            stored.write("r.json", whole.replacen(place, &with, 1));
            let told = stored.run(&["report", "r.json"]);
            assert_eq!(told.code, Some(0), "{spelling}: {}", told.stderr);
            assert!(told.stdout.contains(&format!("ansa_sk_live_…{}", &key[key.len() - 4..])), "{}", told.stdout);
            assert!(!told.stdout.contains(&key[13..]), "{spelling}: {}", told.stdout);
        }
    }
}

#[test]
fn reports_join_into_one() {
    let work = Workspace::new();
    work.write("a/k.txt", live_key(1));
    work.write("a/both.txt", live_key(2));
    work.write("b/k.txt", live_key(3));
    work.write(
        "ansalint.toml",
        format!("[[allow]]\nfingerprint = \"{}\"\nreason = \"x\"\n", fingerprint(&live_key(3))),
    );
    work.run(&["scan", "--format", "json", "--output", "a.json", "a"]);
    work.run(&["scan", "--format", "json", "--output", "b.json", "b"]);
    work.run(&["scan", "--format", "json", "--output", "c.json", "a/both.txt"]);
    let run = work.run(&["report", "merge", "a.json", "b.json", "c.json"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let joined = run.json();
    let paths: Vec<&str> =
        joined["findings"].as_array().unwrap().iter().map(|one| one["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["a/both.txt", "a/k.txt"]);
    assert_eq!((joined["summary"]["suppressed"].as_u64(), joined["coverage"]["files"].as_u64()), (Some(1), Some(4)));
    // What counts in one report counts in the whole.
    work.run(&["scan", "--no-config", "--format", "json", "--output", "d.json", "b"]);
    let joined = work.run(&["report", "merge", "b.json", "d.json", "--fail-on", "error"]);
    assert_eq!((joined.code, joined.json()["summary"]["suppressed"].as_u64()), (Some(1), Some(0)));
    let one = work.run(&["report", "merge", "a.json", "b.json"]).stdout;
    assert_eq!(work.run(&["report", "merge", "b.json", "a.json"]).stdout, one);
}

#[test]
fn sarif_carries_suppressions_or_leaves_them_out() {
    let work = Workspace::new();
    let (one, two) = (live_key(1), live_key(2));
    work.write("a.py", format!("K = '{one}' # ansalint: allow {} -- for tests\n", fingerprint(&one)));
    work.write("b.py", &two);
    work.write("c.py", live_key(3));
    work.write(
        "ansalint.toml",
        format!(
            "[[allow]]\nfingerprint = \"{}\"\nreason = \"known\"\nowner = \"me\"\nexpires = 2999-01-01\n",
            fingerprint(&two)
        ),
    );
    let document: Value = serde_json::from_str(&run(&work, "sarif")).unwrap();
    let results = document["runs"][0]["results"].as_array().unwrap();
    let suppressions: Vec<String> = results.iter().map(|one| one["suppressions"].to_string()).collect();
    assert_eq!(suppressions.len(), 3);
    assert_eq!(suppressions[0], "[]");
    assert!(suppressions[1].contains("inSource") && suppressions[1].contains("for tests"), "{suppressions:?}");
    assert!(
        suppressions[2].contains("external") && suppressions[2].contains("known; me answers for it; until 2999-01-01")
    );
    let left_out = work.run(&["scan", "--format", "sarif", "--suppressed", "omit"]).json();
    let run = &left_out["runs"][0];
    assert_eq!(
        (run["results"].as_array().unwrap().len(), run["properties"]["suppressedFindings"].as_u64()),
        (1, Some(2))
    );
    assert!(run["results"][0]["suppressions"].is_null());
}

#[test]
fn what_is_uploaded_stays_below_the_limits_of_code_scanning() {
    use std::io::Write as _;
    let work = Workspace::new();
    for seed in 0..30 {
        let lines: Vec<String> =
            (0..1_000).map(|line| format!("const k{line} = '{}'", live_key(seed * 1_000 + line))).collect();
        work.write(format!("{seed}.js"), lines.join("\n"));
    }
    let output = run(&work, "sarif");
    let document: Value = serde_json::from_str(&output).unwrap();
    assert_eq!(document["runs"][0]["results"].as_array().unwrap().len(), 25_000);
    assert_eq!(document["runs"][0]["properties"]["omittedResults"], 5_000);
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(output.as_bytes()).unwrap();
    let bytes = packed.finish().unwrap().len();
    assert!(bytes < 10_000_000, "{bytes}");
}

#[test]
fn neither_time_zone_nor_locale_nor_home_changes_a_report() {
    let work = hostile();
    for format in ["text", "json", "sarif", "github", "junit", "csv", "markdown"] {
        let plain = run(&work, format);
        for (name, value) in
            [("TZ", "Pacific/Kiritimati"), ("LC_ALL", "tr_TR.UTF-8"), ("LANG", "C"), ("HOME", "/nonexistent")]
        {
            let output = work.command(&["scan", "--format", format]).env(name, value).output().unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap(), plain, "{format} {name}");
        }
    }
}

#[test]
fn a_report_inside_the_tree_is_no_source_of_findings() {
    let work = Workspace::new();
    work.write("a.txt", live_key(1));
    for format in ["text", "json", "jsonl", "sarif", "github", "gitlab", "junit", "csv", "markdown"] {
        work.run(&["scan", "--format", format, "--output", &format!("report.{format}")]);
    }
    let report: Value = serde_json::from_str(&run(&work, "json")).unwrap();
    assert_eq!((report["summary"]["findings"].as_u64(), report["coverage"]["files"].as_u64()), (Some(1), Some(10)));
}
