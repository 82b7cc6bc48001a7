//! `staged`: what the next commit adds, whatever the index looks like and whoever asks.

use crate::template::live_key;
use crate::told::{Told, text};
use crate::workspace::{Run, Workspace};
use std::os::unix::fs::PermissionsExt as _;

fn repository(init: &[&str]) -> Workspace {
    let workspace = Workspace::new();
    workspace.git(&[&["init", "-q"], init].concat());
    workspace
}

pub fn add(workspace: &Workspace, path: &str, content: &str) {
    workspace.write(path, content);
    workspace.git(&["add", "-f", path]);
}

pub fn commit(workspace: &Workspace, path: &str, content: &str) {
    add(workspace, path, content);
    workspace.git(&["commit", "-qm", "c"]);
}

pub fn staged(workspace: &Workspace) -> Told {
    workspace.told(&["staged"])
}

/// The key is found, is new, and makes the run fail.
fn assert_new(workspace: &Workspace, key: &str, path: &str) {
    let told = staged(workspace);
    told.assert_found();
    let finding = told.at(key, path);
    assert_eq!(finding["new"], true, "{finding:#}");
    assert_eq!(finding["origin"]["kind"], "index");
}

/// The key is found, is not new, and nothing fails.
fn assert_old(workspace: &Workspace, key: &str, path: &str) {
    let told = staged(workspace);
    assert_eq!(told.at(key, path)["new"], false, "{:#}", told.report);
    assert_eq!((told.code, told.complete()), (0, true), "{:#}", told.report);
}

#[test]
fn nothing_staged_is_clean() {
    let workspace = repository(&[]);
    staged(&workspace).assert_clean();
    // Asked for everything, nothing is no clean answer; a commit that adds nothing is.
    let hook = workspace.run(&["hook"]);
    assert!(hook.code == Some(2) && hook.stderr.contains("the index holds no file"), "{}", hook.stderr);
    workspace.git(&["read-tree", "--empty"]);
    let mut in_commit = workspace.command(&["hook"]);
    assert_eq!(in_commit.env("GIT_INDEX_FILE", ".git/index").output().unwrap().status.code(), Some(0));
    commit(&workspace, "a.js", &live_key(1));
    workspace.write("b.js", live_key(2));
    staged(&workspace).assert_clean();
    workspace.git(&["rm", "-q", "a.js"]);
    staged(&workspace).assert_clean();
}

#[test]
fn the_first_commit_in_every_format() {
    for init in [&[][..], &["--object-format=sha256"], &["--ref-format=reftable"]] {
        let workspace = repository(init);
        add(&workspace, "a.js", &live_key(1));
        assert_new(&workspace, &live_key(1), "a.js");
        workspace.git(&["commit", "-qm", "c"]);
        staged(&workspace).assert_clean();
        add(&workspace, "b.js", &live_key(2));
        add(&workspace, "a.js", &format!("// edited\n{}", live_key(1)));
        let told = staged(&workspace);
        assert_eq!(told.one(&live_key(2))["new"], true, "{init:?}");
        assert_eq!(told.one(&live_key(1))["new"], false, "{init:?}");
        told.assert_found();
    }
}

#[test]
fn the_index_counts_and_not_the_disk() {
    let workspace = repository(&[]);
    commit(&workspace, "a.js", "clean\n");
    add(&workspace, "a.js", &live_key(1));
    workspace.write("a.js", "clean again\n");
    assert_new(&workspace, &live_key(1), "a.js");
    add(&workspace, "a.js", "clean again\n");
    workspace.write("a.js", live_key(2));
    staged(&workspace).assert_clean();
}

#[test]
fn an_entry_that_is_only_intended_has_no_content() {
    let workspace = repository(&[]);
    commit(&workspace, "a.js", "clean\n");
    workspace.write("b.js", live_key(1));
    workspace.git(&["add", "-N", "b.js"]);
    staged(&workspace).assert_clean();
}

#[test]
fn keys_that_head_holds_at_the_path_are_old() {
    let workspace = repository(&[]);
    commit(&workspace, "a.js", &live_key(1));
    add(&workspace, "a.js", &format!("// edit\n{}\n", live_key(1)));
    assert_old(&workspace, &live_key(1), "a.js");
    add(&workspace, "a.js", &format!("{}\n{}\n", live_key(1), live_key(2)));
    let told = staged(&workspace);
    told.assert_found();
    assert_eq!((&told.one(&live_key(1))["new"], &told.one(&live_key(2))["new"]), (&false.into(), &true.into()));
}

