//! Which keys a change adds, and which were there before: where the two are hard to tell, and where they cannot be told.

use crate::changes::{add, commit, staged};
use crate::template::{expand, live_key};
use crate::told::Told;
use crate::workspace::Workspace;
use std::path::{Path, PathBuf};

fn repository() -> Workspace {
    let workspace = Workspace::new();
    workspace.git(&["init", "-q"]);
    commit(&workspace, "README", "r\n");
    workspace.git(&["tag", "base"]);
    workspace
}

fn assert_age(told: &Told, key: &str, path: &str, new: bool) {
    assert_eq!(told.at(key, path)["new"], new, "{:#}", told.report);
}

/// The file of a loose object.
fn loose(workspace: &Workspace, name: &str) -> PathBuf {
    let id = workspace.ask(&["rev-parse", name]);
    workspace.path().join(format!(".git/objects/{}/{}", &id[..2], &id[2..]))
}

fn hide(path: &Path) {
    std::fs::rename(path, path.with_extension("aside")).unwrap();
}

#[test]
fn names_without_a_content() {
    let workspace = repository();
    let (submodule, intended) = (format!("libs/{}", live_key(1)), format!("later/{}.txt", live_key(2)));
    let id = workspace.ask(&["rev-parse", "HEAD"]);
    workspace.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{id},{submodule}")]);
    workspace.write(&intended, "not yet\n");
    workspace.git(&["add", "-N", &intended]);
    let told = staged(&workspace);
    told.assert_found();
    for seed in [1, 2] {
        assert_eq!(told.kinds(&live_key(seed)), ["tree-entry"]);
        assert_eq!(told.one(&live_key(seed))["new"], true);
    }
    workspace.git(&["rm", "-q", "--cached", &intended]);
    workspace.git(&["commit", "-qm", "a submodule"]);
    staged(&workspace).assert_clean();
    let range = workspace.told(&["range", "base.."]);
    range.assert_found();
    assert_eq!(range.kinds(&live_key(1)), ["tree-entry"]);
    assert!(!range.has(&live_key(2)));
    // Another commit of the same submodule brings no name.
    let id = workspace.ask(&["rev-parse", "HEAD"]);
    workspace.git(&["update-index", "--cacheinfo", &format!("160000,{id},{submodule}")]);
    staged(&workspace).assert_clean();
}

#[test]
fn a_head_that_names_no_ref_is_no_first_commit() {
    let workspace = repository();
    for wrong in [
        "ref: refs/heads/../../x",
        "ref: refs/heads/../heads/main",
        "ref: refs/heads/a b",
        "ref: refs/heads/main.lock",
        "ref: refs/heads/.main",
        "ref: refs/heads//main",
        "ref: refs/heads/main/",
        "ref: main",
        "nonsense",
        "",
    ] {
        workspace.write(".git/HEAD", format!("{wrong}\n"));
        for command in [&["staged"][..], &["history", "."]] {
            // git itself finds no repository where HEAD is no ref at all.
            let run = workspace.run(&[command, &["--format", "json"]].concat());
            if run.code == Some(2) {
                assert!(!run.stderr.is_empty(), "{wrong}");
                continue;
            }
            let told = Told::of(&run);
            assert_eq!(told.code, 3, "{wrong}: {:#}", told.report);
            told.assert_left_out(".git/HEAD");
        }
        assert_eq!(workspace.run(&["range", "HEAD~..HEAD"]).code, Some(2), "{wrong}");
    }
    workspace.write(".git/HEAD", "ref: refs/heads/circle\n");
    workspace.write(".git/refs/heads/circle", "ref: refs/heads/circle\n");
    staged(&workspace).assert_left_out(".git/HEAD");
    workspace.history().assert_left_out("circle");
    workspace.write(".git/HEAD", "ref: refs/heads/not/yet\n");
    std::fs::remove_file(workspace.path().join(".git/refs/heads/circle")).unwrap();
    staged(&workspace).assert_clean();
    workspace.write(".git/packed-refs", "# pack-refs with: peeled fully-peeled sorted\nrefs/heads/not/yet\n");
    staged(&workspace).assert_left_out(".git/HEAD");
}

