//! Bridges and their ports.

use super::codec::{Codec, Form};
use crate::linux::netlink::attributes::Attributes;
use crate::resource::{Options, Value};

// `IFLA_BR_ROOT_ID`, `IFLA_BR_BRIDGE_ID`, `IFLA_BR_TOPOLOGY_CHANGE`.
const ROOT: u16 = 10;
const ITSELF: u16 = 11;
const TOPOLOGY_CHANGE: u16 = 14;

/// Leaves out what a bridge that speaks the spanning tree protocol has from others for the time being: while the tree
/// changes it keeps addresses for twice the forward delay (`__br_set_topology_change`), and where another bridge is the
/// root it shows the timers of that one (`br_record_config_timeout_values`). What was set is hidden then, and comes
/// back.
pub fn leave_out_what_others_say(options: &mut Options, attributes: Attributes<'_>) {
    if options.get("stp") != Some(&Value::Bool(true)) {
        return;
    }
    if attributes.u8(TOPOLOGY_CHANGE).is_some_and(|changes| changes != 0) {
        options.remove("ageing-time");
    }
    if attributes.get(ROOT) != attributes.get(ITSELF) {
        ["forward-delay", "hello-time", "max-age"].into_iter().for_each(|timer| _ = options.remove(timer));
    }
}

/// `IFLA_BR_*` of `include/uapi/linux/if_link.h`.
pub const BRIDGE: &[Codec] = &[
    Codec("forward-delay", 1, Form::Centis32),
    Codec("hello-time", 2, Form::Centis32),
    Codec("max-age", 3, Form::Centis32),
    Codec("ageing-time", 4, Form::Centis32),
    Codec("stp", 5, Form::Bool32),
    Codec("priority", 6, Form::U16),
    Codec("vlan-filtering", 7, Form::Bool),
    Codec("vlan-protocol", 8, Form::WordBe16(&[("802.1q", 0x8100), ("802.1ad", 0x88a8)])),
    Codec("group-forward-mask", 9, Form::U16),
    Codec("group-address", 20, Form::Mac),
    Codec("multicast-router", 22, Form::U8),
    Codec("multicast-snooping", 23, Form::Bool),
    Codec("multicast-query-use-ifaddr", 24, Form::Bool),
    Codec("multicast-querier", 25, Form::Bool),
    Codec("multicast-hash-max", 27, Form::U32),
    Codec("multicast-last-member-count", 28, Form::U32),
    Codec("multicast-startup-query-count", 29, Form::U32),
    Codec("multicast-last-member-interval", 30, Form::Centis64),
    Codec("multicast-membership-interval", 31, Form::Centis64),
    Codec("multicast-querier-interval", 32, Form::Centis64),
    Codec("multicast-query-interval", 33, Form::Centis64),
    Codec("multicast-query-response-interval", 34, Form::Centis64),
    Codec("multicast-startup-query-interval", 35, Form::Centis64),
    Codec("nf-call-iptables", 36, Form::Bool),
    Codec("nf-call-ip6tables", 37, Form::Bool),
    Codec("nf-call-arptables", 38, Form::Bool),
    Codec("vlan-default-pvid", 39, Form::U16),
    Codec("vlan-stats", 41, Form::Bool),
    Codec("multicast-stats", 42, Form::Bool),
    Codec("multicast-igmp-version", 43, Form::U8),
    Codec("multicast-mld-version", 44, Form::U8),
    // BR_BOOLOPT_NO_LL_LEARN of IFLA_BR_MULTI_BOOLOPT.
    Codec("no-linklocal-learn", 46, Form::BoolBit(0)),
];

/// `IFLA_BRPORT_*` of `include/uapi/linux/if_link.h`.
pub const PORT: &[Codec] = &[
    Codec("priority", 2, Form::U16),
    Codec("cost", 3, Form::U32),
    Codec("hairpin", 4, Form::Bool),
    Codec("guard", 5, Form::Bool),
    Codec("root-block", 6, Form::Bool),
    Codec("fast-leave", 7, Form::Bool),
    Codec("learning", 8, Form::Bool),
    Codec("flood", 9, Form::Bool),
    Codec("proxy-arp", 10, Form::Bool),
    Codec("proxy-arp-wifi", 12, Form::Bool),
    Codec("multicast-router", 25, Form::U8),
    Codec("multicast-flood", 27, Form::Bool),
    Codec("multicast-to-unicast", 28, Form::Bool),
    Codec("broadcast-flood", 30, Form::Bool),
    Codec("neighbor-suppress", 32, Form::Bool),
    Codec("isolated", 33, Form::Bool),
    Codec("locked", 39, Form::Bool),
];
