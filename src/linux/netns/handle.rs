//! Namespaces: the only place that enters, makes, names and removes them.
//!
//! `setns` and `unshare` act on the calling thread alone, so work in a namespace is a job: [`run`] starts a few threads
//! of its own, each of which enters the job's namespace first (2 µs) and serves nothing else afterwards. Netlink
//! sockets, `/proc/sys/net` and child processes of a job all belong to that namespace. Never call [`Netns::enter`] on a
//! thread that goes on to do something else.

#![expect(
    unsafe_code,
    reason = "two system calls that nix does not have: SO_NETNS_COOKIE, and the type of a namespace file"
)]

use super::container;
use crate::kernel::{Error, ErrorKind};
use crate::resource::NetnsRef;
use nix::libc;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::statvfs::{FsFlags, statvfs};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// Where named namespaces are, as iproute2 has it.
pub const DIR: &str = "/run/netns";

/// The path of the namespace `name`.
pub fn path(name: &str) -> PathBuf {
    Path::new(DIR).join(name)
}

/// An open network namespace. It lives at least as long as this.
#[derive(Clone, Debug)]
pub struct Netns(Arc<OwnedFd>);

impl AsFd for Netns {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Netns {
    /// The namespace of the calling thread.
    ///
    /// # Errors
    ///
    /// If `/proc` is not mounted.
    pub fn current() -> Result<Self, Error> {
        Self::at(Path::new("/proc/thread-self/ns/net"))
    }

    /// The namespace that `place` names. One that is not there is `ErrorKind::Refused` with `ENOENT`.
    ///
    /// # Errors
    ///
    /// If there is no such namespace (`ENOENT`), or what is there is none ([`ErrorKind::Taken`]).
    pub fn open(place: &NetnsRef) -> Result<Self, Error> {
        match place {
            NetnsRef::Name(name) => Self::at(&path(name)),
            NetnsRef::Path(path) => Self::at(Path::new(path)),
            NetnsRef::Pid(pid) => Self::at(&PathBuf::from(format!("/proc/{pid}/ns/net"))),
            NetnsRef::Container { runtime, name } => {
                let pid = container::process(*runtime, name)?;
                Self::at(&PathBuf::from(format!("/proc/{pid}/ns/net")))
            }
        }
    }

    /// The namespace `name` of `/run/netns`.
    ///
    /// # Errors
    ///
    /// If there is no such name (`ENOENT`), or what is there is no namespace ([`ErrorKind::Taken`]).
    pub fn named(name: &str) -> Result<Self, Error> {
        Self::at(&path(name))
    }

    fn at(path: &Path) -> Result<Self, Error> {
        let tried = || format!("open the network namespace {}", path.display());
        // Not blocking: another program may have put a FIFO there.
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_NONBLOCK | libc::O_CLOEXEC)
            .open(path)
            .map_err(|e| Error::io(tried(), &e))?;
        // SAFETY: NS_GET_NSTYPE takes no argument and only reads; on another kind of file it fails with ENOTTY.
        let kind = unsafe { libc::ioctl(file.as_raw_fd(), NS_GET_NSTYPE) };
        if kind != libc::CLONE_NEWNET {
            return Err(Error::new(ErrorKind::Taken, tried(), "it is not a network namespace"));
        }
        Ok(Self(Arc::new(file.into())))
    }

    /// Moves the calling thread into it.
    ///
    /// # Errors
    ///
    /// If the privileges are missing (`CAP_SYS_ADMIN`).
    pub fn enter(&self) -> Result<(), Error> {
        setns(&*self.0, CloneFlags::CLONE_NEWNET).map_err(|e| Error::os("enter a network namespace", e as i32))
    }

    /// Its device and inode number: equal for two that are open at the same time only if they are the same namespace.
    ///
    /// # Errors
    ///
    /// If no descriptor is left.
    pub fn inode(&self) -> Result<(u64, u64), Error> {
        let file = self
            .0
            .try_clone()
            .map(File::from)
            .and_then(|file| file.metadata())
            .map_err(|e| Error::io("stat a network namespace", &e))?;
        Ok((file.dev(), file.ino()))
    }
}

/// `_IO(0xb7, 0x3)` of `include/uapi/linux/nsfs.h`.
const NS_GET_NSTYPE: libc::Ioctl = 0xb703;

/// The cookie of the calling thread's namespace: a number that is never used twice while the machine runs; 0 where the
/// kernel has none (before 5.14).
///
/// # Errors
///
/// If no socket can be opened.
pub fn cookie() -> Result<u64, Error> {
    use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};
    let socket = socket(AddressFamily::Unix, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None);
    cookie_of(&socket.map_err(|e| Error::os("open a socket", e as i32))?)
}

