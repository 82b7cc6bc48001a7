//! The one integration binary: rules, command line, trees and reports, each as their user meets them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::format_collect,
    missing_docs,
    reason = "a test that meets the unexpected should stop there, and its texts are short"
)]

#[cfg(unix)]
mod aging;
mod archives;
mod baseline;
#[cfg(unix)]
mod bundles;
mod calls;
mod cases;
#[cfg(unix)]
mod changes;
#[cfg(unix)]
mod contributor;
mod dead;
mod detection;
mod encodings;
mod explain;
mod explaining;
mod formats;
mod graph;
mod guard;
mod hidden;
#[cfg(unix)]
mod histories;
#[cfg(unix)]
mod hostile;
mod leaving;
mod loaders;
mod outputs;
mod pack;
mod pipeline;
mod policy;
mod properties;
#[cfg(unix)]
mod provenance;
#[cfg(unix)]
mod pushes;
#[cfg(unix)]
mod ranges;
#[cfg(unix)]
mod repository;
mod sides;
#[cfg(unix)]
mod sinks;
#[cfg(unix)]
mod stores;
#[cfg(unix)]
mod streams;
mod strings;
#[cfg(unix)]
mod sweep;
mod template;
mod tidy;
#[cfg(unix)]
mod told;
#[cfg(unix)]
mod tree;
mod trust;
mod workspace;
mod wraps;
