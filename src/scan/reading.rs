//! One blob while its windows go by: candidates, positions, keys.
//!
//! Almost every blob ends at the first question, whether any prefix stands in it.

use super::Shared;
use super::batch::Batch;
use super::calls::CallGroups;
use super::comments::Comments;
use super::decide::{self, Decision};
use super::ground::Ground;
use super::inspect::shown;
use super::personal::without_people;
use super::text::Text;
use crate::blob::{Origin, Window, Windows};
use crate::detect::{Budget, Candidate, Class, Cursor, Decoded, Exploration, Form, Hidden, Verdict, excerpt};
use crate::finding::{Excerpt, Finding, Ignored, Key, Place, Position};
use crate::line_hash::LineHasher;
use crate::path::encode;
use crate::rule::Environment;
use crate::side::Step;
use crate::unpack::{self, Inner};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::ops::Range;

/// Places of one key in one blob that are judged one by one; the rest take the worst judgement so far.
const JUDGED_MAX: usize = 100;
/// Different keys that one blob may hold before the rest is left out.
const KEYS_MAX: usize = 100_000;
/// Keys of one blob whose line is shown; text reports show no more findings than half of this.
const EXCERPTS_MAX: usize = 1_000;
/// Original places of one key that a source map tells.
const SOURCES_MAX: usize = 3;
/// Places of one key in one blob that are kept, and rejected candidates that are listed.
const PLACES_MAX: usize = 10_000;

/// One blob while its windows go by.
pub(super) struct Reading<'r> {
    pub(super) shared: &'r Shared<'r>,
    pub(super) ground: &'r dyn Ground,
    pub(super) origin: Origin,
    pub(super) path: &'r [u8],
    /// Where it is in the archive at `path`, if it is in one.
    pub(super) inner: Option<Inner>,
    /// What it is the source map of, as reports show it.
    generated: Option<String>,
    /// Why reading stopped.
    fault: Option<io::Error>,
    cursor: Cursor,
    form: Form,
    /// Bytes read so far.
    pub bytes: u64,
    groups: BTreeMap<String, Group>,
    /// What is told without a key, by rule and subject.
    pub(super) calls: CallGroups,
    /// Whether it holds names or calls, told or not.
    pub(super) has_needles: bool,
    rejected: [u64; Class::ALL.len()],
    ignored: Vec<Ignored>,
    comments: Comments,
    /// What may still be decoded.
    budget: Budget,
}

/// One candidate of a text, plain or hidden.
struct Sighting<'s> {
    kind: usize,
    environment: Option<Environment>,
    verdict: Verdict,
    /// Where it stands; one range, or one a piece.
    pieces: &'s [Range<usize>],
    /// What stands between the text and it, outermost first.
    encoding: &'s [&'static str],
    /// Its fingerprint and masked form.
    names: &'s dyn Fn() -> (String, String),
}

/// Every place of one key in one blob.
struct Group {
    key: Key,
    places: Vec<Place>,
    /// Where each place starts in the blob, in bytes.
    offsets: Vec<u64>,
    /// Where a source map says that it comes from, one sentence each.
    sources: Vec<String>,
    decision: Decision,
    excerpt: Option<Excerpt>,
}

impl Text<'_, '_> {
    /// Where `sighting` stands: one place, or one a piece; `cursor` is left at the first.
    fn places(&self, sighting: &Sighting<'_>, cursor: &mut Cursor) -> Vec<Place> {
        cursor.advance_to(&self.window, sighting.pieces[0].start);
        let encoding: Vec<&'static str> = self.encoding.into_iter().chain(sighting.encoding.iter().copied()).collect();
        let mut counted = *cursor;
        let places = sighting.pieces.iter().map(|piece| {
            counted.advance_to(&self.window, piece.start);
            let start = counted.position();
            counted.advance_to(&self.window, piece.end);
            Place { blob: None, start, end: counted.position(), encoding: encoding.clone(), line_hash: None }
        });
        places.collect()
    }
}

