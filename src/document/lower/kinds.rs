//! What the kinds of links say.

use super::context::Lowering;
use super::node::At;
use crate::document::schema::kind::{Bridge, Vxlan};
use crate::document::value::Duration;
use crate::document::{Finding, Loc, Place};
use crate::resource::{Fdb, FdbTarget, Kind, Link, LinkId, Mac, Options, Owner, Resource, Value};
use std::fmt::Display;
use std::net::IpAddr;

/// Two addresses that do not go together.
pub(super) fn families(what: &str, one: &Loc<IpAddr>, other: &Loc<IpAddr>) -> Finding {
    Finding::error("mixed-families", other.place, format!("{what} has ends of one family, not {one} and {other}"))
        .also(one.place, "the other address")
        .help("write both of IPv4, or both of IPv6")
}

fn out_of_range(place: Place, name: &str, what: impl Display, range: &str) -> Finding {
    Finding::error("out-of-range", place, format!("`{name}` is {what}, expected {range}"))
}

impl<'d> Lowering<'d> {
    /// A duration as the kernel counts it.
    fn centis(&mut self, name: &'static str, duration: &Loc<Duration>, options: &mut Options) {
        match duration.centis() {
            Some(centis) => {
                options.insert(name.into(), Value::Centis(centis));
            }
            None => self.note(
                Finding::error(
                    "bad-duration",
                    duration.place,
                    format!("`{name}` is counted in hundredths of a second"),
                )
                .help("write a multiple of 10ms"),
            ),
        }
    }

    /// A bridge with what is written.
    pub fn bridge(&mut self, id: LinkId, bridge: &Bridge) -> Link {
        let mut link = Link::bare(id, Kind::Bridge);
        let options = &mut link.options;
        let durations = [
            ("forward-delay", &bridge.forward_delay),
            ("hello-time", &bridge.hello_time),
            ("max-age", &bridge.max_age),
            ("ageing-time", &bridge.ageing_time),
            ("multicast-last-member-interval", &bridge.multicast_last_member_interval),
            ("multicast-membership-interval", &bridge.multicast_membership_interval),
            ("multicast-querier-interval", &bridge.multicast_querier_interval),
            ("multicast-query-interval", &bridge.multicast_query_interval),
            ("multicast-query-response-interval", &bridge.multicast_query_response_interval),
            ("multicast-startup-query-interval", &bridge.multicast_startup_query_interval),
        ];
        for (name, duration) in durations {
            if let Some(duration) = duration {
                self.centis(name, duration, options);
            }
        }
        let switches = [
            ("stp", &bridge.stp),
            ("multicast-snooping", &bridge.multicast_snooping),
            ("multicast-query-use-ifaddr", &bridge.multicast_query_use_ifaddr),
            ("multicast-querier", &bridge.multicast_querier),
            ("multicast-stats", &bridge.multicast_stats),
            ("nf-call-iptables", &bridge.nf_call_iptables),
            ("nf-call-ip6tables", &bridge.nf_call_ip6tables),
            ("nf-call-arptables", &bridge.nf_call_arptables),
            ("no-linklocal-learn", &bridge.no_linklocal_learn),
            ("vlan-filtering", &bridge.vlan_filtering),
            ("vlan-stats", &bridge.vlan_stats),
        ];
        options.extend(
            switches.into_iter().filter_map(|(name, switch)| Some((name.into(), Value::Bool(switch.as_ref()?.value)))),
        );
        options.extend(
            bridge_numbers(bridge).into_iter().filter_map(|(name, number)| Some((name.into(), Value::Number(number?)))),
        );
        if let Some(mac) = &bridge.group_address {
            options.insert("group-address".into(), Value::Mac(mac.value));
        }
        if let Some(protocol) = &bridge.vlan_protocol {
            options.insert("vlan-protocol".into(), Value::word(protocol.word()));
        }
        self.bridge_ranges(bridge);
        link
    }

    /// What the kernel refuses (`br_set_hello_time` and its like in `net/bridge`).
    fn bridge_ranges(&mut self, bridge: &Bridge) {
        let stp = bridge.stp.as_ref().is_some_and(|stp| stp.value);
        // The pauses are clamped in silence (`br_multicast_set_query_intvl`).
        let timers = [
            ("hello-time", &bridge.hello_time, 1, 10, true),
            ("max-age", &bridge.max_age, 6, 40, true),
            ("forward-delay", &bridge.forward_delay, 2, 30, stp),
            ("multicast-query-interval", &bridge.multicast_query_interval, 1, 86_400, true),
            ("multicast-startup-query-interval", &bridge.multicast_startup_query_interval, 1, 86_400, true),
        ];
        for (name, duration, low, high, applies) in timers {
            if let Some(duration) = duration
                && applies
                && !(low * 1_000_000_000..=high * 1_000_000_000).contains(&duration.nanoseconds)
            {
                self.note(out_of_range(
                    duration.place,
                    name,
                    format!("{}ms", duration.nanoseconds / 1_000_000),
                    &format!("{low}s to {high}s"),
                ));
            }
        }
        if let Some(mask) = bridge.group_forward_mask.as_ref().filter(|mask| mask.0 & 7 != 0) {
            let finding = out_of_range(
                mask.place,
                "group-forward-mask",
                format!("{:#x}", mask.0),
                "one without the bits 0, 1 and 2",
            );
            self.note(finding.help("the kernel never forwards STP, pause and LACP frames"));
        }
        if let Some(mac) = &bridge.group_address
            && (mac.0[..5] != [0x01, 0x80, 0xc2, 0, 0] || mac.0[5] > 15 || matches!(mac.0[5], 1..=3))
        {
            self.note(out_of_range(mac.place, "group-address", mac, "01:80:c2:00:00:0X, where X is 0 or 4 to f"));
        }
    }

