//! The program as a person meets it: commands and what they print, confirmation, checks, signals, upgrades.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod checks;
mod cli;
mod confirm;
mod counted;
mod diff;
mod doctored;
mod examples;
mod expand;
mod explained;
mod formats;
mod identity;
mod interrupted;
mod language;
mod live;
mod netns_exec;
mod pictures;
mod readme;
mod throwaway;
mod upgrade;
mod versions;

#[path = "../sandbox/mod.rs"]
mod sandbox;
