//! One subtraction: wanted minus observed, put in order and rehearsed. Pure and deterministic.

mod adoption;
mod advertised;
mod beside;
mod between;
mod build;
pub(crate) mod change;
mod diff;
pub(crate) mod facts;
pub(crate) mod goal;
mod handover;
pub(crate) mod make;
pub(crate) mod rehearsal;
mod remove;
mod shared;
mod stage;
mod taken;
mod warnings;

pub use self::beside::{beside, changed_since, record_beside};
pub use self::between::{between, reversed};
pub use self::make::{back, make};
pub use change::{Action, Change, Conflict, Plan, Step};
