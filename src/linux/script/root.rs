//! The file system of the sandbox: programs and libraries of the machine, read-only, and nothing else of it.

use crate::kernel::{Error, ErrorKind};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sys::statvfs::{FsFlags, statvfs};
use nix::unistd::{chdir, pivot_root};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

/// Where it is put together. A memory of its own is mounted there, which only the sandbox sees.
const NEW: &str = "/tmp";
/// What of the machine is in it: programs, and what they are linked with.
const PROGRAMS: [&str; 7] = ["usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32"];
/// Devices that hold nothing.
const DEVICES: [&str; 6] = ["null", "zero", "full", "random", "urandom", "net/tun"];
/// Files of packages, of which a copy is there: names of tables and protocols, and where libraries are.
const TABLES: [&str; 4] = ["protocols", "services", "ethertypes", "ld.so.cache"];
/// Folders of its own.
const FOLDERS: [&str; 12] = [
    "proc",
    "sys",
    "dev/net",
    "etc/netns",
    "etc/alternatives",
    "etc/iproute2",
    "run/netns",
    "run/lock",
    "tmp",
    "mnt",
    "root",
    "var",
];

fn io(tried: &str) -> impl Fn(std::io::Error) -> Error {
    let tried = format!("put the sandbox together: {tried}");
    move |e| Error::io(&tried, &e)
}

fn os(tried: &str) -> impl Fn(nix::Error) -> Error {
    let tried = format!("put the sandbox together: {tried}");
    move |e| match e {
        nix::Error::EPERM | nix::Error::EACCES => Error::new(ErrorKind::Privileges, &tried, e.desc())
            .help("run it outside of a container, or import what the script made: topo import --all"),
        e => Error::os(&tried, e as i32),
    }
}

/// Puts the calling process, alone in its mount namespace, into a new root with `script` in it.
///
/// # Errors
///
/// If the kernel refuses a mount, or a file cannot be made.
pub fn enter(script: &str) -> Result<(), Error> {
    let nothing = None::<&str>;
    let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    mount(nothing, "/", nothing, private, nothing).map_err(os("mount --make-rprivate /"))?;
    let inside = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    mount(Some("sandbox"), NEW, Some("tmpfs"), inside, Some("size=64m,mode=755")).map_err(os("mount a tmpfs"))?;
    let new = Path::new(NEW);
    for folder in FOLDERS {
        fs::create_dir_all(new.join(folder)).map_err(io(folder))?;
    }
    programs(new)?;
    devices(new)?;
    tables(new)?;
    let proc = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    mount(Some("proc"), &new.join("proc"), Some("proc"), proc, nothing).map_err(os("mount a /proc of its own"))?;
    // `ip netns exec` takes /sys away and mounts another one, which a user namespace may only as long as it sees one
    // (`mount_too_revealing`): that is the second. Without any an interface's hardware address may have been chosen, as
    // far as anything can tell.
    for place in ["sys", "mnt"] {
        let _ = mount(Some("sysfs"), &new.join(place), Some("sysfs"), proc, nothing);
    }
    symlink("/run", new.join("var/run")).map_err(io("var/run"))?;
    fs::write(new.join("script"), script).map_err(io("the script"))?;
    let _ = fs::set_permissions(new.join("script"), std::os::unix::fs::PermissionsExt::from_mode(0o755));
    chdir(new).map_err(os("enter it"))?;
    pivot_root(".", ".").map_err(os("pivot_root"))?;
    umount2(".", MntFlags::MNT_DETACH).map_err(os("leave the old root"))?;
    chdir("/root").map_err(os("enter /root"))
}

/// Programs and libraries, read-only with all that is mounted in them.
fn programs(new: &Path) -> Result<(), Error> {
    let nothing = None::<&str>;
    for name in PROGRAMS {
        let (old, place) = (Path::new("/").join(name), new.join(name));
        match fs::read_link(&old) {
            Ok(target) => symlink(target, &place).map_err(io(name))?,
            Err(_) if !old.is_dir() => {}
            Err(_) => {
                fs::create_dir(&place).map_err(io(name))?;
                let whole = MsFlags::MS_BIND | MsFlags::MS_REC;
                mount(Some(&old), &place, nothing, whole, nothing).map_err(os(name))?;
            }
        }
    }
    let mounts = fs::read_to_string("/proc/self/mountinfo").map_err(io("read the mounts"))?;
    // ID PARENT MAJOR:MINOR ROOT PATH …
    let paths = mounts.lines().filter_map(|line| line.split(' ').nth(4));
    for path in paths.filter(|path| PROGRAMS.iter().any(|name| Path::new(path).starts_with(new.join(name)))) {
        read_only(path)?;
    }
    Ok(())
}

/// Makes a mount read-only; the flags that it has stay, which the kernel insists on.
fn read_only(path: &str) -> Result<(), Error> {
    let kept = [
        (FsFlags::ST_NOSUID, MsFlags::MS_NOSUID),
        (FsFlags::ST_NODEV, MsFlags::MS_NODEV),
        (FsFlags::ST_NOEXEC, MsFlags::MS_NOEXEC),
        (FsFlags::ST_NOATIME, MsFlags::MS_NOATIME),
        (FsFlags::ST_NODIRATIME, MsFlags::MS_NODIRATIME),
        (FsFlags::ST_RELATIME, MsFlags::MS_RELATIME),
    ];
    let flags = statvfs(path).map_err(os(path))?.flags();
    let kept = kept.into_iter().filter(|(has, _)| flags.contains(*has)).map(|(_, flag)| flag);
    let flags = kept.fold(MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY, |all, flag| all | flag);
    mount(None::<&str>, path, None::<&str>, flags, None::<&str>).map_err(os(path))
}

fn devices(new: &Path) -> Result<(), Error> {
    let nothing = None::<&str>;
    for name in DEVICES {
        let (old, place) = (Path::new("/dev").join(name), new.join("dev").join(name));
        if old.exists() {
            fs::write(&place, "").map_err(io(name))?;
            mount(Some(&old), &place, nothing, MsFlags::MS_BIND, nothing).map_err(os(name))?;
        }
    }
    symlink("/proc/self/fd", new.join("dev/fd")).map_err(io("dev/fd"))
}

/// Copies of what programs look names up in; the choice of alternatives (of iptables, say) is part of the programs.
fn tables(new: &Path) -> Result<(), Error> {
    let copy = |from: &Path, to: &Path| {
        if let Ok(text) = fs::read(from) {
            let _ = fs::write(to, text);
        }
    };
    for name in TABLES {
        copy(&Path::new("/etc").join(name), &new.join("etc").join(name));
    }
    for entry in fs::read_dir("/etc/iproute2").into_iter().flatten().flatten() {
        copy(&entry.path(), &new.join("etc/iproute2").join(entry.file_name()));
    }
    for entry in fs::read_dir("/etc/alternatives").into_iter().flatten().flatten() {
        if let Ok(target) = fs::read_link(entry.path()) {
            let _ = symlink(target, new.join("etc/alternatives").join(entry.file_name()));
        }
    }
    fs::write(new.join("etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n").map_err(io("etc/passwd"))?;
    fs::write(new.join("etc/group"), "root:x:0:\n").map_err(io("etc/group"))?;
    fs::write(new.join("etc/hosts"), "127.0.0.1 localhost\n::1 localhost\n").map_err(io("etc/hosts"))
}
