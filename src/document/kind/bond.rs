//! Bonds.

use crate::document::Loc;
use crate::document::define::record;
use crate::document::value::{Duration, InterfaceRef};
use crate::document::word::words;
use crate::resource::IfName;

record! {
    /// Several interfaces as one.
    Bond as "a bond" {
        /// Its interfaces, of the same node. Example: `[eth0, eth1]`
        "ports" ports: Vec<Loc<InterfaceRef>>,
        /// How they share the work; `balance-rr` unless said, as the kernel has it. Example: `active-backup`
        "mode" mode: Option<Loc<BondMode>>,
        /// How often the carrier of each is looked at. Example: `100ms`
        "miimon" miimon: Option<Loc<Duration>>,
        /// The one that is used while it works. Example: `eth0`
        "primary" primary: Option<Loc<IfName>>,
        /// How often LACP asks. Example: `fast`
        "lacp-rate" lacp_rate: Option<Loc<LacpRate>>,
        /// What decides by which interface a packet leaves. Example: `layer3+4`
        "transmit-hash-policy" transmit_hash_policy: Option<Loc<HashPolicy>>,
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
