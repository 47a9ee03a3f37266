//! The way of a packet: where it goes, the first thing that stops it, and where its answer goes.
//!
//! A walk over a state, wanted or observed, in the order of the kernel: rules of policy routing and routes ([`fib`]),
//! the hooks of netfilter ([`hooks`], [`matching`]), the neighbour on the segment ([`segment`]), and what the node that
//! gets it asks of it ([`admit`]). Each step names what decided it.
//!
//! It never says that a packet arrives where it may not: what it cannot decide (a rule in nft's own words, a tunnel,
//! what is behind an interface to the outside) ends the walk with what it depends on ([`outcome::End::Unknown`]),
//! unless both ways come to the same.

mod admit;
pub mod advice;
mod emit;
pub mod explain;
pub mod fib;
mod foreign;
pub mod hooks;
pub mod matching;
pub mod outcome;
pub mod packet;
pub mod ruleset;
pub mod segment;
pub mod traced;
mod walk;
pub mod world;
pub mod xtables;

pub use explain::{Question, explain, explain_arrival};
pub use outcome::{End, Explanation, Verdict};
pub use world::World;
