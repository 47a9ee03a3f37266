//! Links in `ip link` words.

use super::kinds::{number, options, tuntap};
use super::syntax::switch;
use super::words::Words;
use crate::resource::mark::group;
use crate::resource::{
    ETHERNET_MTU, IfName, Kind, Link, LinkId, NodeTenure, Options, Setting, Value, kinds, offload, quote,
};

impl Words {
    pub(super) fn create_link(&self, link: &Link) -> Vec<String> {
        if kinds::traits(&link.kind).by_program {
            let birth = self.birth(link);
            let rest = (!birth.is_empty()).then(|| self.set(&link.id, &birth.join(" ")));
            let made = format!("{} {}", self.ip(&link.id.node), tuntap(link));
            return std::iter::once(made).chain(rest).chain(self.after_birth(link)).collect();
        }
        // A link on an interface of another node, or with its transport in one, is made there and created here.
        let below = link.link.as_ref().map_or_else(|| link.transport(), |below| below.node.clone());
        let below = Some(below).filter(|below| *below != link.id.node);
        // A tunnel sends by it, the others depend on it.
        let sends = matches!(link.kind, Kind::Vxlan) || !kinds::dies_with_link(&link.kind);
        let mut words =
            vec![self.ip(below.as_ref().unwrap_or(&link.id.node)), "link add".to_owned(), named("name", &link.id.name)];
        if let Some(below) = link.link.as_ref().filter(|_| !sends) {
            words.push(format!("link {}", quote(below.name.as_str())));
        }
        words.extend(self.birth(link));
        if below.is_some() {
            words.push(format!("netns {}", self.netns(&link.id.node)));
        }
        words.push(format!("type {}", link.kind.name()));
        words.extend(options(&link.kind, &unusual(kinds::of(&link.kind), &link.options)));
        if let Some(below) = link.link.as_ref().filter(|_| sends) {
            words.push(format!("dev {}", quote(below.name.as_str())));
        }
        let mut lines = vec![words.join(" ")];
        if kinds::traits(&link.kind).has_keys {
            lines.extend(self.wireguard(link, &unusual(kinds::of(&link.kind), &link.options)));
        }
        lines.extend(self.after_birth(link));
        lines
    }

    pub(super) fn create_pair(&self, near: &Link, far: &Link) -> Vec<String> {
        let mut words = vec![self.ip(&near.id.node), "link add".to_owned(), named("name", &near.id.name)];
        words.extend(self.birth(near));
        words.push(format!("type veth peer name {}", name(far)));
        words.extend(self.birth(far));
        if far.id.node != near.id.node {
            words.push(format!("netns {}", self.netns(&far.id.node)));
        }
        let mut lines = vec![words.join(" ")];
        lines.extend(self.after_birth(near));
        lines.extend(self.after_birth(far));
        lines
    }

    /// What the kernel takes while it makes a link.
    fn birth(&self, link: &Link) -> Vec<String> {
        let mut words = Vec::new();
        if let Some(mtu) = link.mtu.get().filter(|mtu| !kinds::mtu_of_ports(&link.kind) && **mtu != ETHERNET_MTU) {
            words.push(format!("mtu {mtu}"));
        }
        if let Some(mac) = link.mac.get() {
            words.push(format!("address {mac}"));
        }
        if let Some(length) = link.txqueuelen.get().filter(|length| **length != USUAL_QUEUE) {
            words.push(format!("txqueuelen {length}"));
        }
        if let Some(queues) = link.queues.get() {
            words.push(format!("numtxqueues {} numrxqueues {}", queues.tx, queues.rx));
        }
        if let Some(topology) = self.marked(link).then_some(self.topology.as_ref()).flatten() {
            words.push(format!("group {:#x}", group(topology)));
        }
        words
    }

    /// Whether the link carries marks of its own: it does where its namespace has none.
    fn marked(&self, link: &Link) -> bool {
        link.marked && self.tenure(&link.id.node) != NodeTenure::Created
    }

