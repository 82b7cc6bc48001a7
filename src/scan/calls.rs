//! Findings without a key: secret names that builds inline, calls only a server may make, fields a loader gives away.
//!
//! Only texts in which a needle of `rules/calls.toml` stands come here.

use super::decide;
use super::reading::Reading;
use super::text::Text;
use crate::blob::Origin;
use crate::classify::{Call, Surroundings};
use crate::detect::{Cursor, Verdict, excerpt, mask};
use crate::finding::{Excerpt, Finding, Place, without_key};
use crate::rule::{Environment, Needs, Rules};
use crate::side::{Judgement, Side};
use std::collections::BTreeMap;
use std::io;

/// Places of one subject in one blob that are kept.
const PLACES_MAX: usize = 100;
/// Subjects of one blob.
const SUBJECTS_MAX: usize = 1_000;

/// What one blob is told of without a key.
#[derive(Default)]
pub(super) struct CallGroups(BTreeMap<(Needs, Environment, String), Group>);

struct Group {
    places: Vec<Place>,
    judgement: Judgement,
    excerpt: Excerpt,
}

impl CallGroups {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Every place.
    pub fn places(&self) -> impl Iterator<Item = &Place> {
        self.0.values().flat_map(|group| &group.places)
    }

    /// Fingerprints, and the lines of each.
    pub fn lines(&self, rules: &Rules) -> Vec<(String, Vec<u64>)> {
        let lines = self.0.iter().filter_map(|((needs, _, subject), group)| {
            let lines = group.places.iter().map(|place| place.start.line).collect();
            Some((without_key(&rules.finding_of(*needs)?.name, subject), lines))
        });
        lines.collect()
    }

    /// The findings, but for where they are; a name that is told of with a key in `known` is not told of again.
    pub fn findings(self, rules: &Rules, known: &[Finding]) -> Vec<Finding> {
        let is_known = |needs: Needs, subject: &str| {
            needs == Needs::SecretName && known.iter().any(|finding| finding.subject.as_deref() == Some(subject))
        };
        let told = self.0.into_iter().filter(|((needs, _, subject), _)| !is_known(*needs, subject));
        let findings = told.filter_map(|((needs, environment, subject), group)| {
            let rule = rules.finding_of(needs)?;
            Some(Finding {
                code: rule.code(environment),
                rule: rule.name.clone(),
                level: rule.grade(environment).level,
                new: true,
                key: None,
                subject: Some(subject),
                side: group.judgement.side,
                overruled: group.judgement.overruled,
                evidence: group.judgement.evidence,
                chain: group.judgement.chain,
                git_ignored: false,
                inventory: rule.on_request,
                origin: Origin::File,
                commit: None,
                allowed_inline: None,
                generated: None,
                history: None,
                path: String::new(),
                places: group.places,
                excerpt: Some(group.excerpt),
            })
        });
        findings.collect()
    }
}

impl<'r> Reading<'r> {
    /// Takes what `text` says without a key.
    pub(super) fn find_calls(&mut self, text: &Text<'_, 'r>) -> io::Result<()> {
        let (shared, bytes) = (self.shared, text.window.bytes);
        if !matches!(self.origin, Origin::File | Origin::Stdin | Origin::Blob | Origin::Lfs) {
            return Ok(());
        }
        let needles = shared.detector.triggers(bytes);
        // Names and calls are those of texts: what a program was compiled from may stand in it without meaning anything.
        self.has_needles |= !needles.is_empty();
        if needles.is_empty() || memchr::memchr(0, bytes).is_some() {
            return Ok(());
        }
        let mut keys = Vec::new();
        shared.detector.search(bytes, &mut |candidate| {
            let environment = candidate.environment.filter(|_| candidate.verdict == Verdict::Key);
            keys.extend(environment.map(|environment| (candidate.range, environment)));
        });
        let calls = shared.calls()?;
        let (ground, path, is_own) = (self.ground, self.path, self.inner.is_none());
        let elsewhere = |texts: &[String]| {
            // Where nothing is judged yet, it may.
            !ground.judges()
                || (is_own
                    && shared.classifier().is_ok_and(|rules| ground.imports_hold(rules, &shared.graphs, path, texts)))
        };
        let around = Surroundings { text: bytes, needles: &needles, keys: &keys, elsewhere: &elsewhere };
        let found = if self.ground.judges() {
            calls.find(text.prepared(shared, self.ground, (self.path, self.inner.as_ref()))?, &around)
        } else {
            calls.find_any(&around)
        };
        let mut cursor = text.cursor;
        for call in found.into_iter().filter(|call| call.range.start < text.window.owned()) {
            self.call(text, call, &mut cursor)?;
        }
        Ok(())
    }

    fn call(&mut self, text: &Text<'_, 'r>, call: Call, cursor: &mut Cursor) -> io::Result<()> {
        let shared = self.shared;
        let key = (call.needs, call.environment, call.subject);
        if self.calls.0.len() >= SUBJECTS_MAX && !self.calls.0.contains_key(&key) {
            return Ok(());
        }
        let judgement = if self.ground.judges() {
            let judged = text.judge(shared, self.ground, (self.path, self.inner.as_ref()), &call.range)?;
            let judged = shared.overridden(self.ground.prefix(), self.path, judged);
            let Some(judged) = told(call.needs, call.why, judged) else { return Ok(()) };
            judged
        } else {
            decide::no_code("not judged")
        };
        cursor.advance_to(&text.window, call.range.start);
        let start = cursor.position();
        let mut behind = *cursor;
        behind.advance_to(&text.window, call.range.end);
        let encoding = text.encoding.into_iter().collect();
        let place = Place { blob: None, start, end: behind.position(), encoding, line_hash: None };
        let group = self.calls.0.entry(key).or_insert_with(|| {
            let shown = mask(&shared.detector, &text.window.bytes[call.range.clone()]);
            let about = (std::slice::from_ref(&call.range), shown.as_str());
            let excerpt = excerpt(&shared.detector, text.window.bytes, text.window.part(), about);
            Group { places: Vec::new(), judgement, excerpt }
        });
        if group.places.len() < PLACES_MAX {
            group.places.push(place);
        }
        Ok(())
    }
}

/// The judgement to show, if what is met is worth telling on its side.
fn told(needs: Needs, why: String, judgement: Judgement) -> Option<Judgement> {
    let is_quiet = matches!(judgement.side, Side::Docs | Side::Test);
    let is_told = match needs {
        Needs::SecretName | Needs::ReturnedField => !is_quiet,
        Needs::MerchantCall => judgement.side.reaches_client(),
        _ => true,
    };
    // What is inlined is client code, wherever it is named.
    let side = if needs == Needs::SecretName { Side::Client } else { judgement.side };
    let mut evidence = judgement.evidence;
    evidence.insert(0, why);
    evidence.dedup();
    is_told.then_some(Judgement { side, evidence, ..judgement })
}