impl<'r> Reading<'r> {
    pub fn new(shared: &'r Shared<'r>, ground: &'r dyn Ground, origin: Origin, path: &'r [u8]) -> Self {
        Self {
            shared,
            ground,
            origin,
            path,
            inner: None,
            generated: None,
            fault: None,
            cursor: Cursor::new(Form::Utf8),
            form: Form::Utf8,
            bytes: 0,
            groups: BTreeMap::new(),
            calls: CallGroups::default(),
            has_needles: false,
            rejected: [0; Class::ALL.len()],
            ignored: Vec::new(),
            comments: Comments::default(),
            budget: shared.detector.budget(),
        }
    }

    /// The same of a text that is inside of `path`.
    pub fn inside(self, inner: Inner) -> Self {
        Self { inner: Some(inner), ..self }
    }

    /// Reads every window.
    pub fn read(&mut self, windows: &mut dyn Windows) -> io::Result<()> {
        while let Some(window) = windows.next()? {
            self.take(&window)?;
        }
        Ok(())
    }

    /// Reads the next window.
    fn take(&mut self, window: &Window<'_>) -> io::Result<()> {
        let read = window.offset + window.bytes.len() as u64;
        self.budget.grant(usize::try_from(read - self.bytes).unwrap_or(usize::MAX), !window.last);
        self.bytes = read;
        if window.offset == 0 {
            self.form = Form::of(window.bytes);
            self.cursor = Cursor::new(self.form);
        }
        self.comments.look(window, self.cursor, &self.shared.detector);
        if self.shared.detector.any_in(self.form, window.bytes) {
            self.window(window)?;
        }
        if !window.last {
            self.comments.pass(window);
            self.cursor.advance_over(window);
        }
        Ok(())
    }

    /// Why it could not all be read.
    pub fn fault(&self) -> Option<String> {
        self.fault.as_ref().map(ToString::to_string)
    }

    /// The keys found so far, by fingerprint.
    pub fn fingerprints(&self) -> impl Iterator<Item = &str> {
        self.groups.keys().map(String::as_str)
    }

    /// Drops what is told better by what the blob holds: places in `covered`, which is sorted, and keys that are `known`.
    pub fn yield_to(&mut self, covered: &[Range<u64>], known: &BTreeSet<String>) {
        let is_covered = |offset: u64| {
            let behind = covered.partition_point(|part| part.start <= offset);
            // Parts may overlap, but rarely: an offset in an earlier one stays.
            behind.checked_sub(1).is_some_and(|part| covered[part].contains(&offset))
        };
        for group in self.groups.values_mut() {
            let kept: Vec<bool> = group.offsets.iter().map(|&offset| !is_covered(offset)).collect();
            let mut keep = kept.iter();
            group.places.retain(|_| keep.next().is_none_or(|&keep| keep));
            let mut keep = kept.iter();
            group.offsets.retain(|_| keep.next().is_none_or(|&keep| keep));
        }
        self.groups.retain(|fingerprint, group| !group.places.is_empty() && !known.contains(fingerprint));
        if !covered.is_empty() {
            // They stand in what was searched by itself, and were counted there.
            self.rejected = [0; Class::ALL.len()];
            self.ignored.clear();
        }
    }

    /// `path` as reports show it.
    pub fn shown(&self, path: &[u8]) -> String {
        shown(&self.shared.detector, self.ground.prefix(), path)
    }

    /// Adds a sentence on where the key with `fingerprint` comes from.
    pub fn add_source(&mut self, fingerprint: &str, sentence: &str) {
        let Some(group) = self.groups.get_mut(fingerprint) else { return };
        if group.sources.len() < SOURCES_MAX {
            group.sources.push(sentence.into());
        }
    }

    /// Takes the text for the source map of what is at `path`.
    pub fn set_generated(&mut self, path: Option<String>) {
        self.generated = path;
    }

    /// Moves every place as if the text had started at `base`, behind `encoding`.
    pub fn shift(&mut self, base: Position, encoding: Option<&'static str>) {
        let moved = |position: Position| Position {
            line: base.line + position.line - 1,
            column: if position.line == 1 { base.column + position.column - 1 } else { position.column },
        };
        for place in self.groups.values_mut().flat_map(|group| &mut group.places) {
            (place.start, place.end) = (moved(place.start), moved(place.end));
            place.encoding.splice(0..0, encoding);
        }
    }