    /// What has to follow: alias, master, port options, further names, up.
    fn after_birth(&self, link: &Link) -> Vec<String> {
        let mut words = Vec::new();
        if let Some(alias) = self.marked(link).then(|| self.alias()).flatten() {
            words.push(format!("alias {}", quote(&alias)));
        }
        if let Some(mtu) = link.mtu.get().filter(|mtu| kinds::mtu_of_ports(&link.kind) && **mtu != ETHERNET_MTU) {
            words.push(format!("mtu {mtu}"));
        }
        if let Some(Some(master)) = link.master.get() {
            words.push(format!("master {}", quote(master.as_str())));
        }
        if link.up == Setting::Is(true) {
            words.push("up".to_owned());
        }
        let mut lines = Vec::new();
        if !words.is_empty() {
            lines.push(self.set(&link.id, &words.join(" ")));
        }
        lines.extend(self.set_port(link, &unusual(kinds::PORT, &link.port)));
        let names = link.alternative_names.get().into_iter().flatten();
        lines.extend(names.map(|other| self.property("add", &link.id, other)));
        lines.extend(self.first_vlans(link));
        lines
    }

    pub(super) fn update_link(&self, before: &Link, after: &Link) -> Vec<String> {
        let mut words = Vec::new();
        if after.marked && !before.marked {
            if let (Some(topology), true) = (&self.topology, self.marked(after)) {
                words.push(format!("group {:#x}", group(topology)));
            }
            words.extend(self.alias().map(|alias| format!("alias {}", quote(&alias))));
        }
        if let (Some(old), true) = (&after.unmarked, self.marked(before) && !after.marked) {
            words.push(format!("group {} alias {}", old.group, quote(&old.alias)));
        }
        if let Some(mtu) = changed(&before.mtu, &after.mtu) {
            words.push(format!("mtu {mtu}"));
        }
        if let Some(mac) = changed(&before.mac, &after.mac) {
            words.push(format!("address {mac}"));
        }
        if let Some(length) = changed(&before.txqueuelen, &after.txqueuelen) {
            words.push(format!("txqueuelen {length}"));
        }
        match changed(&before.master, &after.master) {
            Some(Some(master)) => words.push(format!("master {}", quote(master.as_str()))),
            Some(None) => words.push("nomaster".to_owned()),
            None => {}
        }
        for (name, old, new) in [("arp", &before.arp, &after.arp), ("multicast", &before.multicast, &after.multicast)] {
            words.extend(changed(old, new).map(|on| format!("{name} {}", if *on { "on" } else { "off" })));
        }
        if let Some(up) = changed(&before.up, &after.up) {
            words.push(if *up { "up" } else { "down" }.to_owned());
        }
        let mut lines = Vec::new();
        if !words.is_empty() {
            lines.push(self.set(&after.id, &words.join(" ")));
        }
        if kinds::traits(&after.kind).has_keys {
            lines.extend(self.wireguard(after, &differing(&before.options, &after.options)));
        }
        let own = options(&after.kind, &differing(&before.options, &after.options));
        if !own.is_empty() {
            lines.push(self.set(&after.id, &format!("type {} {}", after.kind.name(), own.join(" "))));
        }
        lines.extend(self.set_port(after, &differing(&before.port, &after.port)));
        lines.extend(self.update_names(before, after));
        lines.extend(self.update_vlans(before, after));
        lines.extend(self.offload(&after.id, &differing(&before.offload, &after.offload)));
        lines
    }

    fn update_names(&self, before: &Link, after: &Link) -> Vec<String> {
        let Some(new) = changed(&before.alternative_names, &after.alternative_names) else { return Vec::new() };
        let old = before.alternative_names.get().cloned().unwrap_or_default();
        let gone = old.difference(new).map(|other| self.property("del", &after.id, other));
        gone.chain(new.difference(&old).map(|other| self.property("add", &after.id, other))).collect()
    }

