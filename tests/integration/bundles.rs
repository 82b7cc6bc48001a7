//! Bundles and packs, as files, as blobs, in archives, and in what a change adds.

use crate::template::live_key;
use crate::workspace::Workspace;

fn repository() -> Workspace {
    let workspace = Workspace::new();
    workspace.git(&["init", "-q"]);
    commit(&workspace, "README", "nothing\n");
    workspace
}

fn commit(workspace: &Workspace, path: &str, content: &str) {
    workspace.write(path, content);
    workspace.git(&["add", "-f", path]);
    workspace.git(&["commit", "-qm", "c"]);
}

/// A bundle of a repository of web pages with one key.
fn bundle(name: &str, seed: u64) -> Workspace {
    let workspace = repository();
    commit(&workspace, "web/package.json", r#"{"dependencies": {"react-dom": "18"}}"#);
    commit(&workspace, "web/src/pay.js", &format!("export const key = '{}';\n", live_key(seed)));
    workspace.git(&["bundle", "create", "-q", name, "--all"]);
    workspace
}

/// Copies a file of `from`.
fn take(from: &Workspace, name: &str, to: &Workspace, path: &str) {
    to.write(path, std::fs::read(from.path().join(name)).unwrap());
}

#[test]
fn as_files_and_as_blobs() {
    let source = bundle("all.bundle", 1);
    let alone = source.told(&["history", "all.bundle"]);
    alone.assert_found();
    assert_eq!(alone.paths(&live_key(1)), ["all.bundle!/web/src/pay.js"]);
    assert_eq!(alone.one(&live_key(1))["side"]["value"], "client", "{:#}", alone.report);

    let other = repository();
    take(&source, "all.bundle", &other, "kept.bundle");
    let told = other.history();
    told.assert_found();
    assert_eq!(told.paths(&live_key(1)), ["kept.bundle!/web/src/pay.js"]);
    std::fs::remove_file(other.path().join("kept.bundle")).unwrap();
    take(&source, "all.bundle", &other, "old/kept.bin");
    other.git(&["add", "old/kept.bin"]);
    let told = other.history();
    assert_eq!(told.paths(&live_key(1)), ["old/kept.bin!/web/src/pay.js"], "what only the index has");
    other.git(&["commit", "-qm", "b"]);
    other.git(&["mv", "old", "archive"]);
    other.git(&["commit", "-qm", "moved"]);
    other.git(&["rm", "-q", "archive/kept.bin"]);
    other.git(&["commit", "-qm", "gone"]);
    let told = other.history();
    told.assert_found();
    assert_eq!(told.paths(&live_key(1)), ["old/kept.bin!/web/src/pay.js"]);
    let finding = told.one(&live_key(1));
    assert_eq!(finding["side"]["value"], "client", "from the trees of the bundle itself: {finding:#}");
    assert!(finding["side"]["evidence"].to_string().contains("package.json"), "{finding:#}");
}

#[test]
fn a_blob_that_nothing_leads_to() {
    let source = bundle("all.bundle", 1);
    let other = repository();
    take(&source, "all.bundle", &other, "kept.bin");
    let id = other.ask(&["hash-object", "-w", "kept.bin"]);
    std::fs::remove_file(other.path().join("kept.bin")).unwrap();
    let told = other.history();
    told.assert_found();
    assert_eq!(told.paths(&live_key(1)), [format!(".git/blobs/{id}!/web/src/pay.js")]);
}

#[test]
fn in_archives_and_bare_packs() {
    let source = bundle("all.bundle", 1);
    let run = |program: &str, args: &[&str]| {
        let mut command = std::process::Command::new(program);
        assert!(command.args(args).current_dir(source.path()).status().unwrap().success());
    };
    run("tar", &["-czf", "all.tar.gz", "all.bundle"]);
    source.git(&["repack", "-adq"]);
    let pack = std::fs::read_dir(source.path().join(".git/objects/pack")).unwrap();
    let pack = pack.map(|entry| entry.unwrap().path()).find(|path| path.extension().is_some_and(|end| end == "pack"));
    std::fs::copy(pack.unwrap(), source.path().join("all.pack")).unwrap();
    for (name, within) in [("all.tar.gz", "!/all.tar!/all.bundle"), ("all.pack", "")] {
        let other = repository();
        take(&source, name, &other, name);
        other.git(&["add", name]);
        let told = other.told(&["staged"]);
        told.assert_found();
        let path = told.one(&live_key(1))["path"].as_str().unwrap().to_owned();
        assert!(path.starts_with(name) && path.ends_with("!/web/src/pay.js"), "{within}: {path}");
        other.git(&["commit", "-qm", "c"]);
        let told = other.history();
        assert!(told.has(&live_key(1)), "{name}: {:#}", told.report);
        let told = other.told(&["range", "HEAD~..HEAD"]);
        told.assert_found();
        assert!(told.has(&live_key(1)), "{name}");
    }
}

#[test]
fn what_a_change_adds_to_one_is_told_from_what_was_there() {
    let (source, more) = (bundle("all.bundle", 1), bundle("all.bundle", 2));
    let other = repository();
    take(&source, "all.bundle", &other, "kept.bin");
    other.git(&["add", "kept.bin"]);
    let told = other.told(&["staged"]);
    told.assert_found();
    assert_eq!(told.paths(&live_key(1)), ["kept.bin!/web/src/pay.js"]);
    assert_eq!(told.one(&live_key(1))["new"], true);
    other.git(&["commit", "-qm", "c"]);
    commit(&source, "README", "more\n");
    source.git(&["bundle", "create", "-q", "all.bundle", "--all"]);
    take(&source, "all.bundle", &other, "kept.bin");
    other.git(&["add", "kept.bin"]);
    let told = other.told(&["staged"]);
    assert_eq!((told.code, &told.one(&live_key(1))["new"]), (0, &false.into()), "{:#}", told.report);
    take(&more, "all.bundle", &other, "kept.bin");
    other.git(&["add", "kept.bin"]);
    let told = other.told(&["staged"]);
    told.assert_found();
    assert!(!told.has(&live_key(1)), "what only the older bundle holds is not added");
    assert_eq!(told.one(&live_key(2))["new"], true);
}

#[test]
fn one_that_needs_what_it_does_not_hold() {
    let workspace = repository();
    workspace.write("pay.js", (0..200).map(|line| format!("line {line}\n")).collect::<String>());
    workspace.git(&["add", "."]);
    workspace.git(&["commit", "-qm", "base"]);
    let mut text = std::fs::read_to_string(workspace.path().join("pay.js")).unwrap();
    text.push_str(&live_key(1));
    commit(&workspace, "pay.js", &text);
    workspace.git(&["bundle", "create", "-q", "thin.bundle", "HEAD~..main"]);
    let told = workspace.told(&["history", "thin.bundle"]);
    assert!(told.has(&live_key(1)) || !told.complete(), "{:#}", told.report);
    // Where what it is based on is around it, all of it is read.
    let clone = Workspace::new();
    clone.git(&["clone", "-q", workspace.path().to_str().unwrap(), "."]);
    clone.git(&["reset", "-q", "--hard", "HEAD~"]);
    take(&workspace, "thin.bundle", &clone, "kept/thin.bin");
    clone.git(&["add", "kept/thin.bin"]);
    clone.git(&["commit", "-qm", "kept"]);
    let told = clone.history();
    assert!(told.paths(&live_key(1)).contains(&"kept/thin.bin!/pay.js".to_owned()), "{:#}", told.report);
}
