//! What an event of GitHub Actions asks for: which commits are new, whose policy holds, who may see what.
//!
//! Pure: the event's text in, a plan out. It looks at no disk, no environment and no repository.

use crate::null_id::is_null_id;
use serde::Deserialize;

/// What the runner says about the event.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// Such as `push`.
    pub event: String,
    /// The event itself, as JSON.
    pub payload: Vec<u8>,
    /// The commit that was checked out.
    pub sha: Option<String>,
    /// Who started it.
    pub actor: Option<String>,
}

/// Which commits are new.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// Where they start, exclusive.
    pub start: Start,
    /// Names of their end; the first that is there.
    pub ends: Vec<String>,
}

/// Where new commits start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// At this commit; it is an error where it is not there.
    At(String),
    /// At the first of these that is there; else everything that leads to the end is new.
    Perhaps(Vec<String>),
}

impl Start {
    /// At the commit that somebody named; zeros are none, as they are for git.
    pub fn of(base: String) -> Self {
        if is_null_id(&base) { Self::Perhaps(Vec::new()) } else { Self::At(base) }
    }
}

/// A look at the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Survey {
    /// Its time has come; what it finds fails nothing unless told otherwise.
    Schedule,
    /// Somebody started it, or an event did that is about no commit.
    Started,
}

/// What the event asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The commits it adds; none where it adds none.
    pub span: Option<Span>,
    /// The revision whose configuration holds; none for what is checked out.
    pub policy_from: Option<String>,
    /// The branch that revision is of, where the event names it.
    pub policy_branch: Option<String>,
    /// Why the whole is looked at where nobody's change is at hand.
    pub survey: Option<Survey>,
    /// Whether anybody can read the logs.
    pub is_public: bool,
    /// Whether an upload to code scanning can be expected to be taken.
    pub is_uploadable: bool,
    /// Why there is nothing to scan.
    pub nothing: Option<&'static str>,
    /// What people should know.
    pub warnings: Vec<String>,
}

/// An event that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventError(String);

impl std::fmt::Display for EventError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for EventError {}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Event {
    #[serde(rename = "ref")]
    name: Option<String>,
    before: Option<String>,
    after: Option<String>,
    deleted: bool,
    forced: bool,
    pull_request: Option<PullRequest>,
    merge_group: Option<MergeGroup>,
    repository: Repository,
}

#[derive(Debug, Deserialize)]
struct PullRequest {
    base: Side,
    head: Side,
}

#[derive(Debug, Deserialize)]
struct Side {
    sha: String,
    #[serde(rename = "ref")]
    branch: Option<String>,
    repo: Option<Repository>,
}

#[derive(Debug, Deserialize)]
struct MergeGroup {
    base_sha: String,
    base_ref: Option<String>,
    head_sha: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Repository {
    full_name: Option<String>,
    private: Option<bool>,
    visibility: Option<String>,
    default_branch: Option<String>,
}

impl Repository {
    /// Anybody can read it, as far as is known.
    fn is_public(&self) -> bool {
        match (&self.visibility, self.private) {
            (Some(visibility), _) => visibility == "public",
            (None, private) => private != Some(true),
        }
    }
}

impl Plan {
    /// For the event that `around` tells of.
    ///
    /// # Errors
    /// An event that is no JSON, or that lacks what events of its name have.
    pub fn new(around: &Surroundings) -> Result<Self, EventError> {
        let event: Event = serde_json::from_slice(&around.payload)
            .map_err(|error| EventError(format!("the event is not understood: {error}")))?;
        let is_public = event.repository.is_public();
        let mut plan = Self {
            span: None,
            policy_from: None,
            policy_branch: None,
            survey: None,
            is_public,
            is_uploadable: is_public && may_write(around, &event),
            nothing: None,
            warnings: Vec::new(),
        };
        match around.event.as_str() {
            "push" => plan.push(&event, around)?,
            "pull_request" => plan.pull_request(&event)?,
            "pull_request_target" => {
                plan.warnings.push(
                    "pull_request_target runs with the rights of the base repository: never build or run what it checks out; `pull_request` is enough for ansalint"
                        .into(),
                );
                plan.pull_request(&event)?;
            }
            "merge_group" => plan.merge_group(&event)?,
            // Reviews, comments and the like: the change that they are about is checked out.
            _ if event.pull_request.is_some() => plan.pull_request(&event)?,
            name => {
                plan.survey = Some(if name == "schedule" { Survey::Schedule } else { Survey::Started });
            }
        }
        Ok(plan)
    }

    /// For a change that starts at `base` and ends at what is checked out, where no event tells of it.
    pub fn since(base: String) -> Self {
        Self {
            policy_from: Some(base.clone()).filter(|base| !is_null_id(base)),
            span: Some(Span { start: Start::of(base), ends: vec!["HEAD".into()] }),
            policy_branch: None,
            survey: None,
            is_public: false,
            is_uploadable: false,
            nothing: None,
            warnings: Vec::new(),
        }
    }

    fn push(&mut self, event: &Event, around: &Surroundings) -> Result<(), EventError> {
        let after = event.after.clone().ok_or_else(|| lacks("push", "after"))?;
        if event.deleted || is_null_id(&after) {
            self.nothing = Some("a branch or tag was deleted: there is nothing to scan");
            return Ok(());
        }
        let before = event.before.clone().ok_or_else(|| lacks("push", "before"))?;
        let start = if is_null_id(&before) {
            Start::Perhaps(default_branch(event).into_iter().collect())
        } else if event.forced {
            // What a branch was before may be gone with the push.
            Start::Perhaps(std::iter::once(before).chain(default_branch(event)).collect())
        } else {
            Start::At(before)
        };
        let mut ends = vec![after];
        ends.extend(around.sha.clone().filter(|sha| *sha != ends[0]));
        self.span = Some(Span { start, ends });
        Ok(())
    }

