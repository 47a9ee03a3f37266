//! The state of the whole sandbox as text, read with other people's programs (`ip`, `bridge`, `nft`), never with the
//! observation that is under test.
//!
//! One line per thing, below a heading per namespace and subject, so that a difference of two texts reads well. What
//! differs between two equal machines (interface numbers, random hardware addresses, timers, counters) is taken out.

use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_ROUTE};
use nix::sched::{CloneFlags, setns};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// What a snapshot keeps.
#[derive(Clone, Default, Debug)]
pub struct Options {
    /// Keep the handles of nft: what nobody touched still has them.
    pub handles: bool,
    /// Keep the interface numbers.
    pub indexes: bool,
    /// Hardware and link-local addresses that stand in this text are kept, all others are taken for random. An empty
    /// text keeps none.
    pub known: String,
    /// Keep all hardware and link-local addresses: for a comparison of one and the same machine before and after.
    pub addresses: bool,
    /// Leave `/run/topo` out.
    pub without_record: bool,
    /// More namespaces, by path (`/proc/7/ns/net`), beside those in `/run/netns`.
    pub more: Vec<String>,
}

/// Values that differ between equal machines, or from one second to the next.
const VOLATILE: [&str; 31] = [
    // Which port of a bond works, and since when.
    "active_slave",
    "mii_status",
    "link_failure_count",
    "root_id",
    "bridge_id",
    "root_port",
    "root_path_cost",
    "hello_timer",
    "tcn_timer",
    "topology_change_timer",
    "gc_timer",
    "topology_change",
    "topology_change_detected",
    "designated_bridge",
    "designated_root",
    "designated_port",
    "designated_cost",
    "message_age_timer",
    "forward_delay_timer",
    "hold_timer",
    "id",
    "no",
    "port_no",
    "config_pending",
    "topology_change_ack",
    "packets",
    "bytes",
    "link_netnsid",
    "link_index",
    // The same two as `bridge fdb` calls them.
    "linkNetNsId",
    "viaIfIndex",
];

/// Sysctls that move by themselves, or that are random.
const RESTLESS: [&str; 7] =
    ["nf_conntrack_count", "netdev_rss_key", "tcp_fastopen_key", "stable_secret", "flush", "mc_forwarding", "udp_mem"];

/// What the modules of tunnels put into every namespace: their hundreds of settings are left out, for time. The devices
/// themselves are not.
const FALLBACKS: [&str; 9] =
    ["gre0", "gretap0", "erspan0", "tunl0", "sit0", "ip6tnl0", "ip6gre0", "ip_vti0", "ip6_vti0"];

/// The state of the machine as it is at this instant, normalised.
pub fn snapshot_with(options: &Options) -> String {
    let mut spaces = vec![("host".to_owned(), "/proc/thread-self/ns/net".to_owned())];
    for name in names("/run/netns") {
        let path = format!("/run/netns/{name}");
        // `topo` and `ip` leave a plain file for an instant; that is a finding, not a reason to stop.
        spaces.push((name, path));
    }
    spaces.extend(options.more.iter().map(|path| (path.clone(), path.clone())));
    let mut read: Vec<Space> = spaces.into_iter().map(|(name, path)| Space::read(&name, &path)).collect();
    if !options.addresses {
        read.iter_mut().for_each(Space::without_chance);
    }
    let mut out = String::new();
    let _ = writeln!(out, "== namespaces\n{:?}", names("/run/netns"));
    for space in &read {
        space.print(&read, options, &mut out);
    }
    for folder in ["/etc/netns", "/run/topo"] {
        if folder == "/run/topo" && options.without_record {
            continue;
        }
        let _ = writeln!(out, "== {folder}");
        files(Path::new(folder), folder == "/etc/netns", &mut out);
    }
    out
}

