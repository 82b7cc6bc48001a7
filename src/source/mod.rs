//! Where bytes come from: opening files safely, git's view of them, and the facts around them.
//!
//! Everything that touches a disk is below here, and nothing below here knows what a key looks like.

pub mod alternates;
pub mod change;
pub mod facts;
pub mod history;
mod inflate;
mod loose;
pub mod objects;
pub mod open;
pub mod reader;
pub mod renames;
pub mod repository;
pub mod tree;
