//! From what is there to a topology: what a user would have written to get it, and a remark for each thing that no file
//! can say. Pure.

pub mod elsewhere;
mod fate;
mod files;
mod links;
mod make;
mod makers;
mod network;
mod packets;
mod remarks;
mod wireguard;
mod wish;

pub use make::import;
pub use wish::{Imported, KeyFile, Wish};
