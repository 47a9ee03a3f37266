//! Walks a plan over a kernel, in batches; undoes what it did when a step fails.

mod keys;
mod offload;
mod record;
pub(crate) mod report;
mod run;
mod said;
pub(crate) mod steps;
mod undo;

pub use crate::kernel::Error;
pub use report::{Options, Progress, Report};
pub use run::{Trial, back, run, run_on_trial};
pub use undo::{Before, before};
