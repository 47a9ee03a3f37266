//! Looking up what lives in a node or on a link, without walking the whole state.

use super::{
    ChainRef, Family, FdbTarget, FileName, Item, Kind, Link, LinkId, Mac, Namespace, Node, PeerKey, Resource,
    ResourceId, RouteKey, Rule, RuleKey, State, TableId,
};
use ipnet::{IpNet, Ipv4Net};
use std::net::{IpAddr, Ipv4Addr};

const NOWHERE: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// The lowest prefix there is in the order of [`IpNet`].
fn lowest() -> IpNet {
    IpNet::V4(Ipv4Net::default())
}

/// The lowest rule there is in the order of [`RuleKey`].
fn lowest_rule() -> RuleKey {
    Rule::plain(&Node::from(""), Family::V4, 0, 0).key
}

impl State {
    /// What has identities from `start` on while `same` holds.
    fn from<'a>(
        &'a self,
        start: ResourceId,
        same: impl Fn(&ResourceId) -> bool + 'a,
    ) -> impl Iterator<Item = (&'a ResourceId, &'a Item)> {
        self.items.range(start..).take_while(move |(id, _)| same(id))
    }

    /// All namespaces in order.
    pub fn namespaces(&self) -> impl Iterator<Item = &Namespace> {
        let namespaces = self.from(ResourceId::Namespace(Node::from("")), |id| matches!(id, ResourceId::Namespace(_)));
        namespaces.filter_map(
            |(_, item)| if let Resource::Namespace(namespace) = &item.resource { Some(namespace) } else { None },
        )
    }

    /// All links in order.
    pub fn links(&self) -> impl Iterator<Item = &Link> {
        let links = self.from(ResourceId::Link(LinkId::new("", "")), |id| matches!(id, ResourceId::Link(_)));
        links.filter_map(|(_, item)| item.resource.as_link())
    }

    /// The links of `node`.
    pub fn links_of<'a>(&'a self, node: &'a Node) -> impl Iterator<Item = &'a Link> {
        let start = ResourceId::Link(LinkId::new(node.clone(), ""));
        self.from(start, move |id| matches!(id, ResourceId::Link(link) if link.node == *node))
            .filter_map(|(_, item)| item.resource.as_link())
    }

    /// Whether `node` has a VRF.
    pub fn has_vrf(&self, node: &Node) -> bool {
        self.links_of(node).any(|link| link.kind == Kind::Vrf)
    }

    /// The routes of `node`.
    pub fn routes_of<'a>(&'a self, node: &'a Node) -> impl Iterator<Item = &'a super::Route> {
        let key = RouteKey::new(TableId::Number(0), lowest(), 0);
        let routes = self
            .from(ResourceId::Route(node.clone(), key), move |id| matches!(id, ResourceId::Route(of, _) if of == node));
        routes.filter_map(|(_, item)| match &item.resource {
            Resource::Route(route) => Some(route),
            _ => None,
        })
    }

    /// The policy rules of `node`.
    pub fn rules_of<'a>(&'a self, node: &'a Node) -> impl Iterator<Item = &'a super::Rule> {
        let rules = self.from(
            ResourceId::Rule(node.clone(), Box::new(lowest_rule())),
            move |id| matches!(id, ResourceId::Rule(of, _) if of == node),
        );
        rules.filter_map(|(_, item)| match &item.resource {
            Resource::Rule(rule) => Some(rule),
            _ => None,
        })
    }

    /// The peers of `link`.
    pub fn peers_of<'a>(&'a self, link: &'a LinkId) -> impl Iterator<Item = &'a super::Peer> {
        let peers = self.from(
            ResourceId::Peer(link.clone(), PeerKey::LEAST),
            move |id| matches!(id, ResourceId::Peer(of, _) if of == link),
        );
        peers.filter_map(|(_, item)| match &item.resource {
            Resource::Peer(peer) => Some(&**peer),
            _ => None,
        })
    }

    /// The addresses of `link`.
    pub fn addresses_of<'a>(&'a self, link: &'a LinkId) -> impl Iterator<Item = &'a super::Address> {
        let start = ResourceId::Address(link.clone(), lowest(), None);
        let addresses = self.from(start, move |id| matches!(id, ResourceId::Address(of, ..) if of == link));
        addresses.filter_map(|(_, item)| match &item.resource {
            Resource::Address(address) => Some(address),
            _ => None,
        })
    }

    /// What depends on `link` and dies with it, but for links and routes: addresses, neighbours, forwarding entries,
    /// peers, its settings, its root qdisc.
    pub fn on_link(&self, link: &LinkId) -> Vec<ResourceId> {
        let addresses = self.from(
            ResourceId::Address(link.clone(), lowest(), None),
            move |id| matches!(id, ResourceId::Address(of, ..) if of == link),
        );
        let neighbors = self.from(
            ResourceId::Neighbor(link.clone(), NOWHERE, false),
            move |id| matches!(id, ResourceId::Neighbor(of, ..) if of == link),
        );
        let fdb = self.from(
            ResourceId::Fdb(link.clone(), Mac([0; 6]), FdbTarget::End(NOWHERE)),
            move |id| matches!(id, ResourceId::Fdb(of, ..) if of == link),
        );
        let peers = self.from(
            ResourceId::Peer(link.clone(), PeerKey::LEAST),
            move |id| matches!(id, ResourceId::Peer(of, _) if of == link),
        );
        let mut ids: Vec<ResourceId> =
            addresses.chain(neighbors).chain(fdb).chain(peers).map(|(id, _)| id.clone()).collect();
        ids.extend(self.items.get_key_value(&ResourceId::Qdisc(link.clone())).map(|(id, _)| id.clone()));
        for family in ["ipv4", "ipv6"] {
            for section in ["conf", "neigh"] {
                let prefix = format!("net/{family}/{section}/{}/", link.name);
                let start = ResourceId::Sysctl(link.node.clone(), prefix.clone());
                let same = |id: &ResourceId| matches!(id, ResourceId::Sysctl(node, key) if *node == link.node && key.starts_with(&prefix));
                ids.extend(self.from(start, same).map(|(id, _)| id.clone()));
            }
        }
        ids
    }

    /// Everything in `node` but the namespace itself.
    pub fn in_node(&self, node: &Node) -> Vec<ResourceId> {
        let link = LinkId::new(node.clone(), "");
        let rule = lowest_rule();
        let starts = [
            ResourceId::Sysctl(node.clone(), String::new()),
            ResourceId::Link(link.clone()),
            ResourceId::Qdisc(link.clone()),
            ResourceId::Address(link.clone(), lowest(), None),
            ResourceId::Neighbor(link.clone(), NOWHERE, false),
            ResourceId::Fdb(link.clone(), Mac([0; 6]), FdbTarget::End(NOWHERE)),
            ResourceId::Peer(link, PeerKey::LEAST),
            ResourceId::Route(node.clone(), RouteKey::new(TableId::Number(0), lowest(), 0)),
            ResourceId::Rule(node.clone(), Box::new(rule)),
            ResourceId::Table(node.clone()),
            ResourceId::Insert(
                node.clone(),
                ChainRef { family: String::new(), table: String::new(), chain: String::new() },
            ),
            ResourceId::File(node.clone(), FileName::Hosts),
        ];
        let kind = |id: &ResourceId| id.kind();
        let all = starts.into_iter().map(|start| {
            let of = kind(&start);
            self.from(start, move |id| kind(id) == of && id.node() == node)
                .map(|(id, _)| id.clone())
                .collect::<Vec<_>>()
        });
        all.flatten().collect()
    }
}
