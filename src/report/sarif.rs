//! SARIF 2.1.0, as GitHub code scanning and other consumers read it.
//!
//! The one home of the `sarif` crate. Paths are percent-encoded and texts escaped.

use super::escape::Plain;
use super::wording::sentence;
use super::{LeftOut, Report, escape};
use crate::finding::{Finding, Place, Silencer, Suppressed, Suppression};
use crate::path::to_uri;
use crate::rule::{Environment, FindingRule, Rules};
use sarif::sarif as model;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{self, Write};

/// GitHub takes no more results than this.
const RESULTS_MAX: usize = 25_000;
/// Places of one result beside the first.
const RELATED_MAX: usize = 100;
/// Notifications of what was not read.
const NOTIFICATIONS_MAX: usize = 1_000;
const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
const HELP: &str = "https://github.com/ansalint/ansalint/blob/main/docs/rules.md";
const ROOT: &str = "%SRCROOT%";

/// Whether findings that do not count are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SuppressedResults {
    /// With their `suppressions`.
    Written,
    /// Only counted: GitHub takes no notice of `suppressions` and would open alerts.
    LeftOut,
}

/// Writes `report` as SARIF with one run, and a newline at the end.
pub fn write(report: &Report, rules: &Rules, suppressed: SuppressedResults, out: &mut dyn Write) -> io::Result<()> {
    let document = model::Sarif::builder()
        .schema(SCHEMA)
        .version(json!("2.1.0"))
        .runs(vec![run(report, rules, suppressed)])
        .build();
    serde_json::to_writer_pretty(&mut Plain(&mut *out), &document)?;
    out.write_all(b"\n")
}

fn run(report: &Report, rules: &Rules, suppressed: SuppressedResults) -> model::Run {
    let descriptors = descriptors(rules);
    let indices: BTreeMap<&str, i64> =
        descriptors.iter().zip(0..).map(|(descriptor, index)| (descriptor.id.as_str(), index)).collect();
    let mut results: Vec<model::Result> =
        shown(report).into_iter().filter_map(|finding| result(finding, &indices)).collect();
    let omitted = report.findings.len() - results.len();
    if suppressed == SuppressedResults::Written {
        let room = RESULTS_MAX - results.len();
        // The standard wants all of them to have the list, or none.
        if !report.suppressed.is_empty() {
            for result in &mut results {
                result.suppressions = Some(Vec::new());
            }
        }
        results.extend(report.suppressed.iter().take(room).filter_map(|one| suppressed_result(one, &indices)));
    }
    let mut properties = BTreeMap::new();
    properties.insert("complete".into(), json!(report.complete()));
    properties.insert("findings".into(), json!(report.findings.len()));
    properties.insert("omittedResults".into(), json!(omitted));
    properties.insert("suppressedFindings".into(), json!(report.suppressed.len()));
    properties.insert("ignoredCandidates".into(), json!(report.ignored_by_class));
    properties.insert("rulesDigest".into(), json!(report.rules_digest));
    let root = model::ArtifactLocation::builder().description(message("The folder the paths are relative to.")).build();
    let driver = model::ToolComponent::builder()
        .name("ansalint")
        .version(env!("CARGO_PKG_VERSION"))
        .semantic_version(env!("CARGO_PKG_VERSION"))
        .information_uri(env!("CARGO_PKG_REPOSITORY"))
        .rules(descriptors)
        .build();
    model::Run::builder()
        .tool(model::Tool::builder().driver(driver).build())
        .invocations(vec![invocation(report)])
        .original_uri_base_ids(BTreeMap::from([(ROOT.to_owned(), root)]))
        .column_kind(json!("utf16CodeUnits"))
        .results(results)
        .properties(bag(properties))
        .build()
}

/// All findings, or the most serious ones where there are too many, in the report's order.
fn shown(report: &Report) -> Vec<&Finding> {
    let mut chosen: Vec<(usize, &Finding)> = report.findings.iter().enumerate().collect();
    if chosen.len() > RESULTS_MAX {
        chosen.sort_by_key(|(index, finding)| (std::cmp::Reverse(finding.level), *index));
        chosen.truncate(RESULTS_MAX);
        chosen.sort_by_key(|(index, _)| *index);
    }
    chosen.into_iter().map(|(_, finding)| finding).collect()
}

