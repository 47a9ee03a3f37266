//! The fields of each resource: what it is turned into for JSON.

use super::scalar::Scalar;
use super::values::{
    AddressValues, ChainView, ExistingView, FdbValues, FileValues, InsertValues, NamespaceValues, NeighborValues,
    NextHopView, PeerValues, PortsView, QdiscValues, RouteValues, RuleValues, SysctlValues, TableValues, Values,
};
use crate::dialect::nft_script::table_name;
use crate::resource::{
    Address, Chain, Family, Fdb, FdbTarget, File, Insert, Mac, Namespace, Neighbor, NetnsRef, NextHop, NodeTenure,
    Peer, Qdisc, Resource, Route, Rule, RuleAction, RuleKey, Runtime, Sysctl, Table, Work, scope_word,
};

impl From<&Resource> for Values {
    fn from(resource: &Resource) -> Self {
        match resource {
            Resource::Namespace(it) => Self::Namespace(it.into()),
            Resource::Sysctl(it) => Self::Sysctl(it.into()),
            Resource::Link(it) => Self::Link(Box::new((&**it).into())),
            Resource::Qdisc(it) => Self::Qdisc(it.into()),
            Resource::Address(it) => Self::Address(it.into()),
            Resource::Neighbor(it) => Self::Neighbor(it.into()),
            Resource::Fdb(it) => Self::Fdb(it.into()),
            Resource::Peer(it) => Self::Peer((&**it).into()),
            Resource::Route(it) => Self::Route(it.into()),
            Resource::Rule(it) => Self::Rule(it.into()),
            Resource::Table(it) => Self::Table(it.into()),
            Resource::Insert(it) => Self::Insert(it.into()),
            Resource::File(it) => Self::File(it.into()),
        }
    }
}

impl From<&Namespace> for NamespaceValues {
    fn from(namespace: &Namespace) -> Self {
        match &namespace.tenure {
            NodeTenure::Created => Self { origin: "created", existing: None },
            NodeTenure::Host => Self { origin: "host", existing: None },
            NodeTenure::Existing(place) => Self { origin: "existing", existing: Some(place.into()) },
        }
    }
}

impl From<&NetnsRef> for ExistingView {
    fn from(place: &NetnsRef) -> Self {
        let none = Self::default();
        match place {
            NetnsRef::Name(name) => Self { netns: Some(name.clone()), ..none },
            NetnsRef::Path(path) => Self { path: Some(path.clone()), ..none },
            NetnsRef::Pid(pid) => Self { pid: Some(*pid), ..none },
            NetnsRef::Container { runtime, name } => {
                Self { container: Some(name.clone()), runtime: runtime.map(Runtime::word), ..none }
            }
        }
    }
}

impl From<&Sysctl> for SysctlValues {
    fn from(sysctl: &Sysctl) -> Self {
        Self { key: sysctl.key.replace('/', "."), value: Scalar::of(&sysctl.value) }
    }
}

impl From<&Qdisc> for QdiscValues {
    fn from(qdisc: &Qdisc) -> Self {
        let bare = Self { interface: qdisc.link.name.to_string(), kind: qdisc.work.kind(), ..Self::default() };
        let Work::Netem(netem) = &qdisc.work else { return bare };
        let rate = if netem.rate.0 == 0 { Scalar::Null(()) } else { Scalar::Text(netem.rate.to_string()) };
        Self {
            delay: Some(netem.delay.to_string()),
            jitter: Some(netem.jitter.to_string()),
            distribution: Some(netem.distribution.word()),
            loss: Some(netem.loss.to_string()),
            duplicate: Some(netem.duplicate.to_string()),
            corrupt: Some(netem.corrupt.to_string()),
            reorder: Some(netem.reorder.to_string()),
            rate: Some(rate),
            limit: Some(netem.limit),
            ..bare
        }
    }
}

impl From<&Address> for AddressValues {
    fn from(address: &Address) -> Self {
        let role = if address.secondary { "secondary" } else { "primary" };
        Self {
            interface: address.link.name.to_string(),
            address: address.address.to_string(),
            peer: address.peer,
            label: address.label.get().cloned(),
            scope: address.scope.get().map(|scope| scope_word(*scope)),
            nodad: address.nodad.get().copied(),
            role: address.address.addr().is_ipv4().then_some(role),
        }
    }
}

