//! The bounds of a scan: as asked for, else as the configuration says, else as who keeps them would have it.

use crate::cli::{ArchiveArgs, DecodeArgs};
use crate::detect::Bounds;
use crate::settings::{Limits as SetLimits, Spanned};
use crate::unpack::Limits;

/// How far archives are opened.
pub(super) fn of_archives(args: &ArchiveArgs, set: &SetLimits) -> Limits {
    let default = Limits::default();
    Limits {
        depth: value(args.archive_depth, set.archive_depth.as_ref(), default.depth),
        entries: value(args.archive_entries, set.archive_entries.as_ref(), default.entries),
        bytes: value(args.archive_bytes, set.archive_bytes.as_ref(), default.bytes),
        entry_bytes: value(args.archive_entry_bytes, set.archive_entry_bytes.as_ref(), default.entry_bytes),
        ratio: value(args.archive_ratio, set.archive_ratio.as_ref(), default.ratio),
        seconds: value(args.archive_seconds, set.archive_seconds.as_ref(), default.seconds),
    }
}

/// How far encoded text is decoded.
pub(super) fn of_encodings(args: &DecodeArgs, set: &SetLimits) -> Bounds {
    let default = Bounds::default();
    Bounds {
        depth: value(args.decode_depth, set.decode_depth.as_ref(), default.depth),
        bytes: value(args.decode_bytes, set.decode_bytes.as_ref(), default.bytes),
        ratio: value(args.decode_ratio, set.decode_ratio.as_ref(), default.ratio),
        keys: value(args.decode_keys, set.decode_keys.as_ref(), default.keys),
    }
}

fn value<T: Copy>(asked: Option<T>, set: Option<&Spanned<T>>, default: T) -> T {
    asked.or_else(|| set.map(|set| *set.get_ref())).unwrap_or(default)
}
