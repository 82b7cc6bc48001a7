//! One pack: where its entries are, and which is a delta on which.
//!
//! The table comes from the pack's index where that agrees with the pack, and from reading the pack from its start
//! where it does not. No object is resolved here.

use super::bounds::Bounds;
use super::inflate::{Piece, Pieces};
use gix_hash::{Kind, ObjectId};
use gix_pack::data::{self, entry::Header};
use rayon::prelude::*;

/// No entry.
pub const NONE: u32 = u32::MAX;
/// A family with more members is large.
const LARGE_MEMBERS: u32 = 500;
/// Entries whose headers one task reads.
const CHUNK_ENTRIES: usize = 4_096;
/// The most deltas on one entry that are touched before any is read.
const TOUCHED_CHILDREN: usize = 16;
/// Of these, so many are touched before any is parsed.
const TOUCHED_ENTRIES: usize = 32;

/// The entries of one pack, in the order of the pack, as a forest of deltas on whole objects.
pub struct Pack<'p> {
    bytes: &'p [u8],
    object_hash: Kind,
    index: Option<&'p gix_pack::index::File>,
    /// The entries, in the order of the pack.
    entries: Vec<Node>,
    /// The place of each entry in the index.
    places: Vec<u32>,
    /// Entries that are no delta on another entry of this pack: first those with many deltas below them, the most first, then the others.
    roots: Vec<u32>,
    /// How many of the roots are the first sort.
    large: usize,
    /// Whether a delta lies before its base, as one that names it may: only then can deltas go in circles.
    has_later_bases: bool,
    /// Where reading stopped because the pack is damaged.
    pub damaged: Option<String>,
}

/// What is kept of an entry; together, since one is read with the other.
#[derive(Clone, Copy)]
struct Node {
    /// Where it starts.
    offset: u64,
    /// The first delta on it, and the next one on its own base.
    first_child: u32,
    next_sibling: u32,
}

impl Node {
    const fn at(offset: u64) -> Self {
        Self { offset, first_child: NONE, next_sibling: NONE }
    }
}

/// Finds entries by where they start: most often there is one a bucket.
struct Buckets {
    /// Bits of an offset that do not tell its bucket.
    shift: u32,
    /// The first entry that starts in each bucket or behind it.
    firsts: Vec<u32>,
}

impl Buckets {
    fn new(entries: &[Node], bytes: usize) -> Self {
        let shift = bytes.checked_div(entries.len()).unwrap_or_default().max(1).ilog2();
        let mut firsts = Vec::with_capacity((bytes >> shift) + 2);
        for (number, entry) in (0..).zip(entries) {
            let bucket = usize::try_from(entry.offset >> shift).unwrap_or(usize::MAX);
            firsts.resize(firsts.len().max(bucket + 1), number);
        }
        firsts.push(u32::try_from(entries.len()).unwrap_or(NONE));
        Self { shift, firsts }
    }

    fn find(&self, entries: &[Node], offset: u64) -> Option<u32> {
        let bucket = usize::try_from(offset >> self.shift).ok()?;
        let &[first, last] = self.firsts.get(bucket..bucket + 2)? else { return None };
        let within = entries.get(first as usize..last as usize)?;
        let at = within.binary_search_by_key(&offset, |entry| entry.offset).ok()?;
        u32::try_from(first as usize + at).ok()
    }
}

/// The index of a pack.
pub struct Index {
    /// Names and places of its entries.
    pub file: gix_pack::index::File,
    /// git's reverse index, if there is one: the numbers that entries have in the index, in the order of the pack.
    pub reverse: Vec<u8>,
}

/// What the header of an entry says.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What it is, if it is no delta.
    pub header: Header,
    /// Bytes it inflates to.
    pub bytes: u64,
    /// Where its stream starts in the pack.
    pub start: usize,
}

/// What an entry is based on.
enum Base {
    None,
    At(u64),
    Object(ObjectId),
}

impl<'p> Pack<'p> {
    /// Over `bytes`, a whole pack, with its index if there is one; without, all of it is inflated within `bounds` to find its entries.
    pub fn new(bytes: &'p [u8], object_hash: Kind, index: Option<&'p Index>, bounds: &Bounds) -> Self {
        let mut pack = Self {
            bytes,
            object_hash,
            index: index.map(|index| &index.file),
            entries: Vec::new(),
            places: Vec::new(),
            roots: Vec::new(),
            large: 0,
            has_later_bases: false,
            damaged: None,
        };
        if !index.is_some_and(|index| pack.take_index(index)) {
            pack.index = None;
            pack.read_through(bounds);
        }
        pack.plant();
        pack
    }

