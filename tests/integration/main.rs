//! tests

#[cfg(unix)]
mod repository;
