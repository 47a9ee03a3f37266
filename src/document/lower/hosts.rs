//! The nodes of a file as names for each other.

use super::context::Lowering;
use super::node::{At, nodes};
use crate::document::schema::section::NodeSection;
use crate::document::value::HostName;
use crate::document::yaml::word::Word;
use crate::document::{Finding, Place};
use crate::resource::Node;
use ipnet::IpNet;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::net::IpAddr;

/// How many nodes may know each other: each has a line for each.
const MOST: usize = 500;

/// The addresses of all nodes that have any, in the order of the file, those of `lo` last.
type Neighborhood = BTreeMap<Node, Vec<IpNet>>;

impl<'d> Lowering<'d> {
    /// The lines of a node's `hosts` that name the nodes of the file, but for names that it has otherwise.
    pub(super) fn names_of_nodes(&mut self, at: &At<'d>, place: Place, named: impl Fn(&str) -> bool) -> String {
        if self.neighborhood.is_none() {
            let all = neighborhood(self.document);
            self.told_of(&all, place);
            self.neighborhood = Some(all);
        }
        let all = self.neighborhood.as_ref().filter(|all| all.len() <= MOST);
        let networks: BTreeSet<IpNet> =
            all.and_then(|all| all.get(&at.node)).into_iter().flatten().map(IpNet::trunc).collect();
        let mut lines = String::new();
        for (node, addresses) in all.into_iter().flatten().filter(|(node, _)| can_be_host(node) && !named(node.short()))
        {
            let shared = addresses.iter().filter(|address| networks.contains(&address.trunc()) && *node != at.node);
            let mut which: Vec<IpAddr> = shared.map(IpNet::addr).collect();
            if which.is_empty() {
                which = first_of_each_family(addresses);
            }
            for address in which {
                let _ = writeln!(lines, "{address} {node}");
            }
        }
        lines
    }

    /// What of the nodes cannot be in a `hosts`.
    fn told_of(&mut self, all: &Neighborhood, place: Place) {
        if all.len() > MOST {
            let message =
                format!("`nodes` would make {0} lines in each of {0} nodes, and takes {MOST} nodes at most", all.len());
            self.note(
                Finding::error("too-many-values", place, message).help("name the hosts that matter: { web: 10.0.0.2 }"),
            );
        }
        if let Some(node) = all.keys().find(|node| !can_be_host(node)) {
            let message = format!("{:?} cannot be the name of a host, and is left out", node.short());
            self.note(
                Finding::warning("node-not-a-host-name", place, message)
                    .help("give the node another name, or its address a name of its own here"),
            );
        }
    }
}

fn neighborhood(document: &crate::document::Document) -> Neighborhood {
    nodes(document).map(|at| (at.node.clone(), addresses(at.section))).filter(|(_, all)| !all.is_empty()).collect()
}

/// The addresses of a node that others can reach it by.
fn addresses(section: &NodeSection) -> Vec<IpNet> {
    let of = |lo: bool| {
        let interfaces = section.interfaces.iter().filter(move |(name, _)| (name.as_str() == "lo") == lo);
        interfaces.flat_map(|(_, interface)| interface.addresses.iter().map(|entry| entry.address.0))
    };
    let local = |address: &IpNet| match address.addr() {
        IpAddr::V4(four) => four.is_loopback() || four.is_link_local(),
        IpAddr::V6(six) => six.is_loopback() || six.is_unicast_link_local(),
    };
    of(false).chain(of(true)).filter(|address| !local(address)).collect()
}

fn first_of_each_family(addresses: &[IpNet]) -> Vec<IpAddr> {
    let four = addresses.iter().map(IpNet::addr).find(IpAddr::is_ipv4);
    let six = addresses.iter().map(IpNet::addr).find(IpAddr::is_ipv6);
    four.into_iter().chain(six).collect()
}

fn can_be_host(node: &Node) -> bool {
    HostName::parse(node.short()).is_ok()
}
