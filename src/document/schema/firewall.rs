//! Packet filtering.

use super::matching::Matches;
use crate::document::Loc;
use crate::document::value::{ChainName, LogPrefix, Mark, NftLine};
use crate::document::yaml::define::{choice, record};
use crate::document::yaml::word::words;

record! {
    /// Packet filtering of a node.
    Firewall as "`firewall`" {
        /// Incoming packets, before routing.
        "prerouting" prerouting: Option<ChainSection>,
        /// Packets addressed to this node.
        "input" input: Option<ChainSection>,
        /// Packets forwarded by this node.
        "forward" forward: Option<ChainSection>,
        /// Packets sent by this node.
        "output" output: Option<ChainSection>,
        /// Outgoing packets, after routing.
        "postrouting" postrouting: Option<ChainSection>,
        /// Rules that are inserted at the head of chains of other programs. Example: `[{ chain: "ip filter
        /// DOCKER-USER", in: br0, out: br0, accept: {} }]`
        "insert" insert: Vec<InsertRule>,
    }
}

record! {
    /// A chain.
    ChainSection as "a chain" {
        /// The policy, the verdict on packets that no rule decides; default `accept`. Example: `drop`
        "policy" policy: Option<Loc<Policy>>,
        /// Its rules; the first that decides wins. Example: `[{ state: [established, related], accept: {} }]`
        "rules" rules: Vec<FirewallRule>,
    }
}

words! {
    /// The policy of a chain.
    Policy as "`accept` or `drop`" {
        /// accept: they continue.
        "accept" Accept,
        /// drop: they are discarded.
        "drop" Drop,
    }
}

record! {
    /// A rule: matches and one verdict (or `set-mark`, beside or instead of it).
    FirewallRule as "a firewall rule" {
        /// Sets the packet mark, optionally with a mask. Example: `0x20`
        "set-mark" set_mark: Option<Loc<Mark>>,
        /// Counts packets and bytes, like `counter` of a verdict: for a rule with `set-mark` and no verdict. Example:
        /// `true`
        "counter" counter: Option<Loc<bool>>,
    }
    parts {
        /// Its matches.
        matches: Matches,
        /// Its verdict.
        verdict: Option<Loc<VerdictKey>>,
    }
}

record! {
    /// A rule in a chain of another program.
    InsertRule as "a rule to insert" {
        /// The chain: `FAMILY TABLE CHAIN`. Example: `ip filter DOCKER-USER`
        "chain" chain: Loc<ChainName>,
        /// Whether the rule is skipped while the chain does not exist. Example: `true`
        "if-present" if_present: Option<Loc<bool>>,
        /// Sets the packet mark, optionally with a mask. Example: `0x20`
        "set-mark" set_mark: Option<Loc<Mark>>,
        /// Counts packets and bytes, like `counter` of a verdict: for a rule with `set-mark` and no verdict. Example:
        /// `true`
        "counter" counter: Option<Loc<bool>>,
    }
    parts {
        /// Its matches.
        matches: Matches,
        /// Its verdict.
        verdict: Option<Loc<VerdictKey>>,
    }
}

choice! {
    /// The verdict.
    VerdictKey as "a verdict" {
        /// Accept: the packet continues. Example: `{}` Example: `{ log: "web ", counter: true }`
        "accept" Accept(Plain),
        /// Drop: the packet is discarded. Example: `{}`
        "drop" Drop(Plain),
        /// Reject: the packet is discarded, and the sender gets an error. Example: `{ with: tcp-reset }`
        "reject" Reject(Reject),
        /// One rule in nft syntax, without any other key. Example: `meta mark 0x10 counter accept`
        "nft" Nft(Loc<NftLine>),
    }
}

record! {
    /// Logging and counting of a verdict.
    Plain as "a verdict" {
        /// Logs the packet with this prefix. Example: `"web "`
        "log" log: Option<Loc<LogPrefix>>,
        /// Counts packets and bytes; `topo show` prints the counters. They are reset when anything in the node's `nat`
        /// or `firewall` changes, because its table is replaced as a whole. Example: `true`
        "counter" counter: Option<Loc<bool>>,
    }
}

record! {
    /// How a packet is refused.
    Reject as "`reject`" {
        /// The error that is sent; default port unreachable. Example: `tcp-reset`
        "with" with: Option<Loc<RejectWith>>,
        /// Logs the packet with this prefix. Example: `"no "`
        "log" log: Option<Loc<LogPrefix>>,
        /// Counts packets and bytes; `topo show` prints the counters. They are reset when anything in the node's `nat`
        /// or `firewall` changes, because its table is replaced as a whole. Example: `true`
        "counter" counter: Option<Loc<bool>>,
    }
}

words! {
    /// The answer to a refused packet.
    RejectWith as "an answer" {
        /// A TCP reset; with protocol tcp.
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
