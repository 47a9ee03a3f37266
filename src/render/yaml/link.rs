//! Interfaces as the language has them.

use super::section::Section;
use super::tree::Yaml;
use super::wireguard;
use crate::render::words::differs;
use crate::resource::kinds::spec::Mtu;
use crate::resource::{
    Address, Fdb, FdbTarget, Kind, Link, LinkId, Mac, Options, Qdisc, Queues, Resource, Setting, State, Value,
    VlanWords, Vlans, Work, kinds, vlan_range,
};
use std::collections::BTreeMap;

/// The interfaces of a node.
pub(super) fn interfaces(section: &Section<'_>) -> Yaml {
    let mut map: BTreeMap<&str, Yaml> = BTreeMap::new();
    for resource in &section.items {
        if let Resource::Link(link) = resource {
            let entry = interface(section, link);
            if link.kind != Kind::Loopback || !entry.is_empty() {
                map.insert(link.id.name.as_str(), entry);
            }
        }
    }
    for prior in section.state.record.prior.iter().filter_map(Resource::as_link) {
        if let Some(entry) = configured(section, prior) {
            map.insert(prior.id.name.as_str(), entry);
        }
    }
    // What is ours on an interface that is foreign: it is declared, and nothing else of it is managed.
    for resource in &section.items {
        match resource {
            Resource::Address(Address { link, .. }) | Resource::Qdisc(Qdisc { link, .. }) => {
                map.entry(link.name.as_str()).or_insert_with(|| borrowed(section, link));
            }
            _ => {}
        }
    }
    Yaml::Map(map.into_iter().map(|(name, entry)| (name.to_owned(), entry)).collect())
}

/// An interface of another program that is configured where it is. What the file writes of it is what the record has
/// the value from before of.
fn configured(section: &Section<'_>, prior: &Link) -> Option<Yaml> {
    let away = section.state.record.moved.iter().any(|(_, from)| *from == prior.id);
    let there = section.state.link(&prior.id).filter(|_| !away && prior.id.node == *section.node)?;
    let mut map = Yaml::map();
    if there.kind != Kind::Loopback {
        map.put("existing", Yaml::map());
    }
    map.put_some("mtu", prior.mtu.get().and(there.mtu.get()));
    map.put_some("mac", prior.mac.get().and(there.mac.get()));
    map.put_some("master", prior.master.get().and(there.master.get()).and_then(Option::as_ref));
    let port: Options = there
        .port
        .iter()
        .filter(|(key, _)| prior.port.contains_key(*key))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let mut entries = Yaml::map();
    port.iter().for_each(|(key, value)| entries.put(key, Yaml::option(value)));
    if !entries.is_empty() {
        map.put("port", entries);
    }
    if let Some(vlans) = prior.vlans.get().and(there.vlans.get()) {
        map.put("port-vlan", port_vlan(vlans));
    }
    map.put_list("fdb", fdb(section, there, true));
    if let Some(up) = prior.up.get().and(there.up.get()) {
        map.put("up", Yaml::Switch(*up));
    }
    map.put_some("txqueuelen", prior.txqueuelen.get().and(there.txqueuelen.get()));
    if let Some(names) = prior.alternative_names.get().and(there.alternative_names.get()) {
        map.put("alternative-names", Yaml::List(names.iter().map(Yaml::of).collect()));
    }
    offload(section, there, &mut map);
    impair(section, &prior.id, &mut map);
    map.put_list("addresses", addresses(section, &prior.id));
    Some(map)
}

fn borrowed(section: &Section<'_>, link: &LinkId) -> Yaml {
    let mut map = Yaml::map();
    if link.name.as_str() != "lo" {
        let from = section.state.record.moved.iter().find(|(now, _)| now == link).map(|(_, from)| from);
        let mut existing = Yaml::map();
        existing.put_some("from", from);
        map.put("existing", existing);
    }
    impair(section, link, &mut map);
    map.put_list("addresses", addresses(section, link));
    map
}