/// A snapshot without what tells how a machine came to be as it is, not what it is set to: link-local addresses, which
/// come and get ready in their own time; carrier and what follows from it; what a link that is down shows of having
/// been up. A bridge that has lost its last port has neither carrier nor an address of its own any more
/// (`br_port_state_selection`, `br_stp_recalculate_bridge_id`), a fresh one without ports has both.
pub fn without_history(snapshot: &str) -> String {
    // What `lo` has of a default depends on who wrote it first (`devinet_copy_dflt_conf` copies once), and means
    // nothing there. The kernel's rule for VRFs stays when the last one is gone.
    const LATE: [&str; 9] = [
        "net/ipv4/conf/lo/",
        "stable_secret",
        "LINK-LOCAL",
        "\"fe80::",
        "\"ff00::/8\"",
        "\"33:33:",
        "\"01:80:c2",
        "\"01:00:5e",
        "\"l3mdev\":null",
    ];
    const STATES: [(&str, &str); 11] = [
        ("\"qdisc\":\"noop\"", "\"qdisc\":\"noqueue\""),
        ("[\"linkdown\"]", "[]"),
        ("\"NO-CARRIER\",", ""),
        (",\"LOWER_UP\"", ""),
        ("\"state\":\"disabled\"", "\"state\":\"forwarding\""),
        ("\"state\":\"listening\"", "\"state\":\"forwarding\""),
        ("\"state\":\"learning\"", "\"state\":\"forwarding\""),
        ("\"operstate\":\"LOWERLAYERDOWN\",", ""),
        ("\"operstate\":\"UNKNOWN\",", ""),
        ("\"operstate\":\"DOWN\",", ""),
        ("\"operstate\":\"UP\",", ""),
    ];
    let settled = |line: &str| {
        let mut line = STATES.iter().fold(line.to_owned(), |line, (state, plain)| line.replace(state, plain));
        if line.contains("\"info_kind\":\"bridge\"") {
            line = line.replace("\"address\":\"00:00:00:00:00:00\"", "\"address\":\"MAC\"");
        }
        // A bridge has the least of its ports, a macvlan on it what that was when it was made
        // (`netif_inherit_tso_max`). Queues are born with a link, and stay when the file does not speak of them any
        // more.
        let born = ["\"tso_max_size\"", "\"num_tx_queues\"", "\"num_rx_queues\""];
        line.split(',').filter(|part| !born.iter().any(|born| part.starts_with(born))).collect::<Vec<_>>().join(",")
    };
    // The kernel makes these of addresses, those of IPv6 when they are ready.
    let of_an_address = |line: &str| line.contains("\"protocol\":\"kernel\"") && line.contains("\"table\":\"local\"");
    let stays =
        |line: &&str| !LATE.iter().any(|word| line.contains(word)) && !is_a_bridges_own(line) && !of_an_address(line);
    let mut lines: Vec<String> = snapshot.lines().filter(stays).map(settled).collect();
    // Routes are listed as they came to be.
    for section in lines.chunk_by_mut(|_, next| !next.starts_with("== ")) {
        if section.first().is_some_and(|heading| heading.ends_with(" routes")) {
            section.sort();
        }
    }
    lines.into_iter().map(|line| line + "\n").collect()
}

/// Whether a forwarding entry is a bridge's own of itself, which comes and goes with its first port.
fn is_a_bridges_own(line: &str) -> bool {
    let word = |key: &str| line.split_once(&format!("\"{key}\":\"")).and_then(|(_, rest)| rest.split('"').next());
    word("master").is_some() && word("master") == word("ifname") && line.contains("\"state\":\"permanent\"")
}

fn names(folder: &str) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .map(|dir| dir.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect())
        .unwrap_or_default();
    names.sort();
    names
}

fn files(folder: &Path, content: bool, out: &mut String) {
    for name in names(&folder.to_string_lossy()) {
        // How often something was applied is no state of the machine. The folder around it is listed, so that nothing
        // is left without a line here.
        if name.starts_with("apply-") && folder.starts_with("/run/topo") {
            continue;
        }
        let path = folder.join(name);
        let _ = writeln!(out, "{}", path.display());
        if path.is_dir() {
            files(&path, content, out);
        } else if content {
            for line in std::fs::read_to_string(&path).unwrap_or_default().lines() {
                let _ = writeln!(out, "    {line}");
            }
        }
    }
}

