//! Rules about veth pairs over which nothing reaches anybody.

use super::rule::{Found, Rule};
use super::view::View;
use crate::document::Finding;
use crate::resource::{Address, Family, Kind, Link, LinkId, Node, Route, Setting, Tenure};
use ipnet::IpNet;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::IpAddr;

/// All of them.
pub(super) const RULES: &[Rule] = &[addresses, unused_end];

/// What is noted once for all pairs.
struct Uses<'a> {
    /// The links that others depend on.
    below: HashSet<&'a LinkId>,
    /// The routes that name their interface, by that.
    routes: HashMap<LinkId, Vec<&'a Route>>,
    /// The segments on which another program has an address.
    addressed: HashSet<usize>,
    /// The interfaces that rules of NAT or firewall, policy rules or neighbours name.
    named: HashSet<LinkId>,
}

impl<'a> Uses<'a> {
    fn of(view: &View<'a>) -> Self {
        let mut routes: HashMap<LinkId, Vec<&Route>> = HashMap::new();
        let mut named = HashSet::new();
        for (at, node) in &view.nodes {
            for route in &node.routes {
                for dev in route.nexthops.iter().filter_map(|hop| hop.dev.as_ref()) {
                    let link = LinkId { node: (**at).clone(), name: dev.clone() };
                    routes.entry(link).or_default().push(route);
                }
            }
            let rules = node.rules.iter().flat_map(|rule| rule.key.iif.iter().chain(&rule.key.oif));
            named.extend(rules.map(|name| LinkId { node: (**at).clone(), name: name.clone() }));
            named.extend(node.neighbors.iter().map(|neighbor| neighbor.link.clone()));
        }
        let addresses = view.nodes.values().flat_map(|node| &node.addresses);
        Self {
            below: view.links.values().filter_map(|link| link.link.as_ref()).collect(),
            addressed: addresses.filter_map(|address| view.segments.of(&address.link)).collect(),
            routes,
            named,
        }
    }
}

/// The pairs of which the file says both ends, each once, the end that comes first in the file first.
fn pairs<'a>(view: &View<'a>) -> impl Iterator<Item = [&'a Link; 2]> {
    let made = |link: &Link| link.kind == Kind::Veth && link.tenure == Tenure::Created && link.up != Setting::Is(false);
    let pair = |link: &'a Link| {
        let other = view.links.get(link.peer.as_ref()?).copied()?;
        let first = (view.link_place(&link.id), &link.id) < (view.link_place(&other.id), &other.id);
        (first && made(link) && made(other)).then_some([link, other])
    };
    let all: Vec<[&Link; 2]> = view.in_file_order().filter_map(pair).collect();
    all.into_iter()
}

/// Addresses at the two ends of a cable that do not reach each other: of different subnets, or of none.
fn addresses(view: &View<'_>, findings: &mut Found) {
    let uses = Uses::of(view);
    for [one, other] in pairs(view).filter(|pair| pair.iter().all(|link| link.master_id().is_none())) {
        for family in [Family::V4, Family::V6] {
            let [ours, theirs] = [one, other].map(|link| own(view, link, family));
            let (Some(first), Some(second)) = (ours.first(), theirs.first()) else { continue };
            let meets = |a: &&Address| theirs.iter().any(|b| reaches(a, b) || reaches(b, a));
            let routed =
                [(one, &theirs), (other, &ours)].into_iter().any(|(link, others)| uses.leads_to(&link.id, others));
            if ours.iter().any(meets) || routed {
                continue;
            }
            let alone = ours.iter().chain(&theirs).all(|address| is_host(address));
            let (code, what) = if alone {
                ("host-addresses-only", "host addresses without a subnet")
            } else {
                ("subnet-ends-differ", "in different subnets")
            };
            let message = format!(
                "the addresses of this veth pair are {what}, so neither end reaches the other: {} on \"{}\", {} on \"{}\"",
                first.address, one.id, second.address, other.id
            );
            let place = view.place(&second.id());
            let finding = Finding::warning(code, place, message).also(view.place(&first.id()), "the other end");
            findings.push(finding.help(help(first, second, alone)));
        }
    }
}

/// What makes two ends reach each other.
fn help(first: &Address, second: &Address, alone: bool) -> String {
    let (here, there) = (first.address, second.address.addr());
    if alone {
        return format!(
            "use the prefix length of a subnet that holds both, or add a route at each end: `{{ to: {there}, dev: {} }}`",
            first.link.name
        );
    }
    let in_subnet = IpNet::new(there, here.prefix_len()).ok().filter(|_| !is_host(first));
    let subnet = in_subnet.map_or_else(|| second.address.trunc(), |_| here.trunc());
    format!("give both ends addresses in one subnet, such as {subnet}")
}

