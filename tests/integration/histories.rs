//! `history`: every corner of a repository in which a key can lie.
//!
//! How objects are stored is `stores`' matter, when and where a key stood that of `provenance`.

use crate::template::live_key;
use crate::told::{list, text};
use crate::workspace::Workspace;

/// A repository with one commit that holds no key.
fn repository() -> Workspace {
    let workspace = Workspace::new();
    workspace.git(&["init", "-q"]);
    workspace.write("README", "nothing\n");
    workspace.git(&["add", "."]);
    workspace.git(&["commit", "-qm", "first"]);
    workspace
}

fn commit(workspace: &Workspace, path: &str, content: &str) -> String {
    workspace.write(path, content);
    workspace.git(&["add", "-f", path]);
    workspace.git(&["commit", "-qm", "c"]);
    workspace.ask(&["rev-parse", "HEAD"])
}

fn blob(workspace: &Workspace, content: &str) -> String {
    workspace.tell(&["hash-object", "-w", "--stdin"], content)
}

/// The only finding of a key in the history of `workspace`, which was read whole: its origin and its path.
fn only(workspace: &Workspace, key: &str) -> (String, String) {
    let told = workspace.history();
    told.assert_found();
    let finding = told.one(key);
    (text(&finding["origin"]["kind"]).to_owned(), text(&finding["path"]).to_owned())
}

#[test]
fn a_repository_without_keys_is_clean() {
    let workspace = repository();
    let told = workspace.history();
    told.assert_clean();
    assert_eq!(told.report["coverage"]["objects"], 3);
    assert_eq!(told.report["repository"]["head"], workspace.ask(&["rev-parse", "HEAD"]).as_str());
}

#[test]
fn files_on_disk_are_no_history() {
    let workspace = repository();
    workspace.write("untracked", live_key(1));
    workspace.history().assert_clean();
}

#[test]
fn a_blob_that_was_removed() {
    let workspace = repository();
    commit(&workspace, "src/pay.ts", &live_key(1));
    workspace.git(&["rm", "-q", "src/pay.ts"]);
    workspace.git(&["commit", "-qm", "gone"]);
    assert_eq!(only(&workspace, &live_key(1)), ("blob".into(), "src/pay.ts".into()));
}

#[test]
fn content_that_only_a_merge_has() {
    let workspace = repository();
    workspace.git(&["checkout", "-qb", "side"]);
    commit(&workspace, "b", "b\n");
    workspace.git(&["checkout", "-q", "main"]);
    commit(&workspace, "c", "c\n");
    workspace.git(&["merge", "-q", "--no-commit", "side"]);
    workspace.write("evil", live_key(1));
    workspace.git(&["add", "evil"]);
    workspace.git(&["commit", "-qm", "merge"]);
    let told = workspace.history();
    let finding = told.one(&live_key(1));
    assert_eq!(finding["path"], "evil");
    assert_eq!(finding["history"]["introduced"]["commit"], workspace.ask(&["rev-parse", "HEAD"]).as_str());
    assert_eq!(finding["history"]["at_head"], true);
}

#[test]
fn stashes_with_all_they_keep() {
    let workspace = repository();
    workspace.write("README", live_key(1));
    workspace.git(&["add", "README"]);
    workspace.write("README", live_key(2));
    workspace.write("untracked", live_key(3));
    workspace.git(&["stash", "-q", "-u", "-m", "s"]);
    workspace.write("README", live_key(4));
    workspace.git(&["stash", "-q"]);
    let told = workspace.history();
    told.assert_found();
    for seed in 1..=4 {
        let finding = told.one(&live_key(seed));
        let history = &finding["history"];
        assert_eq!(finding["path"], if seed == 3 { "untracked" } else { "README" }, "{seed}");
        assert_eq!((&history["at_head"], &history["reachable"]), (&false.into(), &true.into()), "{seed}");
        assert!(list(&history["refs"]).iter().any(|name| name.contains("stash")), "{seed}: {history:#}");
    }
}

#[test]
fn a_blob_that_nothing_leads_to() {
    let workspace = repository();
    let id = blob(&workspace, &live_key(1));
    let told = workspace.history();
    let finding = told.one(&live_key(1));
    assert_eq!(finding["origin"]["blob"], id.as_str());
    assert_eq!(finding["history"]["reachable"], false);
    assert_eq!(finding["history"]["refs"], serde_json::json!([]));
    assert!(text(&finding["path"]).contains(&id));
}

