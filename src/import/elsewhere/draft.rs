//! A topology that is being put together from a file of another program.

use super::values;
use crate::document::yaml::source::Source;
use crate::document::yaml::tree::{self, Yaml};
use crate::document::{Finding, Place};
use crate::resource::{
    Address, IfName, Kind, Link, LinkId, Name, Namespace, NextHop, Node, NodeTenure, Owner, Resource, Route, RouteKey,
    Setting, State, Sysctl, TableId, Tenure,
};
use ipnet::IpNet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What a file of another program says as a topology.
#[derive(Debug)]
pub struct Drafted {
    /// The topology.
    pub state: State,
    /// What it cannot say, a line each, with the node that it is about.
    pub remarks: Vec<(Node, String)>,
    /// What is wrong in the file.
    pub findings: Vec<Finding>,
}

pub(super) struct Draft<'t> {
    text: &'t str,
    pub state: State,
    pub remarks: Vec<(Node, String)>,
    pub findings: Vec<Finding>,
}

impl<'t> Draft<'t> {
    /// An empty one for `source`, and the tree of that.
    pub fn of(source: &'t Source, topology: &Name) -> (Self, Option<Yaml<'t>>) {
        let (tree, findings) = tree::read(&source.text);
        let mut state = State::empty(topology.clone());
        let host = Namespace { node: Node::host(), tenure: NodeTenure::Host, marked: false, whole: false, alias: None };
        state.insert(Resource::Namespace(host), Owner::Ours);
        (Self { text: &source.text, state, remarks: Vec::new(), findings }, tree)
    }

    pub fn done(self) -> Drafted {
        Drafted { state: self.state, remarks: self.remarks, findings: self.findings }
    }

    /// The line of a place, from 1.
    fn line(&self, place: Place) -> usize {
        let before = usize::try_from(place.offset).unwrap_or_default();
        1 + self.text.get(..before).unwrap_or_default().matches('\n').count()
    }

    /// Says what the file says at a place, and the topology does not.
    pub fn unsaid(&mut self, node: &Node, place: Place, what: impl std::fmt::Display) {
        let remark = (node.clone(), format!("line {}: {what}", self.line(place)));
        if !self.remarks.contains(&remark) {
            self.remarks.push(remark);
        }
    }

    /// Says that the file is wrong at a place.
    pub fn wrong(&mut self, place: Place, message: impl Into<String>) {
        self.findings.push(Finding::error("foreign-value", place, message));
    }

    /// A name of an interface, if it is one.
    pub fn name(&mut self, yaml: &Yaml<'_>) -> Option<IfName> {
        match crate::document::value::interface_fault(yaml.text()) {
            None => Some(yaml.text().into()),
            Some(fault) => {
                self.wrong(yaml.place, format!("{} is no name of an interface: {fault}", tree::quoted(yaml.text())));
                None
            }
        }
    }

    /// A namespace that the topology makes.
    pub fn namespace(&mut self, node: &Node) {
        let namespace =
            Namespace { node: node.clone(), tenure: NodeTenure::Created, marked: true, whole: false, alias: None };
        self.state.insert(Resource::Namespace(namespace), Owner::Ours);
    }

    /// A link that the topology makes, up.
    pub fn make(&mut self, id: &LinkId, kind: Kind, change: impl FnOnce(&mut Link)) {
        self.with(Link { up: Setting::Is(true), ..Link::bare(id.clone(), kind) }, change);
    }

    /// A link that is in the topology; one that is not is there already, as `existing`.
    pub fn link(&mut self, id: &LinkId, change: impl FnOnce(&mut Link)) {
        self.with(Link { tenure: Tenure::Existing, ..Link::bare(id.clone(), Kind::Any) }, change);
    }

    /// Changes a link; puts `new` in where there is none of its name.
    fn with(&mut self, new: Link, change: impl FnOnce(&mut Link)) {
        let mut link = self.state.link(&new.id).cloned().unwrap_or(new);
        change(&mut link);
        self.state.insert(Resource::Link(Box::new(link)), Owner::Ours);
    }

    /// A pair.
    pub fn pair(&mut self, one: &LinkId, other: &LinkId) {
        self.make(one, Kind::Veth, |link| link.peer = Some(other.clone()));
        self.make(other, Kind::Veth, |link| link.peer = Some(one.clone()));
    }

    pub fn address(&mut self, link: &LinkId, address: IpNet) {
        let nth = u32::try_from(self.state.addresses_of(link).count()).unwrap_or(u32::MAX);
        let subnet = address.trunc();
        let secondary = address.addr().is_ipv4() && self.state.addresses_of(link).any(|there| there.subnet() == subnet);
        let address = Address { nth, secondary, ..Address::plain(link.clone(), address) };
        self.state.insert(Resource::Address(address), Owner::Ours);
    }

    /// A setting.
    ///
    /// # Errors
    ///
    /// Why topo does not have it.
    pub fn sysctl(&mut self, node: &Node, key: &str, value: &str) -> Result<(), String> {
        let key = if key.contains('/') { key.to_owned() } else { key.replace('.', "/") };
        if !key.starts_with("net/") {
            return Err("topo has settings of networks (net.*) alone".to_owned());
        }
        let key = if key == "net/ipv4/ip_forward" { Sysctl::FORWARDING_V4.to_owned() } else { key };
        self.state.insert(Resource::Sysctl(Sysctl::new(node.clone(), key, value)), Owner::Ours);
        if !self.state.is_made(node) {
            let written = self.state.resources().filter_map(|resource| match resource {
                Resource::Sysctl(sysctl) if sysctl.node == *node => Some(sysctl.clone()),
                _ => None,
            });
            self.state.record.wrote = written.collect();
        }
        Ok(())
    }

    /// A route: where it leads, by what, in which table, and what else it has.
    pub fn route(
        &mut self,
        node: &Node,
        (to, table, metric): (IpNet, TableId, Option<u32>),
        hop: Option<NextHop>,
        change: impl FnOnce(&mut Route),
    ) {
        // IPv6 has one where none is said (`IP6_RT_PRIO_USER`).
        let metric = metric.unwrap_or(if to.addr().is_ipv6() { 1024 } else { 0 });
        let mut route = Route::bare(node.clone(), RouteKey::new(table, to, metric));
        route.nexthops = hop.into_iter().collect();
        change(&mut route);
        self.state.insert(Resource::Route(route), Owner::Ours);
    }
}

/// Where a route leads: `default` takes its family from the gateway.
pub(super) fn destination(text: &str, via: Option<IpAddr>, six: bool) -> Option<IpNet> {
    if text == "default" {
        let six = via.map_or(six, |via| via.is_ipv6());
        let any = if six { IpAddr::from(Ipv6Addr::UNSPECIFIED) } else { Ipv4Addr::UNSPECIFIED.into() };
        return IpNet::new(any, 0).ok();
    }
    values::prefix(text).map(|net| net.trunc())
}
