//! Whose an object is: decided from what was read, the marks, and the records.

pub(crate) mod classify;
mod client;
pub(crate) mod guests;
pub(crate) mod identity;
mod vlans;
pub(crate) mod whole;