#[test]
fn a_commit_that_nothing_leads_to() {
    let workspace = repository();
    let id = commit(&workspace, "pay.js", &live_key(1));
    workspace.git(&["reset", "-q", "--hard", "HEAD~"]);
    workspace.git(&["reflog", "expire", "--expire=now", "--all"]);
    std::fs::remove_file(workspace.path().join(".git/ORIG_HEAD")).unwrap();
    let told = workspace.history();
    let finding = told.one(&live_key(1));
    assert_eq!((text(&finding["path"]), text(&finding["origin"]["commit"])), ("pay.js", id.as_str()));
    assert_eq!(finding["history"]["introduced"]["commit"], id.as_str());
    assert_eq!(finding["history"]["reachable"], false);
}

#[test]
fn a_commit_that_only_a_reflog_leads_to() {
    let workspace = repository();
    commit(&workspace, "pay.js", &live_key(1));
    workspace.git(&["reset", "-q", "--hard", "HEAD~"]);
    let told = workspace.history();
    let history = &told.one(&live_key(1))["history"];
    assert_eq!(history["at_head"], false);
    assert!(!list(&history["refs"]).iter().any(|name| *name == "refs/heads/main" || *name == "main"), "{history:#}");
}

#[test]
fn tags_their_messages_and_what_they_are_on() {
    let workspace = repository();
    workspace.git(&["tag", "-am", &live_key(1), "message"]);
    let id = blob(&workspace, &live_key(2));
    workspace.git(&["tag", "light", &id]);
    let annotated = blob(&workspace, &live_key(3));
    workspace.git(&["tag", "-am", "on a blob", "annotated", &annotated]);
    let inner = blob(&workspace, &live_key(4));
    let tree = workspace.tell(&["mktree"], format!("100644 blob {inner}\tpay.ts\n"));
    workspace.git(&["tag", "tree", &tree]);
    workspace.git(&["tag", "-am", "on a tag", "chain", "annotated"]);
    let told = workspace.history();
    told.assert_found();
    assert_eq!(told.kinds(&live_key(1)), ["tag"]);
    for (seed, tag) in [(1, "message"), (2, "light"), (3, "annotated"), (4, "tree")] {
        let history = &told.one(&live_key(seed))["history"];
        assert_eq!(history["reachable"], true, "{tag}: {history:#}");
        assert!(list(&history["refs"]).iter().any(|name| name.contains(tag)), "{tag}: {history:#}");
    }
    assert!(list(&told.one(&live_key(3))["history"]["refs"]).iter().any(|name| name.contains("chain")));
}

#[test]
fn notes() {
    let workspace = repository();
    workspace.git(&["notes", "add", "-m", &live_key(1)]);
    workspace.git(&["notes", "--ref", "other", "add", "-m", &live_key(2)]);
    let told = workspace.history();
    told.assert_found();
    assert_eq!(told.kinds(&live_key(1)), ["note"]);
    assert!(list(&told.one(&live_key(2))["history"]["refs"]).iter().any(|name| name.contains("notes/other")));
}

#[test]
fn names_of_files_and_folders() {
    let workspace = repository();
    commit(&workspace, &format!("docs/{}.txt", live_key(1)), "a\n");
    commit(&workspace, &format!("{}/file", live_key(2)), "b\n");
    let told = workspace.history();
    told.assert_found();
    for seed in [1, 2] {
        assert!(told.kinds(&live_key(seed)).contains(&"tree-entry".to_owned()), "{:#}", told.report);
    }
    let finding = told.findings(&live_key(1))[0];
    assert!(text(&finding["path"]).starts_with("docs/ansa_sk_live_"), "{finding:#}");
    assert_eq!(finding["history"]["at_head"], true);
}

