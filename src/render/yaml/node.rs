//! A state as a topology file.

use super::section::Section;
use super::tree::{Yaml, comment};
use super::{link, packet, pairs, ports, ranges, wireguard};
use crate::document::expand::tree::{Expanded, expanded};
use crate::document::yaml::define;
use crate::document::yaml::source::Source;
use crate::resource::{
    Family, File, FileName, Insert, LinkId, NetnsRef, Node, NodeTenure, Owner, Resource, Route, RouteKind, Rule,
    RuleAction, Runtime, State, Sysctl, TableId,
};
use std::collections::BTreeSet;

/// The file of an observed state; with `ranges` runs of what is alike are ranges.
pub fn text(state: &State, ranges: bool) -> String {
    write(state, &[], false, ranges)
}

/// A file as a user writes it, with remarks at the nodes that they are about: ports stand with what they are ports of.
pub fn file(state: &State, remarks: &[(Node, String)], ranges: bool) -> String {
    write(state, remarks, true, ranges)
}

fn write(state: &State, remarks: &[(Node, String)], gathered: bool, ranges: bool) -> String {
    let mut file = Yaml::map().with("name", Yaml::of(&state.topology));
    let mut namespaces = Yaml::map();
    let mut nodes: BTreeSet<&Node> = state
        .items
        .iter()
        .filter(|(_, item)| !matches!(item.owner, Owner::Theirs(_)))
        .map(|(id, _)| id.node())
        .collect();
    nodes.extend(state.record.existing.keys());
    nodes.extend(state.record.prior.iter().filter_map(Resource::as_link).map(|link| &link.id.node));
    let prefixes = state.prefixes();
    let prefix = prefixes.first().filter(|prefix| prefixes.len() == 1 && !prefix.is_empty());
    file.put_some("prefix", prefix);
    let mut sections: Vec<(&Node, Yaml)> =
        nodes.into_iter().map(|node| (node, Section::of(state, node, gathered).yaml())).collect();
    pairs::fold(state, &mut sections);
    if gathered {
        sections.iter_mut().for_each(|(_, section)| ports::gather(section));
    }
    let mut above = Vec::new();
    for (about, text) in remarks.iter().rev() {
        let there =
            sections.iter_mut().find(|(node, section)| *node == about && !(node.is_host() && section.is_empty()));
        match there {
            Some((_, section)) => section.remark(&format!("not in this file: {text}")),
            None => above.push(comment(&format!("not in this file, of {about}: {text}")) + "\n"),
        }
    }
    for (node, section) in sections {
        if node.is_host() {
            if !section.is_empty() {
                file.put("host", section);
            }
        } else {
            namespaces.put(if prefix.is_some() { node.short() } else { node.as_str() }, section);
        }
    }
    if !namespaces.is_empty() {
        file.put("namespaces", namespaces);
    }
    let mut out = "# yaml-language-server: $schema=topology.schema.json\n".to_owned();
    out.push_str(&wireguard::remarks(state));
    out.extend(above.into_iter().rev());
    let begun = out.len();
    if ranges {
        ranges::sort(&mut file, "");
    }
    file.block(&mut out, 0, 4);
    if !ranges {
        return out;
    }
    let mut folded = file.clone();
    ranges::fold(&mut folded);
    let mut short = out.get(..begun).unwrap_or_default().to_owned();
    folded.block(&mut short, 0, 4);
    // Whatever a name or a value is: what is folded stands for what was there, or it is not folded.
    if folded != file && same(&short, &out) { short } else { out }
}

/// Whether two files are the same when they are written out.
fn same(short: &str, long: &str) -> bool {
    let sources = [short, long].map(|text| Source { name: String::new(), text: text.into() });
    let [short, long] = sources.each_ref().map(expanded);
    let sound = |file: &Expanded<'_>| file.findings.is_empty();
    match (&short.tree, &long.tree) {
        (Some(one), Some(other)) => sound(&short) && sound(&long) && define::json(one) == define::json(other),
        _ => false,
    }
}

impl<'a> Section<'a> {
    fn of(state: &'a State, node: &'a Node, chosen_macs: bool) -> Self {
        let created =
            state.namespace(node).is_none_or(|namespace| namespace.tenure == NodeTenure::Created) && !node.is_host();
        let inside =
            state.items.iter().filter(|(id, item)| id.node() == node && !matches!(item.owner, Owner::Theirs(_)));
        Self { node, state, created, items: inside.map(|(_, item)| &item.resource).collect(), chosen_macs }
    }

    fn yaml(&self) -> Yaml {
        let mut section = Yaml::map();
        self.tenure(&mut section);
        self.settings(&mut section);
        self.local_rule(&mut section);
        let interfaces = link::interfaces(self);
        if !interfaces.is_empty() {
            section.put("interfaces", interfaces);
        }
        section.put_list("routes", self.routes().map(route).collect());
        section.put_list("rules", self.rules().filter(|rule| !rule.kernel).map(policy_rule).collect());
        section.put_list("neighbors", link::neighbors(self));
        self.tables(&mut section);
        self.dns(&mut section);
        section
    }

