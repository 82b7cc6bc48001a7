//! `history` on every way to store objects: packs, deltas, alternates, partial and damaged stores.

use crate::template::{identifier, live_key};
use crate::told::{Told, list};
use crate::workspace::Workspace;
use std::fs;
use std::path::PathBuf;

/// A repository of files with a long text in common, so that deltas pay; every fourth version holds a key.
struct Depot {
    workspace: Workspace,
    keys: Vec<String>,
}

impl Depot {
    fn new(init: &[&str]) -> Self {
        let workspace = Workspace::new();
        workspace.git(&[&["init", "-q"], init].concat());
        let mut depot = Self { workspace, keys: Vec::new() };
        depot.versions(0..16);
        depot
    }

    fn versions(&mut self, numbers: std::ops::Range<u64>) {
        for number in numbers {
            let mut text: Vec<String> =
                (0..200).map(|line| format!("{} {line}", identifier("hex", 40, line))).collect();
            text[usize::try_from(number * 7 % 200).unwrap()] = format!("version {number}");
            if number % 4 == 1 {
                self.keys.push(live_key(number));
                text[usize::try_from(number * 11 % 200).unwrap()] = live_key(number);
            }
            self.workspace.write("file.txt", text.join("\n"));
            self.workspace.git(&["add", "file.txt"]);
            self.workspace.git(&["commit", "-qm", "c"]);
        }
    }

    fn git(&self, args: &[&str]) {
        self.workspace.git(args);
    }

    fn repack(&self, args: &[&str]) {
        self.git(&[&["repack", "-adfq", "--depth=40", "--window=20"], args].concat());
    }

    /// All keys are found, once each, in a history read whole.
    fn assert_all(&self) -> Told {
        let told = self.workspace.history();
        told.assert_found();
        self.assert_keys(&told);
        told
    }

    fn assert_keys(&self, told: &Told) {
        for key in &self.keys {
            assert_eq!(told.paths(key), ["file.txt"]);
        }
        assert_eq!(told.report["summary"]["secrets"], self.keys.len());
    }

    fn packs(&self, extension: &str) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.workspace.path().join(".git/objects/pack")).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        let mut paths: Vec<PathBuf> =
            paths.filter(|path| path.extension().is_some_and(|end| end == extension)).collect();
        paths.sort();
        paths
    }

    fn objects(&self) -> u64 {
        let listed = self.workspace.ask(&["cat-file", "--batch-all-objects", "--batch-check"]);
        listed.lines().count() as u64
    }
}

#[test]
fn deltas_by_offset_and_by_name() {
    let depot = Depot::new(&[]);
    for is_offset in ["true", "false"] {
        depot.git(&["config", "repack.useDeltaBaseOffset", is_offset]);
        depot.repack(&[]);
        assert_eq!(depot.packs("pack").len(), 1);
        let told = depot.assert_all();
        assert_eq!(told.report["coverage"]["objects"], depot.objects());
    }
}

#[test]
fn a_pack_without_its_index() {
    let depot = Depot::new(&[]);
    depot.repack(&[]);
    for extension in ["idx", "rev"] {
        depot.packs(extension).iter().for_each(|path| fs::remove_file(path).unwrap());
    }
    let told = depot.workspace.history();
    depot.keys.iter().for_each(|key| assert!(told.has(key)));
}

#[test]
fn deltas_by_name_in_a_pack_without_its_index() {
    for init in [&[][..], &["--object-format=sha256"]] {
        let depot = Depot::new(init);
        depot.git(&["config", "repack.useDeltaBaseOffset", "false"]);
        depot.repack(&[]);
        depot.packs("idx").iter().for_each(|path| fs::remove_file(path).unwrap());
        depot.assert_all();
    }
}

#[test]
fn a_long_chain_of_deltas_by_name_without_an_index() {
    let workspace = Workspace::new();
    workspace.git(&["init", "-q"]);
    let mut text = String::new();
    for number in 0..300 {
        text = format!("{}\n{text}", identifier("hex", 40, number));
        if number == 150 {
            text = format!("{}\n{text}", live_key(1));
        }
        workspace.tell(&["hash-object", "-w", "--stdin"], &text);
    }
    let ids = workspace.ask(&["cat-file", "--batch-all-objects", "--batch-check=%(objectname)"]);
    let name = workspace.tell(
        &[
            "-c",
            "repack.useDeltaBaseOffset=false",
            "pack-objects",
            "-q",
            "--depth=300",
            "--window=300",
            ".git/objects/pack/pack",
        ],
        ids + "\n",
    );
    workspace.git(&["prune-packed", "-q"]);
    let told = workspace.history();
    let found = told.findings(&live_key(1)).len();
    assert!(found >= 150, "{found}");
    fs::remove_file(workspace.path().join(format!(".git/objects/pack/pack-{name}.idx"))).unwrap();
    let again = workspace.history();
    assert_eq!(
        (again.findings(&live_key(1)).len(), again.complete()),
        (found, told.complete()),
        "{:?}",
        again.left_out()
    );
    assert_eq!(told.report["findings"], again.report["findings"]);
}

