//! Work inside namespaces, each job on a thread that has entered its namespace.

use super::handle::Netns;
use crate::kernel::{Error, ErrorKind};
use crate::resource::NetnsRef;
use nix::sched::{CloneFlags, unshare};
use std::sync::Mutex;

/// How many jobs read at the same time: reading scales with processors up to here (1.9 times as fast with two).
pub const READERS: usize = 2;

/// How many jobs change things at the same time. The kernel has one lock for network changes.
pub const WRITERS: usize = 2;

/// How many namespaces are taken away at the same time: the grace periods of `umount2` are shared between those who
/// wait for them.
pub const REMOVERS: usize = 8;

/// Where a job runs.
#[derive(Clone, Debug)]
pub enum Place {
    /// In this namespace.
    Inside(Netns),
    /// In the namespace found there, opened when the job starts: a thousand open ones would be more than a process may
    /// have.
    At(NetnsRef),
    /// Wherever the thread happens to be: the work enters or makes a namespace itself.
    Anywhere,
}

/// What a job does.
pub type Work<'a, T> = Box<dyn FnOnce() -> T + Send + 'a>;

/// A job: what is done, and where.
pub fn job<'a, T>(place: Place, work: impl FnOnce() -> T + Send + 'a) -> (Place, Work<'a, T>) {
    (place, Box::new(work))
}

/// Carries out `jobs` on `threads` threads of their own; answers in the order of the jobs. A job whose namespace cannot
/// be entered is an error, and is not run.
///
/// # Errors
///
/// For each job: if its namespace cannot be entered, or its thread stopped half-way.
pub fn run<T: Send>(threads: usize, jobs: Vec<(Place, Work<'_, T>)>) -> Vec<Result<T, Error>> {
    let count = jobs.len();
    if count == 0 {
        return Vec::new();
    }
    let queue = Mutex::new(jobs.into_iter().enumerate());
    let work = || {
        let mut done = Vec::new();
        loop {
            let next = queue.lock().ok().and_then(|mut queue| queue.next());
            let Some((at, (place, work))) = next else { return done };
            done.push((at, enter(&place).map(|()| work())));
        }
    };
    let mut answers: Vec<Option<Result<T, Error>>> = (0..count).map(|_| None).collect();
    std::thread::scope(|scope| {
        let name = |n| std::thread::Builder::new().name(format!("netns-{n}"));
        let started: Vec<_> =
            (0..threads.clamp(1, count)).filter_map(|n| name(n).spawn_scoped(scope, work).ok()).collect();
        let own = if started.is_empty() { here(work) } else { Vec::new() };
        for (at, answer) in started.into_iter().flat_map(|thread| thread.join().unwrap_or_default()).chain(own) {
            if let Some(slot) = answers.get_mut(at) {
                *slot = Some(answer);
            }
        }
    });
    let lost = || {
        Err(Error::new(
            ErrorKind::Refused,
            "run a job in a namespace",
            "its thread could not be started, or stopped half-way",
        ))
    };
    answers.into_iter().map(|answer| answer.unwrap_or_else(lost)).collect()
}

/// Works in the calling thread, which is back where it was afterwards: where no thread can be started (a limit of
/// processes counts them), an undo does without.
fn here<T>(work: impl FnOnce() -> Vec<T>) -> Vec<T> {
    let Ok(home) = Netns::current() else { return Vec::new() };
    let done = work();
    // Jobs name their namespaces, so that one which is not left does no harm; it is an error all the same.
    if home.enter().is_ok() { done } else { Vec::new() }
}

/// Carries out one job on a thread of its own.
///
/// # Errors
///
/// If the namespace cannot be entered, or the thread stopped half-way.
pub fn run_one<T: Send>(place: Place, work: impl FnOnce() -> T + Send) -> Result<T, Error> {
    let mut answers = run(1, vec![(place, Box::new(work) as Work<'_, T>)]);
    answers.pop().unwrap_or_else(|| Err(Error::new(ErrorKind::Refused, "run a job in a namespace", "no answer")))
}

/// Carries out a job on a thread of its own in a fresh namespace that nothing else sees, and that goes with it.
///
/// # Errors
///
/// If no namespace can be created, or the work itself fails.
pub fn scratch<T: Send>(work: impl FnOnce() -> Result<T, Error> + Send) -> Result<T, Error> {
    let fresh =
        || unshare(CloneFlags::CLONE_NEWNET).map_err(|e| Error::os("make a scratch network namespace", e as i32));
    run_one(Place::Anywhere, || fresh().and_then(|()| work()))?
}

fn enter(place: &Place) -> Result<(), Error> {
    match place {
        Place::Inside(netns) => netns.enter(),
        Place::At(place) => Netns::open(place)?.enter(),
        Place::Anywhere => Ok(()),
    }
}
