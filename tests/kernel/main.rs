//! Each kind of resource on this machine's kernel, and whose is what.

mod edits;
mod facts;
mod held;
mod netns_nft;
mod netns_sysctl;
mod others;
mod prefix;
mod routing;
mod strange;
mod two;

#[path = "../sandbox/mod.rs"]
mod sandbox;
