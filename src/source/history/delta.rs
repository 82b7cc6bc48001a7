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

    /// Writes to `out` all that can hold a match of at most `reach` bytes which `base` does not hold: the bytes that are
    /// inserted, and the ends of what is copied. The first `start` bytes of the result come first.
    pub fn news(&self, base: &[u8], reach: usize, start: usize, out: &mut Vec<u8>) -> Option<()> {
        out.clear();
        let (mut rest, mut total) = (self.instructions, 0_u64);
        while !rest.is_empty() {
            let (step, after) = step(rest)?;
            let piece = match step {
                Step::Copy { offset, len } => base.get(offset..offset.checked_add(len)?)?,
                Step::Insert(bytes) => bytes,
            };
            let head = if total < start as u64 { start.max(reach) } else { reach };
            if matches!(step, Step::Insert(_)) || piece.len() <= head + reach {
                out.extend_from_slice(piece);
            } else {
                out.extend_from_slice(&piece[..head]);
                out.extend_from_slice(&piece[piece.len() - reach..]);
            }
            total += piece.len() as u64;
            rest = after;
        }
        (total == self.result_bytes).then_some(())
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
    let (&code, mut rest) = bytes.split_first()?;
    if code & 0x80 == 0 {
        if code == 0 {
            return None;
        }
        let (inserted, rest) = rest.split_at_checked(usize::from(code))?;
        return Some((Step::Insert(inserted), rest));
    }
    let (mut offset, mut len) = (0_usize, 0_usize);
    for bit in 0..7 {
        if code & (1 << bit) != 0 {
            let (&byte, after) = rest.split_first()?;
            rest = after;
            if bit < 4 {
                offset |= usize::from(byte) << (8 * bit);
            } else {
                len |= usize::from(byte) << (8 * (bit - 4));
            }
        }
    }
    let len = if len == 0 { 0x10000 } else { len };
    Some((Step::Copy { offset, len }, rest))
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
        delta.news(&base, 3, 5, &mut news).unwrap();
        assert_eq!(news, [&base[..5], &base[197..200], b"xy", &base[200..203], &base[297..]].concat());
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