    /// Searches one window that may have a key: as it stands, and as UTF-8 where the blob is in UTF-16 or UTF-32.
    fn window(&mut self, window: &Window<'_>) -> io::Result<()> {
        let text = Text::new(*window, self.cursor, None);
        self.search(&text, window.owned())?;
        self.find_calls(&text)?;
        if self.form != Form::Utf8 {
            let decoded = Decoded::new(self.form, window.bytes, window.owned());
            let inner = Window { bytes: decoded.text.as_bytes(), offset: window.offset, last: window.last };
            let text = Text::new(inner, self.cursor.decoded(), self.form.name());
            self.search(&text, decoded.owned)?;
        }
        Ok(())
    }

    /// Takes the candidates that start before `owned`, in order; wide ones that the decoded text shows too are passed over.
    fn search(&mut self, text: &Text<'_, 'r>, owned: usize) -> io::Result<()> {
        let (shared, form, bytes) = (self.shared, self.form, text.window.bytes);
        let is_decoded = text.encoding.is_some();
        let explored = if is_decoded || form == Form::Utf8 {
            shared.detector.explore(bytes, &mut self.budget)
        } else {
            Exploration::default()
        };
        let is_owned = |hidden: &&Hidden| hidden.range().start < owned;
        let mut hidden = explored.hidden.iter().filter(is_owned).peekable();
        let mut cursor = text.cursor;
        let mut fault = None;
        shared.detector.search(bytes, &mut |candidate| {
            let start = candidate.range.start;
            let is_shown_decoded = !is_decoded && is_aligned(form, bytes, &candidate);
            let is_superseded = explored.superseded.binary_search(&start).is_ok();
            if start >= owned || fault.is_some() || is_shown_decoded || is_superseded {
                return;
            }
            while let Some(hidden) = hidden.next_if(|hidden| hidden.range().start <= start) {
                fault = fault.take().or(self.hidden(text, hidden, &mut cursor).err());
            }
            fault = fault.take().or(self.candidate(text, &candidate, &mut cursor).err());
        });
        for hidden in hidden {
            fault = fault.or(self.hidden(text, hidden, &mut cursor).err());
        }
        fault.map_or(Ok(()), Err)
    }

    fn candidate(&mut self, text: &Text<'_, 'r>, candidate: &Candidate, cursor: &mut Cursor) -> io::Result<()> {
        let detector = &self.shared.detector;
        let encoding: &[&str] = match candidate.width {
            1 => &[],
            2 => &["utf-16le"],
            _ => &["utf-32le"],
        };
        let sighting = Sighting {
            kind: candidate.kind,
            environment: candidate.environment,
            verdict: candidate.verdict,
            pieces: std::slice::from_ref(&candidate.range),
            encoding,
            names: &|| {
                let secret = detector.secret(text.window.bytes, candidate);
                (secret.fingerprint(), secret.masked())
            },
        };
        self.sighting(text, &sighting, cursor)
    }

    fn hidden(&mut self, text: &Text<'_, 'r>, hidden: &Hidden, cursor: &mut Cursor) -> io::Result<()> {
        let sighting = Sighting {
            kind: hidden.kind,
            environment: hidden.environment,
            verdict: hidden.verdict,
            pieces: &hidden.pieces,
            encoding: &hidden.encoding,
            names: &|| (hidden.secret.fingerprint(), hidden.secret.masked()),
        };
        self.sighting(text, &sighting, cursor)
    }

    fn sighting(&mut self, text: &Text<'_, 'r>, sighting: &Sighting<'_>, cursor: &mut Cursor) -> io::Result<()> {
        let Verdict::Ignored(class) = sighting.verdict else {
            return self.key(text, sighting, cursor);
        };
        self.rejected[class as usize] += 1;
        if self.shared.options.wanted.ignored && self.ignored.len() < PLACES_MAX {
            cursor.advance_to(&text.window, sighting.pieces[0].start);
            let (_, masked) = (sighting.names)();
            let class = class.as_str().into();
            self.ignored.push(Ignored { path: String::new(), position: cursor.position(), class, masked });
        }
        Ok(())
    }

