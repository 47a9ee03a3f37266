//! NetworkManager, where it takes interfaces of the file for its own.

use super::unmanaged::covers;
use crate::doctor::code::{Code, Severity};
use crate::doctor::examined::Examined;
use crate::doctor::finding::Finding;
use crate::resource::Node;
use crate::survey::Machine;

/// The most interfaces that a line names.
const MOST: usize = 16;

pub(super) fn find(examined: &Examined<'_>) -> Vec<Finding> {
    let Some(machine) = examined.machine.filter(|machine| machine.daemon("NetworkManager").is_some()) else {
        return Vec::new();
    };
    let mut rest = examined.host_links();
    let devices = unmanaged(machine);
    rest.retain(|name| !covers(&devices, name));
    if rest.is_empty() {
        return Vec::new();
    }
    let shown = rest.get(..rest.len().min(MOST)).unwrap_or_default();
    let names: Vec<String> = shown.iter().map(|name| format!("interface-name:{name}")).collect();
    let what = format!("NetworkManager may configure {}", shown.join(", "));
    let why = "It asks for addresses by DHCP on new interfaces, takes down what it does not know, and deletes addresses and \
               routes that it did not set. Interfaces that it leaves alone are named in its configuration.";
    let lines = ["[keyfile]".to_owned(), format!("unmanaged-devices+={}", names.join(";"))];
    let finding = Finding::new(Code::NetworkManager, Severity::Warning, what, why).at(&Node::host());
    vec![
        finding
            .write("leave them alone", "/etc/NetworkManager/conf.d/topo.conf", lines)
            .run("and have it read that", "systemctl reload NetworkManager"),
    ]
}

/// The devices that it leaves alone: of several files that set them the last one counts, and others add to it
/// (NetworkManager.conf(5)).
fn unmanaged(machine: &Machine) -> String {
    let mut devices = String::new();
    let lines = machine.texts("NetworkManager").flat_map(|(_, text)| text.lines());
    for set in lines.filter_map(|line| line.trim().strip_prefix("unmanaged-devices").map(str::trim_start)) {
        if let Some(list) = set.strip_prefix('=') {
            list.clone_into(&mut devices);
        } else if let Some(list) = set.strip_prefix("+=") {
            devices = format!("{devices};{list}");
        }
    }
    devices
}
