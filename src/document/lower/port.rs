//! Ports: those that a bridge, bond or vrf lists, and interfaces that name their master.

use super::index::{Index, Master};
use super::node::{At, target};
use crate::document::schema::interface::KindKey;
use crate::document::value::InterfaceRef;
use crate::document::{Finding, Loc};
use crate::resource::IfName;

impl<'d> Index<'d> {
    /// The ports that entries of `at` list, or are by their own word.
    pub(super) fn ports(&mut self, at: &At<'d>) {
        for (name, interface) in &at.section.interfaces {
            let ports = match interface.kind.as_ref().map(|kind| &kind.value) {
                Some(KindKey::Bridge(bridge)) => &bridge.ports,
                Some(KindKey::Bond(bond)) => &bond.ports,
                Some(KindKey::Vrf(vrf)) => &vrf.ports,
                _ => continue,
            };
            for port in ports {
                self.port(at, name, port);
            }
        }
        for (name, interface) in &at.section.interfaces {
            let Some(master) = &interface.master else { continue };
            let (port, id) = (at.link(name), at.link(master));
            let fits = matches!(
                self.kind(&id),
                Some(KindKey::Bridge(_) | KindKey::Bond(_) | KindKey::Vrf(_) | KindKey::Existing(_))
            );
            if !self.known(&id) {
                let finding = self.unknown(&id, master.place);
                self.findings.push(finding);
            } else if !fits {
                let finding = Finding::error("not-a-master", master.place, format!("{id} is no bridge, bond or vrf"));
                self.findings.push(finding);
            } else if let Some(other) = self.masters.get(&port).filter(|other| other.name != master.value) {
                let finding = Finding::error(
                    "master-disagrees",
                    master.place,
                    format!("{port} cannot be a port of both {:?} and {:?}", master.as_str(), other.name.as_str()),
                );
                let finding = finding.also(other.place, "listed as a port here");
                self.findings.push(finding);
            } else {
                self.masters.insert(port, Master { name: master.value.clone(), place: master.place });
            }
        }
    }

    /// One port in a list.
    fn port(&mut self, at: &At<'d>, master: &Loc<IfName>, port: &Loc<InterfaceRef>) {
        let id = target(&at.node, port);
        if id.node != at.node {
            let finding = Finding::error(
                "bad-reference",
                port.place,
                format!("{id} is in another node than {:?}", master.as_str()),
            );
            return self.findings.push(
                finding.help("a port is an interface of the same node: plug in the end of a veth pair that is there"),
            );
        }
        if !self.known(&id) || id.name.as_str() == "lo" || id.name == master.value {
            let finding = if self.known(&id) {
                let what = if id.name == master.value {
                    "cannot be a port of itself".to_owned()
                } else {
                    format!("cannot be a port of {:?}", master.as_str())
                };
                Finding::error("bad-reference", port.place, format!("{id} {what}"))
                    .help("take it from the list of ports")
            } else {
                self.unknown(&id, port.place)
            };
            return self.findings.push(finding);
        }
        if let Some(other) = self.masters.get(&id) {
            let message = if other.name == master.value {
                format!("{id} is listed twice")
            } else {
                format!("{id} is already a port of {:?}", other.name.as_str())
            };
            let finding = Finding::error("two-masters", port.place, message).also(other.place, "first here");
            return self.findings.push(finding);
        }
        self.masters.insert(id, Master { name: master.value.clone(), place: port.place });
    }
}
