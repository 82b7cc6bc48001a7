//! From paths as a report gives them to paths below the folder of the configuration.
//!
//! Text alone; no disk is asked.

/// How the folder that reported paths are relative to lies to the folder of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// Below it, or the same: this is put before a path. Empty, or ending in `/`.
    Below(String),
    /// Above it: this is taken from the start of a path. Ends in `/`.
    Above(String),
}

impl Default for Anchor {
    fn default() -> Self {
        Self::Below(String::new())
    }
}

impl Anchor {
    /// The reported `path` below the folder of the configuration; none where it is not below it.
    pub fn below_root(&self, path: &str) -> Option<String> {
        match self {
            Self::Below(prefix) => Some(format!("{prefix}{path}")),
            Self::Above(prefix) => path.strip_prefix(prefix.as_str()).map(str::to_owned),
        }
    }
}
