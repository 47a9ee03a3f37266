//! Which settings can be set at all, found out before anything is touched.

use crate::kernel::{Error, ErrorKind};
use crate::linux::netns;
use crate::resource::{Node, NodeTenure, Resource, State, Sysctl, Table};
use nix::libc;
use std::collections::{BTreeMap, BTreeSet};

/// Settings that every namespace has, which need no look.
const USUAL: [&str; 2] = Sysctl::FORWARDING;

/// What a new namespace says of a setting.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// There is none.
    Absent,
    /// It can be read and not written.
    Fixed,
}

/// Fails where a namespace that topo makes has no such setting, or one that cannot be written: what exists once for the
/// machine is no namespace's.
///
/// # Errors
///
/// [`ErrorKind::Missing`] and [`ErrorKind::Refused`] with the first such setting.
pub fn check(wanted: &State) -> Result<(), Error> {
    let made = |node: &Node| wanted.namespace(node).is_some_and(|namespace| namespace.tenure == NodeTenure::Created);
    let mut asked: BTreeMap<String, &Sysctl> = BTreeMap::new();
    for resource in wanted.resources() {
        let Resource::Sysctl(sysctl) = resource else { continue };
        if made(&sysctl.node)
            && !USUAL.contains(&sysctl.key.as_str())
            && !(sysctl.comes_with_tracking() && tracked(wanted, &sysctl.node))
        {
            asked.entry(of_any(sysctl)).or_insert(sysctl);
        }
    }
    if asked.is_empty() {
        return Ok(());
    }
    // Who may not make a namespace learns that from what makes one.
    let Ok(faults) = netns::scratch(|| {
        Ok(asked.iter().filter_map(|(key, sysctl)| Some((*sysctl, fault(key)?))).collect::<Vec<_>>())
    }) else {
        return Ok(());
    };
    let here: BTreeSet<&str> = faults
        .iter()
        .filter(|(sysctl, _)| netns::open_sysctl(&sysctl.key, false).is_ok())
        .map(|(sysctl, _)| sysctl.key.as_str())
        .collect();
    match faults.first() {
        None => Ok(()),
        Some((sysctl, fault)) => Err(told(sysctl, *fault, here.contains(sysctl.key.as_str()))),
    }
}

/// Whether connections are tracked in a node once its table is there.
fn tracked(wanted: &State, node: &Node) -> bool {
    matches!(wanted.get(&crate::resource::ResourceId::Table(node.clone())), Some(Resource::Table(table)) if Table::tracks(table))
}

/// The key with `lo`, which every namespace has, in the place of the interface.
fn of_any(sysctl: &Sysctl) -> String {
    let mut parts: Vec<&str> = sysctl.key.split('/').collect();
    if let (Some(_), Some(name)) = (sysctl.link(), parts.get_mut(3)) {
        *name = "lo";
    }
    parts.join("/")
}

/// What keeps a setting of the calling thread's namespace from being written.
fn fault(key: &str) -> Option<Fault> {
    match netns::open_sysctl(key, true).err()?.raw_os_error() {
        Some(libc::ENOENT | libc::ENOTDIR) => Some(Fault::Absent),
        Some(libc::EACCES | libc::EPERM | libc::EROFS) => Some(Fault::Fixed),
        _ => None,
    }
}

fn told(sysctl: &Sysctl, fault: Fault, here: bool) -> Error {
    let name = sysctl.key.replace('/', ".");
    let tried = format!("set {name} in {}", sysctl.node);
    let module = [
        ("net/netfilter/", "nf_conntrack"),
        ("net/bridge/", "br_netfilter"),
        ("net/mpls/", "mpls_router"),
        ("net/vrf/", "vrf"),
    ];
    let module = module.into_iter().find(|(start, _)| sysctl.key.starts_with(start)).map(|(_, module)| module);
    let error = match (fault, module) {
        (Fault::Absent, Some(module)) if !here => {
            Error::new(ErrorKind::Missing, tried, "there is no such setting, or its module is not loaded")
                .help(format!("try `modprobe {module}`, and check the name with `sysctl -a`"))
        }
        (Fault::Absent, _) if !here => Error::new(ErrorKind::Missing, tried, "this kernel has no such setting")
            .help("check the name with `sysctl -a`"),
        (Fault::Absent | Fault::Fixed, _) => {
            let reason = format!("{name} is the machine's, or can only be read: a namespace has none to set");
            Error::new(ErrorKind::Refused, tried, reason)
                .help("set it outside of topo, with `sysctl -w` on the machine")
        }
    };
    error.about(sysctl.id())
}