#[test]
fn what_writes_left_behind_that_were_interrupted() {
    let depot = Depot::new(&[]);
    depot.git(&["gc", "-q"]);
    let pack = depot.packs("pack").remove(0);
    fs::rename(&pack, pack.with_file_name("tmp_pack_Ab12Cd")).unwrap();
    depot.packs("idx").iter().for_each(|path| fs::remove_file(path).unwrap());
    depot.packs("rev").iter().for_each(|path| fs::remove_file(path).unwrap());
    depot.assert_all();
    let left = pack.with_file_name("tmp_pack_Ab12Cd");
    let whole = fs::read(&left).unwrap();
    fs::remove_file(&left).unwrap();
    fs::write(&left, &whole[..whole.len() - 40]).unwrap();
    let told = depot.workspace.history();
    told.assert_left_out("tmp_pack_Ab12Cd");
    assert_eq!(told.code, 1, "what came before the cut is read");
    fs::write(&left, &whole).unwrap();

    let objects = |path: &str| depot.workspace.path().join(".git/objects").join(path);
    let loose = |text: &str| {
        let id = depot.workspace.tell(&["hash-object", "-w", "--stdin"], text);
        objects(&format!("{}/{}", &id[..2], &id[2..]))
    };
    for (seed, to) in
        [(101, "17/tmp_obj_x1Y2z3"), (102, "tmp_obj_x1Y2z3"), (103, "17/note"), (104, "incoming-aB1/17/tmp_obj_x")]
    {
        fs::create_dir_all(objects(to).parent().unwrap()).unwrap();
        fs::rename(loose(&live_key(seed)), objects(to)).unwrap();
        let told = depot.workspace.history();
        told.assert_found();
        let id = depot.workspace.tell(&["hash-object", "--stdin"], live_key(seed));
        assert_eq!(told.paths(&live_key(seed)), [format!(".git/blobs/{id}")], "{to}");
    }
    depot.workspace.write(".git/objects/18/tmp_obj_empty", "");
    depot.workspace.history().assert_found();
    let whole = fs::read(objects("tmp_obj_x1Y2z3")).unwrap();
    depot.workspace.write(".git/objects/18/tmp_obj_cut", &whole[..whole.len() / 2]);
    depot.workspace.history().assert_left_out("objects/18/tmp_obj_cut");
}

#[test]
fn what_a_push_left_in_quarantine() {
    let depot = Depot::new(&[]);
    depot.git(&["gc", "-q"]);
    let from = depot.workspace.path().join(".git/objects/pack");
    let to = depot.workspace.path().join(".git/objects/incoming-x1Y2z3/pack");
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    fs::rename(from, &to).unwrap();
    depot.assert_all();
}

#[test]
fn files_among_the_objects_that_are_none() {
    let depot = Depot::new(&[]);
    depot.git(&["gc", "-q"]);
    let keep = depot.packs("pack").remove(0).with_extension("keep");
    fs::write(&keep, live_key(100)).unwrap();
    depot.workspace.write(".git/objects/info/packs", live_key(101));
    depot.workspace.write(".git/objects/note.txt", live_key(102));
    let told = depot.workspace.history();
    told.assert_found();
    for seed in 100..103 {
        assert_eq!(told.kinds(&live_key(seed)), ["git-file"], "{seed}");
    }
    depot.workspace.write(".git/objects/attic/a.txt", "a");
    depot.workspace.history().assert_left_out("objects/attic");
}

#[test]
fn several_packs_loose_twins_and_a_multi_pack_index() {
    let mut depot = Depot::new(&[]);
    depot.git(&["repack", "-dq"]);
    depot.versions(16..24);
    depot.git(&["repack", "-dq"]);
    depot.versions(24..28);
    assert_eq!(depot.packs("pack").len(), 2);
    depot.assert_all();
    depot.git(&["multi-pack-index", "write", "--bitmap"]);
    depot.assert_all();
    let twin = depot.workspace.ask(&["rev-parse", "HEAD~20:file.txt"]);
    let content = depot.workspace.ask(&["cat-file", "blob", &twin]);
    let pack = depot.packs("pack");
    let aside: Vec<PathBuf> = pack.iter().map(|path| path.with_extension("aside")).collect();
    pack.iter().zip(&aside).for_each(|(path, aside)| fs::rename(path, aside).unwrap());
    assert_eq!(depot.workspace.tell(&["hash-object", "-w", "--stdin"], content), twin);
    pack.iter().zip(&aside).for_each(|(path, aside)| fs::rename(aside, path).unwrap());
    depot.assert_all();
}

