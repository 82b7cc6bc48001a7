//! Where a delta puts beside each other what did not stand so in its base.
//!
//! A match that is new stands in what a delta inserts, which is searched as it is, or lies across such a place. Almost no place can be
//! part of one, and a few bytes on its two sides tell; where they do not, what is around is written out to be searched.

use super::delta::Delta;

/// What matches may be made of, and how much of what a delta copies they need.
#[derive(Clone, Copy)]
pub struct Seams<'s> {
    /// Bytes of the longest match that is told by its spelling, but one: that one stands on the other side.
    pub reach: usize,
    /// What follows what in those.
    pub pairs: &'s Pairs,
    /// Bytes of the shortest match that is told only as a whole.
    pub run_min: usize,
    /// What each byte may be part of in those.
    pub parts: &'s [Part; 256],
}

/// Which byte may follow which. Few bytes, to stay near: it knows the second of two by its low five bits.
pub struct Pairs(Box<[u32; 256]>);

impl FromIterator<[u8; 2]> for Pairs {
    fn from_iter<I: IntoIterator<Item = [u8; 2]>>(pairs: I) -> Self {
        let mut bits = Box::new([0; 256]);
        for [first, second] in pairs {
            bits[usize::from(first)] |= 1 << (second & 31);
        }
        Self(bits)
    }
}

impl Pairs {
    fn has(&self, first: u8, second: u8) -> bool {
        self.0[usize::from(first)] >> (second & 31) & 1 != 0
    }
}

/// What a byte may be part of that is no word and no number.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Part(u8);

impl Part {
    /// Nothing.
    pub const NONE: Self = Self(Self::BETWEEN);
    /// Runs that are told only as a whole, such as of base64.
    pub const RUN: Self = Self(Self::IN_RUN | Self::BETWEEN);
    /// The same, and numbers in lists.
    pub const BOTH: Self = Self(Self::IN_RUN | Self::IN_LIST);
    /// What stands between the numbers of a list.
    pub const LIST: Self = Self(Self::IN_LIST | Self::BETWEEN);

    const IN_RUN: u8 = 1;
    const IN_LIST: u8 = 2;
    const BETWEEN: u8 = 4;

    const fn is_in(self, what: u8) -> bool {
        self.0 & what != 0
    }
}

/// Stands where something was passed over; part of no match.
pub const PASSED_OVER: u8 = 1;
/// Pieces of at least so many bytes tell at their ends how far a run in them reaches.
const LONG: usize = GROUPS * GROUP;
/// Bytes that are looked at together.
const GROUP: usize = 8;
/// Groups in which a run has to end that counts as short.
const GROUPS: usize = 3;
/// The shortest line of a run that goes on in the next line.
const LINE_MIN: usize = 20;
/// More of a list is not looked at.
const LIST_MAX: usize = 64 << 10;
/// The most bytes between two lines of a run.
const BREAK_MAX: usize = 64;

/// The steps between two long copies, and what they may be part of.
#[derive(Clone, Copy, Default)]
struct Island {
    /// The first of them.
    first: usize,
    /// A match that is told by its spelling.
    is_met: bool,
    /// One that is told as a whole.
    has_run: bool,
    /// Whether the copy before them was written whole.
    is_joined: bool,
}

