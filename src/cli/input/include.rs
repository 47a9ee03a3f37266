//! Files that a topology includes: opened beneath its folder, whatever they are called.

use super::stream::{reason, text};
use crate::document::{self, Source};
use nix::errno::Errno;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, openat2};
use std::fs::File;
use std::path::Path;

/// A file with all that it includes.
pub fn gathered(name: &str, text: String) -> Source {
    let folder = Path::new(name).parent().filter(|_| name != "-").unwrap_or(Path::new("")).to_owned();
    document::gather(name, text, &mut |path| read(&folder, path))
}

/// The text of a file beneath `folder`, or why there is none. No link is followed, and only a regular file is read.
///
/// # Errors
///
/// Why it cannot be read.
fn read(folder: &Path, path: &str) -> Result<String, String> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let folder = File::open(folder).map_err(|error| reason(&error))?;
    let how = OpenHow::new()
        .flags(OFlag::O_RDONLY | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK | OFlag::O_NOCTTY)
        .resolve(ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_SYMLINKS | ResolveFlag::RESOLVE_NO_MAGICLINKS);
    let file = openat2(&folder, path, how).map_err(|errno| match errno {
        Errno::ELOOP => "it is a symbolic link, or behind one".to_owned(),
        Errno::EXDEV => "it is not beneath the folder of the topology".to_owned(),
        errno => reason(&errno.into()),
    })?;
    let file = File::from(file);
    if !file.metadata().map_err(|error| reason(&error))?.is_file() {
        return Err("it is not a regular file".to_owned());
    }
    text(file).map_err(|error| reason(&error))
}
