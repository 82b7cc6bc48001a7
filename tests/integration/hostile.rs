//! Repositories made to run something, to hang, to lead astray or to exhaust whoever reads them.
//!
//! What they hold besides is still found, and what could not be read is said.

use crate::template::live_key;
use crate::told::Told;
use crate::workspace::Workspace;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;

fn repository() -> Workspace {
    let workspace = Workspace::new();
    workspace.git(&["init", "-q"]);
    workspace.write("pay.js", live_key(1));
    workspace.git(&["add", "."]);
    workspace.git(&["commit", "-qm", "c"]);
    workspace
}

fn fifo(path: &Path) {
    let _ = fs::remove_file(path);
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// Ends in time and in bounds, whatever the repository holds.
fn bounded(workspace: &Workspace, args: &[&str]) -> Told {
    let program = env!("CARGO_BIN_EXE_ansalint");
    let line = format!("ulimit -v 4000000; exec timeout 60 '{program}' \"$@\"");
    let mut command = Command::new("sh");
    command.args(["-c", &line, "sh"]).args(args).args(["--format", "json"]);
    let output = command.current_dir(workspace.path()).env_clear().env("PATH", "/usr/bin:/bin").output().unwrap();
    assert_ne!(output.status.code(), Some(124), "{args:?} does not end");
    Told::of(&output.into())
}

#[test]
fn nothing_that_is_configured_runs() {
    let workspace = repository();
    let proof = workspace.path().join("it-ran");
    let script = workspace.write("run.sh", format!("#!/bin/sh\n: > '{}'\n", proof.display()));
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let script = script.to_str().unwrap();
    workspace.write("more.config", format!("[core]\n\tfsmonitor = {script}\n"));
    workspace.write(".gitattributes", "* filter=evil diff=evil merge=evil\n");
    workspace.write("b.js", live_key(2));
    workspace.git(&["add", "b.js", ".gitattributes"]);
    for name in [
        "core.fsmonitor",
        "core.sshCommand",
        "core.pager",
        "core.editor",
        "core.askPass",
        "core.gitProxy",
        "gpg.program",
        "diff.external",
        "diff.evil.textconv",
        "diff.evil.command",
        "filter.evil.clean",
        "filter.evil.smudge",
        "filter.evil.process",
        "credential.helper",
        "alias.status",
        "uploadpack.packObjectsHook",
        "core.alternateRefsCommand",
        "merge.evil.driver",
        "remote.origin.uploadpack",
        "remote.origin.vcs",
    ] {
        workspace.git(&["config", name, script]);
    }
    workspace.git(&["config", "include.path", "../more.config"]);
    workspace.git(&["config", "core.hooksPath", "../hooks"]);
    workspace.git(&["config", "extensions.partialClone", "origin"]);
    workspace.git(&["config", "remote.origin.promisor", "true"]);
    workspace.git(&["config", "remote.origin.url", &format!("ext::{script}")]);
    for hook in ["pre-commit", "post-index-change", "reference-transaction", "post-checkout", "fsmonitor-watchman"] {
        let hook = workspace.write(format!("hooks/{hook}"), fs::read(script).unwrap());
        fs::set_permissions(hook, fs::Permissions::from_mode(0o755)).unwrap();
    }
    for args in [
        &["history", "."][..],
        &["staged"],
        &["range", "..HEAD"],
        &["hook"],
        &["scan", "."],
        &["scan", "--tracked", "."],
    ] {
        workspace.told(args);
        assert!(!proof.exists(), "{args:?}");
    }
    assert!(workspace.history().has(&live_key(1)));
    assert!(workspace.told(&["staged"]).has(&live_key(2)));
}

#[test]
fn fifos_under_every_name() {
    for name in [
        "packed-refs",
        "HEAD",
        "config",
        "index",
        "FETCH_HEAD",
        "shallow",
        "commondir",
        "MERGE_HEAD",
        "info/grafts",
        "refs/heads/x",
        "logs/HEAD",
        "objects/info/alternates",
        "objects/info/commit-graph",
    ] {
        let workspace = repository();
        let path = workspace.path().join(".git").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fifo(&path);
        let told = bounded(&workspace, &["history", "."]);
        assert!(told.has(&live_key(1)), "{name}: {:#}", told.report);
        for args in [&["staged"][..], &["range", "HEAD..main"]] {
            let program = env!("CARGO_BIN_EXE_ansalint");
            let output =
                Command::new("timeout").arg("60").arg(program).args(args).current_dir(workspace.path()).output();
            assert_ne!(output.unwrap().status.code(), Some(124), "{name}: {args:?} does not end");
        }
    }
}

#[test]
fn fifos_among_the_objects() {
    let workspace = repository();
    let id = workspace.tell(&["hash-object", "-w", "--stdin"], live_key(2));
    fifo(&workspace.path().join(format!(".git/objects/{}/{}", &id[..2], &id[2..])));
    let told = bounded(&workspace, &["history", "."]);
    assert!(told.has(&live_key(1)));
    told.assert_left_out(&id[2..]);
    workspace.git(&["update-index", "--add", "--cacheinfo", &format!("100644,{id},x.js")]);
    bounded(&workspace, &["staged"]).assert_left_out("x.js");
    fs::create_dir_all(workspace.path().join(".git/objects/pack")).unwrap();
    for name in ["pack-1.pack", "pack-1.idx", "multi-pack-index"] {
        fifo(&workspace.path().join(".git/objects/pack").join(name));
    }
    assert!(bounded(&workspace, &["history", "."]).has(&live_key(1)));
}

#[test]
fn stores_that_lead_elsewhere_are_not_followed() {
    let secret = repository();
    let target = secret.path().join(".git/objects");

    let linked = Workspace::new();
    linked.git(&["init", "-q"]);
    fs::remove_dir_all(linked.path().join(".git/objects")).unwrap();
    symlink(&target, linked.path().join(".git/objects")).unwrap();
    let told = linked.history();
    assert_eq!((told.code, told.has(&live_key(1))), (3, false), "{:#}", told.report);

    let packs = Workspace::new();
    packs.git(&["init", "-q"]);
    secret.git(&["repack", "-adq"]);
    fs::remove_dir_all(packs.path().join(".git/objects/pack")).unwrap();
    symlink(target.join("pack"), packs.path().join(".git/objects/pack")).unwrap();
    let told = packs.history();
    assert_eq!((told.code, told.has(&live_key(1))), (3, false), "{:#}", told.report);

    let file = Workspace::new();
    file.write(".git", format!("gitdir: {}\n", secret.path().join(".git").display()));
    let told = file.history();
    assert_eq!((told.code, told.has(&live_key(1))), (3, false), "{:#}", told.report);
    let run = file.run(&["staged"]);
    assert_eq!(run.code, Some(2), "{}", run.stderr);

    let common = Workspace::new();
    common.git(&["init", "-q"]);
    common.write(".git/commondir", format!("{}\n", secret.path().join(".git").display()));
    let told = common.history();
    assert_eq!((told.code, told.has(&live_key(1))), (3, false), "{:#}", told.report);

    let link = Workspace::new();
    symlink(secret.path().join(".git"), link.path().join(".git")).unwrap();
    let told = link.history();
    assert_eq!((told.code, told.has(&live_key(1))), (3, false), "{:#}", told.report);

    let worktree = repository();
    fs::create_dir_all(worktree.path().join(".git/worktrees")).unwrap();
    symlink(secret.path(), worktree.path().join(".git/worktrees/w")).unwrap();
    symlink(secret.path(), worktree.path().join(".git/modules")).unwrap();
    assert_eq!(worktree.history().paths(&live_key(1)), ["pay.js"]);
}

#[test]
fn refs_in_circles_and_refs_that_lie() {
    let workspace = repository();
    workspace.write(".git/refs/heads/a", "ref: refs/heads/b\n");
    workspace.write(".git/refs/heads/b", "ref: refs/heads/a\n");
    workspace.write(".git/refs/heads/self", "ref: refs/heads/self\n");
    workspace.write(".git/refs/heads/out", "ref: ../../../../etc/passwd\n");
    workspace.write(".git/refs/heads/dangling", format!("{}\n", "12".repeat(20)));
    workspace.write(".git/refs/heads/garbage", b"\xff\xfe\0\0");
    workspace.write(".git/packed-refs", b"# pack-refs with: peeled\n^\n\n \x00\nzz refs/heads/x\n");
    let told = bounded(&workspace, &["history", "."]);
    assert!(told.has(&live_key(1)));
    for name in ["a", "self", "out", "garbage"] {
        assert_eq!(workspace.run(&["range", &format!("{name}..HEAD")]).code, Some(2), "{name}");
    }
    workspace.write(".git/HEAD", "ref: refs/heads/a\n");
    assert!(bounded(&workspace, &["history", "."]).has(&live_key(1)));
    let told = bounded(&workspace, &["staged"]);
    assert!(told.report["findings"].as_array().unwrap().iter().all(|finding| finding["new"] == true));
}

#[test]
fn a_hundred_thousand_refs() {
    let workspace = repository();
    let id = workspace.ask(&["rev-parse", "HEAD"]);
    let mut packed = String::from("# pack-refs with: peeled fully-peeled sorted \n");
    for number in 0..100_000 {
        writeln!(packed, "{id} refs/heads/branch-{number:06}").unwrap();
    }
    workspace.write(".git/packed-refs", packed);
    let told = bounded(&workspace, &["history", "."]);
    told.assert_found();
    let history = &told.one(&live_key(1))["history"];
    assert_eq!(history["refs_total"], 100_001);
    assert!(history["refs"].as_array().unwrap().len() <= 100);
}

#[test]
fn tables_of_refs_beyond_all_measure() {
    let workspace = repository();
    let line = format!("{} refs/heads/{}\n", "1".repeat(40), "x".repeat(60_000));
    workspace.write(".git/packed-refs", line.repeat(600));
    let told = bounded(&workspace, &["history", "."]);
    assert!(told.has(&live_key(1)));
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    use flate2::{Compression, write::ZlibEncoder};
    use std::io::Write as _;
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Writes a loose object called by a made-up name.
fn loose(workspace: &Workspace, number: u8, file: &[u8]) -> String {
    let name = format!("{number:02x}").repeat(19);
    workspace.write(format!(".git/objects/{number:02x}/{name}"), file);
    name
}

#[test]
fn sizes_that_lie() {
    let workspace = repository();
    let key = live_key(2);
    let names = [
        loose(&workspace, 0xa1, &zlib(format!("blob 99999999999999\0{key}").as_bytes())),
        loose(&workspace, 0xa2, &zlib(format!("blob 3\0{key}").as_bytes())),
        loose(&workspace, 0xa3, &zlib(format!("blob 18446744073709551615\0{key}").as_bytes())),
        loose(&workspace, 0xa4, &zlib(format!("blob -1\0{key}").as_bytes())),
        loose(&workspace, 0xa5, &zlib(b"blob")),
        loose(&workspace, 0xa6, &zlib(&vec![b'1'; 100_000])),
        loose(&workspace, 0xa7, b"\x78\x9c"),
        loose(&workspace, 0xa8, &zlib(b"blob 5000000000\0x")),
    ];
    let told = bounded(&workspace, &["history", "."]);
    assert!(told.has(&live_key(1)));
    for name in names {
        told.assert_left_out(&name);
    }
}

#[test]
fn bombs() {
    let workspace = repository();
    let mut content = b"blob 300000000\0".to_vec();
    content.resize(300_000_000 + content.len(), 0);
    loose(&workspace, 0xb0, &zlib(&content));
    let told = bounded(&workspace, &["history", "."]);
    assert!(told.has(&live_key(1)));
}

/// A pack of entries, each a type, a size and what follows, with a checksum that nobody asks for.
fn pack(entries: &[Vec<u8>]) -> Vec<u8> {
    let count = u32::try_from(entries.len()).unwrap();
    let mut pack = [b"PACK".as_slice(), &2_u32.to_be_bytes(), &count.to_be_bytes()].concat();
    for entry in entries {
        pack.extend(entry);
    }
    pack.extend([0; 20]);
    pack
}

fn header(kind: u8, mut size: u64) -> Vec<u8> {
    let mut bytes = vec![kind << 4 | u8::try_from(size & 15).unwrap()];
    size >>= 4;
    while size > 0 {
        *bytes.last_mut().unwrap() |= 0x80;
        bytes.push(u8::try_from(size & 0x7f).unwrap());
        size >>= 7;
    }
    bytes
}

const BLOB: u8 = 3;
const OFS_DELTA: u8 = 6;
const REF_DELTA: u8 = 7;

#[test]
fn packs_that_lie() {
    let key = live_key(2);
    let whole = |kind, size: u64, bytes: &[u8]| [header(kind, size), zlib(bytes)].concat();
    let good = whole(BLOB, key.len() as u64, key.as_bytes());
    let id = [0x11; 20];
    let copy_huge: Vec<u8> = [vec![0x80, 0x80, 0x80, 0x80, 0x10], [0xff; 7].repeat(3)].concat();
    let delta =
        |base: &[u8], bytes: &[u8]| [header(REF_DELTA, bytes.len() as u64), base.to_vec(), zlib(bytes)].concat();
    let back =
        |distance: u8, bytes: &[u8]| [header(OFS_DELTA, bytes.len() as u64), vec![distance], zlib(bytes)].concat();
    let packs = [
        vec![good.clone(), whole(BLOB, 1 << 60, b"x")],
        vec![good.clone(), whole(BLOB, 1, &[7; 1_000])],
        vec![good.clone(), delta(&id, b"\x01\x01\x01x")],
        vec![good.clone(), back(0, b"\x01\x01\x01x")],
        vec![good.clone(), back(127, b"\x01\x01\x01x")],
        vec![good.clone(), back(u8::try_from(good.len()).unwrap(), &copy_huge)],
        vec![good.clone(), header(0, 1)],
        vec![good.clone(), header(5, 1)],
        vec![good.clone(), vec![0xff; 40]],
    ];
    for (number, entries) in packs.iter().enumerate() {
        let workspace = repository();
        workspace.write(".git/objects/pack/pack-1.pack", pack(entries));
        let told = bounded(&workspace, &["history", "."]);
        assert!(told.has(&live_key(1)) && told.has(&key), "{number}: {:#}", told.report);
        assert!(!told.complete(), "{number}: {:#}", told.report);
    }
    let workspace = repository();
    let mut many = pack(&[good]);
    many[8..12].copy_from_slice(&u32::MAX.to_be_bytes());
    workspace.write(".git/objects/pack/pack-1.pack", many);
    let told = bounded(&workspace, &["history", "."]);
    assert!(told.has(&key) && !told.complete());
}

#[test]
fn deltas_in_a_circle() {
    let workspace = repository();
    let ids = [[0x11_u8; 20], [0x22; 20]];
    let entry = |base: &[u8]| [header(REF_DELTA, 4), base.to_vec(), zlib(b"\x01\x01\x01x")].concat();
    let entries = [entry(&ids[1]), entry(&ids[0])];
    let offsets = [12, 12 + u32::try_from(entries[0].len()).unwrap()];
    let bytes = pack(&entries);
    let mut index = [b"\xfftOc".as_slice(), &2_u32.to_be_bytes()].concat();
    for first in 0..256_u32 {
        index.extend((u32::from(first >= 0x11) + u32::from(first >= 0x22)).to_be_bytes());
    }
    for id in ids {
        index.extend(id);
    }
    index.extend([0; 8]);
    for offset in offsets {
        index.extend(offset.to_be_bytes());
    }
    index.extend([0; 40]);
    workspace.write(".git/objects/pack/pack-1.pack", bytes);
    workspace.write(".git/objects/pack/pack-1.idx", index);
    let told = bounded(&workspace, &["history", "."]);
    assert!(told.has(&live_key(1)));
    told.assert_left_out("1111111111");
    told.assert_left_out("2222222222");
    workspace.git(&["update-index", "--add", "--cacheinfo", &format!("100644,{},x.js", "11".repeat(20))]);
    bounded(&workspace, &["staged"]).assert_left_out("x.js");
}

#[test]
fn trees_that_double_at_every_level() {
    let workspace = repository();
    let mut id = workspace.tell(&["hash-object", "-w", "--stdin"], live_key(2));
    let mut mode = "100644 blob";
    for _ in 0..40 {
        let lines: String = (0..10).map(|number| format!("{mode} {id}\td{number}\n")).collect();
        id = workspace.tell(&["mktree"], lines);
        mode = "040000 tree";
    }
    let commit = workspace.ask(&["commit-tree", "-m", "bomb", &id]);
    workspace.git(&["update-ref", "refs/heads/bomb", &commit]);
    let told = bounded(&workspace, &["history", "."]);
    assert!(told.has(&live_key(1)) && told.has(&live_key(2)));
    assert!(told.findings(&live_key(2)).len() <= 100);
}

#[test]
fn commits_that_make_no_sense() {
    let workspace = repository();
    let tree = workspace.ask(&["rev-parse", "HEAD^{tree}"]);
    let absent = "12".repeat(20);
    let own = workspace.ask(&["rev-parse", "HEAD"]);
    for text in [
        format!("tree {absent}\nparent {absent}\nauthor A <a> 1 +0\ncommitter A <a> 1 +0\n\n{}", live_key(2)),
        format!("tree {tree}\ncommitter A <a> 99999999999999999999999 +0\n\nm"),
        format!("tree {tree}\ncommitter A <a> -9223372036854775808 +0\n\n{}", live_key(3)),
        format!("tree {own}\nparent {tree}\n\nm"),
        "no header at all".to_owned(),
        String::new(),
    ] {
        workspace.tell(&["hash-object", "-t", "commit", "--literally", "-w", "--stdin"], text);
    }
    let parents = format!("parent {own}\n").repeat(20_000);
    let many = format!("tree {tree}\n{parents}committer A <a> 1 +0\n\nm");
    let id = workspace.tell(&["hash-object", "-t", "commit", "--literally", "-w", "--stdin"], many);
    workspace.write(".git/refs/heads/many", format!("{id}\n"));
    for text in [b"40000 \0short".as_slice(), b"nonsense", b"100644 \0\0\0"] {
        workspace.tell(&["hash-object", "-t", "tree", "--literally", "-w", "--stdin"], text);
    }
    let told = bounded(&workspace, &["history", "."]);
    (1..=3).for_each(|seed| assert!(told.has(&live_key(seed)), "{seed}"));
    bounded(&workspace, &["range", "main..many"]);
}
