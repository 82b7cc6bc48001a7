//! Everything a repository's object store holds, reachable or not.
//!
//! `sweep` reads each object once and says which hold something to look at; nothing here knows of keys or reports.

mod bounds;
mod commits;
mod delta;
mod directory;
mod extras;
mod graph;
mod lineage;
mod listing;
mod loose;
mod missing;
mod names;
mod pack;
mod provenance;
mod roots;
mod seams;
mod store;
mod sweep;
mod tree_facts;
mod walk;

use super::inflate;

pub use bounds::Bounds;
pub use commits::{Commit, Commits};
pub use directory::{Directories, GitDirectory};
pub use extras::{Indexes, visit as visit_extras};
pub use graph::Graph;
pub use lineage::{Held, Lineage, Sighting};
pub use missing::missing;
pub use provenance::{Holder, Provenance, Spot};
pub use roots::{Root as HistoryRoot, Roots};
pub use seams::{Pairs, Part, Seams};
pub use store::{Content, Files, Place, Store, author_of, entries_of, object_name};
pub use sweep::{Hit, Search, Swept, sweep, sweep_trees};
pub use tree_facts::{Top, TreeFacts};
