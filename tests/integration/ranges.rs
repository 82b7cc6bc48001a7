//! `range`: what commits add, however they hang together.

use crate::template::live_key;
use crate::told::{Told, text};
use crate::workspace::Workspace;

const START: i64 = 1_600_000_000;

fn repository(init: &[&str]) -> Workspace {
    let workspace = Workspace::new();
    workspace.git(&[&["init", "-q"], init].concat());
    commit(&workspace, 0, "README", "r\n");
    workspace.git(&["tag", "base"]);
    workspace
}

fn commit(workspace: &Workspace, time: i64, path: &str, content: &str) {
    workspace.write(path, content);
    workspace.git(&["add", "-f", path]);
    workspace.git_at(START + time, &["commit", "-qm", "c"]);
}

fn range(workspace: &Workspace, range: &str) -> Told {
    workspace.told(&["range", range])
}

fn long(extra: &str) -> String {
    (0..60).map(|line| format!("line {line} of the file\n")).collect::<String>() + extra + "\n"
}

/// All that is found is old, and nothing fails.
fn assert_old(told: &Told, key: &str) {
    assert!(told.has(key), "{:#}", told.report);
    assert!(told.findings(key).iter().all(|finding| finding["new"] == false), "{:#}", told.report);
    assert_eq!((told.code, told.complete()), (0, true), "{:#}", told.report);
}

#[test]
fn everything_that_commits_add() {
    let workspace = repository(&[]);
    commit(&workspace, 1, "a.js", &live_key(1));
    let came = workspace.ask(&["rev-parse", "HEAD"]);
    commit(&workspace, 2, "a.js", "removed again\n");
    workspace.git(&["commit", "-q", "--allow-empty", "-m", &live_key(2)]);
    commit(&workspace, 3, &format!("docs/{}.md", live_key(3)), "d\n");
    workspace.git(&["tag", "-am", &live_key(4), "v1"]);
    let told = range(&workspace, "base..v1");
    told.assert_found();
    let finding = told.one(&live_key(1));
    assert_eq!((text(&finding["path"]), text(&finding["origin"]["commit"])), ("a.js", came.as_str()));
    assert_eq!(finding["history"]["introduced"]["commit"], came.as_str());
    assert_eq!(told.kinds(&live_key(2)), ["commit"]);
    assert_eq!(told.kinds(&live_key(3)), ["tree-entry"]);
    assert_eq!(told.kinds(&live_key(4)), ["tag"]);
    assert_eq!(told.report["repository"]["head"], workspace.ask(&["rev-parse", "HEAD"]).as_str());
}

#[test]
fn empty_ranges_are_clean() {
    let workspace = repository(&[]);
    commit(&workspace, 1, "a.js", &live_key(1));
    for empty in ["HEAD..HEAD", "HEAD..base", "main..", "..main", "HEAD...HEAD"] {
        range(&workspace, empty).assert_clean();
    }
    workspace.told(&["range", "--since", "HEAD"]).assert_clean();
}

#[test]
fn names_of_commits() {
    let workspace = repository(&[]);
    commit(&workspace, 1, "a.js", "a\n");
    let base = workspace.ask(&["rev-parse", "HEAD"]);
    workspace.git(&["branch", "before"]);
    workspace.git(&["tag", "-am", "m", "annotated"]);
    workspace.git(&["update-ref", "refs/remotes/origin/main", "HEAD"]);
    commit(&workspace, 2, "b.js", &live_key(1));
    commit(&workspace, 3, "c.js", "c\n");
    let names = [
        "before",
        "annotated",
        "heads/before",
        "refs/tags/annotated",
        "origin/main",
        "HEAD~2",
        "HEAD^^",
        "main~2",
        "@~2",
        &base,
        &base[..8],
        "annotated^{}",
        "annotated^0",
    ];
    for name in names {
        let told = range(&workspace, &format!("{name}..main"));
        told.assert_found();
        assert_eq!(told.paths(&live_key(1)), ["b.js"], "{name}");
    }
    assert!(workspace.told(&["range", "--since", "before"]).has(&live_key(1)));
    workspace.git(&["pack-refs", "--all"]);
    assert!(range(&workspace, "before..").has(&live_key(1)));
}

