//! The sweep held against git: in random repositories, packed at random, `history` finds every key in just the blobs
//! in which `git cat-file` shows it.

use crate::template::{fingerprint, identifier, live_key};
use crate::told::text;
use crate::workspace::Workspace;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// Keys that are planted.
const KEYS: u64 = 6;

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    /// Below `end`.
    fn roll(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(end).unwrap()).unwrap()
    }
}

/// The files of a working tree, by path, each as lines.
type Files = BTreeMap<String, Vec<String>>;

fn edit(dice: &mut Dice, files: &mut Files) {
    let paths: Vec<String> = files.keys().cloned().collect();
    let path = paths[dice.roll(paths.len())].clone();
    match dice.roll(10) {
        0 => {
            let lines = files.remove(&path).unwrap();
            files.insert(format!("moved/{}", dice.roll(1_000)), lines);
        }
        1 => {
            let lines = files[&path].clone();
            files.insert(format!("copied-{}", dice.roll(1_000)), lines);
        }
        2 if files.len() > 2 => drop(files.remove(&path)),
        _ => {
            let key = live_key(u64::try_from(dice.roll(usize::try_from(KEYS).unwrap())).unwrap());
            let lines = files.get_mut(&path).unwrap();
            let at = dice.roll(lines.len());
            match dice.roll(8) {
                0 => lines[at] = format!("const key = \"{key}\";"),
                1 => lines.insert(at, key),
                // Halves of a prefix, which later edits may complete.
                2 => key[..dice.roll(key.len())].clone_into(&mut lines[at]),
                3 if lines[at].starts_with("ansa") => lines[at] = key,
                4 => lines.truncate(at.max(1)),
                5 => lines.extend((0..dice.roll(40)).map(|line| identifier("hex", 30, line as u64))),
                _ => lines[at] = format!("edit {}", dice.roll(100_000)),
            }
        }
    }
}

/// A repository of random edits; some of it packed, some of it loose, some of it reached from nowhere.
fn repository(seed: u64) -> Workspace {
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let workspace = Workspace::new();
    let format = if seed.is_multiple_of(4) { "sha256" } else { "sha1" };
    workspace.git(&["init", "-q", &format!("--object-format={format}")]);
    let mut files = Files::new();
    for number in 0..3 {
        let lines = (0..30 + dice.roll(300)).map(|line| identifier("base64", 20, line as u64)).collect();
        files.insert(format!("file-{number}"), lines);
    }
    // One stream of commits, so that git starts once.
    let mut stream = String::new();
    for number in 0..60 {
        for _ in 0..=dice.roll(3) {
            edit(&mut dice, &mut files);
        }
        let branch = if dice.roll(6) == 0 { "side" } else { "main" };
        let head = format!("commit refs/heads/{branch}\ncommitter A <a> {} +0000", 1_000 + number);
        writeln!(stream, "{head}\ndata 1\nc\ndeleteall").unwrap();
        for (path, lines) in &files {
            let content = lines.join("\n") + "\n";
            writeln!(stream, "M 100644 inline {path}\ndata {}\n{content}", content.len()).unwrap();
        }
    }
    workspace.tell(&["-c", "fastimport.unpackLimit=100000", "fast-import", "--quiet", "--force"], stream);
    workspace.git(&["config", "repack.useDeltaBaseOffset", if dice.roll(2) == 0 { "true" } else { "false" }]);
    let (depth, window) = (format!("--depth={}", 1 + dice.roll(60)), format!("--window={}", 1 + dice.roll(60)));
    workspace.git(&["repack", "-dfq", "-a", &depth, &window]);
    for _ in 0..4 {
        edit(&mut dice, &mut files);
        let (_, lines) = files.iter().nth(dice.roll(files.len())).unwrap();
        workspace.tell(&["hash-object", "-w", "--stdin"], lines.join("\n"));
    }
    if dice.roll(2) == 0 {
        let listed = workspace.ask(&["cat-file", "--batch-all-objects", "--batch-check=%(objectname)"]);
        let some: Vec<&str> = listed.lines().filter(|_| dice.roll(3) == 0).collect();
        workspace.tell(&["pack-objects", "-q", "--window=30", ".git/objects/pack/pack"], some.join("\n"));
    }
    workspace
}

/// Each key with each blob that holds it, as git shows the blobs.
fn expected(workspace: &Workspace) -> BTreeSet<(String, String)> {
    let keys: Vec<String> = (0..KEYS).map(live_key).collect();
    let batch = ["cat-file", "--batch-all-objects", "--batch", "--buffer"];
    let shown = workspace.git_command(&batch).output().unwrap().stdout;
    let mut expected = BTreeSet::new();
    let mut rest = shown.as_slice();
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        let head = std::str::from_utf8(&rest[..end]).unwrap();
        let parts: Vec<&str> = head.split(' ').collect();
        let bytes: usize = parts[2].parse().unwrap();
        let content = &rest[end + 1..end + 1 + bytes];
        rest = &rest[end + 1 + bytes + 1..];
        if parts[1] == "blob" {
            let lines: Vec<&str> = std::str::from_utf8(content).unwrap().lines().collect();
            let holds = |key: &&String| lines.iter().any(|line| line.contains(key.as_str()));
            expected.extend(keys.iter().filter(holds).map(|key| (fingerprint(key), parts[0].to_owned())));
        }
    }
    expected
}

#[test]
fn the_same_blobs_as_git_shows() {
    let mut total = 0;
    for seed in 1..=8 {
        let workspace = repository(seed);
        let expected = expected(&workspace);
        let told = workspace.history();
        assert!(told.complete(), "seed {seed}: {:?}", told.left_out());
        let planted: BTreeSet<String> = (0..KEYS).map(|seed| fingerprint(&live_key(seed))).collect();
        let mut found = BTreeSet::new();
        for finding in told.report["findings"].as_array().unwrap() {
            let key = text(&finding["key"]["fingerprint"]);
            let places = finding["places"].as_array().unwrap();
            let blobs = places.iter().map(|place| (key.to_owned(), text(&place["blob"]).to_owned()));
            found.extend(blobs.filter(|(key, _)| planted.contains(key)));
        }
        assert_eq!(found, expected, "seed {seed}");
        let listed = workspace.ask(&["cat-file", "--batch-all-objects", "--batch-check"]).lines().count();
        assert!(told.report["coverage"]["objects"].as_u64().unwrap() >= listed as u64, "seed {seed}");
        total += expected.len();
    }
    assert!(total > 100, "only {total} blobs hold a key");
}
