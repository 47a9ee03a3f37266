//! What is there, as a user would draw it: a tree per node.

use super::page::{ADD, BOLD, CHANGE, DIM, Page};
use super::words::{detail, is_main, route_line, seen};
use crate::dialect::nft_script::{is_iptables, table_name};
use crate::resource::{
    Address, ChainRef, Counts, IfName, Kind, Link, LinkId, Node, NodeTenure, Owner, Resource, Rule, Setting, State,
    TableRule,
};

/// A topology, or one node of it.
pub fn text(state: &State, only: Option<&Node>, counts: &Counts) -> String {
    let mut page = Page::new();
    page.paint(BOLD, state.topology.as_str());
    if state.record.running {
        page.put("  ").paint(CHANGE, "half-made: an apply or destroy is under way or was cut off");
    }
    page.end();
    let mut tree = Tree::default();
    let mut nodes: Vec<&Node> = state.resources().map(|resource| resource.node()).collect();
    nodes.sort_by_key(|node| (!node.is_host(), (*node).clone()));
    nodes.dedup();
    for node in nodes.into_iter().filter(|node| only.is_none_or(|only| only == *node)) {
        let part = Part::of(state, node, counts);
        if !part.is_empty() {
            part.draw(&mut tree);
        }
    }
    page.finish() + &tree.draw()
}

/// What others have in namespaces of topo's, a dim line each.
pub fn foreign(notes: &[(Node, String)], only: Option<&Node>) -> String {
    let mut page = Page::new();
    for (node, what) in notes.iter().filter(|(node, _)| only.is_none_or(|only| only == node)) {
        page.paint(DIM, format!("{node} also has what is not topo's, and stays: {what}")).end();
    }
    page.finish()
}

/// Lines with their depths, from which the branches follow.
#[derive(Default)]
struct Tree {
    lines: Vec<(usize, String)>,
}

impl Tree {
    fn add(&mut self, depth: usize, page: Page) {
        self.lines.push((depth, page.finish()));
    }

    /// Drawn from the bottom: whether a branch goes on is known only by what is below.
    fn draw(&self) -> String {
        let mut open: Vec<bool> = Vec::new();
        let mut drawn = Vec::new();
        for (depth, text) in self.lines.iter().rev() {
            open.resize(open.len().max(depth + 1), false);
            let mut line: String = open.iter().take(*depth).map(|open| if *open { "│  " } else { "   " }).collect();
            line.push_str(if open.get(*depth) == Some(&true) { "├─ " } else { "└─ " });
            line.push_str(text);
            line.push('\n');
            drawn.push(line);
            open.truncate(depth + 1);
            if let Some(last) = open.last_mut() {
                *last = true;
            }
        }
        drawn.reverse();
        drawn.concat()
    }
}

/// All that is shown of a node.
struct Part<'a> {
    node: &'a Node,
    state: &'a State,
    /// What its rules counted.
    counts: &'a Counts,
    /// What is there and worth a line, whose it is aside.
    items: Vec<(&'a Resource, &'a Owner)>,
}

impl<'a> Part<'a> {
    fn of(state: &'a State, node: &'a Node, counts: &'a Counts) -> Self {
        let ours = |owner: &Owner| !matches!(owner, Owner::Theirs(_));
        let created = state.is_made(node);
        let inside = state.items.values().filter(|item| item.resource.node() == node);
        let items = inside
            .filter(|item| ours(&item.owner) || (created && matters(&item.resource)))
            .map(|item| (&item.resource, &item.owner))
            .collect();
        Self { node, state, counts, items }
    }

    fn is_empty(&self) -> bool {
        self.items.iter().all(|(resource, _)| matches!(resource, Resource::Namespace(namespace) if namespace.tenure != NodeTenure::Created))
    }

    fn draw(&self, tree: &mut Tree) {
        let mut page = Page::new();
        page.paint(BOLD, self.node.short());
        let tenure = self
            .state
            .namespace(self.node)
            .map(|namespace| detail(&Resource::Namespace(namespace.clone())))
            .unwrap_or_default();
        if !tenure.is_empty() && !self.node.is_host() {
            page.put("  ").paint(DIM, tenure);
        }
        tree.add(0, page);
        for link in self.links() {
            self.link(tree, link, 1);
        }
        self.orphans(tree);
        self.rest(tree);
    }

