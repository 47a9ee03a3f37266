//! Checks: what a user wants to be sure of once the network is there.

use super::route::FamilyWord;
use crate::document::Loc;
use crate::document::value::{
    Argument, CheckName, DnsName, HostTarget, NodeName, Payload, PortTarget, ServerTarget, Timeout, Url, Wanted,
};
use crate::document::yaml::define::{choice, record};
use crate::document::yaml::word::{Number, words};
use std::net::IpAddr;

choice! {
    /// A check that `topo test` and `topo apply --test` run from a node.
    CheckEntry as "a check" {
        /// ICMP echo requests; it passes when each is answered. Example: `{ from: RED, to: 10.0.0.3 }` Example:
        /// `{ from: RED, to: BLUE/eth0, count: 3, size: 1400 }`
        "ping" Ping(Box<PingCheck>),
        /// A TCP connection; it passes when the connection is established. Nothing is sent over it. Example:
        /// `{ from: RED, to: "10.0.0.2:80" }` Example: `{ from: GUEST, to: "DB:5432", expect: fail }`
        "tcp" Tcp(Box<TcpCheck>),
        /// A UDP datagram; it passes when a reply arrives. Example: `{ from: RED, to: "10.0.0.2:7", send: hello }`
        "udp" Udp(Box<UdpCheck>),
        /// A GET request over HTTP (HTTP/1.0, no TLS); redirects are not followed. Example: `{ from: RED, url:
        /// "http://10.0.0.2:8080/health", status: 200, contains: ok }`
        "http" Http(Box<HttpCheck>),
        /// A DNS query; it passes when the answer contains an address. Example: `{ from: RED, query: web.lab.test,
        /// server: 10.0.0.53, address: 10.0.0.2 }`
        "dns" Dns(Box<DnsCheck>),
        /// A program that is run in the node, as `topo exec` does and with the privileges of topo; it passes when its
        /// exit status is 0. No shell is involved: write `[sh, -c, ...]` for one. Read the checks of an untrusted file
        /// before you test it. Example: `{ from: RED, run: [ping, -c1, 10.0.0.3] }`
        "command" Command(Box<CommandCheck>),
    }
}

record! {
    /// Keys that all checks have.
    Common as "a check" {
        /// The node it is run from: a namespace of this file, or `host`. Example: `RED`
        "from" from: Loc<NodeName>,
        /// Its name in tables and reports; by default a description of what it does. Names are unique. Example:
        /// `clients reach the shop`
        "name" name: Option<Loc<CheckName>>,
        /// The expected result: default `pass`; with `fail` the check has to fail. What cannot be run at all (no such
        /// node, no such program) is an error either way. Example: `fail`
        "expect" expect: Option<Loc<Expectation>>,
        /// How many times it is retried, 0.2 seconds apart, until the result is the expected one; default 2, and 0 with
        /// `expect: fail`, where one success is one too many. Example: `5`
        "retries" retries: Option<Loc<Number<0, 100>>>,
        /// The timeout of one attempt; default 2s, 10s for a `command`, 500ms for a `ping` to an address of this file,
        /// or of a subnet of the node's, if the file has no impairment; at least 1ms, at most 600s. Example: `500ms`
        "timeout" timeout: Option<Loc<Timeout>>,
    }
}

words! {
    /// The expected result of a check.
    Expectation as "`pass` or `fail`" {
        /// It works.
        "pass" Pass,
        /// It fails.
        "fail" Fail,
    }
}

