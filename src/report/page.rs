//! The page about the rules, `docs/rules.md`, which SARIF and the reports point at.
//!
//! Made from the rules alone; a test holds the file in the repository to it.

use crate::rule::{Environment, FindingRule, Level, Rules};
use std::fmt::Write as _;

/// The page, in Markdown.
pub fn rules_page(rules: &Rules) -> String {
    let mut page = String::from(
        "# Rules\n\nMade from `rules/findings.toml`. A rule has one code for live keys and one, 100 higher, for sandbox keys.\n\n\
         | code | rule | live | sandbox |\n|---|---|---|---|\n",
    );
    for rule in &rules.findings {
        let code = rule.code(Environment::Live);
        let live = told(rule, Environment::Live);
        let sandbox = rule.sandbox.as_ref().map_or_else(|| "–".into(), |_| told(rule, Environment::Sandbox));
        // Writing to a `String` cannot fail.
        let _ = writeln!(page, "| [{code}](#{}) | `{}` | {live} | {sandbox} |", code.to_lowercase(), rule.name);
    }
    for rule in &rules.findings {
        for &environment in rule.environments() {
            let code = rule.code(environment);
            let about = if rule.sandbox.is_some() { format!("{} key", environment.as_str()) } else { "no key".into() };
            let _ = write!(page, "\n## {code}\n\n**{}**, {about}", rule.title);
            let severity = rule.grade(environment).severity.as_ref();
            let severity = severity.map_or_else(String::new, |severity| format!(", security severity {severity}"));
            let _ = writeln!(page, ": {}{severity}.\n\n{}", told(rule, environment), rule.summary);
            if environment == Environment::Live {
                let _ = write!(page, "\n{}", rule.help);
            } else {
                let _ = writeln!(
                    page,
                    "\nWhat to do is as for [{0}](#{1}).",
                    rule.code(Environment::Live),
                    rule.code(Environment::Live).to_lowercase()
                );
            }
        }
    }
    page
}

/// The level, and what lowers it.
fn told(rule: &FindingRule, environment: Environment) -> String {
    let grade = rule.grade(environment);
    let mut told = grade.level.as_str().to_owned();
    let lower = |level: Option<Level>, place: &str| {
        level.map_or_else(String::new, |level| format!("; {} {place}", level.as_str()))
    };
    told.push_str(&lower(grade.quiet_level, "in tests and docs"));
    told.push_str(&lower(grade.ignored_level, "where git ignores the file and does not track it"));
    if rule.on_request { format!("{told}, only when asked for") } else { told }
}
