//! git's deltas: copies from a base and bytes of their own, which they insert.
//!
//! Every number in a delta may lie, so all are checked when it is read, and each once more where it is used.

use super::seams::PASSED_OVER;

/// Instructions of a delta, 12 bytes each, beyond which it counts as damaged: one that makes 128 MiB of pieces as short as git makes them
/// has as many.
const STEPS_MAX: usize = 8 << 20;
/// Pieces up to this length are copied as if they had it.
const SHORT: usize = 64;
/// Room for instructions that is kept from one delta to the next.
const STEPS_KEPT_MAX: usize = 64 << 10;

/// A delta, taken apart.
#[derive(Clone, Copy)]
pub struct Delta<'d> {
    /// Bytes of the base it was made for.
    pub base_bytes: u64,
    /// Bytes it makes.
    pub result_bytes: u64,
    bytes: &'d [u8],
    steps: &'d [Step],
}

/// One instruction: a part of the base, or of the delta itself.
#[derive(Clone, Copy)]
pub struct Step {
    is_copy: bool,
    from: u32,
    len: u32,
}

impl Step {
    /// Whether it is a part of the base.
    pub const fn is_copy(self) -> bool {
        self.is_copy
    }
}

impl<'d> Delta<'d> {
    /// Reads `bytes` into `steps`; none where it does not make what it says of a base of the size it tells.
    ///
    /// Each code of an insertion is overwritten with [`PASSED_OVER`]: what is inserted can then be searched in its place.
    pub fn read(bytes: &'d mut [u8], steps: &'d mut Vec<Step>) -> Option<Self> {
        steps.clear();
        steps.shrink_to(STEPS_KEPT_MAX);
        let (base_bytes, rest) = size(bytes)?;
        let (result_bytes, rest) = size(rest)?;
        let (mut at, mut total) = (bytes.len() - rest.len(), 0);
        while at < bytes.len() {
            let (step, next) = step(bytes, at)?;
            if step.is_copy && u64::from(step.from) + u64::from(step.len) > base_bytes {
                return None;
            }
            total += u64::from(step.len);
            if total > result_bytes || steps.len() == STEPS_MAX {
                return None;
            }
            if !step.is_copy {
                bytes[at] = PASSED_OVER;
            }
            steps.push(step);
            at = next;
        }
        (total == result_bytes).then_some(Self { base_bytes, result_bytes, bytes, steps })
    }

    /// Its instructions, in the order of the result.
    pub const fn steps(&self) -> &'d [Step] {
        self.steps
    }

    /// All that it inserts, with something between any two insertions that is part of no match.
    pub const fn inserted(&self) -> &'d [u8] {
        self.bytes
    }

    /// What `step` adds to the result.
    pub fn piece<'p>(&self, step: Step, base: &'p [u8]) -> Option<&'p [u8]>
    where
        'd: 'p,
    {
        let from = step.from as usize;
        (if step.is_copy { base } else { self.bytes }).get(from..from + step.len as usize)
    }

    /// Fills `out`, which has to be of the size the delta tells, from `base`.
    pub fn patch(&self, base: &[u8], out: &mut [u8]) -> Option<()> {
        let mut at = 0;
        for &step in self.steps {
            let (from, len) = (step.from as usize, step.len as usize);
            let all = if step.is_copy { base } else { self.bytes };
            // Most pieces are short: a copy of a length that is known costs less than a call, and what it writes too much is
            // overwritten by the next.
            let room = out.get_mut(at..).and_then(<[u8]>::first_chunk_mut::<SHORT>);
            if len <= SHORT
                && let (Some(room), Some(piece)) = (room, all.get(from..).and_then(<[u8]>::first_chunk::<SHORT>))
            {
                *room = *piece;
            } else {
                out.get_mut(at..at + len)?.copy_from_slice(all.get(from..from + len)?);
            }
            at += len;
        }
        (at == out.len()).then_some(())
    }

    /// Bytes at the start and at the end of the result that are those of the base; the two do not overlap in either.
    pub fn same_ends(&self) -> Option<(usize, usize)> {
        let (base_len, result_len) = (usize::try_from(self.base_bytes).ok()?, usize::try_from(self.result_bytes).ok()?);
        let (mut head, mut tail, mut at, mut copied) = (0, 0, 0, 0);
        for step in self.steps {
            let (from, len) = (step.from as usize, step.len as usize);
            if step.is_copy {
                if from == at && head == at {
                    head += len;
                }
                tail = if from == copied { tail + len } else { len };
                copied = from + len;
            } else {
                (tail, copied) = (0, usize::MAX);
            }
            at += len;
        }
        let tail = if copied == base_len { tail } else { 0 };
        let head = head.min(base_len).min(result_len);
        Some((head, tail.min(base_len - head).min(result_len - head)))
    }

    /// The first `len` bytes of the result, or all of them; `out` is used where they are no part of `base`.
    pub fn start<'s>(&self, base: &'s [u8], len: usize, out: &'s mut Vec<u8>) -> Option<&'s [u8]> {
        if let Some(&first) = self.steps.first()
            && first.is_copy
            && (first.len as usize >= len || self.steps.len() == 1)
        {
            let piece = base.get(first.from as usize..)?.get(..first.len as usize)?;
            return Some(&piece[..piece.len().min(len)]);
        }
        out.clear();
        for &step in self.steps {
            let room = len - out.len();
            if room == 0 {
                break;
            }
            let piece = self.piece(step, base)?;
            out.extend_from_slice(&piece[..piece.len().min(room)]);
        }
        Some(out)
    }

    /// The last `len` bytes of the result, or all of them, in `out`.
    pub fn end<'s>(&self, base: &[u8], len: usize, out: &'s mut Vec<u8>) -> Option<&'s [u8]> {
        let (mut first, mut bytes) = (self.steps.len(), 0);
        while first > 0 && bytes < len {
            first -= 1;
            bytes += self.steps[first].len as usize;
        }
        out.clear();
        for &step in &self.steps[first..] {
            let piece = self.piece(step, base)?;
            out.extend_from_slice(&piece[piece.len().saturating_sub(len)..]);
        }
        Some(&out[out.len().saturating_sub(len)..])
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

