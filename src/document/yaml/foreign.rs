//! What people write who come from `ip`, `nft` and netplan, and how it is said here.

use super::tree::{Data, Yaml};

/// Keys of others, and the keys of this language that mean the same somewhere; which of them is meant, the map at hand says.
pub(crate) const KEYS: &[(&str, &[&str])] = &[
    ("iif", &["in"]),
    ("iifname", &["in", "iif"]),
    ("in-interface", &["in", "iif"]),
    ("oif", &["out"]),
    ("oifname", &["out", "oif"]),
    ("out-interface", &["out", "oif"]),
    ("src", &["source", "from", "local"]),
    ("saddr", &["source", "from"]),
    ("from", &["source"]),
    ("dst", &["destination", "to", "remote"]),
    ("daddr", &["destination", "to"]),
    ("sport", &["source-port"]),
    ("dport", &["port"]),
    ("dstport", &["port"]),
    ("proto", &["protocol"]),
    ("ipproto", &["protocol"]),
    ("fwmark", &["mark"]),
    ("mark", &["fwmark", "set-mark"]),
    ("ct-state", &["state"]),
    ("gateway", &["via"]),
    ("gateway4", &["routes"]),
    ("gateway6", &["routes"]),
    ("gw", &["via"]),
    ("next-hop", &["via"]),
    ("interface", &["dev"]),
    ("lookup", &["table"]),
    ("pref", &["priority"]),
    ("preference", &["priority"]),
    ("routing-policy", &["rules"]),
    ("nameservers", &["dns"]),
    ("neigh", &["neighbors"]),
    ("neighbours", &["neighbors"]),
    ("vni", &["id"]),
    ("vlan-id", &["id"]),
    ("parent", &["link"]),
    ("dev", &["link"]),
    ("lower", &["link"]),
    ("macaddress", &["mac"]),
    ("mac-address", &["mac"]),
    ("lladdr", &["mac"]),
    ("hwaddr", &["mac"]),
    ("slaves", &["ports"]),
    ("members", &["ports"]),
    ("interfaces", &["ports"]),
    ("vlan-aware", &["vlan-filtering"]),
    ("hoplimit", &["ttl"]),
    ("netem", &["impair"]),
    ("altname", &["alternative-names"]),
];

/// Keys of others that are a type of route here.
const TYPES: &[&str] = &["blackhole", "unreachable", "prohibit", "throw", "local"];
/// Keys of others that are an action of a policy rule here.
const ACTIONS: &[&str] = &["blackhole", "unreachable", "prohibit"];

/// Values of others, and the same here.
pub(crate) const WORDS: &[(&str, &str)] = &[
    ("lacp", "802.3ad"),
    ("round-robin", "balance-rr"),
    ("active-passive", "active-backup"),
    ("ping", "echo-request"),
    ("inet", "ipv4"),
    ("inet6", "ipv6"),
    ("passthrough", "passthru"),
    ("qinq", "802.1ad"),
];

/// What is written instead of the key `text` in a map that has `keys`.
pub fn key(text: &str, keys: &[&str]) -> Option<String> {
    if TYPES.contains(&text) && keys.contains(&"via") && keys.contains(&"type") {
        return Some(format!("write `type: {text}`"));
    }
    if ACTIONS.contains(&text) && keys.contains(&"action") {
        return Some(format!("write `action: {text}`"));
    }
    let (_, ours) = KEYS.iter().find(|(theirs, _)| *theirs == text)?;
    ours.iter().find(|ours| keys.contains(ours)).map(|ours| format!("it is `{ours}` here"))
}

/// The one of `words` that is meant by `text`.
pub fn word<'w>(text: &str, words: &[&'w str]) -> Option<&'w str> {
    let (_, ours) = WORDS.iter().find(|(theirs, _)| theirs.eq_ignore_ascii_case(text))?;
    words.iter().copied().find(|word| word == ours)
}

/// What is written instead of `yaml`, which stands where a map with `keys` is meant.
pub fn map(yaml: &Yaml<'_>, keys: &[&str]) -> Option<String> {
    let has = |key: &str| keys.contains(&key);
    let (text, plain) = match yaml.data() {
        Data::List(items) => {
            let texts: Vec<&str> = items.iter().map(|item| scalar(item).map(|(text, _)| text)).collect::<Option<_>>()?;
            let key = ["ports", "nameservers"].into_iter().find(|key| has(key))?;
            return (!texts.is_empty()).then(|| format!("write {{ {key}: [{}] }}", texts.join(", ")));
        }
        _ => scalar(yaml)?,
    };
    match text {
        "true" | "yes" | "on" if plain && has("netns") => return Some("say where it is: { netns: NAME }, { path: PATH } or { pid: NUMBER }".to_owned()),
        "true" | "yes" | "on" if plain => return Some("write {} where nothing more is to be said".to_owned()),
        "false" | "no" | "off" if plain && has("accept-ra") => return Some("write { disable: true }".to_owned()),
        "false" | "no" | "off" if plain => return Some("leave the key out where it is not wanted".to_owned()),
        _ => {}
    }
    let written = one(text, &has)?;
    Some(format!("write {{ {written} }}"))
}

/// The keys that say what `text` says alone.
fn one(text: &str, has: &dyn Fn(&str) -> bool) -> Option<String> {
    let number = text.bytes().all(|byte| byte.is_ascii_digit());
    let address = text.parse::<std::net::IpAddr>().is_ok();
    let shown = if text.contains(':') { format!("{text:?}") } else { text.to_owned() };
    if has("netns") {
        let key = if number { "pid" } else { "netns" };
        return Some(format!("{}: {shown}", if text.starts_with('/') { "path" } else { key }));
    }
    if has("weight") && has("via") {
        return Some(format!("{}: {shown}", if address { "via" } else { "dev" }));
    }
    if has("accept") && has("nft") {
        let verdict = matches!(text, "accept" | "drop" | "reject");
        return Some(if verdict { format!("{text}: {{}}") } else { format!("nft: {text:?}") });
    }
    if has("link") && has("id") && number {
        return Some(format!("{}id: {text}", if has("remote") { "" } else { "link: INTERFACE, " }));
    }
    let only = [
        ("nameservers", address),
        ("table", number && has("ports")),
        ("link", has("mode") && !number),
        ("ports", !number && !text.is_empty() && !has("table")),
    ];
    let (key, _) = only.into_iter().find(|(key, fits)| *fits && has(key))?;
    Some(if matches!(key, "nameservers" | "ports") { format!("{key}: [{shown}]") } else { format!("{key}: {shown}") })
}

fn scalar<'y>(yaml: &'y Yaml<'_>) -> Option<(&'y str, bool)> {
    match yaml.data() {
        Data::Scalar(text, plain) if !yaml.is_null() && text.len() <= 60 && !text.contains(['\n', '"']) => Some((text, *plain)),
        _ => None,
    }
}
