//! The command line: one file per subcommand.

pub(crate) mod adoption;
pub mod command;
pub(crate) mod confirmation;
mod console;
pub(crate) mod elsewhere;
pub(crate) mod examine;
pub(crate) mod execute;
mod exit;
pub(crate) mod global;
pub mod input;
pub(crate) mod known;
pub(crate) mod mode;
mod network;
pub(crate) mod notice;
mod packet;
pub(crate) mod program;
mod progress;
mod question;
pub(crate) mod revert;
pub(crate) mod session;
mod signals;
pub(crate) mod target;
pub(crate) mod trace;
mod trial;
pub(crate) mod watching;

pub use exit::Exit;
pub use global::Global;
pub use program::{Topo, main};
