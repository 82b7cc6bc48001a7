//! The entries of a tree that matter for a lineage, made for each delta from those of its base.
//!
//! A delta on a tree most often changes one entry in hundreds, so only what is around the change is read again.

use gix_hash::ObjectId;
use std::collections::HashMap;

/// From one noted start of an entry to the next, in entries.
const MARK_ENTRIES: usize = 16;

/// The first eight bytes of a name: enough to tell the objects of one store apart.
pub type Short = u64;

/// An entry of a tree, as far as it matters here: what it names, and its name hashed.
pub type Item = (Short, u64);

/// The objects asked for.
pub struct Targets {
    /// Short names with the targets' numbers.
    pub sorted: Vec<(Short, u32)>,
    /// A bit for each possible start of two bytes: most entries of most trees end at it.
    filter: Vec<u64>,
}

impl Targets {
    /// Numbered as they come.
    pub fn new(ids: &[ObjectId]) -> Self {
        let mut sorted: Vec<(Short, u32)> = (0..).zip(ids).map(|(number, id)| (short(id), number)).collect();
        sorted.sort_unstable();
        let mut filter = vec![0; 1 << 10];
        for (short, _) in &sorted {
            let (word, bit) = Self::bit(*short);
            filter[word] |= bit;
        }
        Self { sorted, filter }
    }

    const fn bit(short: Short) -> (usize, u64) {
        let start = (short >> 48) as usize;
        (start >> 6, 1 << (start & 63))
    }

    /// Whether an object is one.
    pub fn contains(&self, short: Short) -> bool {
        let (word, bit) = Self::bit(short);
        self.filter[word] & bit != 0 && self.sorted.binary_search_by_key(&short, |target| target.0).is_ok()
    }

    /// The numbers of an object.
    pub fn numbers(&self, short: Short) -> impl Iterator<Item = u32> + '_ {
        let from = self.sorted.partition_point(|target| target.0 < short);
        self.sorted[from..].iter().take_while(move |target| target.0 == short).map(|target| target.1)
    }
}

/// What is known of one tree.
#[derive(Default)]
pub struct Listed {
    /// Trees in it and targets, with where their entries start; in order.
    items: Vec<(u32, Item)>,
    /// Where entries start, one in [`MARK_ENTRIES`] or more; ascending.
    marks: Vec<u32>,
    /// Bytes of the tree.
    len: u32,
}

/// What reads trees: how long names are, what is wanted, and the names met.
pub struct Lister<'l> {
    /// Bytes of an object's name.
    pub id_len: usize,
    /// What is looked for beside trees.
    pub wanted: &'l Targets,
    /// Names of entries by their hash.
    pub names: &'l mut HashMap<u64, Vec<u8>>,
}

/// What a delta makes of a list.
pub struct Change {
    /// The list of the result.
    pub listed: Listed,
    /// What it has; some of it the base has, too.
    pub added: Vec<Item>,
    /// What the base had where the result differs.
    pub removed: Vec<Item>,
}

impl Lister<'_> {
    /// Reads a whole tree.
    pub fn list(&mut self, bytes: &[u8]) -> Listed {
        let mut listed = Listed { len: length(bytes.len()), ..Listed::default() };
        self.read(bytes, 0, &mut listed, &|_| false);
        listed
    }

    /// Reads the tree `bytes`, which has the first `ends.0` bytes and the last `ends.1` bytes of the tree that `base` lists.
    pub fn change(&mut self, base: &Listed, bytes: &[u8], ends: (usize, usize)) -> Change {
        let kept = base.marks.partition_point(|&mark| mark as usize <= ends.0);
        let from = kept.checked_sub(1).map_or(0, |last| base.marks[last]);
        let mut listed = Listed {
            items: base.items.iter().copied().take_while(|item| item.0 < from).collect(),
            marks: base.marks[..kept.saturating_sub(1)].to_vec(),
            len: length(bytes.len()),
        };
        let first_new = listed.items.len();
        // An entry that starts in what the two end with, and starts one in the base: from there on they are the same.
        let in_base = |at: usize| (at + base.len as usize).checked_sub(bytes.len()).map(length);
        let is_same = |at: usize| {
            at + ends.1 >= bytes.len() && in_base(at).is_some_and(|at| base.marks.binary_search(&at).is_ok())
        };
        let end = self.read(bytes, from as usize, &mut listed, &is_same);
        let resumed = if is_same(end) { in_base(end).unwrap_or(base.len) } else { base.len };
        let added: Vec<Item> = listed.items[first_new..].iter().map(|item| item.1).collect();
        let old = base.items.iter().filter(|item| (from..resumed).contains(&item.0)).map(|item| item.1);
        // A tree that has the same entry twice still has it when one of them goes.
        let rest = || base.items.iter().filter(|item| !(from..resumed).contains(&item.0)).map(|item| item.1);
        let removed = old.filter(|item| !rest().any(|other| other == *item)).collect();
        let moved = |at: u32| at - resumed + length(end);
        listed.items.extend(base.items.iter().filter(|item| item.0 >= resumed).map(|item| (moved(item.0), item.1)));
        listed.marks.extend(base.marks.iter().filter(|mark| **mark >= resumed).map(|&mark| moved(mark)));
        Change { listed, added, removed }
    }

    /// Reads entries from `from` until `is_end` says so of where one starts, or to the end; gives where it ended.
    fn read(&mut self, bytes: &[u8], from: usize, listed: &mut Listed, is_end: &dyn Fn(usize) -> bool) -> usize {
        let mut at = from;
        let mut count = 0;
        while let Some(nul) = bytes.get(at..).and_then(|rest| memchr::memchr(0, rest)) {
            if at > from && is_end(at) {
                return at;
            }
            if count % MARK_ENTRIES == 0 {
                listed.marks.push(length(at));
            }
            count += 1;
            let (entry, behind) = (&bytes[at..at + nul], at + nul + 1);
            let Some(id) = bytes.get(behind..behind + self.id_len) else { break };
            if let Some(item) = self.item(entry, id) {
                listed.items.push((length(at), item));
            }
            at = behind + self.id_len;
        }
        bytes.len()
    }

    fn item(&mut self, entry: &[u8], id: &[u8]) -> Option<Item> {
        // Files start with 100 and links with 12: one look at a byte tells almost all.
        let is_tree =
            matches!(entry, [b'4', b'0', b'0', b'0', b'0', b' ', ..] | [b'0', b'4', b'0', b'0', b'0', b'0', b' ', ..]);
        let short = first_eight(id);
        if !is_tree && !self.wanted.contains(short) {
            return None;
        }
        let name = memchr::memchr(b' ', entry).map_or(entry, |space| &entry[space + 1..]);
        let hash = hash(name);
        self.names.entry(hash).or_insert_with(|| name.to_vec());
        Some((short, hash))
    }
}

