//! Walks the delta families of a pack, each entry inflated and patched once.
//!
//! A family is walked depth first: a base is kept only until its last delta is done, and families run in parallel.
//! What an object means is the visitor's.

use super::bounds::Bounds;
use super::delta::{Delta, Step};
use super::inflate::{Buffer, Inflater, Pool, Stream};
use super::pack::{Entry, NONE, Pack};
use super::seams::Seams;
use crate::blob::Windows as _;
use gix_object::Kind;
use gix_pack::data::entry::Header;
use rayon::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Objects larger than this are read piece by piece, and deltas that make them are left out.
pub const OBJECT_BYTES_MAX: u64 = 128 << 20;
/// Families with objects larger than this are walked one at a time.
const ALONE_BYTES: u64 = 16 << 20;
/// Small families that are walked one after another.
const TASK_ROOTS: usize = 256;
/// Bytes of bases that one walk holds before it drops those it needs last.
const HELD_BYTES_MAX: usize = 64 << 20;
/// Bytes of the start of each object that the visitor sees.
pub const START_BYTES: usize = 512;
/// Bytes of the end, likewise.
pub const END_BYTES: usize = 22;

/// What meets the objects of one thread.
pub trait Visitor {
    /// What it keeps of a base while deltas on it are walked.
    type State;

    /// Whether families of `kind` are walked at all.
    fn wants(&self, kind: Kind) -> bool;
    /// How much of what a delta copies may make something with what it inserts; none where every result has to be seen whole.
    fn seams(&self) -> Option<Seams<'_>>;
    /// Whether the whole of a delta's result has to be seen, given the state of its base and what is new in it.
    fn needs(&mut self, kind: Kind, base: &Self::State, news: News<'_>) -> bool;
    /// A whole object, with its base if it is a delta on an object of the same pack.
    fn object(&mut self, entry: u32, object: Object<'_>, base: Option<Base<'_, Self::State>>) -> Self::State;
    /// A delta whose result need not be seen whole; `bytes` is its size.
    fn passed(&mut self, entry: u32, kind: Kind, bytes: u64) -> Self::State;
    /// A piece of an object too large to be held; pieces overlap as windows do. `false` ends the reading.
    fn piece(&mut self, entry: u32, kind: Kind, piece: &[u8]) -> bool;
    /// The end of an object that came in pieces.
    fn pieces_end(&mut self, entry: u32, kind: Kind, bytes: u64);
    /// An entry that cannot be read.
    fn fault(&mut self, entry: u32, reason: &'static str);
    /// The object that a delta is based on and this pack does not hold.
    fn outside(&mut self, id: gix_hash::ObjectId, out: &mut Vec<u8>) -> Option<(Kind, Self::State)>;
}

/// A whole object.
#[derive(Clone, Copy)]
pub struct Object<'o> {
    /// What it is.
    pub kind: Kind,
    /// Its content.
    pub bytes: &'o [u8],
}

/// What an object was made of.
#[derive(Clone, Copy)]
pub struct Base<'b, S> {
    /// The state of the base.
    pub state: &'b S,
    /// What made the object of it.
    pub delta: Delta<'b>,
}

/// What a delta makes, as far as it can be told without making it.
#[derive(Clone, Copy)]
pub struct News<'n> {
    /// The first [`START_BYTES`] of the result, or all of them.
    pub start: &'n [u8],
    /// The last [`END_BYTES`] of the result, or all of them.
    pub end: &'n [u8],
    /// What it inserts, see [`Delta::inserted`].
    pub inserted: &'n [u8],
    /// What is new where pieces meet, see [`Seams::news`].
    pub seams: &'n [u8],
    /// Bytes of the result.
    pub bytes: u64,
}

/// Walks every family of `pack` that the visitors want, each thread with a visitor of its own from `visitor`; `done` takes them back.
pub fn walk<V: Visitor>(pack: &Pack<'_>, bounds: &Bounds, visitor: &(dyn Fn() -> V + Sync), done: &(dyn Fn(V) + Sync)) {
    let (large, small) = pack.roots();
    let tasks: Vec<&[u32]> = large.chunks(1).chain(small.chunks(TASK_ROOTS)).collect();
    let next = AtomicUsize::new(0);
    // One queue, the largest first: nobody waits for the last of the large ones.
    (0..rayon::current_num_threads()).into_par_iter().with_max_len(1).for_each(|_| {
        let mut walker = Done { walker: Some(Walker::new(pack, bounds, visitor())), done };
        while let Some(task) = tasks.get(next.fetch_add(1, Ordering::Relaxed)) {
            task.iter().for_each(|&root| walker.get(root));
        }
    });
}

/// Gives the visitor back when the thread is done with its part.
struct Done<'w, 'p, V: Visitor> {
    walker: Option<Walker<'w, 'p, V>>,
    done: &'w (dyn Fn(V) + Sync),
}

