//! Everything a repository's object store holds, reachable or not.
//!
//! `sweep` reads each object once and says which hold something to look at; nothing here knows of keys or reports.

mod alternates;
mod commits;
mod delta;
mod directory;
mod extras;
mod graph;
mod inflate;
mod lineage;
mod loose;
mod missing;
mod pack;
mod store;
mod sweep;
mod tree_facts;
mod walk;

pub use alternates::{Allowed, with_alternates};
pub use commits::{Commit, Commits};
pub use directory::{Directories, GitDirectory};
pub use extras::visit as visit_extras;
pub use graph::Graph;
pub use lineage::{Held, Lineage, Sighting};
pub use missing::missing;
pub use store::{Content, Files, Place, Store, object_name};
pub use sweep::{Hit, Search, Swept, sweep};
pub use tree_facts::TreeFacts;
pub use walk::Bounds;