#[test]
fn packs_that_are_thin_over_others() {
    let mut depot = Depot::new(&[]);
    depot.versions(16..20);
    let thin = depot.workspace.git_command(&["pack-objects", "--thin", "--revs", "--stdout", "-q"]);
    let thin = output(thin, b"HEAD\n^HEAD~4\n");
    depot.git(&["reset", "-q", "--hard", "HEAD~4"]);
    depot.git(&["reflog", "expire", "--expire=now", "--all"]);
    fs::remove_file(depot.workspace.path().join(".git/ORIG_HEAD")).unwrap();
    depot.git(&["repack", "-adq"]);
    depot.git(&["prune", "--expire=now"]);
    depot.workspace.write(".git/objects/pack/pack-0000000000000000000000000000000000000000.pack", thin);
    let told = depot.workspace.history();
    for key in &depot.keys {
        assert!(told.has(key), "{:#}", told.report);
    }
}

fn output(mut command: std::process::Command, input: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    use std::process::Stdio;
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    output.stdout
}

#[test]
fn alternates_inside_and_outside_the_root() {
    let depot = Depot::new(&[]);
    let top = depot.workspace.path().to_str().unwrap();
    let other = Workspace::new();
    other.git(&["clone", "-q", "--shared", top, "borrower"]);
    let told = other.told(&["history", "borrower"]);
    assert_eq!(told.code, 3, "{:#}", told.report);
    told.assert_left_out("--follow-alternates");
    let told = other.told(&["history", "borrower", "--follow-alternates"]);
    told.assert_found();
    depot.assert_keys(&told);

    let both = Workspace::new();
    both.git(&["clone", "-q", top, "lender"]);
    both.git(&["clone", "-q", "--shared", "lender", "borrower"]);
    let told = both.told(&["history", "."]);
    told.assert_found();
    assert!(told.paths(&depot.keys[0]).iter().all(|path| path.ends_with("/file.txt")), "{:#}", told.report);
}

#[test]
fn alternates_in_a_circle_or_nowhere() {
    let depot = Depot::new(&[]);
    depot.workspace.write(".git/objects/info/alternates", "../objects\n# comment\n\n");
    depot.assert_all();
    depot.workspace.write(".git/objects/info/alternates", "/nowhere/objects\n");
    let told = depot.workspace.told(&["history", ".", "--follow-alternates"]);
    told.assert_left_out("alternates");
    assert_eq!(told.code, 1);
}

#[test]
fn shallow_clones_say_so() {
    let depot = Depot::new(&[]);
    let url = format!("file://{}", depot.workspace.path().display());
    let clone = Workspace::new();
    clone.git(&["clone", "-q", "--depth=2", &url, "."]);
    let told = clone.history();
    assert_eq!(told.code, 3, "{:#}", told.report);
    told.assert_left_out("shallow");
    clone.git(&["fetch", "-q", "--unshallow"]);
    depot.assert_keys(&clone.history());
    clone.history().assert_found();
}

#[test]
fn partial_clones_list_what_was_promised() {
    let depot = Depot::new(&[]);
    depot.git(&["config", "uploadpack.allowFilter", "true"]);
    depot.git(&["commit", "-q", "--allow-empty", "-m", "clean"]);
    let gone = depot.workspace.ask(&["rev-parse", "HEAD~5:file.txt"]);
    let url = format!("file://{}", depot.workspace.path().display());
    for filter in ["blob:none", "tree:0"] {
        let clone = Workspace::new();
        clone.git(&["clone", "-q", "--no-checkout", &format!("--filter={filter}"), &url, "."]);
        let told = clone.history();
        assert_eq!(told.code, 3, "{filter}: {:#}", told.report);
        let part = if filter == "blob:none" { gone[2..].to_owned() } else { "promised".to_owned() };
        told.assert_left_out(&part);
        assert!(clone.ask(&["count-objects", "-v"]).contains("count: 0"), "something was fetched");
    }
}

#[test]
fn missing_objects_are_looked_for_where_asked() {
    let depot = Depot::new(&[]);
    let id = depot.workspace.ask(&["rev-parse", "HEAD~1:file.txt"]);
    fs::remove_file(depot.workspace.path().join(format!(".git/objects/{}/{}", &id[..2], &id[2..]))).unwrap();
    assert!(depot.workspace.history().complete());
    depot.workspace.told(&["history", ".", "--check-missing"]).assert_left_out(&id[2..]);
}

