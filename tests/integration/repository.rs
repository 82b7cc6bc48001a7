//! The answers of `source::repository` held against git's own, on repositories that git made.
//!
//! Git runs here, on trees of the test's own; the library never runs it.
#![allow(clippy::unwrap_used, reason = "a helper that fails stops its test")]

use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use ansalint::source::open::Root;
use ansalint::source::repository::{Repositories, Repository, Tracked, is_git_directory};

struct Tree {
    _home: tempfile::TempDir,
    top: PathBuf,
}

impl Tree {
    fn new(arguments: &[&str]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let top = fs::canonicalize(home.path()).unwrap().join("r");
        fs::create_dir(&top).unwrap();
        let tree = Self { _home: home, top };
        tree.git(&[&["init", "-q", "-b", "main"], arguments].concat());
        tree
    }

    fn git(&self, arguments: &[&str]) -> String {
        String::from_utf8(git(&self.top, arguments, b"")).unwrap()
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.top.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.top.join(path)).unwrap()
    }

    fn commit(&self) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-qm", "c"]);
    }

    fn repository(&self) -> Repository {
        Repository::enclosing(&self.top).unwrap()
    }

    fn tracked(&self, path: &str) -> Tracked {
        self.repository().tracked(path.as_bytes())
    }
}

fn git(top: &Path, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = Command::new("git")
        .current_dir(top)
        .args(["-c", "user.name=a", "-c", "user.email=a@b", "-c", "protocol.file.allow=always"])
        .args(arguments)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    let is_empty_answer = arguments.first() == Some(&"check-ignore") && output.status.code() == Some(1);
    assert!(output.status.success() || is_empty_answer, "{arguments:?}: {}", output.stderr.escape_ascii());
    output.stdout
}

fn names(output: &[u8]) -> Vec<Vec<u8>> {
    output.split(|byte| *byte == 0).filter(|name| !name.is_empty()).map(<[u8]>::to_vec).collect()
}

/// The files below `folder`, relative to `top`.
fn files(top: &Path, folder: &Path, found: &mut Vec<Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.join(".git").exists() && path.file_name().unwrap() != ".git" {
            files(top, &path, found);
        } else if path.is_file() && path.file_name().unwrap() != ".git" {
            found.push(path.strip_prefix(top).unwrap().to_str().unwrap().as_bytes().to_vec());
        }
    }
}

/// Every file of the tree is judged as git judges it.
fn agree(top: &Path) {
    let repository = Repository::enclosing(top).unwrap();
    let mut paths = vec![];
    files(top, top, &mut paths);
    let listed = names(&git(top, &["ls-files", "-z"], b""));
    let entries = repository.index_paths().unwrap();
    let gitlinks = git(top, &["ls-files", "-s"], b"").windows(7).filter(|part| part == b"160000 ").count();
    assert_eq!(entries.len() + gitlinks, listed.len());
    assert!(entries.iter().all(|path| listed.contains(path)));
    let has_head = repository.head().is_some();
    let head = if has_head { names(&git(top, &["ls-tree", "-rz", "--name-only", "HEAD"], b"")) } else { vec![] };
    if has_head {
        assert_eq!(
            repository.head().unwrap(),
            String::from_utf8(git(top, &["rev-parse", "HEAD"], b"")).unwrap().trim()
        );
    }
    let ignored = names(&git(top, &["check-ignore", "--no-index", "-z", "--stdin"], &paths.join(&0)));
    for path in paths {
        let text = path.escape_ascii().to_string();
        let expected = if listed.contains(&path) || head.contains(&path) { Tracked::Yes } else { Tracked::No };
        assert_eq!(repository.tracked(&path), expected, "{text}");
        assert_eq!(repository.ignored(&path, false), ignored.contains(&path), "{text}");
    }
}