#[test]
fn a_missing_base_is_an_error_that_says_what_to_fetch() {
    let workspace = repository(&[]);
    for missing in ["nowhere", "12".repeat(20).as_str(), "HEAD~9", "nowhere..main", "main..nowhere"] {
        let range = if missing.contains("..") { missing.to_owned() } else { format!("{missing}..HEAD") };
        for format in ["json", "text"] {
            let run = workspace.run(&["range", &range, "--format", format]);
            assert_eq!(run.code, Some(2), "{range}");
            assert!(run.stderr.contains("fetch"), "{range}: {}", run.stderr);
        }
    }
    assert_eq!(workspace.run(&["range", "--since", "nowhere"]).code, Some(2));
    assert_eq!(workspace.run(&["range", "no-dots"]).code, Some(2));
}

#[test]
fn zeros_are_the_start_of_everything() {
    let workspace = repository(&[]);
    commit(&workspace, 1, "a.js", &live_key(1));
    let told = range(&workspace, &format!("{}..HEAD", "0".repeat(40)));
    told.assert_found();
    let sha256 = repository(&["--object-format=sha256"]);
    commit(&sha256, 1, "a.js", &live_key(1));
    range(&sha256, &format!("{}..HEAD", "0".repeat(64))).assert_found();
    range(&sha256, "base..HEAD").assert_found();
    let tables = repository(&["--ref-format=reftable"]);
    commit(&tables, 1, "a.js", &live_key(1));
    range(&tables, "base..main").assert_found();
}

#[test]
fn edits_beside_an_old_key_and_renames_of_it() {
    let workspace = repository(&[]);
    commit(&workspace, 1, "a.js", &long(&live_key(1)));
    workspace.git(&["tag", "-f", "base"]);
    commit(&workspace, 2, "a.js", &long(&format!("edited\n{}", live_key(1))));
    assert_old(&range(&workspace, "base.."), &live_key(1));
    for (number, name) in ["b.js", "c/d.js", "e.js"].iter().enumerate() {
        let from = workspace.ask(&["ls-files", "*.js"]);
        std::fs::create_dir_all(workspace.path().join("c")).unwrap();
        workspace.git(&["mv", &from, name]);
        workspace.git_at(START + 10 + i64::try_from(number).unwrap(), &["commit", "-qm", "c"]);
        let moved = long(&format!("edited {number}\n{}", live_key(1)));
        commit(&workspace, 20 + i64::try_from(number).unwrap(), name, &moved);
    }
    assert_old(&range(&workspace, "base.."), &live_key(1));
    commit(&workspace, 30, "copy.js", &long(&live_key(1)));
    let told = range(&workspace, "base..");
    told.assert_found();
    assert_eq!(told.at(&live_key(1), "copy.js")["new"], true, "a copy is new");
    assert_eq!(told.at(&live_key(1), "e.js")["new"], false);
}

#[test]
fn main_merged_in_brings_nothing_new() {
    let workspace = repository(&[]);
    workspace.git(&["checkout", "-qb", "feature"]);
    commit(&workspace, 1, "f.js", "f\n");
    workspace.git(&["checkout", "-q", "main"]);
    commit(&workspace, 2, "legacy.js", &live_key(1));
    workspace.git(&["checkout", "-q", "feature"]);
    workspace.git_at(START + 3, &["merge", "-q", "--no-ff", "-m", "m", "main"]);
    let told = range(&workspace, "main..feature");
    assert_eq!(told.code, 0, "{:#}", told.report);
    assert!(told.findings(&live_key(1)).iter().all(|finding| finding["new"] == false));
    let told = range(&workspace, "main...feature");
    assert_eq!(told.code, 0, "{:#}", told.report);
}

#[test]
fn an_evil_merge_and_a_conflict_solved_with_a_key() {
    let workspace = repository(&[]);
    workspace.git(&["checkout", "-qb", "feature"]);
    commit(&workspace, 1, "f.js", "f\n");
    workspace.git(&["checkout", "-q", "main"]);
    commit(&workspace, 2, "m.js", "m\n");
    workspace.git(&["checkout", "-q", "feature"]);
    workspace.git(&["merge", "-q", "--no-commit", "main"]);
    workspace.write("m.js", live_key(1));
    workspace.git(&["add", "m.js"]);
    workspace.git_at(START + 3, &["commit", "-qm", "merge"]);
    let told = range(&workspace, "main..feature");
    told.assert_found();
    assert_eq!((&told.one(&live_key(1))["path"], &told.one(&live_key(1))["new"]), (&"m.js".into(), &true.into()));
}

