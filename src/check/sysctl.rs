//! Rules about kernel settings.

use super::Rule;
use super::view::{NodeView, View};
use crate::document::Finding;
use crate::resource::IfName;

/// All of them.
pub(super) const RULES: &[Rule] = &[unknown_interface, ipv6_switched_off];

/// A setting of an interface that the node does not have.
fn unknown_interface(view: &View<'_>, findings: &mut Vec<Finding>) {
    for node in view.nodes.values().filter(|node| node.created()) {
        for sysctl in node.sysctls.values() {
            let Some(link) = sysctl.link().filter(|link| !node.has(&link.name)) else { continue };
            let message = format!("the setting \"{}\" is of the interface \"{}\", which \"{}\" does not have", sysctl.key, link.name, link.node);
            let mut help = node.interfaces_help(&link.name);
            if sysctl.key.split('/').count() > 5 || node.links.keys().any(|name| name.as_str().contains('.')) {
                help.push_str("; a dot inside a name is kept when the parts are separated by `/`");
            }
            findings.push(Finding::error("sysctl-unknown-interface", view.place(&sysctl.id()), message).help(help));
        }
    }
}

/// IPv6 addresses where a setting switches IPv6 off.
fn ipv6_switched_off(view: &View<'_>, findings: &mut Vec<Finding>) {
    for node in view.nodes.values() {
        for address in node.addresses.iter().filter(|address| address.address.addr().is_ipv6()) {
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
