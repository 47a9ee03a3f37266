//! The records in `/run/topo/NAME/record.json`: what the kernel cannot hold. They vanish with a reboot, as the kernel's
//! objects do.
//!
//! A record is written whole to another file and renamed, so that the program that kills topo leaves either the old or
//! the new one. It is believed only where nothing but the user who runs topo could have written it: no symbolic link on
//! the way, this user's, writable by nothing else.

use super::folder::{is_temporary, list, make, open_folder, read_whole, unlink, write_whole};
use super::names::WANTED;
use super::names::{WAITING, is_apply};
use crate::kernel::{Error, ErrorKind};
use crate::resource::{Name, Record};
use nix::unistd::{UnlinkatFlags, unlinkat};
use serde::{Deserialize, Serialize};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// Where records are.
pub const DIR: &str = "/run/topo";

/// The file in a topology's folder.
const FILE: &str = "record.json";

/// The version of the format; a newer one is refused.
const VERSION: u32 = 1;

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
    /// Whose it is; records of topo 0.1 do not say.
    #[serde(default)]
    topology: Option<Name>,
    /// [`sum`] of the record: one that was changed by anything but topo is not believed, for it says what others'
    /// things are put back to.
    sum: u64,
    record: T,
}

/// A number that differs where a text does (FNV-1a, 64 bits); it guards against accidents, the folder's owner against
/// people.
fn sum(text: &[u8]) -> u64 {
    text.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
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

    /// The record of `topology`. A file that is torn or no record is a warning; one that another program could have
    /// written, or a newer topo wrote, an error.
    ///
    /// # Errors
    ///
    /// If another user could have written the file, or a newer topo wrote it.
    pub fn load(&self, topology: &Name) -> Result<Loaded, Error> {
        let path = self.path(topology)?;
        let folder = match self.folder(topology) {
            Err(e) if e.errno == Some(nix::libc::ENOENT) => return Ok(Loaded::default()),
            folder => folder?,
        };
        match read_whole(&folder, FILE, &path)? {
            Some(text) => parse(&text, topology, &path),
            None => Ok(Loaded::default()),
        }
    }

    /// Writes the record of `topology`, whole. On failure the old one stands.
    ///
    /// # Errors
    ///
    /// If no space is left, or the folder cannot be written to; the old record stands then.
    pub fn save(&self, topology: &Name, record: &Record) -> Result<(), Error> {
        let path = self.path(topology)?;
        let broken = |e: serde_json::Error| Error::new(ErrorKind::File, "write a record", e.to_string());
        let sum = sum(&serde_json::to_vec(record).map_err(broken)?);
        let text = serde_json::to_vec(&Versioned { version: VERSION, topology: Some(topology.clone()), sum, record })
            .map_err(broken)?;
        write_whole(&self.make_folder(topology)?, FILE, &text, &path)
    }

    /// Removes the record of `topology` and what is remembered of its applies, and the folder of records if it is empty
    /// then. (A lock in it is removed by who holds it, an apply that waits for confirmation by who confirms or undoes
    /// it.) None there is fine: a run may have been cut off before it wrote one.
    ///
    /// # Errors
    ///
    /// If a file is there and cannot be removed.
    pub fn remove(&self, topology: &Name) -> Result<(), Error> {
        let path = self.path(topology)?;
        let folder = match self.folder(topology) {
            Err(e) if e.errno == Some(nix::libc::ENOENT) => return Ok(()),
            folder => folder?,
        };
        let mut names = list(&folder, &path)?;
        // The record last: as long as it is there, it says that a run is under way.
        names.sort_by_key(|name| name == FILE);
        for name in names.iter().filter(|name| *name == FILE || is_apply(name) || *name == WANTED || is_temporary(name))
        {
            unlink(&folder, name, &path)?;
        }
        if names.iter().any(|name| WAITING.contains(&name.as_str())) {
            return Ok(());
        }
        self.remove_folder(topology)
            .map_err(|e| Error::os(format!("remove {}", self.dir.join(topology.as_str()).display()), e as i32))
    }

    /// Removes the folder of `topology`, and the folder of records if that is empty then.
    pub(crate) fn remove_folder(&self, topology: &Name) -> nix::Result<()> {
        let base = self.base().map_err(|_| nix::Error::ENOENT)?;
        unlinkat(&base, topology.as_str(), UnlinkatFlags::RemoveDir)?;
        // It holds other topologies or the lock, most likely.
        let _ = std::fs::remove_dir(&self.dir);
        Ok(())
    }

    /// Whether the folder of `topology` is all that there is: no record, not even a damaged one, and no apply that
    /// waits for confirmation.
    ///
    /// # Errors
    ///
    /// If the folder cannot be read.
    pub fn is_bare(&self, topology: &Name) -> Result<bool, Error> {
        let path = self.path(topology)?;
        match self.folder(topology) {
            Err(e) if e.errno == Some(nix::libc::ENOENT) => Ok(false),
            folder => Ok(!list(&folder?, &path)?
                .iter()
                .any(|name| [FILE, WANTED].contains(&name.as_str()) || WAITING.contains(&name.as_str()))),
        }
    }

    /// Whether `topology` has a record, whatever is in it.
    ///
    /// # Errors
    ///
    /// If the folder of the topology cannot be read.
    pub fn is_there(&self, topology: &Name) -> Result<bool, Error> {
        self.has(topology, FILE)
    }

    /// The topologies that have a folder here, in name order.
    ///
    /// # Errors
    ///
    /// If the folder is there and cannot be read.
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
    pub(crate) fn path(&self, topology: &Name) -> Result<PathBuf, Error> {
        if is_name(topology.as_str()) {
            return Ok(self.dir.join(topology.as_str()).join(FILE));
        }
        Err(Error::new(
            ErrorKind::File,
            format!("open the record of {:?}", topology.as_str()),
            "not the name of a topology",
        ))
    }

    /// The folder of all records, which must be this user's alone.
    pub(crate) fn base(&self) -> Result<OwnedFd, Error> {
        open_folder(nix::fcntl::AT_FDCWD, &self.dir, &self.dir)
    }

    /// The same, made if need be.
    pub(crate) fn make_base(&self) -> Result<OwnedFd, Error> {
        make(nix::fcntl::AT_FDCWD, &self.dir)
            .map_err(|e| Error::os(format!("make {}", self.dir.display()), e as i32))?;
        self.base()
    }

    /// The folder of a topology, made if need be.
    pub(crate) fn make_folder(&self, topology: &Name) -> Result<OwnedFd, Error> {
        let path = self.path(topology)?;
        make(&self.make_base()?, topology.as_str())
            .map_err(|e| Error::os(format!("write {}", path.display()), e as i32))?;
        self.folder(topology)
    }

    /// The folder of a topology.
    pub(crate) fn folder(&self, topology: &Name) -> Result<OwnedFd, Error> {
        open_folder(self.base()?, Path::new(topology.as_str()), &self.dir.join(topology.as_str()))
    }
}

