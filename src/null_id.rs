//! The id that git writes where there is no object: zeros, as many as an id has digits.
//!
//! It starts a branch that is new, ends one that is deleted, and names nothing.

/// In ids of SHA-1.
pub const NULL_ID: &str = "0000000000000000000000000000000000000000";

/// Whether a name is that of no object; a short run of zeros is a name like any other.
pub fn is_null_id(name: &str) -> bool {
    name.len() >= NULL_ID.len() && name.bytes().all(|byte| byte == b'0')
}