#[test]
fn a_git_file_that_is_named_is_followed_only_where_it_points_back() {
    let workspace = repository();
    workspace.git(&["worktree", "add", "-q", "linked"]);
    workspace.write("linked/w.js", live_key(1));
    workspace.git(&["-C", "linked", "add", "w.js"]);
    workspace.git(&["init", "-q", "other"]);
    workspace.git(&["-C", "other", "commit", "-q", "--allow-empty", "-m", "c"]);
    workspace.git(&["init", "-q", "top"]);
    workspace.git(&["-C", "top", "submodule", "--quiet", "add", "../other", "sub"]);
    workspace.write("top/sub/s.js", live_key(2));
    workspace.git(&["-C", "top/sub", "add", "s.js"]);
    let named = |folder: &str, git: &Path| {
        let mut command = workspace.command(&["staged", "--format", "json"]);
        command.current_dir(workspace.path().join(folder)).env("GIT_DIR", git);
        command.output().unwrap().into()
    };
    for (folder, path, seed) in [("linked", "w.js", 1), ("top/sub", "s.js", 2)] {
        for git in [Path::new(".git"), &workspace.path().join(folder).join(".git")] {
            let told = Told::of(&named(folder, git));
            told.assert_found();
            assert_eq!(told.paths(&live_key(seed)), [path]);
        }
    }
    let real = workspace.ask(&["-C", "linked", "rev-parse", "--absolute-git-dir"]);
    assert!(Told::of(&named("linked", Path::new(&real))).has(&live_key(1)));
    // Somebody else's repository, which knows nothing of it.
    workspace.write("fake/.git", format!("gitdir: {real}\n"));
    workspace.write("loop/.git", "gitdir: .git\n");
    workspace.write("long/.git", format!("gitdir: {}\n", "x".repeat(1 << 20)));
    std::fs::create_dir_all(workspace.path().join("led/.git")).unwrap();
    for name in ["HEAD", "index"] {
        std::fs::copy(workspace.path().join(".git").join(name), workspace.path().join("led/.git").join(name)).unwrap();
    }
    workspace.write("led/.git/commondir", "../../.git\n");
    for folder in ["fake", "loop", "long", "led"] {
        let run: crate::workspace::Run = named(folder, Path::new(".git"));
        assert_eq!(run.code, Some(2), "{folder}: {}", run.stdout);
        assert!(run.stderr.contains("not followed"), "{folder}: {}", run.stderr);
    }
}

#[test]
fn what_the_older_side_lacks_is_listed() {
    let workspace = repository();
    commit(&workspace, "a.js", &live_key(1));
    workspace.git(&["tag", "-f", "base"]);
    commit(&workspace, "a.js", &format!("// edited\n{}", live_key(1)));
    let path = loose(&workspace, "base:a.js");
    hide(&path);
    let told = workspace.told(&["range", "base.."]);
    assert_age(&told, &live_key(1), "a.js", true);
    told.assert_left_out("older side");
    assert_eq!(told.code, 1);
    let told = workspace.told(&["range", "base..", "--fail-on", "error", "--exit-zero"]);
    assert!(!told.complete());
    workspace.git(&["reset", "-q", "--soft", "base"]);
    let told = staged(&workspace);
    assert_age(&told, &live_key(1), "a.js", true);
    told.assert_left_out("older side");
    hide(&loose(&workspace, "base^{tree}"));
    staged(&workspace).assert_left_out("tree");
}

