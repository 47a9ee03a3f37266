//! A topology of containerlab: its Linux nodes as namespaces, its bridges and links. What a container image brings
//! along is said, and not there.

use super::commands;
use super::draft::{Draft, Drafted};
use super::values::{entries, get, items, mac, prefix, text};
use crate::document::yaml::source::Source;
use crate::document::yaml::tree::{Yaml, quoted};
use crate::resource::{Kind, LinkId, Name, Node, Setting};
use std::collections::BTreeMap;

/// What of a node is read, or means nothing without a container.
const READ: [&str; 9] = ["kind", "image", "exec", "sysctls", "labels", "group", "type", "mgmt-ipv4", "mgmt-ipv6"];
/// Where a link may end besides in nodes.
const ELSEWHERE: [&str; 4] = ["mgmt-net", "macvlan", "vxlan", "vxlan-stitch"];

/// What a node is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// A namespace of its own.
    Namespace,
    /// A bridge of the host.
    Bridge,
    /// The host itself.
    Host,
}

/// Reads a topology of containerlab (`topology.nodes`, `topology.links`).
pub fn containerlab(source: &Source, topology: &Name) -> Drafted {
    let (mut draft, tree) = Draft::of(source, topology);
    let Some(tree) = tree else { return draft.done() };
    let Some(whole) = get(&tree, "topology") else {
        draft.wrong(tree.place, "there is no `topology`: containerlab has its nodes and links there");
        return draft.done();
    };
    let mut roles: BTreeMap<String, Role> = BTreeMap::new();
    for (name, node) in get(whole, "nodes").map(entries).unwrap_or_default() {
        if let Some(fault) = crate::document::value::namespace_fault(name.text()).filter(|_| name.text() != "host") {
            draft.wrong(name.place, format!("{} is no name of a namespace: {fault}", quoted(name.text())));
            continue;
        }
        roles.insert(name.text().to_owned(), role(&mut draft, whole, name, node));
    }
    for link in get(whole, "links").map(items).unwrap_or_default() {
        self::link(&mut draft, &roles, link);
    }
    // The commands are about interfaces, which are there by now.
    for (name, node) in get(whole, "nodes").map(entries).unwrap_or_default() {
        if roles.get(name.text()) == Some(&Role::Namespace) {
            settings(&mut draft, whole, &Node::from(name.text()), node);
        }
    }
    for key in ["mgmt", "prefix", "settings"] {
        if let Some(there) = get(&tree, key) {
            draft.unsaid(&Node::host(), there.place, format!("`{key}`: containerlab's own, topo has none"));
        }
    }
    draft.done()
}

/// Everything that is said of a node, the most particular first: its own, of its group, of its kind, of all.
fn said<'y, 'a>(whole: &'y Yaml<'a>, node: &'y Yaml<'a>, key: &str) -> Vec<&'y Yaml<'a>> {
    let defaults = get(whole, "defaults");
    let named = |of: &str| text(node, of).or_else(|| defaults.and_then(|all| text(all, of)));
    let group = named("group").and_then(|group| get(get(whole, "groups")?, group));
    let kind = named("kind").and_then(|kind| get(get(whole, "kinds")?, kind));
    [Some(node), group, kind, defaults].into_iter().flatten().filter_map(|from| get(from, key)).collect()
}

fn role(draft: &mut Draft<'_>, whole: &Yaml<'_>, name: &Yaml<'_>, node: &Yaml<'_>) -> Role {
    let kind = said(whole, node, "kind").first().map_or("linux", |kind| kind.text()).to_owned();
    let id = Node::from(name.text());
    match kind.as_str() {
        "host" => return Role::Host,
        "bridge" => {
            draft.make(&LinkId::new(Node::host(), name.text()), Kind::Bridge, |_| {});
            return Role::Bridge;
        }
        "ovs-bridge" => {
            draft.unsaid(
                &Node::host(),
                name.place,
                format!("{}: a bridge of Open vSwitch, in its place stands a plain one", name.text()),
            );
            draft.make(&LinkId::new(Node::host(), name.text()), Kind::Bridge, |_| {});
            return Role::Bridge;
        }
        _ => {}
    }
    draft.namespace(&id);
    let image = said(whole, node, "image").first().map(|image| image.text().to_owned());
    match image {
        _ if kind != "linux" => {
            let image = image.map_or(String::new(), |image| format!(" ({image})"));
            draft.unsaid(
                &id,
                name.place,
                format!(
                    "kind {kind}{image} needs its image: what that configures and starts is not here, its links are"
                ),
            );
        }
        Some(image) => {
            draft.unsaid(
                &id,
                name.place,
                format!("what the image {image} starts: write `processes`, or start it with topo exec"),
            );
        }
        None => {}
    }
    for (key, _) in entries(node).iter().filter(|(key, _)| !READ.contains(&key.text())) {
        draft.unsaid(&id, key.place, format!("`{}`: a container's, topo has none", key.text()));
    }
    Role::Namespace
}