/// The cookie of the namespace that a socket belongs to.
///
/// # Errors
///
/// If the kernel refuses the socket option for another reason than not knowing it.
pub fn cookie_of(socket: &impl AsFd) -> Result<u64, Error> {
    /// `include/uapi/asm-generic/socket.h`.
    const SO_NETNS_COOKIE: libc::c_int = 71;
    let mut cookie = 0_u64;
    let mut length = size_of::<u64>() as libc::socklen_t;
    let socket = socket.as_fd().as_raw_fd();
    // SAFETY: the kernel writes at most `length` bytes, and both pointers are to live values of that size.
    let done = unsafe {
        libc::getsockopt(socket, libc::SOL_SOCKET, SO_NETNS_COOKIE, (&raw mut cookie).cast(), &raw mut length)
    };
    if done == 0 || nix::errno::Errno::last() == nix::errno::Errno::ENOPROTOOPT {
        return Ok(cookie);
    }
    Err(Error::os("read the cookie of a network namespace", nix::errno::Errno::last_raw()))
}

/// Makes the namespace `name`; the calling thread, which must be one of [`run`]'s, is inside afterwards.
///
/// `prepare` runs inside before the name is given, so that nothing ever sees the name without what `prepare` does (the
/// mark). A name that is taken is [`ErrorKind::Taken`]. On failure nothing stays.
///
/// # Errors
///
/// If the name is taken ([`ErrorKind::Taken`]), privileges are missing, or `prepare` fails.
pub fn create(name: &str, prepare: impl FnOnce() -> Result<(), Error>) -> Result<(), Error> {
    let tried = format!("ip netns add {name}");
    name_this(name, &tried, || {
        unshare(CloneFlags::CLONE_NEWNET).map_err(|e| Error::os(&tried, e as i32))?;
        prepare()
    })
}

/// Gives `netns` the name `name`; the calling thread, which must be one of [`run`]'s, is inside afterwards. A name that
/// is taken is [`ErrorKind::Taken`]. On failure nothing stays.
///
/// # Errors
///
/// If the name is taken ([`ErrorKind::Taken`]), or it cannot be mounted.
pub fn give_name(netns: &Netns, name: &str) -> Result<(), Error> {
    name_this(name, &format!("give namespace {name} its name back"), || netns.enter())
}

/// Gives the namespace that `enter` brings the calling thread into the name `name`.
///
/// It is mounted from where the kernel has all namespaces: a copy of a mount that was taken away, by which a descriptor
/// may have been opened, is not taken away from other mount namespaces with the next one (`propagate_umount` leaves out
/// what has `MNT_UMOUNT`, which a copy keeps).
fn name_this(name: &str, tried: &str, enter: impl FnOnce() -> Result<(), Error>) -> Result<(), Error> {
    directory()?;
    let path = path(name);
    OpenOptions::new().write(true).create_new(true).mode(0o444).open(&path).map_err(|e| match e.kind() {
        io::ErrorKind::AlreadyExists => {
            Error::new(ErrorKind::Taken, tried, format!("{} is already there", path.display()))
        }
        _ => Error::io(tried, &e),
    })?;
    let made = enter()
        .and_then(|()| bind(Path::new("/proc/thread-self/ns/net"), &path).map_err(|e| Error::os(tried, e as i32)));
    if made.is_err() {
        // Nothing better can be done if this fails too; the empty file is recognised by the record.
        let _ = std::fs::remove_file(&path);
    }
    made
}

fn bind(from: &Path, to: &Path) -> nix::Result<()> {
    mount(Some(from), to, None::<&str>, MsFlags::MS_BIND, None::<&str>)
}

/// Takes the name `name` away: the namespace goes with its last user. An empty plain file, left by a run that was cut
/// off before it could mount, goes too; anything else that is not a namespace is refused.
///
/// # Errors
///
/// If there is no such namespace, or what is there is something else.
pub fn remove(name: &str) -> Result<(), Error> {
    let path = path(name);
    let tried = || format!("ip netns delete {name}");
    let refused = |e: nix::Error| Error::os(tried(), e as i32);
    if is_nsfs(&path) {
        umount2(&path, MntFlags::MNT_DETACH | MntFlags::UMOUNT_NOFOLLOW).map_err(refused)?;
    } else if !is_leftover(name) {
        let what = if path.symlink_metadata().is_ok() { "it is not a namespace" } else { "no such namespace" };
        return Err(Error::new(ErrorKind::Refused, tried(), what));
    }
    std::fs::remove_file(&path).map_err(|e| Error::io(tried(), &e))
}

/// Whether `name` is a symbolic link in `/run/netns`: a foreign name for a namespace, whosever that is.
pub fn is_link(name: &str) -> bool {
    path(name).symlink_metadata().is_ok_and(|meta| meta.is_symlink())
}

/// Whether a namespace has the name `name`.
pub fn is_there(name: &str) -> bool {
    is_nsfs(&path(name))
}

/// Whether the file is a namespace's: a symbolic link is never followed to foreign.
fn is_nsfs(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|meta| meta.dev() == nsfs())
}

/// The number of the file system that has all namespaces; 0, which is no file's, where `/proc` does not show any.
fn nsfs() -> u64 {
    static NSFS: OnceLock<u64> = OnceLock::new();
    *NSFS.get_or_init(|| std::fs::metadata("/proc/thread-self/ns/net").map_or(0, |meta| meta.dev()))
}

