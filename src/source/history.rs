//! Everything a repository's object store holds, reachable or not.
//!
//! `sweep` reads each object once and says which hold something to look at; nothing here knows of keys or reports.

mod commits;
mod delta;
mod inflate;
mod loose;
mod pack;
mod store;
mod sweep;
mod walk;

pub use commits::{Commit, Commits};
pub use store::{Files, Place, Store, object_name};
pub use sweep::{Hit, Search, Swept, sweep};
pub use walk::Bounds;
