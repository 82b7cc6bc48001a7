//! The walk: what it reads, what it passes over and says so, and what cannot stop it.

use crate::template::live_key;
use crate::workspace::{Run, Workspace};
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;

fn scan(work: &Workspace, more: &[&str]) -> Run {
    work.run(&[&["scan", "--format", "json"], more].concat())
}

fn paths(run: &Run) -> Vec<String> {
    let report = run.json();
    let findings = report["findings"].as_array().unwrap().clone();
    findings.iter().map(|finding| finding["path"].as_str().unwrap().to_owned()).collect()
}

fn mkfifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// Writes `k.env` below `levels` folders called `name`, each inside the last.
fn bury(top: &Path, name: &str, levels: usize, text: &str) {
    use rustix::fs::{Mode, OFlags, mkdirat, open, openat};
    let flags = OFlags::RDONLY | OFlags::DIRECTORY;
    let mut folder = open(top, flags, Mode::empty()).unwrap();
    for _ in 0..levels {
        mkdirat(&folder, name, Mode::RWXU).unwrap();
        folder = openat(&folder, name, flags, Mode::empty()).unwrap();
    }
    let file = openat(&folder, "k.env", OFlags::CREATE | OFlags::WRONLY, Mode::RUSR).unwrap();
    rustix::io::write(&file, text.as_bytes()).unwrap();
}

#[test]
fn hidden_ignored_and_binary_files_are_read() {
    let work = Workspace::new();
    work.git(&["init", "-q"]);
    work.write(".gitignore", "*\n");
    work.write(".ignore", "*\n");
    work.write(".git/info/exclude", "*\n");
    work.write("node_modules/.cache/x.bin", [&b"\x7fELF\0\0\0"[..], live_key(1).as_bytes(), b"\0\xff"].concat());
    work.write("inner/.git/notes.txt", live_key(2));
    let run = scan(&work, &[]);
    assert_eq!(paths(&run), ["inner/.git/notes.txt", "node_modules/.cache/x.bin"]);
    assert_eq!(run.json()["coverage"]["skipped"]["git-directory"], 1);
}

#[test]
fn links_are_not_followed_but_their_targets_are_read() {
    let work = Workspace::new();
    let outside = Workspace::new();
    outside.write("secret.txt", live_key(1));
    work.write("a.txt", "clean");
    symlink(outside.path(), work.path().join("folder")).unwrap();
    symlink(outside.path().join("secret.txt"), work.path().join("file")).unwrap();
    symlink(".", work.path().join("loop")).unwrap();
    symlink("/dev/zero", work.path().join("zero")).unwrap();
    let run = scan(&work, &[]);
    assert_eq!((run.code, paths(&run)), (Some(0), vec![]));
    assert_eq!(run.json()["coverage"]["skipped"]["link"], 4);
    symlink(live_key(2), work.path().join("leak")).unwrap();
    let run = scan(&work, &[]);
    assert_eq!((run.code, paths(&run)), (Some(1), vec!["leak".to_owned()]));
}

#[test]
fn special_files_are_never_opened_whatever_their_name() {
    let work = Workspace::new();
    work.git(&["init", "-q"]);
    work.write("src/k.js", live_key(1));
    // A configuration at the top that is no file is an error of its own.
    for name in [".gitignore", ".ignore", "src/ansalint.toml", "package.json", "pipe"] {
        mkfifo(&work.path().join(name));
    }
    let _socket = std::os::unix::net::UnixListener::bind(work.path().join("socket")).unwrap();
    let run = scan(&work, &[]);
    assert_eq!((run.code, paths(&run)), (Some(1), vec!["src/k.js".to_owned()]));
    let skipped = &run.json()["coverage"]["skipped"];
    assert_eq!((&skipped["fifo"], &skipped["socket"]), (&5.into(), &1.into()));
}