/// What makes its line a bad one.
fn impair(section: &Section<'_>, link: &LinkId, map: &mut Yaml) {
    let ours = section.items.iter().find(|resource| matches!(resource, Resource::Qdisc(it) if it.link == *link));
    if let Some(Resource::Qdisc(Qdisc { work: Work::Netem(netem), .. })) = ours {
        let mut keys = Yaml::map();
        netem.fields().iter().for_each(|(name, value)| keys.put(name, Yaml::of(value)));
        if keys.is_empty() {
            keys.put("limit", Yaml::of(&netem.limit));
        }
        map.put("impair", keys);
    }
}

/// The offload features of it, of what the record has the value from before of. Where only some of what a name stands
/// for is on, it is on.
fn offload(section: &Section<'_>, link: &Link, map: &mut Yaml) {
    let managed =
        section.state.record.offload.iter().filter(|(home, _)| home == link.home()).flat_map(|(_, prior)| prior.keys());
    let mut keys = Yaml::map();
    for (name, value) in managed.filter_map(|name| link.offload.get_key_value(name)) {
        keys.put(name, Yaml::Switch(*value != Value::Bool(false)));
    }
    if !keys.is_empty() {
        map.put("offload", keys);
    }
}

fn interface(section: &Section<'_>, link: &Link) -> Yaml {
    let mut map = Yaml::map();
    let near = |other: &LinkId| if other.node == link.id.node { other.name.to_string() } else { other.to_string() };
    let moved = section.state.record.moved.iter().find(|(now, _)| *now == link.id).map(|(_, from)| from);
    match (&link.kind, &link.peer, moved) {
        (_, _, Some(from)) => map.put("existing", Yaml::map().with("from", Yaml::of(from))),
        (Kind::Loopback, ..) => {}
        (Kind::Veth, Some(peer), _) => map.put("veth", Yaml::of(&near(peer))),
        (Kind::Physical | Kind::Any | Kind::Veth, ..) => map.put("existing", Yaml::map()),
        (kind, ..) => {
            let mut options = options(kinds::of(kind), &link.options, kind);
            if let Some(below) = &link.link {
                options.put("link", Yaml::of(&near(below)));
            }
            if *kind == Kind::Vxlan {
                options.put_list("fdb", fdb(section, link, false));
            }
            if kinds::traits(kind).has_keys {
                options = wireguard::interface(section.state, link);
            }
            map.put(kind.word(), options);
        }
    }
    attributes(section, link, &mut map);
    for (key, on) in [("dhcp4", link.dhcp4), ("dhcp6", link.dhcp6)] {
        if on {
            map.put(key, Yaml::Switch(true));
        }
    }
    offload(section, link, &mut map);
    impair(section, &link.id, &mut map);
    map.put_list("addresses", addresses(section, &link.id));
    if dad(section, &link.id) {
        map.put("ipv6", Yaml::map().with("dad", Yaml::Switch(true)));
    }
    map
}

fn attributes(section: &Section<'_>, link: &Link, map: &mut Yaml) {
    let Link { kind, up, mtu, mac, queues, master, alternative_names, txqueuelen, port, vlans, .. } = link;
    // What depends on another interface takes its MTU from there, so that it has to be said.
    let spec = kinds::spec(kind);
    let said = spec.is_some_and(|spec| matches!(spec.mtu, Mtu::Below { .. }));
    map.put_some("mtu", mtu.get().filter(|mtu| said || **mtu != kinds::usual_mtu(kind)));
    // Nothing can tell a hardware address that was written from one that the kernel made up: it is part of what is
    // there. A bridge has that of a port.
    let mut ports =
        section.state.links_of(section.node).filter(|port| port.master_id().as_ref() == Some(&link.id)).peekable();
    let follows = kinds::traits(kind).mac_of_ports && (ports.peek().is_none() || ports.any(|port| port.mac == *mac));
    let in_bond =
        link.master_id().and_then(|master| section.state.link(&master)).is_some_and(|master| master.kind == Kind::Bond);
    let lent = in_bond
        || link.link.as_ref().and_then(|below| section.state.link(below)).is_some_and(|below| below.mac == *mac);
    let chosen = section.chosen_macs || !follows && !lent;
    map.put_some("mac", mac.get().filter(|_| *kind != Kind::Loopback && chosen));
    let usual_queues = if *kind == Kind::Veth { most_queues(section.state) } else { Some(Queues { tx: 1, rx: 1 }) };
    if let Some(queues) =
        queues.get().filter(|queues| !kinds::traits(kind).any_queues && Some(**queues) != usual_queues)
    {
        map.put("queues", Yaml::map().with("tx", Yaml::of(&queues.tx)).with("rx", Yaml::of(&queues.rx)));
    }
    if let Setting::Is(Some(master)) = master {
        map.put("master", Yaml::of(master));
    }
    let port = match master {
        Setting::Is(Some(_)) => options(kinds::PORT, port, &Kind::Any),
        _ => Yaml::map(),
    };
    if !port.is_empty() {
        map.put("port", port);
    }
    if let Some(vlans) = vlans.get().filter(|vlans| default_vlans(section, link).is_some_and(|usual| usual != **vlans))
    {
        map.put("port-vlan", port_vlan(vlans));
    }
    map.put_list("fdb", fdb(section, link, true));
    if *up == Setting::Is(false) {
        map.put("up", Yaml::Switch(false));
    }
    map.put_some("txqueuelen", txqueuelen.get().filter(|length| **length != spec.map_or(1000, |spec| spec.txqueuelen)));
    map.put_list("alternative-names", alternative_names.get().into_iter().flatten().map(Yaml::of).collect());
}

