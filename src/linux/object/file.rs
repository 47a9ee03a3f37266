//! Files of a namespace in `/etc/netns/NODE/`, which `ip netns exec` and `topo exec` bind over those in `/etc`.
//!
//! They are reached from folder to folder, never through a symbolic link, written whole and renamed into place.

use crate::kernel::{Error, ErrorKind};
use crate::resource::{File, FileName, Foreign, Name, NetnsRef, Node, Owner};
use nix::fcntl::{OFlag, openat, renameat};
use nix::sys::stat::{Mode, fchmod, mkdirat};
use nix::unistd::{UnlinkatFlags, unlinkat};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Where iproute2 looks for them (`NETNS_ETC_DIR`).
pub const DIR: &str = "/etc/netns";

/// The most that is read of a file.
const LIMIT: u64 = 16 << 20;

/// The mode of a folder that topo made. The sticky bit changes nothing where only root may write, and reports that the
/// folder is ours to remove: a folder cannot carry a comment, and a file in it would be bound into `/etc`.
const OURS: u32 = 0o1755;

/// The folder of all namespaces' files.
#[derive(Clone, Debug)]
pub struct Files {
    dir: PathBuf,
    /// The names of namespaces of others that are called otherwise in the file.
    folders: BTreeMap<Node, String>,
}

impl Default for Files {
    fn default() -> Self {
        Self::at(DIR)
    }
}