    fn key(&mut self, text: &Text<'_, 'r>, sighting: &Sighting<'_>, cursor: &mut Cursor) -> io::Result<()> {
        let (shared, bytes) = (self.shared, text.window.bytes);
        let kind = &shared.options.rules.keys.kind[sighting.kind];
        let Some(environment) = sighting.environment.filter(|_| shared.fires(kind)) else { return Ok(()) };
        let (fingerprint, masked) = (sighting.names)();
        if self.groups.len() >= KEYS_MAX && !self.groups.contains_key(&fingerprint) {
            return Err(io::Error::other(format!(
                "more than {KEYS_MAX} different keys; the rest of it was not reported"
            )));
        }
        let places = text.places(sighting, cursor);
        let whole = sighting.pieces[0].start..sighting.pieces[sighting.pieces.len() - 1].end;
        let is_shown = self.groups.len() < EXCERPTS_MAX;
        let origin = self.origin;
        let shown = || {
            let excerpt = excerpt(&shared.detector, bytes, text.window.part(), (sighting.pieces, &masked));
            without_people(origin, excerpt)
        };
        let group = self.groups.entry(fingerprint.clone()).or_insert_with(|| Group {
            excerpt: is_shown.then(shown),
            key: Key { kind: kind.name.clone(), environment, masked: masked.clone(), fingerprint },
            places: Vec::new(),
            offsets: Vec::new(),
            sources: Vec::new(),
            decision: Decision::new(kind),
        });
        if group.places.len() < JUDGED_MAX {
            let judgement = match self.origin {
                Origin::File | Origin::Stdin | Origin::Blob | Origin::Lfs if self.ground.judges() => {
                    text.judge_key(shared, self.ground, (self.path, self.inner.as_ref()), &whole)?
                }
                origin => decide::no_code(whereabouts(origin)),
            };
            let judgement = shared.overridden(self.ground.prefix(), self.path, judgement);
            group.decision.weigh(&shared.options.rules, judgement);
        }
        if group.places.len() < PLACES_MAX {
            let starts = sighting.pieces.iter().map(|piece| text.window.offset + piece.start as u64);
            group.offsets.extend(starts);
            group.places.extend(places);
        }
        Ok(())
    }

    /// Whether nothing was found, nothing rejected and nothing cut.
    pub fn is_empty(&self) -> bool {
        let is_nothing = self.groups.is_empty() && self.calls.is_empty() && !self.budget.is_cut();
        is_nothing && self.rejected.iter().all(|&count| count == 0)
    }

    /// GitHub's hashes of the lines with a key, where they are wanted and the blob is a file.
    pub fn line_hashes(&self, windows: &mut dyn Windows) -> io::Result<BTreeMap<u64, String>> {
        let is_text = matches!(self.origin, Origin::File | Origin::Blob);
        let is_wanted = self.shared.options.wanted.line_hashes && is_text;
        if !is_wanted || (self.groups.is_empty() && self.calls.is_empty()) || !windows.rewind()? {
            return Ok(BTreeMap::new());
        }
        let places = self.groups.values().flat_map(|group| &group.places).chain(self.calls.places());
        let mut hasher = LineHasher::new(places.map(|place| place.start.line).collect());
        let mut done = 0;
        while let Some(window) = windows.next()? {
            let new = usize::try_from(done - window.offset).unwrap_or(usize::MAX);
            hasher.push(window.bytes.get(new..).unwrap_or_default());
            done = window.offset + window.bytes.len() as u64;
        }
        Ok(hasher.finish())
    }

    /// Turns what was read into findings of `path`, as reports show it.
    pub fn finish(mut self, path: &str, hashes: &BTreeMap<u64, String>, batch: &mut Batch) {
        self.count_rejected(path, batch);
        batch.remarks.extend(self.remarks(path));
        batch.findings.extend(self.findings(path, hashes));
    }

    /// Sentences about comments that allow nothing.
    fn remarks(&self, path: &str) -> Vec<String> {
        let lines = |group: &Group| group.places.iter().map(|place| place.start.line).collect();
        let without = self.calls.lines(&self.shared.options.rules);
        let keys = self.groups.iter().map(|(fingerprint, group)| (fingerprint.as_str(), lines(group)));
        let lines = keys.chain(without.iter().map(|(known, lines)| (known.as_str(), lines.clone()))).collect();
        self.comments.remarks(path, &lines)
    }