/// The VLANs that a link without `port-vlan` has; `None` where none are asked for.
fn default_vlans(section: &Section<'_>, link: &Link) -> Option<Vlans> {
    let bridge = match link.kind {
        Kind::Bridge => link,
        _ => section.state.link(&link.master_id()?)?,
    };
    let on = bridge.options.get("vlan-filtering") == Some(&Value::Bool(true));
    match bridge.options.get("vlan-default-pvid") {
        Some(Value::Number(pvid)) if on => u16::try_from(*pvid).ok().map(Vlans::by_default),
        _ => None,
    }
}

/// VLANs as `port-vlan` has them.
fn port_vlan(vlans: &Vlans) -> Yaml {
    let (trunk, untagged, native, pvid) = match vlans.words() {
        VlanWords::Access(id) => return Yaml::map().with("access", Yaml::of(&id)),
        VlanWords::Trunk { trunk, untagged, native, pvid } => (trunk, untagged, native, pvid),
    };
    let list =
        |ids: &[(u16, u16)]| ids.iter().map(|(first, last)| Yaml::of(&vlan_range(*first, *last))).collect::<Vec<_>>();
    let mut map = Yaml::map();
    if !trunk.is_empty() || untagged.is_empty() {
        map.put("trunk", Yaml::List(list(&trunk)));
    }
    map.put_list("untagged", list(&untagged));
    map.put_some("native", native.as_ref());
    map.put_some("pvid", pvid.as_ref());
    map
}

/// The queues that most pairs have: as many as the machine has processors, by default (`veth_get_num_queues`).
fn most_queues(state: &State) -> Option<Queues> {
    let mut counts: Vec<(Queues, usize)> = Vec::new();
    for queues in state.links().filter(|link| link.kind == Kind::Veth).filter_map(|link| link.queues.get()) {
        match counts.iter_mut().find(|(known, _)| known == queues) {
            Some((_, count)) => *count += 1,
            None => counts.push((*queues, 1)),
        }
    }
    counts.into_iter().max_by_key(|(_, count)| *count).map(|(queues, _)| queues).filter(|queues| queues.tx == queues.rx)
}

/// Where a fresh bridge sends its own frames (`br_group_address`); no table of defaults has it.
const GROUP_ADDRESS: &str = "01:80:c2:00:00:00";