/// Reads the text of a record.
fn parse(text: &[u8], topology: &Name, path: &Path) -> Result<Loaded, Error> {
    if let Ok(Version { version }) = serde_json::from_slice(text)
        && version > VERSION
    {
        let reason = format!("it has the format {version}; this topo knows formats up to {VERSION}");
        return Err(Error::new(ErrorKind::File, format!("read {}", path.display()), reason)
            .help("use the newer topo that wrote it"));
    }
    let whole = |kept: u64| written(text).is_some_and(|record| sum(record) == kept);
    let why = match serde_json::from_slice::<Versioned<Record>>(text) {
        Ok(Versioned { topology: Some(other), .. }) if other != *topology => return Err(of_another(path, &other)),
        Ok(it) if whole(it.sum) => return Ok(Loaded { record: Some(it.record), warning: None }),
        Ok(_) => "its sum is wrong".to_owned(),
        Err(e) => {
            // Another topo wrote it, in which a thing looks otherwise.
            let it = serde_json::from_slice::<Versioned<serde_json::Value>>(text).ok().filter(|it| whole(it.sum));
            if let Some((record, lost)) = it.and_then(|it| understood(it.record)) {
                let things = if lost == 1 { "thing" } else { "things" };
                let warning = format!(
                    "{} was written by another topo: {lost} {things} in it cannot be read ({e}), and will not come back",
                    path.display()
                );
                return Ok(Loaded { record: Some(record), warning: Some(warning) });
            }
            e.to_string()
        }
    };
    Ok(Loaded {
        record: None,
        warning: Some(format!("{} is no whole record ({why}): what it knew is lost", path.display())),
    })
}

/// The record alone, as it stands in the file: what its sum is of, whichever topo wrote it.
fn written(text: &[u8]) -> Option<&[u8]> {
    const BEGINNING: &[u8] = b"\"record\":";
    let at = text.windows(BEGINNING.len()).position(|window| window == BEGINNING)? + BEGINNING.len();
    text.get(at..)?.trim_ascii_end().strip_suffix(b"}")
}

/// As much of a record as can be understood, and how many entries of its lists and maps cannot.
fn understood(record: serde_json::Value) -> Option<(Record, usize)> {
    use serde_json::Value;
    let empty = serde_json::to_value(Record::default()).ok()?;
    let reads = |key: &str, value: Value| {
        let mut alone = empty.clone();
        if let Some(fields) = alone.as_object_mut() {
            fields.insert(key.to_owned(), value);
        }
        serde_json::from_value::<Record>(alone).is_ok()
    };
    let (mut record, mut lost) = (record, 0);
    for (key, value) in record.as_object_mut()? {
        let before = value.as_array().map_or(0, Vec::len) + value.as_object().map_or(0, serde_json::Map::len);
        match value {
            Value::Array(entries) => entries.retain(|entry| reads(key, Value::Array(vec![entry.clone()]))),
            Value::Object(entries) => entries
                .retain(|name, entry| reads(key, Value::Object([(name.clone(), entry.clone())].into_iter().collect()))),
            _ => continue,
        }
        lost += before - value.as_array().map_or(0, Vec::len) - value.as_object().map_or(0, serde_json::Map::len);
    }
    Some((serde_json::from_value(record).ok()?, lost))
}

/// A file in `/run/topo/NAME/` that speaks of another topology: another program copied it there.
pub fn of_another(path: &Path, other: &Name) -> Error {
    Error::new(ErrorKind::File, format!("read {}", path.display()), format!("it is of topology {:?}", other.as_str()))
        .help("remove it: what carries the topology's mark is found without it")
}

/// Whether `text` is a name that a topology can have.
pub fn is_name(text: &str) -> bool {
    let rest = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    text.len() <= 32 && text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.chars().all(rest)
}

#[cfg(test)]
mod tests;
