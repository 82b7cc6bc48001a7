//! `history`: when a key came and went, what still leads to it, and the side of it in the commits that had it.

use crate::template::live_key;
use crate::told::{Told, check_silence, list, text};
use crate::workspace::Workspace;
use serde_json::Value;

const DAY: i64 = 86_400;
/// 2020-01-01.
const START: i64 = 1_577_836_800;

/// A repository whose commits have days.
pub struct Story {
    pub workspace: Workspace,
}

impl Story {
    pub fn new() -> Self {
        let workspace = Workspace::new();
        workspace.git(&["init", "-q"]);
        let story = Self { workspace };
        story.commit(0, &[("README", Some("r\n"))]);
        story
    }

    /// Writes files, or removes them, and commits on a day; gives the commit.
    pub fn commit(&self, day: i64, files: &[(&str, Option<&str>)]) -> String {
        for (path, content) in files {
            match content {
                Some(content) => drop(self.workspace.write(path, content)),
                None => std::fs::remove_file(self.workspace.path().join(path)).unwrap(),
            }
        }
        self.git(&["add", "-A"]);
        self.workspace.git_at(START + day * DAY, &["commit", "-q", "--allow-empty", "-m", "c"]);
        self.ask(&["rev-parse", "HEAD"])
    }

    pub fn git(&self, args: &[&str]) {
        self.workspace.git(args);
    }

    pub fn ask(&self, args: &[&str]) -> String {
        self.workspace.ask(args)
    }

    pub fn merge(&self, day: i64, args: &[&str]) -> String {
        self.workspace.git_at(START + day * DAY, &[&["merge", "-q", "--no-ff", "-m", "m"], args].concat());
        self.ask(&["rev-parse", "HEAD"])
    }

    pub fn told(&self) -> Told {
        self.workspace.history()
    }
}

pub fn event<'v>(finding: &'v Value, which: &str) -> (&'v str, &'v str) {
    let event = &finding["history"][which];
    (text(&event["commit"]), text(&event["date"]))
}

#[test]
fn a_key_that_came_and_went() {
    let story = Story::new();
    let came = story.commit(1, &[("a.js", Some(&live_key(1)))]);
    story.commit(2, &[("a.js", Some(&format!("// moved down\n{}", live_key(1))))]);
    let went = story.commit(3, &[("a.js", Some("clean\n"))]);
    story.commit(4, &[("a.js", None)]);
    story.git(&["branch", "old", &came]);
    story.git(&["tag", "v1"]);
    story.git(&["update-ref", "refs/pull/7/head", &came]);
    let told = story.told();
    told.assert_found();
    let finding = told.one(&live_key(1));
    assert_eq!(event(finding, "introduced"), (came.as_str(), "2020-01-02T00:00:00Z"));
    assert_eq!(event(finding, "removed"), (went.as_str(), "2020-01-04T00:00:00Z"));
    let history = &finding["history"];
    assert_eq!((&history["at_head"], &history["reachable"]), (&false.into(), &true.into()));
    assert_eq!(list(&history["refs"]), ["refs/heads/main", "refs/heads/old", "refs/pull/7/head", "refs/tags/v1"]);
    assert!(history["introduced"]["author"].is_null());
    assert!(history["days_in_history"].as_u64().unwrap() > 2_000);
    assert_eq!(finding["places"].as_array().unwrap().len(), 2, "{finding:#}");
}

#[test]
fn a_key_that_is_still_there() {
    let story = Story::new();
    let came = story.commit(1, &[("a.js", Some(&live_key(1)))]);
    story.commit(2, &[("b.js", Some("b\n"))]);
    let told = story.told();
    let finding = told.one(&live_key(1));
    assert_eq!(event(finding, "introduced").0, came);
    assert!(finding["history"]["reintroduced"].is_null(), "it came but once");
    assert!(finding["history"]["removed"].is_null());
    assert_eq!(finding["history"]["at_head"], true);
}

#[test]
fn a_key_that_came_back() {
    let story = Story::new();
    let came = story.commit(1, &[("a.js", Some(&live_key(1)))]);
    story.commit(2, &[("a.js", Some("clean\n"))]);
    let back = story.commit(3, &[("a.js", Some(&live_key(1)))]);
    let finding = story.told().one(&live_key(1)).clone();
    assert_eq!(event(&finding, "introduced").0, came);
    assert!(finding["history"]["removed"].is_null(), "it is at HEAD");
    assert_eq!(finding["history"]["at_head"], true);
    let went = story.commit(4, &[("a.js", None)]);
    let finding = story.told().one(&live_key(1)).clone();
    assert_eq!((event(&finding, "introduced").0, event(&finding, "removed").0), (came.as_str(), went.as_str()));
    assert_eq!(event(&finding, "reintroduced").0, back);
    let run = story.workspace.run(&["history", ".", "--color", "never"]);
    assert!(run.stdout.contains(&format!("brought back 2020-01-04 in {}", &back[..12])), "{}", run.stdout);
}