fn descriptors(rules: &Rules) -> Vec<model::ReportingDescriptor> {
    let both = |rule: &'_ FindingRule| {
        rule.environments().iter().map(|&environment| descriptor(rule, environment)).collect::<Vec<_>>()
    };
    let mut descriptors: Vec<_> = rules.findings.iter().flat_map(both).collect();
    descriptors.sort_by(|one, other| one.id.cmp(&other.id));
    descriptors
}

fn descriptor(rule: &FindingRule, environment: Environment) -> model::ReportingDescriptor {
    let code = rule.code(environment);
    let grade = rule.grade(environment);
    let title = match rule.sandbox {
        Some(_) => format!("{} ({})", rule.title, environment.as_str()),
        None => rule.title.clone(),
    };
    let mut properties = BTreeMap::from([("precision".to_owned(), json!("very-high"))]);
    if let Some(severity) = &grade.severity {
        properties.insert("security-severity".into(), json!(severity));
    }
    let tags = ["security", "secrets", "ansa", environment.as_str()].map(str::to_owned).to_vec();
    let properties = model::PropertyBag::builder().tags(tags).additional_properties(properties).build();
    let help = format!("{}\n\n{}", rule.summary, rule.help.trim());
    model::ReportingDescriptor::builder()
        .id(code.clone())
        .name(pascal(&rule.name, rule.sandbox.is_some().then_some(environment)))
        .short_description(text(&format!("{title}.")))
        .full_description(text(&rule.summary))
        .help(model::MultiformatMessageString::builder().text(plain(&help)).markdown(help).build())
        .help_uri(format!("{HELP}#{}", code.to_lowercase()))
        .default_configuration(model::ReportingConfiguration::builder().level(json!(grade.level.as_str())).build())
        .properties(properties)
        .build()
}

/// `MerchantSecretKeyInSource` of `merchant-secret-key-in-source`.
fn pascal(name: &str, environment: Option<Environment>) -> String {
    let capital = |part: &str| {
        part.chars()
            .enumerate()
            .map(|(index, one)| if index == 0 { one.to_ascii_uppercase() } else { one })
            .collect::<String>()
    };
    name.split('-').chain(environment.map(Environment::as_str)).map(capital).collect()
}

/// Markdown without its marks.
fn plain(markdown: &str) -> String {
    markdown.replace('`', "")
}

fn result(finding: &Finding, indices: &BTreeMap<&str, i64>) -> Option<model::Result> {
    let index = *indices.get(finding.code.as_str())?;
    let (first, rest) = finding.places.split_first()?;
    let mut fingerprints = BTreeMap::from([("ansalint/v1".to_owned(), finding.id())]);
    if let Some(hash) = &first.line_hash {
        fingerprints.insert("primaryLocationLineHash".into(), hash.clone());
    }
    let mut properties = BTreeMap::from([
        ("side".to_owned(), json!(finding.side.as_str())),
        ("evidence".to_owned(), json!(finding.evidence.iter().map(|sentence| escape(sentence)).collect::<Vec<_>>())),
        ("rule".to_owned(), json!(finding.rule)),
    ]);
    if let Some(subject) = &finding.subject {
        properties.insert("subject".into(), json!(escape(subject)));
    }
    if let Some(key) = &finding.key {
        properties.insert("environment".into(), json!(key.environment.as_str()));
        properties.insert("keyKind".into(), json!(key.kind));
        properties.insert("masked".into(), json!(key.masked));
        properties.insert("keyFingerprint".into(), json!(key.fingerprint));
    }
    if rest.len() > RELATED_MAX {
        properties.insert("omittedPlaces".into(), json!(rest.len() - RELATED_MAX));
    }
    let related =
        rest.iter().take(RELATED_MAX).zip(1_i64..).map(|(place, id)| related(finding, place, id)).collect::<Vec<_>>();
    let snippet = finding.excerpt.as_ref().map(|excerpt| escape(&excerpt.text).into_owned());
    let builder = model::Result::builder()
        .rule_id(finding.code.clone())
        .rule_index(index)
        .kind(model::ResultKind::Fail)
        .level(level(finding))
        .message(message(&sentence(finding)))
        .locations(vec![location(finding, first, snippet)])
        .partial_fingerprints(fingerprints)
        .properties(bag(properties));
    let mut result = builder.build();
    result.related_locations = (!related.is_empty()).then_some(related);
    result.code_flows = (!finding.chain.is_empty()).then(|| vec![flow(finding, first)]);
    Some(result)
}

