//! Bonds.

use crate::document::Loc;
use crate::document::value::{InterfaceRef, Milliseconds};
use crate::document::yaml::define::record;
use crate::document::yaml::word::{Number, words};
use crate::resource::IfName;

record! {
    /// A bond: several interfaces as one.
    Bond as "a bond" {
        /// Its ports, interfaces of the same node. Example: `[eth0, eth1]`
        "ports" ports: Vec<Loc<InterfaceRef>>,
        /// The mode; default `balance-rr`, as in the kernel. Example: `active-backup`
        "mode" mode: Option<Loc<BondMode>>,
        /// MII monitoring interval, at which the carrier of each port is checked: a duration, or a plain number of
        /// milliseconds as for `ip`. Default: no monitoring, as in the kernel, so that a link failure is not noticed;
        /// `100ms` in the modes `802.3ad`, `balance-tlb` and `balance-alb`, which require it. Example: `100ms` Example:
        /// `100`
        "miimon" miimon: Option<Loc<Milliseconds>>,
        /// Delay before a port is used after its carrier came up: a multiple of `miimon`, written like it. Example:
        /// `200ms`
        "up-delay" up_delay: Option<Loc<Milliseconds>>,
        /// Delay before a port is disabled after its carrier was lost: a multiple of `miimon`, written like it.
        /// Example: `200ms`
        "down-delay" down_delay: Option<Loc<Milliseconds>>,
        /// The primary port: active whenever it is available. Example: `eth0`
        "primary" primary: Option<Loc<IfName>>,
        /// When the primary becomes active again after a failure; default `always`. Example: `failure`
        "primary-reselect" primary_reselect: Option<Loc<PrimaryReselect>>,
        /// Which MAC address the ports have in mode `active-backup`: all that of the bond (`none`, the default), or
        /// each its own. Example: `active`
        "fail-over-mac" fail_over_mac: Option<Loc<FailOverMac>>,
        /// The LACPDU rate; default `slow`. Only in mode `802.3ad`. Example: `fast`
        "lacp-rate" lacp_rate: Option<Loc<LacpRate>>,
        /// The transmit hash policy, which selects the port of a packet. Example: `layer3+4`
        "transmit-hash-policy" transmit_hash_policy: Option<Loc<HashPolicy>>,
        /// How the active aggregator is selected; default `stable`. Only in mode `802.3ad`. Example: `bandwidth`
        "ad-select" ad_select: Option<Loc<AdSelect>>,
        /// How many ports must have carrier for the bond to have it; default 0. Example: `2`
        "min-links" min_links: Option<Loc<Number<0, 2_147_483_647>>>,
    }
}

words! {
    /// The mode of a bond.
    BondMode as "a mode of a bond" {
        /// balance-rr: round robin.
        "balance-rr" RoundRobin,
        /// active-backup: one port is active, the others are standby.
        "active-backup" ActiveBackup,
        /// balance-xor: by hash (`xmit-hash-policy`).
        "balance-xor" Xor,
        /// broadcast: every packet is sent on all ports.
        "broadcast" Broadcast,
        /// 802.3ad: 802.3ad: LACP.
        "802.3ad" Lacp,
        /// balance-tlb: adaptive, transmit only.
        "balance-tlb" Tlb,
        /// balance-alb: adaptive, transmit and receive.
        "balance-alb" Alb,
    }
}

words! {
    /// When the primary port of a bond becomes active again after a failure.
    PrimaryReselect as "`always`, `better` or `failure`" {
        /// always: as soon as it is up.
        "always" Always,
        /// better: if it is faster than the active one.
        "better" Better,
        /// failure: when the active one fails.
        "failure" Failure,
    }
}

words! {
    /// Which MAC address the ports of a bond have.
    FailOverMac as "`none`, `active` or `follow`" {
        /// none: all have that of the bond.
        "none" None,
        /// active: the bond has that of the active port.
        "active" Active,
        /// follow: only the active port has that of the bond.
        "follow" Follow,
    }
}

words! {
    /// How the active aggregator of a bond is selected.
    AdSelect as "`stable`, `bandwidth` or `count`" {
        /// stable: the active one is kept while it works.
        "stable" Stable,
        /// bandwidth: the one with the most bandwidth.
        "bandwidth" Bandwidth,
        /// count: the one with the most ports.
        "count" Count,
    }
}

words! {
    /// The LACPDU rate.
    LacpRate as "`slow` or `fast`" {
        /// slow: every 30 s.
        "slow" Slow,
        /// fast: every second.
        "fast" Fast,
    }
}

words! {
    /// The transmit hash policy of a bond.
    HashPolicy as "a hash policy" {
        /// Hardware addresses.
        "layer2" Layer2,
        /// Hardware and IP addresses.
        "layer2+3" Layer23,
        /// IP addresses and ports.
        "layer3+4" Layer34,
        /// Like `layer2+3`, of the packet inside a tunnel.
        "encap2+3" Encap23,
        /// Like `layer3+4`, of the packet inside a tunnel.
        "encap3+4" Encap34,
        /// VLAN and source MAC address.
        "vlan+srcmac" VlanSource,
    }
}
