//! The contract: what is asked of a machine, and what it answers.

use super::Error;
use crate::resource::{LinkId, Name, Node, Operation, Options, Record, State};

/// A machine that can be read and changed.
pub trait Kernel {
    /// Looks up what only the machine knows and puts it in the place of the name in `wanted`: the tables of
    /// `rt_tables`, the public keys of key files; has nft check raw rules; finds out which `existing` namespaces are
    /// one and the same.
    ///
    /// # Errors
    ///
    /// If a name is not known to the machine, a key file cannot be read, or nft refuses a raw rule.
    fn resolve(&mut self, wanted: &mut State) -> Result<(), Error>;

    /// Reads everything of the topology `wanted.topology`, found by its marks and its record, and what `wanted` names
    /// of others.
    ///
    /// What cannot be read is an error, never "absent".
    ///
    /// # Errors
    ///
    /// If something cannot be read.
    fn observe(&mut self, wanted: &State) -> Result<State, Error>;

    /// Writes the record of a topology, whole, before anything that it speaks of is done. An empty record removes it,
    /// and the last one `/run/topo` itself.
    ///
    /// # Errors
    ///
    /// If the record cannot be written or removed; the old one stands then.
    fn remember(&mut self, topology: &Name, record: &Record) -> Result<(), Error>;

    /// Carries out operations that do not wait for each other; answers in their order. After a failure in a node the
    /// rest of that node's are skipped ([`super::ErrorKind::Skipped`]).
    ///
    /// # Errors
    ///
    /// For each operation: the kernel's refusal, or that it was skipped.
    fn perform(&mut self, topology: &Name, batch: &[Operation]) -> Vec<Result<(), Error>>;

    /// Gives namespaces that were taken away, and are still held, their names back: the first step of undoing it.
    fn give_back(&mut self) {}

    /// The values that settings have right now; `None` where there is no such setting. Asked before they are written
    /// for the first time.
    ///
    /// # Errors
    ///
    /// If a setting that is there cannot be read.
    fn settings(&mut self, which: &[(Node, String)]) -> Result<Vec<Option<String>>, Error>;

    /// The offload features of links right now, each of it. Asked of links that were just made, before it is written
    /// for the first time.
    ///
    /// # Errors
    ///
    /// If a link is gone, or the kernel cannot report its features.
    fn offloads(&mut self, which: &[LinkId]) -> Result<Vec<Options>, Error>;

    /// Waits until what was made is usable: links with carrier operationally up, duplicate address detection over.
    /// Bounded; never an error for what is slow.
    ///
    /// # Errors
    ///
    /// If a namespace cannot be entered or read.
    fn settle(&mut self, wanted: &State) -> Result<(), Error>;

    /// What an observation has to know of tables that were just installed: their generations, to be put into the
    /// record.
    fn table_generations(&mut self) -> Vec<(Node, u32)>;
}
