//! What on a machine breaks a topology, or is broken by it: findings, each with a code, what is wrong, why, where, and
//! what to write or run.
//!
//! What it says about packets is found by the walk of [`crate::flow`]: the flows that a file evidently means
//! (`meant`) are followed through the network, and what stops them is a finding, unless the file itself says that
//! they are to be stopped (`stopped`). Each rule is a function and a file of its own (`rules`).

mod address_book;
mod code;
mod examined;
mod finding;
mod meant;
mod quoted;
mod rules;
mod run;
mod stopped;
#[cfg(test)]
mod tests;
mod walked;

pub use code::{Code, Severity};
pub use examined::{Examined, Obstacle};
pub use finding::{Finding, Remedy};
pub use meant::{MOST_FLOWS, Meant, Sender, Why, meant};
pub use run::run;
pub use walked::{Walked, walk};