#[test]
fn what_cannot_be_read_is_listed_and_the_code_is_3() {
    let work = Workspace::new();
    work.write("ok.txt", "clean");
    work.write("file.txt", live_key(1));
    work.write("folder/file.txt", live_key(2));
    let close =
        |name: &str, mode| fs::set_permissions(work.path().join(name), fs::Permissions::from_mode(mode)).unwrap();
    close("file.txt", 0);
    close("folder", 0);
    // Root reads everything, so the program runs as somebody else where the tests run as root.
    fs::set_permissions(work.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let program = env!("CARGO_BIN_EXE_ansalint");
    let is_root = rustix::process::geteuid().is_root();
    let mut command = if is_root { Command::new("setpriv") } else { Command::new(program) };
    if is_root {
        let copy = work.path().join("program");
        fs::copy(program, &copy).unwrap();
        fs::set_permissions(&copy, fs::Permissions::from_mode(0o755)).unwrap();
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(copy);
    }
    let run: Run = command.args(["scan", "--format", "json"]).current_dir(work.path()).output().unwrap().into();
    close("folder", 0o755);
    assert_eq!(run.code, Some(3), "{}{}", run.stdout, run.stderr);
    let report = run.json();
    assert_eq!(report["complete"], false);
    let left_out = |index: usize| {
        (report["coverage"]["left_out"][index]["path"].clone(), report["coverage"]["left_out"][index]["reason"].clone())
    };
    assert_eq!(left_out(0), ("file.txt".into(), "permission denied".into()));
    assert_eq!(left_out(1), ("folder".into(), "permission denied".into()));
}

#[test]
fn paths_beyond_path_max_and_thousands_of_levels_are_read() {
    let work = Workspace::new();
    bury(work.path(), &"d".repeat(200), 25, &live_key(1));
    bury(work.path(), "e", 3_000, &live_key(2));
    let run = scan(&work, &[]);
    let found = paths(&run);
    assert_eq!((run.code, found.len()), (Some(1), 2), "{}", run.stderr);
    assert!(found.iter().all(|path| path.ends_with("/k.env") && path.len() > 4_096));
}

#[test]
fn large_files_are_read_across_every_seam() {
    let work = Workspace::new();
    let mut bytes = vec![b' '; 3 << 20];
    let seams = [4096, 65_536, 512 * 1024, 512 * 1024 - 8192, (1 << 20) - 8192, 1 << 20, (1 << 20) - 16_384, 2 << 20];
    for (seed, seam) in (0..).zip(seams) {
        let key = live_key(seed);
        bytes[seam - 22..seam - 22 + key.len()].copy_from_slice(key.as_bytes());
        bytes[seam + 2_000] = b'\n';
    }
    work.write("large.txt", &bytes);
    let run = scan(&work, &[]);
    let report = run.json();
    let findings = report["findings"].as_array().unwrap();
    assert_eq!(findings.len(), seams.len());
    for finding in findings {
        let start = &finding["places"][0]["start"];
        let lines: Vec<&[u8]> = bytes.split(|&byte| byte == b'\n').collect();
        let line = lines[usize::try_from(start["line"].as_u64().unwrap()).unwrap() - 1];
        let column = usize::try_from(start["column"].as_u64().unwrap()).unwrap() - 1;
        assert!(line[column..].starts_with(b"ansa_sk_live_"));
    }
    assert_eq!(report["coverage"]["bytes"], bytes.len());
}

#[test]
fn names_that_are_no_text_and_names_that_attack_terminals_are_reported() {
    let work = Workspace::new();
    let odd = std::ffi::OsStr::from_bytes(b"\xff\xfe.env");
    fs::write(work.path().join(odd), live_key(1)).unwrap();
    work.write("x\n::error file=a::pwn\u{1b}[2J\u{202e}txt.env", live_key(2));
    let run = scan(&work, &[]);
    assert_eq!(paths(&run), ["%FF%FE.env", "x\n::error file=a::pwn\u{1b}[2J\u{202e}txt.env"]);
    let text = work.run(&["scan"]).stdout;
    assert!(text.lines().all(|line| !line.trim_start().starts_with("::")), "{text}");
    assert!(!text.chars().any(|one| one != '\n' && (one.is_control() || one == '\u{202e}')), "{text}");
}

#[test]
fn utf16_files_have_positions_of_their_text() {
    let work = Workspace::new();
    let text = format!("erste Zeile\r\nSchlüssel = {}\r\n", live_key(1));
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    work.write("little.txt", [&b"\xff\xfe"[..], &little].concat());
    work.write("big.txt", &big);
    work.write("odd.txt", [&b"x"[..], &little].concat());
    let report = scan(&work, &[]).json();
    for (index, encoding) in [(0, "utf-16be"), (1, "utf-16le")] {
        let place = &report["findings"][index]["places"][0];
        assert_eq!((&place["start"]["line"], &place["start"]["column"]), (&2.into(), &13.into()));
        assert_eq!((&place["end"]["column"], &place["encoding"][0]), (&58.into(), &encoding.into()));
    }
    assert_eq!(report["findings"][2]["path"], "odd.txt");
}

#[test]
fn paths_are_told_from_the_current_folder_or_the_argument() {
    let work = Workspace::new();
    work.write("sub/a.txt", live_key(1));
    let elsewhere = Workspace::new();
    elsewhere.write("deep/b.txt", live_key(2));
    let other = elsewhere.path().to_str().unwrap();
    assert_eq!(paths(&scan(&work, &["sub"])), ["sub/a.txt"]);
    assert_eq!(paths(&scan(&work, &["./sub/../sub/a.txt"])), ["sub/a.txt"]);
    assert_eq!(paths(&scan(&work, &[".", "sub", "sub/a.txt"])), ["sub/a.txt"]);
    assert_eq!(paths(&scan(&work, &[other, "sub"])), ["deep/b.txt", "sub/a.txt"]);
    assert_eq!(paths(&scan(&work, &[&format!("{other}/deep/b.txt")])), ["b.txt"]);
}

#[test]
fn lists_of_files_come_by_line_or_by_nul() {
    let work = Workspace::new();
    for (seed, name) in (0..).zip(["a b.txt", "c.txt", "-d.txt", "not listed.txt", "new\nline.txt"]) {
        work.write(name, live_key(seed));
    }
    let list = work.write("list", "a b.txt\nc.txt\n\n");
    assert_eq!(paths(&scan(&work, &["--files-from", list.to_str().unwrap()])), ["a b.txt", "c.txt"]);
    work.write("list", "-d.txt\0new\nline.txt\0");
    let mut command = work.command(&["scan", "--format", "json", "--files-from", "-"]);
    let run: Run = command.stdin(fs::File::open(&list).unwrap()).output().unwrap().into();
    assert_eq!(paths(&run), ["-d.txt", "new\nline.txt"]);
    work.write("list", "gone.txt\n");
    let run = scan(&work, &["--files-from", "list"]);
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("gone.txt"), "{}", run.stderr);
    // A list that names nothing is no clean scan.
    for text in ["", "\n\n", "\0"] {
        work.write("list", text);
        let run = scan(&work, &["--files-from", "list"]);
        assert!(run.code == Some(2) && run.stderr.contains("names 0 files"), "{}", run.stderr);
    }
}

