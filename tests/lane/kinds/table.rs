//! The rows: what is written before and after, and what `ip` says then.

/// What a change costs a link.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum How {
    /// It stays.
    InPlace,
    /// It is made anew.
    Replaced,
}

/// One attribute, or several that are one.
#[derive(Clone)]
pub struct Row {
    /// Their names in the table of kinds.
    pub of: &'static [&'static str],
    before: String,
    after: String,
    /// Common keys before and after.
    pub keys_before: &'static str,
    pub keys_after: &'static str,
    /// What differs in `ip -d -j link` then: `PATH=VALUE`; a path without a link is one of the data of its kind.
    pub seen: Vec<String>,
    pub how: How,
    /// Another program that says it: lines of shell (`$n` is the namespace), what they print before, and after.
    pub or: Option<(&'static str, &'static str, &'static str)>,
}

impl Row {
    pub fn name(&self) -> &'static str {
        self.of[0]
    }

    pub fn map_before(&self) -> &str {
        &self.before
    }

    pub fn map_after(&self) -> &str {
        &self.after
    }
}

/// A kind.
pub struct Subject {
    /// Its name, by which the table of kinds is meant.
    pub word: &'static str,
    /// What the kernel must have.
    pub features: &'static [&'static str],
    /// Its key in the language.
    pub key: &'static str,
    /// Other interfaces of the node, a line each.
    pub beside: &'static str,
    /// What its map says in any case.
    pub base: &'static str,
    own: &'static [Own],
    /// The links that have its MTU and its hardware address.
    follow: &'static [&'static str],
    /// Whether it has a hardware address to choose.
    mac: bool,
}

/// A row of a kind's own: names, what the map says before beside the base, what it says after instead, what is seen,
/// and what it costs.
struct Own(
    &'static [&'static str],
    &'static str,
    &'static str,
    &'static [&'static str],
    How,
    Option<(&'static str, &'static str, &'static str)>,
);

use How::{InPlace, Replaced};

const fn own(
    of: &'static [&'static str],
    before: &'static str,
    after: &'static str,
    seen: &'static [&'static str],
    how: How,
) -> Own {
    Own(of, before, after, seen, how, None)
}

fn joined(base: &str, more: &str) -> String {
    // A key of the base that is written again is instead of it.
    let key = |item: &str| item.split(':').next().unwrap_or_default().trim().to_owned();
    let again: Vec<String> = more.split(", ").map(key).collect();
    let kept = base.split(", ").filter(|item| !item.is_empty() && !again.contains(&key(item)));
    kept.chain(Some(more).filter(|more| !more.is_empty())).collect::<Vec<_>>().join(", ")
}

/// Texts of one's own.
fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