    fn tenure(&self, section: &mut Yaml) {
        let Some(NodeTenure::Existing(place)) = self.state.namespace(self.node).map(|namespace| &namespace.tenure)
        else {
            return;
        };
        let existing = match place {
            NetnsRef::Name(name) => Yaml::map().with("netns", Yaml::of(name)),
            NetnsRef::Path(path) => Yaml::map().with("path", Yaml::of(path)),
            NetnsRef::Pid(pid) => Yaml::map().with("pid", Yaml::of(pid)),
            NetnsRef::Container { runtime, name } => {
                let mut map = Yaml::map().with("container", Yaml::of(name));
                map.put_some("runtime", runtime.map(Runtime::word).as_ref());
                map
            }
        };
        section.put("existing", existing);
    }

    /// `forwarding` and `sysctls`. In a created namespace forwarding is off by default.
    fn settings(&self, section: &mut Yaml) {
        const V4: &str = Sysctl::FORWARDING_V4;
        const V6: &str = Sysctl::FORWARDING_V6;
        let all: Vec<&Sysctl> = self
            .items
            .iter()
            .filter_map(|resource| if let Resource::Sysctl(sysctl) = resource { Some(sysctl) } else { None })
            .collect();
        let value = |key: &str| all.iter().find(|sysctl| sysctl.key == key).map(|sysctl| sysctl.value.as_str());
        let word = match (value(V4), value(V6)) {
            (Some("1"), Some("1")) => Some(Yaml::Switch(true)),
            (Some("0"), Some("0")) if !self.created => Some(Yaml::Switch(false)),
            (Some("1"), None) => Some(Yaml::of(&"ipv4")),
            (None, Some("1")) => Some(Yaml::of(&"ipv6")),
            (Some("1"), _) if self.created => Some(Yaml::of(&"ipv4")),
            (_, Some("1")) if self.created => Some(Yaml::of(&"ipv6")),
            _ => None,
        };
        let said = word.is_some();
        if let Some(word) = word {
            section.put("forwarding", word);
        }
        let mut sysctls = Yaml::map();
        // What the switch writes besides itself is remembered, and is not the file's unless topo wrote it.
        let by_itself = |sysctl: &Sysctl| {
            !self.created
                && sysctl.written_with().is_some()
                && !self.state.record.wrote.iter().any(|wrote| wrote.id() == sysctl.id())
        };
        // An interface that hears a router is not the file's because of that: who reads it writes it again.
        let named =
            |link: &LinkId| self.items.iter().filter_map(|resource| resource.as_link()).any(|there| there.id == *link);
        let hears = |sysctl: &Sysctl| {
            !self.created && sysctl.key.ends_with("/accept_ra") && sysctl.link().is_some_and(|link| !named(&link))
        };
        for sysctl in all
            .iter()
            .filter(|sysctl| !by_itself(sysctl) && !hears(sysctl))
            .filter(|sysctl| !(matches!(sysctl.key.as_str(), V4 | V6) && (self.created || said)))
        {
            let key = if sysctl.key.contains('.') { sysctl.key.clone() } else { sysctl.key.replace('/', ".") };
            sysctls.put(&key, Yaml::of(&sysctl.value));
        }
        if !sysctls.is_empty() {
            section.put("sysctls", sysctls);
        }
    }

    fn local_rule(&self, section: &mut Yaml) {
        let moved = self.rules().find(|rule| rule.is_moved_local());
        section.put_some("local-rule", moved.map(|rule| rule.key.priority).as_ref());
    }

    fn routes(&self) -> impl Iterator<Item = &'a Route> {
        self.items.iter().filter_map(|resource| if let Resource::Route(route) = resource { Some(route) } else { None })
    }

    fn rules(&self) -> impl Iterator<Item = &'a Rule> {
        self.items.iter().filter_map(|resource| if let Resource::Rule(rule) = resource { Some(rule) } else { None })
    }

    fn tables(&self, section: &mut Yaml) {
        let inserts: Vec<&Insert> = self
            .items
            .iter()
            .filter_map(|resource| if let Resource::Insert(insert) = resource { Some(insert) } else { None })
            .collect();
        let table = self
            .items
            .iter()
            .find_map(|resource| if let Resource::Table(table) = resource { Some(table) } else { None });
        match table {
            Some(table) => packet::table(table, section, &inserts),
            None => packet::put_firewall(Yaml::map(), section, &inserts),
        }
    }

    fn dns(&self, section: &mut Yaml) {
        let mut dns = Yaml::map();
        for resource in &self.items {
            match resource {
                Resource::File(File { name: FileName::ResolvConf, content, .. }) => resolver(content, &mut dns),
                Resource::File(File { name: FileName::Hosts, content, .. }) => hosts(content, &mut dns),
                _ => {}
            }
        }
        if !dns.is_empty() {
            section.put("dns", dns);
        }
    }
}

