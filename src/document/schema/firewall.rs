//! Packet filtering.

use super::matching::Matches;
use crate::document::Loc;
use crate::document::value::{ChainName, LogPrefix, Mark, NftLine};
use crate::document::yaml::define::{choice, record};
use crate::document::yaml::word::words;

record! {
    /// Packet filtering of a node.
    Firewall as "`firewall`" {
        /// What comes in, before it is routed.
        "prerouting" prerouting: Option<ChainSection>,
        /// What comes in for this node.
        "input" input: Option<ChainSection>,
        /// What goes through this node.
        "forward" forward: Option<ChainSection>,
        /// What this node sends.
        "output" output: Option<ChainSection>,
        /// What leaves, after it is routed.
        "postrouting" postrouting: Option<ChainSection>,
        /// Rules put at the head of chains that belong to somebody else. Example: `[{ chain: "ip filter DOCKER-USER",
        /// in: br0, out: br0, accept: {} }]`
        "insert" insert: Vec<InsertRule>,
    }
}

record! {
    /// A chain.
    ChainSection as "a chain" {
        /// What happens to a packet that no rule decides: `accept` unless said. Example: `drop`
        "policy" policy: Option<Loc<Policy>>,
        /// Its rules; the first that decides wins. Example: `[{ state: [established, related], accept: {} }]`
        "rules" rules: Vec<FirewallRule>,
    }
}

words! {
    /// What happens to a packet that no rule decides.
    Policy as "`accept` or `drop`" {
        /// It goes on.
        "accept" Accept,
        /// It is dropped.
        "drop" Drop,
    }
}

record! {
    /// A rule: what it goes by, and one verdict (or `set-mark`, beside or instead of it).
    FirewallRule as "a firewall rule" {
        /// The mark that the packet gets, and which of its bits. Example: `0x20`
        "set-mark" set_mark: Option<Loc<Mark>>,
        /// Packets and bytes are counted, as with `counter` of the verdict: for a rule that only marks, which has no
        /// verdict to say it in. Example: `true`
        "counter" counter: Option<Loc<bool>>,
    }
    parts {
        /// What it goes by.
        matches: Matches,
        /// What happens.
        verdict: Option<Loc<VerdictKey>>,
    }
}

record! {
    /// A rule in a chain of somebody else.
    InsertRule as "a rule to insert" {
        /// The chain: `FAMILY TABLE CHAIN`. Example: `ip filter DOCKER-USER`
        "chain" chain: Loc<ChainName>,
        /// Whether it is fine that there is no such chain. Example: `true`
        "if-present" if_present: Option<Loc<bool>>,
        /// The mark that the packet gets, and which of its bits. Example: `0x20`
        "set-mark" set_mark: Option<Loc<Mark>>,
        /// Packets and bytes are counted, as with `counter` of the verdict: for a rule that only marks, which has no
        /// verdict to say it in. Example: `true`
        "counter" counter: Option<Loc<bool>>,
    }
    parts {
        /// What it goes by.
        matches: Matches,
        /// What happens.
        verdict: Option<Loc<VerdictKey>>,
    }
}

choice! {
    /// What happens to a packet.
    VerdictKey as "a verdict" {
        /// It goes on. Example: `{}` Example: `{ log: "web ", counter: true }`
        "accept" Accept(Plain),
        /// It is dropped. Example: `{}`
        "drop" Drop(Plain),
        /// It is refused with an answer. Example: `{ with: tcp-reset }`
        "reject" Reject(Reject),
        /// One rule in nft's words: no other key beside it. Example: `meta mark 0x10 counter accept`
        "nft" Nft(Loc<NftLine>),
    }
}

record! {
    /// What else happens.
    Plain as "a verdict" {
        /// The packet is logged, with this in front. Example: `"web "`
        "log" log: Option<Loc<LogPrefix>>,
        /// Packets and bytes are counted; `topo show` has the numbers. From 0 again when anything in the node's `nat`
        /// or `firewall` changes: its table is replaced as a whole. Example: `true`
        "counter" counter: Option<Loc<bool>>,
    }
}

record! {
    /// How a packet is refused.
    Reject as "`reject`" {
        /// The answer; port unreachable unless said. Example: `tcp-reset`
        "with" with: Option<Loc<RejectWith>>,
        /// The packet is logged, with this in front. Example: `"no "`
        "log" log: Option<Loc<LogPrefix>>,
        /// Packets and bytes are counted; `topo show` has the numbers. From 0 again when anything in the node's `nat`
        /// or `firewall` changes: its table is replaced as a whole. Example: `true`
        "counter" counter: Option<Loc<bool>>,
    }
}

words! {
    /// The answer to a refused packet.
    RejectWith as "an answer" {
        /// TCP's reset; with protocol tcp.
        "tcp-reset" TcpReset,
        /// ICMP port unreachable.
        "port-unreachable" Port,
        /// ICMP host unreachable (IPv6: address unreachable).
        "host-unreachable" Host,
        /// ICMP network unreachable (IPv6: no route).
        "net-unreachable" Net,
        /// ICMP administratively prohibited.
        "admin-prohibited" Admin,
    }
}