#[test]
fn a_branch_that_was_merged_and_one_that_was_not() {
    let story = Story::new();
    story.git(&["checkout", "-qb", "side"]);
    let came = story.commit(1, &[("a.js", Some(&live_key(1)))]);
    story.git(&["checkout", "-q", "main"]);
    story.commit(2, &[("b.js", Some("b\n"))]);
    let finding = story.told().one(&live_key(1)).clone();
    assert_eq!(list(&finding["history"]["refs"]), ["refs/heads/side"]);
    assert_eq!(finding["history"]["at_head"], false);
    story.merge(3, &["side"]);
    let finding = story.told().one(&live_key(1)).clone();
    assert_eq!(event(&finding, "introduced").0, came, "a merge brings nothing that a parent has");
    assert_eq!(list(&finding["history"]["refs"]), ["refs/heads/main", "refs/heads/side"]);
    assert_eq!(finding["history"]["at_head"], true);
}

#[test]
fn commits_of_the_same_second_are_told_by_their_order() {
    let story = Story::new();
    let mut came = Vec::new();
    for number in 0..12 {
        came.push(story.commit(1, &[(&format!("f{number}.js"), Some(&live_key(1)))]));
    }
    let told = story.told();
    for (number, commit) in came.iter().enumerate() {
        assert_eq!(event(told.at(&live_key(1), &format!("f{number}.js")), "introduced").0, commit);
    }
    let first = &told.findings(&live_key(1))[0];
    assert_eq!(event(first, "introduced").0, came[0], "the oldest introduction comes first");
    let run = story.workspace.run(&["history", ".", "--color", "never"]);
    check_silence(&run);
    let groups = run.stdout.lines().filter(|line| line.starts_with("error[ANSA")).count();
    assert_eq!(groups, 1, "one secret is one group: {}", run.stdout);
    assert!(run.stdout.find("f0.js").unwrap() < run.stdout.find("f1.js").unwrap());
}

#[test]
fn within_one_second_the_first_commit_brought_it_and_the_last_took_it() {
    let story = Story::new();
    let key = live_key(1);
    let turns: Vec<String> =
        (0..8).map(|turn| story.commit(1, &[("a.js", Some(if turn % 2 == 0 { &key } else { "clean\n" }))])).collect();
    let told = story.told();
    assert_eq!(event(told.one(&key), "introduced").0, turns[0]);
    assert_eq!(event(told.one(&key), "removed").0, turns[7]);
}

#[test]
fn clocks_that_are_wrong_do_not_hide_who_came_first() {
    let story = Story::new();
    let came = story.commit(500, &[("a.js", Some(&live_key(1)))]);
    story.commit(-500, &[("b.js", Some(&live_key(1)))]);
    let told = story.told();
    assert_eq!(event(told.at(&live_key(1), "a.js"), "introduced").0, came);
}

#[test]
fn authors_only_where_asked_and_never_addresses() {
    let story = Story::new();
    story.workspace.write("a.js", live_key(1));
    story.git(&["add", "."]);
    story.git(&["commit", "-qm", "c", "--author=Zoë Q <zoe@example.invalid>"]);
    let without = story.workspace.run(&["history", ".", "--format", "json"]);
    check_silence(&without);
    assert!(!without.stdout.contains("Zoë"));
    for format in ["json", "text", "sarif"] {
        let run = story.workspace.run(&["history", ".", "--authors", "--format", format]);
        check_silence(&run);
        assert!(format == "sarif" || run.stdout.contains("Zoë Q"), "{format}: {}", run.stdout);
    }
}

#[test]
fn one_blob_at_a_thousand_paths_hides_no_other() {
    let story = Story::new();
    let key = live_key(1);
    let paths: Vec<String> = (0..1_000).map(|number| format!("copies/{number:04}.txt")).collect();
    let mut files: Vec<(&str, Option<&str>)> = paths.iter().map(|path| (path.as_str(), Some(key.as_str()))).collect();
    let late = live_key(2);
    files.push(("late.js", Some(&late)));
    let came = story.commit(1, &files);
    let told = story.told();
    told.assert_found();
    let finding = told.one(&late);
    assert_eq!((text(&finding["path"]), event(finding, "introduced").0), ("late.js", came.as_str()));
    assert_eq!(finding["history"]["reachable"], true);
    assert_eq!(told.findings(&key).len(), 100);
    assert_eq!(told.findings(&key)[0]["history"]["paths_total"], 1_000);
    let run = story.workspace.run(&["history", ".", "--color", "never"]);
    assert!(run.stdout.contains("1000 paths"), "{}", run.stdout);
}

