//! Rules about vxlan tunnels.

use super::rule::{Found, Rule};
use super::view::View;
use crate::document::Finding;
use crate::document::schema::interface::KindKey;
use crate::document::schema::kind::Vxlan;
use crate::resource::{Kind, Link, Node, Value};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// All of them.
pub(super) const RULES: &[Rule] = &[twice, families, scopes, group_without_link, local_is_nobodys];

fn vxlans<'a>(view: &View<'a>) -> Vec<&'a Link> {
    view.in_file_order().filter(|link| link.kind == Kind::Vxlan).collect()
}

fn ip(link: &Link, key: &str) -> Option<IpAddr> {
    match link.options.get(key) {
        Some(Value::Ip(ip)) => Some(*ip),
        _ => None,
    }
}

fn number(link: &Link, key: &str) -> Option<u64> {
    match link.options.get(key) {
        Some(Value::Number(number)) => Some(*number),
        _ => None,
    }
}

/// Two tunnels of one number on one port in one namespace: the kernel could not tell whose a packet is
/// (`vxlan_vni_in_use`).
fn twice(view: &View<'_>, findings: &mut Found) {
    let mut seen: BTreeMap<(&Node, u64, u64, bool), &Link> = BTreeMap::new();
    for link in vxlans(view) {
        let (Some(id), Some(port)) = (number(link, "id"), number(link, "port")) else { continue };
        let v6 = [ip(link, "local"), ip(link, "remote")].into_iter().flatten().any(|ip| ip.is_ipv6());
        let origin = link.link.as_ref().map_or(&link.id.node, |lower| &lower.node);
        let first = *seen.entry((origin, id, port, v6)).or_insert(link);
        if first.id == link.id {
            continue;
        }
        let message =
            format!("\"{}\" has the id {id} and port {port}, as \"{}\" has in the same namespace", link.id, first.id);
        let finding = Finding::error("vxlan-twice", view.link_place(&link.id), message)
            .also(view.link_place(&first.id), "first used here");
        findings.push(finding.help("give one of them another `id` or `port`; several tunnel ends of one network are `fdb` entries of one vxlan"));
    }
}

/// What the file says of a vxlan.
fn written<'a>(view: &View<'a>, link: &Link) -> Option<&'a Vxlan> {
    match &view.interface(&link.id)?.kind.as_ref()?.value {
        KindKey::Vxlan(vxlan) => Some(vxlan),
        _ => None,
    }
}

/// A tunnel between addresses of two families.
fn families(view: &View<'_>, findings: &mut Found) {
    for link in vxlans(view) {
        let Some(vxlan) = written(view, link) else { continue };
        // Entries of `fdb` are looked at one by one when they are read.
        let mut ends = [&vxlan.local, &vxlan.remote, &vxlan.group].into_iter().flatten();
        let Some(first) = ends.next() else { continue };
        for far in ends.filter(|far| far.is_ipv4() != first.is_ipv4()) {
            let message =
                format!("the vxlan \"{}\" goes from \"{first}\" to \"{far}\", which are of two families", link.id);
            let finding = Finding::error("mixed-families", far.place, message).also(first.place, "of the other family");
            findings.push(finding.help("both ends of a tunnel are IPv4, or both IPv6"));
        }
    }
}

/// Ends that the kernel does not take: a group as the own one, and link-local ones that are not both, or that no
/// interface goes with (`vxlan_config_validate`).
fn scopes(view: &View<'_>, findings: &mut Found) {
    let near = |ip: IpAddr| matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local());
    for link in vxlans(view) {
        let Some(vxlan) = written(view, link) else { continue };
        if let Some(local) = vxlan.local.as_ref().filter(|local| local.is_multicast()) {
            let message = format!("the vxlan \"{}\" leaves from \"{local}\", which is a multicast group", link.id);
            findings.push(
                Finding::error("vxlan-local", local.place, message)
                    .help("name an address of an interface of that node"),
            );
        }
        let (local, remote) = (vxlan.local.as_ref(), vxlan.remote.as_ref());
        let Some(end) = remote.filter(|end| near(end.value)).or(local.filter(|end| near(end.value))) else { continue };
        let other = if remote.is_some_and(|remote| near(remote.value)) {
            local.is_none_or(|local| !near(local.value))
        } else {
            remote.is_some_and(|remote| !remote.is_unspecified())
        };
        let (message, help) = if other {
            (
                format!("\"{end}\" is a link-local address, and the other end of the vxlan \"{}\" is not", link.id),
                "write `local` and `remote`, both link-local or neither",
            )
        } else if vxlan.link.is_none() {
            (
                format!(
                    "\"{end}\" is a link-local address, and no `link` of the vxlan \"{}\" says on which interface",
                    link.id
                ),
                "add the interface: `link: eth0`",
            )
        } else {
            continue;
        };
        findings.push(Finding::error("vxlan-scope", end.place, message).help(help));
    }
}

/// A multicast group needs the interface on which it is joined.
fn group_without_link(view: &View<'_>, findings: &mut Found) {
    for link in vxlans(view) {
        let Some(vxlan) = written(view, link).filter(|vxlan| vxlan.link.is_none()) else { continue };
        let Some(group) = vxlan.group.iter().chain(&vxlan.remote).find(|far| far.is_multicast()) else { continue };
        let message =
            format!("the vxlan \"{}\" sends to the group \"{group}\", and no `link` says on which interface", link.id);
        findings.push(
            Finding::error("vxlan-group-link", group.place, message)
                .help("add the interface that reaches the group: `link: eth0`"),
        );
    }
}

/// A tunnel that leaves from an address that its namespace does not have.
fn local_is_nobodys(view: &View<'_>, findings: &mut Found) {
    for link in vxlans(view) {
        let origin = link.link.as_ref().map_or(&link.id.node, |lower| &lower.node);
        let (Some(local), Some(node)) = (ip(link, "local"), view.nodes.get(origin).filter(|node| node.created()))
        else {
            continue;
        };
        if local.is_unspecified() || node.written_addresses.contains(&local) {
            continue;
        }
        let place = written(view, link)
            .and_then(|vxlan| vxlan.local.as_ref())
            .map_or_else(|| view.link_place(&link.id), |local| local.place);
        let message = format!("the vxlan \"{}\" leaves from \"{local}\", which is no address of \"{origin}\"", link.id);
        findings
            .push(Finding::warning("vxlan-local", place, message).help("name an address of an interface of that node"));
    }
}
