//! What a packet meets in namespaces beside what a topology has: the rules of everybody, and the settings that decide.

use super::machine::Linux;
use super::netlink::link;
use super::netlink::socket::Socket;
use super::netns;
use super::netns::places::Places;
use super::netns::sysctl;
use super::object::nft::generation;
use super::process::run;
use crate::kernel::{Error, ErrorKind};
use crate::resource::{Node, Protocol, Sysctl};
use std::net::IpAddr;

/// What one namespace has.
#[derive(Clone, Debug, Default)]
pub struct Ground {
    /// All tables as `nft -j list ruleset` prints them; `None` where there are none.
    pub ruleset: Option<String>,
    /// What `iptables-nft-save` and `ip6tables-nft-save` print, where rules have extensions of iptables.
    pub saved: Vec<(&'static str, String)>,
    /// The sockets that listen for TCP, and all of UDP: protocol, address, port.
    pub sockets: Vec<(Protocol, IpAddr, u16)>,
    /// Whether rules of the old iptables are there, which nft does not show.
    pub legacy: bool,
    /// Settings by key.
    pub settings: Vec<(String, String)>,
}

/// The settings of an interface, or of all, that decide whether it takes a packet.
const OF_LINKS: [&str; 7] =
    ["rp_filter", "forwarding", "arp_ignore", "proxy_arp", "accept_local", "route_localnet", "src_valid_mark"];
/// Those of the namespace.
const OF_NODE: [&str; 6] = [
    Sysctl::FORWARDING_V4,
    Sysctl::FORWARDING_V6,
    "net/ipv4/icmp_echo_ignore_all",
    "net/ipv6/icmp/echo_ignore_all",
    "net/bridge/bridge-nf-call-iptables",
    "net/bridge/bridge-nf-call-ip6tables",
];
/// In a namespace with more interfaces those of each are not read: a file is opened for each.
const MOST_LINKS: usize = 256;

impl Linux {
    /// The rules of everybody, and the settings that decide about packets, in the namespaces of `nodes`; in their
    /// order.
    ///
    /// # Errors
    ///
    /// If a namespace cannot be entered, or its rules or settings cannot be read.
    pub fn ground(&self, nodes: &[&Node]) -> Result<Vec<Ground>, Error> {
        read(nodes, &self.places)
    }
}

impl Linux {
    /// How many chains the namespaces of `nodes` have; `None` where that cannot be read.
    pub fn chains(&self, nodes: &[&Node]) -> Option<usize> {
        let jobs = nodes.iter().map(|node| netns::job(self.places.of(node), || Ok(generation::chains()?.len())));
        let counts: Vec<Result<usize, Error>> =
            netns::run(netns::READERS, jobs.collect()).into_iter().map(|answer| answer?).collect();
        counts.into_iter().map(Result::ok).sum()
    }
}

/// Reads the namespaces of `nodes`, side by side.
///
/// # Errors
///
/// If a namespace cannot be entered, or its rules or settings cannot be read.
pub fn read(nodes: &[&Node], places: &Places) -> Result<Vec<Ground>, Error> {
    let jobs = nodes.iter().map(|node| netns::job(places.of(node), here)).collect();
    netns::run(netns::READERS, jobs).into_iter().map(|answer| answer?).collect()
}

/// Reads the calling thread's namespace.
fn here() -> Result<Ground, Error> {
    let mut ground = Ground::default();
    if !generation::chains()?.is_empty() {
        let output = run::run("nft", &["-j", "list", "ruleset"], "")?;
        if !output.success() {
            return Err(Error::new(ErrorKind::Refused, "nft -j list ruleset", output.stderr.trim().to_owned()));
        }
        if output.stdout.contains("\"xt\"") {
            for (family, program) in [("ip", "iptables-nft-save"), ("ip6", "ip6tables-nft-save")] {
                // Without the program such rules are not known, and said to be so.
                if let Ok(saved) = run::run(program, &[], "") {
                    ground.saved.push((family, saved.stdout));
                }
            }
        }
        ground.ruleset = Some(output.stdout);
    }
    ground.legacy = ["ip_tables_names", "ip6_tables_names"].iter().any(|file| {
        std::fs::read_to_string(format!("/proc/thread-self/net/{file}")).is_ok_and(|names| !names.trim().is_empty())
    });
    ground.sockets = sockets()?;
    let socket = Socket::open()?;
    let links = link::dump(&socket).map_err(|refused| refused.error("read the links"))?;
    let mut keys: Vec<String> = OF_NODE.iter().map(|key| (*key).to_owned()).collect();
    let names = links.iter().map(|link| link.name.as_str()).filter(|name| !name.contains('/')).take(MOST_LINKS);
    for name in ["all", "default"].into_iter().chain(names) {
        keys.extend(OF_LINKS.iter().map(|setting| format!("net/ipv4/conf/{name}/{setting}")));
    }
    for key in keys {
        if let Some(value) = sysctl::read_if_there(&key)? {
            ground.settings.push((key, value));
        }
    }
    Ok(ground)
}

/// The sockets of the calling thread's namespace that take packets, from `/proc/net` (`get_tcp4_sock`,
/// `udp4_format_sock`: addresses in hex, in the machine's byte order).
fn sockets() -> Result<Vec<(Protocol, IpAddr, u16)>, Error> {
    /// `TCP_LISTEN` of `include/net/tcp_states.h`.
    const LISTEN: &str = "0A";
    let mut sockets = Vec::new();
    for (file, protocol) in
        [("tcp", Protocol::Tcp), ("tcp6", Protocol::Tcp), ("udp", Protocol::Udp), ("udp6", Protocol::Udp)]
    {
        let path = format!("/proc/thread-self/net/{file}");
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            // A kernel without IPv6.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(Error::io(format!("read {path}"), &error)),
        };
        for line in text.lines().skip(1) {
            let words: Vec<&str> = line.split_whitespace().collect();
            let (Some(local), Some(state)) = (words.get(1), words.get(3)) else { continue };
            if protocol == Protocol::Tcp && *state != LISTEN {
                continue;
            }
            sockets.extend(end(local).map(|(address, port)| (protocol, address, port)));
        }
    }
    Ok(sockets)
}

fn end(text: &str) -> Option<(IpAddr, u16)> {
    let (address, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let mut bytes = Vec::new();
    for at in (0..address.len()).step_by(8) {
        bytes.extend(u32::from_str_radix(address.get(at..at + 8)?, 16).ok()?.to_ne_bytes());
    }
    let address = match bytes.len() {
        4 => IpAddr::from(<[u8; 4]>::try_from(bytes.as_slice()).ok()?),
        16 => IpAddr::from(<[u8; 16]>::try_from(bytes.as_slice()).ok()?),
        _ => return None,
    };
    Some((address, port))
}