fn settings(draft: &mut Draft<'_>, whole: &Yaml<'_>, id: &Node, node: &Yaml<'_>) {
    // The most particular last, so that it has the last word.
    for map in said(whole, node, "sysctls").into_iter().rev() {
        for (key, value) in entries(map) {
            if let Err(why) = draft.sysctl(id, key.text(), value.text()) {
                draft.unsaid(id, key.place, format!("`{}`: {why}", key.text()));
            }
        }
    }
    for list in said(whole, node, "exec").into_iter().rev() {
        for line in items(list) {
            commands::line(draft, id, line.place, line.text());
        }
    }
}

/// One end of a link: what it is called, and what else is said of it.
struct End<'y, 'a> {
    node: String,
    interface: String,
    more: Option<&'y Yaml<'a>>,
    at: &'y Yaml<'a>,
}

fn ends<'y, 'a>(link: &'y Yaml<'a>) -> Vec<End<'y, 'a>> {
    let list = get(link, "endpoints").or_else(|| get(link, "endpoint"));
    let end = |at: &'y Yaml<'a>| match (text(at, "node"), text(at, "interface")) {
        (Some(node), Some(interface)) => {
            Some(End { node: node.to_owned(), interface: interface.to_owned(), more: Some(at), at })
        }
        _ => at.text().split_once(':').map(|(node, interface)| End {
            node: node.to_owned(),
            interface: interface.to_owned(),
            more: None,
            at,
        }),
    };
    list.map(items).unwrap_or_default().iter().filter_map(end).collect()
}

fn link(draft: &mut Draft<'_>, roles: &BTreeMap<String, Role>, link: &Yaml<'_>) {
    let ends = ends(link);
    let kind = text(link, "type").unwrap_or("veth");
    if !matches!(kind, "veth" | "host" | "dummy") {
        draft.unsaid(&Node::host(), link.place, format!("a link of type {kind}: write it in topo's words"));
        return;
    }
    let mut ids: Vec<LinkId> = ends.iter().filter_map(|end| id(draft, roles, end)).collect();
    match (kind, ids.as_slice()) {
        ("dummy", [one]) => draft.make(one, Kind::Dummy, |_| {}),
        ("host", [_]) if text(link, "host-interface").is_some() => {
            ids.push(LinkId::new(Node::host(), text(link, "host-interface").unwrap_or_default()));
        }
        _ if ids.len() == ends.len() && ids.len() == 2 => {}
        _ if ids.len() < ends.len() => return,
        _ => {
            draft.wrong(link.place, "a link has two ends: `endpoints: [\"a:eth1\", \"b:eth1\"]`");
            return;
        }
    }
    if let [one, other] = ids.as_slice() {
        draft.pair(one, other);
    }
    for (end, id) in ends.iter().zip(&ids) {
        attributes(draft, roles, link, end, id);
    }
}

fn id(draft: &mut Draft<'_>, roles: &BTreeMap<String, Role>, end: &End<'_, '_>) -> Option<LinkId> {
    if let Some(fault) = crate::document::value::interface_fault(&end.interface) {
        draft.wrong(end.at.place, format!("{} is no name of an interface: {fault}", quoted(&end.interface)));
        return None;
    }
    let node = match roles.get(&end.node) {
        Some(Role::Namespace) => Node::from(end.node.as_str()),
        Some(Role::Bridge | Role::Host) => Node::host(),
        None if end.node == "host" => Node::host(),
        None if ELSEWHERE.contains(&end.node.as_str()) => {
            draft.unsaid(&Node::host(), end.at.place, format!("a link to {}: write it in topo's words", end.node));
            return None;
        }
        None => {
            draft.wrong(end.at.place, format!("there is no node {}", quoted(&end.node)));
            return None;
        }
    };
    Some(LinkId::new(node, end.interface.as_str()))
}

fn attributes(draft: &mut Draft<'_>, roles: &BTreeMap<String, Role>, link: &Yaml<'_>, end: &End<'_, '_>, id: &LinkId) {
    let mtu = text(link, "mtu").and_then(|mtu| mtu.parse::<u32>().ok());
    let address = end.more.and_then(|more| text(more, "mac")).and_then(mac);
    draft.link(id, |it| {
        it.mtu = mtu.map_or(it.mtu, Setting::Is);
        it.mac = address.map_or(it.mac, Setting::Is);
        if roles.get(&end.node) == Some(&Role::Bridge) {
            it.master = Setting::Is(Some(end.node.as_str().into()));
        }
    });
    for net in ["ipv4", "ipv6"].into_iter().filter_map(|key| text(end.more?, key)) {
        match prefix(net) {
            Some(net) => draft.address(id, net),
            None => draft.wrong(end.at.place, format!("{} is no address", quoted(net))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_has_its_place() {
        let text = "name: x\ntopology:\n  nodes:\n    a: { kind: linux }\n  links:\n    - endpoints: [\"a:eth1\", \"b:eth1\"]\n";
        let drafted = containerlab(&Source { name: "x".into(), text: text.into() }, &"x".into());
        assert_eq!(drafted.findings.len(), 1);
        assert_eq!(drafted.findings[0].message, "there is no node \"b\"");
        assert_eq!(text.get(drafted.findings[0].labels[0].offset..).unwrap_or_default().get(..8), Some("\"b:eth1\""));
    }
}
