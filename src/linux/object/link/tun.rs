//! Interfaces of programs: the kernel makes them by way of `/dev/net/tun` alone (`tun_validate` in
//! `drivers/net/tun.c`).

#![expect(unsafe_code, reason = "the device is asked by ioctl, which has no safe form")]

use super::body::birth_later;
use super::failure::Failure;
use crate::kernel::Error;
use crate::linux::netlink::attributes::Writer;
use crate::linux::netlink::link;
use crate::linux::netlink::link::head;
use crate::linux::netns::context::Site;
use crate::resource::{Kind, Link, Value};
use nix::libc;
use std::fs::File;
use std::os::fd::AsRawFd;

const DEVICE: &str = "/dev/net/tun";

/// Makes a tun or tap that stays when nothing has it open. It carries its marks before it is asked to stay: until then
/// it goes with this process.
///
/// # Errors
///
/// If the name is taken, `/dev/net/tun` is missing, or the kernel refuses.
pub fn create(site: &Site<'_>, link: &Link) -> Result<(), Failure> {
    let tried = format!("open {DEVICE}");
    let device = File::options().read(true).write(true).open(DEVICE).map_err(|error| Error::io(&tried, &error))?;
    let number = |key: &str| match link.options.get(key) {
        Some(Value::Number(number)) => libc::c_ulong::try_from(*number).ok(),
        _ => None,
    };
    let mut flags = if link.kind == Kind::Tap { libc::IFF_TAP } else { libc::IFF_TUN } | libc::IFF_NO_PI;
    if link.options.get("multi-queue") == Some(&Value::Bool(true)) {
        flags |= libc::IFF_MULTI_QUEUE;
    }
    attach(&device, link, flags)?;
    for (request, key) in [(libc::TUNSETOWNER, "owner"), (libc::TUNSETGROUP, "group")] {
        if let Some(id) = number(key) {
            ask(&device, request, id, &format!("give {} its {key}", link.id))?;
        }
    }
    let mut body = Writer::new(&head(0, None));
    birth_later(site, link, &mut body);
    site.ask(link::NEW, 0, &body)?;
    ask(&device, libc::TUNSETPERSIST, 1, &format!("keep {}", link.id))
}

/// Makes the interface and attaches the open device to it; an existing one of that name would be attached to as well,
/// so that is looked for before.
fn attach(device: &File, link: &Link, flags: libc::c_int) -> Result<(), Failure> {
    let tried = format!("make {}", link.id);
    let name = link.id.name.as_str().as_bytes();
    // `struct ifreq`: the name in 16 bytes, the flags in two.
    let mut request = [0_u8; size_of::<libc::ifreq>()];
    let flags = libc::c_short::try_from(flags & 0xffff).unwrap_or_default().to_ne_bytes();
    for (at, byte) in name.iter().take(libc::IFNAMSIZ - 1).enumerate().chain((libc::IFNAMSIZ..).zip(&flags)) {
        if let Some(slot) = request.get_mut(at) {
            *slot = *byte;
        }
    }
    // SAFETY: the request is as long as the kernel reads and writes it, and lives through the call.
    let done = unsafe { libc::ioctl(device.as_raw_fd(), libc::TUNSETIFF, request.as_mut_ptr()) };
    if done < 0 { Err(Error::io(&tried, &std::io::Error::last_os_error()).into()) } else { Ok(()) }
}

fn ask(device: &File, request: libc::Ioctl, value: libc::c_ulong, tried: &str) -> Result<(), Failure> {
    // SAFETY: these requests take a number.
    let done = unsafe { libc::ioctl(device.as_raw_fd(), request, value) };
    if done < 0 { Err(Error::io(tried, &std::io::Error::last_os_error()).into()) } else { Ok(()) }
}