impl Files {
    /// Files in another folder than [`DIR`].
    pub fn at(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into(), folders: BTreeMap::new() }
    }

    /// Files where the namespaces of others are called as `existing` says.
    #[must_use]
    pub fn of(&self, existing: &BTreeMap<Node, NetnsRef>) -> Self {
        let name = |(node, place): (&Node, &NetnsRef)| {
            if let NetnsRef::Name(name) = place { Some((node.clone(), name.clone())) } else { None }
        };
        Self { dir: self.dir.clone(), folders: existing.iter().filter_map(name).collect() }
    }

    /// The names of all that is in the folder of all namespaces' files, none where it is not there; `None` where it is
    /// no plain folder.
    ///
    /// # Errors
    ///
    /// If the folder is there and cannot be read.
    pub fn folders(&self) -> Result<Option<BTreeSet<String>>, Error> {
        match std::fs::symlink_metadata(&self.dir) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Some(BTreeSet::new())),
            Ok(meta) if !meta.is_dir() => return Ok(None),
            _ => {}
        }
        let failed = |e: std::io::Error| Error::io(format!("list {}", self.dir.display()), &e);
        let entries: Result<Vec<_>, _> = std::fs::read_dir(&self.dir).and_then(Iterator::collect);
        Ok(Some(
            entries.map_err(failed)?.into_iter().filter_map(|entry| entry.file_name().into_string().ok()).collect(),
        ))
    }

    /// The file as it is, and whose: ours if its first line says so. `None` where there is none.
    ///
    /// # Errors
    ///
    /// If the file is there and cannot be read.
    pub fn observe(&self, node: &Node, name: FileName, topology: &Name) -> Result<Option<(File, Owner)>, Error> {
        let refused = |e: nix::Error| Error::os(format!("read {}", self.path(node, name)), e as i32);
        let theirs = |content: String, whose| Some((File { node: node.clone(), name, content }, Owner::Theirs(whose)));
        let folder = match self.folder(node) {
            Err(nix::Error::ENOENT) => return Ok(None),
            Err(nix::Error::ELOOP | nix::Error::ENOTDIR) => {
                return Ok(theirs(String::new(), Foreign::OddFolder));
            }
            folder => folder.map_err(refused)?,
        };
        let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
        let file = match openat(&folder, name.to_string().as_str(), flags, Mode::empty()) {
            Err(nix::Error::ENOENT) => return Ok(None),
            Err(nix::Error::ELOOP) => return Ok(theirs(String::new(), Foreign::SymbolicLink)),
            file => std::fs::File::from(file.map_err(refused)?),
        };
        if !file.metadata().is_ok_and(|meta| meta.is_file()) {
            return Ok(theirs(String::new(), Foreign::OddFile));
        }
        let mut bytes = Vec::new();
        file.take(LIMIT)
            .read_to_end(&mut bytes)
            .map_err(|e| Error::io(format!("read {}", self.path(node, name)), &e))?;
        let content = String::from_utf8_lossy(&bytes).into_owned();
        let first = content.lines().next().unwrap_or_default();
        if first == File::mark(topology) {
            return Ok(Some((File { node: node.clone(), name, content }, Owner::Ours)));
        }
        let other = first
            .strip_prefix("# topo:")
            .and_then(|rest| rest.split_once(" - "))
            .map(|(other, _)| Foreign::Topology(other.into()));
        Ok(theirs(content, other.unwrap_or(Foreign::Unknown)))
    }

    /// Writes the file, whole. One that is foreign is [`ErrorKind::Taken`].
    ///
    /// # Errors
    ///
    /// If the file belongs to another program ([`ErrorKind::Taken`]), or cannot be written.
    pub fn write(&self, file: &File, topology: &Name) -> Result<(), Error> {
        self.not_theirs(file, topology, "write")?;
        self.put(file)
    }

    /// Writes the file over a foreign one that is adopted, and is as it was seen.
    ///
    /// # Errors
    ///
    /// If it is another one by now ([`ErrorKind::Taken`]), or cannot be written.
    pub fn write_over(&self, seen: &File, file: &File, topology: &Name) -> Result<(), Error> {
        match self.observe(&seen.node, seen.name, topology)? {
            Some((there, Owner::Theirs(Foreign::Unknown))) if there == *seen => self.put(file),
            _ => self.write(file, topology),
        }
    }

    fn put(&self, file: &File) -> Result<(), Error> {
        let refused = |e: nix::Error| Error::os(format!("write {}", self.path(&file.node, file.name)), e as i32);
        make(nix::fcntl::AT_FDCWD, &self.dir).map_err(refused)?;
        let base = self.base().map_err(refused)?;
        make(&base, Path::new(self.name(&file.node))).map_err(refused)?;
        let folder = self.folder(&file.node).map_err(refused)?;
        let temporary = temporary(file.name);
        // Left by a run that was killed while it wrote.
        let _ = unlinkat(&folder, temporary.as_str(), UnlinkatFlags::NoRemoveDir);
        let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let mut new = std::fs::File::from(
            openat(&folder, temporary.as_str(), flags, Mode::from_bits_truncate(0o644)).map_err(refused)?,
        );
        let written = fchmod(&new, Mode::from_bits_truncate(0o644))
            .map_err(std::io::Error::from)
            .and_then(|()| new.write_all(file.content.as_bytes()));
        let done =
            written.map_err(|e| Error::io(format!("write {}", self.path(&file.node, file.name)), &e)).and_then(|()| {
                renameat(&folder, temporary.as_str(), &folder, file.name.to_string().as_str()).map_err(refused)
            });
        if done.is_err() {
            let _ = unlinkat(&folder, temporary.as_str(), UnlinkatFlags::NoRemoveDir);
        }
        done
    }

    /// Removes the file, and the folders it was in, if they are empty then and topo made them.
    ///
    /// # Errors
    ///
    /// If the file belongs to another program ([`ErrorKind::Taken`]), or cannot be removed.
    pub fn remove(&self, file: &File, topology: &Name) -> Result<(), Error> {
        let refused = |e: nix::Error| Error::os(format!("remove {}", self.path(&file.node, file.name)), e as i32);
        self.not_theirs(file, topology, "remove")?;
        let folder = self.folder(&file.node).map_err(refused)?;
        unlinkat(&folder, file.name.to_string().as_str(), UnlinkatFlags::NoRemoveDir).map_err(refused)?;
        let base = self.base().map_err(refused)?;
        // Not empty, most likely.
        if is_ours(&folder)
            && unlinkat(&base, self.name(&file.node), UnlinkatFlags::RemoveDir).is_ok()
            && is_ours(&base)
        {
            let _ = std::fs::remove_dir(&self.dir);
        }
        Ok(())
    }

    /// Removes what a run leaves in `nodes` that is killed while it writes or removes a file: files that are not whole
    /// yet, and folders of ours without one.
    pub fn tidy(&self, nodes: &BTreeSet<Node>) {
        let Ok(base) = self.base() else { return };
        let entries = std::fs::read_dir(&self.dir).into_iter().flatten().flatten();
        for node in
            entries.filter_map(|entry| entry.file_name().into_string().ok()).map(|name| Node::from(name.as_str()))
        {
            let Some(folder) = nodes.contains(&node).then(|| self.folder(&node).ok()).flatten() else { continue };
            for name in [FileName::Hosts, FileName::ResolvConf] {
                let _ = unlinkat(&folder, temporary(name).as_str(), UnlinkatFlags::NoRemoveDir);
            }
            // Not empty, most likely.
            let _ = is_ours(&folder).then(|| unlinkat(&base, node.as_str(), UnlinkatFlags::RemoveDir));
        }
        let _ = is_ours(&base).then(|| std::fs::remove_dir(&self.dir));
    }

    fn not_theirs(&self, file: &File, topology: &Name, verb: &str) -> Result<(), Error> {
        match self.observe(&file.node, file.name, topology)? {
            Some((_, Owner::Theirs(whose))) => Err(Error::new(
                ErrorKind::Taken,
                format!("{verb} {}", self.path(&file.node, file.name)),
                format!("it is {whose}'s"),
            )
            .help("move it away, or take `dns` out of the namespace")),
            _ => Ok(()),
        }
    }

    fn path(&self, node: &Node, name: FileName) -> String {
        format!("{}/{}/{name}", self.dir.display(), self.name(node))
    }

    /// The name of a node's folder.
    pub fn name<'a>(&'a self, node: &'a Node) -> &'a str {
        self.folders.get(node).map_or(node.as_str(), String::as_str)
    }

    fn base(&self) -> nix::Result<OwnedFd> {
        open_folder(nix::fcntl::AT_FDCWD, &self.dir)
    }

    /// The folder of a node. A name that is no file name could leave the folder above.
    fn folder(&self, node: &Node) -> nix::Result<OwnedFd> {
        let name = self.name(node);
        if name.is_empty() || name.contains('/') || name == "." || name == ".." {
            return Err(nix::Error::EINVAL);
        }
        open_folder(self.base()?, Path::new(name))
    }
}