    /// Its wanted offload features; where only some of what a name stands for is on, all of it is turned off first.
    fn offload(&self, link: &LinkId, options: &Options) -> Vec<String> {
        let ethtool =
            |what: String| format!("{}ethtool -K {}{what}", self.inside(&link.node), quote(link.name.as_str()));
        let known = |name: &str| offload::Offload::of(name).map(|offload| offload.word);
        let all = options
            .iter()
            .filter_map(|(name, value)| Some(format!(" {} {}", known(name)?, switch(*value == Value::Bool(true)))));
        let some =
            options.values().filter_map(|value| if let Value::Word(features) = value { Some(features) } else { None });
        let some = some.flat_map(|features| features.split(' ')).map(|feature| format!(" {feature} on"));
        let (all, some): (String, String) = (all.collect(), some.collect());
        [all, some].into_iter().filter(|what| !what.is_empty()).map(ethtool).collect()
    }

    pub(super) fn move_link(&self, link: &Link, to: &LinkId) -> String {
        let mut words = Vec::new();
        if to.node != link.id.node {
            words.push(format!("netns {}", self.netns(&to.node)));
        }
        if to.name != link.id.name {
            words.push(format!("name {}", quote(to.name.as_str())));
        }
        self.set(&link.id, &words.join(" "))
    }

    fn set(&self, link: &LinkId, what: &str) -> String {
        format!("{} link set {} {what}", self.ip(&link.node), named("dev", &link.name))
    }

    fn property(&self, verb: &str, link: &LinkId, other: &str) -> String {
        format!(
            "{} link property {verb} dev {} altname {}",
            self.ip(&link.node),
            quote(link.name.as_str()),
            quote(other)
        )
    }

    fn set_port(&self, link: &Link, port: &Options) -> Option<String> {
        let words: Vec<String> = port.iter().filter_map(|(key, value)| port_option(key, value)).collect();
        (!words.is_empty()).then(|| self.set(&link.id, &format!("type bridge_slave {}", words.join(" "))))
    }
}

/// What a fresh Ethernet-like link has (`ETH_DATA_LEN`, `DEFAULT_TX_QUEUE_LEN`), so that nothing types it.
const USUAL_QUEUE: u32 = 1000;

/// The attributes that are not what a fresh link has anyway.
fn unusual(known: &[kinds::Attribute], options: &Options) -> Options {
    let usual = |key: &str| {
        known.iter().find(|attribute| attribute.name == key).and_then(|attribute| attribute.default.value())
    };
    // A macvlan's mode and a vxlan's port are always said: `ip` has other defaults for them, or warns.
    let said = |key: &str| matches!(key, "mode" | "port" | "id");
    options
        .iter()
        .filter(|(key, value)| said(key) || usual(key).as_ref() != Some(*value))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

/// The name of a link, with the keyword before it where `ip` would take the name for an abbreviation of another keyword
/// (`a` for `address`).
pub(super) fn named(keyword: &str, name: &IfName) -> String {
    let word = name.as_str() != "lo" && name.as_str().bytes().all(|byte| byte.is_ascii_lowercase());
    if word { format!("{keyword} {name}") } else { quote(name.as_str()) }
}

fn name(link: &Link) -> String {
    quote(link.id.name.as_str())
}

/// The new value, where it is managed and another one.
fn changed<'a, T: PartialEq>(before: &Setting<T>, after: &'a Setting<T>) -> Option<&'a T> {
    after.get().filter(|new| before.get() != Some(*new))
}

fn differing(before: &Options, after: &Options) -> Options {
    let same = |key: &str, value: &Value| before.get(key).is_some_and(|old| kinds::same(value, old));
    after.iter().filter(|(key, value)| !same(key, value)).map(|(key, value)| (key.clone(), value.clone())).collect()
}

fn port_option(key: &str, value: &Value) -> Option<String> {
    let word = match key {
        "fast-leave" => "fastleave".to_owned(),
        other => other
            .replace("multicast", "mcast")
            .replace("broadcast", "bcast")
            .replace("neighbor", "neigh")
            .replace('-', "_"),
    };
    let value = match value {
        Value::Bool(on) => switch(*on).to_owned(),
        other => number(other)?,
    };
    Some(format!("{word} {value}"))
}