fn long(extra: &str) -> String {
    (0..60).map(|line| format!("line {line} of the file\n")).collect::<String>() + extra + "\n"
}

#[test]
fn renames_keep_keys_old_and_copies_make_them_new() {
    let workspace = repository(&[]);
    commit(&workspace, "a.js", &long(&live_key(1)));
    workspace.git(&["mv", "a.js", "moved.js"]);
    assert_old(&workspace, &live_key(1), "moved.js");
    add(&workspace, "moved.js", &long(&format!("edited {}", live_key(1))));
    assert_old(&workspace, &live_key(1), "moved.js");
    workspace.git(&["reset", "-q", "--hard"]);
    add(&workspace, "copy.js", &long(&live_key(1)));
    assert_new(&workspace, &live_key(1), "copy.js");
    workspace.git(&["rm", "-q", "--cached", "a.js"]);
    add(&workspace, "copy.js", &format!("nothing in common\n{}", live_key(1)));
    assert_new(&workspace, &live_key(1), "copy.js");
}

#[test]
fn a_key_in_a_new_file_that_only_another_file_holds_is_new() {
    let workspace = repository(&[]);
    commit(&workspace, "a.js", &live_key(1));
    add(&workspace, "b.js", &live_key(1));
    assert_new(&workspace, &live_key(1), "b.js");
}

#[test]
fn in_a_merge_every_parent_counts() {
    let workspace = repository(&[]);
    commit(&workspace, "base", "b\n");
    workspace.git(&["checkout", "-qb", "side"]);
    commit(&workspace, "side.js", &long(&live_key(1)));
    workspace.git(&["checkout", "-q", "main"]);
    commit(&workspace, "main.js", "m\n");
    workspace.git(&["merge", "-q", "--no-commit", "--no-ff", "side"]);
    assert_old(&workspace, &live_key(1), "side.js");
    workspace.git(&["mv", "side.js", "renamed.js"]);
    assert_old(&workspace, &live_key(1), "renamed.js");
    add(&workspace, "evil.js", &live_key(2));
    assert_new(&workspace, &live_key(2), "evil.js");
}

#[test]
fn conflicted_stages() {
    let workspace = repository(&[]);
    commit(&workspace, "a.js", "base\n");
    workspace.git(&["checkout", "-qb", "side"]);
    commit(&workspace, "a.js", &live_key(1));
    workspace.git(&["checkout", "-q", "main"]);
    commit(&workspace, "a.js", "ours\n");
    let merge = workspace.git_command(&["merge", "-q", "side"]).output().unwrap();
    assert!(!merge.status.success());
    assert_old(&workspace, &live_key(1), "a.js");
    add(&workspace, "a.js", &live_key(2));
    assert_new(&workspace, &live_key(2), "a.js");
}

#[test]
fn linked_worktrees_have_an_index_of_their_own() {
    let workspace = repository(&[]);
    commit(&workspace, "a.js", "a\n");
    workspace.git(&["worktree", "add", "-q", "linked"]);
    workspace.write("linked/b.js", live_key(1));
    workspace.git(&["-C", "linked", "add", "b.js"]);
    let told = workspace.told(&["staged", "--repository", "linked"]);
    told.assert_found();
    assert_eq!(told.one(&live_key(1))["path"], "b.js");
    staged(&workspace).assert_clean();
}

#[test]
fn submodules_are_repositories_of_their_own() {
    let workspace = repository(&[]);
    workspace.git(&["init", "-q", "other"]);
    workspace.git(&["-C", "other", "commit", "-q", "--allow-empty", "-m", "c"]);
    workspace.git(&["init", "-q", "top"]);
    workspace.git(&["-C", "top", "submodule", "--quiet", "add", "../other", "sub"]);
    workspace.told(&["staged", "--repository", "top"]).assert_clean();
    workspace.write("top/sub/a.js", live_key(1));
    workspace.git(&["-C", "top/sub", "add", "a.js"]);
    let told = workspace.told(&["staged", "--repository", "top/sub"]);
    told.assert_found();
    assert_eq!(told.one(&live_key(1))["path"], "a.js");
}

#[test]
fn from_a_folder_below_the_top() {
    let workspace = repository(&[]);
    add(&workspace, "deep/down/a.js", &live_key(1));
    add(&workspace, "b.js", &live_key(2));
    let mut command = workspace.command(&["staged", "--format", "json"]);
    let told = Told::of(&command.current_dir(workspace.path().join("deep/down")).output().unwrap().into());
    told.assert_found();
    assert!(told.has(&live_key(1)) && told.has(&live_key(2)));
}

