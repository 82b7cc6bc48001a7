//! git's deltas: copies from a base and bytes of their own.
//!
//! Every number in a delta may lie, so each is checked where it is used.

/// A delta, taken apart as far as its two sizes.
#[derive(Clone, Copy)]
pub struct Delta<'d> {
    /// Bytes of the base it was made for.
    pub base_bytes: u64,
    /// Bytes it makes.
    pub result_bytes: u64,
    instructions: &'d [u8],
}

/// One instruction.
enum Step<'d> {
    Copy { offset: usize, len: usize },
    Insert(&'d [u8]),
}

impl<'d> Delta<'d> {
    /// Reads the sizes in front.
    pub fn read(bytes: &'d [u8]) -> Option<Self> {
        let (base_bytes, rest) = size(bytes)?;
        let (result_bytes, instructions) = size(rest)?;
        Some(Self { base_bytes, result_bytes, instructions })
    }

    /// Fills `out`, which has to be of the size the delta tells, from `base`.
    pub fn patch(&self, base: &[u8], out: &mut [u8]) -> Option<()> {
        let (mut rest, mut at) = (self.instructions, 0);
        while !rest.is_empty() {
            let (step, after) = step(rest)?;
            let piece = match step {
                Step::Copy { offset, len } => base.get(offset..offset.checked_add(len)?)?,
                Step::Insert(bytes) => bytes,
            };
            out.get_mut(at..at + piece.len())?.copy_from_slice(piece);
            at += piece.len();
            rest = after;
        }
        (at == out.len()).then_some(())
    }

    /// Writes to `out` all that can hold a match which `base` does not hold: the bytes that are inserted, and the ends of
    /// what is copied, as far as `seams` say. Where something is passed over, a byte stands that is part of no match.
    pub fn news(&self, base: &[u8], seams: Seams<'_>, out: &mut Vec<u8>) -> Option<()> {
        out.clear();
        let (mut rest, mut total) = (self.instructions, 0_u64);
        while !rest.is_empty() {
            let (step, after) = step(rest)?;
            match step {
                Step::Insert(piece) => {
                    out.extend_from_slice(piece);
                    total += piece.len() as u64;
                }
                Step::Copy { offset, len } => {
                    let piece = base.get(offset..offset.checked_add(len)?)?;
                    let (head, tail) = seams.of(piece);
                    if head + tail >= len {
                        out.extend_from_slice(piece);
                    } else {
                        out.extend_from_slice(&piece[..head]);
                        out.push(PASSED_OVER);
                        out.extend_from_slice(&piece[len - tail..]);
                    }
                    total += len as u64;
                }
            }
            rest = after;
        }
        (total == self.result_bytes).then_some(())
    }

    /// Bytes at the start and at the end of the result that are those of the base; the two do not overlap in either.
    pub fn same_ends(&self) -> Option<(usize, usize)> {
        let (base_len, result_len) = (usize::try_from(self.base_bytes).ok()?, usize::try_from(self.result_bytes).ok()?);
        let (mut head, mut tail) = (0, 0);
        let (mut rest, mut at, mut copied) = (self.instructions, 0, 0);
        while !rest.is_empty() {
            let (step, after) = step(rest)?;
            rest = after;
            let len = match step {
                Step::Copy { offset, len } => {
                    if offset == at && head == at {
                        head += len;
                    }
                    tail = if offset == copied { tail + len } else { len };
                    copied = offset.checked_add(len)?;
                    len
                }
                Step::Insert(bytes) => {
                    (tail, copied) = (0, usize::MAX);
                    bytes.len()
                }
            };
            at += len;
        }
        let tail = if copied == base_len { tail } else { 0 };
        let head = head.min(base_len).min(result_len);
        Some((head, tail.min(base_len - head).min(result_len - head)))
    }

    /// The first `len` bytes of the result, or all of them; `out` is used where they are no part of `base`.
    pub fn start<'s>(&self, base: &'s [u8], len: usize, out: &'s mut Vec<u8>) -> Option<&'s [u8]> {
        out.clear();
        let mut rest = self.instructions;
        while !rest.is_empty() && out.len() < len {
            let (step, after) = step(rest)?;
            let room = len - out.len();
            match step {
                Step::Copy { offset, len: copied } => {
                    let piece = base.get(offset..offset.checked_add(copied)?)?;
                    if out.is_empty() && (copied >= len || after.is_empty()) {
                        return Some(&piece[..copied.min(len)]);
                    }
                    out.extend_from_slice(&piece[..copied.min(room)]);
                }
                Step::Insert(bytes) => out.extend_from_slice(&bytes[..bytes.len().min(room)]),
            }
            rest = after;
        }
        Some(out)
    }
}

