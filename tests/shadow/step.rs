//! Single operations that no plan has in this order: on something of ours that is there, by dice.

use crate::generator::Dice;
use topo::resource::*;

/// An operation on something of `state`, or beside it; `None` where the dice show something that is to be left alone.
pub fn step(state: &State, dice: &mut Dice<'_>) -> Option<Operation> {
    let borrowed = |node: &Node| state.links_of(node).any(|link| matches!(link.tenure, Tenure::From(_)));
    // Elsewhere what carries the mark and is not in the record is nobody's.
    let made = |node: &Node| state.namespace(node).is_some_and(|namespace| namespace.tenure == NodeTenure::Created);
    let ours = |item: &&Item| item.owner == Owner::Ours && made(item.resource.id().node());
    // Half of the throws are for links, on which the most stands.
    let of_links = dice.below(2) == 0;
    let those: Vec<&Resource> = state
        .items
        .values()
        .filter(ours)
        .map(|item| &item.resource)
        .filter(|it| it.as_link().is_some() == of_links)
        .collect();
    let there = (*those.get(dice.below(those.len().max(1)))?).clone();
    match &there {
        Resource::Link(link) if link.kind == Kind::Loopback || matches!(link.tenure, Tenure::From(_)) => None,
        Resource::Link(link) => of_link(state, link, dice),
        Resource::Namespace(namespace) => {
            (dice.once_in(3) && !borrowed(&namespace.node)).then_some(Operation::Delete(there))
        }
        Resource::Address(address) => Some(of_address(address, dice)),
        Resource::Route(route) => Some(of_route(route, dice)),
        Resource::Rule(_) | Resource::Neighbor(_) | Resource::Fdb(_) | Resource::Table(_) => {
            Some(Operation::Delete(there))
        }
        Resource::Sysctl(sysctl) => {
            let switch =
                sysctl.key.ends_with("forward") || sysctl.key.contains("/conf/") && !sysctl.key.ends_with("hop_limit");
            let after = Sysctl { value: if sysctl.value == "0" { "1" } else { "0" }.to_owned(), ..sysctl.clone() };
            switch.then(|| Operation::Update { before: there.clone(), after: Resource::Sysctl(after) })
        }
        Resource::Qdisc(_) | Resource::Peer(_) | Resource::Insert(_) | Resource::File(_) => None,
    }
}

fn of_link(state: &State, link: &Link, dice: &mut Dice<'_>) -> Option<Operation> {
    // As in a plan, an address that nobody wrote is left.
    let mut after = Link { mac: Setting::Left, ..link.clone() };
    match dice.below(12) {
        0 | 1 => after.up = Setting::Is(false),
        2 | 3 => after.up = Setting::Is(true),
        4 | 5 => after.mtu = Setting::Is([1279, 1290, 1400, 1500][dice.below(4)]),
        6 => (after.master, after.port) = (Setting::Is(None), Options::new()),
        7 => {
            let bridges: Vec<&Link> = state
                .links_of(&link.id.node)
                .filter(|other| other.kind == Kind::Bridge && other.id != link.id)
                .collect();
            after.master = Setting::Is(Some(bridges.get(dice.below(bridges.len().max(1)))?.id.name.clone()));
            after.port = Options::new();
        }
        8 => after.mac = Setting::Is(Mac([2, 0, 0, 0, 9, u8::try_from(dice.below(200)).unwrap()])),
        9 => {
            let host = 1 + dice.below(200);
            let text = [format!("10.200.0.{host}/24"), format!("fd20::{host}/64")][dice.below(2)].clone();
            let mut address = Address::plain(link.id.clone(), text.parse().unwrap());
            address.nodad = if address.address.addr().is_ipv6() { Setting::Is(true) } else { Setting::Left };
            return Some(Operation::Create(Resource::Address(address)));
        }
        10 => {
            let name = IfName::from(format!("w{}", dice.below(9)));
            let mut macvlan = Link::bare(LinkId { node: link.id.node.clone(), name }, Kind::Macvlan);
            (macvlan.link, macvlan.up) = (Some(link.id.clone()), Setting::Is(dice.below(2) == 0));
            // One of mode passthru has its link for itself, of which the model would have to go over all links to know.
            let alone = |link: &Link| link.options.get("mode") == Some(&Value::word("passthru"));
            return (!state.links().any(alone)).then(|| Operation::Create(Resource::Link(Box::new(macvlan))));
        }
        _ => return Some(Operation::Delete(Resource::Link(Box::new(link.clone())))),
    }
    Some(Operation::Update { before: Resource::Link(Box::new(link.clone())), after: Resource::Link(Box::new(after)) })
}

/// It goes, or another of its subnet comes, or a route that has it as its source.
fn of_address(address: &Address, dice: &mut Dice<'_>) -> Operation {
    match dice.below(4) {
        0 => {
            let host = |low: u8| match address.address {
                ipnet::IpNet::V4(net) => {
                    let [a, b, c, _] = net.addr().octets();
                    format!("{a}.{b}.{c}.{low}/{}", net.prefix_len())
                }
                ipnet::IpNet::V6(net) => {
                    format!("{}{low:x}/{}", net.trunc().addr().to_string().trim_end_matches('0'), net.prefix_len())
                }
            };
            let mut other =
                Address::plain(address.link.clone(), host(u8::try_from(120 + dice.below(3)).unwrap()).parse().unwrap());
            other.nodad = if other.address.addr().is_ipv6() { Setting::Is(true) } else { Setting::Left };
            Operation::Create(Resource::Address(other))
        }
        1 => {
            let net = dice.below(250);
            let (to, metric) = if address.address.addr().is_ipv4() {
                (format!("172.31.{net}.0/24"), 0)
            } else {
                (format!("fd31:{net}::/64"), 1024)
            };
            let table = if dice.below(2) == 0 { TableId::MAIN } else { TableId::Number(77) };
            let key = RouteKey::new(table, to.parse().unwrap(), metric);
            let hop = NextHop::new(None, Some(address.link.name.clone()));
            let source = (dice.below(2) == 0).then(|| address.address.addr());
            let route = Route { nexthops: vec![hop], source, ..Route::bare(address.link.node.clone(), key) };
            Operation::Create(Resource::Route(route))
        }
        _ => Operation::Delete(Resource::Address(address.clone())),
    }
}

fn of_route(route: &Route, dice: &mut Dice<'_>) -> Operation {
    let mut other = route.clone();
    match dice.below(4) {
        0 => {
            other.key.metric = 4321;
            Operation::Create(Resource::Route(other))
        }
        1 => {
            other.mtu = Some(1280 + u32::try_from(dice.below(9)).unwrap());
            Operation::Update { before: Resource::Route(route.clone()), after: Resource::Route(other) }
        }
        _ => Operation::Delete(Resource::Route(route.clone())),
    }
}