#[test]
fn split_and_sparse_indexes() {
    let workspace = repository(&[]);
    for folder in ["in", "out", "out/deeper"] {
        add(&workspace, &format!("{folder}/file.js"), "clean\n");
    }
    commit(&workspace, "out/old.js", &live_key(9));
    workspace.git(&["update-index", "--split-index"]);
    add(&workspace, "in/new.js", &live_key(1));
    assert_new(&workspace, &live_key(1), "in/new.js");
    add(&workspace, "in/file.js", &live_key(2));
    assert_new(&workspace, &live_key(2), "in/file.js");
    workspace.git(&["reset", "-q", "--hard"]);
    workspace.git(&["update-index", "--no-split-index"]);
    workspace.git(&["sparse-checkout", "init", "--cone", "--sparse-index"]);
    workspace.git(&["sparse-checkout", "set", "in"]);
    assert!(workspace.ask(&["ls-files", "--sparse"]).lines().any(|line| line == "out/"));
    staged(&workspace).assert_clean();
    add(&workspace, "in/new.js", &live_key(3));
    assert_new(&workspace, &live_key(3), "in/new.js");
}

#[test]
fn names_and_modes() {
    let workspace = repository(&[]);
    add(&workspace, &format!("docs/{}.txt", live_key(1)), "x\n");
    std::os::unix::fs::symlink(live_key(2), workspace.path().join("link")).unwrap();
    workspace.git(&["add", "link"]);
    let told = staged(&workspace);
    told.assert_found();
    assert_eq!(told.kinds(&live_key(1)), ["tree-entry"]);
    assert_eq!(told.paths(&live_key(2)), ["link"]);
    workspace.git(&["commit", "-qm", "c"]);
    commit(&workspace, "tool.sh", &live_key(3));
    workspace.git(&["update-index", "--chmod=+x", "tool.sh"]);
    assert_eq!(staged(&workspace).code, 0);
}

#[test]
fn sides_come_from_the_index() {
    let workspace = repository(&[]);
    add(&workspace, "package.json", r#"{"dependencies": {"react-dom": "18"}}"#);
    add(&workspace, "src/pay.ts", &format!("export const key = '{}';\n", live_key(1)));
    workspace.write("package.json", r#"{"dependencies": {"express": "4"}}"#);
    let told = staged(&workspace);
    assert_eq!(told.one(&live_key(1))["side"]["value"], "client");
}

#[test]
fn what_the_index_lacks_is_left_out() {
    let workspace = repository(&[]);
    commit(&workspace, "a.js", "a\n");
    workspace.git(&["update-index", "--add", "--cacheinfo", &format!("100644,{},b.js", "12".repeat(20))]);
    let told = staged(&workspace);
    assert_eq!(told.code, 3);
    told.assert_left_out("b.js");
    std::fs::write(workspace.path().join(".git/index"), b"DIRCnonsense").unwrap();
    let told = staged(&workspace);
    assert_eq!(told.code, 3);
    told.assert_left_out("index");
}

#[test]
fn no_repository_is_an_error() {
    let workspace = Workspace::new();
    assert_eq!(workspace.run(&["staged"]).code, Some(2));
    assert_eq!(workspace.run(&["staged", "--repository", "absent"]).code, Some(2));
}

#[test]
fn of_gits_variables_only_three_count() {
    let workspace = repository(&[]);
    commit(&workspace, "a.js", "a\n");
    add(&workspace, "b.js", &live_key(1));
    let other = repository(&[]);
    add(&other, "c.js", &live_key(2));
    let mut command = workspace.command(&["staged", "--format", "json"]);
    for (name, value) in [
        ("GIT_OBJECT_DIRECTORY", other.path().join(".git/objects")),
        ("GIT_ALTERNATE_OBJECT_DIRECTORIES", other.path().join(".git/objects")),
        ("GIT_COMMON_DIR", other.path().join(".git")),
        ("GIT_CONFIG_GLOBAL", other.path().join(".git/config")),
        ("GIT_NAMESPACE", "n".into()),
        ("GIT_CEILING_DIRECTORIES", workspace.path().into()),
    ] {
        command.env(name, value);
    }
    command.env("GIT_CONFIG_COUNT", "1").env("GIT_CONFIG_KEY_0", "core.bare").env("GIT_CONFIG_VALUE_0", "true");
    let told = Told::of(&command.output().unwrap().into());
    told.assert_found();
    assert_eq!(told.paths(&live_key(1)), ["b.js"]);
    let mut command = workspace.command(&["staged", "--format", "json"]);
    command.env("GIT_DIR", other.path().join(".git")).env("GIT_WORK_TREE", other.path());
    let told = Told::of(&command.output().unwrap().into());
    assert_eq!((told.has(&live_key(1)), told.has(&live_key(2))), (false, true));
    let index = workspace.path().join("elsewhere.index");
    let mut git = workspace.git_command(&["update-index", "--add", "c.js"]);
    workspace.write("c.js", live_key(3));
    assert!(git.env("GIT_INDEX_FILE", &index).status().unwrap().success());
    let mut command = workspace.command(&["staged", "--format", "json"]);
    let told = Told::of(&command.env("GIT_INDEX_FILE", &index).output().unwrap().into());
    assert_eq!((told.has(&live_key(1)), told.has(&live_key(3))), (false, true));
}

/// A repository whose hook runs the program.
fn hooked(command: &str) -> Workspace {
    let workspace = repository(&[]);
    commit(&workspace, "README", "r\n");
    let program = env!("CARGO_BIN_EXE_ansalint");
    let hook = workspace.write(".git/hooks/pre-commit", format!("#!/bin/sh\nexec '{program}' {command}\n"));
    std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).unwrap();
    workspace
}

fn passes(workspace: &Workspace, args: &[&str]) -> bool {
    let output = workspace.git_command(args).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() || told.contains("ANSA1"), "{args:?}: {told}");
    output.status.success()
}

