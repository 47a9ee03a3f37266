//! Checks: hosts by name become addresses, and what is left out gets its default.

use super::context::Lowering;
use crate::document::schema::checks::{CheckEntry, Common, DnsCheck, Expectation, HttpCheck, PingCheck, UdpCheck};
use crate::document::schema::interface::Interface;
use crate::document::schema::route::FamilyWord;
use crate::document::schema::section::NodeSection;
use crate::document::value::{HostTarget, PortTarget};
use crate::document::{Finding, Loc, Place};
use crate::resource::probe::{Check, HttpHost, Probe};
use crate::resource::{LinkId, Node, Resource};
use ipnet::IpNet;
use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// How long one try may take.
const TIMEOUT: Duration = Duration::from_secs(2);
/// The same for a ping to an address of the topology, or of a subnet that the node is connected to, where nothing in
/// the topology is impaired: an answer takes less than a millisecond there, and all tries together no more than one
/// elsewhere.
const LOCAL_TIMEOUT: Duration = Duration::from_millis(500);
/// The same for a program.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(10);
/// How many more times something is tried that is expected to work.
const RETRIES: u32 = 2;

/// How many addresses of a name in `hosts` are looked at.
const HOSTS: usize = 64;

/// A family that is asked for, and where.
type Family<'d> = Option<&'d Loc<FamilyWord>>;

/// What is one segment away, or in this file.
#[derive(Default)]
struct Near {
    /// The addresses of the topology.
    addresses: HashSet<IpAddr>,
    /// The subnets that each node is connected to.
    subnets: HashMap<Node, Vec<IpNet>>,
}

impl Near {
    fn has(&self, from: &Node, to: IpAddr) -> bool {
        self.addresses.contains(&to)
            || self.subnets.get(from).is_some_and(|subnets| subnets.iter().any(|subnet| subnet.contains(&to)))
    }
}

impl<'d> Lowering<'d> {
    /// The checks of the file.
    pub fn checks(&mut self) -> Vec<Check> {
        let mut named: HashMap<&'d str, Place> = HashMap::new();
        let mut checks = Vec::new();
        let near = self.near();
        for (nth, entry) in self.document.checks.iter().enumerate() {
            let common = common(&entry.value);
            if let Some(name) = &common.name
                && let Some(first) = named.insert(&name.0, name.place)
            {
                let finding = Finding::error(
                    "duplicate-name",
                    name.place,
                    format!("another check has the name {}", crate::document::yaml::tree::quoted(&name.0)),
                );
                self.note(finding.also(first, "this one"));
            }
            if !self.index.has_node(&common.from.0) {
                let finding = self.index.no_node(&common.from.0, common.from.place);
                self.note(finding);
                continue;
            }
            if let Some((probe, words)) = self.probe(&entry.value, entry.place) {
                let origin = self.lines.origin(self.source, entry.place, format!("checks[{nth}]"));
                let expect = common.expect.as_ref().is_none_or(|expect| expect.value == Expectation::Pass);
                let usual = match &probe {
                    Probe::Command { .. } => COMMAND_TIMEOUT,
                    Probe::Ping { to, .. } if near.has(&common.from.0, *to) => LOCAL_TIMEOUT,
                    _ => TIMEOUT,
                };
                checks.push(Check {
                    name: common.name.as_ref().map(|name| name.0.clone()),
                    from: common.from.0.clone(),
                    probe,
                    words,
                    expect,
                    retries: common.retries.as_ref().map_or(if expect { RETRIES } else { 0 }, |retries| retries.u32()),
                    timeout: common.timeout.as_ref().map_or(usual, |timeout| timeout.0),
                    origin,
                });
            }
        }
        checks
    }

    /// What answers at once: nothing where something in the topology is impaired.
    fn near(&self) -> Near {
        let mut near = Near::default();
        if self.document.checks.is_empty()
            || self.state.resources().any(|resource| matches!(resource, Resource::Qdisc(_)))
        {
            return near;
        }
        for resource in self.state.resources() {
            let Resource::Address(address) = resource else { continue };
            near.addresses.insert(address.address.addr());
            // With a peer, the prefix is the peer's (`inet_insert_ifa`, net/ipv4/devinet.c).
            let far = address.peer.and_then(|peer| IpNet::new(peer, address.address.prefix_len()).ok());
            near.subnets.entry(address.link.node.clone()).or_default().push(far.unwrap_or(address.address));
        }
        near
    }

