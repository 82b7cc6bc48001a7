//! Opens archives and other containers, member by member and container by container, and never writes one to disk.
//!
//! Pure: bytes in, texts out to a [`Visitor`]. What the texts hold is the visitor's. Content decides what a container is, and what comes
//! out is counted, never what a header claims. What cannot be opened is told, and its bytes are searched as they stand.

mod ar;
mod asar;
mod budget;
mod bundle;
mod codec;
mod compressed;
mod cpio;
mod hermes;
mod input;
mod kind;
mod pdf;
mod plist;
mod scanner;
mod seven_zip;
mod source_map;
mod sqlite;
mod tar;
mod zip;

pub use budget::Limits;
pub use kind::{Kind, START_BYTES, has_zip_end, opens};
pub use source_map::SourceMap;

use crate::blob::{OVERLAP_BYTES, ReadAt, Window};
use budget::{Budget, Meter};
use input::{Counted, Cursor, read_full, read_full_at};
use scanner::{Scanner, Tee, WINDOW_BYTES};
use std::io::{self, Read};
use std::ops::Range;
use std::rc::Rc;

/// Bytes of a member's name that are kept.
const NAME_BYTES_MAX: usize = 4096;
/// Things left out that are listed one by one for one archive.
const LEFT_OUT_MAX: u32 = 1_000;

/// Where a text stands in an archive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inner {
    /// Its path as reports show it: the outermost file, `!/`, the member, and so on.
    pub shown: Vec<u8>,
    /// Its path for whoever judges sides: the same with a word for each container's kind, such as `apk!/assets/x`; without any where
    /// the outermost file is one compressed file and no archive.
    pub judged: Vec<u8>,
    /// Whether what stands around the outermost file stands around it too.
    pub is_outside: bool,
}

/// A run of bytes of a container that is one text by itself, whatever stands beside it.
#[derive(Clone, Copy, Debug)]
pub struct Piece<'p> {
    /// The text.
    pub bytes: &'p [u8],
    /// Where it starts in the container.
    pub offset: u64,
    /// How it is written there, where that is not plainly.
    pub encoding: Option<&'static str>,
}

/// What is known of a text when it has ended.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ending<'e> {
    /// Of a container, the parts of it that were searched by themselves, sorted.
    pub covered: Option<&'e [Range<u64>]>,
    /// All of it, where it is in memory.
    pub bytes: Option<&'e [u8]>,
}

/// What meets the content of archives.
pub trait Visitor {
    /// What searches one text.
    type Text: Text;
    /// A text begins.
    fn text(&mut self, inner: &Inner) -> Self::Text;
    /// A text has ended.
    fn end(&mut self, inner: &Inner, text: Self::Text, ending: Ending<'_>);
    /// The name of a member, to be searched.
    fn name(&mut self, inner: &Inner);
    /// A piece of the container `input`, whose text is at `inner`; says whether it holds anything that is searched for.
    fn piece(&mut self, inner: &Inner, input: &dyn ReadAt, piece: Piece<'_>) -> bool;
    /// Objects of git in the order of a pack, which starts at `offset` of `input` and may inflate to `left` bytes; gives how many it did.
    fn pack(&mut self, inner: &Inner, input: &dyn ReadAt, offset: u64, left: u64) -> Result<u64, String>;
    /// Something that could not be opened, for `reason`.
    fn left_out(&mut self, inner: &Inner, reason: &str);
}

/// What searches one text, window by window.
pub trait Text {
    /// The next window.
    fn window(&mut self, window: &Window<'_>);
}

/// Opens the containers of one outermost file.
pub struct Unpacker<'v, V> {
    visitor: &'v mut V,
    budget: Rc<Budget>,
    buffers: Vec<Vec<u8>>,
    left_out: u32,
}

/// Why a container was not read to its end.
#[derive(Debug)]
enum Fault {
    /// It is damaged, or asks for what there is not.
    Damaged(String),
    /// A bound was reached; nothing more is opened.
    Cut,
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Damaged(damage(&error))
    }
}

fn damage(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => "damaged: it ends too early".into(),
        io::ErrorKind::Other => error.to_string(),
        io::ErrorKind::OutOfMemory => "needs more memory than there is for one archive".into(),
        _ => format!("damaged: {error}"),
    }
}

/// A container that is being read.
struct Level {
    /// Where its own bytes are.
    inner: Inner,
    kind: Kind,
    /// What paths of its members start with where sides are judged.
    judged: Vec<u8>,
    depth: u32,
    covered: Vec<Range<u64>>,
}

