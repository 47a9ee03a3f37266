//! Applies that wait for confirmation: what `apply --confirm`, `confirm`, `rollback` and the process that watches
//! share.

pub use crate::history::pending::{Pending, Phase};

use super::console::Console;
use super::exit::Exit;
use super::mode::WayBack;
use super::{confirmation, notice};
use crate::apply::report::Report;
use crate::apply::{Error, before};
use crate::linux::process::detach::{Detached, is_alive};
use crate::linux::resolve::key_files::check_way_back;
use crate::linux::store::record::{Records, is_name};
use crate::plan::change::Plan;
use crate::render::page::seconds;
use crate::resource::Name;
use std::time::Duration;

/// How long there is to confirm where nothing else is said.
pub const LIMIT: Duration = Duration::from_secs(60);

/// The longest that can be asked for: a day.
const LONGEST: u64 = 24 * 3600;

/// Reads a duration: a whole number of seconds, minutes or hours. An error says what is right.
///
/// # Errors
///
/// If it is no such number, or too large; says what is expected.
pub fn duration(text: &str) -> Result<Duration, &'static str> {
    const RIGHT: &str = "a number and its unit: 30s, 2m, 1h; at most 24h";
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let scale = match unit {
        "s" => 1,
        "m" | "min" => 60,
        "h" => 3600,
        _ => return Err(RIGHT),
    };
    let number: u64 = text.strip_suffix(unit).and_then(|number| number.parse().ok()).ok_or(RIGHT)?;
    let whole = number.checked_mul(scale).filter(|whole| (1..=LONGEST).contains(whole)).ok_or(RIGHT)?;
    Ok(Duration::from_secs(whole))
}

/// An apply that is undone unless it is confirmed, while it is under way.
#[derive(Debug)]
pub struct Unconfirmed {
    pending: Pending,
    /// While this is held the watcher waits; if this process dies it undoes at once.
    _watcher: Detached,
}

/// Starts the process that watches, and says how to go back, before anything is changed. That process has no keys but
/// those in files: where the way back needs others, nothing is begun.
///
/// # Errors
///
/// If the process cannot be started, the file cannot be written, or a key for the way back is in no file.
pub fn begin(plan: &Plan, limit: Duration) -> Result<Unconfirmed, Error> {
    check_way_back(&plan.base, &plan.wanted)?;
    let watcher = Detached::start(&[confirmation::ARGUMENT, plan.base.topology.as_str()])?;
    let pending = Pending::begin(&Records::default(), before(plan), watcher.id(), limit)?;
    Ok(Unconfirmed { pending, _watcher: watcher })
}

impl Unconfirmed {
    /// The apply is over: if it went well the time to confirm begins. What was undone waits for nothing; what could not
    /// be undone is left to the watcher.
    ///
    /// # Errors
    ///
    /// If the file cannot be written or removed.
    pub fn end(&mut self, report: &Report) -> Result<(), Error> {
        let records = Records::default();
        if report.is_success() {
            return self.pending.start(&records);
        }
        match &report.undone {
            Some(Err(_)) => Ok(()),
            _ => Pending::drop(&records, &self.pending.before.target.topology),
        }
    }
}

/// How many seconds there are to confirm a plan that was carried out.
pub fn limit(plan: &Plan, report: &Report, way_back: WayBack) -> Option<u64> {
    match way_back {
        WayBack::Unconfirmed(limit) if report.is_success() && !plan.changes.is_empty() => Some(limit.as_secs()),
        _ => None,
    }
}

/// How far an apply is that waits for confirmation; `None` too where that cannot be read.
pub fn phase(topology: &Name) -> Option<Phase> {
    Pending::load(&Records::default(), topology).ok().flatten().map(|(_, phase)| phase)
}

/// Refuses to change a topology that waits for confirmation.
///
/// # Errors
///
/// If one of them waits for confirmation, after that was printed.
pub fn refuse<'a>(console: &mut Console, topologies: impl Iterator<Item = &'a Name>) -> Result<(), Exit> {
    let mut result = Ok(());
    for name in topologies {
        let Some((_, phase)) =
            Pending::load(&Records::default(), name).map_err(|error| notice::told(console, &error))?
        else {
            continue;
        };
        let how = match phase {
            Phase::Waiting(left) => format!("waits for confirmation, {} yet", seconds(left)),
            Phase::Applying => "is half-made: its apply was cut off, and has not been undone yet".to_owned(),
            Phase::Expired => "was not confirmed in time, and has not been undone yet".to_owned(),
            Phase::Undoing => "is half undone, because it was not confirmed in time".to_owned(),
        };
        let help = match phase {
            Phase::Waiting(_) => {
                format!("topo confirm {name} keeps what was applied, topo rollback {name} undoes it; then apply again")
            }
            _ => format!("topo rollback {name} undoes it; then apply again"),
        };
        console.problem(&format!("topology {:?} {how}", name.as_str()), Some(&help));
        result = Err(Exit::Failed);
    }
    result
}

/// Says so where something should have been undone and the process that would have done it is gone.
pub fn mention_lost(console: &mut Console) {
    let records = Records::default();
    for name in records.names().unwrap_or_default() {
        // What cannot be read is reported by the commands that need it.
        let Ok(Some((pending, phase))) = Pending::load(&records, &name) else { continue };
        if matches!(phase, Phase::Waiting(_)) || is_alive(pending.watcher, confirmation::ARGUMENT) {
            continue;
        }
        let why = pending.failed.map(|why| format!(" ({why})")).unwrap_or_default();
        console.warn(&format!(
            "topology {:?} was not confirmed in time and is not undone{why}: topo rollback {name} undoes it",
            name.as_str()
        ));
    }
}

/// The topologies that are meant: the one that is named, or all that wait.
///
/// # Errors
///
/// If the one that is named does not wait, or none does, after that was printed.
pub fn which(console: &mut Console, name: Option<&str>) -> Result<Vec<Name>, Exit> {
    let records = Records::default();
    if let Some(name) = name {
        if !is_name(name) {
            console.problem(&format!("{name:?} is no name of a topology"), Some("topo list shows the names"));
            return Err(Exit::Usage);
        }
        return Ok(vec![Name::from(name)]);
    }
    let names = records.names().map_err(|error| notice::told(console, &error))?;
    let mut waiting = Vec::new();
    for name in names {
        if Pending::load(&records, &name).map_err(|error| notice::told(console, &error))?.is_some() {
            waiting.push(name);
        }
    }
    Ok(waiting)
}

/// The argument that asks for it.
pub const ARGUMENT: &str = "__watch";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, seconds) in [("1s", 1), ("90s", 90), ("2m", 120), ("5min", 300), ("24h", 86_400)] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)));
        }
        for text in [
            "",
            "s",
            "0s",
            "10",
            "-1s",
            "1.5m",
            "25h",
            "99999999999999999999s",
            "18446744073709551615h",
            "lab.yaml",
            "2 m",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
