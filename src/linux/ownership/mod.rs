//! Whose an object is: decided from what was read, the marks, and the records.

pub(crate) mod classify;
pub(crate) mod guests;
pub(crate) mod identity;
pub(crate) mod whole;
