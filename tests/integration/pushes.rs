//! `hook` as git's own hooks call it: what is pushed, and messages.

use crate::template::live_key;
use crate::told::{Told, text};
use crate::workspace::{Run, Workspace};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

const ZEROS: &str = "0000000000000000000000000000000000000000";

/// A clone with a remote called `origin`, bare and beside it.
struct Clone {
    workspace: Workspace,
}

impl Clone {
    fn new(init: &[&str]) -> Self {
        let workspace = Workspace::new();
        workspace.git(&[&["init", "-q", "--bare", "remote"], init].concat());
        workspace.git(&[&["init", "-q", "work"], init].concat());
        let clone = Self { workspace };
        clone.git(&["remote", "add", "origin", "../remote"]);
        clone.commit("README", "r\n");
        clone.git(&["push", "-q", "origin", "main"]);
        clone
    }

    fn git(&self, args: &[&str]) {
        self.ask(args);
    }

    fn ask(&self, args: &[&str]) -> String {
        self.workspace.ask(&[&["-C", "work"], args].concat())
    }

    fn id(&self, name: &str) -> String {
        self.ask(&["rev-parse", name])
    }

    fn commit(&self, path: &str, content: &str) {
        self.workspace.write(format!("work/{path}"), content);
        self.git(&["add", "-f", path]);
        self.git(&["commit", "-qm", "c"]);
    }

    /// The program as a hook, with `lines` on standard input.
    fn run(&self, args: &[&str], lines: &str) -> Run {
        let mut command = self.workspace.command(&[&["hook"], args, &["--format", "json"]].concat());
        command.current_dir(self.workspace.path().join("work"));
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
        child.wait_with_output().unwrap().into()
    }

    /// What a push of `local` says, to a branch that leads to `remote` so far.
    fn push(&self, local: &str, remote: &str) -> Told {
        Told::of(&self.run(&["origin", "../remote"], &format!("refs/heads/x {local} refs/heads/x {remote}\n")))
    }

    /// Makes the program the `pre-push` hook, in the three lines that the documentation shows.
    fn hooked(&self) {
        let program = env!("CARGO_BIN_EXE_ansalint");
        let hook = format!("#!/bin/sh\nPATH=\"$(dirname '{program}'):$PATH\"\nexec ansalint hook \"$@\"\n");
        for name in ["pre-push", "pre-commit", "commit-msg", "pre-merge-commit"] {
            let path = self.workspace.write(format!("work/.git/hooks/{name}"), &hook);
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
    }

    /// Whether git goes through with it; where it does not, a finding is why.
    fn passes(&self, args: &[&str]) -> bool {
        let output = self.workspace.git_command(&[&["-C", "work"], args].concat()).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() || told.contains("ANSA1"), "{args:?}: {told}");
        output.status.success()
    }
}

#[test]
fn a_push_adds_its_commits_and_no_others() {
    for init in [&[][..], &["--object-format=sha256"], &["--ref-format=reftable"]] {
        let clone = Clone::new(init);
        let base = clone.id("HEAD");
        clone.commit("a.js", &live_key(1));
        clone.commit("a.js", "removed again\n");
        let told = clone.push(&clone.id("HEAD"), &base);
        told.assert_found();
        let finding = told.one(&live_key(1));
        assert_eq!((text(&finding["path"]), &finding["new"]), ("a.js", &true.into()), "{init:?}");
        assert_eq!(told.report["command"], "range");
        assert_eq!(told.report["repository"]["head"], clone.id("HEAD").as_str());
        clone.push(&base, &clone.id("HEAD")).assert_clean();
        clone.push(&clone.id("HEAD"), &clone.id("HEAD")).assert_clean();
    }
}

#[test]
fn a_new_branch_adds_what_no_branch_of_the_remote_has() {
    let clone = Clone::new(&[]);
    clone.commit("known.js", &live_key(1));
    clone.git(&["push", "-q", "origin", "HEAD:refs/heads/other"]);
    clone.commit("new.js", &live_key(2));
    let told = clone.push(&clone.id("HEAD"), ZEROS);
    told.assert_found();
    assert!(told.has(&live_key(2)) && !told.has(&live_key(1)), "{:#}", told.report);
    // Another remote has nothing of it.
    let line = format!("refs/heads/x {} refs/heads/x {ZEROS}\n", clone.id("HEAD"));
    for remote in [["backup", "../backup"], ["../backup", "../backup"]] {
        let told = Told::of(&clone.run(&remote, &line));
        told.assert_found();
        assert!(told.has(&live_key(2)) && told.has(&live_key(1)), "{:#}", told.report);
    }
    clone.git(&["update-ref", "-d", "refs/remotes/origin/other"]);
    assert!(clone.push(&clone.id("HEAD"), ZEROS).has(&live_key(1)));
}

#[test]
fn what_is_deleted_adds_nothing() {
    let clone = Clone::new(&[]);
    let line = format!("(delete) {ZEROS} refs/heads/x {}\n", clone.id("HEAD"));
    Told::of(&clone.run(&["origin", "../remote"], &line)).assert_clean();
}

