//! The records in `/run/topo/NAME/record.json`: what the kernel cannot hold. They vanish with a reboot, as the kernel's objects do.
//!
//! A record is written whole to another file and renamed, so that whoever kills topo leaves either the old or the new one. It is believed only where nobody
//! but the user who runs topo could have written it: no symbolic link on the way, this user's, writable by nobody else.

use super::{Error, ErrorKind};
use crate::resource::{Name, Record};
use nix::fcntl::{OFlag, openat, renameat};
use nix::sys::stat::{Mode, mkdirat};
use nix::unistd::{UnlinkatFlags, geteuid, unlinkat};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Where records are.
pub const DIR: &str = "/run/topo";

/// The file in a topology's folder, and what it is called while it is being written.
const FILE: &str = "record.json";
const TEMPORARY: &str = ".record.json.new";

/// The version of the format; a newer one is refused.
const VERSION: u32 = 1;

/// The largest record that is read: five thousand namespaces with a table each have 20 MB.
const LIMIT: u64 = 256 << 20;

/// A folder of records.
#[derive(Clone, Debug)]
pub struct Records {
    dir: PathBuf,
}

/// What was found of a record.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Loaded {
    /// The record; `None` where there is none, or none that can be understood.
    pub record: Option<Record>,
    /// Why a record that is there could not be understood, and was taken as absent.
    pub warning: Option<String>,
}

/// A record as the file has it.
#[derive(Serialize, Deserialize)]
struct Versioned<T> {
    version: u32,
    record: T,
}

/// The version alone, read first: a newer format need not be readable.
#[derive(Deserialize)]
struct Version {
    version: u32,
}

impl Default for Records {
    fn default() -> Self {
        Self::at(DIR)
    }
}

impl Records {
    /// The records in another folder than [`DIR`].
    pub fn at(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into() }
    }

    /// The record of `topology`. A file that is torn or no record is a warning; one that somebody else could have written, or a newer topo wrote, an error.
    pub fn load(&self, topology: &Name) -> Result<Loaded, Error> {
        let path = self.path(topology)?;
        let tried = || format!("read {}", path.display());
        let folder = match self.folder(topology) {
            Err(e) if e.errno == Some(nix::libc::ENOENT) => return Ok(Loaded::default()),
            folder => folder?,
        };
        let file = match openat(&folder, FILE, OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC, Mode::empty()) {
            Err(nix::Error::ENOENT) => return Ok(Loaded::default()),
            file => File::from(file.map_err(|e| Error::os(tried(), e as i32))?),
        };
        trust(&file, &path)?;
        let mut text = Vec::new();
        file.take(LIMIT + 1).read_to_end(&mut text).map_err(|e| Error::io(tried(), &e))?;
        if text.len() as u64 > LIMIT {
            return Err(Error::new(ErrorKind::File, tried(), "larger than any record"));
        }
        parse(&text, &path)
    }

    /// Writes the record of `topology`, whole. On failure the old one stands.
    pub fn save(&self, topology: &Name, record: &Record) -> Result<(), Error> {
        let path = self.path(topology)?;
        let refused = |e: nix::Error| Error::os(format!("write {}", path.display()), e as i32);
        let text = serde_json::to_vec(&Versioned { version: VERSION, record }).map_err(|e| Error::new(ErrorKind::File, "write a record", e.to_string()))?;
        let base = self.make_base()?;
        make(&base, topology.as_str()).map_err(refused)?;
        let folder = self.folder(topology)?;
        // Left by a run that was killed while it wrote.
        let _ = unlinkat(&folder, TEMPORARY, UnlinkatFlags::NoRemoveDir);
        let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let mut file = File::from(openat(&folder, TEMPORARY, flags, Mode::from_bits_truncate(0o600)).map_err(refused)?);
        let written = file.write_all(&text).map_err(|e| Error::io(format!("write {}", path.display()), &e));
        let done = written.and_then(|()| renameat(&folder, TEMPORARY, &folder, FILE).map_err(refused));
        if done.is_err() {
            let _ = unlinkat(&folder, TEMPORARY, UnlinkatFlags::NoRemoveDir);
        }
        done
    }

    /// Removes the record of `topology`, and the folder of records if it is empty then. (A lock in it is removed by who holds it.) None there is fine: a run
    /// may have been cut off before it wrote one.
    pub fn remove(&self, topology: &Name) -> Result<(), Error> {
        let path = self.path(topology)?;
        let folder = match self.folder(topology) {
            Err(e) if e.errno == Some(nix::libc::ENOENT) => return Ok(()),
            folder => folder?,
        };
        for name in [TEMPORARY, FILE] {
            match unlinkat(&folder, name, UnlinkatFlags::NoRemoveDir) {
                Ok(()) | Err(nix::Error::ENOENT) => {}
                Err(e) => return Err(Error::os(format!("remove {}", path.display()), e as i32)),
            }
        }
        let base = self.base()?;
        unlinkat(&base, topology.as_str(), UnlinkatFlags::RemoveDir)
            .map_err(|e| Error::os(format!("remove {}", self.dir.join(topology.as_str()).display()), e as i32))?;
        // It holds other topologies or the lock, most likely.
        let _ = std::fs::remove_dir(&self.dir);
        Ok(())
    }

    /// The topologies that have a folder here, in name order.
    pub fn names(&self) -> Result<Vec<Name>, Error> {
        let tried = || format!("list {}", self.dir.display());
        let entries = match std::fs::read_dir(&self.dir) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(|e| Error::io(tried(), &e))?,
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|e| Error::io(tried(), &e))?;
            let folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            names.extend(entry.file_name().into_string().ok().filter(|name| folder && is_name(name)).map(Name::from));
        }
        names.sort_unstable();
        Ok(names)
    }

    /// The file of a topology, for messages. A name that is none could leave the folder.
    fn path(&self, topology: &Name) -> Result<PathBuf, Error> {
        if is_name(topology.as_str()) {
            return Ok(self.dir.join(topology.as_str()).join(FILE));
        }
        Err(Error::new(ErrorKind::File, format!("open the record of {:?}", topology.as_str()), "not the name of a topology"))
    }

    /// The folder of all records, which must be this user's alone.
    pub(super) fn base(&self) -> Result<OwnedFd, Error> {
        open_folder(nix::fcntl::AT_FDCWD, &self.dir, &self.dir)
    }

    /// The same, made if need be.
    pub(super) fn make_base(&self) -> Result<OwnedFd, Error> {
        make(nix::fcntl::AT_FDCWD, &self.dir).map_err(|e| Error::os(format!("make {}", self.dir.display()), e as i32))?;
        self.base()
    }

    /// The folder of a topology.
    fn folder(&self, topology: &Name) -> Result<OwnedFd, Error> {
        open_folder(self.base()?, Path::new(topology.as_str()), &self.dir.join(topology.as_str()))
    }
}