#[test]
fn what_a_commit_says() {
    let workspace = repository();
    workspace.git(&["commit", "-q", "--allow-empty", "-m", &format!("a message\n\nwith {}", live_key(1))]);
    let author = format!("--author={} <x@example.invalid>", live_key(2));
    workspace.git(&["commit", "-q", "--allow-empty", "-m", "m", &author]);
    let committer = format!("user.name={}", live_key(3));
    workspace.git(&["-c", &committer, "commit", "-q", "--allow-empty", "-m", "m", "--author=B <b@example.invalid>"]);
    let header = workspace.ask(&["cat-file", "commit", "HEAD"]);
    let header = header.replacen("\n\n", &format!("\nextra {}\n\n", live_key(4)), 1) + "\n";
    workspace.tell(&["hash-object", "-t", "commit", "-w", "--stdin"], header);
    let told = workspace.history();
    told.assert_found();
    for seed in 1..=4 {
        assert!(told.kinds(&live_key(seed)).contains(&"commit".to_owned()), "{seed}: {:#}", told.report);
    }
    assert_eq!(told.findings(&live_key(1))[0]["origin"]["commit"], workspace.ask(&["rev-parse", "HEAD~2"]).as_str());
    let authors = workspace.told(&["history", ".", "--authors"]);
    assert_eq!(authors.findings(&live_key(1))[0]["history"]["introduced"]["author"], "A");
    assert!(text(&authors.findings(&live_key(2))[0]["history"]["introduced"]["author"]).contains('…'));
}

#[test]
fn names_of_refs_loose_and_packed() {
    let workspace = repository();
    workspace.git(&["branch", &format!("fix/{}", live_key(1))]);
    workspace.git(&["pack-refs", "--all"]);
    workspace.git(&["tag", &live_key(2)]);
    workspace.git(&["update-ref", &format!("refs/pull/7/{}", live_key(3)), "HEAD"]);
    let told = workspace.history();
    told.assert_found();
    for seed in 1..=3 {
        assert!(told.kinds(&live_key(seed)).contains(&"ref".to_owned()), "{seed}: {:#}", told.report);
    }
}

#[test]
fn text_files_of_the_git_directory() {
    let workspace = repository();
    workspace.git(&["update-ref", "-m", &live_key(1), "refs/heads/main", "HEAD"]);
    workspace.git(&["commit", "-q", "--allow-empty", "-m", "so that the reflog has a line of it"]);
    workspace.write(
        ".git/logs/refs/heads/gone",
        format!("{0} {0} A <a@example.invalid> 1 +0\t{1}\n", "0".repeat(40), live_key(2)),
    );
    workspace.write(".git/FETCH_HEAD", live_key(3));
    workspace.write(".git/COMMIT_EDITMSG", live_key(4));
    workspace.git(&["config", "remote.origin.url", &format!("https://{}@host.invalid/", live_key(5))]);
    workspace.write(".git/hooks/pre-push", live_key(6));
    workspace.write(".git/rebase-merge/patch", live_key(7));
    workspace.write(".git/description", live_key(8));
    let told = workspace.history();
    told.assert_found();
    for (seed, kind, path) in [
        (2, "reflog", ".git/logs/refs/heads/gone"),
        (3, "git-file", ".git/FETCH_HEAD"),
        (4, "git-file", ".git/COMMIT_EDITMSG"),
        (5, "git-file", ".git/config"),
        (6, "git-file", ".git/hooks/pre-push"),
        (7, "git-file", ".git/rebase-merge/patch"),
        (8, "git-file", ".git/description"),
    ] {
        assert_eq!(told.at(&live_key(seed), path)["origin"]["kind"], kind, "{seed}");
    }
}

#[test]
fn what_only_an_index_has_in_all_stages() {
    let workspace = repository();
    workspace.write("staged.ts", live_key(1));
    workspace.git(&["add", "staged.ts"]);
    let stages: Vec<String> = (1..=3).map(|stage| blob(&workspace, &live_key(10 + stage))).collect();
    let lines: String =
        stages.iter().zip(1..).map(|(id, stage)| format!("100644 {id} {stage}\tsrc/conflict.ts\n")).collect();
    workspace.tell(&["update-index", "--index-info"], lines);
    let name = blob(&workspace, "x");
    workspace.tell(&["update-index", "--index-info"], format!("100644 {name}\tdocs/{}\n", live_key(2)));
    let told = workspace.history();
    told.assert_found();
    assert_eq!(told.one(&live_key(1))["path"], "staged.ts");
    for seed in 11..=13 {
        assert_eq!(told.one(&live_key(seed))["path"], "src/conflict.ts");
        assert_eq!(told.kinds(&live_key(seed)), ["index"]);
        assert_eq!(told.one(&live_key(seed))["history"]["reachable"], true);
    }
    assert!(told.has(&live_key(2)));
}

