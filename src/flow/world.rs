//! What a walk goes by: a state, with what belongs to what.

use super::packet::{Packet, Protocol};
use super::ruleset::Ruleset;
use crate::resource::{
    Address, Family, IfName, Kind, Link, LinkId, Node, Resource, ResourceId, Setting, State, Sysctl, Value,
};
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

/// A network: what is wanted, or what was observed.
pub struct World<'a> {
    /// The state.
    pub state: &'a State,
    /// The rules of each node, all tables.
    rulesets: HashMap<&'a Node, Ruleset>,
    /// What was read of settings beside the state.
    settings: BTreeMap<(Node, String), String>,
    /// The sockets that take packets, of nodes where that was read.
    sockets: HashMap<&'a Node, Vec<(Protocol, IpAddr, u16)>>,
    /// Whether the settings that are not known have the kernel's defaults: in what a file wants.
    pub assumed: bool,
    addresses: HashMap<&'a Node, Vec<&'a Address>>,
    ports: HashMap<LinkId, Vec<&'a Link>>,
    uppers: HashMap<&'a LinkId, Vec<&'a Link>>,
}

impl<'a> World<'a> {
    /// The network of a state whose rules are its own alone.
    pub fn new(state: &'a State) -> Self {
        let mut world = Self {
            state,
            rulesets: HashMap::new(),
            settings: BTreeMap::new(),
            sockets: HashMap::new(),
            assumed: true,
            addresses: HashMap::new(),
            ports: HashMap::new(),
            uppers: HashMap::new(),
        };
        for resource in state.resources() {
            match resource {
                Resource::Address(address) => {
                    world.addresses.entry(&address.link.node).or_default().push(address);
                }
                Resource::Link(link) => {
                    if let Some(master) = link.master_id() {
                        world.ports.entry(master).or_default().push(link);
                    }
                    if let Some(lower) = &link.link {
                        world.uppers.entry(lower).or_default().push(link);
                    }
                }
                Resource::Table(table) => {
                    world.rulesets.entry(&table.node).or_default().add_table(table);
                }
                _ => {}
            }
        }
        world
    }

    /// With the rules of a node as they were read from the kernel, in place of those of the state.
    pub fn set_rules(&mut self, node: &'a Node, rules: Ruleset) {
        self.rulesets.insert(node, rules);
    }

    /// With the value of a setting as it was read from the kernel.
    pub fn set_setting(&mut self, node: Node, key: String, value: String) {
        self.settings.insert((node, key), value);
    }

    /// With the sockets of a node that take packets.
    pub fn set_sockets(&mut self, node: &'a Node, sockets: Vec<(Protocol, IpAddr, u16)>) {
        self.sockets.insert(node, sockets);
    }

    /// The addresses that servers for a packet are bound to in a node, `::` and `0.0.0.0` for any; `None` where that
    /// was not read, as of a network that is only wanted. (A server on `::` is taken to have IPv4, too, as it has
    /// unless it says otherwise.)
    pub fn servers(&self, node: &Node, packet: &Packet) -> Option<Vec<IpAddr>> {
        let fits = |bound: &IpAddr| {
            *bound == packet.destination || bound.is_unspecified() && (bound.is_ipv6() || packet.destination.is_ipv4())
        };
        let sockets = self.sockets.get(node)?.iter();
        let mine = sockets
            .filter(|(protocol, bound, port)| *protocol == packet.protocol && *port == packet.port && fits(bound));
        Some(mine.map(|(_, bound, _)| *bound).collect())
    }

    /// The rules of a node; `None` where it has none.
    pub fn rules(&self, node: &Node) -> Option<&Ruleset> {
        self.rulesets.get(node)
    }