/// A namespace as it was read.
#[derive(Default)]
struct Space {
    name: String,
    /// The namespace cannot be entered: why.
    failure: Option<String>,
    links: Vec<Value>,
    /// Names of the namespaces that its links' peers are in, by their number here.
    ids: BTreeMap<i64, String>,
    routes: Vec<Value>,
    rules: Vec<Value>,
    neighbors: Vec<Value>,
    ports: Vec<Value>,
    fdb: Vec<Value>,
    vlans: Vec<Value>,
    queues: Vec<Value>,
    nft: Vec<Value>,
    sysctls: Vec<(String, String)>,
    protocols: BTreeMap<(i64, String), u8>,
}

impl Space {
    /// Reads everything on a thread of its own: what it starts is in its namespace too, and `/proc/sys/net` is that
    /// namespace's.
    fn read(name: &str, path: &str) -> Self {
        std::thread::scope(|scope| scope.spawn(|| Self::read_here(name, path)).join().expect("reading a namespace"))
    }

    fn read_here(name: &str, path: &str) -> Self {
        let mut space = Self { name: name.to_owned(), ..Self::default() };
        if name != "host"
            && let Err(error) = File::open(path)
                .map_err(|e| e.to_string())
                .and_then(|file| setns(file, CloneFlags::CLONE_NEWNET).map_err(|e| e.to_string()))
        {
            space.failure = Some(error);
            return space;
        }
        // As few programs as can be: each start takes 20 ms in the lane.
        let [links, ids] = jsons("ip", &["-d", "-j"], ["addr show", "netns list-id"]);
        space.links = links;
        for id in ids {
            if let (Some(id), name) = (id["nsid"].as_i64(), id["name"].as_str()) {
                space.ids.insert(id, name.unwrap_or("host").to_owned());
            }
        }
        for family in ["-4", "-6"] {
            space.routes.extend(json("ip", &[family, "-d", "-j", "route", "show", "table", "all"]));
            let [rules, permanent, proxies] =
                jsons("ip", &[family, "-d", "-j"], ["rule show", "neigh show nud permanent", "neigh show proxy"]);
            space.rules.extend(rules);
            space.neighbors.extend(permanent.into_iter().chain(proxies));
        }
        let [ports, fdb] = jsons("bridge", &["-d", "-j"], ["link show", "fdb show"]);
        space.ports = ports;
        // The other end of a pair, which `bridge` looks up in the wrong namespace.
        space.ports.iter_mut().for_each(|port| without(port, "link"));
        space.fdb =
            fdb.into_iter().filter(|entry| entry["state"].as_str().is_some_and(|state| !state.is_empty())).collect();
        // Fails where the kernel has no VLANs.
        space.vlans = json("bridge", &["-j", "vlan", "show"]);
        // Those of handle 0 the kernel gives to a link by itself, when it is up for the first time.
        space.queues =
            json("tc", &["-j", "qdisc", "show"]).into_iter().filter(|queue| queue["handle"] != "0:").collect();
        space.queues.iter_mut().for_each(|queue| without(queue, "refcnt"));
        space.nft = json("nft", &["-a", "-j", "list", "ruleset"])
            .first()
            .and_then(|all| all["nftables"].as_array().cloned())
            .unwrap_or_default();
        sysctls(Path::new("/proc/sys/net"), &mut space.sysctls);
        space.protocols = protocols();
        space
    }

    /// Without what IPv6 does by itself on a link that has no carrier: whether a bridge that comes up before its ports
    /// got a link-local address depends on whether the kernel had noticed yet that there is none (`linkwatch` works
    /// once a second, `addrconf_notify` asks it).
    fn without_chance(&mut self) {
        let dark =
            |link: &Value| link["flags"].as_array().is_some_and(|flags| flags.iter().any(|flag| flag == "NO-CARRIER"));
        let names: Vec<String> = self
            .links
            .iter()
            .filter(|link| dark(link))
            .filter_map(|link| link["ifname"].as_str().map(str::to_owned))
            .collect();
        let on_dark =
            |value: &Value, key: &str| value[key].as_str().is_some_and(|name| names.iter().any(|dark| dark == name));
        for link in self.links.iter_mut().filter(|link| dark(link)) {
            if let Some(addresses) = link["addr_info"].as_array_mut() {
                addresses.retain(|address| !address["local"].as_str().is_some_and(|local| local.starts_with("fe80::")));
            }
        }
        let made = |route: &Value| {
            route["dst"].as_str().is_some_and(|dst| dst.starts_with("fe80::") || dst == "ff00::/8")
                && route["protocol"] == "kernel"
        };
        self.routes.retain(|route| !(on_dark(route, "dev") && made(route)));
        self.fdb.retain(|entry| {
            !(on_dark(entry, "ifname") && entry["mac"].as_str().is_some_and(|mac| mac.starts_with("33:33:ff:")))
        });
    }

