//! What was last wanted of each topology: with it `list` and `plan NAME` see what has changed since, without the file.
//! It is kept beside the record, however large it is, and goes with it.

use crate::apply::Before;
use crate::kernel::Error;
use crate::linux::store::names::WANTED;
use crate::linux::store::record::Records;
use crate::resource::{Name, Owner, State};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// What was last wanted of a topology.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Last<'a> {
    /// It.
    pub state: Cow<'a, State>,
    /// Whether it is what there was before an apply that was undone: [`crate::plan::back`] plans for that.
    pub back: bool,
}

/// Notes that `state` is what is wanted from now on. Where that is nothing, nothing is kept.
///
/// # Errors
///
/// If the file cannot be written: no space is left, or the folder is not topo's own.
pub fn note(records: &Records, state: &State) -> Result<(), Error> {
    let there = !state.items.is_empty();
    if state.adopts.is_none() {
        return write(records, state, false, there);
    }
    // What was adopted has its marks.
    write(records, &State { adopts: None, ..state.clone() }, false, there)
}

/// Notes that an apply was undone: what there was before it is what is wanted from now on.
///
/// # Errors
///
/// If the file cannot be written or removed.
pub fn note_back(records: &Records, before: &Before) -> Result<(), Error> {
    let there = !before.record.is_empty() || before.target.items.values().any(|item| item.owner == Owner::Ours);
    write(records, &before.target, true, there)
}

fn write(records: &Records, state: &State, back: bool, there: bool) -> Result<(), Error> {
    if !there {
        return forget(records, &state.topology);
    }
    records.write(&state.topology, WANTED, &Last { state: Cow::Borrowed(state), back })
}

/// What was last wanted of `topology`; `None` where that is not known.
///
/// # Errors
///
/// If the file is there and cannot be read, or a newer topo wrote it.
pub fn load(records: &Records, topology: &Name) -> Result<Option<Last<'static>>, Error> {
    records.read(topology, WANTED)
}

/// What is kept of `topology`, for [`put_back`]; `None` where nothing is, or it cannot be read.
pub fn keep(records: &Records, topology: &Name) -> Option<Vec<u8>> {
    records.bytes(topology, WANTED).ok().flatten()
}

/// Puts back what a destroy that was undone had taken away.
///
/// # Errors
///
/// If the file cannot be written.
pub fn put_back(records: &Records, topology: &Name, kept: &[u8]) -> Result<(), Error> {
    records.put_back(topology, WANTED, kept)
}

/// Forgets what was wanted of `topology`: it is gone.
///
/// # Errors
///
/// If the file is there and cannot be removed.
pub fn forget(records: &Records, topology: &Name) -> Result<(), Error> {
    records.delete(topology, WANTED).map(drop)
}