#[test]
fn a_partial_clone_that_lacks_the_older_side() {
    let origin = repository();
    origin.git(&["config", "uploadpack.allowFilter", "true"]);
    origin.git(&["config", "uploadpack.allowAnySHA1InWant", "true"]);
    commit(&origin, "a.js", &live_key(1));
    commit(&origin, "a.js", &format!("// edited\n{}", live_key(1)));
    let clone = Workspace::new();
    let url = format!("file://{}", origin.path().display());
    clone.git(&["clone", "-q", "--filter=blob:none", &url, "."]);
    let told = clone.told(&["range", "HEAD~..HEAD"]);
    assert_age(&told, &live_key(1), "a.js", true);
    told.assert_left_out("older side");
    assert!(clone.ask(&["rev-list", "--objects", "--missing=print", "--all"]).contains('?'), "something was fetched");
}

#[test]
fn an_index_that_is_named_and_not_there_is_no_empty_one() {
    let workspace = repository();
    add(&workspace, "a.js", &live_key(1));
    let mut command = workspace.command(&["staged", "--format", "json"]);
    let told = Told::of(&command.env("GIT_INDEX_FILE", ".git/nowhere").output().unwrap().into());
    assert_eq!(told.code, 3);
    told.assert_left_out("nowhere");
}

#[test]
fn a_damaged_pack_is_listed_and_the_rest_is_read() {
    let workspace = repository();
    commit(&workspace, "a.js", &live_key(1));
    workspace.git(&["repack", "-adq"]);
    add(&workspace, "b.js", &live_key(2));
    for (extension, content) in [("idx", b"nonsense".as_slice()), ("pack", b"PACK")] {
        let packs = std::fs::read_dir(workspace.path().join(".git/objects/pack")).unwrap();
        let mut paths = packs.map(|entry| entry.unwrap().path());
        let path = paths.find(|path| path.extension().is_some_and(|end| end == extension)).unwrap();
        let whole = std::fs::read(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, content).unwrap();
        let told = staged(&workspace);
        assert_age(&told, &live_key(2), "b.js", true);
        told.assert_left_out("objects/pack");
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, whole).unwrap();
    }
    let told = staged(&workspace);
    told.assert_found();
    assert!(!told.has(&live_key(1)));
}

#[test]
fn what_is_said_to_have_been_read() {
    let workspace = repository();
    add(&workspace, "a.js", "a\n");
    add(&workspace, "b.js", "b\n");
    let told = |args: &[&str]| workspace.run(args).stdout;
    let last = |text: &str| text.trim_end().lines().last().unwrap_or_default().to_owned();
    assert_eq!(last(&told(&["staged"])), "nothing found; read 2 objects, 4 bytes");
    assert!(told(&["staged", "--format", "markdown"]).contains("read 2 objects."));
    workspace.git(&["commit", "-qm", "c"]);
    assert_eq!(last(&told(&["staged"])), "nothing found; read nothing");
    let range = last(&told(&["range", "base.."]));
    assert!(range.contains("read 3 objects,") && !range.contains("file"), "{range}");
    let scan = last(&told(&["scan", "a.js"]));
    assert!(scan.contains("read 1 file, 2 bytes") && !scan.contains("object"), "{scan}");
}

#[test]
fn a_whole_id_is_never_a_ref() {
    let workspace = repository();
    let base = workspace.ask(&["rev-parse", "base"]);
    commit(&workspace, "a.js", &live_key(1));
    let head = workspace.ask(&["rev-parse", "HEAD"]);
    // Whoever may push a branch could hide all that is new behind such a name.
    for folder in ["", "heads/", "tags/", "remotes/"] {
        workspace.write(format!(".git/refs/{folder}{base}"), format!("{head}\n"));
    }
    workspace.write(format!(".git/{base}"), format!("{head}\n"));
    workspace.told(&["range", &format!("{base}..HEAD")]).assert_found();
    workspace.told(&["range", "--since", &base]).assert_found();
}

