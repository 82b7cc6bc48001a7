//! The commit that `HEAD` names: loose refs and `packed-refs`, each bounded.
//!
//! Reftables are not read, and no other ref is.

use std::path::Path;

use bstr::ByteSlice;
use gix_hash::ObjectId;

use super::locate::{Layout, line};
use crate::source::open::{Node, OpenError};

const HOPS_MAX: usize = 5;
const PACKED_BYTES_MAX: u64 = 256 << 20;
const LOOSE_BYTES_MAX: u64 = 16 * 1024;

/// Follows `HEAD` to a commit; `None` before the first one.
pub fn head(layout: &Layout, object_hash: gix_hash::Kind) -> Result<Option<ObjectId>, String> {
    let mut text = line(&layout.git, "HEAD").ok_or("HEAD cannot be read")?;
    for _ in 0..HOPS_MAX {
        let Some(name) = text.strip_prefix(b"ref:") else {
            return parse(&text, object_hash).map(Some);
        };
        let name = name.trim().to_vec();
        // `.invalid` is where HEAD points when refs are kept elsewhere, in a reftable for one.
        if !name.starts_with(b"refs/") || name.ends_with(b"/.invalid") {
            return Err("HEAD names no ref".to_owned());
        }
        text = match loose(layout, &name)? {
            Some(text) => text,
            None => return packed(layout, &name, object_hash),
        };
    }
    Err("HEAD goes through too many refs".to_owned())
}

fn parse(hex: &[u8], object_hash: gix_hash::Kind) -> Result<ObjectId, String> {
    match ObjectId::from_hex(hex.trim()) {
        Ok(id) if id.kind() == object_hash => Ok(id),
        _ => Err("a ref holds no object id".to_owned()),
    }
}

fn loose(layout: &Layout, name: &[u8]) -> Result<Option<Vec<u8>>, String> {
    let own = [&b"refs/bisect/"[..], b"refs/worktree/", b"refs/rewritten/"].iter().any(|own| name.starts_with(own));
    let folder = if own { &layout.git } else { &layout.common };
    let path = name.to_path().map_err(|error| error.to_string())?;
    match folder.read_bounded(path, LOOSE_BYTES_MAX) {
        Ok(text) => Ok(text),
        Err(OpenError::NotRegular(Node::Folder)) => Ok(None),
        Err(error) => Err(format!("the ref of HEAD: {error}")),
    }
}

fn packed(layout: &Layout, name: &[u8], object_hash: gix_hash::Kind) -> Result<Option<ObjectId>, String> {
    let text = layout.common.read_bounded(Path::new("packed-refs"), PACKED_BYTES_MAX);
    let text = text.map_err(|error| format!("packed-refs: {error}"))?.unwrap_or_default();
    for line in text.lines() {
        if let Some(hex) = line.strip_suffix(name).and_then(|line| line.strip_suffix(b" ")) {
            return parse(hex, object_hash).map(Some);
        }
    }
    Ok(None)
}
