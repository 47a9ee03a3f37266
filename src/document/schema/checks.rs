//! Checks: what a person wants to be sure of once the network is there.

use super::route::FamilyWord;
use crate::document::Loc;
use crate::document::value::{
    Argument, CheckName, DnsName, HostTarget, NodeName, Payload, PortTarget, ServerTarget, Timeout, Url, Wanted,
};
use crate::document::yaml::define::{choice, record};
use crate::document::yaml::word::{Number, words};
use std::net::IpAddr;

choice! {
    /// Something that is tried from a node by `topo test` and by `topo apply --test`, and by nothing else.
    CheckEntry as "a check" {
        /// ICMP echo requests; it passes when each is answered. Example: `{ from: RED, to: 10.0.0.3 }` Example:
        /// `{ from: RED, to: BLUE/eth0, count: 3, size: 1400 }`
        "ping" Ping(Box<PingCheck>),
        /// A TCP connection; it passes when the connection is there. Nothing is sent over it. Example:
        /// `{ from: RED, to: "10.0.0.2:80" }` Example: `{ from: GUEST, to: "DB:5432", expect: fail }`
        "tcp" Tcp(Box<TcpCheck>),
        /// A UDP datagram; it passes when an answer comes. Example: `{ from: RED, to: "10.0.0.2:7", send: hello }`
        "udp" Udp(Box<UdpCheck>),
        /// A GET request over HTTP (HTTP/1.0, no TLS); redirects are not followed. Example: `{ from: RED, url:
        /// "http://10.0.0.2:8080/health", status: 200, contains: ok }`
        "http" Http(Box<HttpCheck>),
        /// A question to a name server; it passes when the answer has an address. Example: `{ from: RED, query:
        /// web.lab.test, server: 10.0.0.53, address: 10.0.0.2 }`
        "dns" Dns(Box<DnsCheck>),
        /// A program that is run in the node, as `topo exec` runs it and with the privileges of topo; it passes when
        /// its exit status is 0. There is no shell between: write `[sh, -c, ...]` where one is meant. Read the checks
        /// of a stranger's file before you test it. Example: `{ from: RED, run: [ping, -c1, 10.0.0.3] }`
        "command" Command(Box<CommandCheck>),
    }
}

record! {
    /// What all checks have.
    Common as "a check" {
        /// The node it is tried from: a namespace of this file, or `host`. Example: `RED`
        "from" from: Loc<NodeName>,
        /// Its name in tables and reports; what it does unless said. Two checks cannot have the same. Example:
        /// `clients reach the shop`
        "name" name: Option<Loc<CheckName>>,
        /// What is expected: `pass` unless said; with `fail` it is right that it does not work. What cannot be tried at
        /// all (no such node, no such program) is an error either way. Example: `fail`
        "expect" expect: Option<Loc<Expectation>>,
        /// How many more times it is tried, 0.2 seconds apart, while the result is not the expected one; 2 unless said,
        /// and 0 with `expect: fail`, where one success is one too many. Example: `5`
        "retries" retries: Option<Loc<Number<0, 100>>>,
        /// How long one try may take; 2s unless said, 10s for a `command`, 500ms for a `ping` to an address of this
        /// file where it impairs nothing; at least 1ms, at most 600s. Example: `500ms`
        "timeout" timeout: Option<Loc<Timeout>>,
    }
}

words! {
    /// What is expected of a check.
    Expectation as "`pass` or `fail`" {
        /// It works.
        "pass" Pass,
        /// It does not.
        "fail" Fail,
    }
}

record! {
    /// ICMP echo requests.
    PingCheck as "`ping`" {
        /// Who is asked: an address, NODE/INTERFACE, NODE, or a name of the node's `hosts`. An interface stands for its
        /// first address in the file of a family that the asking node has, too; a node for that of its first interface
        /// that has one. Example: `10.0.0.3` Example: `BLUE/eth0` Example: `BLUE`
        "to" to: Loc<HostTarget>,
        /// How many, one after the other; all are to be answered, within `timeout` together. 1 unless said. Example:
        /// `3`
        "count" count: Option<Loc<Number<1, 100>>>,
        /// How many bytes of data each carries; 56 unless said. IP and ICMP add 28 bytes, with IPv6 48. Example: `1400`
        "size" size: Option<Loc<Number<16, 65000>>>,
        /// Which address of an interface or node is meant. Example: `ipv6`
        "family" family: Option<Loc<FamilyWord>>,
    }
    parts {
        /// What all checks have.
        common: Common,
    }
}

record! {
    /// A TCP connection.
    TcpCheck as "`tcp`" {
        /// Where to: an address, NODE/INTERFACE, NODE or a name of the node's `hosts`, and a port behind it. Example:
        /// `"10.0.0.2:80"` Example: `"BLUE/eth0:22"` Example: `"[fd00::2]:80"`
        "to" to: Loc<PortTarget>,
        /// Which address of an interface or node is meant. Example: `ipv6`
        "family" family: Option<Loc<FamilyWord>>,
    }
    parts {
        /// What all checks have.
        common: Common,
    }
}

record! {
    /// A UDP datagram.
    UdpCheck as "`udp`" {
        /// Where to, written as for `tcp`. Example: `"10.0.0.2:53"`
        "to" to: Loc<PortTarget>,
        /// What is sent; `topo` unless said. Example: `hello`
        "send" send: Option<Loc<Payload>>,
        /// Whether an answer is needed, whatever is in it; `true` unless said. With `false` it passes when nobody
        /// refuses the datagram (ICMP) until `timeout` is over. Example: `false`
        "reply" reply: Option<Loc<bool>>,
        /// Which address of an interface or node is meant. Example: `ipv6`
        "family" family: Option<Loc<FamilyWord>>,
    }
    parts {
        /// What all checks have.
        common: Common,
    }
}

record! {
    /// A GET request.
    HttpCheck as "`http`" {
        /// What is asked for: `http://`, an address, node or name, a port where it is not 80, a path. A name that is no
        /// node and not in the node's `hosts` is asked of its first name server. Example:
        /// `"http://10.0.0.2:8080/health"` Example: `"http://BLUE/"` Example: `"http://[fd00::2]/"`
        "url" url: Loc<Url>,
        /// The status that the answer is to have; any below 400 unless said. Example: `301`
        "status" status: Option<Loc<Number<100, 599>>>,
        /// A text that is to be in the first MiB of the answer's body. Example: `welcome`
        "contains" contains: Option<Loc<Wanted>>,
        /// Which address of a node or name is meant. Example: `ipv6`
        "family" family: Option<Loc<FamilyWord>>,
    }
    parts {
        /// What all checks have.
        common: Common,
    }
}

record! {
    /// A question to a name server.
    DnsCheck as "`dns`" {
        /// The name that is looked up, whole: no search domain is put behind it, and no `hosts` file is looked at.
        /// Example: `web.lab.test`
        "query" query: Loc<DnsName>,
        /// Who is asked: an address, NODE/INTERFACE or NODE, and a port where it is not 53. The first of the node's
        /// name servers unless said. Example: `10.0.0.53` Example: `"10.0.0.53:5353"`
        "server" server: Option<Loc<ServerTarget>>,
        /// An address that is to be among the answers; any is right unless said. Example: `10.0.0.2`
        "address" address: Option<Loc<IpAddr>>,
        /// What is asked for: IPv4 (A) or IPv6 (AAAA); that of `address`, and IPv4 unless said. Example: `ipv6`
        "family" family: Option<Loc<FamilyWord>>,
    }
    parts {
        /// What all checks have.
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
        /// What all checks have.
        common: Common,
    }
}