#[test]
fn in_a_real_hook_every_kind_of_commit_is_seen() {
    for command in ["staged", "hook"] {
        let workspace = hooked(command);
        add(&workspace, "a.js", "clean\n");
        assert!(passes(&workspace, &["commit", "-qm", "clean"]), "{command}");
        add(&workspace, "b.js", &live_key(1));
        assert!(!passes(&workspace, &["commit", "-qm", "staged"]));
        workspace.write("a.js", "edited\n");
        assert!(passes(&workspace, &["commit", "-qm", "only", "--only", "a.js"]), "{command}: b.js is not in it");
        workspace.git(&["rm", "-q", "--cached", "b.js"]);
        workspace.write("a.js", live_key(2));
        assert!(!passes(&workspace, &["commit", "-aqm", "all"]));
        assert!(!passes(&workspace, &["commit", "-qm", "only", "--only", "a.js"]));
        assert!(!passes(&workspace, &["commit", "-qm", "include", "--include", "a.js"]));
        workspace.git(&["checkout", "-q", "HEAD", "a.js"]);
        assert!(passes(&workspace, &["commit", "-q", "--amend", "-m", "amended"]));
        add(&workspace, "c.js", &live_key(3));
        assert!(!passes(&workspace, &["commit", "-q", "--amend", "-m", "amended"]));
        workspace.git(&["rm", "-qf", "c.js"]);
        let mut below = workspace.git_command(&["commit", "-q", "--allow-empty", "-m", "below"]);
        std::fs::create_dir_all(workspace.path().join("below")).unwrap();
        assert!(below.current_dir(workspace.path().join("below")).status().unwrap().success());
    }
}

#[test]
fn in_a_real_hook_merges_and_worktrees_are_seen() {
    let workspace = hooked("staged");
    workspace.git(&["checkout", "-qb", "side"]);
    add(&workspace, "side.js", &live_key(1));
    workspace.git(&["commit", "-qnm", "let through"]);
    workspace.git(&["checkout", "-q", "main"]);
    add(&workspace, "main.js", "m\n");
    workspace.git(&["commit", "-qm", "m"]);
    workspace.git(&["merge", "-q", "--no-commit", "--no-ff", "side"]);
    add(&workspace, "evil.js", &live_key(2));
    assert!(!passes(&workspace, &["commit", "-qm", "evil"]));
    workspace.git(&["rm", "-qf", "evil.js"]);
    assert!(passes(&workspace, &["commit", "-qm", "merge"]), "the other parent holds it");
    workspace.git(&["worktree", "add", "-q", "linked"]);
    workspace.write("linked/w.js", live_key(3));
    workspace.git(&["-C", "linked", "add", "w.js"]);
    assert!(!passes(&workspace, &["-C", "linked", "commit", "-qm", "w"]));
}