impl Subject {
    pub fn rows(&self) -> Vec<Row> {
        let mut rows: Vec<Row> = self
            .own
            .iter()
            .map(|Own(of, before, after, seen, how, by)| Row {
                of,
                before: joined(self.base, before),
                after: joined(&joined(self.base, before), after),
                keys_before: "",
                keys_after: "",
                seen: self.seen(seen),
                how: if self.word == "sit" && of[0] == "local" { Replaced } else { *how },
                or: *by,
            })
            .collect();
        if self.word == "port" {
            return self.ports();
        }
        let common: [(&'static [&'static str], &'static str, &'static str, &'static [&'static str]); 4] = [
            (&["mtu"], "", "mtu: 1321", &["x0/mtu=1321"]),
            (&["up"], "", "up: false", &["x0/up=false"]),
            (&["txqueuelen"], "", "txqueuelen: 77", &["x0/txqlen=77"]),
            (
                &["alternative-names"],
                "",
                "alternative-names: [other, a-rather-long-other-name]",
                &["x0/altnames=a-rather-long-other-name other"],
            ),
        ];
        let mac: (&'static [&'static str], &'static str, &'static str, &'static [&'static str]) =
            (&["mac"], "mac: '02:00:00:00:00:11'", "mac: '02:00:00:00:00:22'", &["x0/address=02:00:00:00:00:22"]);
        for (of, before, after, seen) in common.into_iter().chain(self.mac.then_some(mac)) {
            let base = self.base.to_owned();
            let mut seen = words(seen);
            if ["mtu", "mac"].contains(&of[0]) {
                let others: Vec<String> =
                    self.follow.iter().map(|link| seen[0].replace("x0/", &format!("{link}/"))).collect();
                seen.extend(others);
            }
            // The far end of a pair without an entry of its own has the near end's.
            if self.word == "veth" && of[0] == "mtu" {
                seen.push("y0/mtu=1321".to_owned());
            }
            let how = if of[0] == "mac" && self.word == "ifb" { Replaced } else { InPlace };
            rows.push(Row {
                of,
                before: base.clone(),
                after: base,
                keys_before: before,
                keys_after: after,
                seen,
                how,
                or: None,
            });
        }
        rows
    }

    /// What is seen here: the address of a tunnel of packets is its end, that of one of frames is an Ethernet one.
    fn seen(&self, seen: &[&str]) -> Vec<String> {
        let end =
            |seen: &&&str| ["x0/address", "x0/broadcast", "x0/permaddr"].iter().any(|path| seen.starts_with(path));
        let frames = self.word.ends_with("tap");
        let made_anew = self.word == "sit" && seen.contains(&"x0/permaddr=10.0.0.1");
        seen.iter()
            .filter(|seen| !(end(seen) && (frames || made_anew)))
            .map(|seen| seen.replace("KEYED", self.keyed()))
            .collect()
    }

    /// The MTU of a GRE tunnel with a key, over an Ethernet.
    fn keyed(&self) -> &'static str {
        match self.word {
            "gre" => "1472",
            "gretap" => "1458",
            "ip6gre" => "1444",
            _ => "1430",
        }
    }

    /// A veth end as a port of a bridge.
    fn ports(&self) -> Vec<Row> {
        let row = |Own(of, _, after, seen, how, by): &Own| Row {
            of,
            before: self.base.to_owned(),
            after: self.base.to_owned(),
            keys_before: "",
            keys_after: after,
            seen: words(seen),
            how: *how,
            or: *by,
        };
        self.own.iter().map(row).collect()
    }
}

/// Two interfaces to stand on.
const LOWER: &str = "d0: { dummy: {} }
    d1: { dummy: {} }";

/// The same with the addresses of tunnels.
const ENDS: &str = "d0: { dummy: {}, addresses: [10.0.0.1/24, 10.0.0.3/24, 'fd00::1/64', 'fd00::3/64'] }
    d1: { dummy: {} }";

/// Two interfaces to hold.
const HELD: &str = "p0: { dummy: {} }
    p1: { dummy: {} }";

const MODES: &[Own] = &[
    own(&["mode"], "", "mode: bridge", &["mode=bridge"], InPlace),
    own(&["mode to passthru"], "", "mode: passthru", &["mode=passthru"], Replaced),
    own(&["link"], "", "link: d1", &["x0/link=d1"], Replaced),
];

