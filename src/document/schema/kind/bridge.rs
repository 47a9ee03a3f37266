//! Bridges.

use super::VlanProtocol;
use crate::document::Loc;
use crate::document::value::{Duration, InterfaceRef};
use crate::document::yaml::define::record;
use crate::document::yaml::word::Number;
use crate::resource::Mac;

record! {
    /// A bridge (`ip link help bridge`).
    Bridge as "a bridge" {
        /// Its ports, interfaces of the same node. A port may name its `master` instead. Example: `[reth1, beth1]`
        "ports" ports: Vec<Loc<InterfaceRef>>,
        /// The spanning tree protocol (STP); default `false`. Example: `true`
        "stp" stp: Option<Loc<bool>>,
        /// The forward delay, in which a port listens and learns before it forwards; default `15s`. Only with `stp`.
        /// Example: `4s`
        "forward-delay" forward_delay: Option<Loc<Duration>>,
        /// The STP hello interval; default `2s`. Example: `1s`
        "hello-time" hello_time: Option<Loc<Duration>>,
        /// The STP maximum age, after which a root without hellos is considered lost; default `20s`. Example: `6s`
        "max-age" max_age: Option<Loc<Duration>>,
        /// The ageing time of learned MAC addresses; default `300s`. Example: `60s`
        "ageing-time" ageing_time: Option<Loc<Duration>>,
        /// The STP bridge priority: the lowest becomes root; default 32768. Example: `4096`
        "priority" priority: Option<Loc<Number<0, 65535>>>,
        /// Which link-local frames (01:80:c2:00:00:0X) are forwarded, as a bit mask. Example: `16`
        "group-forward-mask" group_forward_mask: Option<Loc<Number<0, 65535>>>,
        /// The destination MAC address of BPDUs. Example: `"01:80:c2:00:00:00"`
        "group-address" group_address: Option<Loc<Mac>>,
        /// Multicast snooping: multicast is sent only to ports with listeners; default `true`. Example: `false`
        "multicast-snooping" multicast_snooping: Option<Loc<bool>>,
        /// Whether the bridge itself receives all multicast: 0 never, 1 learned, 2 always; default 1. Example: `2`
        "multicast-router" multicast_router: Option<Loc<Number<0, 2>>>,
        /// Queries carry the bridge's own address. Example: `true`
        "multicast-query-use-ifaddr" multicast_query_use_ifaddr: Option<Loc<bool>>,
        /// The bridge acts as multicast querier. Example: `true`
        "multicast-querier" multicast_querier: Option<Loc<bool>>,
        /// The maximum number of multicast groups; default 4096. The bridge joins some itself; with more groups than
        /// this the kernel turns snooping off. Example: `512`
        "multicast-hash-max" multicast_hash_max: Option<Loc<Number<8, 4_294_967_295>>>,
        /// How many queries are sent before a group is dropped; default 2. Example: `3`
        "multicast-last-member-count" multicast_last_member_count: Option<Loc<Number<0, 4_294_967_295>>>,
        /// How many queries are sent at startup; default 2. Example: `3`
        "multicast-startup-query-count" multicast_startup_query_count: Option<Loc<Number<0, 4_294_967_295>>>,
        /// The interval between queries about a group that was left; default `1s`. Example: `2s`
        "multicast-last-member-interval" multicast_last_member_interval: Option<Loc<Duration>>,
        /// How long a group membership is kept; default `260s`. Example: `120s`
        "multicast-membership-interval" multicast_membership_interval: Option<Loc<Duration>>,
        /// How long another querier is assumed to be present; default `255s`. Example: `120s`
        "multicast-querier-interval" multicast_querier_interval: Option<Loc<Duration>>,
        /// The query interval, 1s to 24h; default `125s`. Example: `60s`
        "multicast-query-interval" multicast_query_interval: Option<Loc<Duration>>,
        /// The maximum response time of queries; default `10s`. Example: `5s`
        "multicast-query-response-interval" multicast_query_response_interval: Option<Loc<Duration>>,
        /// The query interval at startup, 1s to 24h; default `31250ms`. Example: `15s`
        "multicast-startup-query-interval" multicast_startup_query_interval: Option<Loc<Duration>>,
        /// Multicast statistics. Example: `true`
        "multicast-stats" multicast_stats: Option<Loc<bool>>,
        /// The version of IGMP; default 2. Example: `3`
        "multicast-igmp-version" multicast_igmp_version: Option<Loc<Number<2, 3>>>,
        /// The version of MLD; default 1. Example: `2`
        "multicast-mld-version" multicast_mld_version: Option<Loc<Number<1, 2>>>,
        /// Bridged IPv4 passes the iptables of this node. Example: `true`
        "nf-call-iptables" nf_call_iptables: Option<Loc<bool>>,
        /// Bridged IPv6 passes the ip6tables of this node. Example: `true`
        "nf-call-ip6tables" nf_call_ip6tables: Option<Loc<bool>>,
        /// Bridged ARP passes the arptables of this node. Example: `true`
        "nf-call-arptables" nf_call_arptables: Option<Loc<bool>>,
        /// Nothing is learned from link-local frames. Example: `true`
        "no-linklocal-learn" no_linklocal_learn: Option<Loc<bool>>,
        /// VLAN filtering by the VLANs of the ports (`port-vlan`); default `false`. Example: `true`
        "vlan-filtering" vlan_filtering: Option<Loc<bool>>,
        /// The untagged VLAN of a port (and of the bridge itself) without `port-vlan`; default 1, 0 for none. Example:
        /// `10`
        "vlan-default-pvid" vlan_default_pvid: Option<Loc<Number<0, 4094>>>,
        /// The protocol of its VLAN tags; default `802.1q`. Example: `802.1ad`
        "vlan-protocol" vlan_protocol: Option<Loc<VlanProtocol>>,
        /// Per-VLAN statistics. Example: `true`
        "vlan-stats" vlan_stats: Option<Loc<bool>>,
    }
}