    fn print(&self, all: &[Space], options: &Options, out: &mut String) {
        if let Some(failure) = &self.failure {
            let _ = writeln!(out, "== {}\nnot a namespace: {failure}", self.name);
            return;
        }
        let mut section = |subject: &str, lines: Vec<String>| {
            let _ = writeln!(out, "== {} {subject}", self.name);
            for line in lines {
                let _ = writeln!(out, "{line}");
            }
        };
        section("links", self.link_lines(all, options));
        let lines = |values: &[Value]| {
            let mut lines: Vec<String> =
                values.iter().map(|value| scrubbed(value.clone(), options).to_string()).collect();
            lines.sort();
            lines
        };
        section("routes", lines(&self.routes));
        section("rules", lines(&self.rules));
        section("neighbors", lines(&self.neighbors));
        // `bridge` looks up the number of a peer in this namespace, and so names some other link; the peer stands
        // above, with the links.
        let ports = self.ports.iter().cloned().map(|mut port| {
            without(&mut port, "link");
            without(&mut port, "flags");
            port
        });
        section("ports", lines(&ports.collect::<Vec<_>>()));
        section("fdb", lines(&self.fdb));
        section("vlans", lines(&self.vlans));
        let queues = self.queues.iter().cloned().map(|mut queue| {
            if !options.handles {
                without(&mut queue, "handle");
            }
            queue
        });
        section("queues", lines(&queues.collect::<Vec<_>>()));
        section("nft", self.nft_lines(options));
        section("sysctls", self.sysctls.iter().map(|(key, value)| format!("{key} = {value}")).collect());
    }

    /// A line per link and one per address, in name order; a peer by its name, wherever it is.
    fn link_lines(&self, all: &[Space], options: &Options) -> Vec<String> {
        let mut links = self.links.clone();
        links.sort_by_key(|link| link["ifname"].as_str().map(str::to_owned));
        let mut lines = Vec::new();
        for mut link in links {
            let peer = self.peer(&link, all);
            let index = link["ifindex"].as_i64().unwrap_or_default();
            let name = link["ifname"].as_str().unwrap_or_default().to_owned();
            let addresses = link["addr_info"].as_array().cloned().unwrap_or_default();
            // A number, or the name that it happens to have here: the peer tells.
            without(&mut link["linkinfo"]["info_data"], "link");
            if let Some(map) = link.as_object_mut() {
                map.remove("addr_info");
                if FALLBACKS.contains(&name.as_str()) {
                    // Random in each namespace.
                    map.remove("permaddr");
                }
                if let Some(peer) = peer {
                    map.insert("peer".into(), peer.into());
                    map.remove("link");
                }
            }
            lines.push(format!("{name} {}", scrubbed(link, options)));
            // Not in the kernel's order: what of it means something, which address of a subnet is the primary one, the
            // flag `secondary` tells.
            let mut of_link = Vec::new();
            for mut address in addresses {
                let text = format!("{}/{}", address["local"].as_str().unwrap_or_default(), address["prefixlen"]);
                let protocol = self.protocols.get(&(index, text)).copied();
                if let Some(map) = address.as_object_mut() {
                    map.insert("proto".into(), protocol.into());
                    map.remove("tentative");
                }
                of_link.push(format!("{name} address {}", scrubbed(address, options)));
            }
            of_link.sort();
            lines.extend(of_link);
        }
        lines
    }