pub const SUBJECTS: &[Subject] = &[
    Subject {
        word: "veth",
        features: &["veth"],
        key: "veth",
        beside: "",
        base: "y0",
        own: &[],
        mac: true,
        follow: &[],
    },
    Subject {
        word: "dummy",
        features: &["dummy"],
        key: "dummy",
        beside: "",
        base: "",
        own: &[],
        mac: true,
        follow: &[],
    },
    Subject { word: "ifb", features: &["ifb"], key: "ifb", beside: "", base: "", own: &[], mac: true, follow: &[] },
    Subject {
        word: "nlmon",
        features: &["nlmon"],
        key: "nlmon",
        beside: "",
        base: "",
        own: &[],
        mac: false,
        follow: &[],
    },
    Subject {
        word: "vrf",
        features: &["vrf"],
        key: "vrf",
        beside: HELD,
        base: "ports: [p0], table: 100",
        own: &[own(&["table"], "", "table: 101", &["table=101", "p0/linkinfo/info_slave_data/table=101"], Replaced)],
        mac: true,
        follow: &[],
    },
    Subject { word: "tun", features: &["tun"], key: "tun", beside: "", base: "", own: USERS, mac: false, follow: &[] },
    Subject { word: "tap", features: &["tap"], key: "tap", beside: "", base: "", own: USERS, mac: true, follow: &[] },
    Subject {
        word: "vlan",
        features: &["vlan", "qinq", "dummy"],
        key: "vlan",
        beside: LOWER,
        base: "link: d0, id: 7",
        own: &[
            own(&["id"], "", "id: 8", &["vni=8"], Replaced),
            own(&["protocol"], "", "protocol: 802.1ad", &["protocol=802.1ad"], Replaced),
            own(&["reorder-header"], "", "reorder-header: false", &["flags=-"], InPlace),
            own(&["gvrp"], "", "gvrp: true", &["flags=GVRP REORDER_HDR"], InPlace),
            own(&["mvrp"], "", "mvrp: true", &["flags=MVRP REORDER_HDR"], InPlace),
            own(&["loose-binding"], "", "loose-binding: true", &["flags=LOOSE_BINDING REORDER_HDR"], InPlace),
            own(&["bridge-binding"], "", "bridge-binding: true", &["flags=BRIDGE_BINDING REORDER_HDR"], InPlace),
            own(&["link"], "", "link: d1", &["x0/link=d1"], Replaced),
        ],
        mac: true,
        follow: &[],
    },
    Subject {
        word: "macvlan",
        features: &["macvlan", "dummy"],
        key: "macvlan",
        beside: LOWER,
        base: "link: d0",
        own: MODES,
        mac: true,
        follow: &[],
    },
    Subject {
        word: "macvtap",
        features: &["macvtap", "dummy"],
        key: "macvtap",
        beside: LOWER,
        base: "link: d0",
        own: MODES,
        mac: true,
        follow: &[],
    },
    Subject {
        word: "ipvlan",
        features: &["ipvlan", "ipvlan_l3s", "dummy"],
        key: "ipvlan",
        beside: LOWER,
        base: "link: d0",
        own: &[
            own(&["mode"], "", "mode: l2", &["mode=l2"], InPlace),
            own(&["mode to l3s"], "", "mode: l3s", &["mode=l3s"], InPlace),
            own(&["flag"], "", "flag: private", &["bridge=-", "private=true"], InPlace),
            own(&["link"], "", "link: d1", &["x0/link=d1"], Replaced),
        ],
        mac: false,
        follow: &[],
    },
    Subject {
        word: "bridge",
        features: &["bridge", "dummy", "bridge_stp", "bridge_netfilter"],
        key: "bridge",
        beside: HELD,
        base: "ports: [p0]",
        own: BRIDGE,
        mac: true,
        follow: &[],
    },
    Subject {
        word: "port",
        features: &["bridge", "veth"],
        key: "veth",
        beside: "br0: { bridge: {} }",
        base: "y0",
        own: PORT,
        mac: false,
        follow: &[],
    },
    Subject {
        word: "bond",
        features: &["bond", "bond_lacp", "dummy"],
        key: "bond",
        beside: HELD,
        base: "ports: [p0, p1]",
        own: BOND,
        mac: true,
        follow: &["p0", "p1"],
    },
    Subject {
        word: "vxlan",
        features: &["vxlan", "dummy"],
        key: "vxlan",
        beside: ENDS,
        base: "id: 7, local: 10.0.0.1, remote: 10.0.0.2, link: d0",
        own: VXLAN,
        mac: true,
        follow: &[],
    },
    Subject {
        word: "geneve",
        features: &["geneve"],
        key: "geneve",
        beside: "",
        base: "id: 7, remote: 10.0.0.2",
        own: GENEVE,
        mac: true,
        follow: &[],
    },
    Subject {
        word: "gretap",
        features: &["gretap", "dummy"],
        key: "gretap",
        beside: ENDS,
        base: OVER_V4,
        own: GRE,
        mac: true,
        follow: &[],
    },
    Subject {
        word: "ip6gretap",
        features: &["ip6gretap", "dummy"],
        key: "gretap",
        beside: ENDS,
        base: OVER_V6,
        own: IP6GRE,
        mac: true,
        follow: &[],
    },
    Subject {
        word: "gre",
        features: &["gre", "dummy"],
        key: "gre",
        beside: ENDS,
        base: OVER_V4,
        own: GRE,
        mac: false,
        follow: &[],
    },
    Subject {
        word: "ip6gre",
        features: &["ip6gre", "dummy"],
        key: "gre",
        beside: ENDS,
        base: OVER_V6,
        own: IP6GRE,
        mac: false,
        follow: &[],
    },
    Subject {
        word: "ipip",
        features: &["ipip", "dummy"],
        key: "ipip",
        beside: ENDS,
        base: OVER_V4,
        own: IPTUN,
        mac: false,
        follow: &[],
    },
    Subject {
        word: "sit",
        features: &["sit", "dummy"],
        key: "sit",
        beside: ENDS,
        base: OVER_V4,
        own: IPTUN,
        mac: false,
        follow: &[],
    },
    Subject {
        word: "ip6tnl",
        features: &["ip6tnl", "dummy"],
        key: "ip6tnl",
        beside: ENDS,
        base: OVER_V6,
        own: IP6TNL,
        mac: false,
        follow: &[],
    },
];