impl<V: Visitor> Done<'_, '_, V> {
    fn get(&mut self, root: u32) {
        if let Some(walker) = &mut self.walker {
            walker.family(root);
        }
    }
}

impl<V: Visitor> Drop for Done<'_, '_, V> {
    fn drop(&mut self) {
        if let Some(walker) = self.walker.take() {
            (self.done)(walker.visitor);
        }
    }
}

/// One base on the way down, with the deltas on it that are still to be done.
struct Frame<S> {
    entry: u32,
    next_child: u32,
    state: S,
    /// None where it was dropped to bound memory.
    buffer: Option<Buffer>,
}

/// The walk of one thread.
struct Walker<'w, 'p, V: Visitor> {
    pack: &'w Pack<'p>,
    bounds: &'w Bounds,
    visitor: V,
    inflater: Inflater,
    delta: Buffer,
    steps: Vec<Step>,
    news: Vec<u8>,
    start: Vec<u8>,
    end: Vec<u8>,
    pool: Pool,
    /// Whether the lowest base is none of this pack, and cannot be made again.
    is_outside: bool,
    stack: Vec<Frame<V::State>>,
    held_bytes: usize,
}

impl<'w, 'p, V: Visitor> Walker<'w, 'p, V> {
    fn new(pack: &'w Pack<'p>, bounds: &'w Bounds, visitor: V) -> Self {
        Self {
            pack,
            bounds,
            visitor,
            inflater: Inflater::default(),
            delta: Buffer::default(),
            steps: Vec::new(),
            news: Vec::new(),
            start: Vec::new(),
            end: Vec::new(),
            pool: Pool::default(),
            is_outside: false,
            stack: Vec::new(),
            held_bytes: 0,
        }
    }

    /// Walks the family of `root`.
    fn family(&mut self, root: u32) {
        let Some(entry) = self.pack.entry(root) else {
            return self.fault_all(root, "damaged pack entry");
        };
        let bounds = self.bounds;
        let is_large = entry.bytes > ALONE_BYTES;
        let _alone = is_large.then(|| bounds.alone());
        let kind = match entry.header {
            Header::OfsDelta { .. } => return self.fault_all(root, "delta on nothing"),
            Header::RefDelta { base_id } => return self.outside(root, base_id),
            ref header => header.as_kind().unwrap_or(Kind::Blob),
        };
        if !self.visitor.wants(kind) {
            return;
        }
        if entry.bytes > OBJECT_BYTES_MAX {
            return self.in_pieces(root, kind, &entry);
        }
        let Some(buffer) = self.whole(root, &entry) else {
            return self.fault_all(root, "damaged object");
        };
        let state = self.visitor.object(root, Object { kind, bytes: buffer.bytes() }, None);
        self.descend(root, kind, state, buffer);
    }

    /// Walks the deltas on `root`, whose content is in `buffer`.
    fn descend(&mut self, root: u32, kind: Kind, state: V::State, buffer: Buffer) {
        self.push(root, state, buffer);
        while let Some(frame) = self.stack.last_mut() {
            let child = frame.next_child;
            if child == NONE {
                self.pop();
                continue;
            }
            frame.next_child = self.pack.next_sibling(child);
            if frame.buffer.is_none() && !self.restore() {
                self.fault_all(child, "too large to be read again");
                continue;
            }
            self.child(child, kind);
        }
    }

    /// Resolves one delta on the frame on top.
    fn child(&mut self, child: u32, kind: Kind) {
        let made = self.resolve(child, kind);
        let Some(frame) = self.stack.last() else { return };
        if frame.next_child == NONE {
            self.pop();
        }
        match made {
            Ok(Some((state, buffer))) => self.push(child, state, buffer),
            Ok(None) => {}
            Err(reason) => self.fault_all(child, reason),
        }
    }