fn ordinary(arguments: &[&str]) -> Tree {
    let tree = Tree::new(arguments);
    tree.write(".gitignore", ".env\nbuild/\n/only-top\n*.log\r\n!keep.log\nsub/*.key\n**/deep/x\n{a,b}.txt\n");
    tree.write("sub/.gitignore", "!.env\n*.tmp\n");
    tree.write(".git/info/exclude", "excluded\n# c\n");
    for path in [".env", "a.rs", "build/x", "build/.gitignore", "only-top", "sub/only-top", "a.log", "keep.log"] {
        tree.write(path, "1");
    }
    for path in ["sub/.env", "sub/a.key", "sub/s/a.key", "sub/b.tmp", "q/deep/x", "a.txt", "excluded", "sub/excluded"] {
        tree.write(path, "2");
    }
    tree.write("forced.log", "3");
    tree.write("removed.log", "4");
    tree.git(&["add", "-f", "forced.log", "removed.log", "sub/a.key"]);
    tree.commit();
    tree.git(&["rm", "-q", "--cached", "removed.log"]);
    tree.write("staged.rs", "5");
    tree.git(&["add", "staged.rs"]);
    tree.write("new.rs", "6");
    tree
}

fn fifo(path: &Path) {
    let _ = fs::remove_file(path);
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[test]
fn formats_of_the_store_do_not_matter() {
    for arguments in [&[][..], &["--object-format=sha256"]] {
        let tree = ordinary(arguments);
        agree(&tree.top);
        tree.git(&["update-index", "--index-version", "4"]);
        agree(&tree.top);
        tree.git(&["update-index", "--split-index"]);
        tree.write("after.rs", "1");
        tree.git(&["add", "after.rs"]);
        tree.git(&["rm", "-q", "--cached", "a.rs"]);
        tree.git(&["update-index", "--chmod=+x", "keep.log"]);
        agree(&tree.top);
        tree.git(&["update-index", "--no-split-index"]);
        tree.git(&["gc", "-q"]);
        assert!(tree.top.join(".git/packed-refs").exists());
        agree(&tree.top);
        tree.git(&["checkout", "-q", "--detach"]);
        agree(&tree.top);
    }
}

#[test]
fn nothing_is_tracked_before_the_first_commit() {
    let tree = Tree::new(&[]);
    tree.write("a", "1");
    tree.write(".gitignore", "a");
    agree(&tree.top);
    assert_eq!(tree.repository().head(), None);
    tree.git(&["add", "-f", "a"]);
    agree(&tree.top);
}

#[test]
fn worktrees_and_submodules_are_followed_when_they_point_back() {
    let tree = ordinary(&[]);
    tree.git(&["worktree", "add", "-q", "../linked", "-b", "other"]);
    let linked = tree.top.with_file_name("linked");
    fs::write(linked.join(".env"), "1").unwrap();
    fs::write(linked.join("excluded"), "1").unwrap();
    agree(&linked);

    let inner = Tree::new(&[]);
    inner.write("x.rs", "1");
    inner.commit();
    let middle = Tree::new(&[]);
    middle.write("y.rs", "1");
    middle.git(&["submodule", "--quiet", "add", inner.top.to_str().unwrap(), "inner"]);
    middle.commit();
    for top in [&tree.top, &linked] {
        git(top, &["submodule", "--quiet", "add", middle.top.to_str().unwrap(), "lib/middle"], b"");
        git(top, &["submodule", "--quiet", "update", "--init", "--recursive"], b"");
        for folder in ["lib/middle", "lib/middle/inner"] {
            let folder = top.join(folder);
            fs::write(folder.join("z.env"), "1").unwrap();
            fs::write(folder.join(".gitignore"), "*.env").unwrap();
            agree(&folder);
            assert_eq!(Repository::enclosing(&folder).unwrap().top(), folder);
        }
        agree(top);
    }

    let copy = tree.top.with_file_name("copy");
    fs::create_dir(&copy).unwrap();
    fs::copy(linked.join(".git"), copy.join(".git")).unwrap();
    assert!(Repository::enclosing(&copy).is_none());
    fs::write(copy.join(".git"), format!("gitdir: {}/.git", tree.top.display())).unwrap();
    assert!(Repository::enclosing(&copy).is_none());
    fs::write(copy.join(".git"), format!("gitdir: {}/.git/modules/lib/middle", tree.top.display())).unwrap();
    assert!(Repository::enclosing(&copy).is_none());
    fs::remove_file(copy.join(".git")).unwrap();
    symlink(tree.top.join(".git"), copy.join(".git")).unwrap();
    assert!(Repository::enclosing(&copy).is_none());
}

#[test]
fn what_cannot_be_read_is_unknown() {
    let unknown = |damage: &dyn Fn(&Tree), path: &str| {
        let tree = ordinary(&[]);
        damage(&tree);
        let answer = tree.tracked(path);
        assert!(matches!(answer, Tracked::Unknown(_)), "{answer:?}");
        answer
    };
    let damage_index = |tree: &Tree| {
        let path = tree.top.join(".git/index");
        let mut bytes = fs::read(&path).unwrap();
        bytes[100] ^= 1;
        fs::write(path, bytes).unwrap();
    };
    unknown(&damage_index, ".env");
    unknown(&|tree| fs::write(tree.top.join(".git/index"), "DIRC").unwrap(), ".env");
    unknown(&|tree| fifo(&tree.top.join(".git/index")), ".env");
    unknown(&|tree| fifo(&tree.top.join(".git/config")), ".env");
    unknown(&|tree| tree.git(&["config", "extensions.future", "1"]).clear(), ".env");
    unknown(&|tree| tree.git(&["config", "core.worktree", "/tmp"]).clear(), ".env");
    let gone = |tree: &Tree| {
        tree.git(&["pack-refs", "--all"]);
        fifo(&tree.top.join(".git/packed-refs"));
    };
    unknown(&gone, ".env");
    let no_objects = |tree: &Tree| {
        fs::remove_dir_all(tree.top.join(".git/objects")).unwrap();
        fs::create_dir(tree.top.join(".git/objects")).unwrap();
    };
    unknown(&no_objects, ".env");
    let waiting = |tree: &Tree| {
        let head = tree.git(&["rev-parse", "HEAD"]);
        fifo(&tree.top.join(".git/objects").join(&head[..2]).join(head[2..].trim()));
    };
    unknown(&waiting, ".env");
    let tree = ordinary(&["--ref-format=reftable"]);
    assert!(matches!(tree.tracked(".env"), Tracked::Unknown(_)));
    assert_eq!(tree.tracked("a.rs"), Tracked::Yes);
}

#[test]
fn a_sparse_folder_of_the_index_is_unknown() {
    let tree = Tree::new(&[]);
    tree.write("in/a", "1");
    tree.write("out/b", "1");
    tree.commit();
    tree.git(&["sparse-checkout", "set", "--cone", "--sparse-index", "in"]);
    assert_eq!(tree.tracked("in/a"), Tracked::Yes);
    assert!(matches!(tree.tracked("out/b"), Tracked::Unknown(_)));
    assert_eq!(tree.repository().index_paths().unwrap(), [b"in/a"]);
}

#[test]
fn special_files_do_not_stop_the_reader() {
    let tree = ordinary(&[]);
    let ignored = |path: &str| tree.repository().ignored(path.as_bytes(), false);
    assert!(ignored("a.log"));
    fs::rename(tree.top.join(".gitignore"), tree.top.join("patterns")).unwrap();
    symlink("patterns", tree.top.join(".gitignore")).unwrap();
    assert!(!ignored("a.log"));
    fifo(&tree.top.join(".gitignore"));
    assert!(!ignored("a.log"));
    fs::remove_file(tree.top.join(".gitignore")).unwrap();
    tree.write(".gitignore", &"*.log\n".repeat(200_000));
    assert!(!ignored("a.log") && !ignored("sub/b.tmp"));
    let root = Root::open(&tree.top).unwrap();
    assert!(is_git_directory(&root, Path::new(".git")));
    fifo(&tree.top.join(".git/HEAD"));
    assert!(!is_git_directory(&root, Path::new(".git")));
    assert!(Repository::enclosing(&tree.top).is_none());
}

#[test]
fn only_git_directories_are_skipped_and_no_bare_one_is_assumed() {
    let tree = Tree::new(&[]);
    tree.write("bare/x", "1");
    tree.write("named/.git/x", "1");
    let bare = tree.top.join("bare");
    git(&bare, &["init", "-q", "--bare"], b"");
    let found = |folder: &Path| Repository::enclosing(folder).unwrap().top().to_owned();
    assert_eq!(found(&bare), tree.top);
    assert_eq!(found(&tree.top.join("named")), tree.top);
    let root = Root::open(&tree.top).unwrap();
    assert!(!is_git_directory(&root, Path::new("named/.git")));
    let objects = tree.top.join(".git/objects");
    fs::rename(&objects, tree.top.join("objects")).unwrap();
    symlink("../objects", &objects).unwrap();
    assert!(!is_git_directory(&root, Path::new(".git")));
    assert!(Repository::enclosing(&bare).is_none());
}

#[test]
fn repositories_are_opened_once() {
    let tree = ordinary(&[]);
    let repositories = Repositories::default();
    let first = repositories.enclosing(&tree.top).unwrap();
    let second = repositories.enclosing(&tree.top.join("sub")).unwrap();
    assert!(std::sync::Arc::ptr_eq(&first, &second));
    assert!(repositories.enclosing(tree.top.parent().unwrap()).is_none());
}

/// 2,000 lines of 30 stars each against a long run of the same letter.
#[test]
fn hostile_patterns_end_soon() {
    let tree = Tree::new(&[]);
    let lines: Vec<_> = (0..2_000).map(|number| format!("**/a*{}{number}\n", "*a".repeat(30))).collect();
    tree.write(".gitignore", &lines.concat());
    assert!(!tree.repository().ignored(format!("{}/k.env", "a".repeat(120)).as_bytes(), false));
}

/// Parts of ordinary lines, of which every answer must be git's.
const ORDINARY: [&str; 14] =
    ["a", "b", "A", "ab", "*", "/", "?", "[ab]", "[a-c]", "{a,b}", "-", "/**/", "a/**", "**/b"];
/// Parts of odd ones, where only `ignored` without git's word for it is a fault.
const ODD: [&str; 20] = [
    "a",
    "b",
    "A",
    "*",
    "**",
    "/",
    "?",
    "[ab]",
    "[!a]",
    "[a-",
    "]",
    "\\",
    "{a,b}",
    "[[:alpha:]b]",
    "!",
    " ",
    "-",
    "a/**/b",
    "\\{",
    "[^b]",
];

/// Random lines and paths from small alphabets in which every special byte is common.
#[test]
fn patterns_match_as_in_git() {
    let mut state = 7_u64;
    let mut random = move |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    let mut text =
        |parts: &[&str], most: usize| (0..=random(most)).map(|_| parts[random(parts.len())]).collect::<String>();
    let mut ignored = 0;
    for round in 0..rounds() {
        let tree = Tree::new(&[]);
        let fold = round % 4 == 3;
        tree.git(&["config", "core.ignorecase", if fold { "true" } else { "false" }]);
        let paths: Vec<_> =
            (0..300).map(|_| text(&["a", "b", "A", "ab", "c", "/", "/", "-", "]", "{a,b}"], 8)).collect();
        let mut paths: Vec<_> = paths
            .iter()
            .map(|path| path.split('/').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/"))
            .filter(|path| !path.is_empty())
            .collect();
        paths.sort();
        paths.dedup();
        for turn in 0..6 {
            let is_odd = turn % 2 == 1;
            let parts: &[&str] = if is_odd { &ODD } else { &ORDINARY };
            let mut lines = |most| (0..=most).map(|_| text(parts, 4) + "\n").collect::<String>();
            let pattern = if round % 2 == 0 { lines(0) } else { lines(4) + "*\n!a\n!b/\n" + &lines(2) };
            tree.write(".gitignore", &pattern);
            tree.write("a/.gitignore", &lines(1));
            tree.write(".git/info/exclude", &lines(1));
            let input = paths.join("\0");
            let expected = names(&git(&tree.top, &["check-ignore", "--no-index", "-z", "--stdin"], input.as_bytes()));
            let repository = tree.repository();
            for path in &paths {
                let answer = repository.ignored(path.as_bytes(), tree.top.join(path).is_dir());
                let of_git = expected.contains(&path.clone().into_bytes());
                ignored += usize::from(answer);
                assert!(of_git || !answer, "{pattern:?} {path:?} {fold}: ignored, though not by git");
                if !is_odd && is_decided(&[&pattern, &tree.read("a/.gitignore"), &tree.read(".git/info/exclude")]) {
                    assert_eq!(answer, of_git, "{pattern:?} {path:?} {fold}");
                }
            }
        }
    }
    assert!(ignored > 1_000, "hardly anything was ignored: {ignored}");
}

/// Whether every line is of the kind that is decided at all.
fn is_decided(files: &[&str]) -> bool {
    let stars = |part: &str| part == "**" || !part.contains("**");
    let line = |line: &str| !line.contains("//") && !line.contains("***") && line != "/" && line.split('/').all(stars);
    files.iter().all(|text| text.lines().all(line))
}

fn rounds() -> usize {
    std::env::var("ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(10)
}
