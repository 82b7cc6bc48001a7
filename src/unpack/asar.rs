//! asar, Electron's archive: a table in JSON, then all files one behind the other.

use super::input::{Part, bytes_at, u32_le};
use super::{Fault, Level, Outcome, Unpacker, Visitor};
use crate::blob::ReadAt;
use serde_json::{Map, Value};

const TABLE_BYTES_MAX: u32 = 64 << 20;

/// Reads the files of `input`.
pub(super) fn read<V: Visitor>(
    unpacker: &mut Unpacker<'_, V>,
    level: &mut Level,
    input: &dyn ReadAt,
) -> Result<(), Fault> {
    let damaged = || Fault::Damaged("damaged: its table cannot be read".into());
    let head = bytes_at(input, 0, 16)?;
    let header_bytes = u32_le(&head, 4).ok_or_else(damaged)?;
    let table_bytes = u32_le(&head, 12).filter(|&bytes| bytes <= TABLE_BYTES_MAX).ok_or_else(damaged)?;
    // A table in JSON takes several times its text.
    let memory = unpacker.budget.memory(u64::from(table_bytes) * 6);
    let Some(_memory) = memory else { return Err(Fault::Damaged("its table is too large".into())) };
    let table = bytes_at(input, 16, usize::try_from(table_bytes).map_err(|_| damaged())?)?;
    let table: Value = serde_json::from_slice(&table).map_err(|_| damaged())?;
    let base = 8 + u64::from(header_bytes);
    let mut folders: Vec<(Vec<u8>, &Map<String, Value>)> =
        table["files"].as_object().map(|files| (Vec::new(), files)).into_iter().collect();
    while let Some((folder, files)) = folders.pop() {
        for (name, file) in files {
            let path = [&folder, name.as_bytes()].concat();
            if let Some(files) = file["files"].as_object() {
                folders.push(([path.as_slice(), b"/"].concat(), files));
            } else {
                self::file(unpacker, level, input, (&path, base, file))?;
            }
        }
    }
    Ok(())
}

fn file<V: Visitor>(
    unpacker: &mut Unpacker<'_, V>,
    level: &mut Level,
    input: &dyn ReadAt,
    (path, base, file): (&[u8], u64, &Value),
) -> Result<(), Fault> {
    // Files that are not packed stand beside the archive, links nowhere.
    let (Some(size), Some(offset)) = (file["size"].as_u64(), file["offset"].as_str()) else { return Ok(()) };
    let start = offset.parse::<u64>().ok().and_then(|offset| offset.checked_add(base));
    let Some(start) = start.filter(|start| start.saturating_add(size) <= input.size()) else {
        return unpacker.refuse(level, path, "damaged: it ends too early");
    };
    let outcome = unpacker.stored(level, path, &Part::new(input, start, size))?;
    if outcome == Outcome::Whole {
        level.cover(start..start + size);
    }
    Ok(())
}