/// What a file is called while it is being written.
fn temporary(name: FileName) -> String {
    format!(".{name}.topo")
}

fn open_folder(at: impl AsFd, path: &Path) -> nix::Result<OwnedFd> {
    openat(at, path, OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC, Mode::empty())
}

/// Makes a folder, marked as ours; one that is there stays as it is.
fn make(at: impl AsFd, path: &Path) -> nix::Result<()> {
    // The mark is there from the first instant; what the umask took away comes next.
    match mkdirat(&at, path, Mode::from_bits_truncate(OURS)) {
        Ok(()) => fchmod(open_folder(at, path)?, Mode::from_bits_truncate(OURS)),
        Err(nix::Error::EEXIST) => Ok(()),
        Err(e) => Err(e),
    }
}

fn is_ours(folder: &OwnedFd) -> bool {
    let meta = folder.try_clone().map(std::fs::File::from).and_then(|file| file.metadata());
    meta.is_ok_and(|meta| meta.mode() & 0o1022 == OURS & 0o1022 && meta.uid() == nix::unistd::geteuid().as_raw())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(name: &str) -> Files {
        let dir = std::env::temp_dir().join(format!("topo-file-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        Files::at(dir)
    }

    fn hosts(topology: &Name) -> File {
        File {
            node: "RED".into(),
            name: FileName::Hosts,
            content: format!("{}\n127.0.0.1 localhost\n", File::mark(topology)),
        }
    }

    #[test]
    fn what_is_written_is_read_and_removed_without_a_trace() {
        let (files, lab) = (files("round"), Name::from("lab"));
        let file = hosts(&lab);
        assert_eq!(files.observe(&file.node, file.name, &lab).unwrap(), None);
        files.write(&file, &lab).unwrap();
        files.write(&file, &lab).unwrap();
        assert_eq!(files.observe(&file.node, file.name, &lab).unwrap(), Some((file.clone(), Owner::Ours)));
        let other = files.observe(&file.node, file.name, &"other".into()).unwrap().unwrap();
        assert_eq!(other.1, Owner::Theirs(Foreign::Topology("lab".into())));
        assert_eq!(files.write(&file, &"other".into()).unwrap_err().kind, ErrorKind::Taken);
        files.remove(&file, &lab).unwrap();
        assert!(!files.dir.exists());
    }

    #[test]
    fn what_a_killed_run_leaves_goes() {
        let (files, lab) = (files("killed"), Name::from("lab"));
        for name in ["RED", "BLUE", "GREEN", "THEIRS"] {
            files.write(&File { node: name.into(), ..hosts(&lab) }, &lab).unwrap();
        }
        std::fs::rename(files.dir.join("RED/hosts"), files.dir.join("RED/.hosts.topo")).unwrap();
        std::fs::remove_file(files.dir.join("BLUE/hosts")).unwrap();
        files.tidy(&["RED", "BLUE", "GREEN"].map(Node::from).into());
        assert!(!files.dir.join("RED").exists() && !files.dir.join("BLUE").exists());
        assert!(files.dir.join("GREEN/hosts").exists() && files.dir.join("THEIRS/hosts").exists());
        std::fs::remove_file(files.dir.join("GREEN/hosts")).unwrap();
        std::fs::remove_file(files.dir.join("THEIRS/hosts")).unwrap();
        files.tidy(&["GREEN", "THEIRS"].map(Node::from).into());
        assert!(!files.dir.exists());
    }

    #[test]
    fn folders_of_others_stay_and_their_files_are_not_touched() {
        let (files, lab) = (files("theirs"), Name::from("lab"));
        let file = hosts(&lab);
        std::fs::create_dir_all(files.dir.join("RED")).unwrap();
        files.write(&file, &lab).unwrap();
        files.remove(&file, &lab).unwrap();
        assert!(files.dir.join("RED").exists());
        std::fs::write(files.dir.join("RED/hosts"), "10.0.0.1 x\n").unwrap();
        assert_eq!(files.write(&file, &lab).unwrap_err().kind, ErrorKind::Taken);
        assert_eq!(files.remove(&file, &lab).unwrap_err().kind, ErrorKind::Taken);
        std::fs::remove_file(files.dir.join("RED/hosts")).unwrap();
        std::os::unix::fs::symlink("/etc/hostname", files.dir.join("RED/hosts")).unwrap();
        assert_eq!(files.write(&file, &lab).unwrap_err().kind, ErrorKind::Taken);
        std::fs::remove_dir_all(files.dir.join("RED")).unwrap();
        std::os::unix::fs::symlink("/etc", files.dir.join("RED")).unwrap();
        assert_eq!(files.write(&file, &lab).unwrap_err().kind, ErrorKind::Taken);
        assert!(files.write(&File { node: "..".into(), ..file }, &lab).is_err());
        std::fs::remove_dir_all(&files.dir).unwrap();
    }
}