#[test]
fn tracked_takes_what_git_tracks_or_would() {
    let work = Workspace::new();
    work.git(&["init", "-q"]);
    work.write(".gitignore", "*.env\nout/\n");
    for (seed, name) in (0..).zip(["new.txt", "local.env", "forced.env", "out/x.js", "committed.txt"]) {
        work.write(name, live_key(seed));
    }
    work.git(&["add", "-f", "forced.env", "committed.txt"]);
    let run = scan(&work, &["--tracked"]);
    assert_eq!(paths(&run), ["committed.txt", "forced.env", "new.txt"]);
    let outside = Workspace::new();
    outside.write("a.txt", "x");
    let run = scan(&outside, &["--tracked"]);
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("--tracked"), "{}", run.stderr);
}

#[test]
fn only_what_git_ignores_and_does_not_hold_is_lowered() {
    let work = Workspace::new();
    work.git(&["init", "-q"]);
    work.write(".gitignore", ".env*\n*.env\n");
    work.write(".env", format!("ANSA_SECRET_KEY={}\nVITE_ANSA={}\n", live_key(1), live_key(2)));
    work.write("forced.env", format!("ANSA_SECRET_KEY={}\n", live_key(3)));
    work.write("dropped.env", format!("ANSA_SECRET_KEY={}\n", live_key(4)));
    work.git(&["add", "-f", "forced.env", "dropped.env"]);
    work.git(&["commit", "-qm", "add"]);
    work.git(&["rm", "-q", "--cached", "dropped.env"]);
    let report = scan(&work, &[]).json();
    let seen: Vec<String> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            format!(
                "{} {} {}",
                one["path"].as_str().unwrap(),
                one["code"].as_str().unwrap(),
                one["level"].as_str().unwrap()
            )
        })
        .collect();
    let expected =
        [".env ANSA1004 note", ".env ANSA1002 error", "dropped.env ANSA1004 error", "forced.env ANSA1004 error"];
    assert_eq!(seen, expected);
    assert_eq!(report["repository"]["head"].as_str().unwrap().len(), 40);
}

#[test]
fn wide_keys_out_of_step_with_their_file_are_found() {
    let work = Workspace::new();
    let key = live_key(1);
    let little: Vec<u8> = key.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = key.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let text: Vec<u8> = "some ordinary text before it\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let cases: [Vec<&[u8]>; 6] = [
        vec![b"abc", &little, b"zz"],
        vec![&text, b"x", &little],
        vec![b"\xff\xfe", &text, b"x", &little],
        vec![b"\xff\xfe", &text, &big],
        vec![b"\xfe\xff", &text, &little],
        vec![&little, b"!", &little, b"!", &big, b"!!"],
    ];
    for (index, parts) in cases.iter().enumerate() {
        work.write(format!("{index}.bin"), parts.concat());
    }
    assert_eq!(paths(&scan(&work, &[])), ["0.bin", "1.bin", "2.bin", "3.bin", "4.bin", "5.bin"]);
    assert_eq!(scan(&work, &["5.bin"]).json()["findings"][0]["places"].as_array().unwrap().len(), 3);
}