/// The attributes that are not what a fresh link has.
fn options(known: &[kinds::Attribute], options: &Options, kind: &Kind) -> Yaml {
    let mut map = Yaml::map();
    let number = |key: &str| match options.get(key) {
        Some(Value::Number(number)) => *number,
        _ => 0,
    };
    for (key, value) in options {
        let said = (*kind == Kind::Vxlan && key == "id")
            || (*kind == Kind::Macvlan && key == "mode")
            || (key == "group-address" && value.to_string() != GROUP_ADDRESS);
        match (&**key, value) {
            ("encapsulation-limit", Value::Unset) => map.put(key, Yaml::Text("none".to_owned())),
            (_, Value::Unset) | ("source-port-low" | "source-port-high", _) => {}
            ("remote", Value::Ip(ip)) if ip.is_multicast() => map.put("group", Yaml::of(ip)),
            // The kernel has this one in seconds, the language as a duration.
            ("ageing", Value::Number(seconds)) if differs(known, key, value) => {
                map.put(key, Yaml::Text(format!("{seconds}s")))
            }
            (key, value) if said || differs(known, key, value) => map.put(key, Yaml::option(value)),
            _ => {}
        }
    }
    let (low, high) = (number("source-port-low"), number("source-port-high"));
    if (low, high) != (0, 0) {
        map.put("source-ports", Yaml::Text(format!("{low}-{high}")));
    }
    map
}

/// The forwarding entries of a vxlan, or those of a port of a bridge; a link may be both.
fn fdb(section: &Section<'_>, link: &Link, port: bool) -> Vec<Yaml> {
    // The entry for everything unknown that `remote` makes by itself is not one of the list.
    let own = match link.options.get("remote") {
        Some(Value::Ip(ip)) => Some(FdbTarget::End(*ip)),
        _ => None,
    };
    let entry = |entry: &Fdb| {
        let mut map = Yaml::map();
        if entry.mac != Mac([0; 6]) {
            map.put("mac", Yaml::of(&entry.mac));
        }
        match entry.to {
            FdbTarget::End(dst) => map.put("dst", Yaml::of(&dst)),
            FdbTarget::Port(0) => {}
            FdbTarget::Port(vlan) => map.put("vlan", Yaml::of(&vlan)),
        }
        map
    };
    let listed = section.items.iter().filter_map(|resource| match resource {
        Resource::Fdb(it)
            if it.link == link.id
                && !(it.mac == Mac([0; 6]) && own == Some(it.to))
                && matches!(it.to, FdbTarget::Port(_)) == port =>
        {
            Some(it)
        }
        _ => None,
    });
    listed.map(entry).collect()
}

fn of_link<'a>(section: &'a Section<'_>, link: &'a LinkId) -> impl Iterator<Item = &'a Address> {
    section.items.iter().filter_map(move |resource| match resource {
        Resource::Address(address) if address.link == *link => Some(address),
        _ => None,
    })
}

/// Addresses, each subnet's primary one before the others.
fn addresses(section: &Section<'_>, link: &LinkId) -> Vec<Yaml> {
    let mut all: Vec<&Address> = of_link(section, link).collect();
    all.sort_by_key(|address| address.secondary);
    all.into_iter().map(address).collect()
}

fn address(address: &Address) -> Yaml {
    let label = address.label.get().filter(|label| **label != *address.link.name.as_str());
    let host = matches!(address.address.addr(), std::net::IpAddr::V4(ip) if ip.is_loopback());
    let scope =
        address.scope.get().filter(|scope| address.address.addr().is_ipv4() && **scope != if host { 254 } else { 0 });
    if label.is_none() && scope.is_none() && address.peer.is_none() {
        return Yaml::of(&address.address);
    }
    let mut map = Yaml::map().with("address", Yaml::of(&address.address));
    map.put_some("peer", address.peer.as_ref());
    map.put_some("scope", scope);
    map.put_some("label", label);
    map
}

/// Whether duplicate address detection is on for an address here, which in a created namespace has to be said.
fn dad(section: &Section<'_>, link: &LinkId) -> bool {
    section.created
        && of_link(section, link).any(|address| address.address.addr().is_ipv6() && address.nodad == Setting::Is(false))
}

/// The static neighbours of a node.
pub(super) fn neighbors(section: &Section<'_>) -> Vec<Yaml> {
    let mut list = Vec::new();
    for resource in &section.items {
        if let Resource::Neighbor(neighbor) = resource {
            let mut map =
                Yaml::map().with("address", Yaml::of(&neighbor.address)).with("dev", Yaml::of(&neighbor.link.name));
            map.put_some("mac", neighbor.mac.as_ref());
            if neighbor.proxy {
                map.put("proxy", Yaml::Switch(true));
            }
            list.push(map);
        }
    }
    list
}
