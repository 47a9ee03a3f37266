//! What needs no kernel: the language and its checks, plans on the model, the pages of the documentation, the rules of
//! the house.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod alone;
mod bad;
mod differences;
mod docs;
mod guarantees;
mod house;
mod large;
mod laws;
mod many;
mod model;
mod orders;
mod pictures;
mod planted;

#[path = "../cases/mod.rs"]
mod cases;
#[path = "../generator/mod.rs"]
mod generator;
#[path = "../law/mod.rs"]
mod law;
#[path = "../shapes/mod.rs"]
mod shapes;