impl Listed {
    /// The trees in it and the targets.
    pub fn items(&self) -> Vec<Item> {
        self.items.iter().map(|item| item.1).collect()
    }
}

/// Trees are held in memory, so that none has 4 GiB.
fn length(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

/// FNV-1a: names are short, and one that collides only shows under another's name.
pub fn hash(name: &[u8]) -> u64 {
    name.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The short name of an object.
pub fn short(id: &ObjectId) -> Short {
    first_eight(id.as_slice())
}

fn first_eight(id: &[u8]) -> Short {
    id.first_chunk().map_or(0, |first| u64::from_be_bytes(*first))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    /// A tree with a folder or a file for each number, named by it.
    fn tree(entries: &[(u8, u8)]) -> Vec<u8> {
        let entry = |&(name, id): &(u8, u8)| {
            let mode = if id % 2 == 0 { "40000" } else { "100644" };
            [format!("{mode} n{name}\0").as_bytes(), &[id; 20]].concat()
        };
        entries.iter().flat_map(entry).collect()
    }

    /// How many bytes at the start and at the end are the same.
    fn ends(one: &[u8], other: &[u8]) -> (usize, usize) {
        let head = one.iter().zip(other).take_while(|(one, other)| one == other).count();
        let (one, other) = (&one[head..], &other[head..]);
        (head, one.iter().rev().zip(other.iter().rev()).take_while(|(one, other)| one == other).count())
    }

    proptest! {
        #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(3), failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_changed_list_is_that_of_the_whole_tree(
            entries in proptest::collection::vec((any::<u8>(), 0..40_u8), 0..120),
            cut in 0..120_usize, gone in 0..40_usize,
            new in proptest::collection::vec((any::<u8>(), 0..40_u8), 0..30),
            again in 0..120_usize, torn in 0..400_usize,
        ) {
            let targets = Targets::new(&[ObjectId::from_bytes_or_panic(&[7; 20]), ObjectId::from_bytes_or_panic(&[8; 20])]);
            let mut names = HashMap::new();
            let mut lister = Lister { id_len: 20, wanted: &targets, names: &mut names };
            let cut = cut.min(entries.len());
            let end = entries.len().min(cut + gone);
            let second = [&entries[..cut], &new, &entries[end..]].concat();
            let mut third = second.clone();
            third.truncate(again);
            let third = tree(&third);
            let trees = [tree(&entries), tree(&second), third.clone(), third[..torn.min(third.len())].to_vec()];
            let mut listed = lister.list(&trees[0]);
            for pair in trees.windows(2) {
                let whole = lister.list(&pair[1]);
                let before = listed.items();
                let change = lister.change(&listed, &pair[1], ends(&pair[0], &pair[1]));
                prop_assert_eq!(&change.listed.items, &whole.items);
                for item in before.iter().filter(|item| !whole.items().contains(item)) {
                    prop_assert!(change.removed.contains(item));
                }
                for item in whole.items().iter().filter(|item| !before.contains(item)) {
                    prop_assert!(change.added.contains(item));
                }
                prop_assert!(change.removed.iter().all(|item| !whole.items().contains(item) || change.added.contains(item)));
                listed = change.listed;
            }
        }
    }
}