/// Whether `name` is an empty plain file in `/run/netns`: what a run leaves that is killed between making the file and
/// mounting on it.
pub fn is_leftover(name: &str) -> bool {
    path(name).symlink_metadata().is_ok_and(|meta| meta.is_file() && meta.len() == 0 && meta.dev() != nsfs())
}

/// The names in `/run/netns`, sorted. No such folder is no names.
///
/// # Errors
///
/// If the folder is there and cannot be read.
pub fn names() -> Result<Vec<String>, Error> {
    let tried = format!("list {DIR}");
    let entries = match std::fs::read_dir(DIR) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(Error::io(tried, &e)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|e| Error::io(tried.clone(), &e))?;
        // Whatever else another program put there is no namespace: a socket, a device, a link that leads nowhere or in
        // a circle.
        let is_file = entry.file_type().is_ok_and(|kind| {
            kind.is_file() || kind.is_symlink() && entry.path().metadata().is_ok_and(|there| there.is_file())
        });
        if !is_file {
            continue;
        }
        // A name that is not UTF-8 cannot be one of ours.
        names.extend(entry.file_name().into_string().ok());
    }
    names.sort_unstable();
    Ok(names)
}

/// Makes `/run/netns` and its shared mount, as iproute2 does, so that what is mounted there is seen by everybody.
fn directory() -> Result<(), Error> {
    static DONE: OnceLock<()> = OnceLock::new();
    if DONE.get().is_some() && Path::new(DIR).is_dir() {
        return Ok(());
    }
    let tried = || format!("set up {DIR}");
    DirBuilder::new().recursive(true).mode(0o755).create(DIR).map_err(|e| Error::io(tried(), &e))?;
    let lock = File::open(DIR).map_err(|e| Error::io(tried(), &e))?;
    lock.lock().map_err(|e| Error::io(tried(), &e))?;
    let shared = || mount(None::<&str>, DIR, None::<&str>, MsFlags::MS_SHARED | MsFlags::MS_REC, None::<&str>);
    let set_up = shared().or_else(|e| match e {
        // Not a mount point yet.
        nix::Error::EINVAL => mount(Some(DIR), DIR, None::<&str>, MsFlags::MS_BIND | MsFlags::MS_REC, None::<&str>)
            .and_then(|()| shared()),
        e => Err(e),
    });
    set_up.map_err(|e| Error::os(tried(), e as i32))?;
    let _ = DONE.set(());
    Ok(())
}

/// Why names given here are not seen by the rest of the machine, if that is so: this process lives in a mount namespace
/// of its own.
pub fn hidden() -> Option<String> {
    let of = |who: &str| std::fs::read_link(format!("/proc/{who}/ns/mnt")).ok();
    let apart = of("self")? != of("1")?;
    apart.then(|| {
        format!("topo runs in a mount namespace of its own: namespaces in {DIR} may not be visible to other processes")
    })
}

/// Gives the calling thread, which must be one of [`run`]'s, mounts of its own: a `/sys` that shows its network
/// namespace, and each file of `binds` (from, to) in the place of another. Nothing else sees them. What could not be
/// mounted is reported, and is no reason to stop: `ip netns exec` goes on too.
///
/// # Errors
///
/// If the thread gets no mount namespace of its own.
pub fn own_mounts(binds: &[(PathBuf, PathBuf)]) -> Result<Vec<String>, Error> {
    let tried = "make mounts of its own for a program";
    unshare(CloneFlags::CLONE_NEWNS).map_err(|e| Error::os(tried, e as i32))?;
    // A slave: what the machine mounts later is seen here, nothing the other way round.
    mount(None::<&str>, "/", None::<&str>, MsFlags::MS_SLAVE | MsFlags::MS_REC, None::<&str>)
        .map_err(|e| Error::os(tried, e as i32))?;
    let read_only = statvfs("/sys").is_ok_and(|fs| fs.flags().contains(FsFlags::ST_RDONLY));
    let flags = if read_only { MsFlags::MS_RDONLY } else { MsFlags::empty() };
    let sys = mount(Some("sysfs"), "/sys", Some("sysfs"), flags, None::<&str>);
    // The kernel has one sysfs for each network namespace, and does not mount it upon itself (`do_add_mount`): where it
    // is busy, `/sys` is right.
    let wrong = sys.err().filter(|e| *e != nix::Error::EBUSY);
    let mut failed: Vec<String> = wrong
        .map(|e| format!("/sys shows another network namespace: mount sysfs: {}", e.desc().to_lowercase()))
        .into_iter()
        .collect();
    for (from, to) in binds {
        failed.extend(bind(from, to).err().map(|e| {
            format!("{} is not used: bind it over {}: {}", from.display(), to.display(), e.desc().to_lowercase())
        }));
    }
    Ok(failed)
}

#[cfg(test)]
mod tests;
