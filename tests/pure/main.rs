//! What needs no kernel: the language and its checks, plans on the model, the pages of the documentation, the rules of
//! the house.

mod alone;
mod bad;
mod docs;
mod guarantees;
mod house;
mod large;
mod laws;
mod model;
mod orders;
mod planted;

#[path = "../cases/mod.rs"]
mod cases;
#[path = "../generator/mod.rs"]
mod generator;
#[path = "../law/mod.rs"]
mod law;
#[path = "../shapes/mod.rs"]
mod shapes;
