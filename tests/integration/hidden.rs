//! Keys that do not stand in a file as they are, as the program reports them: places, chains, excerpts, bounds.

use crate::template::{base64, fingerprint, identifier, live_key};
use crate::workspace::{Run, Workspace};
use serde_json::{Value, json};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut encoder, bytes).unwrap();
    encoder.finish().unwrap()
}

/// The report on one file.
fn scan(name: &str, content: impl AsRef<[u8]>) -> Value {
    let work = Workspace::new();
    work.write(name, content);
    work.run(&["scan", "--format", "json"]).json()
}

/// `line:column-line:column chain` of every place of the one finding.
fn places(report: &Value) -> Vec<String> {
    let findings = report["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 1, "{report:#}");
    let place = |place: &Value| {
        let chain: Vec<&str> =
            place["encoding"].as_array().unwrap().iter().map(|step| step.as_str().unwrap()).collect();
        let (start, end) = (&place["start"], &place["end"]);
        format!("{}:{}-{}:{} {}", start["line"], start["column"], end["line"], end["column"], chain.join("+"))
    };
    findings[0]["places"].as_array().unwrap().iter().map(place).collect()
}

fn assert_is(report: &Value, key: &str) {
    assert_eq!(report["findings"][0]["key"]["fingerprint"], fingerprint(key), "{report:#}");
}

#[test]
fn places_are_those_of_the_encoded_text() {
    let key = live_key(1);
    let report =
        scan("secret.yaml", format!("kind: Secret\ndata:\n  # 日本語😀\n  ANSA: {}\n", base64(key.as_bytes())));
    assert_eq!(places(&report), ["4:9-4:69 base64"]);
    assert_is(&report, &key);
    let report = scan("a.json", format!("{{\"日本😀\":\"{}\"}}", key.replace('_', "\\u005f")));
    assert_eq!(places(&report), ["1:10-1:70 backslash"]);
    assert_is(&report, &key);
    let text = base64(format!("{}{key}{}", "p".repeat(60), "q".repeat(60)).as_bytes());
    let lines: Vec<String> =
        text.as_bytes().chunks(76).map(|line| format!("  {}\n", String::from_utf8_lossy(line))).collect();
    let lines = lines.concat();
    let report = scan("mail.eml", format!("\n{lines}"));
    // The key is the bytes from 60 to 105 of the text, so the characters from 80 to 140.
    assert_eq!(places(&report), ["3:7-3:67 base64"]);
    assert_is(&report, &key);
    let helm = base64(base64(&gzip(format!("K={key}\n").as_bytes())).as_bytes());
    let report = scan("release.yaml", format!("data:\n  release: {helm}\n"));
    assert_eq!(places(&report), [format!("2:12-2:{} base64+base64+gzip", 12 + helm.len())]);
    assert_is(&report, &key);
}

#[test]
fn pieces_have_places_of_their_own() {
    let key = live_key(2);
    let report = scan("a.js", format!("const k = \"{}\" +\n  '{}'\n", &key[..20], &key[20..]));
    assert_eq!(places(&report), ["1:12-1:32 split", "2:4-2:29 split"]);
    assert_is(&report, &key);
}

#[test]
fn plain_and_encoded_in_one_file_are_one_finding() {
    let key = live_key(3);
    let report = scan("a.txt", format!("{key}\n{}\n{key}\n", base64(key.as_bytes())));
    assert_eq!(places(&report), ["1:1-1:46 ", "2:1-2:61 base64", "3:1-3:46 "]);
    assert_is(&report, &key);
}

#[test]
fn every_width_of_unicode_is_read_encoded_text_included() {
    let key = live_key(4);
    let text = format!("\u{feff}é\nk={}\nK={key}\n", base64(key.as_bytes()));
    let wide = |to: fn(u32) -> [u8; 4]| text.chars().flat_map(|one| to(u32::from(one))).collect::<Vec<u8>>();
    let narrow = |to: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(to).collect::<Vec<u8>>();
    let all = [
        ("utf-32le", wide(u32::to_le_bytes)),
        ("utf-32be", wide(u32::to_be_bytes)),
        ("utf-16le", narrow(u16::to_le_bytes)),
        ("utf-16be", narrow(u16::to_be_bytes)),
    ];
    for (name, bytes) in all {
        let unmarked = if name.starts_with("utf-32") { 4 } else { 2 };
        for content in [&bytes[..], &bytes[unmarked..]] {
            let report = scan("a.txt", content);
            assert_eq!(places(&report), [format!("2:3-2:63 {name}+base64"), format!("3:3-3:48 {name}")]);
            assert_is(&report, &key);
        }
    }
}

/// No piece of `text` that could be undone may be in an output.
fn assert_hidden(run: &Run, text: &str) {
    for output in [&run.stdout, &run.stderr] {
        for at in 0..text.len() - 14 {
            assert!(!output.contains(&text[at..at + 14]), "{} is in\n{output}", &text[at..at + 14]);
        }
    }
}

#[test]
fn no_report_shows_encoded_text() {
    let (key, other) = (live_key(5), live_key(6));
    let own = &key[13..];
    let forms = [
        base64(key.as_bytes())[18..].to_owned(),
        key[13..].bytes().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat(),
        key[13..].bytes().map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat(),
        base64(base64(key.as_bytes()).as_bytes())[28..].to_owned(),
    ];
    let prefixes = [
        &base64(key.as_bytes())[..18],
        "616e73615f736b5f6c6976655f",
        "%61%6E%73%61%5F%73%6B%5F%6C%69%76%65%5F",
        &base64(base64(key.as_bytes()).as_bytes())[..28],
    ];
    for (prefix, form) in prefixes.iter().zip(&forms) {
        let work = Workspace::new();
        work.write("src/a.js", format!("import 'react-dom'; let a = '{other}', k = '{prefix}{form}', b = '{other}'\n"));
        work.write(format!("{}.txt", &base64(key.as_bytes())), "x");
        for format in ["text", "json", "sarif"] {
            let run = work.run(&["scan", "--format", format, "--show-ignored"]);
            assert_eq!(run.code, Some(1), "{}", run.stdout);
            assert_hidden(&run, form);
            assert_hidden(&run, own);
            assert_hidden(&run, &forms[0]);
            assert_hidden(&run, &other[13..]);
        }
    }
    let work = Workspace::new();
    work.write(
        "a.js",
        format!("let k = \"{}\" + \"{}\" + \"{}\", o = \"{other}\"\n", &key[..15], &key[15..30], &key[30..]),
    );
    let run = work.run(&["scan"]);
    assert_hidden(&run, &key[13..30]);
    assert_hidden(&run, &key[30..]);
}

#[test]
fn what_a_bound_cuts_is_left_out() {
    let deep = (0..6).fold(live_key(7), |text, _| base64(text.as_bytes()));
    let report = scan("deep.txt", deep);
    assert_eq!((&report["complete"], &report["findings"]), (&json!(false), &json!([])));
    assert_eq!(report["coverage"]["left_out"][0]["reason"], "more than 3 encodings inside each other");
    let bomb = base64(&gzip(&vec![b' '; 40 << 20]));
    let work = Workspace::new();
    work.write("bomb.txt", format!("b: {bomb}\nk: {}\n", live_key(8)));
    let run = work.run(&["scan", "--format", "json"]);
    assert_eq!((run.code, run.json()["complete"].as_bool()), (Some(1), Some(false)));
    assert_eq!(run.json()["coverage"]["left_out"][0]["reason"], "decodes to more than 4 times its size and 8 MiB");
}

#[test]
fn each_bound_has_an_argument_and_a_key_of_the_configuration() {
    let key = live_key(7);
    let deep = (0..4).fold(key.clone(), |text, _| base64(text.as_bytes()));
    let many: String = (0..5).map(|seed| format!("k={}\n", base64(live_key(seed).as_bytes()))).collect();
    for (content, option, value, reason) in [
        (&deep, "decode-depth", "3", "more than 3 encodings inside each other"),
        (&many, "decode-bytes", "20", "decodes to more than 0 times its size and 20 bytes"),
        (&many, "decode-keys", "2", "more than 2 encoded keys"),
    ] {
        let work = Workspace::new();
        work.write("a.txt", content);
        let wide = ["scan", "--format", "json", "--decode-depth", "4"];
        let report = work.run(&wide).json();
        assert_eq!(report["complete"], true, "{option}");
        work.write("ansalint.toml", format!("[limits]\n{option} = {value}\ndecode-ratio = 0\n"));
        let set = work.run(&["scan", "--format", "json"]).json();
        let asked = format!("--{option}={value}");
        let asked = work.run(&["scan", "--no-config", "--decode-ratio=0", &asked, "--format", "json"]).json();
        for report in [set, asked] {
            assert_eq!(report["coverage"]["left_out"][0]["reason"], reason, "{option}");
        }
        let run = work.run(&["config"]);
        assert!(run.stdout.contains(&format!("{option} = {value}  # ")), "{}", run.stdout);
    }
}

#[test]
fn what_looks_like_the_start_of_keys_without_end_hides_none() {
    let key = live_key(10);
    let starts = ["_sk_live_", "_sk_live_%61", "YW5zYV", "X2xpdmVf", "616e73615f0", "\"ansa", "ansa_\"+\""];
    for start in starts {
        let report = scan("hostile.txt", format!("{}\nk = {key}\n", start.repeat((1 << 19) / start.len())));
        let found = report["findings"].as_array().unwrap();
        assert!(found.iter().any(|finding| finding["key"]["fingerprint"] == fingerprint(&key)), "{start}");
    }
}

#[test]
fn base64_longer_than_a_window_is_read_to_its_end() {
    let key = live_key(9);
    let noise = identifier("base62", 900_000, 3);
    for at in [300_001, 392_150, 393_216 - 20, 899_990] {
        let text = base64(format!("{} {key} {}", &noise[..at], &noise[at..]).as_bytes());
        let column = (at + 1) * 8 / 6 + 1;
        let report = scan("a.txt", &text);
        assert_is(&report, &key);
        assert!(places(&report)[0].starts_with(&format!("1:{column}-")), "{:?} {column}", places(&report));
        let lines: Vec<&[u8]> = text.as_bytes().chunks(76).collect();
        let report = scan("a.txt", lines.join(&b"\r\n"[..]));
        assert_is(&report, &key);
        let (line, column) = ((column - 1) / 76 + 1, (column - 1) % 76 + 1);
        assert!(places(&report)[0].starts_with(&format!("{line}:{column}-")), "{:?} {line}:{column}", places(&report));
    }
}

#[test]
fn a_bundle_in_one_line_has_a_short_excerpt_and_an_exact_column() {
    let key = live_key(10);
    let code = "var a=function(b){return b.c(\"é😀\")};".repeat(60_000);
    let columns = code.encode_utf16().count();
    let work = Workspace::new();
    work.write("dist/main.js", format!("{code}k=\"{key}\";{code}e=\"{}\";", base64(key.as_bytes())));
    let report = work.run(&["scan", "--format", "json"]).json();
    let (plain, encoded) = (columns + 4, columns * 2 + 3 + 45 + 2 + 4);
    assert_eq!(
        places(&report),
        [format!("1:{plain}-1:{} ", plain + 45), format!("1:{encoded}-1:{} base64", encoded + 60)]
    );
    let run = work.run(&["scan"]);
    assert!(run.stdout.lines().all(|line| line.len() < 600), "{}", run.stdout.len());
}

#[test]
fn files_that_carry_keys_by_their_nature_are_read() {
    let key = live_key(11);
    let chunk = format!("\u{89}PNG\r\n\u{1a}\n\0\0\0\x0dIHDR\0\0\0\x01\0\0\0@tEXtComment\0{key}\0\0\0\0IEND");
    let latin: Vec<u8> = chunk.chars().map(|one| u8::try_from(u32::from(one)).unwrap()).collect();
    let files: [(&str, Vec<u8>); 11] = [
        ("a.ipynb", json!({"cells": [{"cell_type": "code", "outputs": [{"text": [format!("{key}\n")]}], "source": []}]}).to_string().into()),
        ("a.har", json!({"log": {"entries": [{"request": {"headers": [{"name": "Authorization", "value": key}]}}]}}).to_string().into()),
        ("b.har", json!({"log": {"entries": [{"request": {"url": format!("https://x/?k={}", key.replace('_', "%5F"))}}]}}).to_string().into()),
        ("c.har", json!({"log": {"entries": [{"response": {"content": {"encoding": "base64", "text": base64(format!("{{\"k\":\"{key}\"}}").as_bytes())}}}]}}).to_string().into()),
        ("a.postman_environment.json", json!({"values": [{"key": "ansa", "value": key, "type": "secret"}]}).to_string().into()),
        ("terraform.tfstate", json!({"resources": [{"instances": [{"attributes": {"user_data_base64": base64(format!("export K={key}").as_bytes())}}]}]}).to_string().into()),
        ("app.log", format!("2024-01-01T00:00:00Z INFO \u{1b}[32mAuthorization\u{1b}[0m: {key} 200\n").into()),
        (".npmrc", format!("//registry.example/:_authToken={key}\n").into()),
        ("package-lock.json", json!({"packages": {"a": {"resolved": format!("https://u:{key}@host/a.tgz"), "integrity": format!("sha512-{}==", identifier("base64", 86, 1))}}}).to_string().into()),
        ("image.png", latin),
        (".netrc", format!("machine x login u password {key}\n").into()),
    ];
    for (name, content) in files {
        let report = scan(name, content);
        assert_is(&report, &key);
        assert_eq!((report["complete"].as_bool(), places(&report).len()), (Some(true), 1), "{name}");
    }
}
