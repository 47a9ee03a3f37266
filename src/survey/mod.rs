//! Everything that is there in a set of namespaces, of topo and of others. Pure: what reads it from the machine is
//! `linux::survey`.

mod found;
mod machine;
mod ruleset;

pub use found::{Home, NodeSurvey, Survey};
pub use machine::{Around, Daemon, Heard, Machine, Missing, numbers};
pub use ruleset::{Base, Program, RuleChain, Ruleset};