    fn links(&self) -> impl Iterator<Item = &'a Link> {
        // A port is drawn under its bridge, where the bridge is drawn.
        self.items
            .iter()
            .filter_map(|(resource, _)| resource.as_link())
            .filter(|link| link.master_id().is_none_or(|master| !self.drawn(&master)))
    }

    fn drawn(&self, id: &LinkId) -> bool {
        self.items.iter().any(|(resource, _)| resource.as_link().is_some_and(|link| link.id == *id))
    }

    fn link(&self, tree: &mut Tree, link: &Link, depth: usize) {
        let mut page = Page::new();
        page.paint(ADD, link.id.name.as_str());
        let mut words = seen(&Resource::Link(Box::new(link.clone())));
        if let (true, Some(Some(master))) = (depth > 1, link.master.get()) {
            words = words.replace(&format!("port of {master}, "), "");
        }
        let words = words.strip_suffix(", up").map_or(words.clone(), str::to_owned);
        if !words.is_empty() && words != "up" && words != "loopback" {
            page.put("  ").paint(DIM, words);
        }
        let addresses: Vec<String> = self.addresses(&link.id.name).map(address).collect();
        if link.kind == Kind::Loopback && addresses.is_empty() && link.up == Setting::Is(true) {
            return;
        }
        if !addresses.is_empty() {
            page.put("  ").put(addresses.join("  "));
        }
        tree.add(depth, page);
        for (resource, _) in &self.items {
            match resource {
                Resource::Qdisc(it) if it.link == link.id => self.line(tree, depth + 1, "qdisc", &detail(resource)),
                Resource::Peer(it) if it.link == link.id => {
                    self.line(tree, depth + 1, &super::words::name(&it.id()), &detail(resource))
                }
                Resource::Neighbor(it) if it.link == link.id => {
                    self.line(tree, depth + 1, &super::words::name(&it.id()), &detail(resource))
                }
                Resource::Fdb(it) if it.link == link.id => {
                    self.line(tree, depth + 1, &super::words::name(&it.id()), "")
                }
                Resource::Link(port) if port.master_id().as_ref() == Some(&link.id) && depth < 8 => {
                    self.link(tree, port, depth + 1)
                }
                _ => {}
            }
        }
    }

    fn addresses(&self, link: &IfName) -> impl Iterator<Item = &'a Address> {
        self.items.iter().filter_map(move |(resource, _)| match resource {
            Resource::Address(address) if address.link.name == *link => Some(address),
            _ => None,
        })
    }

    /// Addresses and qdiscs on interfaces that are foreign.
    fn orphans(&self, tree: &mut Tree) {
        for (resource, _) in &self.items {
            match resource {
                Resource::Address(it) if !self.drawn(&it.link) => self.line(tree, 1, &super::words::name(&it.id()), ""),
                Resource::Qdisc(it) if !self.drawn(&it.link) => {
                    self.line(tree, 1, &super::words::name(&it.id()), &detail(resource))
                }
                _ => {}
            }
        }
    }

    fn line(&self, tree: &mut Tree, depth: usize, text: &str, dim: &str) {
        let mut page = Page::new();
        page.put(text);
        if !dim.is_empty() {
            page.put(" ").paint(DIM, dim);
        }
        tree.add(depth, page);
    }

    /// Routes, rules, NAT and firewall, settings, files.
    fn rest(&self, tree: &mut Tree) {
        for (resource, _) in &self.items {
            match resource {
                Resource::Route(route) if is_main(route) => {
                    self.line(tree, 1, &format!("route {}", route_line(route)), "")
                }
                _ => {}
            }
        }
        for (resource, _) in &self.items {
            match resource {
                Resource::Route(route) if !is_main(route) => {
                    self.line(tree, 1, &format!("route {}", route_line(route)), "")
                }
                Resource::Rule(Rule { key, kernel: false, .. }) => self.line(tree, 1, &format!("rule {key}"), ""),
                Resource::Table(table) => table.chains.iter().enumerate().for_each(|(nth, chain)| {
                    if nth == 0 {
                        self.line(
                            tree,
                            1,
                            &format!("nft table inet topo-{}", table.topology),
                            "iptables -S does not show it",
                        );
                    }
                    self.line(
                        tree,
                        1,
                        &format!("{} {}", if chain.kind == "nat" { "nat" } else { "firewall" }, chain.name),
                        policy(chain.drop),
                    );
                    let place = ChainRef {
                        family: "inet".to_owned(),
                        table: table_name(&table.topology),
                        chain: chain.name.clone(),
                    };
                    self.rules(tree, &place, &chain.rules, |rule| rule.text(&table.topology));
                }),
                Resource::Insert(insert) if !insert.rules.is_empty() => {
                    self.line(tree, 1, &format!("rules in chain {}", insert.chain), "");
                    self.rules(tree, &insert.chain, &insert.rules, |rule| rule.in_family(&insert.chain.family));
                }
                Resource::Sysctl(sysctl)
                    if !(sysctl.value == "0"
                        && sysctl.key.ends_with("forward") | sysctl.key.ends_with("all/forwarding")) =>
                {
                    self.line(tree, 1, &format!("{} = {}", sysctl.key.replace('/', "."), sysctl.value), "")
                }
                Resource::File(_) => self.line(tree, 1, &super::words::name(&resource.id()), ""),
                _ => {}
            }
        }
    }
}

impl Part<'_> {
    /// The rules of a chain, with what those that count have counted.
    fn rules(&self, tree: &mut Tree, chain: &ChainRef, rules: &[TableRule], text: impl Fn(&TableRule) -> String) {
        let counts = self.counts.get(&(self.node.clone(), chain.clone()));
        for (nth, rule) in rules.iter().enumerate() {
            // Where the kernel has another number of rules another program changed them since they were read.
            let same = counts.filter(|counts| counts.len() == rules.len() && (rule.counts() || is_iptables(chain)));
            let count = same.and_then(|counts| *counts.get(nth)?).map(|count| count.to_string());
            self.line(tree, 2, &text(rule), count.as_deref().unwrap_or_default());
        }
    }
}

fn policy(drop: bool) -> &'static str {
    if drop { "policy drop" } else { "" }
}

fn address(address: &Address) -> String {
    match address.peer {
        Some(peer) => format!("{} peer {peer}/{}", address.address.addr(), address.address.prefix_len()),
        None => address.address.to_string(),
    }
}

/// Whether something that is not the topology's own, in a namespace of its own, is worth a line: a default route by
/// DHCP is, a connected one is not.
fn matters(resource: &Resource) -> bool {
    match resource {
        Resource::Route(route) => route.key.to.prefix_len() == 0 || route.nexthops.iter().any(|hop| hop.via.is_some()),
        Resource::Rule(_) | Resource::Sysctl(_) | Resource::Neighbor(_) => false,
        Resource::Address(address) => !(address.address.addr().is_loopback() || is_link_local(address)),
        _ => true,
    }
}

fn is_link_local(address: &Address) -> bool {
    matches!(address.address, ipnet::IpNet::V6(net) if net.addr().is_unicast_link_local())
}