    /// Number of entries.
    pub fn len(&self) -> u32 {
        u32::try_from(self.entries.len()).unwrap_or(NONE)
    }

    /// Bytes of the whole pack.
    pub const fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Entries that are no delta on another entry of this pack: those with families so large that they should be started
    /// early, and the others.
    pub fn roots(&self) -> (&[u32], &[u32]) {
        self.roots.split_at(self.large)
    }

    /// The first delta on `entry`, or [`NONE`].
    pub fn first_child(&self, entry: u32) -> u32 {
        self.entries[entry as usize].first_child
    }

    /// The next delta on the base of `entry`, or [`NONE`].
    pub fn next_sibling(&self, entry: u32) -> u32 {
        self.entries[entry as usize].next_sibling
    }

    /// The deltas on `entry`.
    pub fn children(&self, entry: u32) -> impl Iterator<Item = u32> {
        let some = |child: u32| Some(child).filter(|&child| child != NONE);
        std::iter::successors(some(self.first_child(entry)), move |&child| some(self.next_sibling(child)))
    }

    /// The header of `entry`.
    pub fn entry(&self, entry: u32) -> Option<Entry> {
        read_entry(self.bytes, self.offset(entry), self.object_hash)
    }

    /// The stream of `entry`, whose header says that it starts at `start`.
    pub fn stream(&self, entry: u32, start: usize) -> &'p [u8] {
        let next = self.entries.get(entry as usize + 1).and_then(|next| usize::try_from(next.offset).ok());
        self.bytes.get(start..next.unwrap_or(self.end())).unwrap_or_default()
    }

    /// The name of `entry`, where an index gives it.
    pub fn id(&self, entry: u32) -> Option<ObjectId> {
        Some(self.index?.oid_at_index(*self.places.get(entry as usize)?).to_owned())
    }

    /// Where `entry` starts in the pack.
    pub fn offset(&self, entry: u32) -> u64 {
        self.entries[entry as usize].offset
    }

    /// The entry called `id`.
    pub fn find(&self, id: &ObjectId) -> Option<u32> {
        let index = self.index?;
        self.at(index.pack_offset_at_index(index.lookup(id)?))
    }

    /// The entry that `entry` is a delta on.
    pub fn base_of(&self, entry: u32) -> Option<u32> {
        self.base_at(self.offset(entry), |offset| self.at(offset))
    }

    /// The entry that the one at `offset` is a delta on; `at` gives the entry at an offset.
    fn base_at(&self, offset: u64, at: impl Fn(u64) -> Option<u32>) -> Option<u32> {
        match self.base(offset) {
            Base::None => None,
            Base::At(offset) => at(offset),
            Base::Object(id) => self.find(&id),
        }
    }

    /// Entries that no walk from a root meets: deltas that go in circles.
    pub fn circles(&self) -> Vec<u32> {
        if !self.has_later_bases {
            return Vec::new();
        }
        let mut is_met = vec![false; self.entries.len()];
        let mut open: Vec<u32> = self.roots.clone();
        while let Some(entry) = open.pop() {
            is_met[entry as usize] = true;
            open.extend(self.children(entry));
        }
        (0..self.len()).filter(|&entry| !is_met[entry as usize]).collect()
    }

    fn at(&self, offset: u64) -> Option<u32> {
        u32::try_from(self.entries.binary_search_by_key(&offset, |entry| entry.offset).ok()?).ok()
    }

    /// Takes the offsets of `index`, if it has as many as the pack says it holds and all lie in the pack.
    fn take_index(&mut self, index: &Index) -> bool {
        let count = index.file.num_objects();
        if entries_told(self.bytes) != Some(count) {
            return false;
        }
        let pair = |place: u32| (index.file.pack_offset_at_index(place), place);
        let is_ascending = |pairs: &[(u64, u32)]| pairs.windows(2).all(|pair| pair[0].0 < pair[1].0);
        // In the right order they are as many different ones as there are, whoever wrote it.
        let told = order(&index.reverse, count);
        let told =
            told.map(|places| places.into_par_iter().map(pair).collect()).filter(|pairs: &Vec<_>| is_ascending(pairs));
        let pairs = told.unwrap_or_else(|| {
            let mut pairs: Vec<_> = (0..count).into_par_iter().map(pair).collect();
            pairs.par_sort_unstable();
            pairs
        });
        let end = self.end() as u64;
        let is_sound = is_ascending(&pairs)
            && pairs.first().is_none_or(|first| first.0 == data::header::SIZE as u64)
            && pairs.last().is_none_or(|last| last.0 < end);
        if is_sound {
            self.entries = pairs.iter().map(|pair| Node::at(pair.0)).collect();
            self.places = pairs.into_iter().map(|pair| pair.1).collect();
        }
        is_sound
    }

    /// Finds the entries by inflating one after another.
    fn read_through(&mut self, bounds: &Bounds) {
        let Some(count) = entries_told(self.bytes) else {
            self.damaged = Some("it does not start like a pack".into());
            return;
        };
        let end = self.end();
        let mut offset = data::header::SIZE;
        let mut scratch = vec![0; 64 << 10];
        for number in 0..count {
            let next = read_entry(self.bytes, offset as u64, self.object_hash).and_then(|entry| {
                let length = stream_bytes(self.bytes.get(entry.start..end)?, &mut scratch, bounds)?;
                Some(entry.start + length)
            });
            let Some(next) = next else {
                let reason = if bounds.is_reached() { Bounds::REACHED } else { "damaged" };
                self.damaged = Some(format!("{reason} at entry {number} of {count}, byte {offset}"));
                return;
            };
            self.entries.push(Node::at(offset as u64));
            offset = next;
        }
    }

    /// Links each delta to its base.
    fn plant(&mut self) {
        let buckets = Buckets::new(&self.entries, self.bytes.len());
        let at = |offset: u64| buckets.find(&self.entries, offset);
        let mut bases = vec![NONE; self.entries.len()];
        bases.par_chunks_mut(CHUNK_ENTRIES).enumerate().for_each(|(chunk, bases)| {
            let first = chunk * CHUNK_ENTRIES;
            for (start, bases) in (first..).step_by(TOUCHED_ENTRIES).zip(bases.chunks_mut(TOUCHED_ENTRIES)) {
                self.touch(self.entries[start..start + bases.len()].iter().map(|entry| entry.offset));
                for (entry, base) in self.entries[start..].iter().zip(bases) {
                    *base = self.base_at(entry.offset, at).unwrap_or(NONE);
                }
            }
        });
        // Bases come before their deltas, but for some that are named; those families only seem smaller.
        let mut members = vec![1_u32; bases.len()];
        let (mut large, mut small): (Vec<u32>, Vec<u32>) = (Vec::new(), Vec::new());
        for (number, &base) in bases.iter().enumerate().rev() {
            let Ok(entry) = u32::try_from(number) else { continue };
            if base == NONE {
                (if members[number] > LARGE_MEMBERS { &mut large } else { &mut small }).push(entry);
            } else {
                self.has_later_bases |= base >= entry;
                self.entries[number].next_sibling = self.entries[base as usize].first_child;
                self.entries[base as usize].first_child = entry;
                members[base as usize] = members[base as usize].saturating_add(members[number]);
            }
        }
        self.large = large.len();
        large.sort_unstable_by_key(|&root| std::cmp::Reverse(members[root as usize]));
        self.roots = large.into_iter().chain(small.into_iter().rev()).collect();
    }

    /// Reads a byte at each of `offsets`: the waits for memory overlap, which those of parsing one header after another do not.
    fn touch(&self, offsets: impl Iterator<Item = u64>) {
        let byte = |offset| usize::try_from(offset).ok().and_then(|at| self.bytes.get(at)).copied().unwrap_or(0);
        std::hint::black_box(offsets.map(byte).fold(0, |all, byte| all | byte));
    }

    /// Touches the deltas on `entry`, or some of them, which are read next.
    pub fn touch_children(&self, entry: u32) {
        self.touch(self.children(entry).take(TOUCHED_CHILDREN).map(|child| self.offset(child)));
    }

    /// What the entry at `offset` is a delta on.
    fn base(&self, offset: u64) -> Base {
        match read_entry(self.bytes, offset, self.object_hash).map(|entry| entry.header) {
            Some(Header::OfsDelta { base_distance }) if base_distance > 0 => {
                offset.checked_sub(base_distance).map_or(Base::None, Base::At)
            }
            Some(Header::RefDelta { base_id }) => Base::Object(base_id),
            _ => Base::None,
        }
    }

    /// Where the checksum behind the last entry starts.
    fn end(&self) -> usize {
        self.bytes.len().saturating_sub(self.object_hash.len_in_bytes())
    }
}