    /// A vxlan with what is written, and its forwarding entries.
    pub fn vxlan(&mut self, at: &At<'d>, id: LinkId, vxlan: &Vxlan, path: &str) -> Option<Link> {
        let mut link = Link::bare(id, Kind::Vxlan);
        let far = vxlan.remote.as_ref().or(vxlan.group.as_ref());
        if let (Some(remote), Some(group)) = (&vxlan.remote, &vxlan.group) {
            self.note(
                Finding::error("several-kinds", group.place, "a vxlan has either a `remote` or a `group`")
                    .also(remote.place, "the remote"),
            );
        }
        if let Some(group) = vxlan.group.as_ref().filter(|group| !group.is_multicast()) {
            self.note(
                Finding::error("bad-address", group.place, format!("{group} is not a multicast group"))
                    .help("one other end is `remote`; several are entries of `fdb`"),
            );
        }
        if let Some(lower) = &vxlan.link {
            link.link = Some(self.resolve(at, lower)?);
        }
        self.vxlan_options(vxlan, &mut link.options);
        for (nth, entry) in vxlan.fdb.iter().enumerate() {
            let mac = entry.mac.as_ref().map_or(Mac([0; 6]), |mac| mac.value);
            match vxlan.local.as_ref().or(far) {
                Some(near) if near.is_ipv4() != entry.dst.is_ipv4() => self.note(families("a vxlan", near, &entry.dst)),
                // (`vxlan_nl2conf`)
                None if entry.dst.is_ipv6() => self.note(
                    Finding::error(
                        "mixed-families",
                        entry.dst.place,
                        format!("a vxlan without `local` and `remote` goes over IPv4, and {} is of IPv6", entry.dst),
                    )
                    .help("write its `local`, an IPv6 address of the node"),
                ),
                _ => {}
            }
            if mac == Mac([0; 6]) && far.is_some_and(|far| far.value == entry.dst.value) {
                self.note(Finding::error(
                    "duplicate-entry",
                    entry.place,
                    format!("{} is the `remote` already", entry.dst),
                ));
                continue;
            }
            let fdb = Fdb { link: link.id.clone(), mac, to: FdbTarget::End(entry.dst.value) };
            self.put(Resource::Fdb(fdb), Owner::Ours, entry.place, format!("{path}.vxlan.fdb[{nth}]"));
        }
        Some(link)
    }

    fn vxlan_options(&mut self, vxlan: &Vxlan, options: &mut Options) {
        let ports = vxlan.source_ports.as_ref();
        let numbers = [
            ("id", Some(vxlan.id.0)),
            ("port", vxlan.port.as_ref().map(|number| number.0)),
            ("source-port-low", ports.map(|ports| u64::from(ports.first))),
            // The kernel's range does not include its end; the language's does, and so does `ip`, which hands it over
            // as it is.
            ("source-port-high", ports.map(|ports| u64::from(ports.last))),
            ("ttl", vxlan.ttl.as_ref().map(|number| number.0)),
            ("tos", vxlan.tos.as_ref().map(|number| number.0)),
            ("limit", vxlan.limit.as_ref().map(|number| number.0)),
        ];
        options.extend(numbers.into_iter().filter_map(|(name, number)| Some((name.into(), Value::Number(number?)))));
        let switches = [
            ("learning", &vxlan.learning),
            ("proxy", &vxlan.proxy),
            ("l2miss", &vxlan.l2miss),
            ("l3miss", &vxlan.l3miss),
        ];
        options.extend(
            switches.into_iter().filter_map(|(name, switch)| Some((name.into(), Value::Bool(switch.as_ref()?.value)))),
        );
        let addresses = [("local", vxlan.local.as_ref()), ("remote", vxlan.remote.as_ref().or(vxlan.group.as_ref()))];
        options
            .extend(addresses.into_iter().filter_map(|(name, address)| Some((name.into(), Value::Ip(address?.value)))));
        if let Some(df) = &vxlan.df {
            options.insert("df".into(), Value::word(df.word()));
        }
        if let Some(ageing) = &vxlan.ageing {
            match ageing.seconds() {
                // (`vxlan_config_apply`)
                Some(0) => self.note(
                    Finding::error("out-of-range", ageing.place, "`ageing` is 0s, which the kernel takes for its usual 300s")
                        .help("write how long a learned address is kept, 1s for example; with `learning: false` none is learned"),
                ),
                Some(seconds) => {
                    options.insert("ageing".into(), Value::Number(seconds));
                }
                None => self.note(Finding::error("bad-duration", ageing.place, "`ageing` is counted in whole seconds")),
            }
        }
    }
}

fn bridge_numbers(bridge: &Bridge) -> [(&'static str, Option<u64>); 9] {
    [
        ("priority", bridge.priority.as_ref().map(|number| number.0)),
        ("group-forward-mask", bridge.group_forward_mask.as_ref().map(|number| number.0)),
        ("multicast-router", bridge.multicast_router.as_ref().map(|number| number.0)),
        ("multicast-hash-max", bridge.multicast_hash_max.as_ref().map(|number| number.0)),
        ("multicast-last-member-count", bridge.multicast_last_member_count.as_ref().map(|number| number.0)),
        ("multicast-startup-query-count", bridge.multicast_startup_query_count.as_ref().map(|number| number.0)),
        ("multicast-igmp-version", bridge.multicast_igmp_version.as_ref().map(|number| number.0)),
        ("multicast-mld-version", bridge.multicast_mld_version.as_ref().map(|number| number.0)),
        ("vlan-default-pvid", bridge.vlan_default_pvid.as_ref().map(|number| number.0)),
    ]
}
