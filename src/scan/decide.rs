//! Which rule fires on a key, and at which level.
//!
//! The first rule of the key's kind whose needs any of its places meets; a lowered level never rises again.

use crate::blob::Origin;
use crate::finding::{Finding, Key};
use crate::rule::{FindingRule, Kind, Level, Needs, Rules};
use crate::side::{Judgement, Side};

/// How a file stands with git.
pub(super) enum Standing {
    /// Git tracks it, or would, or there is no git.
    Kept,
    /// Git ignores it and holds it in neither the index nor `HEAD`.
    Ignored,
    /// Git ignores it, and whether git holds it cannot be told for this reason.
    Unclear(String),
}

/// What is decided about one key in one blob, place by place.
pub(super) struct Decision {
    /// Names of the rules that may fire, most serious first.
    rules: Vec<String>,
    /// Index into `rules`, and the judgement that led there.
    best: Option<(usize, Judgement)>,
}

impl Decision {
    pub fn new(kind: &Kind) -> Self {
        Self { rules: kind.rules.clone(), best: None }
    }

    /// Takes the judgement of one more place.
    pub fn weigh(&mut self, rules: &Rules, judgement: Judgement) {
        let fires = |name: &String| rules.finding(name).is_some_and(|rule| meets(rule.needs, &judgement));
        let Some(index) = self.rules.iter().position(fires) else { return };
        let ranks = |one: &Judgement| (rank(one.side), rank(one.overruled.unwrap_or(one.side)));
        if self.best.as_ref().is_none_or(|(best, known)| (index, ranks(&judgement)) < (*best, ranks(known))) {
            self.best = Some((index, judgement));
        }
    }

    /// The finding, but for where it is; `standing` is asked only where it matters.
    pub fn finding(self, rules: &Rules, key: Key, standing: &dyn Fn() -> Standing) -> Option<Finding> {
        let (index, judgement) = self.best?;
        let rule = rules.finding(&self.rules[index])?;
        let mut evidence = judgement.evidence;
        let kept = || Standing::Kept;
        let minds_clients =
            self.rules.iter().any(|name| rules.finding(name).is_some_and(|rule| rule.needs == Needs::ClientSide));
        // A glob that calls client code something else does not make it the place where a key belongs.
        let is_taken = minds_clients && judgement.overruled.is_some_and(Side::reaches_client);
        let standing = if is_taken { &kept } else { standing };
        let (level, git_ignored) = level(rule, &key, judgement.side, standing, &mut evidence);
        Some(Finding {
            code: rule.code(key.environment),
            rule: rule.name.clone(),
            level,
            new: true,
            key: Some(key),
            subject: judgement.public_variable,
            side: judgement.side,
            overruled: judgement.overruled,
            evidence,
            chain: judgement.chain,
            git_ignored,
            inventory: rule.on_request,
            origin: Origin::File,
            commit: None,
            history: None,
            path: String::new(),
            generated: None,
            places: Vec::new(),
            excerpt: None,
            allowed_inline: None,
        })
    }
}

/// Lowers a finding whose key has run out since it was introduced.
pub(super) fn age(finding: &mut Finding, rules: &Rules, now: i64) {
    let hours = rules.finding(&finding.rule).and_then(|rule| rule.note_after_hours);
    let introduced = finding.history.as_ref().and_then(|history| history.introduced.as_ref());
    let (Some(hours), Some(introduced)) = (hours, introduced) else { return };
    if now.saturating_sub(introduced.time) > i64::from(hours) * 3_600 && finding.level > Level::Note {
        finding.level = Level::Note;
        finding.evidence.push(format!("introduced over {hours} hours ago; such a key lasts about a day"));
    }
}

/// A judgement of a key that stands in no code.
pub(super) fn no_code(why: &str) -> Judgement {
    Judgement::new(Side::Unknown, vec![why.into()])
}

const fn meets(needs: Needs, judgement: &Judgement) -> bool {
    match needs {
        Needs::PublicVariable => judgement.public_variable.is_some(),
        Needs::ClientSide => judgement.side.reaches_client(),
        Needs::SdkParameter => judgement.given_as.is_some(),
        Needs::Anything => true,
        Needs::SecretName | Needs::MerchantCall | Needs::ReturnedField | Needs::OtherEnvironment => false,
    }
}

/// Worst side first, where the same rule fires on several.
const fn rank(side: Side) -> u8 {
    match side {
        Side::Client => 0,
        Side::Shared => 1,
        Side::Unknown => 2,
        Side::Server => 3,
        Side::Infra => 4,
        Side::Docs => 5,
        Side::Test => 6,
    }
}

fn level(
    rule: &FindingRule,
    key: &Key,
    side: Side,
    standing: &dyn Fn() -> Standing,
    evidence: &mut Vec<String>,
) -> (Level, bool) {
    let grade = rule.grade(key.environment);
    let quiet = grade.quiet_level.filter(|_| matches!(side, Side::Test | Side::Docs));
    let level = quiet.map_or(grade.level, |quiet| quiet.min(grade.level));
    let Some(ignored) = grade.ignored_level else { return (level, false) };
    match standing() {
        Standing::Kept => (level, false),
        Standing::Ignored => {
            evidence.push("git ignores this file and holds it in neither the index nor HEAD".into());
            (level.min(ignored), true)
        }
        Standing::Unclear(reason) => {
            evidence.push(format!("git ignores this file, but whether git holds it could not be read: {reason}"));
            (level, false)
        }
    }
}