#[test]
fn several_refs_at_once() {
    let clone = Clone::new(&[]);
    let base = clone.id("HEAD");
    clone.git(&["checkout", "-qb", "one"]);
    clone.commit("one.js", &live_key(1));
    clone.git(&["checkout", "-q", "-b", "two", "main"]);
    clone.commit("two.js", &live_key(2));
    clone.git(&["tag", "-am", &live_key(3), "v1", "main"]);
    let lines = format!(
        "refs/heads/one {} refs/heads/one {base}\nrefs/heads/two {} refs/heads/two {ZEROS}\n(delete) {ZEROS} refs/heads/old {base}\nrefs/tags/v1 {} refs/tags/v1 {ZEROS}\n",
        clone.id("one"),
        clone.id("two"),
        clone.id("v1"),
    );
    let told = Told::of(&clone.run(&["origin", "../remote"], &lines));
    told.assert_found();
    assert_eq!(told.paths(&live_key(1)), ["one.js"]);
    assert_eq!(told.paths(&live_key(2)), ["two.js"]);
    assert_eq!(told.kinds(&live_key(3)), ["tag"]);
}

#[test]
fn names_of_refs_that_are_pushed() {
    let clone = Clone::new(&[]);
    let name = format!("refs/heads/fix/{}", live_key(1));
    let line = |remote: &str| format!("HEAD {} {name} {remote}\n", clone.id("HEAD"));
    let told = Told::of(&clone.run(&["origin", "../remote"], &line(ZEROS)));
    told.assert_found();
    assert_eq!(told.kinds(&live_key(1)), ["ref"]);
    let told = Told::of(&clone.run(&["origin", "../remote"], &line(&clone.id("HEAD"))));
    assert_eq!((told.code, &told.one(&live_key(1))["new"]), (0, &false.into()));
}

#[test]
fn what_is_pushed_without_a_commit() {
    let clone = Clone::new(&[]);
    clone.commit("folder/a.js", &live_key(1));
    clone.git(&["push", "-q", "origin", "main"]);
    for (object, path) in [("HEAD^{tree}", "folder/a.js"), ("HEAD:folder/a.js", "")] {
        let told = clone.push(&clone.id(object), ZEROS);
        told.assert_found();
        let id = clone.id("HEAD:folder/a.js");
        let path = if path.is_empty() { format!(".git/blobs/{id}") } else { path.to_owned() };
        assert_eq!(told.paths(&live_key(1)), [path]);
    }
}

#[test]
fn where_the_remote_has_what_is_not_here() {
    let clone = Clone::new(&[]);
    clone.commit("a.js", &live_key(1));
    let absent = "12".repeat(20);
    let told = clone.push(&clone.id("HEAD"), &absent);
    told.assert_found();
    let remarks = told.report["remarks"].to_string();
    assert!(remarks.contains(&absent) && remarks.contains("git fetch"), "{remarks}");
    clone.git(&["push", "-q", "origin", "main"]);
    clone.push(&clone.id("HEAD"), &absent).assert_clean();
    let missing = clone.run(&["origin", "../remote"], &format!("refs/heads/x {absent} refs/heads/x {ZEROS}\n"));
    assert_eq!(missing.code, Some(2), "{}", missing.stdout);
}

#[test]
fn main_merged_into_what_is_pushed_is_old() {
    let clone = Clone::new(&[]);
    clone.git(&["checkout", "-qb", "feature"]);
    clone.commit("f.js", "f\n");
    clone.git(&["push", "-q", "origin", "feature"]);
    clone.git(&["checkout", "-q", "main"]);
    clone.commit("legacy.js", &live_key(1));
    clone.git(&["push", "-q", "origin", "main"]);
    clone.git(&["checkout", "-q", "feature"]);
    clone.git(&["merge", "-q", "--no-ff", "-m", "m", "main"]);
    clone.commit("legacy.js", &format!("// an edit\n{}", live_key(1)));
    let told = clone.push(&clone.id("HEAD"), &clone.id("origin/feature"));
    assert_eq!((told.code, told.complete()), (0, true), "{:#}", told.report);
    assert_eq!(told.one(&live_key(1))["new"], false);
    clone.commit("new.js", &live_key(2));
    clone.push(&clone.id("HEAD"), &clone.id("origin/feature")).assert_found();
}

#[test]
fn standard_input_that_says_nothing_or_nonsense() {
    let clone = Clone::new(&[]);
    Told::of(&clone.run(&["origin", "../remote"], "")).assert_clean();
    let id = clone.id("HEAD");
    for wrong in ["nonsense\n", &format!("a {id} b\n"), &format!("a {id} b {}\n", &id[1..]), "\u{fffd} \u{fffd} x y\n"]
    {
        let run = clone.run(&["origin", "../remote"], wrong);
        assert_eq!(run.code, Some(2), "{wrong}");
        assert!(run.stderr.contains("line 1"), "{}", run.stderr);
    }
    let mut command = clone.workspace.command(&["hook", "origin", "../remote"]);
    let output = command.current_dir(clone.workspace.path().join("work")).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "an empty standard input: git pushed nothing");
    assert_eq!(clone.run(&["a", "b", "c"], "").code, Some(2));
}

