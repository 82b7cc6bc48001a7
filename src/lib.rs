//! Finds Ansa keys, says which side of an application each is on, and never prints one.
//!
//! `ARCHITECTURE.md` maps the modules; the command line is the supported interface, this library serves it and its tests.

pub mod blob;
pub mod classify;
pub mod detect;
pub mod finding;
pub mod path;
pub mod report;
pub mod rule;
pub mod secret;
pub mod side;
pub mod source;