/// The instruction at `at` of `bytes`, and where the next one starts; see gitformat-pack(5).
#[inline]
fn step(bytes: &[u8], at: usize) -> Option<(Step, usize)> {
    let (&code, rest) = bytes.get(at..)?.split_first()?;
    if code & 0x80 == 0 {
        let end = at + 1 + usize::from(code);
        let is_whole = code != 0 && end <= bytes.len();
        let from = u32::try_from(at + 1).ok()?;
        return is_whole.then_some((Step { is_copy: false, from, len: u32::from(code) }, end));
    }
    // The last byte is the one that stands for fields that are not there.
    let mut told = [0; 8];
    match rest.first_chunk::<7>() {
        Some(seven) => told[..7].copy_from_slice(seven),
        None => told[..rest.len()].copy_from_slice(rest),
    }
    let code = usize::from(code & 0x7f);
    let [first, second, third, fourth, fifth, sixth, seventh] = FIELDS[code].map(|field| told[usize::from(field & 7)]);
    let from = u32::from_le_bytes([first, second, third, fourth]);
    let len = u32::from_le_bytes([fifth, sixth, seventh, 0]);
    let read = code.count_ones() as usize;
    let step = Step { is_copy: true, from, len: if len == 0 { 0x10000 } else { len } };
    (read <= rest.len()).then_some((step, at + 1 + read))
}

/// For each code of a copy, which of the bytes behind it is which of its seven fields; 7 for a field that is not there. Each may be there
/// or not, and a branch for each would be foreseen by nobody.
const FIELDS: [[u8; 7]; 128] = {
    let mut fields = [[7; 7]; 128];
    let mut code = 0;
    while code < 128 {
        let (mut bit, mut read) = (0, 0);
        while bit < 7 {
            if code >> bit & 1 != 0 {
                fields[code][bit] = read;
                read += 1;
            }
            bit += 1;
        }
        code += 1;
    }
    fields
};

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
    fn patches_and_tells_what_is_inserted() {
        let (base, mut bytes) = sample();
        let mut steps = Vec::new();
        let delta = Delta::read(&mut bytes, &mut steps).unwrap();
        assert_eq!((delta.base_bytes, delta.result_bytes), (300, 302));
        let mut out = vec![0; 302];
        delta.patch(&base, &mut out).unwrap();
        assert_eq!(out, [&base[..200], b"xy", &base[200..]].concat());
        assert_eq!(delta.inserted(), [0xac, 0x02, 0xae, 0x02, 0x90, 200, PASSED_OVER, b'x', b'y', 0x91, 200, 100]);
        assert_eq!(delta.start(&base, 5, &mut Vec::new()).unwrap(), &base[..5]);
        assert_eq!(delta.start(&base, 201, &mut Vec::new()).unwrap(), &out[..201]);
        assert_eq!(delta.start(&base, 500, &mut Vec::new()).unwrap(), out);
        assert_eq!(delta.end(&base, 103, &mut Vec::new()).unwrap(), &out[199..]);
        assert_eq!(delta.end(&base, 500, &mut Vec::new()).unwrap(), out);
    }

    #[test]
    fn ends_that_stay_as_they_are() {
        let ends = |bytes: &[u8]| Delta::read(&mut bytes.to_vec(), &mut Vec::new()).unwrap().same_ends();
        let (base, bytes) = sample();
        assert_eq!(ends(&bytes), Some((200, 100)));
        // Copies 100..300, then 0..100: nothing stays in place.
        let turned = [0xac, 0x02, 0xac, 0x02, 0x91, 100, 200, 0x90, 100];
        assert_eq!(ends(&turned), Some((0, 0)));
        // Copies 0..200 and 100..300: what is there twice counts once.
        let twice = [0xac, 0x02, 0x90, 0x03, 0x90, 200, 0x91, 100, 200];
        assert_eq!(ends(&twice), Some((200, 100)));
        // Copies 0..150 and 150..300.
        let whole = [0xac, 0x02, 0xac, 0x02, 0x90, 150, 0x91, 150, 150];
        assert_eq!(ends(&whole), Some((base.len(), 0)));
    }

    #[test]
    fn lies_are_refused() {
        let (base, mut bytes) = sample();
        for cut in 0..bytes.len() {
            assert!(Delta::read(&mut bytes.clone()[..cut], &mut Vec::new()).is_none(), "{cut}");
        }
        let mut steps = Vec::new();
        let delta = Delta::read(&mut bytes, &mut steps).unwrap();
        assert!(delta.patch(&base[..250], &mut [0; 302]).is_none());
        assert!(delta.patch(&base, &mut [0; 301]).is_none());
        assert!(Delta::read(&mut [0x80; 12], &mut Vec::new()).is_none());
        assert!(Delta::read(&mut [1, 1, 0], &mut Vec::new()).is_none());
        assert!(Delta::read(&mut [1, 1, 0x91, 1, 1], &mut Vec::new()).is_none());
    }
}