#[cfg(target_os = "linux")]
#[test]
fn a_terminal_is_not_waited_for() {
    let clone = Clone::new(&[]);
    // `script` gives its command a terminal.
    let program = env!("CARGO_BIN_EXE_ansalint");
    let mut command = std::process::Command::new("timeout");
    command.args(["60", "script", "-qec", &format!("'{program}' hook origin ../remote"), "/dev/null"]);
    command.current_dir(clone.workspace.path().join("work"));
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let held = child.stdin.take();
    let output = child.wait_with_output().unwrap();
    drop(held);
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("terminal"), "{told}");
}

#[test]
fn in_real_hooks_of_git() {
    let clone = Clone::new(&[]);
    clone.hooked();
    clone.commit("a.js", "clean\n");
    assert!(clone.passes(&["push", "-q", "origin", "main"]));
    clone.workspace.write("work/b.js", live_key(1));
    clone.git(&["add", "b.js"]);
    assert!(!clone.passes(&["commit", "-qm", "m"]));
    clone.git(&["commit", "-qnm", "past the hook"]);
    clone.git(&["rm", "-q", "b.js"]);
    clone.git(&["commit", "-qm", "removed again"]);
    assert!(!clone.passes(&["push", "-q", "origin", "main"]));
    assert!(!clone.passes(&["push", "-q", "origin", "HEAD:refs/heads/new"]));
    assert!(!clone.passes(&["push", "-q", "--all", "origin"]));
    assert!(!clone.passes(&["push", "-q", "--force", "../remote", "main"]));
    assert!(!clone.passes(&["commit", "-q", "--allow-empty", "-m", &format!("say {}", live_key(2))]));
    clone.git(&["reset", "-q", "--hard", "origin/main"]);
    assert!(clone.passes(&["commit", "-q", "--allow-empty", "-m", "clean"]));
    assert!(clone.passes(&["push", "-q", "origin", "main", "HEAD:refs/heads/new"]));
    assert!(clone.passes(&["push", "-q", "origin", "main"]), "nothing is left to push");
    assert!(clone.passes(&["push", "-q", "origin", "--delete", "new"]));
    clone.git(&["checkout", "-qb", "side"]);
    clone.workspace.write("work/side.js", live_key(3));
    clone.git(&["add", "side.js"]);
    clone.git(&["commit", "-qnm", "past the hook"]);
    clone.git(&["checkout", "-q", "main"]);
    clone.commit("c.js", "c\n");
    // git tells its hook before an automatic merge of no other parent.
    let merge = clone.workspace.git_command(&["-C", "work", "merge", "--no-ff", "-m", "m", "side"]).output().unwrap();
    let told = String::from_utf8_lossy(&merge.stdout).into_owned() + &String::from_utf8_lossy(&merge.stderr);
    assert!(!merge.status.success() && told.contains("does not yet say what"), "{told}");
    // Once it has stopped, it does.
    assert!(clone.passes(&["commit", "-qm", "merge"]));
    clone.git(&["worktree", "add", "-q", "../linked", "side"]);
    let linked = ["-C", "../linked", "push", "-q", "origin", "side"];
    assert!(!clone.passes(&linked));
}

#[test]
fn messages_that_git_passes_on() {
    let clone = Clone::new(&[]);
    clone.workspace.write("work/message", format!("say {}\n", live_key(1)));
    for args in [&["message"][..], &["message", "message"], &["message", "merge"], &["message", "commit", "HEAD"]] {
        let told = Told::of(&clone.run(args, ""));
        told.assert_found();
        assert_eq!(told.kinds(&live_key(1)), ["message"], "{args:?}");
    }
    let run = clone.run(&["origin"], "");
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("\"$@\""), "{}", run.stderr);
}

#[test]
fn a_hook_manager_that_names_the_remote() {
    let clone = Clone::new(&[]);
    clone.commit("a.js", &live_key(1));
    clone.commit("a.js", "removed again\n");
    let told = |set: &[(&str, &str)]| {
        let mut command = clone.workspace.command(&["hook", "--format", "json"]);
        command.current_dir(clone.workspace.path().join("work")).envs(set.iter().copied());
        Told::of(&command.output().unwrap().into())
    };
    let branch = [("PRE_COMMIT_LOCAL_BRANCH", "refs/heads/main"), ("PRE_COMMIT_REMOTE_BRANCH", "refs/heads/main")];
    let origin = ("PRE_COMMIT_REMOTE_NAME", "origin");
    let refs = [("PRE_COMMIT_FROM_REF", "origin/main"), ("PRE_COMMIT_TO_REF", "main")];
    assert!(told(&[&[origin], &branch[..], &refs].concat()).has(&live_key(1)));
    assert!(told(&[&[origin], &branch[..]].concat()).has(&live_key(1)), "pushed from its first commit on");
    clone.git(&["push", "-q", "origin", "main"]);
    told(&[&[origin], &branch[..]].concat()).assert_clean();
}
