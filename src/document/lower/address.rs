//! Addresses and neighbours.

use super::context::Lowering;
use super::node::At;
use crate::document::schema::interface::{AddressEntry, Interface};
use crate::document::value::AddressLabel;
use crate::document::{Finding, Loc};
use crate::resource::{Address, IfName, Neighbor, Owner, Resource, Setting};
use ipnet::IpNet;
use std::collections::HashSet;
use std::net::IpAddr;

impl<'d> Lowering<'d> {
    /// The addresses of an interface, in the order of the file: the first of a subnet is the primary one.
    pub fn addresses(&mut self, at: &At<'d>, name: &Loc<IfName>, interface: &Interface, path: &str) {
        let mut subnets: HashSet<IpNet> = HashSet::new();
        let dad = interface.ipv6.as_ref().and_then(|ipv6| ipv6.dad.as_ref()).map(|dad| dad.value);
        for (nth, entry) in interface.addresses.iter().enumerate() {
            let net = entry.address.0;
            let more = entry.more.as_deref();
            if name.as_str() == "lo" && self.of_loopback(entry) {
                continue;
            }
            let mut address = Address::plain(at.link(name), net);
            if let Some(peer) = more.and_then(|more| more.peer.as_ref()) {
                if peer.is_ipv4() != net.addr().is_ipv4() {
                    self.note(super::kinds::families(
                        "a point-to-point address",
                        &Loc::new(net.addr(), entry.address.place),
                        peer,
                    ));
                    continue;
                }
                if peer.is_unspecified() {
                    self.note(Finding::error(
                        "bad-address",
                        peer.place,
                        format!("{} stands for no address, and the other end has one", peer.value),
                    ));
                }
                address.peer = Some(peer.value).filter(|peer| *peer != net.addr());
            }
            address.scope = Setting::Is(
                more.and_then(|more| more.scope.as_ref()).map_or_else(|| usual_scope(net.addr()), |scope| scope.0),
            );
            if let Some(scope) = more
                .and_then(|more| more.scope.as_ref())
                .filter(|scope| net.addr().is_ipv6() && scope.0 != usual_scope(net.addr()))
            {
                let finding = Finding::error(
                    "address-scope",
                    scope.place,
                    format!("the scope of \"{net}\" follows from the address itself, as of all of IPv6"),
                );
                self.note(finding.help("leave `scope` out"));
            }
            if net.addr().is_ipv4() {
                address.secondary = !subnets.insert(address.subnet());
                address.label = Setting::Is(name.to_string());
            } else {
                // In a namespace of ours nothing else can have the address, so there is nothing to wait for.
                address.nodad =
                    if at.created { Setting::Is(!dad.unwrap_or(false)) } else { dad.map(|dad| !dad).into() };
            }
            if let Some(label) = more.and_then(|more| more.label.as_ref()) {
                self.check_label(label, net, name);
                address.label = Setting::Is(label.0.clone());
            }
            self.put(Resource::Address(address), Owner::Ours, entry.address.place, format!("{path}.addresses[{nth}]"));
        }
    }

    /// Only an IPv4 address has a label, and it begins with the name of the interface (`inet_set_ifa`).
    fn check_label(&mut self, label: &Loc<AddressLabel>, net: IpNet, name: &IfName) {
        if net.addr().is_ipv6() {
            self.note(Finding::error("bad-label", label.place, "an IPv6 address has no label"));
        } else if !label.0.starts_with(name.as_str()) {
            self.note(Finding::error(
                "bad-label",
                label.place,
                format!("a label begins with the interface's name, {:?}", name.as_str()),
            ));
        }
    }

    /// Whether an address of `lo` is one that the kernel gives it in every namespace (`inetdev_event`,
    /// `init_loopback`), so that there is nothing to do. One that only begins like it is refused: the kernel keeps it
    /// as it has it.
    fn of_loopback(&mut self, entry: &AddressEntry) -> bool {
        let net = entry.address.0;
        let whole = match net {
            IpNet::V4(v4) => v4.addr().is_loopback() && net.to_string() == "127.0.0.1/8",
            IpNet::V6(v6) => v6.addr().is_loopback(),
        };
        let more = entry.more.as_deref();
        let other = more.is_some_and(|more| {
            let scope = more.scope.as_ref().is_some_and(|scope| scope.0 != usual_scope(net.addr()));
            scope
                || more.peer.as_ref().is_some_and(|peer| peer.value != net.addr())
                || more.label.as_ref().is_some_and(|label| label.0 != "lo")
        });
        if whole && (other || (net.addr().is_ipv6() && net.prefix_len() != 128)) {
            let own = if net.addr().is_ipv4() { "127.0.0.1/8" } else { "::1/128" };
            let finding = Finding::error(
                "loopback-own",
                entry.address.place,
                format!("`lo` has \"{own}\" from the kernel, and cannot have it in another way"),
            );
            self.note(finding.help(format!("write \"{own}\" and nothing else, or leave it out")));
        }
        whole
    }

    /// The static neighbours of a node.
    pub fn neighbors(&mut self, at: &At<'d>) {
        for (nth, entry) in at.section.neighbors.iter().enumerate() {
            let proxy = entry.proxy.as_ref().is_some_and(|proxy| proxy.value);
            match &entry.mac {
                Some(mac) if proxy => self.note(Finding::error(
                    "misplaced-key",
                    mac.place,
                    "a proxy entry has no hardware address: this node answers with its own",
                )),
                None if !proxy => self.note(
                    Finding::error("missing-key", entry.place, "a neighbour needs its `mac`")
                        .help("or `proxy: true`, if this node is to answer for it"),
                ),
                _ => {}
            }
            let Some(link) = self.known(at, &entry.dev) else { continue };
            let mac = entry.mac.as_ref().map(|mac| mac.value).filter(|_| !proxy);
            let neighbor =
                Neighbor { link, address: entry.address.value, proxy, mac, permanent: true, marked: true, protocol: 0 };
            self.put(Resource::Neighbor(neighbor), Owner::Ours, entry.place, format!("{}.neighbors[{nth}]", at.path));
        }
    }
}

/// The scope that `ip` gives an IPv4 address, and the kernel (`ipv6_addr_scope`) an IPv6 one.
fn usual_scope(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(v4) if v4.is_loopback() => 254,
        IpAddr::V4(_) => 0,
        IpAddr::V6(v6) if v6.is_loopback() => 254,
        IpAddr::V6(v6) if v6.segments()[0] & 0xffc0 == 0xfe80 => 253,
        IpAddr::V6(v6) if v6.segments()[0] & 0xffc0 == 0xfec0 => 200,
        IpAddr::V6(_) => 0,
    }
}