impl From<&Neighbor> for NeighborValues {
    fn from(neighbor: &Neighbor) -> Self {
        Self {
            interface: neighbor.link.name.to_string(),
            address: neighbor.address,
            mac: neighbor.mac.as_ref().map(Mac::to_string),
            proxy: neighbor.proxy,
            state: if neighbor.permanent { "permanent" } else { "learned" },
        }
    }
}

impl From<&Fdb> for FdbValues {
    fn from(entry: &Fdb) -> Self {
        let (dst, vlan) = match entry.to {
            FdbTarget::End(dst) => (Some(dst), None),
            FdbTarget::Port(vlan) => (None, Some(vlan).filter(|vlan| *vlan != 0)),
        };
        Self { interface: entry.link.name.to_string(), mac: entry.mac.to_string(), dst, vlan }
    }
}

impl From<&Peer> for PeerValues {
    fn from(peer: &Peer) -> Self {
        let preshared = peer.fields().into_iter().find(|(name, _)| *name == "preshared-key");
        Self {
            interface: peer.link.name.to_string(),
            public_key: peer.key.to_string(),
            allowed_ips: peer.allowed_ips.iter().map(ToString::to_string).collect(),
            endpoint: peer.endpoint.get().copied(),
            keepalive: peer.keepalive,
            preshared_key: preshared.map(|(_, value)| value),
            preshared_key_file: peer.preshared_file.clone(),
        }
    }
}

impl From<&Route> for RouteValues {
    fn from(route: &Route) -> Self {
        Self {
            to: route.key.to.to_string(),
            table: (&route.key.table).into(),
            metric: route.key.metric,
            tos: Some(route.key.tos).filter(|tos| *tos != 0),
            from: route.key.from.map(|from| from.to_string()),
            kind: route.kind.word(),
            nexthops: route.nexthops.iter().map(NextHopView::from).collect(),
            source: route.source,
            scope: route.scope.get().filter(|_| route.key.to.addr().is_ipv4()).map(|scope| scope_word(*scope)),
            mtu: route.mtu,
            metrics: route.named_metrics().collect(),
            attributes: route.more_words(),
        }
    }
}

impl From<&NextHop> for NextHopView {
    fn from(hop: &NextHop) -> Self {
        Self {
            via: hop.via,
            dev: hop.dev.as_ref().map(ToString::to_string),
            weight: hop.weight,
            onlink: hop.onlink,
            attributes: hop.raw.route_words().join(" "),
        }
    }
}

impl From<&Rule> for RuleValues {
    fn from(rule: &Rule) -> Self {
        let RuleKey {
            family, priority, from, to, iif, oif, fwmark, protocol, port, source_port, action, invert, ..
        } = &rule.key;
        let (table, action) = match action {
            RuleAction::Table(table) => (Some(table.into()), None),
            other => (None, Some(other.to_string())),
        };
        let ports = |ports: &Option<(u16, u16)>| ports.map(|(first, last)| PortsView { first, last });
        Self {
            rule: rule.key.to_string(),
            family: if *family == Family::V4 { "ipv4" } else { "ipv6" },
            priority: *priority,
            not: *invert,
            from: from.map(|from| from.to_string()),
            to: to.map(|to| to.to_string()),
            iif: iif.as_ref().map(ToString::to_string),
            oif: oif.as_ref().map(ToString::to_string),
            fwmark: fwmark.map(|(mark, _)| mark),
            fwmark_mask: fwmark.map(|(_, mask)| mask),
            protocol: *protocol,
            port: ports(port),
            source_port: ports(source_port),
            table,
            action,
        }
    }
}

impl From<&Table> for TableValues {
    fn from(table: &Table) -> Self {
        let chain = |chain: &Chain| ChainView {
            name: chain.name.clone(),
            kind: chain.kind.clone(),
            hook: chain.hook.clone(),
            priority: chain.priority,
            policy: if chain.drop { "drop" } else { "accept" },
            rules: chain.rules.iter().map(|rule| rule.text(&table.topology)).collect(),
        };
        Self {
            table: format!("inet {}", table_name(&table.topology)),
            chains: table.chains.iter().map(chain).collect(),
        }
    }
}

impl From<&Insert> for InsertValues {
    fn from(insert: &Insert) -> Self {
        Self {
            chain: insert.chain.to_string(),
            present: insert.present,
            place: if insert.first { "first" } else { "behind others" },
            rules: insert.rules.iter().map(|rule| rule.text(&insert.topology)).collect(),
        }
    }
}

impl From<&File> for FileValues {
    fn from(file: &File) -> Self {
        Self { name: file.name.to_string(), lines: file.content.lines().map(str::to_owned).collect() }
    }
}