const USERS: &[Own] = &[
    own(&["owner"], "", "owner: 33", &["user=www-data"], Replaced),
    own(&["group"], "", "group: 33", &["group=www-data"], Replaced),
    own(
        &["multi-queue"],
        "",
        "multi-queue: true",
        &["multi_queue=true", "numdisabled=0", "numqueues=0", "x0/num_rx_queues=256", "x0/num_tx_queues=256"],
        Replaced,
    ),
];

const OVER_V4: &str = "local: 10.0.0.1, remote: 10.0.0.2";
const OVER_V6: &str = "local: 'fd00::1', remote: 'fd00::2'";

const GRE: &[Own] = &[
    own(&["local"], "", "local: 10.0.0.3", &["local=10.0.0.3", "x0/address=10.0.0.3", "x0/permaddr=10.0.0.1"], InPlace),
    own(&["remote"], "", "remote: 10.0.0.4", &["remote=10.0.0.4", "x0/broadcast=10.0.0.4"], InPlace),
    own(&["key"], "", "key: 4000000000", &["ikey=238.107.40.0", "okey=238.107.40.0", "x0/mtu=KEYED"], InPlace),
    own(&["ttl"], "", "ttl: 9", &["ttl=9"], InPlace),
    own(&["tos"], "", "tos: 16", &["tos=0x10"], InPlace),
    own(&["pmtu-discovery"], "", "pmtu-discovery: false", &["pmtudisc=false"], InPlace),
    own(&["link"], "", "link: d0", &["link=d0", "x0/link=d0"], InPlace),
    own(&["link to another"], "link: d0", "link: d1", &["link=d1", "x0/link=d1"], InPlace),
];

const IP6GRE: &[Own] = &[
    own(&["local"], "", "local: 'fd00::3'", &["local=fd00::3", "x0/address=fd00::3"], InPlace),
    own(&["remote"], "", "remote: 'fd00::4'", &["remote=fd00::4", "x0/broadcast=fd00::4"], InPlace),
    own(&["key"], "", "key: 4000000000", &["ikey=238.107.40.0", "okey=238.107.40.0", "x0/mtu=KEYED"], InPlace),
    own(&["ttl"], "", "ttl: 9", &["ttl=9"], InPlace),
    own(&["encapsulation-limit"], "", "encapsulation-limit: 7", &["encap_limit=7"], InPlace),
    own(
        &["encapsulation-limit none"],
        "",
        "encapsulation-limit: none",
        &["encap_limit=-", "ip6_tnl_f_ign_encap_limit=true"],
        InPlace,
    ),
    own(&["link"], "", "link: d0", &["link=d0", "x0/link=d0"], InPlace),
    own(&["link to another"], "link: d0", "link: d1", &["link=d1", "x0/link=d1"], InPlace),
];

const IPTUN: &[Own] = &[
    own(&["local"], "", "local: 10.0.0.3", &["local=10.0.0.3", "x0/address=10.0.0.3", "x0/permaddr=10.0.0.1"], InPlace),
    own(&["remote"], "", "remote: 10.0.0.4", &["remote=10.0.0.4", "x0/broadcast=10.0.0.4"], InPlace),
    own(&["ttl"], "", "ttl: 9", &["ttl=9"], InPlace),
    own(&["tos"], "", "tos: 16", &["tos=0x10"], InPlace),
    own(&["pmtu-discovery"], "", "pmtu-discovery: false", &["pmtudisc=false"], InPlace),
    own(&["link"], "", "link: d0", &["link=d0", "x0/link=d0"], InPlace),
    own(&["link to another"], "link: d0", "link: d1", &["link=d1", "x0/link=d1"], InPlace),
];

