//! An apply that waits for confirmation, and is undone if none comes.
//!
//! `confirm.json` beside the record says how it is undone, and until when that has time. Who removes the file has
//! confirmed; who renames it to `rollback.json` undoes: the file system lets one of them win.

use super::undo;
use crate::apply::{Before, Error};
use crate::linux::store::clock;
use crate::linux::store::names::WAITING;
use crate::linux::store::record::Records;
use crate::resource::Name;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The file while it waits, and while it is being undone.
const WAITS: &str = WAITING[0];
const UNDONE: &str = WAITING[1];

/// An apply that waits for confirmation.
#[derive(Debug, Serialize, Deserialize)]
pub struct Pending {
    /// The process that undoes it.
    pub watcher: u32,
    /// How long there is to confirm, in milliseconds.
    pub limit: u64,
    /// When that is over, in milliseconds since the machine was started; `None` while it is still being applied.
    pub deadline: Option<u64>,
    /// The number that the apply has in the history once it is done.
    pub number: u64,
    /// What it goes back to.
    pub before: Before,
    /// Why the last attempt to undo it failed.
    pub failed: Option<String>,
}

/// How far it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    /// It is being applied.
    Applying,
    /// It waits, for so long yet.
    Waiting(Duration),
    /// Nothing confirmed in time.
    Expired,
    /// It is being undone, or that was cut off.
    Undoing,
}

impl Pending {
    /// What waits for confirmation of `topology`, and how far it is.
    ///
    /// # Errors
    ///
    /// If the file is there and cannot be read, is damaged, or is that of another topology.
    pub fn load(records: &Records, topology: &Name) -> Result<Option<(Self, Phase)>, Error> {
        if let Some(pending) = records.read::<Self>(topology, WAITS)? {
            records.is_of(topology, WAITS, &pending.before.target.topology)?;
            let phase = pending.phase()?;
            return Ok(Some((pending, phase)));
        }
        let Some(pending) = records.read::<Self>(topology, UNDONE)? else { return Ok(None) };
        records.is_of(topology, UNDONE, &pending.before.target.topology)?;
        Ok(Some((pending, Phase::Undoing)))
    }

    fn phase(&self) -> Result<Phase, Error> {
        let Some(deadline) = self.deadline else { return Ok(Phase::Applying) };
        let left = Duration::from_millis(deadline).saturating_sub(clock::since_boot()?);
        Ok(if left.is_zero() { Phase::Expired } else { Phase::Waiting(left) })
    }

    /// Writes it, before anything is applied. `limit` is how long there is to confirm once it is.
    ///
    /// # Errors
    ///
    /// If the file cannot be written; nothing must be applied then.
    pub fn begin(records: &Records, before: Before, watcher: u32, limit: Duration) -> Result<Self, Error> {
        let topology = before.target.topology.clone();
        let number = undo::next(records, &topology)?;
        let pending = Self { watcher, limit: milliseconds(limit), deadline: None, number, before, failed: None };
        records.write(&topology, WAITS, &pending)?;
        Ok(pending)
    }

    /// It is applied: the time to confirm begins.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn start(&mut self, records: &Records) -> Result<(), Error> {
        self.deadline = Some(milliseconds(clock::since_boot()?).saturating_add(self.limit));
        records.write(&self.before.target.topology, WAITS, self)
    }

    /// Whether it still waits: cheaper than [`Pending::load`].
    ///
    /// # Errors
    ///
    /// If the folder of the topology cannot be read.
    pub fn is_waiting(records: &Records, topology: &Name) -> Result<bool, Error> {
        records.has(topology, WAITS)
    }

    /// Keeps what was applied; `false` where another program has begun to undo it.
    ///
    /// # Errors
    ///
    /// If the file cannot be renamed or removed.
    pub fn confirm(records: &Records, topology: &Name) -> Result<bool, Error> {
        records.delete(topology, WAITS)
    }

    /// From now on it is being undone, by the caller, who holds the machine's lock; `false` where another program has
    /// confirmed.
    ///
    /// # Errors
    ///
    /// If the file cannot be renamed.
    pub fn claim(records: &Records, topology: &Name) -> Result<bool, Error> {
        Ok(records.rename(topology, WAITS, UNDONE)? || records.has(topology, UNDONE)?)
    }

    /// It could not be undone.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn fail(&mut self, records: &Records, why: String) -> Result<(), Error> {
        self.failed = Some(why);
        records.write(&self.before.target.topology, UNDONE, self)
    }

    /// It was undone: nothing waits any more, and the apply is no part of the history.
    ///
    /// # Errors
    ///
    /// If the file or that of the apply cannot be removed.
    pub fn end(&self, records: &Records) -> Result<(), Error> {
        let topology = &self.before.target.topology;
        undo::forget(records, topology, self.number)?;
        Self::drop(records, topology)
    }

    /// Nothing waits any more: the topology was removed, or never applied.
    ///
    /// # Errors
    ///
    /// If the file is there and cannot be removed.
    pub fn drop(records: &Records, topology: &Name) -> Result<(), Error> {
        WAITING.iter().try_for_each(|file| records.delete(topology, file).map(drop))
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