    /// The addresses of a node.
    pub fn addresses(&self, node: &Node) -> impl Iterator<Item = &'a Address> + use<'a, '_> {
        self.addresses.get(node).into_iter().flatten().copied()
    }

    /// The ports of a bridge, bond or VRF.
    pub fn ports(&self, master: &LinkId) -> impl Iterator<Item = &'a Link> + use<'a, '_> {
        self.ports.get(master).into_iter().flatten().copied()
    }

    /// What is on top of a link: its VLANs, macvlans, ipvlans.
    pub fn uppers(&self, lower: &LinkId) -> impl Iterator<Item = &'a Link> + use<'a, '_> {
        self.uppers.get(lower).into_iter().flatten().copied()
    }

    /// The link of that name in a node.
    pub fn link(&self, node: &Node, name: &IfName) -> Option<&'a Link> {
        self.state.link(&LinkId { node: node.clone(), name: name.clone() })
    }

    /// The master of a link.
    pub fn master(&self, link: &Link) -> Option<&'a Link> {
        self.state.link(&link.master_id()?)
    }

    /// The VRF that a link is in.
    pub fn vrf(&self, link: &Link) -> Option<&'a Link> {
        self.master(link).filter(|master| master.kind == Kind::Vrf)
    }

    /// Whether a link is up. What nothing is said of is.
    pub fn is_up(&self, link: &Link) -> bool {
        link.up != Setting::Is(false)
    }

    /// Whether a link is up, and the other end of its pair.
    pub fn has_carrier(&self, link: &Link) -> bool {
        let peer = link.peer.as_ref().and_then(|peer| self.state.link(peer));
        self.is_up(link) && peer.is_none_or(|peer| self.is_up(peer))
    }

    /// Whether the node has an address, on whichever interface.
    pub fn owner(&self, node: &Node, address: IpAddr) -> Option<&'a Address> {
        self.addresses(node).find(|own| own.address.addr() == address && self.is_usable(own))
    }

    /// Whether an address is of use: an IPv6 address goes with the state "up" of its interface, and one of which
    /// duplicate address detection found another is none.
    pub fn is_usable(&self, address: &Address) -> bool {
        let up = self.state.link(&address.link).is_none_or(|link| self.is_up(link));
        !address.dad_failed && (address.address.addr().is_ipv4() || up && !self.state.is_without_ipv6(&address.link))
    }

    /// The value of a setting, where it is known.
    pub fn setting(&self, node: &Node, key: &str) -> Option<&str> {
        if let Some(value) = self.settings.get(&(node.clone(), key.to_owned())) {
            return Some(value);
        }
        match self.state.get(&ResourceId::Sysctl(node.clone(), key.to_owned())) {
            Some(Resource::Sysctl(sysctl)) => Some(&sysctl.value),
            _ => None,
        }
    }

    /// The number that a setting has, where it is known.
    pub fn number(&self, node: &Node, key: &str) -> Option<u64> {
        self.setting(node, key)?.split_whitespace().next()?.parse().ok()
    }

    /// Whether a node forwards what comes in by an interface, and the setting that says so. IPv4 goes by the interface
    /// (`IN_DEV_FORWARD`), IPv6 by the node (`ip6_forward`).
    pub fn forwards(&self, node: &Node, interface: &IfName, family: Family) -> (Option<bool>, String) {
        let (own, all) = match family {
            Family::V4 => (Some(format!("net/ipv4/conf/{interface}/forwarding")), Sysctl::FORWARDING_V4),
            Family::V6 => (None, Sysctl::FORWARDING_V6),
        };
        if let Some(own) = own
            && let Some(value) = self.number(node, &own)
        {
            return (Some(value != 0), own);
        }
        let known = self.number(node, all).map(|value| value != 0);
        let made = self.state.is_made(node);
        (known.or(Some(false).filter(|_| made || self.assumed && !node.is_host())), all.to_owned())
    }

    /// How strictly an interface looks at the way back of what comes in (`rp_filter`): the larger of its own and of
    /// all, and the setting that says so.
    pub fn reverse_path(&self, node: &Node, interface: &IfName) -> (u64, String) {
        let own = format!("net/ipv4/conf/{interface}/rp_filter");
        let default = "net/ipv4/conf/default/rp_filter";
        let all = "net/ipv4/conf/all/rp_filter";
        let own_value = self.number(node, &own).or_else(|| self.number(node, default)).unwrap_or(0);
        let all_value = self.number(node, all).unwrap_or(0);
        if all_value > own_value { (all_value, all.to_owned()) } else { (own_value, own) }
    }

    /// Whether frames that cross a bridge go through the rules for IP (`br_netfilter`); `None` where that is not known.
    pub fn calls(&self, bridge: &Link, family: Family) -> Option<bool> {
        let word = if family == Family::V4 { "iptables" } else { "ip6tables" };
        let own = bridge.options.get(format!("nf-call-{word}").as_str());
        if own == Some(&Value::Bool(true)) {
            return Some(true);
        }
        let global = self.number(&bridge.id.node, &format!("net/bridge/bridge-nf-call-{word}"));
        match global {
            Some(value) => Some(value != 0),
            // Where the module is not there, neither is the setting.
            None if !self.assumed => Some(false),
            None => None,
        }
    }

    /// The MTU of a link; a bridge that nothing is said of has the least of its ports'.
    pub fn mtu(&self, link: &Link) -> u32 {
        if let Some(mtu) = link.mtu.get() {
            return *mtu;
        }
        let least = self.ports(&link.id).filter_map(|port| port.mtu.get().copied()).min();
        match link.kind {
            Kind::Bridge => least.unwrap_or(crate::resource::ETHERNET_MTU),
            Kind::Loopback => crate::resource::LARGEST_MTU,
            _ => crate::resource::ETHERNET_MTU,
        }
    }
}