/// The addresses of a family on `link` by which others are to reach it.
fn own<'v>(view: &'v View<'_>, link: &Link, family: Family) -> Vec<&'v Address> {
    let Some(node) = view.nodes.get(&link.id.node) else { return Vec::new() };
    let link_local = |ip: IpAddr| matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local());
    let meant = |address: &&Address| {
        let ip = address.address.addr();
        Family::of(&address.address) == family && !link_local(ip) && !ip.is_loopback()
    };
    node.addresses_of(&link.id).filter(meant).collect()
}

/// Whether `to` is in the subnet of `from`, or its peer.
fn reaches(from: &Address, to: &Address) -> bool {
    from.subnet().contains(&to.address.addr())
}

fn is_host(address: &Address) -> bool {
    address.peer.is_none() && address.address.prefix_len() == address.address.max_prefix_len()
}

impl Uses<'_> {
    /// Whether a route over `link` leads to one of `others` without a gateway, or to a gateway that needs no subnet.
    fn leads_to(&self, link: &LinkId, others: &[&Address]) -> bool {
        let routes = self.routes.get(link).into_iter().flatten();
        routes.flat_map(|route| route.nexthops.iter().map(move |hop| (route, hop))).any(|(route, hop)| {
            let direct = hop.via.is_none() && others.iter().any(|other| route.key.to.contains(&other.address.addr()));
            direct
                || hop.onlink
                || hop.via.is_some_and(|via| matches!(via, IpAddr::V6(ip) if ip.is_unicast_link_local()))
        })
    }

    /// Whether anything of the file makes use of `link`.
    fn is_used(&self, link: &Link) -> bool {
        self.below.contains(&link.id)
            || self.routes.contains_key(&link.id)
            || self.named.contains(&link.id)
            || link.master_id().is_some()
            || link.dhcp4
            || link.dhcp6
    }
}

/// An end of a cable without an address that is no port of anything, while another program at the other end has an
/// address: it hears, and has nothing to answer with.
fn unused_end(view: &View<'_>, findings: &mut Found) {
    if view.partial {
        return;
    }
    let uses = Uses::of(view);
    let mut unused: BTreeMap<&Node, Vec<&Link>> = BTreeMap::new();
    for [one, other] in pairs(view) {
        for (end, far) in [(one, other), (other, one)] {
            if is_unused(view, &uses, end, far) {
                unused.entry(&end.id.node).or_default().push(end);
            }
        }
    }
    for (node, ends) in unused {
        let help = "add `addresses` or a `master`; if a program configures it, or only listens on it, write `allow: [end-unused]`";
        // Many of one node have one reason.
        if let [first, .., _] = ends.as_slice()
            && ends.len() > FEW
        {
            let message = format!(
                "{} veth interfaces of \"{node}\" have no address and are not bridge ports, so nothing answers there: {}, ..",
                ends.len(),
                ends.iter().take(FEW).map(|end| end.id.name.as_str()).collect::<Vec<_>>().join(", ")
            );
            findings.push(Finding::warning("end-unused", view.link_place(&first.id), message).help(help));
            continue;
        }
        for end in ends {
            let message = format!("\"{}\" has no address and is not a bridge port, so nothing answers there", end.id);
            findings.push(Finding::warning("end-unused", view.link_place(&end.id), message).help(help));
        }
    }
}

/// So many of a node are reported one by one.
const FEW: usize = 3;

/// Whether `end` of a cable hears another program with an address, and has none itself.
fn is_unused(view: &View<'_>, uses: &Uses<'_>, end: &Link, far: &Link) -> bool {
    let Some(node) = view.nodes.get(&end.id.node).filter(|node| node.created()) else { return false };
    let heard = view.segments.of(&far.id).is_some_and(|segment| uses.addressed.contains(&segment));
    let by_itself = view.interface(&end.id).is_some_and(|interface| interface.ipv6.is_some());
    let filters = node.section.is_some_and(|section| !section.nat.is_empty() || section.firewall.is_some());
    // The end may be named in another node alone, and the answer stands in its own.
    let allowed =
        node.section.is_some_and(|section| section.allow.codes.iter().any(|code| code.value.0 == "end-unused"));
    !allowed && heard && !by_itself && !filters && !uses.is_used(end) && node.addresses_of(&end.id).next().is_none()
}
