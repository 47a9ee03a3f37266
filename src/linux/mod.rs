//! The machine: the only input and output.

mod alike;
pub(crate) mod foreign;
pub mod ground;
pub(crate) mod inventory;
mod live;
pub(crate) mod machine;
pub mod netlink;
pub mod netns;
pub mod node;
pub mod object;
pub mod observe;
mod overlap;
pub mod ownership;
pub mod perform;
pub mod probe;
pub mod process;
pub mod replies;
pub mod resolve;
pub(crate) mod script;
pub(crate) mod secret;
pub mod snapshot;
pub mod store;
pub(crate) mod survey;
pub mod tracing;

pub use inventory::Found;
pub use machine::Linux;
