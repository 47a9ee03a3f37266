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
        /// Whether it takes part in the spanning tree protocol; `false` unless said. Example: `true`
        "stp" stp: Option<Loc<bool>>,
        /// How long a port listens and learns before it forwards; `15s` unless said. Only with `stp`. Example: `4s`
        "forward-delay" forward_delay: Option<Loc<Duration>>,
        /// How often the root says hello; `2s` unless said. Example: `1s`
        "hello-time" hello_time: Option<Loc<Duration>>,
        /// How long without a hello the root is taken for gone; `20s` unless said. Example: `6s`
        "max-age" max_age: Option<Loc<Duration>>,
        /// How long a learned address is kept; `300s` unless said. Example: `60s`
        "ageing-time" ageing_time: Option<Loc<Duration>>,
        /// Its priority for becoming the root: lower wins; 32768 unless said. Example: `4096`
        "priority" priority: Option<Loc<Number<0, 65535>>>,
        /// Which link-local frames (01:80:c2:00:00:0X) are forwarded, a bit each. Example: `16`
        "group-forward-mask" group_forward_mask: Option<Loc<Number<0, 65535>>>,
        /// The address that hellos go to. Example: `"01:80:c2:00:00:00"`
        "group-address" group_address: Option<Loc<Mac>>,
        /// Whether multicast goes only where somebody listens; `true` unless said. Example: `false`
        "multicast-snooping" multicast_snooping: Option<Loc<bool>>,
        /// Whether the bridge itself wants all multicast: 0 never, 1 found out, 2 always; 1 unless said. Example: `2`
        "multicast-router" multicast_router: Option<Loc<Number<0, 2>>>,
        /// Queries carry the bridge's own address. Example: `true`
        "multicast-query-use-ifaddr" multicast_query_use_ifaddr: Option<Loc<bool>>,
        /// The bridge asks who listens. Example: `true`
        "multicast-querier" multicast_querier: Option<Loc<bool>>,
        /// How many groups are kept; 4096 unless said. The bridge joins some itself, and where there are more groups
        /// than this the kernel turns snooping off. Example: `512`
        "multicast-hash-max" multicast_hash_max: Option<Loc<Number<8, 4_294_967_295>>>,
        /// How often is asked before a group is dropped; 2 unless said. Example: `3`
        "multicast-last-member-count" multicast_last_member_count: Option<Loc<Number<0, 4_294_967_295>>>,
        /// How often is asked at the start; 2 unless said. Example: `3`
        "multicast-startup-query-count" multicast_startup_query_count: Option<Loc<Number<0, 4_294_967_295>>>,
        /// The pause between questions about a group that was left; `1s` unless said. Example: `2s`
        "multicast-last-member-interval" multicast_last_member_interval: Option<Loc<Duration>>,
        /// How long a listener is remembered; `260s` unless said. Example: `120s`
        "multicast-membership-interval" multicast_membership_interval: Option<Loc<Duration>>,
        /// How long another querier is believed in; `255s` unless said. Example: `120s`
        "multicast-querier-interval" multicast_querier_interval: Option<Loc<Duration>>,
        /// The pause between questions, 1s to 24h; `125s` unless said. Example: `60s`
        "multicast-query-interval" multicast_query_interval: Option<Loc<Duration>>,
        /// How long an answer may take; `10s` unless said. Example: `5s`
        "multicast-query-response-interval" multicast_query_response_interval: Option<Loc<Duration>>,
        /// The pause between questions at the start, 1s to 24h; `31250ms` unless said. Example: `15s`
        "multicast-startup-query-interval" multicast_startup_query_interval: Option<Loc<Duration>>,
        /// Multicast is counted. Example: `true`
        "multicast-stats" multicast_stats: Option<Loc<bool>>,
        /// The version of IGMP; 2 unless said. Example: `3`
        "multicast-igmp-version" multicast_igmp_version: Option<Loc<Number<2, 3>>>,
        /// The version of MLD; 1 unless said. Example: `2`
        "multicast-mld-version" multicast_mld_version: Option<Loc<Number<1, 2>>>,
        /// Bridged IPv4 passes the iptables of this node. Example: `true`
        "nf-call-iptables" nf_call_iptables: Option<Loc<bool>>,
        /// Bridged IPv6 passes the ip6tables of this node. Example: `true`
        "nf-call-ip6tables" nf_call_ip6tables: Option<Loc<bool>>,
        /// Bridged ARP passes the arptables of this node. Example: `true`
        "nf-call-arptables" nf_call_arptables: Option<Loc<bool>>,
        /// Nothing is learned from link-local frames. Example: `true`
        "no-linklocal-learn" no_linklocal_learn: Option<Loc<bool>>,
        /// Whether ports have VLANs (`port-vlan`) that frames are held against; `false` unless said. Example: `true`
        "vlan-filtering" vlan_filtering: Option<Loc<bool>>,
        /// The VLAN, untagged, of a port (and of the bridge itself) that has no `port-vlan`; 1 unless said, 0 for none.
        /// Example: `10`
        "vlan-default-pvid" vlan_default_pvid: Option<Loc<Number<0, 4094>>>,
        /// The tag of its VLANs; `802.1q` unless said. Example: `802.1ad`
        "vlan-protocol" vlan_protocol: Option<Loc<VlanProtocol>>,
        /// Whether what each VLAN carries is counted. Example: `true`
        "vlan-stats" vlan_stats: Option<Loc<bool>>,
    }
}