#[test]
fn linked_worktrees_with_index_head_and_reflog() {
    let workspace = repository();
    workspace.git(&["worktree", "add", "-q", "--detach", "linked"]);
    workspace.write("linked/pay.ts", live_key(2));
    workspace.git(&["-C", "linked", "add", "pay.ts"]);
    workspace.git(&["-C", "linked", "commit", "-qm", "detached"]);
    workspace.write("linked/staged", live_key(1));
    workspace.git(&["-C", "linked", "add", "staged"]);
    workspace.write(".git/worktrees/linked/COMMIT_EDITMSG", live_key(3));
    let log = workspace.path().join(".git/worktrees/linked/logs/HEAD");
    let lines = std::fs::read_to_string(&log).unwrap();
    std::fs::write(&log, format!("{lines}{}\n", live_key(4))).unwrap();
    let told = workspace.history();
    told.assert_found();
    assert_eq!(told.one(&live_key(1))["path"], "staged");
    assert_eq!(told.kinds(&live_key(1)), ["index"]);
    let history = &told.one(&live_key(2))["history"];
    assert_eq!((&history["reachable"], &history["at_head"]), (&true.into(), &false.into()), "{history:#}");
    assert_eq!(told.kinds(&live_key(3)), ["git-file"]);
    assert_eq!(told.kinds(&live_key(4)), ["reflog"]);
    assert!(workspace.told(&["history", "linked"]).has(&live_key(2)));
}

#[test]
fn names_that_are_no_text() {
    let workspace = repository();
    let id = blob(&workspace, &live_key(1));
    workspace.tell(
        &["update-index", "-z", "--index-info"],
        [format!("100644 {id}\t").as_bytes(), b"caf\xe9/50%\n.js\0"].concat(),
    );
    workspace.git(&["commit", "-qm", "c"]);
    let told = workspace.history();
    told.assert_found();
    assert_eq!(told.paths(&live_key(1)), ["caf%E9/50%25\n.js"]);
}

#[test]
fn stores_of_submodules() {
    let workspace = Workspace::new();
    workspace.git(&["init", "-q", "sub"]);
    workspace.write("sub/pay.js", live_key(1));
    workspace.git(&["-C", "sub", "add", "."]);
    workspace.git(&["-C", "sub", "commit", "-qm", "s"]);
    workspace.git(&["init", "-q", "top"]);
    workspace.git(&["-C", "top", "submodule", "--quiet", "add", "../sub", "libs/sub"]);
    workspace.git(&["-C", "top", "commit", "-qm", "with a submodule"]);
    std::fs::remove_dir_all(workspace.path().join("sub")).unwrap();
    let told = workspace.told(&["history", "top"]);
    told.assert_found();
    assert_eq!(told.paths(&live_key(1)), ["libs/sub/pay.js"]);
    assert_eq!(told.one(&live_key(1))["history"]["at_head"], true);
    std::fs::remove_dir_all(workspace.path().join("top/libs")).unwrap();
    assert!(workspace.told(&["history", "top"]).has(&live_key(1)));
}

#[test]
fn nested_repositories_and_bare_ones() {
    let workspace = repository();
    workspace.git(&["init", "-q", "vendor/inner"]);
    workspace.write("vendor/inner/a.js", live_key(1));
    workspace.git(&["-C", "vendor/inner", "add", "."]);
    workspace.git(&["-C", "vendor/inner", "commit", "-qm", "i"]);
    workspace.git(&["clone", "-q", "--bare", "vendor/inner", "fixtures/bare.git"]);
    let told = workspace.history();
    told.assert_found();
    let mut paths = told.paths(&live_key(1));
    paths.sort();
    assert_eq!(paths, ["fixtures/bare.git/a.js", "vendor/inner/a.js"]);
    let bare = workspace.told(&["history", "fixtures/bare.git"]);
    bare.assert_found();
    assert_eq!(bare.paths(&live_key(1)), ["a.js"]);
}

#[test]
fn several_repositories_in_one_run() {
    let workspace = Workspace::new();
    for (name, seed) in [("one", 1), ("two", 2)] {
        workspace.git(&["init", "-q", name]);
        workspace.write(format!("{name}/a.js"), live_key(seed));
        workspace.git(&["-C", name, "add", "."]);
        workspace.git(&["-C", name, "commit", "-qm", "c"]);
    }
    let told = workspace.told(&["history", "one", "two"]);
    told.assert_found();
    assert_eq!(told.paths(&live_key(1)), ["one/a.js"]);
    assert_eq!(told.paths(&live_key(2)), ["two/a.js"]);
}

