//! What a rule means, with wrong and right by platform, and what to do after a leak.
//!
//! Texts from `explain/` and the rules; nothing here looks at a scanned byte or prints.

mod history;

pub use history::commands;

use crate::rule::{Environment, FindingRule, Rules};
use serde::Deserialize;
use std::fmt::Write as _;

const EXAMPLES: &str = include_str!("../../explain/examples.toml");
const LEAK: &str = include_str!("../../explain/leak.md");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Examples {
    example: Vec<Example>,
}

/// One thing done wrong and right.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// Where.
    pub platform: String,
    /// Names of the rules it is about.
    pub rules: Vec<String>,
    /// What a rule fires on.
    pub wrong: String,
    /// What to do instead.
    pub right: String,
}

/// Every example, in the order of the file.
///
/// # Errors
/// The file does not parse; a test holds that it does.
pub fn examples() -> Result<Vec<Example>, String> {
    // Spelt so that this project passes its own scan.
    let text = EXAMPLES.replace("{ANSA}", "ANSA");
    toml::from_str::<Examples>(&text).map(|file| file.example).map_err(|error| error.message().to_owned())
}

/// The rule that `word` names, by code or by name, and the environment of the code.
pub fn find<'r>(rules: &'r Rules, word: &str) -> Option<(&'r FindingRule, Environment)> {
    let by_code = rules.codes().into_iter().find(|(code, ..)| code.eq_ignore_ascii_case(word));
    let by_name = || rules.finding(&word.to_lowercase()).map(|rule| (rule, Environment::Live));
    by_code.map(|(_, rule, environment)| (rule, environment)).or_else(by_name)
}

/// The page about one rule, as text.
///
/// # Errors
/// As [`examples`].
pub fn page(rule: &FindingRule, environment: Environment) -> Result<String, String> {
    let mut page = String::new();
    let (code, grade) = (rule.code(environment), rule.grade(environment));
    // Writing to a `String` cannot fail.
    let _ = writeln!(page, "{code}  {}  ({} key: {})", rule.name, environment.as_str(), grade.level.as_str());
    let _ = writeln!(page, "{}\n", rule.title);
    let _ = writeln!(page, "What it means\n\n{}", indented(&rule.summary));
    if let Some(level) = grade.quiet_level {
        let _ = writeln!(page, "  In tests and docs it is a {}.", level.as_str());
    }
    if let Some(level) = grade.ignored_level {
        let _ = writeln!(page, "  In a file that git ignores and does not track it is a {}.", level.as_str());
    }
    let _ = writeln!(page, "\nWhy it matters, and what to do\n\n{}", indented(rule.help.trim()));
    for example in examples()?.iter().filter(|example| example.rules.contains(&rule.name)) {
        let _ = writeln!(page, "\n{}\n\n  wrong:\n{}", example.platform, deeper(&example.wrong));
        let _ = writeln!(page, "  right:\n{}", deeper(&example.right));
    }
    for section in sections(rule) {
        let _ = writeln!(page, "\n{}\n\n{}", section_title(section), indented(&leak(section).replace("CODE", &code)));
    }
    Ok(page)
}

/// The sections about leaks that concern `rule`, the most likely first.
fn sections(rule: &FindingRule) -> &'static [&'static str] {
    match rule.number {
        1_004 => &["server", "client", "history"],
        1_000..=1_003 => &["client", "server", "history"],
        2_000..=2_999 => &["client-secret", "history"],
        _ => &[],
    }
}

fn section_title(section: &str) -> &'static str {
    match section {
        "client" => "After a leak: in client code, or public",
        "server" => "After a leak: on a private server",
        "client-secret" => "After a leak",
        _ => "Cleaning history",
    }
}

/// One section of `explain/leak.md`.
fn leak(section: &str) -> &'static str {
    let heads = LEAK.trim_start_matches("# ").split("\n# ");
    let start = heads.into_iter().find_map(|part| part.strip_prefix(section)?.strip_prefix('\n'));
    start.unwrap_or_default().trim_end()
}

fn indented(text: &str) -> String {
    text.lines()
        .map(|line| if line.is_empty() { String::new() } else { format!("  {line}") })
        .collect::<Vec<_>>()
        .join("\n")
}

fn deeper(text: &str) -> String {
    indented(&indented(text.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::RuleFiles;

    #[test]
    fn every_rule_has_its_page_with_examples_and_steps() {
        let rules = Rules::load(&RuleFiles::embedded()).unwrap();
        for (code, rule, environment) in rules.codes() {
            let page = page(rule, environment).unwrap();
            assert!(page.starts_with(&code) && page.contains(&rule.title), "{code}");
            if rule.number < 3_000 {
                assert!(page.contains("wrong:") && page.contains("right:"), "{code}");
            }
            if !sections(rule).is_empty() {
                assert!(page.contains("support@getansa.com") && page.contains("never the key"), "{code}");
            }
            assert_eq!(find(&rules, &code.to_lowercase()).map(|(rule, _)| &rule.name), Some(&rule.name));
            assert!(find(&rules, &rule.name).is_some());
        }
        assert!(find(&rules, "ANSA9999").is_none());
    }

    #[test]
    fn examples_hold_no_key() {
        let rules = Rules::load(&RuleFiles::embedded()).unwrap();
        let detector = crate::detect::Detector::new(&rules).unwrap();
        for text in [EXAMPLES, LEAK] {
            detector.search(text.as_bytes(), &mut |candidate| {
                assert_ne!(candidate.verdict, crate::detect::Verdict::Key);
            });
        }
    }
}
