//! The last applies of each topology, as plans back. They are kept beside its record, and go with it.

use crate::apply::{Before, Error, before};
use crate::kernel::{ErrorKind, Kernel};
use crate::linux::store::clock;
use crate::linux::store::names::name;
use crate::linux::store::record::Records;
use crate::plan;
use crate::plan::change::Plan;
use crate::resource::{Name, Record, State};
use serde::{Deserialize, Serialize};

/// So many applies of a topology can be undone.
pub const KEPT: usize = 10;

/// A plan between states with more resources than this is not kept: it would take some 10 MB of memory, and a second to
/// make.
const LARGEST: usize = 10_000;

/// An apply that can be undone.
#[derive(Debug, Serialize, Deserialize)]
pub struct Apply {
    /// The topo that made the plan. Another one does not compare it with what it plans itself: it plans the way back
    /// anew.
    pub made_by: String,
    /// When it was done, in seconds since the machine was started.
    pub at: u64,
    /// The plan back, made when the apply was done.
    pub plan: Plan,
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
pub fn note(kernel: &mut dyn Kernel, records: &Records, done: &Plan) -> Result<(), Error> {
    let topology = &done.base.topology;
    if done.base.record.running || done.base.items.len() + done.wanted.items.len() > LARGEST {
        // What came before cannot be reached from here, either.
        return forget(records, topology, 0);
    }
    let before = before(done);
    let now = kernel.observe(&before.target)?;
    if now.record.is_empty() {
        return Ok(());
    }
    let plan = plan::back(&before.beside(&now).target, &now).map_err(|conflicts| {
        let reason = conflicts.into_iter().next().map_or_else(String::new, |conflict| conflict.reason);
        Error::new(ErrorKind::Refused, "plan the way back", reason)
    })?;
    let apply = Apply {
        made_by: env!("CARGO_PKG_VERSION").to_owned(),
        at: clock::since_boot()?.as_secs(),
        plan: without_others(plan),
        before,
    };
    let numbers = records.applies(topology)?;
    records.write(topology, &name(after(&numbers)), &apply)?;
    numbers.iter().rev().skip(KEPT - 1).try_for_each(|old| records.delete(topology, &name(*old)).map(drop))
}

/// The records of other topologies are no part of a plan: they are observed again. What they share is remembered, so
/// that it is known where the plan is another because of them.
fn without_others(plan: Plan) -> Plan {
    let shares = |(name, Record { wrote, configured, .. })| (name, Record { wrote, configured, ..Record::default() });
    let others = plan.base.others.into_iter().map(shares).collect();
    Plan { base: State { others, ..plan.base }, ..plan }
}

/// The last apply of `topology` that can be undone, and its number.
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
pub fn next(records: &Records, topology: &Name) -> Result<u64, Error> {
    Ok(after(&records.applies(topology)?))
}

fn after(numbers: &[u64]) -> u64 {
    numbers.last().map_or(1, |last| last.saturating_add(1))
}

/// Forgets the applies of `topology` from this number on: they were undone.
pub fn forget(records: &Records, topology: &Name, from: u64) -> Result<(), Error> {
    records
        .applies(topology)?
        .into_iter()
        .filter(|number| *number >= from)
        .try_for_each(|number| records.delete(topology, &name(number)).map(drop))
}
