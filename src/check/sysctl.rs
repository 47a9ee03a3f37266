//! Rules about kernel settings.

use super::rule::{Found, Rule};
use super::view::{NodeView, View};
use crate::document::value::forwarding::Forwarding;
use crate::document::{Finding, Loc, Place};
use crate::resource::{IfName, Sysctl};

/// All of them.
pub(super) const RULES: &[Rule] = &[ipv6_switched_off, forwarding_contradicted, stable_without_secret];

/// Addresses made from a secret that nothing has set: the kernel refuses to be set so
/// (`addrconf_sysctl_addr_gen_mode`).
fn stable_without_secret(view: &View<'_>, findings: &mut Found) {
    for node in view.nodes.values().filter(|node| node.created()) {
        for sysctl in
            node.sysctls.values().filter(|sysctl| sysctl.key.ends_with("/addr_gen_mode") && sysctl.value == "2")
        {
            let Some(link) = sysctl.link() else { continue };
            let secret = |of: &str| node.sysctls.contains_key(format!("net/ipv6/conf/{of}/stable_secret").as_str());
            if secret(link.name.as_str()) || secret("default") {
                continue;
            }
            let message = format!("\"{link}\" is to make its addresses from a secret, and has none");
            let finding = Finding::error("no-stable-secret", view.place(&sysctl.id()), message);
            let help = "write `address-generation: random`, which makes a secret, or set net.ipv6.conf.default.stable_secret in `sysctls`";
            findings.push(finding.help(help));
        }
    }
}

/// IPv6 addresses where a setting switches IPv6 off.
fn ipv6_switched_off(view: &View<'_>, findings: &mut Found) {
    for node in view.nodes.values() {
        for address in node.addresses.iter().filter(|address| address.address.addr().is_ipv6()) {
            let Some(key) = switched_off_by(node, &address.link.name) else { continue };
            let Some(sysctl) = node.sysctls.get(key.as_str()) else { continue };
            let message =
                format!("\"{}\" on \"{}\" is an IPv6 address, and IPv6 is off there", address.address, address.link);
            let finding = Finding::error("ipv6-disabled", view.place(&address.id()), message)
                .also(view.place(&sysctl.id()), "switched off here");
            findings.push(finding.help("leave out what switches IPv6 off, or the address"));
        }
    }
}

/// The setting that switches IPv6 off on an interface: its own, else the one it starts with.
fn switched_off_by(node: &NodeView<'_>, link: &IfName) -> Option<String> {
    let key = Sysctl::disable_ipv6;
    let value = |of: &str| node.sysctls.get(key(of).as_str()).map(|sysctl| sysctl.value.as_str());
    match (value(link.as_str()), value("all"), value("default")) {
        (Some("1"), ..) => Some(key(link.as_str())),
        (None, Some("1"), _) => Some(key("all")),
        (None, _, Some("1")) if node.created() => Some(key("default")),
        _ => None,
    }
}

/// The settings that are the switch for forwarding; the first two are one (`devinet_sysctl_forward`).
const SWITCHES: &[(&str, bool)] =
    &[(Sysctl::FORWARDING_V4, true), ("net/ipv4/conf/all/forwarding", true), (Sysctl::FORWARDING_V6, false)];

/// Whether something switches forwarding on, where it says so, and what to call it.
type Switch<'a> = Option<(bool, Place, &'a str)>;

/// What `forwarding` wants of IPv4 and IPv6. In a namespace of ours the family that is not named is off, elsewhere it
/// is left alone.
fn said(forwarding: &Loc<Forwarding>, created: bool) -> [Switch<'static>; 2] {
    let on = |on: bool| Some((on, forwarding.place, "`forwarding`"));
    let other = on(false).filter(|_| created);
    match forwarding.value {
        Forwarding::Both => [on(true), on(true)],
        Forwarding::Neither => [on(false), on(false)],
        Forwarding::Ipv4 => [on(true), other],
        Forwarding::Ipv6 => [other, on(true)],
    }
}

/// `forwarding` and settings that want something else, or two names of one switch with two values.
fn forwarding_contradicted(view: &View<'_>, findings: &mut Found) {
    let word = |on: bool| if on { "on" } else { "off" };
    for (at, node) in &view.nodes {
        let Some(section) = node.section else { continue };
        let [mut four, mut six] =
            section.forwarding.as_ref().map_or([None, None], |forwarding| said(forwarding, node.created()));
        for (key, v4) in SWITCHES {
            let Some((name, value)) = section.sysctls.get_key_value(*key) else { continue };
            let on = value.0.trim() != "0";
            let slot = if *v4 { &mut four } else { &mut six };
            let Some((other, place, what)) = *slot else {
                *slot = Some((on, name.place, "its other name"));
                continue;
            };
            if other != on {
                let family = if *v4 { "IPv4" } else { "IPv6" };
                let key = key.replace('/', ".");
                let message = format!(
                    "\"{key}\" switches {family} forwarding in \"{at}\" {}, {what} switches it {}",
                    word(on),
                    word(other)
                );
                let finding = Finding::error("contradiction", name.place, message).also(place, "says otherwise");
                findings.push(finding.help("say it once: `forwarding: true`, `false`, `ipv4` or `ipv6`"));
            }
        }
    }
}