pub(crate) fn resolver(content: &str, dns: &mut Yaml) {
    let of = |key: &str| {
        content
            .lines()
            .filter_map(|line| line.strip_prefix(key)?.strip_prefix(' '))
            .flat_map(str::split_whitespace)
            .map(|word| Yaml::of(&word))
            .collect::<Vec<_>>()
    };
    dns.put_list("nameservers", of("nameserver"));
    dns.put_list("search", of("search"));
    dns.put_list("options", of("options"));
}

/// The names of a hosts file; the first line is the mark, the next two are localhost's.
pub(crate) fn hosts(content: &str, dns: &mut Yaml) {
    let mut names: Vec<(String, Vec<Yaml>)> = Vec::new();
    for line in content.lines().skip(3) {
        let mut words = line.split_whitespace();
        let Some(address) = words.next().filter(|address| !address.starts_with('#')) else { continue };
        for name in words {
            match names.iter_mut().find(|(known, _)| known == name) {
                Some((_, addresses)) => addresses.push(Yaml::of(&address)),
                None => names.push((name.to_owned(), vec![Yaml::of(&address)])),
            }
        }
    }
    let mut map = Yaml::map();
    names.into_iter().for_each(|(name, addresses)| map.put_many(&name, addresses));
    if !map.is_empty() {
        dns.put("hosts", map);
    }
}

pub(crate) fn route(route: &Route) -> Yaml {
    // `default` takes its family from `via`.
    let via = if let [hop] = route.nexthops.as_slice() { hop.via } else { None };
    let default =
        route.key.to.prefix_len() == 0 && via.is_some_and(|via| via.is_ipv4() == route.key.to.addr().is_ipv4());
    let to = if default { Yaml::of(&"default") } else { Yaml::of(&route.key.to) };
    let mut map = Yaml::map().with("to", to);
    if route.kind != RouteKind::Unicast {
        map.put("type", Yaml::of(&route.kind.word()));
    }
    match route.nexthops.as_slice() {
        [] => {}
        [hop] => hop_keys(hop, &mut map),
        several => map.put(
            "nexthops",
            Yaml::List(
                several
                    .iter()
                    .map(|hop| {
                        let mut entry = Yaml::map();
                        hop_keys(hop, &mut entry);
                        if hop.weight != 1 {
                            entry.put("weight", Yaml::of(&hop.weight));
                        }
                        entry
                    })
                    .collect(),
            ),
        ),
    }
    let v4 = route.key.to.addr().is_ipv4();
    if route.key.metric != if v4 { 0 } else { 1024 } {
        map.put("metric", Yaml::of(&route.key.metric));
    }
    if route.key.table != TableId::MAIN {
        map.put("table", Yaml::of(&route.key.table));
    }
    map.put_some("source", route.source.as_ref());
    map.put_some("scope", route.unusual_scope().as_ref());
    map.put_some("mtu", route.mtu.as_ref());
    map
}

pub(crate) fn hop_keys(hop: &crate::resource::NextHop, map: &mut Yaml) {
    map.put_some("via", hop.via.as_ref());
    map.put_some("dev", hop.dev.as_ref());
    if hop.onlink {
        map.put("onlink", Yaml::Switch(true));
    }
}

pub(crate) fn policy_rule(rule: &Rule) -> Yaml {
    let key = &rule.key;
    let mut map = Yaml::map().with("priority", Yaml::of(&key.priority));
    map.put_some("from", key.from.as_ref());
    map.put_some("to", key.to.as_ref());
    map.put_some("iif", key.iif.as_ref());
    map.put_some("oif", key.oif.as_ref());
    map.put_some("fwmark", key.fwmark.map(|(bits, mask)| packet::mark(bits, mask)).as_ref());
    map.put_some("protocol", key.protocol.as_ref());
    let ports = |ports: Option<(u16, u16)>| {
        ports.map(|(from, to)| if from == to { from.to_string() } else { format!("{from}-{to}") })
    };
    map.put_some("port", ports(key.port).as_ref());
    map.put_some("source-port", ports(key.source_port).as_ref());
    match &key.action {
        RuleAction::Table(table) => map.put("table", Yaml::of(table)),
        RuleAction::Blackhole => map.put("action", Yaml::of(&"blackhole")),
        RuleAction::Unreachable => map.put("action", Yaml::of(&"unreachable")),
        RuleAction::Prohibit | RuleAction::L3mdev | RuleAction::Other(_) => map.put("action", Yaml::of(&"prohibit")),
    }
    if key.from.is_none() && key.to.is_none() {
        map.put("family", Yaml::of(&if key.family == Family::V4 { "ipv4" } else { "ipv6" }));
    }
    map
}
