//! Bonds.

use crate::document::Loc;
use crate::document::value::{InterfaceRef, Milliseconds};
use crate::document::yaml::define::record;
use crate::document::yaml::word::{Number, words};
use crate::resource::IfName;

record! {
    /// Several interfaces as one.
    Bond as "a bond" {
        /// Its interfaces, of the same node. Example: `[eth0, eth1]`
        "ports" ports: Vec<Loc<InterfaceRef>>,
        /// How they share the work; `balance-rr` unless said, as the kernel has it. Example: `active-backup`
        "mode" mode: Option<Loc<BondMode>>,
        /// How often the carrier of each is looked at: a duration, or a plain number of milliseconds as `ip` has it.
        /// Not at all unless said, as the kernel has it, so that a cut line is not noticed; every `100ms` in the modes
        /// `802.3ad`, `balance-tlb` and `balance-alb`, which cannot do without. Example: `100ms` Example: `100`
        "miimon" miimon: Option<Loc<Milliseconds>>,
        /// How long after its carrier comes one is used: a multiple of `miimon`, written like it. Example: `200ms`
        "up-delay" up_delay: Option<Loc<Milliseconds>>,
        /// How long after its carrier goes one is given up: a multiple of `miimon`, written like it. Example: `200ms`
        "down-delay" down_delay: Option<Loc<Milliseconds>>,
        /// The one that is used while it works. Example: `eth0`
        "primary" primary: Option<Loc<IfName>>,
        /// When the primary is used again after it failed; `always` unless said. Example: `failure`
        "primary-reselect" primary_reselect: Option<Loc<PrimaryReselect>>,
        /// Whose hardware address the interfaces have in mode `active-backup`: all that of the bond (`none`, unless
        /// said), or each its own. Example: `active`
        "fail-over-mac" fail_over_mac: Option<Loc<FailOverMac>>,
        /// How often LACP asks; `slow` unless said. Only in mode `802.3ad`. Example: `fast`
        "lacp-rate" lacp_rate: Option<Loc<LacpRate>>,
        /// What decides by which interface a packet leaves. Example: `layer3+4`
        "transmit-hash-policy" transmit_hash_policy: Option<Loc<HashPolicy>>,
        /// How the group of ports that is used is chosen; `stable` unless said. Only in mode `802.3ad`. Example:
        /// `bandwidth`
        "ad-select" ad_select: Option<Loc<AdSelect>>,
        /// How many interfaces must have carrier for the bond to have it; 0 unless said. Example: `2`
        "min-links" min_links: Option<Loc<Number<0, 2_147_483_647>>>,
    }
}

words! {
    /// How the interfaces of a bond share the work.
    BondMode as "a mode of a bond" {
        /// In turn.
        "balance-rr" RoundRobin,
        /// One works, the others wait.
        "active-backup" ActiveBackup,
        /// By a hash of the addresses.
        "balance-xor" Xor,
        /// Everything leaves by all.
        "broadcast" Broadcast,
        /// LACP.
        "802.3ad" Lacp,
        /// By their load.
        "balance-tlb" Tlb,
        /// By their load, what comes in too.
        "balance-alb" Alb,
    }
}

words! {
    /// When the primary interface of a bond is used again after it failed.
    PrimaryReselect as "`always`, `better` or `failure`" {
        /// As soon as it works.
        "always" Always,
        /// If it is faster than the one that is used.
        "better" Better,
        /// When the one that is used fails.
        "failure" Failure,
    }
}

words! {
    /// Whose hardware address the interfaces of a bond have.
    FailOverMac as "`none`, `active` or `follow`" {
        /// All have the bond's.
        "none" None,
        /// The bond has that of the one that is used.
        "active" Active,
        /// The one that is used has the bond's.
        "follow" Follow,
    }
}

words! {
    /// How the group of ports of a bond that is used is chosen.
    AdSelect as "`stable`, `bandwidth` or `count`" {
        /// The one that is used, while it works.
        "stable" Stable,
        /// The fastest.
        "bandwidth" Bandwidth,
        /// The one with most ports.
        "count" Count,
    }
}

words! {
    /// How often LACP asks.
    LacpRate as "`slow` or `fast`" {
        /// Every 30 s.
        "slow" Slow,
        /// Every second.
        "fast" Fast,
    }
}

words! {
    /// What decides by which interface of a bond a packet leaves.
    HashPolicy as "a hash policy" {
        /// Hardware addresses.
        "layer2" Layer2,
        /// Hardware and IP addresses.
        "layer2+3" Layer23,
        /// IP addresses and ports.
        "layer3+4" Layer34,
        /// Like `layer2+3`, of what is inside a tunnel.
        "encap2+3" Encap23,
        /// Like `layer3+4`, of what is inside a tunnel.
        "encap3+4" Encap34,
        /// VLAN and source hardware address.
        "vlan+srcmac" VlanSource,
    }
}