#[test]
fn a_revert_that_brings_a_key_back_is_new() {
    let workspace = repository(&[]);
    commit(&workspace, 1, "a.js", &live_key(1));
    commit(&workspace, 2, "a.js", "clean\n");
    workspace.git(&["tag", "-f", "base"]);
    workspace.git_at(START + 3, &["revert", "--no-edit", "HEAD"]);
    let told = range(&workspace, "base..");
    told.assert_found();
    assert_eq!(told.one(&live_key(1))["new"], true);
}

#[test]
fn criss_cross_merges() {
    let workspace = repository(&[]);
    commit(&workspace, 1, "legacy.js", &long(&live_key(1)));
    workspace.git(&["checkout", "-qb", "left"]);
    commit(&workspace, 2, "l.js", "l\n");
    workspace.git(&["checkout", "-q", "-b", "right", "main"]);
    commit(&workspace, 3, "r.js", &live_key(2));
    let (left, right) = (workspace.ask(&["rev-parse", "left"]), workspace.ask(&["rev-parse", "right"]));
    workspace.git_at(START + 4, &["merge", "-q", "--no-ff", "-m", "m", &left]);
    workspace.git(&["checkout", "-q", "left"]);
    workspace.git_at(START + 4, &["merge", "-q", "--no-ff", "-m", "m", &right]);
    commit(&workspace, 5, "legacy.js", &long(&format!("edit\n{}", live_key(1))));
    commit(&workspace, 6, "new.js", &live_key(3));
    for range_text in ["right..left", "right...left"] {
        let told = range(&workspace, range_text);
        told.assert_found();
        assert_eq!(told.one(&live_key(3))["new"], true, "{range_text}");
        assert_eq!(told.one(&live_key(1))["new"], false, "{range_text}");
        assert!(
            told.findings(&live_key(2)).iter().all(|finding| finding["new"] == false),
            "{range_text}: {:#}",
            told.report
        );
    }
}

#[test]
fn clocks_that_are_wrong() {
    let workspace = repository(&[]);
    commit(&workspace, 1_000_000, "old.js", &live_key(1));
    workspace.git(&["tag", "-f", "base"]);
    // Children older than their parents, by years.
    commit(&workspace, -90_000_000, "b.js", &live_key(2));
    commit(&workspace, -80_000_000, "c.js", "c\n");
    commit(&workspace, 2_000_000, "d.js", &live_key(3));
    workspace.git(&["checkout", "-q", "-b", "side", "base"]);
    for number in 0..5 {
        commit(&workspace, -70_000_000 + number, "s.js", &format!("{number}\n"));
    }
    for from in ["base", "side"] {
        let told = range(&workspace, &format!("{from}..main"));
        told.assert_found();
        assert_eq!(told.paths(&live_key(2)), ["b.js"], "{from}");
        assert_eq!(told.paths(&live_key(3)), ["d.js"], "{from}");
        assert!(told.findings(&live_key(1)).iter().all(|finding| finding["new"] == false), "{from}");
    }
    let told = range(&workspace, "main..side");
    assert!(!told.findings(&live_key(2)).iter().any(|finding| finding["new"] == true), "{:#}", told.report);
}

#[test]
fn behind_a_shallow_boundary_nothing_is_claimed() {
    let workspace = repository(&[]);
    for number in 1..6 {
        commit(&workspace, number, "f.js", &format!("{number}\n"));
    }
    let clone = Workspace::new();
    clone.git(&["clone", "-q", "--depth=2", &format!("file://{}", workspace.path().display()), "."]);
    let told = range(&clone, "HEAD~1..HEAD");
    assert_eq!(told.code, 0, "{:#}", told.report);
    let told = range(&clone, &format!("{}..HEAD", "0".repeat(40)));
    assert_eq!(told.code, 3, "{:#}", told.report);
    let base = workspace.ask(&["rev-parse", "base"]);
    let run = clone.run(&["range", &format!("{base}..HEAD")]);
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("fetch"), "{}", run.stderr);
}

#[test]
fn ranges_do_not_depend_on_threads() {
    let workspace = repository(&[]);
    for number in 1_i64..12 {
        let key = live_key(number.unsigned_abs() % 4);
        commit(&workspace, number, &format!("f{}.js", number % 5), &format!("{number}\n{key}\n"));
    }
    for format in ["json", "text", "sarif"] {
        let runs = ["1", "8"].map(|jobs| workspace.run(&["range", "base..", "-j", jobs, "--format", format]));
        assert!(runs[0].stdout == runs[1].stdout, "{format}");
        runs.iter().for_each(crate::told::check_silence);
    }
    assert_eq!(range(&workspace, "base..").code, 1);
}