impl Level {
    fn cover(&mut self, part: Range<u64>) {
        match self.covered.last_mut() {
            Some(last) if last.end == part.start => last.end = part.end,
            _ if part.is_empty() => {}
            _ => self.covered.push(part),
        }
    }

    /// Takes `word` for what the container is, which its members say more exactly than its bytes.
    fn call(&mut self, word: &str) {
        let folder = if self.inner.is_outside { b"" } else { folder_of(&self.inner.judged) };
        self.judged = [folder, word.as_bytes(), b"!/"].concat();
    }

    fn member(&self, name: &[u8]) -> Inner {
        let name = match name.strip_prefix(b"./").unwrap_or(name) {
            b"" => b"(no name)",
            name => &name[..name.len().min(NAME_BYTES_MAX)],
        };
        Inner {
            shown: [&self.inner.shown, b"!/".as_slice(), name].concat(),
            judged: [&self.judged, name].concat(),
            is_outside: false,
        }
    }
}

/// The folder of `path` with the slash behind it, empty for the top.
fn folder_of(path: &[u8]) -> &[u8] {
    memchr::memrchr(b'/', path).map_or(b"", |slash| &path[..=slash])
}

/// A member that may be a container itself.
struct Place {
    inner: Inner,
    /// How it is called if it is a container and what is around it is no archive but a compressed stream.
    merged: Option<Inner>,
    depth: u32,
}

/// How reading a member went; the fault has been told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Whole,
    Faulty,
}

impl<'v, V: Visitor> Unpacker<'v, V> {
    /// For an outermost file of `bytes`.
    pub fn new(visitor: &'v mut V, limits: Limits, bytes: u64) -> Self {
        Self { visitor, budget: Budget::new(limits, bytes), buffers: Vec::new(), left_out: 0 }
    }

    /// Opens `input`, which is at `path` and of `kind`; its own bytes have been searched. Says which of them were searched as members, too.
    pub fn open(&mut self, kind: Kind, path: &[u8], input: &dyn ReadAt) -> Vec<Range<u64>> {
        let inner = Inner { shown: path.to_vec(), judged: path.to_vec(), is_outside: true };
        let covered = self.container(kind, &inner, 0, &mut Source::Random(input));
        if let Some(reason) = self.budget.reason() {
            self.visitor.left_out(&inner, &reason);
        }
        covered
    }

    /// Opens what `source` holds as a container of `kind`; faults are told.
    fn container(&mut self, kind: Kind, inner: &Inner, depth: u32, source: &mut Source<'_>) -> Vec<Range<u64>> {
        let limits = self.budget.limits;
        if depth >= limits.depth {
            self.leave_out(inner, &format!("nested in {} archives; deeper ones are not opened", limits.depth));
            return Vec::new();
        }
        let mut level = Level { inner: inner.clone(), kind, judged: Vec::new(), depth: depth + 1, covered: Vec::new() };
        level.call(kind.word());
        match self.read(&mut level, source) {
            Ok(()) => {}
            Err(Fault::Damaged(reason)) if self.budget.is_open() => self.leave_out(inner, &reason),
            Err(_) => self.tell_cut(inner),
        }
        level.covered.sort_unstable_by_key(|part| part.start);
        level.covered
    }

    fn read(&mut self, level: &mut Level, source: &mut Source<'_>) -> Result<(), Fault> {
        match source {
            Source::Random(input) => match level.kind {
                Kind::Zip => zip::read(self, level, *input),
                Kind::SevenZip => seven_zip::read(self, level, *input),
                Kind::Asar => asar::read(self, level, *input),
                Kind::Sqlite => sqlite::read(self, level, *input),
                Kind::Pdf => pdf::read(self, level, *input),
                Kind::PropertyList => plist::read(self, level, *input),
                Kind::Hermes => hermes::read(self, level, *input),
                Kind::Bundle => bundle::read(self, level, *input),
                _ => self.read_on(level, &mut Counted::new(Cursor::new(*input))),
            },
            Source::Stream(reader) if level.kind == Kind::Zip => {
                zip::read_on(self, level, &mut Counted::new(codec::buffered(reader)))
            }
            Source::Stream(reader) => self.read_on(level, &mut Counted::new(codec::buffered(reader))),
        }
    }

