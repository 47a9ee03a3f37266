//! What this machine's kernel may not have: such a test says what it needs, and goes to the lane where that is missing
//! (`tests/kernel-lane`).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod eyes;
mod failures;
mod handover;
mod impair;
mod kinds;
mod kinds_random;
mod lane;
mod lent;
mod netns_linux;
mod no_drift;
mod offload;
mod promised;
mod topologies;
mod vlans;
mod wireguard;
mod without_ipv6;

#[path = "../generator/mod.rs"]
mod generator;
#[path = "../sandbox/mod.rs"]
mod sandbox;
#[path = "../transitions/mod.rs"]
mod transitions;