/// How much of what a delta copies has to be seen where it meets something else.
#[derive(Clone, Copy)]
pub struct Seams<'s> {
    /// The most bytes of a match that is told by its spelling.
    pub reach: usize,
    /// What each byte may be part of.
    pub parts: &'s [Part; 256],
}

/// What a byte may be part of that is no word and no number.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Nothing.
    None,
    /// Runs that are told only as a whole, such as of base64.
    Run,
    /// The same, and lists of numbers.
    Both,
    /// Only lists of numbers.
    List,
}

/// Stands where something was passed over.
const PASSED_OVER: u8 = 1;
/// The shortest line of a run that goes on in the next line.
const LINE_MIN: usize = 60;
/// More of a list is not needed to tell that it is one and to see what changed in it.
const LIST_MAX: usize = 128;
/// The most bytes between two lines of a run.
const BREAK_MAX: usize = 64;

impl Seams<'_> {
    /// Bytes at the start and at the end of `piece` that have to be seen.
    fn of(self, piece: &[u8]) -> (usize, usize) {
        let ends = (piece.get(..self.reach), piece.len().checked_sub(self.reach).and_then(|from| piece.get(from..)));
        let (Some(first), Some(last)) = ends else { return (piece.len(), piece.len()) };
        // A byte that is part of nothing ends whatever there is; almost every seam has one. Without a branch for each byte.
        let ends = |bytes: &[u8]| bytes.iter().fold(false, |any, &byte| any | (self.parts[usize::from(byte)] == Part::None));
        let is_cut = |bytes: &[u8]| bytes.chunks(8).any(ends);
        let head = if is_cut(first) { self.reach } else { self.run(|at| piece.get(at).copied()) };
        let back = |at: usize| piece.len().checked_sub(at + 1).map(|at| piece[at]);
        let tail = if is_cut(last) { self.reach } else { self.run(back) };
        (head.min(piece.len()), tail.min(piece.len()))
    }

    /// How far what starts at a seam reaches, in the direction of `byte`.
    fn run(self, byte: impl Fn(usize) -> Option<u8>) -> usize {
        let part = |at: usize| byte(at).map_or(Part::None, |byte| self.parts[usize::from(byte)]);
        let is_run = |at: usize| matches!(part(at), Part::Run | Part::Both);
        let list = (0..LIST_MAX).take_while(|&at| matches!(part(at), Part::List | Part::Both)).count();
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

/// A size in seven bits a byte, the lowest first.
fn size(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (mut size, mut shift) = (0_u64, 0);
    for (at, byte) in bytes.iter().enumerate() {
        size |= u64::from(byte & 0x7f).checked_shl(shift)?;
        shift += 7;
        if byte & 0x80 == 0 {
            return Some((size, &bytes[at + 1..]));
        }
    }
    None
}

/// The first instruction of `bytes` and what follows it; see gitformat-pack(5).
#[inline]
fn step(bytes: &[u8]) -> Option<(Step<'_>, &[u8])> {
    let (&code, rest) = bytes.split_first()?;
    if code & 0x80 == 0 {
        if code == 0 {
            return None;
        }
        let (inserted, rest) = rest.split_at_checked(usize::from(code))?;
        return Some((Step::Insert(inserted), rest));
    }
    // Seven fields of which each may be there or not: a branch for each would be foreseen by nobody.
    let mut told = [0; 8];
    let most = rest.len().min(7);
    told[..most].copy_from_slice(&rest[..most]);
    let (mut fields, mut at) = ([0_u8; 8], 0_usize);
    for (bit, field) in fields[..7].iter_mut().enumerate() {
        let is_there = code >> bit & 1;
        *field = told[at & 7] * is_there;
        at += usize::from(is_there);
    }
    let [first, second, third, fourth, ref len @ ..] = fields;
    let offset = u32::from_le_bytes([first, second, third, fourth]) as usize;
    let len = u32::from_le_bytes(*len) as usize;
    Some((Step::Copy { offset, len: if len == 0 { 0x10000 } else { len } }, rest.get(at..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Base of 300 bytes; copy 0..200, insert "xy", copy 200..300.
    fn sample() -> (Vec<u8>, Vec<u8>) {
        let base: Vec<u8> = (0..=255).chain(0..44).collect();
        let delta = [0xac, 0x02, 0xae, 0x02, 0x90, 200, 2, b'x', b'y', 0x91, 200, 100];
        (base, delta.to_vec())
    }

    #[test]
    fn patches_and_tells_what_is_new() {
        let (base, bytes) = sample();
        let delta = Delta::read(&bytes).unwrap();
        assert_eq!((delta.base_bytes, delta.result_bytes), (300, 302));
        let mut out = vec![0; 302];
        delta.patch(&base, &mut out).unwrap();
        assert_eq!(out, [&base[..200], b"xy", &base[200..]].concat());
        let mut news = Vec::new();
        delta.news(&base, Seams { reach: 3, parts: &[Part::None; 256] }, &mut news).unwrap();
        assert_eq!(news, [&base[..3], b"\x01", &base[197..200], b"xy", &base[200..203], b"\x01", &base[297..]].concat());
        assert_eq!(delta.start(&base, 5, &mut Vec::new()).unwrap(), &base[..5]);
        assert_eq!(delta.start(&base, 201, &mut Vec::new()).unwrap(), &out[..201]);
        assert_eq!(delta.start(&base, 500, &mut Vec::new()).unwrap(), out);
    }

    #[test]
    fn ends_that_stay_as_they_are() {
        let (base, bytes) = sample();
        assert_eq!(Delta::read(&bytes).unwrap().same_ends(), Some((200, 100)));
        // Copies 100..300, then 0..100: nothing stays in place.
        let turned = [0xac, 0x02, 0xac, 0x02, 0x91, 100, 200, 0x90, 100];
        assert_eq!(Delta::read(&turned).unwrap().same_ends(), Some((0, 0)));
        // Copies 0..200 and 100..300: what is there twice counts once.
        let twice = [0xac, 0x02, 0x90, 0x03, 0x90, 200, 0x91, 100, 200];
        assert_eq!(Delta::read(&twice).unwrap().same_ends(), Some((200, 100)));
        // Copies 0..150 and 150..300.
        let whole = [0xac, 0x02, 0xac, 0x02, 0x90, 150, 0x91, 150, 150];
        assert_eq!(Delta::read(&whole).unwrap().same_ends(), Some((base.len(), 0)));
    }

    #[test]
    fn runs_are_seen_to_their_ends_over_lines() {
        let parts = {
            let mut parts = [Part::None; 256];
            parts[usize::from(b'q')] = Part::Run;
            parts[usize::from(b'7')] = Part::Both;
            for byte in b", \r\n" {
                parts[usize::from(*byte)] = Part::List;
            }
            parts
        };
        let seams = Seams { reach: 3, parts: &parts };
        let line = "q".repeat(60);
        for (piece, expected) in [
            ("..........".to_owned(), (3, 3)),
            ("qqqqq.....qqqq".to_owned(), (5, 4)),
            (format!("qq\n  {line}\r\n{line}. .{line}\n{line}\n"), (127, 122)),
            (format!("qq\n{line}..\nq"), (63, 3)),
            (format!("7,7,7,...{}", "7,".repeat(200)), (6, 128)),
        ] {
            assert_eq!(seams.of(piece.as_bytes()), expected, "{piece}");
        }
    }

    #[test]
    fn lies_are_refused() {
        let (base, bytes) = sample();
        for cut in 0..bytes.len() {
            let whole = Delta::read(&bytes[..cut]).and_then(|delta| delta.patch(&base, &mut [0; 302]));
            assert!(whole.is_none(), "{cut}");
        }
        let delta = Delta::read(&bytes).unwrap();
        assert!(delta.patch(&base[..250], &mut [0; 302]).is_none());
        assert!(delta.patch(&base, &mut [0; 301]).is_none());
        assert!(Delta::read(&[0x80; 12]).is_none());
        assert!(Delta::read(&[1, 1, 0]).unwrap().patch(&[1], &mut [0]).is_none());
    }
}
