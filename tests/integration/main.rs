//! The one integration binary: rules, command line, trees and reports, each as their user meets them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "a test that meets the unexpected should stop there"
)]

mod archives;
mod baseline;
mod cases;
mod detection;
mod encodings;
mod explain;
mod explaining;
mod formats;
mod hidden;
mod outputs;
mod pack;
mod pipeline;
mod policy;
mod properties;
#[cfg(unix)]
mod repository;
mod sides;
#[cfg(unix)]
mod streams;
mod strings;
mod template;
mod tidy;
#[cfg(unix)]
mod tree;
mod trust;
mod workspace;