    /// Where the other end is, or what a link stands on: `NODE/INTERFACE`.
    fn peer(&self, link: &Value, all: &[Space]) -> Option<String> {
        if let Some(name) = link["link"].as_str() {
            return Some(format!("{}/{name}", self.name));
        }
        // A vxlan over an interface of another namespace gives its own number (it has no `get_iflink`), which means
        // nothing there.
        let index = link["link_index"]
            .as_i64()
            .filter(|index| link["linkinfo"]["info_kind"] != "vxlan" || link["ifindex"].as_i64() != Some(*index))?;
        let node = match link["link_netnsid"].as_i64() {
            Some(id) => self.ids.get(&id).cloned().unwrap_or_else(|| "host".to_owned()),
            None => self.name.clone(),
        };
        let space = all.iter().find(|space| space.name == node)?;
        let name = space
            .links
            .iter()
            .find(|other| other["ifindex"].as_i64() == Some(index))
            .and_then(|other| other["ifname"].as_str());
        Some(format!("{node}/{}", name.unwrap_or("?")))
    }

    /// The ruleset: tables in name order, everything in a table in its own.
    fn nft_lines(&self, options: &Options) -> Vec<String> {
        let mut lines: Vec<(String, String)> = Vec::new();
        for item in &self.nft {
            let Some((kind, content)) = item.as_object().and_then(|map| map.iter().next()) else { continue };
            if kind == "metainfo" {
                continue;
            }
            let table = if kind == "table" { &content["name"] } else { &content["table"] };
            let key =
                format!("{} {}", content["family"].as_str().unwrap_or_default(), table.as_str().unwrap_or_default());
            let mut item = scrubbed(item.clone(), options);
            if !options.handles {
                without(&mut item, "handle");
            }
            lines.push((key, item.to_string()));
        }
        lines.sort_by(|a, b| a.0.cmp(&b.0));
        lines.into_iter().map(|(_, line)| line).collect()
    }
}

fn without(value: &mut Value, key: &str) {
    match value {
        Value::Object(map) => {
            map.remove(key);
            map.values_mut().for_each(|value| without(value, key));
        }
        Value::Array(list) => list.iter_mut().for_each(|value| without(value, key)),
        _ => {}
    }
}

/// Without what differs between equal machines.
fn scrubbed(mut value: Value, options: &Options) -> Value {
    for key in VOLATILE {
        without(&mut value, key);
    }
    if !options.indexes {
        without(&mut value, "ifindex");
    }
    if !options.addresses {
        words(&mut value, &options.known.to_lowercase());
    }
    value
}

/// Random hardware and link-local addresses become one word.
fn words(value: &mut Value, known: &str) {
    match value {
        Value::Object(map) => map.values_mut().for_each(|value| words(value, known)),
        Value::Array(list) => list.iter_mut().for_each(|value| words(value, known)),
        Value::String(text) => {
            let mac = text.len() == 17
                && text.split(':').count() == 6
                && text.split(':').all(|part| part.len() == 2 && part.chars().all(|c| c.is_ascii_hexdigit()));
            let fixed = ["00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff"].contains(&text.as_str())
                || text.starts_with("33:33:")
                || text.starts_with("01:00:5e");
            if mac && !fixed && !known.contains(text.as_str()) {
                *text = "MAC".into();
            } else if text.starts_with("33:33:ff:") {
                *text = "33:33:ff:MAC".into();
            } else if text.starts_with("fe80::")
                && text.as_str() != "fe80::"
                && !text.starts_with("fe80::/")
                && !known.contains(text.split('/').next().unwrap_or_default())
            {
                *text = "LINK-LOCAL".into();
            }
        }
        _ => {}
    }
}

/// What a program that prints a list as JSON printed. One that fails is a finding of its own: the line says so.
fn json(program: &str, args: &[&str]) -> Vec<Value> {
    let output = Command::new(program).args(args).output().unwrap_or_else(|error| panic!("{program}: {error}"));
    let text = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() && text.trim().is_empty() {
        // iproute2 fails on an IPv6 table that does not exist yet; that is as good as an empty one.
        return Vec::new();
    }
    match serde_json::from_str(text.trim()) {
        Ok(Value::Array(list)) => list,
        Ok(one) => vec![one],
        Err(_) if text.trim().is_empty() => Vec::new(),
        Err(error) => panic!("{program} {args:?} does not print JSON: {error}: {text}"),
    }
}

