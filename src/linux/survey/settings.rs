//! Settings that are not what a fresh namespace of this kernel has.

use crate::kernel::Error;
use crate::linux::netns;
use crate::linux::netns::sysctl;
use crate::linux::snapshot::contents::Look;
use crate::resource::{Kind, Sysctl};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// In a namespace with more interfaces than these the settings of each are not read: there are 200 of them.
const MOST_LINKS: usize = 256;
/// Folders with an entry for each interface.
const OF_LINKS: [&str; 4] = ["net/ipv4/conf", "net/ipv6/conf", "net/ipv4/neigh", "net/ipv6/neigh"];
/// What changes by itself, is a secret, cannot be read, or is another setting's second name.
const NOT: [&str; 7] = [
    "net/netfilter/nf_conntrack_count",
    "net/netfilter/nf_conntrack_buckets",
    "net/ipv4/tcp_fastopen_key",
    "net/ipv4/route/flush",
    "net/ipv6/route/flush",
    "net/ipv4/conf/all/forwarding",
    "net/netfilter/nf_log",
];
/// What topo puts a namespace that it makes to, whatever it would inherit from the machine: 0.
const CLEARED: [&str; 5] = [
    "net/ipv4/conf/all/rp_filter",
    "net/ipv4/conf/default/rp_filter",
    "net/ipv4/conf/all/promote_secondaries",
    "net/ipv4/conf/default/promote_secondaries",
    "net/ipv6/conf/default/accept_dad",
];

/// The settings of a fresh namespace.
pub(super) struct Fresh(BTreeMap<String, String>);

impl Fresh {
    /// Reads them, in a scratch namespace.
    ///
    /// # Errors
    ///
    /// If no namespace can be created.
    pub fn read() -> Result<Self, Error> {
        netns::scratch(|| Ok(Self(all()?)))
    }
}

/// The settings of the calling thread's namespace that are not those of a fresh one, and what was left out.
pub(super) fn changed(look: &Look, fresh: &Fresh) -> Result<(Vec<Sysctl>, Vec<String>), Error> {
    let forwards: Vec<Sysctl> = look.inside.iter().flat_map(|inside| &inside.settings).cloned().collect();
    let mut found = Vec::new();
    for (key, value) in all()? {
        let usual = fresh.0.get(&key).is_none_or(|usual| *usual == value);
        let cleared = CLEARED.contains(&key.as_str()) && value == "0";
        if !usual && !cleared {
            found.push(Sysctl::new(look.node.clone(), key, &value));
        }
    }
    let mut notes = Vec::new();
    if look.links.len() > MOST_LINKS {
        notes.push(format!(
            "the settings of {} interfaces, of which none was read: there are too many",
            look.links.len()
        ));
    } else {
        for link in look.links.iter().filter(|link| !link.name.as_str().contains('/')) {
            let own =
                sysctl::own(link.name.as_str()).into_iter().filter(|(key, value)| is_chosen(&link.kind, key, value));
            found.extend(own.map(|(key, value)| Sysctl::new(look.node.clone(), key, &value)));
        }
    }
    // What follows the switch for forwarding comes with it; what an interface has otherwise was looked at already.
    found.retain(|setting| {
        let switches = forwards.iter().filter(|switch| switch.forwards());
        let follows = |switch: &Sysctl| setting.written_with() == Some(switch.id()) && setting.follows(switch);
        !setting.forwards() && !setting.key.ends_with("/forwarding") && !switches.into_iter().any(follows)
    });
    Ok((found, notes))
}

/// Whether a user chose a value of an interface's setting. The kernel gives some to interfaces that have no
/// neighbours (`addrconf_add_dev`, `ipv6_add_dev`) and to loopback (`inetdev_init`); what duplicate address detection
/// does is said by the addresses.
fn is_chosen(kind: &Kind, key: &str, value: &str) -> bool {
    let file = key.rsplit('/').next().unwrap_or_default();
    let six = key.starts_with("net/ipv6/conf/");
    match file {
        "accept_dad" if six => false,
        "rtr_solicits" | "router_solicitations" if six && value == "0" => false,
        "use_tempaddr" if six && value == "-1" => false,
        "disable_policy" | "disable_xfrm" | "accept_ra" if *kind == Kind::Loopback => false,
        "rp_filter" if *kind == Kind::Loopback => false,
        "forwarding" => false,
        _ => true,
    }
}

/// All settings below `net/` that are no interface's, with their values. What only can be written is left out.
fn all() -> Result<BTreeMap<String, String>, Error> {
    let mut found = BTreeMap::new();
    let mut open = vec![PathBuf::from("net")];
    while let Some(folder) = open.pop() {
        let entries = std::fs::read_dir(Path::new("/proc/sys").join(&folder)).into_iter().flatten().flatten();
        let of_links = folder.to_str().is_some_and(|folder| OF_LINKS.contains(&folder));
        for entry in entries {
            let Ok(name) = entry.file_name().into_string() else { continue };
            let path = folder.join(&name);
            let Some(key) = path.to_str().map(str::to_owned) else { continue };
            if NOT.iter().any(|not| key.starts_with(not)) || of_links && !matches!(name.as_str(), "all" | "default") {
                continue;
            }
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => open.push(path),
                // One that goes meanwhile, or that this user may not read, is no difference.
                Ok(_) if !Sysctl::is_stable_secret(&key) => {
                    found.extend(sysctl::read(&key).ok().map(|value| (key, value)))
                }
                _ => {}
            }
        }
    }
    Ok(found)
}