    fn read_on<R: io::BufRead>(&mut self, level: &mut Level, reader: &mut Counted<R>) -> Result<(), Fault> {
        match level.kind {
            Kind::Tar => tar::read(self, level, reader),
            Kind::Ar => ar::read(self, level, reader),
            Kind::Cpio => cpio::read(self, level, reader),
            Kind::Rpm => cpio::read_rpm(self, level, reader),
            Kind::Closed(what) => Err(Fault::Damaged(format!("{what} is a format that is not opened"))),
            _ => compressed::read(self, level, reader),
        }
    }

    /// A member of `level` that is read from `reader`.
    fn member(&mut self, level: &Level, name: &[u8], reader: &mut dyn Read) -> Result<Outcome, Fault> {
        let inner = self.enter(level, name)?;
        self.stream(Place { inner, merged: None, depth: level.depth }, reader)
    }

    /// A member of `level` that stands in `input` as it is.
    fn stored(&mut self, level: &Level, name: &[u8], input: &dyn ReadAt) -> Result<Outcome, Fault> {
        let inner = self.enter(level, name)?;
        if input.whole().is_some() && !self.budget.spend(input.size()) {
            self.tell_cut(&inner);
            return Err(Fault::Cut);
        }
        self.whole(&Place { inner, merged: None, depth: level.depth }, input)
    }

    fn enter(&mut self, level: &Level, name: &[u8]) -> Result<Inner, Fault> {
        let inner = level.member(name);
        if !self.budget.entry() {
            self.tell_cut(&inner);
            return Err(Fault::Cut);
        }
        self.visitor.name(&inner);
        Ok(inner)
    }

    /// A member that cannot be read, for `reason`.
    fn refuse(&mut self, level: &Level, name: &[u8], reason: &str) -> Result<(), Fault> {
        let inner = self.enter(level, name)?;
        self.leave_out(&inner, reason);
        Ok(())
    }

    /// Reads a member to its end, whatever it is.
    fn stream(&mut self, place: Place, reader: &mut dyn Read) -> Result<Outcome, Fault> {
        let mut meter = Meter::new(reader, &self.budget);
        let mut buffer = self.buffers.pop().unwrap_or_else(|| vec![0; WINDOW_BYTES]);
        let (filled, ended) = read_full(&mut meter, &mut buffer);
        if filled == buffer.len() && ended.is_ok() {
            return self.long(place, buffer, &mut meter);
        }
        let outcome = self.whole(&place, &&buffer[..filled]);
        self.buffers.push(buffer);
        match ended {
            Ok(()) => outcome,
            Err(error) => outcome.and_then(|_| self.broken(&place.inner, &error)),
        }
    }

    /// A member that fills `buffer` and goes on.
    fn long(&mut self, mut place: Place, mut buffer: Vec<u8>, rest: &mut dyn Read) -> Result<Outcome, Fault> {
        let kind = Kind::of(&buffer[..START_BYTES], &place.inner.judged);
        if let (Some(_), Some(merged)) = (kind, place.merged.take()) {
            place.inner = merged;
        }
        let mut memory = Vec::new();
        if kind.is_some_and(Kind::is_random) {
            let ended = loop {
                let Some(more) = self.budget.memory(buffer.len() as u64) else { break None };
                memory.push(more);
                let filled = buffer.len();
                buffer.resize(2 * filled, 0);
                let (read, ended) = read_full(rest, &mut buffer[filled..]);
                if read < filled || ended.is_err() {
                    buffer.truncate(filled + read);
                    break Some(ended);
                }
            };
            if let Some(ended) = ended {
                let outcome = self.whole(&place, &buffer.as_slice());
                return ended.map_or_else(|error| self.broken(&place.inner, &error), |()| outcome);
            }
        }
        let text = self.visitor.text(&place.inner);
        let window = self.buffers.pop().unwrap_or_else(|| vec![0; WINDOW_BYTES]);
        let mut tee = Tee::new(io::Cursor::new(buffer).chain(rest), Scanner::new(text, window, 0));
        let covered = match kind {
            Some(kind) if !kind.is_random() || kind == Kind::Zip => {
                self.container(kind, &place.inner, place.depth, &mut Source::Stream(&mut tee))
            }
            Some(_) => {
                self.leave_out(&place.inner, "too large to be opened within another archive");
                Vec::new()
            }
            None => Vec::new(),
        };
        let ended = tee.drain();
        drop(memory);
        let (text, window) = tee.scanner.finish();
        self.buffers.push(window);
        self.visitor.end(&place.inner, text, Ending { covered: kind.map(|_| covered.as_slice()), bytes: None });
        match ended {
            Ok(()) => self.outcome(),
            Err(error) => self.broken(&place.inner, &error),
        }
    }

