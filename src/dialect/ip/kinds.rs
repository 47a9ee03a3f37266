//! The attributes of each kind of link, as `ip link … type KIND` takes them.

use super::syntax::switch;
use crate::resource::{Kind, Link, Options, Value, quote};

/// The attributes of a kind, each as `ip link … type KIND` takes it.
pub(super) fn options(kind: &Kind, options: &Options) -> Vec<String> {
    match kind {
        Kind::Bridge => options.iter().filter_map(|(key, value)| bridge_option(key, value)).collect(),
        Kind::Vxlan => vxlan_options(options),
        Kind::Wireguard => Vec::new(),
        Kind::Vlan | Kind::Ipvlan | Kind::Bond => {
            options.iter().filter_map(|(key, value)| own_option(kind, key, value)).collect()
        }
        _ => options.iter().filter_map(|(key, value)| tunnel_option(key, value)).collect(),
    }
}

/// A value as `ip` takes it where switches are 0 and 1 and times are hundredths of a second; nothing where it is not
/// set.
pub(super) fn number(value: &Value) -> Option<String> {
    Some(match value {
        Value::Bool(on) => u8::from(*on).to_string(),
        Value::Centis(centis) => centis.to_string(),
        Value::Millis(millis) => millis.to_string(),
        Value::Unset => return None,
        other => quote(&other.to_string()),
    })
}

fn bridge_option(key: &str, value: &Value) -> Option<String> {
    let word = match key {
        "stp" => "stp_state".to_owned(),
        "multicast-stats" => "mcast_stats_enabled".to_owned(),
        "vlan-stats" => "vlan_stats_enabled".to_owned(),
        other => other.replace("multicast", "mcast").replace('-', "_"),
    };
    Some(format!("{word} {}", number(value)?))
}

fn vxlan_options(options: &Options) -> Vec<String> {
    let mut words = Vec::new();
    let ports = ["source-port-low", "source-port-high"].map(|key| match options.get(key) {
        Some(Value::Number(port)) => *port,
        _ => 0,
    });
    for (key, value) in options {
        let word = match (&**key, value) {
            (_, Value::Unset) | ("source-port-low" | "source-port-high", _) => continue,
            ("remote", Value::Ip(ip)) if ip.is_multicast() => format!("group {ip}"),
            ("port", value) => format!("dstport {value}"),
            ("limit", value) => format!("maxaddress {value}"),
            ("ttl", Value::Number(0)) => "ttl auto".to_owned(),
            ("learning" | "proxy" | "l2miss" | "l3miss", Value::Bool(on)) => {
                format!("{}{key}", if *on { "" } else { "no" })
            }
            ("ageing", Value::Centis(centis)) => format!("ageing {}", centis / 100),
            (key, value) => format!("{key} {value}"),
        };
        words.push(word);
    }
    if ports != [0, 0] {
        words.push(format!("srcport {} {}", ports[0], ports[1]));
    }
    words
}

/// A vlan's, ipvlan's or bond's.
fn own_option(kind: &Kind, key: &str, value: &Value) -> Option<String> {
    Some(match (kind, key, value) {
        (Kind::Vlan, "protocol", Value::Word(word)) => {
            format!("protocol {}", if &**word == "802.1ad" { "802.1ad" } else { "802.1Q" })
        }
        (Kind::Vlan, "reorder-header", Value::Bool(on)) => format!("reorder_hdr {}", switch(*on)),
        (Kind::Vlan, key, Value::Bool(on)) => format!("{} {}", key.replace('-', "_"), switch(*on)),
        (Kind::Ipvlan, "flag", Value::Word(word)) => word.to_string(),
        (Kind::Bond, "primary", Value::Unset) => "primary \"\"".to_owned(),
        (Kind::Bond, "up-delay", value) => format!("updelay {}", number(value)?),
        (Kind::Bond, "down-delay", value) => format!("downdelay {}", number(value)?),
        (Kind::Bond, "transmit-hash-policy", value) => format!("xmit_hash_policy {}", number(value)?),
        (_, key, value) => format!("{} {}", key.replace('-', "_"), number(value)?),
    })
}

/// A tunnel's, macvlan's or vrf's.
fn tunnel_option(key: &str, value: &Value) -> Option<String> {
    Some(match (key, value) {
        ("pmtu-discovery", Value::Bool(on)) => format!("{}pmtudisc", if *on { "" } else { "no" }),
        ("encapsulation-limit", Value::Unset) => "encaplimit none".to_owned(),
        ("encapsulation-limit", value) => format!("encaplimit {}", number(value)?),
        ("port", value) => format!("dstport {}", number(value)?),
        ("key", Value::Unset) => return None,
        (key, value) => format!("{} {}", key.replace('-', "_"), number(value)?),
    })
}

/// Makes a tun or tap, which `ip link` does not.
pub(super) fn tuntap(link: &Link) -> String {
    let mut words = vec![format!("tuntap add dev {} mode {}", quote(link.id.name.as_str()), link.kind.word())];
    for (key, word) in [("owner", "user"), ("group", "group")] {
        words.extend(link.options.get(key).and_then(number).map(|id| format!("{word} {id}")));
    }
    if link.options.get("multi-queue") == Some(&Value::Bool(true)) {
        words.push("multi_queue".to_owned());
    }
    words.join(" ")
}