const IP6TNL: &[Own] = &[
    own(&["local"], "", "local: 'fd00::3'", &["local=fd00::3", "x0/address=fd00::3"], InPlace),
    own(&["remote"], "", "remote: 'fd00::4'", &["remote=fd00::4", "x0/broadcast=fd00::4"], InPlace),
    own(&["ttl"], "", "ttl: 9", &["ttl=9"], InPlace),
    own(&["encapsulation-limit"], "", "encapsulation-limit: 7", &["encap_limit=7"], InPlace),
    own(
        &["encapsulation-limit none"],
        "",
        "encapsulation-limit: none",
        &["encap_limit=-", "ip6_tnl_f_ign_encap_limit=true"],
        InPlace,
    ),
    own(&["link"], "", "link: d0", &["link=d0", "x0/link=d0"], InPlace),
    own(&["link to another"], "link: d0", "link: d1", &["link=d1", "x0/link=d1"], InPlace),
];

const GENEVE: &[Own] = &[
    own(&["id"], "", "id: 8", &["vni=8"], Replaced),
    own(&["remote"], "", "remote: 10.0.0.4", &["remote=10.0.0.4"], InPlace),
    own(
        &["remote of the other family"],
        "",
        "remote: 'fd00::4'",
        &[
            "remote=-",
            "remote6=fd00::4",
            "udp_csum=-",
            "udp_zero_csum6_rx=false",
            "udp_zero_csum6_tx=false",
            "x0/max_mtu=65465",
            "x0/mtu=1430",
        ],
        Replaced,
    ),
    own(&["port"], "", "port: 6082", &["port=6082"], Replaced),
    own(&["ttl"], "", "ttl: 9", &["ttl=9"], InPlace),
    own(&["tos"], "", "tos: 16", &["tos=0x10"], InPlace),
    own(&["df"], "", "df: set", &["df=set"], InPlace),
];

const VXLAN: &[Own] = &[
    own(&["id"], "", "id: 8", &["vni=8"], Replaced),
    own(&["local"], "", "local: 10.0.0.3", &["local=10.0.0.3"], InPlace),
    own(&["remote"], "", "remote: 10.0.0.4", &["remote=10.0.0.4"], InPlace),
    own(&["port"], "", "port: 4790", &["port=4790"], Replaced),
    own(
        &["source-port-low", "source-port-high"],
        "",
        "source-ports: 40000-40100",
        &["x0/linkinfo/info_data/port_range/low=40000", "x0/linkinfo/info_data/port_range/high=40100"],
        Replaced,
    ),
    own(&["ttl"], "", "ttl: 9", &["ttl=9"], InPlace),
    own(&["tos"], "", "tos: 16", &["tos=0x10"], InPlace),
    own(&["df"], "", "df: set", &["df=set"], InPlace),
    own(&["learning"], "", "learning: false", &["learning=false"], InPlace),
    own(&["proxy"], "", "proxy: true", &["proxy=true"], Replaced),
    own(&["l2miss"], "", "l2miss: true", &["l2miss=true"], Replaced),
    own(&["l3miss"], "", "l3miss: true", &["l3miss=true"], Replaced),
    own(&["ageing"], "", "ageing: 100s", &["ageing=100"], InPlace),
    own(&["limit"], "", "limit: 5", &["limit=5"], Replaced),
    own(&["link"], "", "link: d1", &["link=d1"], InPlace),
];