const WEB: &str = r#"{"dependencies": {"react-dom": "18"}, "name": "web"}"#;
const API: &str = r#"{"dependencies": {"express": "4"}, "name": "api"}"#;

fn pay(key: &str) -> String {
    format!("export const key = '{key}';\n")
}

#[test]
fn sides_come_from_the_tree_of_the_commit() {
    let story = Story::new();
    story.commit(1, &[("package.json", Some(WEB)), ("src/pay.ts", Some(&pay(&live_key(1))))]);
    story.commit(2, &[("src/pay.ts", None)]);
    story.commit(3, &[("package.json", Some(API)), ("src/charge.ts", Some(&pay(&live_key(2))))]);
    let told = story.told();
    let (old, new) = (told.one(&live_key(1)), told.one(&live_key(2)));
    assert_eq!((text(&old["side"]["value"]), text(&old["code"])), ("client", "ANSA1001"), "{old:#}");
    assert_eq!(new["side"]["value"], "server", "{new:#}");
    assert!(list(&old["side"]["evidence"]).iter().any(|sentence| sentence.contains("react-dom")));
}

#[test]
fn the_worst_side_of_any_commit_counts() {
    for turn in 0..2 {
        let story = Story::new();
        let manifests = if turn == 0 { [WEB, API] } else { [API, WEB] };
        let first = story.commit(1, &[("package.json", Some(manifests[0])), ("src/pay.ts", Some(&pay(&live_key(1))))]);
        let second = story.commit(2, &[("package.json", Some(manifests[1]))]);
        let finding = story.told().one(&live_key(1)).clone();
        assert_eq!(finding["side"]["value"], "client", "{turn}: {finding:#}");
        assert_eq!(finding["origin"]["commit"], if turn == 0 { first.as_str() } else { second.as_str() });
        assert_eq!(event(&finding, "introduced").0, first);
    }
}

#[test]
fn a_client_secret_is_a_note_two_days_later() {
    let key = live_key(1).replace("_sk_", "_cs_");
    for (age, level) in [(3_600, "warning"), (47 * 3_600, "warning"), (49 * 3_600, "note")] {
        let workspace = Workspace::new();
        workspace.git(&["init", "-q"]);
        workspace.write("a.txt", &key);
        workspace.git(&["add", "."]);
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        workspace.git_at(i64::try_from(now).unwrap() - age, &["commit", "-qm", "c"]);
        let told = workspace.history();
        assert_eq!((text(&told.one(&key)["code"]), text(&told.one(&key)["level"])), ("ANSA2001", level), "{age}");
        assert_eq!(told.code, i32::from(level == "warning"));
    }
}

#[test]
fn reports_do_not_depend_on_threads() {
    let story = Story::new();
    for day in 1_i64..20 {
        let key = live_key(day.unsigned_abs() % 5);
        story.commit(
            day,
            &[
                (&format!("d{}/f{day}.ts", day % 3), Some(&pay(&key))),
                ("package.json", Some(if day % 2 == 0 { WEB } else { API })),
            ],
        );
    }
    story.git(&["tag", "-am", &live_key(9), "v1"]);
    story.git(&["notes", "add", "-m", &live_key(10)]);
    for packed in [false, true] {
        if packed {
            story.git(&["repack", "-adq"]);
        }
        for format in ["json", "text", "sarif"] {
            let runs = ["1", "8"].map(|jobs| story.workspace.run(&["history", ".", "-j", jobs, "--format", format]));
            assert!(runs[0].stdout == runs[1].stdout && runs[0].stderr == runs[1].stderr, "{format}");
            runs.iter().for_each(check_silence);
        }
    }
}

#[test]
fn what_changes_beside_a_name_does_not_touch_it() {
    let work = Workspace::new();
    work.git(&["init", "-q", "-b", "main"]);
    let mut commits = Vec::new();
    for number in 0..6 {
        work.write("d/other.txt", format!("{number}\n"));
        if number == 1 {
            work.write(format!("d/{}.txt", live_key(77)), "x\n");
        }
        work.git(&["add", "-A"]);
        work.git_at(1_700_000_000 + number, &["commit", "-q", "-m", "x"]);
        commits.push(work.ask(&["rev-parse", "HEAD"]));
    }
    let report = work.run(&["history", "--format", "json"]).json();
    let found = report["findings"].as_array().unwrap();
    let in_trees = found.iter().filter(|one| one["origin"]["kind"] == "tree-entry").collect::<Vec<_>>();
    assert_eq!(in_trees.len(), 1, "{report}");
    let history = &in_trees[0]["history"];
    assert_eq!(history["introduced"]["commit"], commits[1].trim());
    assert_eq!((&history["removed"], &history["at_head"]), (&Value::Null, &Value::Bool(true)));
}