record! {
    /// ICMP echo requests.
    PingCheck as "`ping`" {
        /// The target: an address, NODE/INTERFACE, NODE, or a name from the node's `hosts`. An interface stands for its
        /// first address in the file of a family that the source node has, too; a node for that of its first interface
        /// that has one. Example: `10.0.0.3` Example: `BLUE/eth0` Example: `BLUE`
        "to" to: Loc<HostTarget>,
        /// How many requests, one after the other; all must be answered, within `timeout` together. Default 1. Example:
        /// `3`
        "count" count: Option<Loc<Number<1, 100>>>,
        /// Bytes of data in each request; default 56. IP and ICMP headers add 28 bytes, with IPv6 48. Example: `1400`
        "size" size: Option<Loc<Number<16, 65000>>>,
        /// The address family, if an interface or node has both. Example: `ipv6`
        "family" family: Option<Loc<FamilyWord>>,
    }
    parts {
        /// Keys that all checks have.
        common: Common,
    }
}

record! {
    /// A TCP connection.
    TcpCheck as "`tcp`" {
        /// The target: an address, NODE/INTERFACE, NODE or a name from the node's `hosts`, followed by a port. Example:
        /// `"10.0.0.2:80"` Example: `"BLUE/eth0:22"` Example: `"[fd00::2]:80"`
        "to" to: Loc<PortTarget>,
        /// The address family, if an interface or node has both. Example: `ipv6`
        "family" family: Option<Loc<FamilyWord>>,
    }
    parts {
        /// Keys that all checks have.
        common: Common,
    }
}

record! {
    /// A UDP datagram.
    UdpCheck as "`udp`" {
        /// The target, written as for `tcp`. Example: `"10.0.0.2:53"`
        "to" to: Loc<PortTarget>,
        /// The payload; default `topo`. Example: `hello`
        "send" send: Option<Loc<Payload>>,
        /// Whether a reply is required, with any content; default `true`. With `false` it passes unless the datagram is
        /// refused (ICMP) within `timeout`. Example: `false`
        "reply" reply: Option<Loc<bool>>,
        /// The address family, if an interface or node has both. Example: `ipv6`
        "family" family: Option<Loc<FamilyWord>>,
    }
    parts {
        /// Keys that all checks have.
        common: Common,
    }
}

record! {
    /// A GET request.
    HttpCheck as "`http`" {
        /// The URL: `http://`, an address, node or name, a port if it is not 80, a path. A name that is neither a node
        /// nor in the node's `hosts` is resolved by its first name server. Example: `"http://10.0.0.2:8080/health"`
        /// Example: `"http://BLUE/"` Example: `"http://[fd00::2]/"`
        "url" url: Loc<Url>,
        /// The expected status; default: any below 400. Example: `301`
        "status" status: Option<Loc<Number<100, 599>>>,
        /// A text that the first MiB of the body must contain. Example: `welcome`
        "contains" contains: Option<Loc<Wanted>>,
        /// The address family, if a node or name has both. Example: `ipv6`
        "family" family: Option<Loc<FamilyWord>>,
    }
    parts {
        /// Keys that all checks have.
        common: Common,
    }
}

record! {
    /// A DNS query.
    DnsCheck as "`dns`" {
        /// The fully qualified name: no search domain is appended, and no `hosts` file is consulted. Example:
        /// `web.lab.test`
        "query" query: Loc<DnsName>,
        /// The name server: an address, NODE/INTERFACE or NODE, and a port if it is not 53. Default: the first name
        /// server of the node. Example: `10.0.0.53` Example: `"10.0.0.53:5353"`
        "server" server: Option<Loc<ServerTarget>>,
        /// An address that must be in the answer; default: any. Example: `10.0.0.2`
        "address" address: Option<Loc<IpAddr>>,
        /// The record type: IPv4 (A) or IPv6 (AAAA); default: the family of `address`, or IPv4. Example: `ipv6`
        "family" family: Option<Loc<FamilyWord>>,
    }
    parts {
        /// Keys that all checks have.
        common: Common,
    }
}

record! {
    /// A program.
    CommandCheck as "`command`" {
        /// The program and its arguments, a list. The program is looked for in topo's `PATH`. Example:
        /// `[ping, -c1, 10.0.0.3]`
        "run" run: Vec<Loc<Argument>>,
    }
    parts {
        /// Keys that all checks have.
        common: Common,
    }
}
