//! What rules of NAT and firewall counted.

use super::{ChainRef, Node};
use std::collections::HashMap;
use std::fmt;

/// What a rule counted since it was made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Count {
    /// Packets.
    pub packets: u64,
    /// Bytes, IP headers included.
    pub bytes: u64,
}

/// What the rules of chains counted, in the order of the rules; `None` for one that does not count. In a foreign chain
/// they are the rules of the topology alone.
pub type Counts = HashMap<(Node, ChainRef), Vec<Option<Count>>>;

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "packets {} bytes {}", self.packets, self.bytes)
    }
}