/// The order that the reverse index of a pack with `count` entries tells; see gitformat-pack(5).
fn order(reverse: &[u8], count: u32) -> Option<Vec<u32>> {
    let places = reverse.strip_prefix(b"RIDX\0\0\0\x01")?.get(4..)?.chunks_exact(4).take(count as usize);
    let places =
        places.filter_map(|place| Some(u32::from_be_bytes(*place.first_chunk()?)).filter(|&place| place < count));
    let places: Vec<u32> = places.collect();
    (places.len() == count as usize).then_some(places)
}

/// How many entries a pack says it holds.
fn entries_told(bytes: &[u8]) -> Option<u32> {
    let header = bytes.first_chunk::<{ data::header::SIZE }>()?;
    Some(data::header::decode(header).ok()?.1)
}

/// Reads the header at `offset`: kind and size, and for a delta what it is based on; see gitformat-pack(5).
///
/// Of [`data::Entry::from_bytes`], the part that matters here; it is called twice for each of millions of entries.
fn read_entry(bytes: &[u8], offset: u64, object_hash: Kind) -> Option<Entry> {
    let mut at = usize::try_from(offset).ok()?;
    let mut next = || {
        let byte = *bytes.get(at)?;
        at += 1;
        Some(byte)
    };
    let first = next()?;
    let (mut size, mut shift, mut more) = (u64::from(first & 15), 4, first & 0x80 != 0);
    while more {
        let byte = next()?;
        size |= u64::from(byte & 0x7f).checked_shl(shift).filter(|_| shift < 60)?;
        (shift, more) = (shift + 7, byte & 0x80 != 0);
    }
    let header = match first >> 4 & 7 {
        1 => Header::Commit,
        2 => Header::Tree,
        3 => Header::Blob,
        4 => Header::Tag,
        6 => {
            let mut byte = next()?;
            let mut base_distance = u64::from(byte & 0x7f);
            while byte & 0x80 != 0 {
                byte = next()?;
                base_distance = (base_distance + 1).checked_mul(128)? | u64::from(byte & 0x7f);
            }
            Header::OfsDelta { base_distance }
        }
        7 => {
            let end = at + object_hash.len_in_bytes();
            let base_id = ObjectId::try_from(bytes.get(at..end)?).ok()?;
            at = end;
            Header::RefDelta { base_id }
        }
        _ => return None,
    };
    Some(Entry { header, bytes: size, start: at })
}

