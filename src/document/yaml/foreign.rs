//! What people write who come from `ip`, `nft` and netplan, and how it is said here.

use super::tree::{Data, Yaml};

/// Keys of others, and the keys of this language that mean the same somewhere; which of them is meant, the map at hand
/// says.
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
    ("ip", &["addresses", "to"]),
    ("ips", &["addresses"]),
    ("addr", &["addresses"]),
    ("ipv4", &["addresses"]),
    ("forward", &["forwarding"]),
    ("ip-forward", &["forwarding"]),
    ("ip_forward", &["forwarding"]),
    ("ipv4-forwarding", &["forwarding"]),
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
    // A destination as the key: `- default: 10.0.0.1`.
    if keys.contains(&"nexthops") && (text == "default" || text.parse::<ipnet::IpNet>().is_ok()) {
        return Some(format!("write {{ to: {text}, via: ADDRESS }}"));
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
            let Some(texts) =
                items.iter().map(|item| scalar(item).map(|(text, _)| text)).collect::<Option<Vec<&str>>>()
            else {
                return listed(yaml);
            };
            let key = ["ports", "nameservers"].into_iter().find(|key| has(key))?;
            return (!texts.is_empty()).then(|| format!("write {{ {key}: [{}] }}", texts.join(", ")));
        }
        _ => scalar(yaml)?,
    };
    match text {
        "true" | "yes" | "on" if plain && has("netns") => {
            return Some("say where it is: { netns: NAME }, { path: PATH } or { pid: NUMBER }".to_owned());
        }
        "true" | "yes" | "on" if plain => return Some("write {} where nothing more is to be said".to_owned()),
        "false" | "no" | "off" if plain && has("accept-ra") => return Some("write { disable: true }".to_owned()),
        "false" | "no" | "off" if plain => return Some("leave the key out where it is not wanted".to_owned()),
        _ => {}
    }
    let written = one(text, &has)?;
    Some(format!("write {{ {written} }}"))
}

/// What is written instead of a list, where a map with names as keys is meant: `- RED`, `- eth0: { … }`,
/// `- name: eth0`, `- net.ipv4.ip_forward=1`.
pub fn listed(yaml: &Yaml<'_>) -> Option<String> {
    let Data::List(items) = yaml.data() else { return None };
    let first = items.first()?;
    let Data::Map(pairs) = first.data() else {
        let (text, _) = scalar(first)?;
        return Some(match text.split_once('=') {
            Some((key, value)) => {
                format!("it is a map: write each without the dash, as `{}: {}`", key.trim(), value.trim())
            }
            None => format!("it is a map: write each without the dash, as `{text}: {{}}`"),
        });
    };
    let (key, value) = pairs.first()?;
    let name = if key.text() == "name" { value.text() } else { key.text() };
    (!name.is_empty() && name.len() <= 60 && !name.contains(['\n', '"', '`']))
        .then(|| format!("it is a map: write each by its name and without the dash, as `{name}: …`"))
}

/// What is written instead of a map, where a list is meant.
pub fn mapped(yaml: &Yaml<'_>) -> Option<String> {
    let Data::Map(pairs) = yaml.data() else { return None };
    let key = pairs.first()?.0.text();
    (!key.is_empty() && key.len() <= 60 && !key.contains(['\n', '"', '`']))
        .then(|| format!("it is a list: write a dash before each entry, as `- {key}: …`"))
}

/// A route in the words of `ip route`: `default via 10.0.0.1 dev eth0`.
fn route(text: &str) -> Option<String> {
    let mut words = text.split_whitespace().peekable();
    let mut pairs = Vec::new();
    if let Some(kind) = words.next_if(|word| TYPES.contains(word)) {
        pairs.push(format!("type: {kind}"));
    }
    let to = words.next().filter(|word| {
        *word == "default" || word.parse::<ipnet::IpNet>().is_ok() || word.parse::<std::net::IpAddr>().is_ok()
    })?;
    pairs.insert(0, format!("to: {}", shown(to)));
    while let Some(key) = words.next() {
        let key = match key {
            "via" | "dev" | "metric" | "table" | "mtu" | "scope" => key,
            "src" => "source",
            _ => return None,
        };
        pairs.push(format!("{key}: {}", shown(words.next()?)));
    }
    Some(pairs.join(", "))
}

/// A text as it is written in YAML: with a colon in it, in quotes.
fn shown(text: &str) -> String {
    if text.contains(':') { format!("{text:?}") } else { text.to_owned() }
}

/// The keys that say what `text` says alone.
fn one(text: &str, has: &dyn Fn(&str) -> bool) -> Option<String> {
    if has("nexthops") && has("via") {
        return route(text);
    }
    // What a NAT rule that has no target of its own is for.
    if has("out") && has("in") && !has("accept") && !has("to") && !text.contains([' ', '.', ':', '/']) {
        return Some(format!("out: {text}"));
    }
    let number = text.bytes().all(|byte| byte.is_ascii_digit());
    let address = text.parse::<std::net::IpAddr>().is_ok();
    let shown = shown(text);
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
        Data::Scalar(text, plain) if !yaml.is_null() && text.len() <= 60 && !text.contains(['\n', '"']) => {
            Some((text, *plain))
        }
        _ => None,
    }
}