#[test]
fn files_that_lfs_keeps_and_those_it_lacks() {
    let workspace = repository();
    let content = format!("binary {}", live_key(1));
    let oid = crate::told::sha256(content.as_bytes());
    let pointer =
        |oid: &str, size: usize| format!("version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {size}\n");
    commit(&workspace, "big.bin", &pointer(&oid, content.len()));
    workspace.write(format!(".git/lfs/objects/{}/{}/{oid}", &oid[..2], &oid[2..4]), &content);
    let told = workspace.history();
    told.assert_found();
    assert_eq!(told.kinds(&live_key(1)), ["lfs"]);
    let absent = "12".repeat(32);
    commit(&workspace, "absent.bin", &pointer(&absent, 10));
    workspace.history().assert_left_out(&absent);
    std::fs::remove_dir_all(workspace.path().join(".git/lfs")).unwrap();
    let told = workspace.history();
    assert_eq!(told.code, 3);
    told.assert_left_out(&absent);
    told.assert_left_out(&oid);
}

#[test]
fn what_hides_commits_hides_nothing() {
    let workspace = repository();
    let bad = commit(&workspace, "pay.js", &live_key(1));
    workspace.git(&["rm", "-q", "pay.js"]);
    workspace.git(&["commit", "-qm", "gone"]);
    let first = workspace.ask(&["rev-parse", "HEAD~2"]);
    let head = workspace.ask(&["rev-parse", "HEAD"]);
    workspace.git(&["replace", &bad, &first]);
    let seen = |workspace: &Workspace| {
        let told = workspace.history();
        let finding = told.at(&live_key(1), "pay.js").clone();
        assert_eq!(finding["history"]["introduced"]["commit"], bad.as_str());
        assert_eq!(finding["history"]["removed"]["commit"], head.as_str());
        assert_eq!(finding["history"]["reachable"], true);
        told
    };
    seen(&workspace).assert_found();
    workspace.write(".git/info/grafts", format!("{head} {first}\n"));
    seen(&workspace).assert_found();
    workspace.write(".git/shallow", format!("{head}\n"));
    seen(&workspace);
}

#[test]
fn attributes_and_configuration_hide_nothing() {
    let workspace = repository();
    workspace.write(".gitattributes", "* -diff -text\n*.js binary export-ignore filter=none\n");
    workspace.write(".git/info/attributes", "* -diff\n");
    workspace.git(&["config", "core.excludesFile", "/dev/null"]);
    workspace.git(&["config", "log.showRoot", "false"]);
    workspace.git(&["config", "transfer.hideRefs", "refs/heads"]);
    let nul = format!("\0\0binary\0{}\0", live_key(1));
    commit(&workspace, "pay.js", &nul);
    let wide: Vec<u8> = live_key(2).encode_utf16().flat_map(u16::to_le_bytes).collect();
    workspace.write("wide.js", [b"\xff\xfe".as_slice(), &wide].concat());
    workspace.git(&["add", "wide.js"]);
    workspace.git(&["commit", "-qm", "wide"]);
    let told = workspace.history();
    told.assert_found();
    assert_eq!(told.paths(&live_key(1)), ["pay.js"]);
    assert_eq!(told.paths(&live_key(2)), ["wide.js"]);
}

#[test]
fn links_and_executables_are_blobs_too() {
    let workspace = repository();
    std::os::unix::fs::symlink(live_key(1), workspace.path().join("link")).unwrap();
    workspace.git(&["add", "link"]);
    workspace.git(&["commit", "-qm", "a link"]);
    assert_eq!(only(&workspace, &live_key(1)), ("blob".into(), "link".into()));
}

#[test]
fn nothing_to_scan_is_an_error() {
    let workspace = Workspace::new();
    workspace.write("a", "b");
    assert_eq!(workspace.run(&["history", "."]).code, Some(2));
    assert_eq!(workspace.run(&["history", "absent"]).code, Some(2));
    assert_eq!(workspace.run(&["history", "a"]).code, Some(2));
}
