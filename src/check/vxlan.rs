//! Rules about vxlan tunnels.

use super::{Found, Rule};
use super::link::in_file_order;
use super::view::View;
use crate::document::Finding;
use crate::resource::{Kind, Link, Node, Value};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// All of them.
pub(super) const RULES: &[Rule] = &[twice, local_is_nobodys];

fn vxlans<'a>(view: &View<'a>) -> Vec<&'a Link> {
    in_file_order(view).into_iter().filter(|link| link.kind == Kind::Vxlan).collect()
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

/// Two tunnels of one number on one port in one namespace: the kernel could not tell whose a packet is (`vxlan_vni_in_use`).
fn twice(view: &View<'_>, findings: &mut Found) {
    let mut seen: BTreeMap<(&Node, u64, u64, bool), &Link> = BTreeMap::new();
    for link in vxlans(view) {
        let (Some(id), Some(port)) = (number(link, "id"), number(link, "port")) else { continue };
        let v6 = [ip(link, "local"), ip(link, "remote")].into_iter().flatten().any(|ip| ip.is_ipv6());
        let born = link.link.as_ref().map_or(&link.id.node, |lower| &lower.node);
        let first = *seen.entry((born, id, port, v6)).or_insert(link);
        if first.id == link.id {
            continue;
        }
        let message = format!("\"{}\" has the id {id} and port {port}, as \"{}\" has in the same namespace", link.id, first.id);
        let finding = Finding::error("vxlan-twice", view.link_place(&link.id), message).also(view.link_place(&first.id), "first used here");
        findings.push(finding.help("give one of them another `id` or `port`; several tunnel ends of one network are `fdb` entries of one vxlan"));
    }
}

/// A tunnel that leaves from an address that its namespace does not have.
fn local_is_nobodys(view: &View<'_>, findings: &mut Found) {
    for link in vxlans(view) {
        let born = link.link.as_ref().map_or(&link.id.node, |lower| &lower.node);
        let (Some(local), Some(node)) = (ip(link, "local"), view.nodes.get(born).filter(|node| node.created())) else { continue };
        if local.is_unspecified() || node.written_addresses().any(|address| address == local) {
            continue;
        }
        let message = format!("the vxlan \"{}\" leaves from \"{local}\", which is no address of \"{born}\"", link.id);
        findings.push(Finding::warning("vxlan-local", view.link_place(&link.id), message).help("name an address of an interface of that node"));
    }
}
