//! The one integration binary: rules, command line, trees and reports, each as their user meets them.

mod detection;
#[cfg(unix)]
mod repository;
mod template;
