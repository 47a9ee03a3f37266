//! What an operation does to a state, what the kernel does besides, and when it refuses.
//!
//! The planner runs every plan through it before showing it; the model kernel of the tests is this function behind the
//! `Kernel` trait.

mod address;
pub(crate) mod cascade;
pub(crate) mod creation;
pub(crate) mod effect;
mod height;
mod kernel;
mod link;
mod neighbor;
mod peer;
pub(crate) mod refusal;
mod route;
mod rule;
mod stacked;
mod vlan;

pub use creation::born;
pub use effect::effect;
pub use kernel::Model;
pub use refusal::Refusal;
pub use route::cannot_come_back;
pub(crate) use rule::in_the_way;
