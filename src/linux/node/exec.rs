//! Running a person's program in a namespace, with the namespace's hosts and resolv.conf.

use crate::kernel::{Error, ErrorKind};
use crate::linux::netns::{Place, own_mounts, run_one};
use std::convert::Infallible;
use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Becomes `program` with `args`, in the namespace `place`: on success it does not return. The process keeps its number, terminal and group, so exit status,
/// signals and interactive shells are as without topo.
///
/// `files` is the folder of `/etc/netns` whose files are seen in the place of those in `/etc`. What could not be mounted is told to `warn`.
/// A program that is not there is [`ErrorKind::Missing`] with `ENOENT`.
pub fn exec(place: Place, files: Option<&str>, program: &OsStr, args: &[OsString], warn: &mut (dyn FnMut(&str) + Send)) -> Result<Infallible, Error> {
    let binds = files.map(|node| binds(&Path::new(crate::linux::object::file::DIR).join(node), Path::new("/etc"))).unwrap_or_default();
    // The namespaces are the thread's, and the thread that calls `exec` is the one that stays.
    run_one(place, || {
        own_mounts(&binds)?.iter().for_each(|failed| warn(failed));
        let error = Command::new(program).args(args).exec();
        let tried = format!("run {}", program.to_string_lossy());
        match error.kind() {
            std::io::ErrorKind::NotFound => Err(Error { kind: ErrorKind::Missing, reason: "no such program".to_owned(), ..Error::io(tried, &error) }),
            _ => Err(Error::io(tried, &error)),
        }
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
