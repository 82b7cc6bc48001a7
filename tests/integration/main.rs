//! tests

mod repository;
