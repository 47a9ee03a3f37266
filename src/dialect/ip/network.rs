//! Addresses, neighbours, routes and policy rules in `ip` and `bridge` words.

use super::words::Words;
use crate::resource::mark::PROTOCOL;
use crate::resource::{
    Address, Family, Fdb, FdbTarget, Neighbor, NextHop, Route, RouteKind, Rule, Setting, TableId, quote, scope_word,
};
use std::net::IpAddr;

impl Words {
    pub(super) fn address(&self, verb: &str, address: &Address) -> String {
        let mut words = vec![self.ip(&address.link.node), format!("address {verb}")];
        match address.peer {
            Some(peer) => {
                words.push(format!("{} peer {peer}/{}", address.address.addr(), address.address.prefix_len()))
            }
            None => words.push(address.address.to_string()),
        }
        words.push(format!("dev {}", quote(address.link.name.as_str())));
        if verb != "delete" {
            if let Some(scope) = address.scope.get().filter(|scope| **scope != 0) {
                words.push(format!("scope {}", scope_word(*scope)));
            }
            if let Some(label) = address.label.get().filter(|label| **label != *address.link.name.as_str()) {
                words.push(format!("label {}", quote(label)));
            }
            if address.nodad == Setting::Is(true) {
                words.push("nodad".to_owned());
            }
            words.extend(Some(address.more_words()).filter(|words| !words.is_empty()));
            if let Some((valid, preferred)) = address.lifetime {
                let seconds = |seconds| if seconds == u32::MAX { "forever".to_owned() } else { format!("{seconds}") };
                words.push(format!("valid_lft {} preferred_lft {}", seconds(valid), seconds(preferred)));
            }
        }
        words.join(" ")
    }

    pub(super) fn neighbor(&self, verb: &str, neighbor: &Neighbor) -> String {
        let mut words = vec![self.ip(&neighbor.link.node), format!("neighbor {verb}")];
        if neighbor.proxy {
            words.push("proxy".to_owned());
        }
        words.push(neighbor.address.to_string());
        if let Some(mac) = neighbor.mac.filter(|_| verb != "delete") {
            words.push(format!("lladdr {mac}"));
        }
        words.push(format!("dev {}", quote(neighbor.link.name.as_str())));
        if verb != "delete" {
            if !neighbor.proxy && neighbor.permanent {
                words.push("nud permanent".to_owned());
            }
            words.extend(self.protocol(neighbor.marked, "protocol"));
        }
        words.join(" ")
    }

    pub(super) fn fdb(&self, verb: &str, entry: &Fdb) -> String {
        let bridge = self.program("bridge", &entry.link.node);
        let gone = verb == "delete";
        let (what, verb, state) = match entry.to {
            FdbTarget::End(dst) => (format!(" dst {dst} self"), verb, " permanent"),
            // `append` is for entries that may have several ends.
            FdbTarget::Port(0) => (" master".to_owned(), if gone { verb } else { "replace" }, " static"),
            FdbTarget::Port(vlan) => (format!(" vlan {vlan} master"), if gone { verb } else { "replace" }, " static"),
        };
        format!(
            "{bridge} fdb {verb} {} dev {}{what}{}",
            entry.mac,
            quote(entry.link.name.as_str()),
            if gone { "" } else { state }
        )
    }

    pub(super) fn route(&self, verb: &str, route: &Route) -> String {
        let v6 = route.key.to.addr().is_ipv6();
        let mut words = vec![self.ip(&route.node)];
        if v6 {
            words.push("-6".to_owned());
        }
        words.push(format!("route {verb}"));
        if route.kind != RouteKind::Unicast {
            words.push(route.kind.word().to_owned());
        }
        words.push(if route.key.to.prefix_len() == 0 { "default".to_owned() } else { route.key.to.to_string() });
        words.extend(route.key.from.map(|from| format!("from {from}")));
        words.extend((route.key.tos != 0).then(|| format!("tos {:#04x}", route.key.tos)));
        let hops = if route.nhid.is_some() { &[] } else { route.nexthops.as_slice() };
        if let [hop] = hops {
            words.extend(hop_words(hop, v6));
        }
        if route.key.table != TableId::MAIN {
            words.push(format!("table {}", quote(&route.key.table.to_string())));
        }
        if route.key.metric != if v6 { 1024 } else { 0 } {
            words.push(format!("metric {}", route.key.metric));
        }
        if let Some(source) = route.source {
            words.push(format!("src {source}"));
        }
        if let Some(scope) = route.unusual_scope() {
            words.push(format!("scope {}", scope_word(scope)));
        }
        words.extend(self.protocol(route.marked, "proto"));
        words.extend((!route.marked && route.protocol != 3).then(|| format!("proto {}", route.protocol)));
        if let Some(mtu) = route.mtu {
            words.push(format!("mtu {mtu}"));
        }
        words.extend([route.metric_words(), route.more_words()].into_iter().filter(|words| !words.is_empty()));
        if let [_, _, ..] = hops {
            for hop in hops {
                words.push("nexthop".to_owned());
                words.extend(hop_words(hop, v6));
                words.push(format!("weight {}", hop.weight));
            }
        }
        if hops.iter().any(|hop| hop.raw.has_encapsulation()) {
            words.push("# with the encapsulation that it had".to_owned());
        }
        words.join(" ")
    }

    pub(super) fn rule(&self, verb: &str, rule: &Rule) -> String {
        let mut words = vec![self.ip(&rule.node)];
        if rule.key.family == Family::V6 {
            words.push("-6".to_owned());
        }
        words.push(format!("rule {verb} {}", rule.key));
        words.extend(
            (rule.protocol != 0 && !rule.marked && !rule.kernel).then(|| format!("protocol {}", rule.protocol)),
        );
        words.extend(self.protocol(rule.marked && !rule.kernel, "protocol"));
        words.join(" ")
    }

    /// The protocol number that marks what is topo's; left out where no marks are set.
    fn protocol(&self, marked: bool, word: &str) -> Option<String> {
        (marked && self.topology.is_some()).then(|| format!("{word} {PROTOCOL}"))
    }
}

fn hop_words(hop: &NextHop, v6: bool) -> Vec<String> {
    let mut words = Vec::new();
    if let Some(via) = hop.via {
        words.push(match via {
            IpAddr::V6(via) if !v6 => format!("via inet6 {via}"),
            IpAddr::V4(via) if v6 => format!("via inet {via}"),
            via => format!("via {via}"),
        });
    }
    if let Some(dev) = &hop.dev {
        words.push(format!("dev {}", quote(dev.as_str())));
    }
    if hop.onlink {
        words.push("onlink".to_owned());
    }
    words.extend(hop.raw.route_words());
    words
}
