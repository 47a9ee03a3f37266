//! Whose an object is: decided from what was read, the marks, and the records.

mod addresses;
pub(crate) mod automatic;
pub(crate) mod classify;
pub(crate) mod guests;
pub(crate) mod whole;