const BOND: &[Own] = &[
    own(&["mode"], "", "mode: active-backup", &["mode=active-backup"], Replaced),
    own(&["miimon"], "", "miimon: 100ms", &["miimon=100"], InPlace),
    own(&["up-delay"], "miimon: 100ms", "up-delay: 200ms", &["updelay=200"], InPlace),
    own(&["down-delay"], "miimon: 100ms", "down-delay: 200ms", &["downdelay=200"], InPlace),
    own(
        &["delays off"],
        "miimon: 100ms, up-delay: 200ms, down-delay: 300ms",
        "miimon: 0ms, up-delay: 0ms, down-delay: 0ms",
        &["miimon=0", "updelay=0", "downdelay=0"],
        InPlace,
    ),
    own(&["delays stay"], "miimon: 100ms, up-delay: 200ms, down-delay: 400ms", "miimon: 50ms", &["miimon=50"], InPlace),
    own(&["primary"], "mode: active-backup, miimon: 100ms", "primary: p1", &["primary=p1"], InPlace),
    own(
        &["primary to another"],
        "mode: active-backup, miimon: 100ms, primary: p0",
        "primary: p1",
        &["primary=p1"],
        InPlace,
    ),
    own(
        &["primary-reselect"],
        "mode: active-backup, miimon: 100ms, primary: p0",
        "primary-reselect: failure",
        &["primary_reselect=failure"],
        InPlace,
    ),
    own(
        &["fail-over-mac"],
        "mode: active-backup, miimon: 100ms",
        "fail-over-mac: active",
        &["fail_over_mac=active"],
        Replaced,
    ),
    own(&["lacp-rate"], "mode: 802.3ad", "lacp-rate: fast", &["ad_lacp_rate=fast"], InPlace),
    own(&["ad-select"], "mode: 802.3ad", "ad-select: bandwidth", &["ad_select=bandwidth"], InPlace),
    own(&["transmit-hash-policy"], "", "transmit-hash-policy: layer3+4", &["xmit_hash_policy=layer3+4"], InPlace),
    own(&["min-links"], "mode: 802.3ad", "min-links: 2", &["min_links=2"], InPlace),
];

const BRIDGE: &[Own] = &[
    own(&["stp"], "", "stp: true", &["stp_state=1"], InPlace),
    own(&["forward-delay"], "", "forward-delay: 4s", &["forward_delay=400"], InPlace),
    own(&["hello-time"], "", "hello-time: 1s", &["hello_time=100"], InPlace),
    own(&["max-age"], "", "max-age: 10s", &["max_age=1000"], InPlace),
    own(&["ageing-time"], "", "ageing-time: 100s", &["ageing_time=10000"], InPlace),
    own(&["priority"], "", "priority: 4096", &["priority=4096"], InPlace),
    own(&["group-forward-mask"], "", "group-forward-mask: 8", &["group_fwd_mask=0x8"], InPlace),
    own(
        &["group-address"],
        "group-address: '01:80:c2:00:00:00'",
        "group-address: '01:80:c2:00:00:0e'",
        &["group_addr=01:80:c2:00:00:0e"],
        InPlace,
    ),
    own(&["multicast-snooping"], "", "multicast-snooping: false", &["mcast_snooping=0"], InPlace),
    own(&["multicast-router"], "", "multicast-router: 2", &["mcast_router=2"], InPlace),
    own(
        &["multicast-query-use-ifaddr"],
        "",
        "multicast-query-use-ifaddr: true",
        &["mcast_query_use_ifaddr=1"],
        InPlace,
    ),
    own(&["multicast-querier"], "", "multicast-querier: true", &["mcast_querier=1"], InPlace),
    own(&["multicast-hash-max"], "", "multicast-hash-max: 512", &["mcast_hash_max=512"], InPlace),
    own(&["multicast-last-member-count"], "", "multicast-last-member-count: 3", &["mcast_last_member_cnt=3"], InPlace),
    own(
        &["multicast-startup-query-count"],
        "",
        "multicast-startup-query-count: 3",
        &["mcast_startup_query_cnt=3"],
        InPlace,
    ),
    own(
        &["multicast-last-member-interval"],
        "",
        "multicast-last-member-interval: 2s",
        &["mcast_last_member_intvl=200"],
        InPlace,
    ),
    own(
        &["multicast-membership-interval"],
        "",
        "multicast-membership-interval: 120s",
        &["mcast_membership_intvl=12000"],
        InPlace,
    ),
    own(
        &["multicast-querier-interval"],
        "",
        "multicast-querier-interval: 120s",
        &["mcast_querier_intvl=12000"],
        InPlace,
    ),
    own(&["multicast-query-interval"], "", "multicast-query-interval: 60s", &["mcast_query_intvl=6000"], InPlace),
    own(
        &["multicast-query-response-interval"],
        "",
        "multicast-query-response-interval: 5s",
        &["mcast_query_response_intvl=500"],
        InPlace,
    ),
    own(
        &["multicast-startup-query-interval"],
        "",
        "multicast-startup-query-interval: 15s",
        &["mcast_startup_query_intvl=1500"],
        InPlace,
    ),
    own(&["multicast-stats"], "", "multicast-stats: true", &["mcast_stats_enabled=1"], InPlace),
    own(&["multicast-igmp-version"], "", "multicast-igmp-version: 3", &["mcast_igmp_version=3"], InPlace),
    own(&["multicast-mld-version"], "", "multicast-mld-version: 2", &["mcast_mld_version=2"], InPlace),
    own(&["nf-call-iptables"], "", "nf-call-iptables: true", &["nf_call_iptables=1"], InPlace),
    own(&["nf-call-ip6tables"], "", "nf-call-ip6tables: true", &["nf_call_ip6tables=1"], InPlace),
    own(&["nf-call-arptables"], "", "nf-call-arptables: true", &["nf_call_arptables=1"], InPlace),
    own(&["no-linklocal-learn"], "", "no-linklocal-learn: true", &["no_linklocal_learn=1"], InPlace),
];

