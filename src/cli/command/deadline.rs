//! The process that undoes an apply which nothing confirms. No command for people: `apply --confirm` starts it.

use crate::cli::confirmation::{ARGUMENT, Pending, Phase};
use crate::cli::console::Console;
use crate::cli::exit::Exit;
use crate::cli::revert;
use crate::linux::Linux;
use crate::linux::process::detach;
use crate::linux::store::lock::Lock;
use crate::linux::store::record::{Records, is_name};
use crate::resource::Name;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag::register;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::time::Duration;

/// How often it checks for a confirmation. It does not sleep longer, because a machine that was suspended must not wake
/// up with the rest of a long sleep to go.
const PAUSE: Duration = Duration::from_millis(100);

/// How often it tries to undo, and how long it waits between.
const ATTEMPTS: usize = 5;
const BETWEEN: Duration = Duration::from_secs(2);

/// The topology to watch, where that is what this process is for.
pub fn asked() -> Option<Name> {
    let mut arguments = std::env::args_os().skip(1);
    let name = (arguments.next()? == ARGUMENT).then(|| arguments.next())??.into_string().ok()?;
    is_name(&name).then(|| Name::from(name))
}

/// Waits, and rolls back unless the change was confirmed.
pub fn run(topology: &Name) -> Exit {
    // A hangup is what this is here to survive. Who asks it to end gets the machine of before, at once: a change that
    // nothing confirmed does not stay unwatched.
    let (ended, ignored) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let prepared = [(SIGHUP, &ignored), (SIGINT, &ignored), (SIGTERM, &ended)]
        .into_iter()
        .try_for_each(|(signal, flag)| register(signal, Arc::clone(flag)).map(drop));
    if prepared.is_err() || detach::stand_alone().is_err() || detach::outlive_starter().is_err() {
        return Exit::Failed;
    }
    let records = Records::default();
    let mine = |pending: &Pending| pending.watcher == std::process::id();
    loop {
        match Pending::load(&records, topology) {
            Ok(Some((pending, Phase::Waiting(left)))) if mine(&pending) => {
                // Where nothing waits any more, a look says why: it was confirmed, or another program undoes it.
                if wait(&records, topology, left, &ended) && ended.load(Ordering::Relaxed) {
                    break;
                }
            }
            // Its time is over, or its apply was cut off, or `rollback` is at it: who dies of that has this to go on.
            Ok(Some((pending, _))) if mine(&pending) => break,
            // Confirmed, or undone, or never begun.
            Ok(_) => return Exit::Done,
            Err(_) => return Exit::Failed,
        }
    }
    for _ in 0..ATTEMPTS {
        if let Some(exit) = attempt(&records, topology, &mine) {
            return exit;
        }
        std::thread::sleep(BETWEEN);
    }
    Exit::Failed
}

/// Waits so long; `false` where nothing waits for confirmation any more.
fn wait(records: &Records, topology: &Name, left: Duration, ended: &AtomicBool) -> bool {
    let Ok(end) = crate::linux::store::clock::since_boot().map(|now| now + left) else { return true };
    while !ended.load(Ordering::Relaxed) {
        match crate::linux::store::clock::since_boot() {
            Ok(now) if now < end => std::thread::sleep(PAUSE.min(end - now)),
            _ => return true,
        }
        if matches!(Pending::is_waiting(records, topology), Ok(false)) {
            return false;
        }
    }
    true
}

/// Tries to undo it once; `None` where it is worth another attempt.
fn attempt(records: &Records, topology: &Name, mine: &dyn Fn(&Pending) -> bool) -> Option<Exit> {
    // However long another change takes: it is not its fault.
    let _lock = Lock::take(Duration::MAX, &AtomicI32::new(0), &mut |_| {}).ok()?;
    match Pending::load(records, topology) {
        Ok(Some((mut pending, _))) if mine(&pending) => {
            if matches!(Pending::claim(records, topology), Ok(false)) {
                return Some(Exit::Done);
            }
            let mut kernel = Linux::new().ok()?;
            let (_, report) = revert::revert(&mut Console::silent(), &mut kernel, &mut pending).ok()?;
            report.is_success().then_some(Exit::Done)
        }
        Ok(_) => Some(Exit::Done),
        Err(_) => None,
    }
}
