//! How plans are carried out.

use std::time::Duration;

/// How plans are carried out.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// Whether what was done is undone after a failure.
    pub rollback: bool,
    /// Whether the checks of the file decide, too: the change is undone where it breaks one.
    pub test: bool,
    /// Whether a user says of each request when it is made.
    pub step: bool,
    /// Whether the report is JSON.
    pub json: bool,
    /// `Applied` or `Destroyed`.
    pub verb: &'static str,
    /// What is kept for going back.
    pub way_back: WayBack,
    /// Whether one that fails is no reason to leave the others.
    pub each: bool,
}

/// What is kept for going back to what was there before.
#[derive(Clone, Copy, Debug)]
pub enum WayBack {
    /// Nothing: what is destroyed is made again from its file.
    None,
    /// It is noted, for `undo`.
    Noted,
    /// The same, and it is undone unless it is confirmed within this time.
    Unconfirmed(Duration),
}
