//! Running a user's program in a namespace, with the namespace's hosts and resolv.conf.

use crate::kernel::{Error, ErrorKind};
use crate::linux::netns::{Place, own_mounts, run_one};
use std::convert::Infallible;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

/// A program of a user's.
#[derive(Clone, Copy, Debug)]
pub struct Program<'a> {
    /// Its name, or its path.
    pub name: &'a OsStr,
    /// Its arguments, without its name.
    pub args: &'a [OsString],
    /// What it has in its environment besides topo's own.
    pub env: &'a [(&'static str, OsString)],
}

/// Becomes `program`, in the namespace `place`: on success it does not return. The process keeps its number, terminal
/// and group, so exit status, signals and interactive shells are as without topo.
///
/// `files` is the folder of `/etc/netns` whose files are seen in the place of those in `/etc`. What could not be
/// mounted is asked to `warn`. A program that is not there is [`ErrorKind::Missing`] with `ENOENT`.
///
/// # Errors
///
/// If the namespace cannot be entered, or the program cannot be started.
pub fn exec(
    place: Place,
    files: Option<&str>,
    program: Program<'_>,
    warn: &mut (dyn FnMut(&str) + Send),
) -> Result<Infallible, Error> {
    inside(place, files, program, warn, |command| Err(command.exec()))
}

/// Runs `program` as [`exec`] does, waits for its end, and says how it ended.
///
/// # Errors
///
/// If the namespace cannot be entered, or the program cannot be started.
pub fn status(
    place: Place,
    files: Option<&str>,
    program: Program<'_>,
    warn: &mut (dyn FnMut(&str) + Send),
) -> Result<ExitStatus, Error> {
    inside(place, files, program, warn, Command::status)
}

/// Does something with the program, in a namespace with its files.
fn inside<T: Send>(
    place: Place,
    files: Option<&str>,
    program: Program<'_>,
    warn: &mut (dyn FnMut(&str) + Send),
    start: impl FnOnce(&mut Command) -> io::Result<T> + Send,
) -> Result<T, Error> {
    let binds = files
        .map(|node| binds(&Path::new(crate::linux::object::file::DIR).join(node), Path::new("/etc")))
        .unwrap_or_default();
    // The namespaces are the thread's, and the thread that calls `exec` is the one that stays.
    run_one(place, || {
        own_mounts(&binds)?.iter().for_each(|failed| warn(failed));
        let mut command = Command::new(program.name);
        start(command.args(program.args).envs(program.env.iter().map(|(name, value)| (name, value)))).map_err(|error| {
            let tried = format!("run {}", program.name.to_string_lossy());
            match error.kind() {
                io::ErrorKind::NotFound => {
                    Error { kind: ErrorKind::Missing, reason: "no such program".to_owned(), ..Error::io(tried, &error) }
                }
                _ => Error::io(tried, &error),
            }
        })
    })?
}

/// Each file of the folder and what it stands in the place of. No folder is no files.
pub(crate) fn binds(from: &Path, to: &Path) -> Vec<(PathBuf, PathBuf)> {
    let entries = std::fs::read_dir(from).into_iter().flatten().flatten();
    // A name that begins with a dot is one that is being written.
    let names = entries.map(|entry| entry.file_name()).filter(|name| !name.to_string_lossy().starts_with('.'));
    let mut binds: Vec<_> = names.map(|name| (from.join(&name), to.join(&name))).collect();
    binds.sort_unstable();
    binds
}
