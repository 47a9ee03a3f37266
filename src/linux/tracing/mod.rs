//! A packet on its way, for real: tracing rules in every node, packet sockets on every interface, one probe.
//!
//! Nothing of it outlives the process: the table belongs to the socket that made it (`NFT_TABLE_F_OWNER`), and the
//! kernel takes it away when that is closed, whatever ends the process.

mod events;
mod frame;
mod rules;
mod run;
mod sender;
mod taps;
mod whole;

pub use run::{Traced, trace};
pub use sender::{Order, token};
