//! Rules about kernel settings.

use super::{Found, Rule};
use super::view::{NodeView, View};
use crate::document::Finding;
use crate::resource::IfName;

/// All of them.
pub(super) const RULES: &[Rule] = &[ipv6_switched_off, one_switch_two_ways];

/// IPv6 addresses where a setting switches IPv6 off.
fn ipv6_switched_off(view: &View<'_>, findings: &mut Found) {
    for node in view.nodes.values() {
        for address in node.addresses.iter().filter(|address| address.address.addr().is_ipv6()) {
            let key_of_interface = view.interface(&address.link).and_then(|interface| interface.ipv6.as_ref()?.disable.as_ref());
            // Its own key beside its own addresses is seen when the interface is read.
            if key_of_interface.is_some_and(|disable| disable.value) {
                continue;
            }
            let Some(key) = switched_off_by(node, &address.link.name) else { continue };
            let Some(sysctl) = node.sysctls.get(key.as_str()) else { continue };
            let message = format!("\"{}\" on \"{}\" is an IPv6 address, and IPv6 is off there", address.address, address.link);
            let finding = Finding::error("ipv6-disabled", view.place(&address.id()), message).also(view.place(&sysctl.id()), "switched off here");
            findings.push(finding.help("leave out what switches IPv6 off, or the address"));
        }
    }
}

/// The setting that switches IPv6 off on an interface: its own, else the one it starts with.
fn switched_off_by(node: &NodeView<'_>, link: &IfName) -> Option<String> {
    let key = |of: &str| format!("net/ipv6/conf/{of}/disable_ipv6");
    let value = |of: &str| node.sysctls.get(key(of).as_str()).map(|sysctl| sysctl.value.as_str());
    match (value(link.as_str()), value("all"), value("default")) {
        (Some("1"), ..) => Some(key(link.as_str())),
        (None, Some("1"), _) => Some(key("all")),
        (None, _, Some("1")) if node.created() => Some(key("default")),
        _ => None,
    }
}

/// The two names of the switch for IPv4 forwarding, with different values.
fn one_switch_two_ways(view: &View<'_>, findings: &mut Found) {
    for (at, node) in &view.nodes {
        let Some(section) = node.section else { continue };
        let one = section.sysctls.get_key_value("net/ipv4/ip_forward");
        let other = section.sysctls.get_key_value("net/ipv4/conf/all/forwarding");
        let (Some((name, value)), Some((twin, differs))) = (one, other) else { continue };
        if value.0.trim() != differs.0.trim() {
            let message = format!("net.ipv4.ip_forward and net.ipv4.conf.all.forwarding of \"{at}\" are one switch, and have different values here");
            let finding = Finding::error("contradiction", twin.place, message).also(name.place, "the other name of it");
            findings.push(finding.help("keep one of them, or say it with `forwarding`"));
        }
    }
}