/// Makes a folder that only this user can use; one that is there is fine.
fn make<P: ?Sized + nix::NixPath>(at: impl AsFd, path: &P) -> nix::Result<()> {
    match mkdirat(at, path, Mode::from_bits_truncate(0o700)) {
        Err(nix::Error::EEXIST) => Ok(()),
        made => made,
    }
}

/// Opens a folder, not through a symbolic link, and looks whose it is.
fn open_folder(at: impl AsFd, path: &Path, shown: &Path) -> Result<OwnedFd, Error> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let folder = openat(at, path, flags, Mode::empty()).map_err(|e| match e {
        nix::Error::ELOOP | nix::Error::ENOTDIR => foreign(shown, "it is not a folder"),
        e => Error::os(format!("open {}", shown.display()), e as i32),
    })?;
    let file = File::from(folder);
    trust(&file, shown)?;
    Ok(file.into())
}

/// Refuses what somebody else owns or could write.
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
    Error::new(ErrorKind::Taken, format!("use {}", path.display()), why).help("topo has not made it: look who did, then remove it")
}

/// Reads the text of a record.
fn parse(text: &[u8], path: &Path) -> Result<Loaded, Error> {
    if let Ok(Version { version }) = serde_json::from_slice(text)
        && version > VERSION
    {
        let reason = format!("it has the format {version}; this topo knows formats up to {VERSION}");
        return Err(Error::new(ErrorKind::File, format!("read {}", path.display()), reason).help("use the newer topo that wrote it"));
    }
    match serde_json::from_slice::<Versioned<Record>>(text) {
        Ok(versioned) => Ok(Loaded { record: Some(versioned.record), warning: None }),
        Err(e) => Ok(Loaded { record: None, warning: Some(format!("{} is no whole record ({e}): what it knew is lost", path.display())) }),
    }
}

/// Whether `text` is a name that a topology can have.
pub fn is_name(text: &str) -> bool {
    let rest = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    text.len() <= 32 && text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.chars().all(rest)
}

#[cfg(test)]
mod tests;
