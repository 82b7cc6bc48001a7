//! What the objects in a pack without an index are called, which only their content says.
//!
//! Each object is made once, a base dropped with its last delta, and nothing is kept but names. What cannot be made has
//! none.

use super::bounds::Bounds;
use super::inflate::{Buffer, Inflater};
use super::pack::Pack;
use super::walk::{OBJECT_BYTES_MAX, patched};
use gix_hash::{Kind as Hash, ObjectId};
use gix_object::Kind;
use gix_pack::data::entry::Header;
use std::collections::BTreeMap;

/// Bytes of bases held at once; deltas that need more have no names.
const HELD_BYTES_MAX: usize = 256 << 20;

/// The names in one pack.
pub struct Names {
    /// Sorted by name, with the number of the entry.
    entries: Vec<(ObjectId, u32)>,
}

/// The object called so, if it is elsewhere.
pub type Outside<'o> = dyn Fn(&ObjectId, &mut Vec<u8>) -> Option<Kind> + 'o;

impl Names {
    /// Of everything in `pack`, deltas by name on its own objects and on those of `outside` included.
    pub fn new(pack: &Pack<'_>, object_hash: Hash, outside: &Outside<'_>) -> Self {
        let mut namer = Namer {
            pack,
            object_hash,
            bounds: Bounds::new(pack.bytes() as u64),
            inflater: Inflater::default(),
            waiting: BTreeMap::new(),
            entries: Vec::new(),
        };
        let mut whole = Vec::new();
        let (large, small) = pack.roots();
        for &root in large.iter().chain(small) {
            match pack.entry(root).map(|entry| entry.header) {
                Some(Header::RefDelta { base_id }) => namer.waiting.entry(base_id).or_default().push(root),
                Some(header) => whole.extend(header.as_kind().map(|kind| (root, kind))),
                None => {}
            }
        }
        for (root, kind) in whole {
            if let Some(buffer) = namer.whole(root) {
                namer.family(root, kind, buffer);
            }
        }
        for base in namer.waiting.keys().copied().collect::<Vec<_>>() {
            let mut bytes = Vec::new();
            // Another family may have had what these waited for.
            if let Some(kind) = namer.waiting.contains_key(&base).then(|| outside(&base, &mut bytes)).flatten() {
                let children = namer.waiting.remove(&base).unwrap_or_default();
                let mut buffer = Buffer::default();
                buffer.room(bytes.len()).copy_from_slice(&bytes);
                namer.descend(Frame { buffer, children }, kind);
            }
        }
        namer.entries.sort_unstable();
        namer.entries.dedup_by_key(|entry| entry.0);
        Self { entries: namer.entries }
    }

    /// The entry called `id`.
    pub fn find(&self, id: &ObjectId) -> Option<u32> {
        let at = self.entries.binary_search_by_key(&id, |entry| &entry.0).ok()?;
        Some(self.entries[at].1)
    }
}

/// A base, and the deltas on it that are still to be made.
struct Frame {
    buffer: Buffer,
    children: Vec<u32>,
}

struct Namer<'n, 'p> {
    pack: &'n Pack<'p>,
    object_hash: Hash,
    bounds: Bounds,
    inflater: Inflater,
    /// Deltas by name, by what they are based on.
    waiting: BTreeMap<ObjectId, Vec<u32>>,
    entries: Vec<(ObjectId, u32)>,
}

impl Namer<'_, '_> {
    fn whole(&mut self, root: u32) -> Option<Buffer> {
        let entry = self.pack.entry(root).filter(|entry| entry.bytes <= OBJECT_BYTES_MAX)?;
        let stream = self.pack.stream(root, entry.start);
        // Deflate makes at most 1,032 bytes of one.
        let is_plausible = entry.bytes / 1_032 <= stream.len() as u64;
        (is_plausible && self.bounds.take(entry.bytes)).then_some(())?;
        let mut buffer = Buffer::default();
        self.inflater.exact(stream, buffer.room(usize::try_from(entry.bytes).ok()?)).then_some(buffer)
    }

    fn family(&mut self, root: u32, kind: Kind, buffer: Buffer) {
        let children = self.name(root, kind, &buffer);
        self.descend(Frame { buffer, children }, kind);
    }

    /// Names an object; gives the deltas on it.
    fn name(&mut self, entry: u32, kind: Kind, buffer: &Buffer) -> Vec<u32> {
        let mut children: Vec<u32> = self.pack.children(entry).collect();
        if let Ok(id) = gix_object::compute_hash(self.object_hash, kind, buffer.bytes()) {
            self.entries.push((id, entry));
            children.extend(self.waiting.remove(&id).unwrap_or_default());
        }
        children
    }

    /// Makes and names everything that is based on `first`, which is of `kind`.
    fn descend(&mut self, first: Frame, kind: Kind) {
        let mut held = first.buffer.bytes().len();
        let mut stack = vec![first];
        while let Some(frame) = stack.last_mut() {
            let child = frame.children.pop();
            let made = child.and_then(|child| patched(&mut self.inflater, self.pack, child, &frame.buffer));
            if frame.children.is_empty() {
                held -= frame.buffer.bytes().len();
                stack.pop();
            }
            let (Some(child), Some(buffer)) = (child, made) else { continue };
            held += buffer.bytes().len();
            if held > HELD_BYTES_MAX || !self.bounds.take(buffer.bytes().len() as u64) {
                return;
            }
            let children = self.name(child, kind, &buffer);
            stack.push(Frame { buffer, children });
        }
    }
}