    fn pull_request(&mut self, event: &Event) -> Result<(), EventError> {
        let change = event.pull_request.as_ref().ok_or_else(|| lacks("pull_request", "pull_request"))?;
        self.between(&change.base.sha, &change.head.sha);
        self.policy_branch.clone_from(&change.base.branch);
        Ok(())
    }

    fn merge_group(&mut self, event: &Event) -> Result<(), EventError> {
        let group = event.merge_group.as_ref().ok_or_else(|| lacks("merge_group", "merge_group"))?;
        self.between(&group.base_sha, &group.head_sha);
        let branch = |name: &String| name.strip_prefix("refs/heads/").unwrap_or(name).to_owned();
        self.policy_branch = group.base_ref.as_ref().map(branch);
        Ok(())
    }

    /// Somebody's change: what is new in it, and the other side's policy.
    fn between(&mut self, base: &str, head: &str) {
        self.span = Some(Span { start: Start::At(base.into()), ends: vec![head.into()] });
        self.policy_from = Some(base.into());
    }
}

/// What a branch that is new, or was before, started from in all likelihood; never the branch itself.
fn default_branch(event: &Event) -> Option<String> {
    let name = event.repository.default_branch.as_ref()?;
    let is_itself = event.name.as_deref() == Some(&format!("refs/heads/{name}"));
    (!is_itself).then(|| format!("refs/remotes/origin/{name}"))
}

/// Whether the token of the run can be expected to have the right to upload.
fn may_write(around: &Surroundings, event: &Event) -> bool {
    let is_from_fork = event.pull_request.as_ref().is_some_and(|change| {
        let from = change.head.repo.as_ref().and_then(|repository| repository.full_name.as_ref());
        from.is_none() || from != event.repository.full_name.as_ref()
    });
    !is_from_fork && around.actor.as_deref() != Some("dependabot[bot]")
}

fn lacks(event: &str, field: &str) -> EventError {
    EventError(format!("the {event} event has no `{field}`"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::null_id::NULL_ID;

    fn plan(event: &str, payload: &str) -> Plan {
        let around = Surroundings {
            event: event.into(),
            payload: payload.into(),
            sha: Some("c0ffee".into()),
            actor: Some("a".into()),
        };
        Plan::new(&around).unwrap()
    }

    #[test]
    fn a_push_adds_what_was_not_there_before() {
        let span = |payload: &str| plan("push", payload).span;
        let start = |payload: &str| span(payload).map(|span| span.start);
        let both = |start| Some(Span { start, ends: vec!["b".into(), "c0ffee".into()] });
        assert_eq!(span(r#"{"before": "a", "after": "b"}"#), both(Start::At("a".into())));
        let zero = format!(r#""before": "{NULL_ID}", "after": "b", "repository": {{"default_branch": "main"}}"#);
        let main = || "refs/remotes/origin/main".to_owned();
        assert_eq!(start(&format!(r#"{{"ref": "refs/heads/x", {zero}}}"#)), Some(Start::Perhaps(vec![main()])));
        assert_eq!(start(&format!(r#"{{"ref": "refs/heads/main", {zero}}}"#)), Some(Start::Perhaps(vec![])));
        let forced = zero.replace(NULL_ID, "a");
        let forced = format!(r#"{{"forced": true, "ref": "refs/heads/x", {forced}}}"#);
        assert_eq!(start(&forced), Some(Start::Perhaps(vec!["a".into(), main()])));
        let gone = plan("push", &format!(r#"{{"before": "a", "after": "{NULL_ID}"}}"#));
        assert!(gone.nothing.is_some() && gone.span.is_none());
    }

    #[test]
    fn a_change_is_judged_by_the_policy_of_its_base() {
        let payload = r#"{"pull_request": {"base": {"sha": "a"}, "head": {"sha": "b"}}}"#;
        let plan = |event: &str| plan(event, payload);
        let asked = plan("pull_request");
        assert_eq!(asked.policy_from.as_deref(), Some("a"));
        assert_eq!(asked.span, Some(Span { start: Start::At("a".into()), ends: vec!["b".into()] }));
        assert!(asked.warnings.is_empty());
        assert_eq!(plan("pull_request_target").warnings.len(), 1);
    }

    #[test]
    fn doubt_counts_as_public_and_forks_do_not_upload() {
        let repository = |text: &str| plan("schedule", &format!(r#"{{"repository": {{{text}}}}}"#));
        assert!(repository("").is_public);
        assert!(repository(r#""private": false"#).is_public);
        assert!(!repository(r#""private": true"#).is_public);
        assert!(!repository(r#""visibility": "internal", "private": false"#).is_public);
        let from = |head: &str| {
            let payload = format!(
                r#"{{"repository": {{"full_name": "o/r", "visibility": "public"}}, "pull_request":
                    {{"base": {{"sha": "a"}}, "head": {{"sha": "b", "repo": {head}}}}}}}"#
            );
            plan("pull_request", &payload).is_uploadable
        };
        assert!(from(r#"{"full_name": "o/r"}"#));
        assert!(!from(r#"{"full_name": "x/r"}"#));
        assert!(!from("null"));
    }

    #[test]
    fn surveys_have_no_range_and_a_schedule_does_not_fail() {
        let night = plan("schedule", "{}");
        assert_eq!((night.survey, night.span), (Some(Survey::Schedule), None));
        let by_hand = plan("workflow_dispatch", "{}");
        assert_eq!((by_hand.survey, by_hand.span), (Some(Survey::Started), None));
    }
}
