//! Kernel settings below `/proc/sys/net` of the calling thread's namespace.

use crate::kernel::{Error, ErrorKind};
use crate::linux::netns;
use crate::resource::{Node, Sysctl};
use nix::libc;
use std::io::{Read, Write};

/// The value of `key` (`net/ipv4/ip_forward`), its blanks folded; empty for a secret of stable addresses that is not
/// set. One that is not there is [`ErrorKind::Refused`] with `ENOENT`.
///
/// # Errors
///
/// If there is no such setting (`ENOENT`), or it cannot be read.
pub fn read(key: &str) -> Result<String, Error> {
    let tried = || format!("sysctl {key}");
    check(key)?;
    let mut text = String::new();
    match netns::open_sysctl(key, false).and_then(|mut file| file.read_to_string(&mut text)) {
        Ok(_) => Ok(fold(&text)),
        // It was never set (`addrconf_sysctl_stable_secret`).
        Err(error) if error.raw_os_error() == Some(libc::EIO) && Sysctl::is_stable_secret(key) => Ok(String::new()),
        Err(error) => Err(Error::io(tried(), &error)),
    }
}

/// [`read`]; `None` where there is no such setting: this kernel does not have it, or its interface is gone.
///
/// # Errors
///
/// If it is there and cannot be read.
pub fn read_if_there(key: &str) -> Result<Option<String>, Error> {
    match read(key) {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.errno == Some(libc::ENOENT) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Writes `value` and reads it back. Where the kernel keeps another value (it rounds, clamps or ignores some), that is
/// an error that names both.
///
/// # Errors
///
/// If there is no such setting, the kernel refuses the value, or keeps another one.
pub fn write(key: &str, value: &str) -> Result<(), Error> {
    let tried = || format!("sysctl -w {key}={value:?}");
    check(key)?;
    let line = format!("{value}\n");
    // In one write: the kernel takes the first write of an open file for the whole value.
    netns::open_sysctl(key, true)
        .and_then(|mut file| file.write_all(line.as_bytes()))
        .map_err(|e| Error::io(tried(), &e))?;
    let kept = read(key)?;
    let as_resource = |value: &str| Sysctl::new(Node::host(), key, value);
    if as_resource(value).drift(&as_resource(&kept)).is_empty() {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Refused, tried(), format!("the kernel keeps {kept:?} where {value:?} was written"))
        .help(format!("write {kept:?} if that is meant")))
}

/// The settings of the interface `name` that are other than what a fresh one has (those of `default`): what it loses
/// when it goes to another namespace (`inetdev_destroy`, `addrconf_ifdown`). Only the first namespace has defaults of
/// neighbours: elsewhere those of `lo` stand for them. Not its IPv6 MTU, which follows that of the link; nor what goes
/// with a secret.
pub fn own(name: &str) -> Vec<(String, String)> {
    const NOT: [&str; 3] = ["mtu", "mc_forwarding", "stable_secret"];
    let sections = ["net/ipv4/conf", "net/ipv6/conf", "net/ipv4/neigh", "net/ipv6/neigh"];
    let files = sections.iter().flat_map(|section| {
        let entries = std::fs::read_dir(format!("/proc/sys/{section}/{name}")).into_iter().flatten().flatten();
        entries
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter(|file| !NOT.contains(&file.as_str()))
            .map(move |file| (section, file))
    });
    let differs = |(section, file): (&&str, String)| {
        let value = read(&format!("{section}/{name}/{file}")).ok()?;
        let secret = file == "addr_gen_mode" && value == "2";
        let of = |name: &str| read(&format!("{section}/{name}/{file}"));
        let fresh = of("default").or_else(|_| of("lo")).ok()?;
        (value != fresh && !secret).then(|| (format!("{section}/{name}/{file}"), value))
    };
    files.filter_map(differs).collect()
}

/// Keys stay below `net/`: the rest of `/proc/sys` belongs to the whole machine. An interface of another program may
/// have any name that the kernel takes (`dev_valid_name`), and so control characters in it.
fn check(key: &str) -> Result<(), Error> {
    let proper = |part: &str| !part.is_empty() && part != "." && part != ".." && !part.contains('\0');
    if key.starts_with("net/") && key.split('/').all(proper) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Refused, format!("sysctl {key:?}"), "not a setting below net/"))
}

/// Runs of blanks as one, none at the ends.
fn fold(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_stay_below_net() {
        for bad in [
            "kernel/hostname",
            "net",
            "net/",
            "net/../kernel/hostname",
            "/net/ipv4/ip_forward",
            "net//ipv4",
            "net/./x",
            "net/a\0b",
            "",
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
        assert!(check("net/ipv4/conf/eth0.100/rp_filter").is_ok());
        assert!(read("net/ipv4/ip_forward").is_ok());
    }
}
