//! `ansalint hook`: from what git or a hook manager says to what is scanned.
//!
//! git passes arguments, and what is pushed on standard input; pre-commit and its like set variables instead. Where
//! neither says anything, the index is what a hook is about.

use super::{Config, Moment};
use crate::cli::{HookArgs, PlaceArgs};
use crate::null_id::NULL_ID;
use crate::scan::{ChangeOptions, HookEnvironment, Part, Push, Range, Scope, Update, Updates};
use anyhow::{Context as _, Result, bail};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// Where git has a message from, as it tells its `prepare-commit-msg` hook.
const SOURCES: [&str; 5] = ["message", "template", "merge", "squash", "commit"];

impl Config {
    /// Of `ansalint hook`.
    pub fn hook(args: HookArgs) -> Result<Self> {
        let change = change(args.place);
        let scope = match args.given.as_slice() {
            [] => managed(change)?,
            [message] => {
                if Path::new(message).symlink_metadata().is_err() {
                    let name = Path::new(message).display();
                    bail!(
                        "{name}: there is no such message; for a push, git passes on two arguments: `ansalint hook \"$@\"`"
                    );
                }
                Scope::Message(PathBuf::from(message))
            }
            [message, source, ..] if is_prepared(message, source) => Scope::Message(PathBuf::from(message)),
            [remote, _] => {
                let remote = remote.as_encoded_bytes().to_vec();
                Scope::Push(change, Push { remote, updates: Updates::Stdin })
            }
            _ => bail!("more arguments than git passes on to a hook that is known here"),
        };
        let mut config = Self::new(&args.common, scope)?;
        if matches!(config.options.scope, Scope::Range(..)) {
            config.moment = Moment::BeforePush;
        }
        Ok(config)
    }
}

/// Whether git passes on a message that it has prepared, and where it is from.
fn is_prepared(message: &OsStr, source: &OsStr) -> bool {
    SOURCES.iter().any(|known| source == *known) && Path::new(message).is_file()
}

/// What a hook manager asks for.
fn managed(change: ChangeOptions) -> Result<Scope> {
    let from = variable("PRE_COMMIT_FROM_REF").zip(variable("PRE_COMMIT_TO_REF"));
    if let Some(remote) = variable("PRE_COMMIT_REMOTE_NAME") {
        // Where a branch is pushed from its first commit on, no refs are told.
        let told = from.clone().or_else(|| Some((NULL_ID.into(), variable("PRE_COMMIT_LOCAL_BRANCH")?)));
        if let Some((from, to)) = told {
            let name = variable("PRE_COMMIT_REMOTE_BRANCH").unwrap_or_default().into_bytes();
            let updates = Updates::Given(vec![Update { local: to, name, remote: from, is_new: true }]);
            return Ok(Scope::Push(change, Push { remote: remote.into_bytes(), updates }));
        }
    }
    if let Some((from, to)) = from {
        let range = Range::parse(&format!("{from}..{to}")).context("PRE_COMMIT_FROM_REF names no commit")?;
        return Ok(Scope::Range(change, range));
    }
    // git names the index to its hooks while a commit is under way.
    let part = if change.environment.index_file.is_some() { Part::Staged } else { Part::StagedOrWhole };
    Ok(Scope::Staged(change, part))
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The repository of a change, as a hook of git sees it.
pub(super) fn change(args: PlaceArgs) -> ChangeOptions {
    let path = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let environment = HookEnvironment {
        git_dir: path("GIT_DIR"),
        work_tree: path("GIT_WORK_TREE"),
        index_file: path("GIT_INDEX_FILE"),
    };
    ChangeOptions { folder: args.repository, environment, follow_alternates: args.follow_alternates }
}
