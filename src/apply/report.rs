//! What an apply is asked, and what came of it.

use crate::kernel::Error;
use crate::plan::change::Change;
use std::sync::Arc;
use std::sync::atomic::AtomicI32;

/// How a plan is carried out.
#[derive(Clone, Debug)]
pub struct Options {
    /// Whether what was done is undone after a failure or a signal.
    pub rollback: bool,
    /// The number of the signal that asks to stop after the running batch; 0 while there is none.
    pub interrupted: Arc<AtomicI32>,
}

/// How far an apply is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Progress {
    /// So many steps of so many are done.
    Steps {
        /// Done.
        done: usize,
        /// In all.
        of: usize,
    },
    /// What was done is being undone.
    Undoing,
    /// The result is being read back.
    Verifying,
    /// It is being tried out.
    Testing,
}

/// What came of a plan.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// What failed, if anything did.
    pub failure: Option<Error>,
    /// How many steps were done.
    pub done: usize,
    /// How the undoing went, if there was one.
    pub undone: Option<Result<(), Error>>,
    /// What did not stick: the changes that a plan made after the apply still has.
    pub leftover: Vec<Change>,
    /// The signal that stopped it.
    pub interrupted: Option<i32>,
    /// What a user should know although nothing failed.
    pub warnings: Vec<String>,
}

impl Report {
    /// Whether all was done and stuck.
    pub fn is_success(&self) -> bool {
        self.failure.is_none() && self.leftover.is_empty() && self.interrupted.is_none()
    }
}
