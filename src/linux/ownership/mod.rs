//! Whose an object is: decided from what was read, the marks, and the records.

mod addresses;
mod adopt;
pub(crate) mod automatic;
pub(crate) mod classify;
mod client;
pub(crate) mod guests;
pub(crate) mod identity;
pub(crate) mod moved;
mod neighbor;
mod route;
mod rule;
mod vlans;
pub(crate) mod whole;