/// From the client entry, import by import, to the key.
fn flow(finding: &Finding, place: &Place) -> model::CodeFlow {
    let steps = finding.chain.iter().map(|step| {
        let artifact = model::ArtifactLocation::builder().uri(to_uri(&step.path)).uri_base_id(ROOT).build();
        let line = i64::try_from(step.line).unwrap_or(i64::MAX);
        let region = model::Region::builder().start_line(line).build();
        let physical = model::PhysicalLocation::builder().artifact_location(artifact).region(region).build();
        let message = message("The import that leads on.");
        model::Location::builder().physical_location(physical).message(message).build()
    });
    let mut last = location(finding, place, None);
    last.message = Some(message("The key."));
    let locations = steps.chain([last]).map(|one| model::ThreadFlowLocation::builder().location(one).build());
    let thread = model::ThreadFlow::builder().locations(locations.collect::<Vec<_>>()).build();
    let message = message("How client code comes to hold it.");
    model::CodeFlow::builder().thread_flows(vec![thread]).message(message).build()
}

/// The result of a finding that does not count.
fn suppressed_result(suppressed: &Suppressed, indices: &BTreeMap<&str, i64>) -> Option<model::Result> {
    let mut result = result(&suppressed.finding, indices)?;
    let Suppression { by, reason, owner, expires } = &suppressed.suppression;
    let kind = if *by == Silencer::Comment { "inSource" } else { "external" };
    let until = expires.as_ref().map(|day| format!("until {day}"));
    let owner = owner.as_ref().map(|owner| format!("{owner} answers for it"));
    let words: Vec<String> = reason.clone().into_iter().chain(owner).chain(until).collect();
    let words = if words.is_empty() { by.phrase(1).to_owned() } else { words.join("; ") };
    let suppression = model::Suppression::builder().kind(json!(kind)).status(json!("accepted"));
    result.suppressions = Some(vec![suppression.justification(escape(&words).into_owned()).build()]);
    Some(result)
}

const fn level(finding: &Finding) -> model::ResultLevel {
    match finding.level {
        crate::rule::Level::Note => model::ResultLevel::Note,
        crate::rule::Level::Warning => model::ResultLevel::Warning,
        crate::rule::Level::Error => model::ResultLevel::Error,
    }
}

fn location(finding: &Finding, place: &Place, snippet: Option<String>) -> model::Location {
    model::Location::builder().physical_location(physical(finding, place, snippet)).build()
}

fn related(finding: &Finding, place: &Place, id: i64) -> model::Location {
    let physical = physical(finding, place, None);
    model::Location::builder().id(id).physical_location(physical).message(message("The same key again.")).build()
}

fn physical(finding: &Finding, place: &Place, snippet: Option<String>) -> model::PhysicalLocation {
    let artifact = model::ArtifactLocation::builder().uri(to_uri(&finding.path)).uri_base_id(ROOT).build();
    let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let mut region = model::Region::builder()
        .start_line(number(place.start.line))
        .start_column(number(place.start.column))
        .end_line(number(place.end.line))
        .end_column(number(place.end.column))
        .build();
    region.snippet = snippet.map(|text| model::ArtifactContent::builder().text(text).build());
    model::PhysicalLocation::builder().artifact_location(artifact).region(region).build()
}

fn invocation(report: &Report) -> model::Invocation {
    let unread = &report.coverage.left_out;
    let mut notifications: Vec<_> = unread.iter().take(NOTIFICATIONS_MAX).map(notification).collect();
    if unread.len() > NOTIFICATIONS_MAX {
        let more = format!("{} more were not read.", unread.len() - NOTIFICATIONS_MAX);
        notifications.push(model::Notification::builder().level(json!("warning")).message(message(&more)).build());
    }
    model::Invocation::builder().execution_successful(true).tool_execution_notifications(notifications).build()
}

fn notification(left_out: &LeftOut) -> model::Notification {
    let artifact = model::ArtifactLocation::builder().uri(to_uri(&left_out.path)).uri_base_id(ROOT).build();
    let physical = model::PhysicalLocation::builder().artifact_location(artifact).build();
    let location = model::Location::builder().physical_location(physical).build();
    let text = escape(&format!("Not read: {}: {}.", left_out.path, left_out.reason)).into_owned();
    model::Notification::builder().level(json!("warning")).message(message(&text)).locations(vec![location]).build()
}

fn message(text: &str) -> model::Message {
    model::Message::builder().text(text).build()
}

fn text(text: &str) -> model::MultiformatMessageString {
    model::MultiformatMessageString::builder().text(text).build()
}

fn bag(properties: BTreeMap<String, Value>) -> model::PropertyBag {
    model::PropertyBag::builder().additional_properties(properties).build()
}