#[test]
fn a_step_behind_a_shallow_boundary_is_an_error() {
    let origin = repository();
    for number in 0..4 {
        commit(&origin, "a.js", &format!("{number}\n"));
    }
    let clone = Workspace::new();
    clone.git(&["clone", "-q", "--depth=2", &format!("file://{}", origin.path().display()), "."]);
    for (range, code) in [("HEAD~..HEAD", 0), ("HEAD~2..HEAD", 2), ("HEAD~9..", 2), ("HEAD^^..", 2)] {
        let run = clone.run(&["range", range, "--format", "json"]);
        assert_eq!(run.code, Some(code), "{range}: {}", run.stderr);
        if code == 2 {
            assert!(run.stderr.contains("fetch-depth: 0") && run.stderr.contains("--unshallow"), "{}", run.stderr);
        }
    }
}

#[test]
fn what_only_a_conflict_started_from_is_not_new() {
    let workspace = repository();
    let blob = |text: &str| workspace.tell(&["hash-object", "-w", "--stdin"], text);
    let (base, ours, theirs) = (blob(&live_key(1)), blob("ours\n"), blob("theirs\n"));
    let lines = format!("100644 {base} 1\tc.js\n100644 {ours} 2\tc.js\n100644 {theirs} 3\tc.js\n");
    workspace.tell(&["update-index", "--index-info"], lines);
    let told = staged(&workspace);
    assert_age(&told, &live_key(1), "c.js", false);
    assert_eq!((told.code, told.complete()), (0, true));
    // In any other stage it is what a commit may get.
    workspace.tell(&["update-index", "--index-info"], format!("100644 {base} 3\td.js\n"));
    let told = staged(&workspace);
    assert_age(&told, &live_key(1), "d.js", true);
    told.assert_found();
    workspace.tell(&["update-index", "--index-info"], format!("100644 {base} 1\te.js\n100644 {base} 2\te.js\n"));
    assert_age(&staged(&workspace), &live_key(1), "e.js", true);
}

#[test]
fn where_both_sides_parted_counts_as_old() {
    let workspace = repository();
    commit(&workspace, "a.js", &live_key(1));
    workspace.git(&["checkout", "-qb", "feature"]);
    commit(&workspace, "a.js", &format!("// an edit\n{}", live_key(1)));
    workspace.git(&["checkout", "-q", "main"]);
    commit(&workspace, "a.js", "removed on this side\n");
    for range in ["main..feature", "main...feature"] {
        let told = workspace.told(&["range", range]);
        assert_age(&told, &live_key(1), "a.js", false);
        assert_eq!((told.code, told.complete()), (0, true), "{range}");
    }
    // Of several places where they parted, each counts.
    workspace.git(&["checkout", "-q", "main"]);
    commit(&workspace, "b.js", &live_key(2));
    let kept = workspace.ask(&["rev-parse", "HEAD"]);
    commit(&workspace, "b.js", "removed too\n");
    workspace.git(&["checkout", "-q", "feature"]);
    workspace.git(&["merge", "-q", "-X", "ours", "-m", "m", &kept]);
    commit(&workspace, "b.js", &format!("// an edit\n{}", live_key(2)));
    let told = workspace.told(&["range", "main..feature"]);
    assert_age(&told, &live_key(2), "b.js", false);
    assert_age(&told, &live_key(1), "a.js", false);
    assert_eq!(told.code, 0, "{:#}", told.report);
}

