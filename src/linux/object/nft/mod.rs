//! The nft table of a node: requests, listing, generation.

pub(crate) mod counters;
pub(crate) mod expressions;
pub(crate) mod foreign;
pub mod generation;
pub(crate) mod listing;
pub(crate) mod refusal;
pub(crate) mod sets;
pub mod table;
pub(crate) mod transaction;
pub(crate) mod verdict;

pub(crate) use refusal::message;
pub use table::*;