    /// Counts what was no key, and says what was not decoded.
    pub fn count_rejected(&mut self, path: &str, batch: &mut Batch) {
        self.budget.cuts().for_each(|reason| batch.leave_out(path.into(), &reason));
        for (sum, count) in batch.ignored_by_class.iter_mut().zip(std::mem::take(&mut self.rejected)) {
            *sum += count;
        }
        let ignored = std::mem::take(&mut self.ignored).into_iter();
        batch.ignored.extend(ignored.map(|ignored| Ignored { path: path.into(), ..ignored }));
    }

    /// The keys found, as findings of `path`.
    pub fn findings(self, path: &str, hashes: &BTreeMap<u64, String>) -> Vec<Finding> {
        let Self { shared, ground, groups, calls, origin, comments, generated, .. } = self;
        let standing = || ground.standing(self.path);
        let mut findings = Vec::new();
        for (fingerprint, mut group) in groups {
            for place in &mut group.places {
                place.line_hash = hashes.get(&place.start.line).cloned();
            }
            let finding = group.decision.finding(&shared.options.rules, group.key, &standing);
            findings.extend(finding.map(|mut finding| Finding {
                evidence: std::mem::take(&mut finding.evidence).into_iter().chain(group.sources).collect(),
                generated: generated.clone(),
                allowed_inline: comments.reason(&fingerprint, &group.places),
                origin,
                chain: shown_chain(ground, std::mem::take(&mut finding.chain)),
                path: path.into(),
                places: group.places,
                excerpt: group.excerpt,
                ..finding
            }));
        }
        let without = calls.findings(&shared.options.rules, &findings);
        findings.extend(without.into_iter().map(|mut finding| {
            for place in &mut finding.places {
                place.line_hash = hashes.get(&place.start.line).cloned();
            }
            Finding {
                generated: generated.clone(),
                allowed_inline: comments.reason(&finding.fingerprint(), &finding.places),
                origin,
                path: path.into(),
                chain: shown_chain(ground, finding.chain),
                ..finding
            }
        }));
        findings
    }
}

impl unpack::Text for Reading<'_> {
    fn window(&mut self, window: &Window<'_>) {
        if self.fault.is_none() {
            self.fault = self.take(window).err();
        }
    }
}

/// The chain as reports name its files; without those that they cannot name.
fn shown_chain(ground: &dyn Ground, chain: Vec<Step>) -> Vec<Step> {
    let (before, cut) = ground.top_prefix();
    let cut = String::from_utf8_lossy(cut);
    let shown = chain.into_iter().filter_map(|step| {
        let path = step.path.strip_prefix(cut.as_ref())?;
        Some(Step { path: format!("{}{}", encode(before), encode(path.as_bytes())), ..step })
    });
    shown.collect()
}

/// Where a key stands that stands in no code.
const fn whereabouts(origin: Origin) -> &'static str {
    match origin {
        Origin::Link => "the key is in the target of a symbolic link",
        Origin::TreeEntry => "the key is in the name of a file or folder",
        Origin::Commit => "the key is in the text of a commit",
        Origin::Tag => "the key is in the text of a tag",
        Origin::Note => "the key is in a note",
        Origin::Index => "the key is in a path of the index",
        Origin::Ref => "the key is in the name of a ref",
        Origin::Reflog => "the key is in a reflog",
        Origin::GitFile => "the key is in a file of the git directory",
        Origin::Message => "the key is in a commit message",
        Origin::File | Origin::Stdin | Origin::Blob | Origin::Lfs => "the file has no path that says more",
    }
}

/// Whether decoding the whole text from its start shows a wide candidate too.
fn is_aligned(form: Form, bytes: &[u8], candidate: &Candidate) -> bool {
    let start = candidate.range.start;
    match form {
        Form::Utf8 => false,
        Form::Utf16Le => candidate.width == 2 && start.is_multiple_of(2),
        Form::Utf16Be => candidate.width == 2 && !start.is_multiple_of(2) && bytes[start - 1] == 0,
        Form::Utf32Le => candidate.width == 4 && start.is_multiple_of(4),
        Form::Utf32Be => candidate.width == 4 && start % 4 == 3 && bytes[start - 3..start] == [0; 3],
    }
}