    /// The state and content of `child`; none where nobody needs its content.
    fn resolve(&mut self, child: u32, kind: Kind) -> Result<Option<(V::State, Buffer)>, &'static str> {
        let entry = self.pack.entry(child).ok_or("damaged pack entry")?;
        let Some(Frame { state, buffer: Some(base), .. }) = self.stack.last() else { return Err("delta on nothing") };
        let stream = self.pack.stream(child, entry.start);
        let delta = inflate_delta(&mut self.inflater, stream, entry.bytes, (&mut self.delta, &mut self.steps))?;
        if delta.base_bytes != base.bytes().len() as u64 {
            return Err("delta for another base");
        }
        if delta.result_bytes > OBJECT_BYTES_MAX {
            return Err("a delta that makes more than 128 MiB");
        }
        if !self.bounds.take(delta.result_bytes) {
            return Err(Bounds::REACHED);
        }
        let has_children = self.pack.first_child(child) != NONE;
        let is_needed = match self.visitor.seams() {
            None => true,
            Some(seams) => {
                seams.news(&delta, base.bytes(), &mut self.news).ok_or("damaged delta")?;
                let start = delta.start(base.bytes(), START_BYTES, &mut self.start).ok_or("damaged delta")?;
                let end = delta.end(base.bytes(), END_BYTES, &mut self.end).ok_or("damaged delta")?;
                let news =
                    News { start, end, inserted: delta.inserted(), seams: &self.news, bytes: delta.result_bytes };
                self.visitor.needs(kind, state, news)
            }
        };
        if !is_needed && !has_children {
            self.visitor.passed(child, kind, delta.result_bytes);
            return Ok(None);
        }
        let mut buffer = self.pool.take();
        let len = usize::try_from(delta.result_bytes).map_err(|_| "too large")?;
        delta.patch(base.bytes(), buffer.room(len)).ok_or("damaged delta")?;
        let state = if is_needed {
            self.visitor.object(child, Object { kind, bytes: buffer.bytes() }, Some(Base { state, delta }))
        } else {
            self.visitor.passed(child, kind, delta.result_bytes)
        };
        if has_children {
            return Ok(Some((state, buffer)));
        }
        self.pool.give(buffer);
        Ok(None)
    }

    fn push(&mut self, entry: u32, state: V::State, buffer: Buffer) {
        let next_child = self.pack.first_child(entry);
        if next_child == NONE {
            return self.pool.give(buffer);
        }
        self.pack.touch_children(entry);
        self.held_bytes += buffer.capacity();
        self.stack.push(Frame { entry, next_child, state, buffer: Some(buffer) });
        // What lies lowest is needed last.
        let top = self.stack.len() - 1;
        for at in usize::from(self.is_outside)..top {
            if self.held_bytes <= HELD_BYTES_MAX {
                break;
            }
            if let Some(buffer) = self.stack[at].buffer.take() {
                self.held_bytes -= buffer.capacity();
                self.pool.give(buffer);
            }
        }
    }

    fn pop(&mut self) {
        if let Some(buffer) = self.stack.pop().and_then(|frame| frame.buffer) {
            self.held_bytes -= buffer.capacity();
            self.pool.give(buffer);
        }
    }

    /// Makes the content of the frame on top again, from the nearest frame below it that still has its own.
    fn restore(&mut self) -> bool {
        let made = self.remake();
        match (made, self.stack.last_mut()) {
            (Some(buffer), Some(frame)) => {
                self.held_bytes += buffer.capacity();
                frame.buffer = Some(buffer);
                true
            }
            _ => false,
        }
    }

    fn remake(&mut self) -> Option<Buffer> {
        // If none is held, from the lowest, which then is of this pack.
        let held = self.stack.iter().rposition(|frame| frame.buffer.is_some()).unwrap_or(0);
        let mut made = if let Some(buffer) = &self.stack.get(held)?.buffer {
            let mut made = self.pool.take();
            made.room(buffer.bytes().len()).copy_from_slice(buffer.bytes());
            made
        } else {
            let root = self.stack[held].entry;
            self.whole(root, &self.pack.entry(root)?)?
        };
        for frame in &self.stack[held + 1..] {
            let number = frame.entry;
            let entry = self.pack.entry(number)?;
            let stream = self.pack.stream(number, entry.start);
            let delta =
                inflate_delta(&mut self.inflater, stream, entry.bytes, (&mut self.delta, &mut self.steps)).ok()?;
            (delta.base_bytes == made.bytes().len() as u64 && self.bounds.take(delta.result_bytes)).then_some(())?;
            let mut next = self.pool.take();
            delta.patch(made.bytes(), next.room(usize::try_from(delta.result_bytes).ok()?))?;
            self.pool.give(std::mem::replace(&mut made, next));
        }
        Some(made)
    }

    /// The content of an entry that is no delta.
    fn whole(&mut self, number: u32, entry: &Entry) -> Option<Buffer> {
        let stream = self.pack.stream(number, entry.start);
        if !is_plausible(stream, entry.bytes) || !self.bounds.take(entry.bytes) {
            return None;
        }
        let mut buffer = self.pool.take();
        let room = buffer.room(usize::try_from(entry.bytes).ok()?);
        if self.inflater.exact(stream, room) {
            return Some(buffer);
        }
        self.pool.give(buffer);
        None
    }

    /// A delta on an object that is not in this pack.
    fn outside(&mut self, root: u32, base: gix_hash::ObjectId) {
        let mut bytes = Vec::new();
        let Some((kind, state)) = self.visitor.outside(base, &mut bytes) else {
            return self.fault_all(root, "delta on an object that is not there");
        };
        if !self.visitor.wants(kind) {
            return;
        }
        let mut buffer = self.pool.take();
        buffer.room(bytes.len()).copy_from_slice(&bytes);
        self.held_bytes += buffer.capacity();
        self.stack.push(Frame { entry: NONE, next_child: NONE, state, buffer: Some(buffer) });
        let made = self.resolve_outside(root, kind);
        self.pop();
        match made {
            Ok((state, buffer)) => {
                self.is_outside = true;
                self.descend(root, kind, state, buffer);
                self.is_outside = false;
            }
            Err(reason) => self.fault_all(root, reason),
        }
    }

    fn resolve_outside(&mut self, root: u32, kind: Kind) -> Result<(V::State, Buffer), &'static str> {
        let entry = self.pack.entry(root).ok_or("damaged pack entry")?;
        let Some(Frame { buffer: Some(base), .. }) = self.stack.last() else { return Err("delta on nothing") };
        let stream = self.pack.stream(root, entry.start);
        let delta = inflate_delta(&mut self.inflater, stream, entry.bytes, (&mut self.delta, &mut self.steps))?;
        if delta.base_bytes != base.bytes().len() as u64 {
            return Err("delta for another base");
        }
        if delta.result_bytes > OBJECT_BYTES_MAX || !self.bounds.take(delta.result_bytes) {
            return Err("a delta that makes too much");
        }
        let mut buffer = Buffer::default();
        let len = usize::try_from(delta.result_bytes).map_err(|_| "too large")?;
        delta.patch(base.bytes(), buffer.room(len)).ok_or("damaged delta")?;
        Ok((self.visitor.object(root, Object { kind, bytes: buffer.bytes() }, None), buffer))
    }

    /// Reads an object that is too large to be held; deltas on it are left out.
    fn in_pieces(&mut self, root: u32, kind: Kind, entry: &Entry) {
        let stream = self.pack.stream(root, entry.start);
        let mut is_wanted = true;
        let mut stream = Stream::new(stream.into(), 0);
        while is_wanted {
            match stream.next() {
                Ok(Some(window)) if self.bounds.take(window.bytes.len() as u64) => {
                    is_wanted = self.visitor.piece(root, kind, window.bytes);
                }
                Ok(Some(_)) => return self.fault_all(root, Bounds::REACHED),
                Ok(None) => break,
                Err(_) => return self.fault_all(root, "damaged object"),
            }
        }
        if is_wanted && stream.bytes() != entry.bytes {
            return self.fault_all(root, "damaged object");
        }
        self.visitor.pieces_end(root, kind, stream.bytes());
        let pack = self.pack;
        pack.children(root).for_each(|child| self.fault_all(child, "a delta on more than 128 MiB"));
    }

    /// `entry` and everything based on it cannot be read.
    fn fault_all(&mut self, entry: u32, reason: &'static str) {
        let mut open = vec![entry];
        while let Some(entry) = open.pop() {
            self.visitor.fault(entry, reason);
            open.extend(self.pack.children(entry));
        }
    }
}

