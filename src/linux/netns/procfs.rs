//! `/proc/sys` of the calling thread's namespace, by a procfs of the thread's own.

#![expect(unsafe_code, reason = "nix has no fsopen, fsconfig and fsmount")]

use nix::fcntl::{OFlag, openat};
use nix::libc;
use nix::sys::stat::Mode;
use std::cell::RefCell;
use std::ffi::CStr;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::path::Path;

thread_local! {
    /// A procfs of this thread's own, and how many files were opened through it.
    static PROC: RefCell<(Option<OwnedFd>, u32)> = const { RefCell::new((None, 0)) };
}

/// How many files are opened through one private procfs.
const PROC_USES: u32 = 256;

/// Opens a file below `/proc/sys` (`net/ipv4/ip_forward`) in the calling thread's namespace.
///
/// The kernel keeps the entries of all namespaces for one sysctl in one hash chain per procfs: at 5000 namespaces an
/// open through the shared one takes a millisecond. A private instance, renewed now and then, takes 30 µs always. Where
/// the kernel refuses one (a masked `/proc`), the shared one serves.
///
/// # Errors
///
/// `NotFound` if there is no such setting, `PermissionDenied` without privileges.
pub fn open_sysctl(key: &str, write: bool) -> io::Result<File> {
    let flags = if write { OFlag::O_WRONLY } else { OFlag::O_RDONLY } | OFlag::O_CLOEXEC;
    PROC.with_borrow_mut(|(instance, uses)| {
        if *uses % PROC_USES == 0 {
            *instance = private_filesystem(c"proc");
        }
        *uses = uses.wrapping_add(1);
        match instance {
            Some(proc) => Ok(File::from(openat(proc, Path::new(&format!("sys/{key}")), flags, Mode::empty())?)),
            None => OpenOptions::new().read(!write).write(write).open(format!("/proc/sys/{key}")),
        }
    })
}

/// The name of sysfs, whose `class/net` has the links of the namespace that it was made in.
pub const SYSFS: &CStr = c"sysfs";

/// A procfs or sysfs that is mounted nowhere, for the namespace of the calling thread. `None` where the kernel refuses
/// one.
pub fn private_filesystem(name: &CStr) -> Option<OwnedFd> {
    /// `include/uapi/linux/mount.h`.
    const FSOPEN_CLOEXEC: libc::c_long = 1;
    const FSCONFIG_CMD_CREATE: libc::c_long = 6;
    const FSMOUNT_CLOEXEC: libc::c_long = 1;
    let owned = |fd: libc::c_long| {
        let fd = libc::c_int::try_from(fd).ok().filter(|fd| *fd >= 0)?;
        // SAFETY: a descriptor that the kernel has just handed out belongs to nothing else.
        Some(unsafe { OwnedFd::from_raw_fd(fd) })
    };
    // SAFETY: the name is a NUL-terminated string that lives through the call.
    let fs = owned(unsafe { libc::syscall(libc::SYS_fsopen, name.as_ptr(), FSOPEN_CLOEXEC) })?;
    // SAFETY: this command takes no key and no value.
    let made = unsafe {
        libc::syscall(
            libc::SYS_fsconfig,
            fs.as_raw_fd(),
            FSCONFIG_CMD_CREATE,
            std::ptr::null::<u8>(),
            std::ptr::null::<u8>(),
            0,
        )
    };
    if made != 0 {
        return None;
    }
    // SAFETY: takes numbers only.
    owned(unsafe { libc::syscall(libc::SYS_fsmount, fs.as_raw_fd(), FSMOUNT_CLOEXEC, 0) })
}