/// What a program of iproute2 prints for several lines of arguments, started once.
fn jsons<const N: usize>(program: &str, options: &[&str], lines: [&str; N]) -> [Vec<Value>; N] {
    let mut child = Command::new(program)
        .args(options)
        .args(["-batch", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    let _ = child.stdin.take().expect("a pipe").write_all((lines.join("\n") + "\n").as_bytes());
    let output = child.wait_with_output().unwrap_or_else(|error| panic!("{program}: {error}"));
    let answers: Result<Vec<Vec<Value>>, _> =
        serde_json::Deserializer::from_slice(&output.stdout).into_iter().collect();
    // A version that prints nothing for nothing leaves open which answer is whose.
    match answers.map(<[Vec<Value>; N]>::try_from) {
        Ok(Ok(answers)) => answers,
        _ => lines.map(|line| json(program, &[options, &line.split(' ').collect::<Vec<_>>()].concat())),
    }
}

fn sysctls(folder: &Path, out: &mut Vec<(String, String)>) {
    for name in names(&folder.to_string_lossy()) {
        let path = folder.join(&name);
        if path.is_dir() && FALLBACKS.contains(&name.as_str()) {
            continue;
        }
        if path.is_dir() {
            sysctls(&path, out);
        } else if !RESTLESS.contains(&name.as_str())
            && let Ok(text) = std::fs::read_to_string(&path)
        {
            let key = path.strip_prefix("/proc/sys").unwrap_or(&path).display().to_string();
            out.push((key, text.split_whitespace().collect::<Vec<_>>().join(" ")));
        }
    }
}

/// The protocol of each address (`IFA_PROTO`, 11 in `linux/if_addr.h`), by interface number and address: iproute2
/// prints it from 6.3 on only.
fn protocols() -> BTreeMap<(i64, String), u8> {
    let mut socket = Socket::new(NETLINK_ROUTE).unwrap();
    socket.bind_auto().unwrap();
    // nlmsghdr: length, RTM_GETADDR, NLM_F_REQUEST | NLM_F_DUMP, sequence, port; then an empty ifaddrmsg.
    let mut request = Vec::new();
    request.extend(24_u32.to_ne_bytes());
    request.extend(22_u16.to_ne_bytes());
    request.extend(0x301_u16.to_ne_bytes());
    request.extend([0; 8]);
    request.extend([0; 8]);
    socket.send_to(&request, &SocketAddr::new(0, 0), 0).unwrap();
    let mut found = BTreeMap::new();
    loop {
        let (buffer, _) = socket.recv_from_full().unwrap();
        let mut rest = buffer.as_slice();
        while rest.len() >= 16 {
            let length = u32::from_ne_bytes(rest[..4].try_into().unwrap()) as usize;
            let kind = u16::from_ne_bytes(rest[4..6].try_into().unwrap());
            match kind {
                20 => address(&rest[16..length], &mut found),
                2 | 3 => return found,
                _ => {}
            }
            rest = &rest[length.next_multiple_of(4).min(rest.len())..];
        }
    }
}

fn address(message: &[u8], found: &mut BTreeMap<(i64, String), u8>) {
    let (length, index) = (message[1], u32::from_ne_bytes(message[4..8].try_into().unwrap()));
    let (mut address, mut local, mut protocol) = (None, None, None);
    let mut rest = &message[8..];
    while rest.len() >= 4 {
        let size = u16::from_ne_bytes(rest[..2].try_into().unwrap()) as usize;
        let body = &rest[4..size];
        match u16::from_ne_bytes(rest[2..4].try_into().unwrap()) {
            1 => address = Some(ip(body)),
            2 => local = Some(ip(body)),
            11 => protocol = body.first().copied(),
            _ => {}
        }
        rest = &rest[size.next_multiple_of(4).min(rest.len())..];
    }
    if let (Some(ip), Some(protocol)) = (local.or(address), protocol) {
        found.insert((i64::from(index), format!("{ip}/{length}")), protocol);
    }
}

fn ip(body: &[u8]) -> std::net::IpAddr {
    match <[u8; 4]>::try_from(body) {
        Ok(four) => std::net::IpAddr::from(four),
        Err(_) => std::net::IpAddr::from(<[u8; 16]>::try_from(body).unwrap()),
    }
}