const PORT: &[Own] = &[
    own(&["cost"], "", "port: { cost: 7 }", &["x0/linkinfo/info_slave_data/cost=7"], InPlace),
    own(&["priority"], "", "port: { priority: 16 }", &["x0/linkinfo/info_slave_data/priority=16"], InPlace),
    own(&["hairpin"], "", "port: { hairpin: true }", &["x0/linkinfo/info_slave_data/hairpin=true"], InPlace),
    own(&["guard"], "", "port: { guard: true }", &["x0/linkinfo/info_slave_data/guard=true"], InPlace),
    own(&["root-block"], "", "port: { root-block: true }", &["x0/linkinfo/info_slave_data/root_block=true"], InPlace),
    own(&["fast-leave"], "", "port: { fast-leave: true }", &["x0/linkinfo/info_slave_data/fastleave=true"], InPlace),
    own(&["learning"], "", "port: { learning: false }", &["x0/linkinfo/info_slave_data/learning=false"], InPlace),
    own(&["flood"], "", "port: { flood: false }", &["x0/linkinfo/info_slave_data/flood=false"], InPlace),
    own(
        &["multicast-flood"],
        "",
        "port: { multicast-flood: false }",
        &["x0/linkinfo/info_slave_data/mcast_flood=false"],
        InPlace,
    ),
    own(
        &["broadcast-flood"],
        "",
        "port: { broadcast-flood: false }",
        &["x0/linkinfo/info_slave_data/bcast_flood=false"],
        InPlace,
    ),
    own(
        &["multicast-to-unicast"],
        "",
        "port: { multicast-to-unicast: true }",
        &["x0/linkinfo/info_slave_data/mcast_to_unicast=true"],
        InPlace,
    ),
    own(
        &["multicast-router"],
        "",
        "port: { multicast-router: 2 }",
        &["x0/linkinfo/info_slave_data/multicast_router=2"],
        InPlace,
    ),
    own(&["proxy-arp"], "", "port: { proxy-arp: true }", &["x0/linkinfo/info_slave_data/proxy_arp=true"], InPlace),
    own(
        &["proxy-arp-wifi"],
        "",
        "port: { proxy-arp-wifi: true }",
        &["x0/linkinfo/info_slave_data/proxy_arp_wifi=true"],
        InPlace,
    ),
    own(
        &["neighbor-suppress"],
        "",
        "port: { neighbor-suppress: true }",
        &["x0/linkinfo/info_slave_data/neigh_suppress=true"],
        InPlace,
    ),
    own(&["isolated"], "", "port: { isolated: true }", &["x0/linkinfo/info_slave_data/isolated=true"], InPlace),
    own(&["locked"], "", "port: { locked: true }", &["x0/linkinfo/info_slave_data/locked=true"], InPlace),
];