/// What the delta `entry` makes of `base`.
pub fn patched(inflater: &mut Inflater, pack: &Pack<'_>, entry: u32, base: &Buffer) -> Option<Buffer> {
    let header = pack.entry(entry)?;
    let (mut bytes, mut steps) = (Buffer::default(), Vec::new());
    let delta =
        inflate_delta(inflater, pack.stream(entry, header.start), header.bytes, (&mut bytes, &mut steps)).ok()?;
    if delta.result_bytes > OBJECT_BYTES_MAX {
        return None;
    }
    let mut made = Buffer::default();
    delta.patch(base.bytes(), made.room(usize::try_from(delta.result_bytes).ok()?))?;
    Some(made)
}

/// `entry`, its base, the base of that, up to a whole object.
pub fn chain(pack: &Pack<'_>, entry: u32) -> Vec<u32> {
    let mut chain = vec![entry];
    let mut at = entry;
    while let Some(base) = pack.base_of(at) {
        chain.push(base);
        at = base;
        if chain.len() > pack.len() as usize {
            break;
        }
    }
    chain
}

/// Whether `stream` can inflate to `bytes`: deflate makes at most 1,032 of one.
const fn is_plausible(stream: &[u8], bytes: u64) -> bool {
    bytes / 1_032 <= stream.len() as u64
}

fn inflate_delta<'d>(
    inflater: &mut Inflater,
    stream: &[u8],
    bytes: u64,
    (out, steps): (&'d mut Buffer, &'d mut Vec<Step>),
) -> Result<Delta<'d>, &'static str> {
    if bytes > OBJECT_BYTES_MAX || !is_plausible(stream, bytes) {
        return Err("a delta of more than 128 MiB");
    }
    let room = out.room(usize::try_from(bytes).map_err(|_| "too large")?);
    if !inflater.exact(stream, room) {
        return Err("damaged object");
    }
    Delta::read(out.bytes_mut(), steps).ok_or("damaged delta")
}