    /// A member that stands in `input`: its bytes are searched as they are, and opened where it is a container.
    fn whole(&mut self, place: &Place, input: &dyn ReadAt) -> Result<Outcome, Fault> {
        let mut start = [0; START_BYTES];
        let filled = read_full_at(input, &mut start, 0)?;
        let mut kind = Kind::of(&start[..filled], &place.inner.judged);
        if kind.is_none() && has_zip_tail(input)? {
            kind = Some(Kind::Zip);
        }
        let inner = place.merged.as_ref().filter(|_| kind.is_some()).unwrap_or(&place.inner);
        let mut text = self.visitor.text(inner);
        let searched = if let Some(bytes) = input.whole() {
            text.window(&Window { bytes, offset: 0, last: true });
            Ok(())
        } else {
            let buffer = self.buffers.pop().unwrap_or_else(|| vec![0; WINDOW_BYTES]);
            let mut scanner = Scanner::new(text, buffer, 0);
            let searched = scanner.drain(&mut Meter::new(Cursor::new(input), &self.budget));
            let ended = scanner.finish();
            text = ended.0;
            self.buffers.push(ended.1);
            searched
        };
        let covered = match kind {
            Some(kind) => self.container(kind, inner, place.depth, &mut Source::Random(input)),
            None => Vec::new(),
        };
        self.visitor.end(inner, text, Ending { covered: kind.map(|_| covered.as_slice()), bytes: input.whole() });
        match searched {
            Ok(()) => self.outcome(),
            Err(error) => self.broken(inner, &error),
        }
    }

    fn outcome(&self) -> Result<Outcome, Fault> {
        if self.budget.is_open() { Ok(Outcome::Whole) } else { Err(Fault::Cut) }
    }

    /// A member that ended with `error`.
    fn broken(&mut self, inner: &Inner, error: &io::Error) -> Result<Outcome, Fault> {
        if !self.budget.is_open() {
            self.tell_cut(inner);
            return Err(Fault::Cut);
        }
        self.leave_out(inner, &damage(error));
        Ok(Outcome::Faulty)
    }

    /// Tells the bound that was reached, at the first place that met it.
    fn tell_cut(&mut self, inner: &Inner) {
        if let Some(reason) = self.budget.reason() {
            self.budget.told();
            self.visitor.left_out(inner, &format!("{reason}; the rest of the archive was not opened"));
        }
    }

    fn leave_out(&mut self, inner: &Inner, reason: &str) {
        self.left_out += 1;
        if self.left_out <= LEFT_OUT_MAX {
            self.visitor.left_out(inner, reason);
        } else if self.left_out == LEFT_OUT_MAX + 1 {
            self.visitor.left_out(inner, &format!("and more than {LEFT_OUT_MAX} other members could not be read"));
        }
    }

    /// A text in the container itself, which takes `spans` of it.
    fn piece(&mut self, level: &mut Level, input: &dyn ReadAt, piece: Piece<'_>, spans: &[Range<u64>]) {
        if self.visitor.piece(&level.inner, input, piece) {
            level.covered.extend_from_slice(spans);
        }
    }

    /// Whether `bytes` more of work may be done on `level`.
    fn work(&self, bytes: u64) -> Result<(), Fault> {
        if self.budget.work(bytes) { Ok(()) } else { Err(Fault::Cut) }
    }
}

/// Where a container is read from.
enum Source<'s> {
    Random(&'s dyn ReadAt),
    Stream(&'s mut dyn Read),
}

/// Whether `input` ends as a zip does, though it does not start as one.
fn has_zip_tail(input: &dyn ReadAt) -> io::Result<bool> {
    if let Some(bytes) = input.whole() {
        return Ok(kind::has_zip_tail(bytes));
    }
    let mut end = vec![0; OVERLAP_BYTES];
    let from = input.size().saturating_sub(OVERLAP_BYTES as u64);
    let filled = read_full_at(input, &mut end, from)?;
    Ok(kind::has_zip_tail(&end[..filled]))
}

/// What a last window shows of a container whose start shows nothing: a zip behind other content.
pub fn kind_by_end(end: &[u8]) -> Option<Kind> {
    kind::has_zip_tail(end).then_some(Kind::Zip)
}
