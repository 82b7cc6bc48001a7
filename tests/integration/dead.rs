//! Dead keys: what a repository's past holds of them is a note, and what came after they died is not.

use crate::provenance::{Story, event};
use crate::template::fingerprint;
use crate::template::live_key;
use crate::told::{Told, text};

/// The day on which the key dies, counted as [`Story::commit`] does.
const DEATH: &str = "2020-01-21";

/// A key that was there before it died, and is gone.
fn past() -> (Story, String) {
    let story = Story::new();
    let key = live_key(1);
    story.commit(1, &[("a.js", Some(&key))]);
    story.commit(2, &[("a.js", Some("clean\n"))]);
    let entry =
        format!("[[deactivated]]\nfingerprint = \"{}\"\ndate = {DEATH}\nticket = \"SEC-1\"\n", fingerprint(&key));
    story.workspace.write(".git/dead.toml", entry);
    (story, key)
}

fn told(story: &Story, args: &[&str]) -> Told {
    story.workspace.told(&[args, &["--deactivated", ".git/dead.toml"]].concat())
}

/// The level of the key at `path` in the history, and whether it is said to be in use.
fn judged(story: &Story, key: &str, path: &str) -> (String, bool) {
    let told = told(story, &["history", "."]);
    let finding = told.at(key, path);
    let says = |what: &str| finding["side"]["evidence"].to_string().contains(what);
    assert_ne!(says("used here all the same"), says("this is from before"), "{finding:#}");
    (text(&finding["level"]).to_owned(), says("used here all the same"))
}

fn note() -> (String, bool) {
    ("note".into(), false)
}

fn error() -> (String, bool) {
    ("error".into(), true)
}

#[test]
fn what_came_back_after_the_day_is_use() {
    let (story, key) = past();
    assert_eq!(judged(&story, &key, "a.js"), note());
    // Before the day it may come and go.
    story.commit(3, &[("a.js", Some(&format!("// again\n{key}")))]);
    story.commit(4, &[("a.js", Some("clean\n"))]);
    assert_eq!(judged(&story, &key, "a.js"), note());
    let back = story.commit(30, &[("a.js", Some(&key))]);
    story.commit(31, &[("a.js", Some("clean\n"))]);
    assert_eq!(judged(&story, &key, "a.js"), error());
    let told = told(&story, &["history", "."]);
    assert_eq!(event(told.one(&key), "reintroduced"), (back.as_str(), "2020-01-31T00:00:00Z"));
    assert_eq!(told.code, 1);
}

#[test]
fn another_content_with_the_key_is_use_as_well() {
    let (story, key) = past();
    story.commit(30, &[("a.js", Some(&format!("// other words\n{key}\n")))]);
    story.commit(31, &[("a.js", None)]);
    assert_eq!(judged(&story, &key, "a.js"), error());
}

#[test]
fn a_branch_that_brings_it_back_is_use() {
    let (story, key) = past();
    story.git(&["checkout", "-qb", "side"]);
    story.commit(30, &[("a.js", Some(&key))]);
    story.git(&["checkout", "-q", "main"]);
    assert_eq!(judged(&story, &key, "a.js"), error());
    // With nothing left that leads there, too.
    story.git(&["branch", "-qD", "side"]);
    assert_eq!(judged(&story, &key, "a.js"), error());
}

#[test]
fn a_merge_of_what_was_there_before_is_not() {
    let (story, key) = past();
    let with = story.ask(&["rev-parse", "HEAD~"]);
    story.git(&["checkout", "-qb", "side", &with]);
    story.commit(3, &[("b.js", Some("b\n"))]);
    story.git(&["checkout", "-q", "main"]);
    story.merge(30, &["side"]);
    assert_eq!(judged(&story, &key, "a.js"), note());
}

#[test]
fn an_edit_around_it_brings_it_nowhere() {
    let story = past().0;
    let key = live_key(1);
    story.commit(3, &[("a.js", Some(&key))]);
    story.commit(30, &[("a.js", Some(&format!("// edited\n{key}")))]);
    story.commit(31, &[("a.js", Some("clean\n"))]);
    assert_eq!(judged(&story, &key, "a.js"), note());
}

#[test]
fn the_same_content_at_another_path_is_told_by_its_own_day() {
    let (story, key) = past();
    story.commit(3, &[("old/a.js", Some(&key))]);
    std::fs::create_dir(story.workspace.path().join("new")).unwrap();
    story.git(&["mv", "old/a.js", "new/a.js"]);
    story.commit(30, &[]);
    story.commit(31, &[("new/a.js", None)]);
    assert_eq!(judged(&story, &key, "old/a.js"), note());
    assert_eq!(judged(&story, &key, "new/a.js"), error());
    // Moved before the day, it is past in both.
    let (story, key) = past();
    story.commit(3, &[("old.js", Some(&key))]);
    story.git(&["mv", "old.js", "new.js"]);
    story.commit(4, &[]);
    story.commit(30, &[("new.js", None)]);
    for path in ["old.js", "new.js"] {
        assert_eq!(judged(&story, &key, path), note());
    }
}

#[test]
fn a_range_sees_the_newest_of_several_too() {
    let (story, key) = past();
    story.git(&["branch", "base", "HEAD~2"]);
    let level = |code: i32| {
        let told = told(&story, &["range", "base.."]);
        assert_eq!(told.code, code, "{:#}", told.report);
        text(&told.one(&key)["level"]).to_owned()
    };
    assert_eq!(level(0), "note");
    story.commit(30, &[("a.js", Some(&key))]);
    story.commit(31, &[("a.js", Some("clean\n"))]);
    assert_eq!(level(1), "error");
}

#[test]
fn a_stored_report_remembers() {
    let (story, key) = past();
    story.commit(30, &[("a.js", Some(&key))]);
    story.commit(31, &[("a.js", Some("clean\n"))]);
    story.workspace.run(&["history", ".", "--format", "json", "--output", ".git/h.json"]);
    let again = story.workspace.run(&["report", ".git/h.json", "--format", "json"]).json();
    assert_eq!(again["findings"][0]["history"]["reintroduced"]["date"], "2020-01-31T00:00:00Z");
    let merged = story.workspace.run(&["report", "merge", ".git/h.json", ".git/h.json", "--format", "json"]).json();
    assert_eq!(merged["findings"], again["findings"]);
    crate::formats::assert_valid(&merged);
}
