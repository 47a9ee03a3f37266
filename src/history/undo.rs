//! What there was before the last applies of each topology. It is kept beside its record, and goes with it.

use crate::apply::{Before, Error, before};
use crate::kernel::ErrorKind;
use crate::linux::store::clock;
use crate::linux::store::names::name;
use crate::linux::store::record::Records;
use crate::plan::change::Plan;
use crate::resource::Name;
use serde::{Deserialize, Serialize};

/// So many applies of a topology can be undone.
pub const KEPT: usize = 10;

/// Between states with more resources than this nothing is kept: it would take some 10 MB of memory.
const LARGEST: usize = 10_000;

/// An apply that can be undone.
#[derive(Debug, Serialize, Deserialize)]
pub struct Apply {
    /// The topo that did it.
    pub made_by: String,
    /// When it was done, in seconds since the machine was started.
    pub at: u64,
    /// What it goes back to.
    pub before: Before,
}

/// What is read of an apply that is written in another way.
#[derive(Deserialize)]
struct MadeBy {
    made_by: String,
}

/// Notes that a plan was carried out. Not where nothing is left, where it completed one that was cut off, or where it
/// is too large.
///
/// # Errors
///
/// The note cannot be written.
pub fn note(records: &Records, done: &Plan) -> Result<(), Error> {
    let topology = &done.base.topology;
    if done.base.record.running || done.base.items.len() + done.wanted.items.len() > LARGEST {
        // What came before cannot be reached from here, either.
        return forget(records, topology, 0);
    }
    if !records.is_there(topology)? {
        return Ok(());
    }
    let apply = Apply {
        made_by: env!("CARGO_PKG_VERSION").to_owned(),
        at: clock::since_boot()?.as_secs(),
        before: before(done),
    };
    let numbers = records.applies(topology)?;
    records.write(topology, &name(after(&numbers)), &apply)?;
    numbers.iter().rev().skip(KEPT - 1).try_for_each(|old| records.delete(topology, &name(*old)).map(drop))
}

/// The last apply of `topology` that can be undone, and its number.
///
/// # Errors
///
/// If the folder or the file cannot be read, or the file is damaged or that of another topology.
pub fn last(records: &Records, topology: &Name) -> Result<Option<(u64, Apply)>, Error> {
    let Some(number) = records.applies(topology)?.pop() else { return Ok(None) };
    let error = match records.read::<Apply>(topology, &name(number)) {
        Ok(None) => return Ok(None),
        Ok(Some(apply)) => {
            records.is_of(topology, &name(number), &apply.before.target.topology)?;
            return Ok(Some((number, apply)));
        }
        Err(error) => error,
    };
    let here = env!("CARGO_PKG_VERSION");
    match records.read::<MadeBy>(topology, &name(number)) {
        Ok(Some(MadeBy { made_by })) if made_by != here => {
            let reason = format!("it was made by topo {made_by}, and this is {here}, which cannot read it");
            Err(Error::new(ErrorKind::File, "read the last apply", reason)
                .help("undo it with the topo that made it, or apply the file of before"))
        }
        _ => Err(error),
    }
}

impl Apply {
    /// The other topo that made it; `None` where this one did.
    pub fn stranger(&self) -> Option<&str> {
        (self.made_by != env!("CARGO_PKG_VERSION")).then_some(self.made_by.as_str())
    }
}

/// The number that the next apply of `topology` gets.
///
/// # Errors
///
/// If the folder of the topology cannot be read.
pub fn next(records: &Records, topology: &Name) -> Result<u64, Error> {
    Ok(after(&records.applies(topology)?))
}

fn after(numbers: &[u64]) -> u64 {
    numbers.last().map_or(1, |last| last.saturating_add(1))
}

/// Forgets the applies of `topology` from this number on: they were undone.
///
/// # Errors
///
/// If a file cannot be removed.
pub fn forget(records: &Records, topology: &Name, from: u64) -> Result<(), Error> {
    records
        .applies(topology)?
        .into_iter()
        .filter(|number| *number >= from)
        .try_for_each(|number| records.delete(topology, &name(number)).map(drop))
}
