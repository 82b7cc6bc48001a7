//! Finds Ansa keys, says which side of an application each is on, and never prints one.
//!
//! `ARCHITECTURE.md` maps the modules; the command line is the supported interface, this library serves it and its tests.

pub mod blob;
pub mod finding;
pub mod null_id;
pub mod path;
pub mod rule;
pub mod secret;
pub mod side;

pub mod ci;
pub mod classify;
pub mod detect;
pub mod explain;
pub mod line_hash;
pub mod settings;
pub mod suppress;
pub mod unpack;

pub mod report;
pub mod source;

pub mod scan;

pub mod cli;
pub mod command;
pub mod conclude;
pub mod config;
pub mod exit;
pub mod output;
pub mod stdio;
