//! Files in a folder that nothing but the user who runs topo can have written: read only if that is so, written whole
//! and then renamed.

use crate::kernel::{Error, ErrorKind};
use nix::dir::Dir;
use nix::fcntl::{OFlag, openat, renameat};
use nix::sys::stat::{Mode, mkdirat};
use nix::unistd::{UnlinkatFlags, geteuid, unlinkat};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The largest file that is read: the record of five thousand namespaces with a table each has 20 MB.
const LIMIT: u64 = 256 << 20;

/// The text of the file `name`; `None` where there is none. `path` is for messages.
///
/// # Errors
///
/// If the file is there and cannot be read, or is no plain file of this user.
pub fn read_whole(folder: &OwnedFd, name: &str, path: &Path) -> Result<Option<Vec<u8>>, Error> {
    let tried = || format!("read {}", path.display());
    let file = match openat(
        folder,
        name,
        OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC,
        Mode::empty(),
    ) {
        Err(nix::Error::ENOENT) => return Ok(None),
        file => File::from(file.map_err(|e| Error::os(tried(), e as i32))?),
    };
    trust(&file, path)?;
    let mut text = Vec::new();
    file.take(LIMIT + 1).read_to_end(&mut text).map_err(|e| Error::io(tried(), &e))?;
    if text.len() as u64 > LIMIT {
        return Err(Error::new(ErrorKind::File, tried(), "larger than any record"));
    }
    Ok(Some(text))
}

/// Writes the file `name` under another name and renames it, so that the program that kills topo leaves either the old
/// or the new one. On failure the old one stands.
///
/// # Errors
///
/// If no space is left, or the folder cannot be written to; the old file stands then.
pub fn write_whole(folder: &OwnedFd, name: &str, text: &[u8], path: &Path) -> Result<(), Error> {
    let refused = |e: nix::Error| Error::os(format!("write {}", path.display()), e as i32);
    let temporary = format!(".{name}.new");
    // Left by a run that was killed while it wrote.
    let _ = unlinkat(folder, temporary.as_str(), UnlinkatFlags::NoRemoveDir);
    let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let opened =
        openat(folder, temporary.as_str(), flags, Mode::from_bits_truncate(0o600)).map(File::from).map_err(refused);
    let written = opened
        .and_then(|mut file| file.write_all(text).map_err(|e| Error::io(format!("write {}", path.display()), &e)));
    let done = written.and_then(|()| renameat(folder, temporary.as_str(), folder, name).map_err(refused));
    if done.is_err() {
        let _ = unlinkat(folder, temporary.as_str(), UnlinkatFlags::NoRemoveDir);
    }
    done
}

/// Whether a file is one that [`write_whole`] had not finished.
pub fn is_temporary(name: &str) -> bool {
    name.starts_with('.') && name.ends_with(".new")
}

/// Removes the file `name`; says whether it was there.
///
/// # Errors
///
/// If it is there and cannot be removed.
pub fn unlink(folder: &OwnedFd, name: &str, path: &Path) -> Result<bool, Error> {
    match unlinkat(folder, name, UnlinkatFlags::NoRemoveDir) {
        Ok(()) => Ok(true),
        Err(nix::Error::ENOENT) => Ok(false),
        Err(e) => Err(Error::os(format!("remove {}", path.display()), e as i32)),
    }
}

/// The names of what is in the folder.
///
/// # Errors
///
/// If the folder cannot be read.
pub fn list(folder: &OwnedFd, path: &Path) -> Result<Vec<String>, Error> {
    let failed = |e: nix::Error| Error::os(format!("list the folder of {}", path.display()), e as i32);
    let mut names = Vec::new();
    for entry in Dir::openat(folder, ".", OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty())
        .map_err(failed)?
        .iter()
    {
        let name = entry.map_err(failed)?.file_name().to_string_lossy().into_owned();
        if name != "." && name != ".." {
            names.push(name);
        }
    }
    Ok(names)
}

/// Makes a folder that only this user can use; one that is there is fine.
///
/// # Errors
///
/// The refusal of `mkdirat`, unless the folder is there.
pub fn make<P: ?Sized + nix::NixPath>(at: impl AsFd, path: &P) -> nix::Result<()> {
    match mkdirat(at, path, Mode::from_bits_truncate(0o700)) {
        Err(nix::Error::EEXIST) => Ok(()),
        made => made,
    }
}

/// Opens a folder, not through a symbolic link, and looks whose it is.
///
/// # Errors
///
/// If it is no folder, belongs to another user, or others may write to it.
pub fn open_folder(at: impl AsFd, path: &Path, shown: &Path) -> Result<OwnedFd, Error> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let folder = openat(at, path, flags, Mode::empty()).map_err(|e| match e {
        nix::Error::ELOOP | nix::Error::ENOTDIR => foreign(shown, "it is not a folder"),
        e => Error::os(format!("open {}", shown.display()), e as i32),
    })?;
    let file = File::from(folder);
    trust(&file, shown)?;
    Ok(file.into())
}

/// Refuses what another program owns or could write.
fn trust(file: &File, path: &Path) -> Result<(), Error> {
    let meta = file.metadata().map_err(|e| Error::io(format!("look at {}", path.display()), &e))?;
    if meta.uid() != geteuid().as_raw() {
        return Err(foreign(path, &format!("it belongs to the user {}", meta.uid())));
    }
    if meta.mode() & 0o022 != 0 {
        return Err(foreign(path, "others may write it"));
    }
    if !meta.is_file() && !meta.is_dir() {
        return Err(foreign(path, "it is not a plain file"));
    }
    Ok(())
}

fn foreign(path: &Path, why: &str) -> Error {
    Error::new(ErrorKind::Taken, format!("use {}", path.display()), why)
        .help("topo has not made it: look who did, then remove it")
}