#[test]
fn in_a_real_hook_a_rebase_and_a_working_tree_elsewhere_are_seen() {
    let workspace = hooked("hook");
    commit(&workspace, "a.txt", "a\n");
    workspace.git(&["checkout", "-qb", "side"]);
    commit(&workspace, "a.txt", "side\n");
    workspace.git(&["checkout", "-q", "main"]);
    commit(&workspace, "a.txt", "main\n");
    workspace.git(&["checkout", "-q", "side"]);
    assert!(!workspace.git_command(&["rebase", "-q", "main"]).output().unwrap().status.success(), "a conflict");
    // What `rebase --continue` commits by itself, git shows to no hook; a push does.
    add(&workspace, "a.txt", &live_key(1));
    assert!(!passes(&workspace, &["commit", "-qm", "side"]));
    add(&workspace, "a.txt", "both\n");
    assert!(passes(&workspace, &["commit", "-qm", "side"]));

    let workspace = hooked("hook");
    workspace.write("elsewhere/a.py", live_key(2));
    workspace.git(&["config", "core.worktree", "../elsewhere"]);
    workspace.git(&["add", "a.py"]);
    assert!(!passes(&workspace, &["commit", "-qm", "with"]));
    workspace.write("elsewhere/a.py", "clean\n");
    workspace.git(&["add", "a.py"]);
    assert!(passes(&workspace, &["commit", "-qm", "without"]));
}

#[test]
fn a_hook_manager_that_gives_refs_asks_for_a_range() {
    let workspace = repository(&[]);
    commit(&workspace, "a.js", "a\n");
    commit(&workspace, "b.js", &live_key(1));
    add(&workspace, "c.js", &live_key(2));
    let told = |from: &str, to: &str| {
        let mut command = workspace.command(&["hook", "--format", "json"]);
        let command = command.env("PRE_COMMIT_FROM_REF", from).env("PRE_COMMIT_TO_REF", to);
        Told::of(&command.output().unwrap().into())
    };
    let range = told("HEAD~", "HEAD");
    range.assert_found();
    assert_eq!((range.has(&live_key(1)), range.has(&live_key(2))), (true, false));
    assert!(told(&"0".repeat(40), "HEAD").has(&live_key(1)), "a push of a new branch");
    assert!(workspace.told(&["hook"]).has(&live_key(2)));
    // A first push, for which managers name the branch alone: what only a commit between has is found.
    workspace.git(&["rm", "-q", "--cached", "b.js"]);
    workspace.git(&["commit", "-qm", "c, without b"]);
    let first = |branch: &str| -> Run {
        workspace
            .command(&["hook"])
            .env("PRE_COMMIT_REMOTE_NAME", "origin")
            .env("PRE_COMMIT_LOCAL_BRANCH", branch)
            .output()
            .unwrap()
            .into()
    };
    for branch in ["refs/heads/main", "HEAD"] {
        let run = first(branch);
        assert!(run.code == Some(1) && run.stdout.contains(" --> b.js:1"), "{branch}: {}", run.stdout);
        assert!(run.stdout.contains("nothing is pushed yet"), "{}", run.stdout);
    }
    assert_eq!(first("refs/heads/gone").code, Some(2));
    add(&workspace, "b.js", &live_key(1));
    let staged = workspace.run(&["hook"]);
    assert!(staged.code == Some(1) && staged.stdout.contains("nothing is committed yet"), "{}", staged.stdout);
    workspace.git(&["commit", "-qm", "b"]);
    let whole = workspace.run(&["hook"]).stdout;
    assert!(whole.contains("the whole index was looked at") && !whole.contains("committed yet"), "{whole}");
    let all = workspace.told(&["hook"]);
    all.assert_found();
    assert!(all.has(&live_key(1)) && all.has(&live_key(2)), "nothing is staged, so all files are asked for");
}

#[test]
fn messages() {
    let workspace = repository(&[]);
    workspace.write("clean", "A message\n# a comment\n");
    workspace.write("keyed", format!("A message\n\nwith {}\n", live_key(1)));
    workspace.told(&["message", "clean"]).assert_clean();
    let told = workspace.told(&["message", "keyed"]);
    told.assert_found();
    assert_eq!(text(&told.one(&live_key(1))["origin"]["kind"]), "message");
    assert_eq!(workspace.run(&["message", "absent"]).code, Some(2));
}
