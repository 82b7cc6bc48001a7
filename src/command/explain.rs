//! `ansalint explain` and `ansalint rules`: what the rules mean.

use crate::cli::{ExplainArgs, PolicyArgs, RulesArgs, ShowFormatArg};
use crate::config::{self, Config};
use crate::exit::Exit;
use crate::explain;
use crate::output::Destination;
use crate::report::{self, escape};
use crate::rule::{Level, RuleFiles, Rules};
use crate::scan;
use crate::settings::{cut, nearest};
use crate::stdio;
use anyhow::{Result, anyhow, bail};
use serde_json::json;
use std::fmt::Write as _;
use std::path::Path;

/// `ansalint explain`.
pub(super) fn run(args: &ExplainArgs) -> Result<Exit> {
    if !args.side.is_empty() {
        return sides(args);
    }
    let Some(word) = &args.code else { return list(ShowFormatArg::Text) };
    let rules = Rules::load(&RuleFiles::embedded())?;
    let Some((rule, environment)) = explain::find(&rules, word) else { bail!("{}", unknown(&rules, word)) };
    let mut page = explain::page(rule, environment).map_err(|reason| anyhow!("the examples: {reason}"))?;
    if let Some(file) = &args.report {
        let report = super::convert::joined(std::slice::from_ref(file))?.unwrap_or_default();
        let is_meant = |code: &str| rule.code(environment) == code || word.eq_ignore_ascii_case(&rule.name);
        let findings: Vec<_> =
            report.findings.iter().filter(|finding| finding.rule == rule.name && is_meant(&finding.code)).collect();
        let commands = explain::commands(&findings);
        page.push_str("\nCommands for the refs that still hold it\n\n");
        if commands.is_empty() {
            page.push_str(
                "  none: the report has no finding of this rule in a history; make it with `ansalint history`\n",
            );
        }
        for line in &commands {
            // Writing to a `String` cannot fail.
            let _ = writeln!(page, "  {}", escape(line));
        }
    }
    Destination::Stdout.write(|out| out.write_all(page.as_bytes()))?;
    Ok(Exit::Clean)
}

/// `ansalint explain --side`.
fn sides(args: &ExplainArgs) -> Result<Exit> {
    stdio::check_stdout()?;
    let policy = PolicyArgs { config: args.config.clone(), no_config: args.no_config, ..PolicyArgs::default() };
    let overrides = |path: &Path| Ok(Config::terms(&policy, path)?.overrides());
    let explained = scan::explain(&args.side, &config::rules(args.rules.as_deref())?, &overrides)?;
    Destination::Stdout.write(|out| {
        let told = explained.iter().flatten();
        told.into_iter().try_for_each(|one| report::account(&one.path, &one.account, out))
    })?;
    let errors: Vec<_> = explained.iter().filter_map(|one| one.as_ref().err()).collect();
    for error in &errors {
        stdio::complain(error);
    }
    Ok(if errors.is_empty() { Exit::Clean } else { Exit::Error })
}

fn unknown(rules: &Rules, word: &str) -> String {
    let codes: Vec<String> = rules.codes().into_iter().map(|(code, ..)| code).collect();
    let names = rules.findings.iter().map(|rule| rule.name.as_str());
    let known: Vec<&str> = codes.iter().map(String::as_str).chain(names).collect();
    let help = match nearest(word, &known) {
        Some(right) => format!("did you mean `{right}`?"),
        None => "`ansalint rules` lists them".to_owned(),
    };
    format!("no rule is called `{}`; {help}", cut(word))
}

/// `ansalint rules`.
pub(super) fn rules(args: &RulesArgs) -> Result<Exit> {
    list(args.format)
}

fn list(format: ShowFormatArg) -> Result<Exit> {
    let rules = Rules::load(&RuleFiles::embedded())?;
    let codes = rules.codes();
    Destination::Stdout.write(|out| {
        if format == ShowFormatArg::Json {
            let all: Vec<_> = codes
                .iter()
                .map(|(code, rule, environment)| {
                    let grade = rule.grade(*environment);
                    json!({
                        "code": code,
                        "rule": rule.name,
                        "environment": environment.as_str(),
                        "title": rule.title,
                        "summary": rule.summary,
                        "help": rule.help,
                        "level": grade.level.as_str(),
                        "level_in_tests_and_docs": grade.quiet_level.map(Level::as_str),
                        "level_where_git_ignores": grade.ignored_level.map(Level::as_str),
                        "security_severity": grade.severity,
                        "only_on_request": rule.on_request,
                    })
                })
                .collect();
            serde_json::to_writer_pretty(&mut *out, &all)?;
            return writeln!(out);
        }
        for (code, rule, environment) in &codes {
            let level = rule.grade(*environment).level.as_str();
            writeln!(out, "{code}  {level:<7}  {:<7}  {}", environment.as_str(), rule.name)?;
        }
        writeln!(out, "\n`ansalint explain CODE` says what a rule means and what to do.")
    })?;
    Ok(Exit::Clean)
}