    /// What is tried, and the same in words.
    fn probe(&mut self, entry: &'d CheckEntry, place: Place) -> Option<(Probe, String)> {
        let from = &common(entry).from.0;
        Some(match entry {
            CheckEntry::Ping(check) => {
                (self.ping(from, check)?, format!("ping {}{}", written(&check.to), which(check.family.as_ref())))
            }
            CheckEntry::Tcp(check) => (
                Probe::Tcp { to: self.socket(from, &check.to, check.family.as_ref())? },
                format!("tcp {}{}", with_port(&check.to), which(check.family.as_ref())),
            ),
            CheckEntry::Udp(check) => {
                (self.udp(from, check)?, format!("udp {}{}", with_port(&check.to), which(check.family.as_ref())))
            }
            CheckEntry::Http(check) => {
                (self.http(from, check)?, format!("{}{}", check.url.text, which(check.family.as_ref())))
            }
            CheckEntry::Dns(check) => {
                let probe = self.dns(from, check)?;
                let kind = if matches!(probe, Probe::Dns { six: true, .. }) { "AAAA" } else { "A" };
                (probe, format!("dns {} {kind}", check.query.0))
            }
            CheckEntry::Command(check) => {
                if check.run.first().is_none_or(|program| program.0.is_empty()) {
                    self.note(
                        Finding::error("missing-key", place, "a command needs a program")
                            .help("write it and its arguments as a list: run: [ping, -c1, 10.0.0.3]"),
                    );
                    return None;
                }
                let run: Vec<String> = check.run.iter().map(|word| word.0.clone()).collect();
                let words: Vec<String> = run.iter().map(|word| crate::resource::quote(word)).collect();
                (Probe::Command { run }, words.join(" "))
            }
        })
    }

    fn ping(&mut self, from: &Node, check: &PingCheck) -> Option<Probe> {
        let to = self.host(from, &check.to, check.to.place, check.family.as_ref())?;
        let count = check.count.as_ref().map_or(1, |count| count.u32());
        let size = check.size.as_ref().map_or(56, |size| size.u32() as usize);
        Some(Probe::Ping { to, count, size })
    }

    fn udp(&mut self, from: &Node, check: &UdpCheck) -> Option<Probe> {
        let to = self.socket(from, &check.to, check.family.as_ref())?;
        let send = check.send.as_ref().map_or_else(|| "topo".to_owned(), |send| send.0.clone());
        Some(Probe::Udp { to, send, reply: check.reply.as_ref().is_none_or(|reply| reply.value) })
    }

    fn http(&mut self, from: &Node, check: &HttpCheck) -> Option<Probe> {
        let (url, family) = (&check.url, check.family.as_ref());
        let host = match &url.host {
            HostTarget::Name(name) if !self.index.has_node(name) && self.in_hosts(from, name).is_empty() => {
                self.needs_server(from, url.place, "this name is asked of a name server, and the node has none")?;
                HttpHost::Name(name.to_string(), is_six(family))
            }
            host => HttpHost::Address(self.host(from, host, url.place, family)?),
        };
        Some(Probe::Http {
            host,
            port: url.port,
            authority: url.authority.clone(),
            path: url.path.clone(),
            status: check.status.as_ref().and_then(|status| u16::try_from(status.0).ok()),
            contains: check.contains.as_ref().map(|contains| contains.0.clone()),
        })
    }

    fn dns(&mut self, from: &Node, check: &DnsCheck) -> Option<Probe> {
        let address = check.address.as_ref().map(|address| address.value);
        if let (Some(address), Some(family)) = (&check.address, &check.family)
            && address.is_ipv6() != is_six(Some(family))
        {
            self.note(mixed(address.place, address.value, family));
            return None;
        }
        let server = match &check.server {
            Some(server) => Some(SocketAddr::new(self.host(from, &server.host, server.place, None)?, server.port)),
            None => {
                self.needs_server(from, check.query.place, "there is no server to query: the node has no name server")?;
                None
            }
        };
        let six = address.map_or(is_six(check.family.as_ref()), |address| address.is_ipv6());
        Some(Probe::Dns { name: check.query.0.clone(), six, server, address })
    }

    /// A finding where it is sure that a node has no name server.
    fn needs_server(&mut self, from: &Node, place: Place, message: &str) -> Option<()> {
        let section = self.section(from);
        let own = section.and_then(|section| section.dns.as_deref()).is_some_and(|dns| !dns.nameservers.is_empty());
        let created = !from.is_host() && section.is_some_and(|section| section.existing.is_none());
        if own || !created {
            return Some(());
        }
        self.note(Finding::error("no-nameserver", place, message).help(format!(
            "give {from} one, dns: {{ nameservers: [ADDRESS] }}, or use a `dns` check with its `server`"
        )));
        None
    }

    fn socket(&mut self, from: &Node, target: &Loc<PortTarget>, family: Family<'_>) -> Option<SocketAddr> {
        self.host(from, &target.host, target.place, family).map(|address| SocketAddr::new(address, target.port))
    }

