//! What else is in the folder `/run/topo/NAME/`, beside the record: how the last applies are undone, and what waits for
//! confirmation. Each file is as safe as the record: this user's alone, not through a symbolic link, whole, with a
//! version.

use super::folder::{list, read_whole, unlink, write_whole};
use super::names::number;
use super::record::{Records, of_another};
use crate::kernel::{Error, ErrorKind};
use crate::resource::Name;
use nix::fcntl::{AtFlags, renameat};
use nix::sys::stat::fstatat;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The version of the formats; another one is refused.
const VERSION: u32 = 1;

/// A file as it is written.
#[derive(Serialize, Deserialize)]
struct Versioned<T> {
    version: u32,
    content: T,
}

/// The version alone, read first: another format need not be readable.
#[derive(Deserialize)]
struct Version {
    version: u32,
}

impl Records {
    /// Holds that what a file of the folder of `topology` speaks of is this topology.
    ///
    /// # Errors
    ///
    /// If it speaks of another topology.
    pub fn is_of(&self, topology: &Name, file: &str, speaks_of: &Name) -> Result<(), Error> {
        if topology == speaks_of { Ok(()) } else { Err(of_another(&self.beside(topology, file)?, speaks_of)) }
    }

    /// Reads a file of the folder of `topology`; `None` where there is none.
    ///
    /// # Errors
    ///
    /// If the file is there and cannot be read, is damaged, or a newer topo wrote it.
    pub fn read<T: DeserializeOwned>(&self, topology: &Name, file: &str) -> Result<Option<T>, Error> {
        let path = self.beside(topology, file)?;
        let folder = match self.folder(topology) {
            Err(e) if e.errno == Some(nix::libc::ENOENT) => return Ok(None),
            folder => folder?,
        };
        let Some(text) = read_whole(&folder, file, &path)? else { return Ok(None) };
        let wrong = |reason: String| Error::new(ErrorKind::File, format!("read {}", path.display()), reason);
        if let Ok(Version { version }) = serde_json::from_slice(&text)
            && version != VERSION
        {
            let reason = format!("it has the format {version}; this topo knows the format {VERSION}");
            return Err(wrong(reason).help("use the topo that wrote it, or remove the file: what it knew is lost then"));
        }
        match serde_json::from_slice::<Versioned<T>>(&text) {
            Ok(versioned) => Ok(Some(versioned.content)),
            Err(e) => Err(wrong(format!("it is not whole ({e})")).help("remove the file: what it knew is lost")),
        }
    }

    /// The bytes of a file of the folder of `topology`, whatever they say; `None` where there is none.
    ///
    /// # Errors
    ///
    /// If the file is there and cannot be read.
    pub fn bytes(&self, topology: &Name, file: &str) -> Result<Option<Vec<u8>>, Error> {
        let path = self.beside(topology, file)?;
        match self.folder(topology) {
            Err(e) if e.errno == Some(nix::libc::ENOENT) => Ok(None),
            folder => read_whole(&folder?, file, &path),
        }
    }

    /// Writes what [`Records::bytes`] gave back to where it was.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn put_back(&self, topology: &Name, file: &str, bytes: &[u8]) -> Result<(), Error> {
        write_whole(&self.make_folder(topology)?, file, bytes, &self.beside(topology, file)?)
    }

    /// Whether there is a file of this name in the folder of `topology`.
    ///
    /// # Errors
    ///
    /// If the folder cannot be read.
    pub fn has(&self, topology: &Name, file: &str) -> Result<bool, Error> {
        let path = self.beside(topology, file)?;
        match self.folder(topology) {
            Err(e) if e.errno == Some(nix::libc::ENOENT) => Ok(false),
            folder => match fstatat(&folder?, file, AtFlags::AT_SYMLINK_NOFOLLOW) {
                Ok(_) => Ok(true),
                Err(nix::Error::ENOENT) => Ok(false),
                Err(e) => Err(Error::os(format!("look at {}", path.display()), e as i32)),
            },
        }
    }

    /// Writes a file of the folder of `topology`, whole.
    ///
    /// # Errors
    ///
    /// If no space is left, or the folder cannot be written to; the old file stands then.
    pub fn write<T: Serialize>(&self, topology: &Name, file: &str, content: &T) -> Result<(), Error> {
        let path = self.beside(topology, file)?;
        let text = serde_json::to_vec(&Versioned { version: VERSION, content })
            .map_err(|e| Error::new(ErrorKind::File, "write", e.to_string()))?;
        let written = self.make_folder(topology).and_then(|folder| write_whole(&folder, file, &text, &path));
        if written.is_err() {
            // A folder that was made for it does not stay.
            let _ = self.remove_folder(topology);
        }
        written
    }

    /// Removes a file of the folder of `topology`, and the folder if it was the last; says whether it was there.
    ///
    /// # Errors
    ///
    /// If it is there and cannot be removed.
    pub fn delete(&self, topology: &Name, file: &str) -> Result<bool, Error> {
        let path = self.beside(topology, file)?;
        let folder = match self.folder(topology) {
            Err(e) if e.errno == Some(nix::libc::ENOENT) => return Ok(false),
            folder => folder?,
        };
        let there = unlink(&folder, file, &path)?;
        match self.remove_folder(topology) {
            Ok(()) | Err(nix::Error::ENOENT | nix::Error::ENOTEMPTY | nix::Error::EEXIST) => Ok(there),
            Err(e) => Err(Error::os(format!("remove the folder of {}", path.display()), e as i32)),
        }
    }

    /// Renames a file of the folder of `topology`; says whether it was there. Of several who try, one succeeds.
    ///
    /// # Errors
    ///
    /// If it is there and cannot be renamed.
    pub fn rename(&self, topology: &Name, from: &str, to: &str) -> Result<bool, Error> {
        let path = self.beside(topology, from)?;
        let folder = match self.folder(topology) {
            Err(e) if e.errno == Some(nix::libc::ENOENT) => return Ok(false),
            folder => folder?,
        };
        match renameat(&folder, from, &folder, to) {
            Ok(()) => Ok(true),
            Err(nix::Error::ENOENT) => Ok(false),
            Err(e) => Err(Error::os(format!("rename {}", path.display()), e as i32)),
        }
    }

    /// The numbers of the applies of `topology` that can be undone, the last one last.
    ///
    /// # Errors
    ///
    /// If the folder is there and cannot be read.
    pub fn applies(&self, topology: &Name) -> Result<Vec<u64>, Error> {
        let folder = match self.folder(topology) {
            Err(e) if e.errno == Some(nix::libc::ENOENT) => return Ok(Vec::new()),
            folder => folder?,
        };
        let mut numbers: Vec<u64> =
            list(&folder, &self.path(topology)?)?.iter().filter_map(|name| number(name)).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// The path of a file, for messages.
    fn beside(&self, topology: &Name, file: &str) -> Result<PathBuf, Error> {
        Ok(self.path(topology)?.with_file_name(file))
    }
}
