//! What was seen of a probe, put together to the way of a packet, and held against what the walk says of it.

mod assemble;
mod ending;
mod parts;
mod path;

pub use assemble::assemble;
pub use parts::{Known, Trace};
