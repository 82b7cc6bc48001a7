//! A git bundle, or a pack by itself: where the pack starts. Its objects are the visitor's to read.

use super::input::find;
use super::{Fault, Level, Unpacker, Visitor};
use crate::blob::ReadAt;

/// Bytes of refs before the pack of a bundle.
const HEADER_BYTES_MAX: u64 = 64 << 20;

/// Gives the pack in `input`.
pub(super) fn read<V: Visitor>(
    unpacker: &mut Unpacker<'_, V>,
    level: &mut Level,
    input: &dyn ReadAt,
) -> Result<(), Fault> {
    let mut start = [0; 4];
    super::input::read_full_at(input, &mut start, 0)?;
    let offset = if &start == b"PACK" {
        0
    } else {
        let found = find(input, &[b"\n\nPACK"], 0..input.size().min(HEADER_BYTES_MAX))?;
        found.ok_or_else(|| Fault::Damaged("damaged: it has no pack".into()))? + 2
    };
    // What deltas are made of is held while they are resolved.
    let Some(_memory) = unpacker.budget.memory(input.size() - offset) else {
        return Err(Fault::Damaged("needs more memory than there is for one archive".into()));
    };
    if !unpacker.budget.entry() {
        return Err(Fault::Cut);
    }
    let left = unpacker.budget.left();
    let spent = unpacker.visitor.pack(&level.inner, input, offset, left).map_err(Fault::Damaged)?;
    unpacker.budget.spend(spent);
    Ok(())
}
