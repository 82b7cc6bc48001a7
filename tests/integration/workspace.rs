//! A folder of its own for a test, and the program run in it as its user would.

use serde_json::Value;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A temporary folder that goes away with the test.
pub struct Workspace {
    folder: tempfile::TempDir,
}

/// How a run of the program ended.
pub struct Run {
    /// None where a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Workspace {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file, with the folders above it.
    pub fn write(&self, path: impl AsRef<Path>, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    /// The program, in this folder and in an environment that says nothing.
    pub fn command(&self, args: &[&str]) -> Command {
        let program = env!("CARGO_BIN_EXE_ansalint");
        // `.ci/run` lets every run go without sockets and new processes.
        let mut command = Command::new(std::env::var_os("ANSALINT_UNDER").unwrap_or_else(|| program.into()));
        command.args(std::env::var_os("ANSALINT_UNDER").map(|_| program)).args(args);
        command.current_dir(self.path()).env_clear().stdin(Stdio::null());
        command
    }

    /// Runs the program.
    pub fn run(&self, args: &[&str]) -> Run {
        self.command(args).output().unwrap().into()
    }

    /// Runs `git` with nobody's configuration.
    pub fn git(&self, args: &[&str]) {
        self.ask(args);
    }

    /// What `git` answers, without the end of its last line.
    pub fn ask(&self, args: &[&str]) -> String {
        answer(self.git_command(args), b"")
    }

    /// What `git` answers to `input`.
    pub fn tell(&self, args: &[&str], input: impl AsRef<[u8]>) -> String {
        answer(self.git_command(args), input.as_ref())
    }

    /// Runs `git` at a time of its own, in seconds since 1970.
    pub fn git_at(&self, seconds: i64, args: &[&str]) {
        let date = format!("{seconds} +0000");
        let mut command = self.git_command(args);
        command.env("GIT_COMMITTER_DATE", &date).env("GIT_AUTHOR_DATE", &date);
        answer(command, b"");
    }

    /// `git` with nobody's configuration, not yet run.
    pub fn git_command(&self, args: &[&str]) -> Command {
        let settings = [
            "user.name=A",
            "user.email=a@example.invalid",
            "init.defaultBranch=main",
            "init.templateDir=",
            "gc.auto=0",
        ];
        let mut command = Command::new("git");
        command.args(settings.iter().flat_map(|setting| ["-c", setting]));
        command.args(["-c", "protocol.file.allow=always"]).args(args).current_dir(self.path());
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
        command
    }
}

fn answer(mut command: Command, input: &[u8]) -> String {
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim_end_matches('\n').to_owned()
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

impl Run {
    /// The report on standard output.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}{}", self.stdout, self.stderr))
    }
}