#[test]
fn a_key_that_moves_into_client_code_is_new() {
    let server = r#"{"dependencies": {"express": "4"}}"#;
    let client = r#"{"dependencies": {"react-dom": "18"}}"#;
    let text = format!("{}export const key = '{}';\n", "// a line of it\n".repeat(40), live_key(1));
    let workspace = repository();
    add(&workspace, "api/package.json", server);
    add(&workspace, "web/package.json", client);
    commit(&workspace, "api/src/pay.js", &text);
    workspace.git(&["tag", "-f", "base"]);
    std::fs::create_dir_all(workspace.path().join("api/lib")).unwrap();
    workspace.git(&["mv", "api/src/pay.js", "api/lib/pay.js"]);
    assert_age(&staged(&workspace), &live_key(1), "api/lib/pay.js", false);
    std::fs::create_dir_all(workspace.path().join("web/src")).unwrap();
    workspace.git(&["mv", "api/lib/pay.js", "web/src/pay.js"]);
    let told = staged(&workspace);
    assert_age(&told, &live_key(1), "web/src/pay.js", true);
    told.assert_found();
    workspace.git(&["commit", "-qm", "moved"]);
    let told = workspace.told(&["range", "base.."]);
    assert_age(&told, &live_key(1), "web/src/pay.js", true);
    told.assert_found();
    // At the same path, the manifest can do the same; then the file has to change with it.
    workspace.git(&["reset", "-q", "--hard", "base"]);
    add(&workspace, "api/package.json", client);
    add(&workspace, "api/src/pay.js", &format!("// edited\n{text}"));
    assert_age(&staged(&workspace), &live_key(1), "api/src/pay.js", true);
    workspace.git(&["commit", "-qm", "now a client"]);
    assert_age(&workspace.told(&["range", "base.."]), &live_key(1), "api/src/pay.js", true);
    // And back: what reached clients before is old.
    workspace.git(&["tag", "-f", "base"]);
    add(&workspace, "api/src/pay.js", &format!("// edited again\n{text}"));
    assert_age(&staged(&workspace), &live_key(1), "api/src/pay.js", false);
}

#[test]
fn one_content_may_mean_something_at_one_path_only() {
    let workspace = repository();
    add(&workspace, "package.json", r#"{"dependencies": {"next": "15", "react-dom": "19"}}"#);
    let text = expand("export const k = process.env.NEXT_PUBLIC_{ANSA}_SECRET_KEY\n", 0);
    for path in ["docs/a.md", "zone/pay.test.ts", "app/pay.tsx"] {
        add(&workspace, path, &text);
    }
    let mut compressed = Vec::new();
    let key = live_key(1);
    brotli::BrotliCompress(
        &mut key.repeat(3).as_bytes(),
        &mut compressed,
        &brotli::enc::BrotliEncoderParams::default(),
    )
    .unwrap();
    for path in ["Aside", "page.js.br"] {
        workspace.write(path, &compressed);
        workspace.git(&["add", path]);
    }
    for told in [staged(&workspace), {
        workspace.git(&["commit", "-qm", "c"]);
        workspace.told(&["range", "base.."])
    }] {
        let findings = told.report["findings"].as_array().unwrap();
        let name = findings.iter().find(|finding| finding["code"] == "ANSA1005");
        assert_eq!(name.map(|finding| &finding["path"]), Some(&"app/pay.tsx".into()), "{:#}", told.report);
        assert!(told.has(&live_key(1)), "{:#}", told.report);
    }
}

#[test]
fn one_content_at_several_paths_is_judged_at_each() {
    let workspace = repository();
    let text = format!("{}export const key = '{}';\n", "// a line of it\n".repeat(40), live_key(1));
    commit(&workspace, "old/a.js", &text);
    workspace.git(&["tag", "-f", "base"]);
    workspace.git(&["mv", "old", "moved"]);
    add(&workspace, "web/package.json", r#"{"dependencies": {"react-dom": "18"}}"#);
    add(&workspace, "web/a.js", &text);
    add(&workspace, "copies/a.js", &text);
    for told in [staged(&workspace), {
        workspace.git(&["commit", "-qm", "c"]);
        workspace.told(&["range", "base.."])
    }] {
        told.assert_found();
        assert_eq!(told.findings(&live_key(1)).len(), 3, "{:#}", told.report);
        assert_eq!(told.at(&live_key(1), "web/a.js")["side"]["value"], "client");
        assert_age(&told, &live_key(1), "web/a.js", true);
        // One of the two is where the file moved, the other a copy.
        let ages = ["copies/a.js", "moved/a.js"].map(|path| told.at(&live_key(1), path)["new"] == true);
        assert_eq!(ages, [false, true], "{:#}", told.report);
    }
}
