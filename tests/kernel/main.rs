//! Each kind of resource on this machine's kernel, and whose is what.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod adopt;
mod borrowed;
mod doctor;
mod edits;
mod elsewhere;
mod explain;
mod facts;
mod held;
mod hosts;
mod import;
mod netns_nft;
mod netns_sysctl;
mod others;
mod prefix;
mod routing;
mod shown;
mod strange;
mod trace;
mod two;
mod unnamed;

#[path = "../generator/mod.rs"]
mod generator;
#[path = "../sandbox/mod.rs"]
mod sandbox;
#[path = "../tracer/mod.rs"]
mod tracer;
