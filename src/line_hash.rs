//! shim
use std::collections::{BTreeMap, BTreeSet};
/// shim
pub struct LineHasher;
impl LineHasher {
    /// shim
    pub fn new(_: BTreeSet<u64>) -> Self {
        Self
    }
    /// shim
    pub fn push(&mut self, _: &[u8]) {}
    /// shim
    pub fn finish(self) -> BTreeMap<u64, String> {
        BTreeMap::new()
    }
}
