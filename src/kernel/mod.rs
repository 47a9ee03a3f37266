//! The only door to the machine: what is there, and what is asked of it.

mod address;
mod attributes;
mod belonging;
mod bridge_vlan;
pub mod clock;
pub mod detach;
mod error;
pub mod exec;
mod features;
pub mod file;
mod folder;
mod generic;
mod guest;
mod held;
pub mod inhabitants;
pub mod insert;
pub mod journal;
pub mod key_files;
mod keys;
mod kinds;
mod link;
mod link_change;
mod link_delete;
mod link_verbs;
mod linux;
mod list;
pub mod lock;
mod look;
mod managed;
mod model;
mod namespace;
mod neighbor;
mod netlink;
pub mod netns;
pub mod nft;
pub mod nft_generation;
mod observe;
mod offload;
mod peers;
mod perform;
pub mod probe;
pub mod process;
mod qdisc;
pub mod record;
pub mod replies;
mod resolve;
mod route;
pub mod rt_tables;
mod rule;
mod settle;
mod site;
mod spread;
pub mod sysctl;
mod tun;
mod wireguard;

pub use error::{Error, ErrorKind};
pub use linux::Linux;
pub use list::Found;
pub use managed::with_settings;
pub use model::Model;

use crate::resource::{LinkId, Name, Node, Operation, Options, Record, State};

/// A machine that can be read and changed.
pub trait Kernel {
    /// Looks up what only the machine knows and puts it in the place of the name in `wanted`: the tables of `rt_tables`, the public keys of key files; has nft check raw rules; finds out
    /// which `existing` namespaces are one and the same.
    fn resolve(&mut self, wanted: &mut State) -> Result<(), Error>;

    /// Reads everything of the topology `wanted.topology`, found by its marks and its record, and what `wanted` names of others.
    ///
    /// What cannot be read is an error, never "absent".
    fn observe(&mut self, wanted: &State) -> Result<State, Error>;

    /// Writes the record of a topology, whole, before anything that it speaks of is done. An empty record removes it, and the last one `/run/topo` itself.
    fn remember(&mut self, topology: &Name, record: &Record) -> Result<(), Error>;

    /// Carries out operations that do not wait for each other; answers in their order. After a failure in a node the rest of that node's are skipped
    /// ([`ErrorKind::Skipped`]).
    fn perform(&mut self, topology: &Name, batch: &[Operation]) -> Vec<Result<(), Error>>;

    /// Gives namespaces that were taken away, and are still held, their names back: the first step of undoing it.
    fn give_back(&mut self) {}

    /// The values that settings have right now; `None` where there is no such setting. Asked before they are written for the first time.
    fn settings(&mut self, which: &[(Node, String)]) -> Result<Vec<Option<String>>, Error>;

    /// What links do for the kernel right now, each of it. Asked of links that were just made, before it is written for the first time.
    fn offloads(&mut self, which: &[LinkId]) -> Result<Vec<Options>, Error>;

    /// Waits until what was made is usable: links with carrier operationally up, duplicate address detection over. Bounded; never an error for what is slow.
    fn settle(&mut self, wanted: &State) -> Result<(), Error>;

    /// What an observation has to know of tables that were just installed: their generations, to be put into the record.
    fn table_generations(&mut self) -> Vec<(Node, u32)>;
}