impl Seams<'_> {
    /// Writes to `out` all that can hold a match which neither `base` nor an insertion of `delta` holds; none where the base is too short.
    ///
    /// Between two long copies lie the steps that may be part of one match. The most bytes that a run across their ends can have are
    /// counted; only where they are enough for a match, or a pair of bytes occurs in one, are they written, with the copies beside
    /// them as far as a match reaches into those.
    pub fn news(self, delta: &Delta<'_>, base: &[u8], out: &mut Vec<u8>) -> Option<()> {
        out.clear();
        // A copy is long if its ends are apart, too.
        let long = LONG.max(self.reach + 1);
        let (mut island, mut before, mut run): (Island, &[u8], usize) = (Island::default(), &[], 0);
        for (number, &step) in delta.steps().iter().enumerate() {
            let piece = delta.piece(step, base)?;
            island.is_met |= self.meet(before, piece);
            before = piece;
            if piece.len() < long {
                run += piece.len();
                island.has_run |= run >= self.run_min;
                continue;
            }
            island.has_run |= number > 0 && run + self.bound(piece.chunks_exact(GROUP)) >= self.run_min;
            run = self.bound(piece.rchunks_exact(GROUP));
            if !step.is_copy() {
                continue;
            }
            let mut is_whole = false;
            if island.is_met || island.has_run {
                self.write(island, delta, base, (number, out))?;
                let head = if island.has_run { self.head(piece) } else { self.reach };
                out.extend_from_slice(&piece[..head]);
                is_whole = head == piece.len();
                if !is_whole {
                    out.push(PASSED_OVER);
                }
            }
            // What is copied whole belongs to what comes after it, too.
            island = Island { first: number + 1, is_met: false, has_run: is_whole, is_joined: is_whole };
        }
        if island.is_met || island.has_run {
            self.write(island, delta, base, (delta.steps().len(), out))?;
        }
        Some(())
    }

    /// Writes the steps of `island` up to `end`, and the end of the copy before it.
    fn write(self, island: Island, delta: &Delta<'_>, base: &[u8], (end, out): (usize, &mut Vec<u8>)) -> Option<()> {
        let steps = delta.steps();
        if let Some(&copy) = island.first.checked_sub(1).and_then(|at| steps.get(at))
            && !island.is_joined
        {
            let piece = delta.piece(copy, base)?;
            let tail = if island.has_run { self.tail(piece) } else { self.reach };
            out.extend_from_slice(&piece[piece.len() - tail..]);
        }
        for &step in steps.get(island.first..end)? {
            out.extend_from_slice(delta.piece(step, base)?);
        }
        Some(())
    }

    /// Whether a match that is told by its spelling may lie across the place where `before` and `after` meet.
    fn meet(self, before: &[u8], after: &[u8]) -> bool {
        let (&[.., last], &[first, ..]) = (before, after) else { return false };
        if !self.pairs.has(last, first) {
            return false;
        }
        // Matches have three bytes or more, so that one side has two of them.
        let is_left = if let &[.., second_last, last] = before { self.pairs.has(second_last, last) } else { true };
        let is_right = if let &[first, second, ..] = after { self.pairs.has(first, second) } else { true };
        is_left || is_right
    }

    /// The most bytes that a run or a list has which starts where `groups` start; `run_min` where that is not known.
    fn bound<'g>(self, groups: impl Iterator<Item = &'g [u8]>) -> usize {
        let mut seen = u8::MAX;
        let mut is_number = false;
        for (number, group) in groups.take(GROUPS).enumerate() {
            let all = group.iter().fold(u8::MAX, |all, &byte| all & self.parts[usize::from(byte)].0);
            seen &= all;
            is_number |= all & Part::BETWEEN == 0;
            if seen & (Part::IN_RUN | Part::IN_LIST) == 0 {
                return (number + 1) * GROUP;
            }
        }
        // What stands between numbers is no list by itself; code is indented by it.
        if seen & Part::IN_RUN == 0 && !is_number { LONG } else { self.run_min }
    }

    /// Bytes at the start of `piece` that have to be seen.
    fn head(self, piece: &[u8]) -> usize {
        self.run(|at| piece.get(at).copied()).min(piece.len())
    }

    /// Bytes at its end, likewise.
    fn tail(self, piece: &[u8]) -> usize {
        self.run(|at| piece.len().checked_sub(at + 1).map(|at| piece[at])).min(piece.len())
    }

    /// How far what starts at a seam reaches, in the direction of `byte`.
    fn run(self, byte: impl Fn(usize) -> Option<u8>) -> usize {
        let part = |at: usize| byte(at).map_or(Part::NONE, |byte| self.parts[usize::from(byte)]);
        let is_run = |at: usize| part(at).is_in(Part::IN_RUN);
        let list = (0..LIST_MAX).take_while(|&at| part(at).is_in(Part::IN_LIST)).count();
        let mut end = 0;
        loop {
            while is_run(end) {
                end += 1;
            }
            let is_break = |at: &usize| matches!(byte(*at), Some(b'\r' | b'\n' | b' ' | b'\t'));
            let gap = (end..end + BREAK_MAX).take_while(is_break).count();
            let next = end + gap;
            if gap == 0 || !(next..next + LINE_MIN).all(is_run) {
                return end.max(list).max(self.reach);
            }
            end = next;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    fn parts() -> [Part; 256] {
        let mut parts = [Part::NONE; 256];
        parts[usize::from(b'q')] = Part::RUN;
        parts[usize::from(b'7')] = Part::BOTH;
        for byte in b", \r\n" {
            parts[usize::from(*byte)] = Part::LIST;
        }
        parts
    }

    #[test]
    fn runs_are_seen_to_their_ends_over_lines() {
        let seams = Seams { reach: 3, pairs: &Pairs::from_iter([]), run_min: 60, parts: &parts() };
        let line = "q".repeat(60);
        for (piece, expected) in [
            ("..........".to_owned(), (3, 3)),
            ("qqqqq.....qqqq".to_owned(), (5, 4)),
            (format!("qq\n  {line}\r\n{line}. .{line}\n{line}\n"), (127, 122)),
            (format!("qq\n{line}..\nq"), (63, 3)),
            (format!("7,7,7,...{}", "7,".repeat(300)), (6, 600)),
        ] {
            assert_eq!((seams.head(piece.as_bytes()), seams.tail(piece.as_bytes())), expected, "{piece}");
        }
    }

    /// A delta of `pieces`: a range of the base, or bytes.
    fn delta(base: usize, pieces: &[Result<(u16, u8), Vec<u8>>]) -> Vec<u8> {
        let byte = |value: usize| u8::try_from(value).unwrap();
        let size = |size: usize| [byte(size & 0x7f | 0x80), byte(size >> 7 & 0x7f | 0x80), byte(size >> 14)];
        let len = |piece: &Result<(u16, u8), Vec<u8>>| piece.as_ref().map_or_else(Vec::len, |copy| copy.1.into());
        let mut bytes = [size(base), size(pieces.iter().map(len).sum())].concat();
        for piece in pieces {
            match piece {
                Ok((from, len)) => {
                    let [low, high] = from.to_le_bytes();
                    bytes.extend([0x93, low, high, *len]);
                }
                Err(inserted) => {
                    bytes.push(byte(inserted.len()));
                    bytes.extend(inserted);
                }
            }
        }
        bytes
    }

    #[test]
    fn a_match_is_seen_wherever_it_is_cut() {
        let pairs = b"needle".windows(2).map(|pair| [pair[0], pair[1]]).collect();
        let seams = Seams { reach: 5, pairs: &pairs, run_min: 60, parts: &parts() };
        for cut in 1..6_u8 {
            let (start, end) = b"needle".split_at(usize::from(cut));
            let base = [start, &[b'.'; 40], end, &[b'.'; 40]].concat();
            let end_at = u16::from(cut) + 40;
            for pieces in [
                vec![Ok((50, 35)), Err(start.to_vec()), Ok((end_at, 40))],
                vec![Ok((50, 35)), Ok((0, cut)), Ok((end_at, 40))],
                vec![Ok((50, 35)), Ok((0, cut)), Err(end.to_vec()), Ok((50, 35))],
            ] {
                let mut bytes = delta(base.len(), &pieces);
                let (mut steps, mut news) = (Vec::new(), Vec::new());
                let delta = Delta::read(&mut bytes, &mut steps).unwrap();
                seams.news(&delta, &base, &mut news).unwrap();
                assert!(news.windows(6).any(|six| six == b"needle"), "{cut}");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 400, rng_seed: RngSeed::Fixed(7), failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn nothing_new_is_passed_over(
            base in "([.,q7 ]|q{1,70}|(7,){1,40}|needl?|n?eedle|le|   ){200,300}",
            pieces in prop::collection::vec(prop_oneof![
                3 => (0..300_u16, 1..=255_u8).prop_map(Ok),
                2 => "([.,q7 ]|q{1,40}|(7,){1,20}|need|le|[nde]|   ){1,40}".prop_map(|text| Err(text.into_bytes()[..].chunks(127).next().unwrap_or(b".").to_vec())),
            ], 1..12),
        ) {
            let base = base.replace("needle", "ne.dle").into_bytes();
            let pieces: Vec<_> = pieces
                .into_iter()
                .map(|piece| piece.map(|(from, len)| (from, len.min(u8::try_from(base.len() - usize::from(from)).unwrap_or(255)))))
                .collect();
            let mut bytes = delta(base.len(), &pieces);
            let mut steps = Vec::new();
            let delta = Delta::read(&mut bytes, &mut steps).unwrap();
            let mut whole = vec![0; usize::try_from(delta.result_bytes).unwrap()];
            delta.patch(&base, &mut whole).unwrap();
            let (parts, pairs) = (parts(), b"needle".windows(2).map(|pair| [pair[0], pair[1]]).collect());
            let seams = Seams { reach: 5, pairs: &pairs, run_min: 60, parts: &parts };
            let mut news = Vec::new();
            seams.news(&delta, &base, &mut news).unwrap();
            let seen = [delta.inserted(), &news, &base];
            let has = |text: &[u8]| text.windows(6).any(|six| six == b"needle");
            prop_assert!(!has(&whole) || seen.iter().any(|text| has(text)));
            // A run is seen to its ends, a list as far as it takes to tell that it is one.
            let is_run = |byte: u8| parts[usize::from(byte)].is_in(Part::IN_RUN);
            let is_list = |byte: u8| parts[usize::from(byte)].is_in(Part::IN_LIST);
            let holds = |text: &[u8]| seen.iter().any(|seen| seen.windows(text.len()).any(|window| window == text));
            for run in whole.split(|&byte| !is_run(byte)).filter(|run| run.len() >= 60) {
                prop_assert!(holds(run), "{}", String::from_utf8_lossy(run));
            }
            let list = whole.split(|&byte| !is_list(byte)).max_by_key(|list| list.len()).unwrap_or_default();
            let is_told = list.len() >= 2 * LONG + 60 && list.chunks(GROUP).all(|group| group.contains(&b'7'));
            let longest = |text: &&[u8]| text.split(|&byte| !is_list(byte)).map(<[u8]>::len).max();
            prop_assert!(!is_told || seen.iter().filter_map(longest).max() >= Some(list.len().min(LIST_MAX)));
        }
    }
}