/// Bytes that the stream at the start of `from` takes.
fn stream_bytes(from: &[u8], scratch: &mut [u8], bounds: &Bounds) -> Option<usize> {
    let mut pieces = Pieces::default();
    loop {
        let (piece, filled) = pieces.next(from, scratch)?;
        if !bounds.take(filled as u64) {
            return None;
        }
        if piece == Piece::End {
            break;
        }
    }
    usize::try_from(pieces.consumed()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 20_000, rng_seed: RngSeed::Fixed(4), failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn headers_are_read_as_the_library_reads_them(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let theirs = data::Entry::from_bytes(&bytes, 0, Kind::Sha1).ok();
            let theirs = theirs.map(|entry| (entry.header, entry.decompressed_size, entry.data_offset));
            if let Some(ours) = read_entry(&bytes, 0, Kind::Sha1) {
                prop_assert_eq!(Some((ours.header, ours.bytes, ours.start as u64)), theirs);
            } else {
                // Sizes and distances beyond what fits are refused here.
                let is_huge = theirs.is_none_or(|(header, size, _)| match header {
                    Header::OfsDelta { base_distance } => (size | base_distance) >> 56 > 0,
                    _ => size >> 56 > 0,
                });
                prop_assert!(is_huge);
            }
        }
    }
}
