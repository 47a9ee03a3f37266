//! Which hardware addresses were chosen: netlink does not say it, sysfs does.

use crate::linux::netns::{SYSFS, private_filesystem};
use crate::linux::snapshot::contents::Look;
use crate::resource::IfName;
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::Mode;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// `NET_ADDR_SET` of `include/uapi/linux/netdevice.h`: it was written.
const WRITTEN: &str = "3";

/// The links of the calling thread's namespace whose hardware address was not written. Where there is no sysfs to ask,
/// each may have been written.
pub(super) fn random_macs(look: &Look) -> BTreeSet<IfName> {
    let Some(sysfs) = private_filesystem(SYSFS) else { return BTreeSet::new() };
    let written = |name: &IfName| {
        let path = format!("class/net/{name}/addr_assign_type");
        let file = openat(&sysfs, Path::new(&path), OFlag::O_RDONLY | OFlag::O_CLOEXEC, Mode::empty()).ok()?;
        let mut text = String::new();
        File::from(file).read_to_string(&mut text).ok()?;
        Some(text.trim() == WRITTEN)
    };
    look.links.iter().map(|link| &link.name).filter(|name| written(name) == Some(false)).cloned().collect()
}