    /// The address that is meant, or a finding.
    fn host(&mut self, from: &Node, host: &HostTarget, place: Place, family: Family<'_>) -> Option<IpAddr> {
        let (addresses, what) = match host {
            HostTarget::Address(address) => match family {
                Some(family) if is_six(Some(family)) != address.is_ipv6() => {
                    self.note(mixed(place, *address, family));
                    return None;
                }
                _ => return Some(*address),
            },
            HostTarget::Interface(id) if !self.index.known(id) => {
                let finding = self.index.unknown(id, place);
                self.note(finding);
                return None;
            }
            HostTarget::Interface(id) => (self.of_interface(id), id.to_string()),
            HostTarget::Name(node) if self.index.has_node(node) => (self.of_node(node), node.to_string()),
            HostTarget::Name(name) => (self.in_hosts(from, name), name.to_string()),
        };
        if let (HostTarget::Name(name), true) = (host, addresses.is_empty())
            && !self.index.has_node(name)
        {
            let finding = self.index.no_node(name, place);
            self.note(finding);
            return None;
        }
        let has: Vec<bool> = self.of_node(from).iter().map(IpAddr::is_ipv6).collect();
        let wanted = |address: &&IpAddr| family.is_none_or(|family| address.is_ipv6() == is_six(Some(family)));
        let shared = |address: &&IpAddr| has.contains(&address.is_ipv6());
        let found = addresses.iter().filter(wanted).find(shared).or_else(|| addresses.iter().find(wanted)).copied();
        if found.is_none() {
            let which = family.map_or(String::new(), |family| format!(" of {}", family.word()));
            self.note(
                Finding::error("no-address", place, format!("{what} has no address{which} in this file"))
                    .help("write the address itself"),
            );
        }
        found
    }

    fn section(&self, node: &Node) -> Option<&'d NodeSection> {
        if node.is_host() { self.document.host.as_ref() } else { self.document.namespaces.get(node.as_str()) }
    }

    /// The first addresses of a node in the order of the file, those of `lo` last. Looked for once: a file can name one
    /// of many addresses many times.
    fn of_node(&mut self, node: &Node) -> Vec<IpAddr> {
        let Some(section) = self.section(node) else { return Vec::new() };
        let with = |lo: bool| {
            section
                .interfaces
                .iter()
                .filter(move |(name, _)| (name.as_str() == "lo") == lo)
                .flat_map(|(_, interface)| of(interface))
        };
        self.firsts.entry((node.clone(), None)).or_insert_with(|| firsts(with(false).chain(with(true)))).clone()
    }

    /// The first addresses of an interface.
    fn of_interface(&mut self, id: &LinkId) -> Vec<IpAddr> {
        let entry = self.index.entries.get(id).map(|(interface, _)| *interface);
        self.firsts
            .entry((id.node.clone(), Some(id.name.clone())))
            .or_insert_with(|| firsts(entry.into_iter().flat_map(of)))
            .clone()
    }

    /// The addresses that a node's `hosts` give a name.
    fn in_hosts(&self, from: &Node, name: &Node) -> Vec<IpAddr> {
        let dns = self.section(from).and_then(|section| section.dns.as_deref());
        let addresses = dns.and_then(|dns| dns.hosts.names.get(name.short()));
        addresses
            .map(|addresses| addresses.iter().take(HOSTS).map(|address| address.value).collect())
            .unwrap_or_default()
    }
}

/// The addresses of an interface that others can reach it by.
fn of(interface: &Interface) -> impl Iterator<Item = IpAddr> {
    let all = interface.addresses.iter().map(|entry| entry.address.0.addr());
    all.filter(|address| !matches!(address, IpAddr::V6(six) if six.is_unicast_link_local()))
}

/// The first address of each family, in their order.
fn firsts(addresses: impl Iterator<Item = IpAddr>) -> Vec<IpAddr> {
    let mut first: Vec<IpAddr> = Vec::new();
    for address in addresses {
        if first.iter().all(|other| other.is_ipv4() != address.is_ipv4()) {
            first.push(address);
        }
        if first.len() == 2 {
            break;
        }
    }
    first
}

/// What all checks have.
fn common(entry: &CheckEntry) -> &Common {
    match entry {
        CheckEntry::Ping(check) => &check.common,
        CheckEntry::Tcp(check) => &check.common,
        CheckEntry::Udp(check) => &check.common,
        CheckEntry::Http(check) => &check.common,
        CheckEntry::Dns(check) => &check.common,
        CheckEntry::Command(check) => &check.common,
    }
}

fn is_six(family: Family<'_>) -> bool {
    family.is_some_and(|family| family.value == FamilyWord::Ipv6)
}

/// The family in the words of a check, where one is written.
fn which(family: Family<'_>) -> String {
    family.map_or(String::new(), |family| format!(" ({})", family.word()))
}

fn mixed(place: Place, address: IpAddr, family: &Loc<FamilyWord>) -> Finding {
    Finding::error("mixed-families", place, format!("{address} is no address of {}", family.word()))
        .also(family.place, "asked for here")
}

fn written(host: &HostTarget) -> String {
    match host {
        HostTarget::Address(address) => address.to_string(),
        HostTarget::Interface(id) => id.to_string(),
        HostTarget::Name(name) => name.to_string(),
    }
}

fn with_port(target: &PortTarget) -> String {
    match &target.host {
        HostTarget::Address(address) => SocketAddr::new(*address, target.port).to_string(),
        host => format!("{}:{}", written(host), target.port),
    }
}
