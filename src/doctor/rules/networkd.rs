//! systemd-networkd: what it removes because it did not make it, and interfaces that its files match.

use super::unmanaged::glob;
use crate::doctor::code::{Code, Severity};
use crate::doctor::examined::Examined;
use crate::doctor::finding::Finding;
use crate::resource::{Node, Resource};
use crate::survey::Machine;

pub(super) fn find(examined: &Examined<'_>) -> Vec<Finding> {
    let Some(machine) = examined.machine.filter(|machine| machine.daemon("systemd-network").is_some()) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    found.extend(removes(examined, machine));
    found.extend(matched(examined, machine));
    found
}

/// `ManageForeignRoutes` and `ManageForeignRoutingPolicyRules` (networkd.conf(5)): both are on where nothing is said.
fn removes(examined: &Examined<'_>, machine: &Machine) -> Option<Finding> {
    let is_off = |key: &str| {
        let lines = machine.texts("networkd.conf").flat_map(|(_, text)| text.lines());
        let set = lines.filter_map(|line| line.trim().strip_prefix(key)?.trim_start().strip_prefix('=')).last();
        set.is_some_and(|value| matches!(value.trim(), "no" | "false" | "off" | "0"))
    };
    let on_host = || examined.outside().filter(|resource| resource.node().is_host());
    let routes = on_host().any(|resource| matches!(resource, Resource::Route(_)));
    let rules = on_host().any(|resource| matches!(resource, Resource::Rule(_)));
    let needed =
        [("ManageForeignRoutes", routes, "routes"), ("ManageForeignRoutingPolicyRules", rules, "policy rules")];
    let needed: Vec<(&str, &str)> =
        needed.into_iter().filter(|(key, has, _)| *has && !is_off(key)).map(|(key, _, what)| (key, what)).collect();
    if needed.is_empty() {
        return None;
    }
    let kinds: Vec<&str> = needed.iter().map(|(_, what)| *what).collect();
    let what = format!("systemd-networkd removes {} of the file from the host", kinds.join(" and "));
    let why = "When it starts, or configures an interface again, it removes what it did not make itself, unless it is said \
               not to.";
    let lines = ["[Network]".to_owned()].into_iter().chain(needed.iter().map(|(key, _)| format!("{key}=no")));
    let finding = Finding::new(Code::Networkd, Severity::Warning, what, why).at(&Node::host());
    Some(
        finding
            .write("leave them alone", "/etc/systemd/networkd.conf.d/topo.conf", lines)
            .run("and have it read that", "systemctl restart systemd-networkd"),
    )
}

/// The first file that matches an interface of the file by its name.
fn matched(examined: &Examined<'_>, machine: &Machine) -> Option<Finding> {
    let names = examined.host_links();
    let files = machine.texts("systemd/network").filter(|(path, _)| path.ends_with(".network"));
    let (path, name) = files
        .filter(|(_, text)| !text.lines().any(|line| line.trim().replace(' ', "") == "Unmanaged=yes"))
        .find_map(|(path, text)| names.iter().find(|name| matches(text, name)).map(|name| (path, *name)))?;
    let what = format!("{path} of systemd-networkd matches {name}, which the file makes");
    let why = "It gives the interface the addresses and routes of that file, or asks for some by DHCP. Of the files that \
               match the first by name counts.";
    let lines =
        ["[Match]".to_owned(), format!("Name={}", names.join(" ")), "[Link]".to_owned(), "Unmanaged=yes".to_owned()];
    let finding = Finding::new(Code::Networkd, Severity::Warning, what, why).at(&Node::host());
    Some(
        finding
            .write("leave them alone", "/etc/systemd/network/00-topo.network", lines)
            .run("and have it read that", "networkctl reload"),
    )
}

/// Whether the section `[Match]` of a file takes an interface of that name: by `Name=` alone, which is what a virtual
/// interface can be matched by in every file.
fn matches(text: &str, name: &str) -> bool {
    let section = text.lines().map(str::trim).skip_while(|line| *line != "[Match]").skip(1);
    let lines: Vec<&str> = section.take_while(|line| !line.starts_with('[')).collect();
    let names = lines.iter().filter_map(|line| line.strip_prefix("Name")?.trim_start().strip_prefix('='));
    // Others than these narrow it down to what topo does not make.
    let narrow = [
        "MACAddress",
        "PermanentMACAddress",
        "Path",
        "Driver",
        "Type",
        "WLANInterfaceType",
        "SSID",
        "Kind",
        "Property",
    ];
    let narrowed = lines.iter().any(|line| narrow.iter().any(|key| line.starts_with(key)));
    !narrowed && names.flat_map(str::split_whitespace).any(|pattern| glob(pattern, name))
}