#[test]
fn damaged_objects_are_named_and_the_rest_is_read() {
    let depot = Depot::new(&[]);
    let id = depot.workspace.ask(&["rev-parse", "HEAD:file.txt"]);
    let path = depot.workspace.path().join(format!(".git/objects/{}/{}", &id[..2], &id[2..]));
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 20].fill(0x5a);
    fs::remove_file(&path).unwrap();
    fs::write(&path, bytes).unwrap();
    let told = depot.workspace.history();
    told.assert_left_out(&id[2..]);
    depot.keys.iter().for_each(|key| assert!(told.has(key)));
    fs::write(&path, b"").unwrap();
    depot.workspace.history().assert_left_out(&id[2..]);
}

#[test]
fn damaged_packs_are_named_and_the_rest_is_read() {
    let depot = Depot::new(&[]);
    depot.repack(&[]);
    let pack = depot.packs("pack").remove(0);
    let whole = fs::read(&pack).unwrap();
    fs::remove_file(&pack).unwrap();
    for at in [13, whole.len() / 3, whole.len() / 2, whole.len() - 30] {
        let mut bytes = whole.clone();
        bytes[at] ^= 0xff;
        fs::write(&pack, &bytes).unwrap();
        let told = depot.workspace.history();
        assert!(!told.complete() || depot.keys.iter().all(|key| told.has(key)), "byte {at}: {:#}", told.report);
    }
    fs::write(&pack, &whole[..whole.len() / 2]).unwrap();
    assert!(!depot.workspace.history().complete());
    fs::write(&pack, b"PACK").unwrap();
    let told = depot.workspace.history();
    assert_eq!(told.code, 3);
}

#[test]
fn other_names_of_objects_and_other_tables_of_refs() {
    for init in [
        &["--object-format=sha256"][..],
        &["--ref-format=reftable"],
        &["--object-format=sha256", "--ref-format=reftable"],
    ] {
        let depot = Depot::new(init);
        depot.git(&["tag", "-am", &live_key(100), "v1"]);
        depot.git(&["branch", &format!("fix/{}", live_key(101))]);
        depot.git(&["branch", "-m", "main", "trunk"]);
        let told = depot.workspace.history();
        told.assert_found();
        assert!(told.has(&live_key(100)) && told.has(&live_key(101)), "{init:?}");
        for key in &depot.keys {
            let history = &told.one(key)["history"];
            assert!(list(&history["refs"]).contains(&"refs/heads/trunk"), "{init:?}: {history:#}");
        }
        depot.repack(&[]);
        let told = depot.workspace.history();
        told.assert_found();
        depot.keys.iter().for_each(|key| assert_eq!(told.paths(key), ["file.txt"]));
        assert_eq!(told.report["repository"]["head"], depot.workspace.ask(&["rev-parse", "HEAD"]).as_str());
    }
}

#[test]
fn a_huge_object_is_read_piece_by_piece() {
    let workspace = Workspace::new();
    workspace.git(&["init", "-q"]);
    let mut content = [vec![0; 4_095], vec![b'\n']].concat().repeat(33_000);
    let key = live_key(1);
    let at = content.len() - 1_000;
    content[at..at + key.len()].copy_from_slice(key.as_bytes());
    workspace.write("huge", &content);
    drop(content);
    workspace.git(&["-c", "core.compression=1", "add", "huge"]);
    workspace.git(&["commit", "-qm", "huge"]);
    fs::remove_file(workspace.path().join("huge")).unwrap();
    let told = workspace.history();
    told.assert_found();
    assert_eq!(told.paths(&key), ["huge"]);
    workspace.git(&["-c", "core.compression=1", "-c", "core.bigFileThreshold=1m", "repack", "-adq"]);
    let told = workspace.history();
    told.assert_found();
    assert_eq!(told.paths(&key), ["huge"]);
}

#[test]
fn trees_of_great_depth() {
    let workspace = Workspace::new();
    workspace.git(&["init", "-q"]);
    let id = workspace.tell(&["hash-object", "-w", "--stdin"], live_key(1));
    // Deeper than git writes itself, so the index makes them.
    let path = format!("{}pay.js", "d/".repeat(2_000));
    workspace.tell(&["update-index", "--index-info"], format!("100644 {id}\t{path}\n"));
    let tree = workspace.ask(&["-c", "core.maxTreeDepth=5000", "write-tree"]);
    let commit = workspace.ask(&["commit-tree", "-m", "deep", &tree]);
    workspace.git(&["update-ref", "refs/heads/main", &commit]);
    fs::remove_file(workspace.path().join(".git/index")).unwrap();
    let told = workspace.history();
    assert!(told.has(&live_key(1)));
    assert_eq!(told.one(&live_key(1))["history"]["reachable"], true);
}
