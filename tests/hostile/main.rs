//! Everything that goes wrong: kills, refused requests, races, mutated input, limits, and other programs on the same
//! machine.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod adoption;
mod conformance;
mod containers;
mod crash;
mod docker;
mod fuzz;
mod laws_kernel;
mod neighbors;
mod neighbors_real;
mod races;
mod records;
mod refusals;
mod resources;

#[path = "../cases/mod.rs"]
mod cases;
#[path = "../generator/mod.rs"]
mod generator;
#[path = "../hand/mod.rs"]
mod hand;
#[path = "../law/mod.rs"]
mod law;
#[path = "../mutation/mod.rs"]
mod mutation;
#[path = "../sandbox/mod.rs"]
mod sandbox;
#[path = "../shadow/mod.rs"]
mod shadow;
#[path = "../tracer/mod.rs"]
mod tracer;
#[path = "../transitions/mod.rs"]
mod transitions;
