//! A script of others, run where nothing of the machine is: namespaces of its own of every sort, as no user of the
//! machine.

mod root;
pub mod stage;

pub use stage::{Stage, Wanted, asked, inner, outer, run, script};
