//! Checks, tried for real: each from its node, many side by side, none longer than it may take.
//!
//! A check runs as a job of [`netns`], on a thread that is inside of its node; the sockets that it opens there belong
//! to that namespace.

mod command;
mod dns;
mod http;
pub(crate) mod ping;
pub(crate) mod run;
pub(crate) mod transport;
mod wire;

pub use run::{Limits, run, run_and_tell};
