//! Applies that can be taken back: the one that waits for confirmation, and those that `undo` goes back over.

pub mod last;
pub mod pending;
pub mod undo;
