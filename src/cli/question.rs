//! What `explain` and `trace` are asked: from where, to where, with what.

use super::command::show;
use super::console::Console;
use super::exit::Exit;
use super::{known, network, notice};
use crate::flow::packet::Protocol;
use crate::flow::{Question, Verdict, World};
use crate::linux::Linux;
use crate::resource::{FileName, Node, Resource, ResourceId, State};
use clap::Args;
use clap_complete::engine::ArgValueCandidates;
use std::net::IpAddr;

/// From where to where, and what.
#[derive(Debug, Args)]
pub struct Ends {
    /// Who sends: a node, or NODE/ADDRESS to send from one of its addresses
    #[arg(value_name = "FROM", add = ArgValueCandidates::new(known::node_candidates))]
    pub from: Option<String>,
    /// Where it goes: a node, NODE/INTERFACE, an address, or a name of the sender's hosts
    #[arg(value_name = "TO", add = ArgValueCandidates::new(known::node_candidates))]
    pub to: Option<String>,
    /// What it carries: icmp, tcp/PORT or udp/PORT
    #[arg(value_name = "PROTO[/PORT]", default_value = "icmp")]
    pub protocol: String,
    /// The topology, where several have such a node
    #[arg(short, long, value_name = "NAME", add = ArgValueCandidates::new(known::topology_candidates))]
    pub topology: Option<String>,
    /// The source address
    #[arg(long, value_name = "ADDRESS")]
    pub source: Option<IpAddr>,
    /// Its length in bytes with the IP header, which is not to be fragmented
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u32).range(28..=65_535))]
    pub size: Option<u32>,
    /// The mark that its sender gives it
    #[arg(long, value_name = "NUMBER", value_parser = mark, default_value = "0")]
    pub mark: u32,
    /// The source port
    #[arg(long, value_name = "PORT")]
    pub source_port: Option<u16>,
    /// IPv4 or IPv6, where a node has both
    #[arg(long, value_name = "4|6", value_parser = clap::value_parser!(u8).range(4..=6))]
    pub family: Option<u8>,
}

fn mark(text: &str) -> Result<u32, String> {
    let parsed = match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => text.parse(),
    };
    parsed.map_err(|_| format!("{text:?} is no mark: a number, or one in hex such as 0x10"))
}

/// What is asked for, in the words of the user.
pub struct Asked {
    /// The node that sends.
    pub from: Node,
    /// The address that it sends from, where one is said.
    pub source: Option<IpAddr>,
    /// Where it goes.
    pub to: String,
}

/// The end of a program that has a verdict to give.
pub fn exit(verdict: Verdict) -> Exit {
    match verdict {
        Verdict::Reaches => Exit::Done,
        Verdict::Stops => Exit::Changes,
        Verdict::CannotSay => Exit::CannotSay,
    }
}

impl Ends {
    /// The topology that is meant, as it is there, with what others have in namespaces that topo did not make.
    ///
    /// # Errors
    ///
    /// If it is not said which of several, there is none, or it cannot be observed, after that was printed.
    pub fn observed(
        &self,
        console: &mut Console,
        kernel: &mut Linux,
        sender: Option<&str>,
        command: &str,
    ) -> Result<State, Exit> {
        let (states, _) = show::select(console, kernel, self.subject(sender).as_deref())?;
        let Ok([state]) = <[State; 1]>::try_from(states) else {
            let help = format!("say which: topo {command} --topology NAME");
            console.problem("there is more than one topology here, or none", Some(&help));
            return Err(Exit::Usage);
        };
        network::with_others(kernel, state).map_err(|error| notice::told(console, &error))
    }

    /// What `show` calls the topology, or the node in it, of a sender: with the name of the topology where it is given.
    fn subject(&self, sender: Option<&str>) -> Option<String> {
        let node = sender.map(|from| from.split('/').next().unwrap_or(from));
        match (&self.topology, node) {
            (Some(topology), Some(node)) => Some(format!("{topology}/{node}")),
            (Some(topology), None) => Some(topology.clone()),
            (None, node) => node.map(str::to_owned),
        }
    }

    /// The question to an address.
    pub fn question(&self, from: Node, to: IpAddr, protocol: Protocol, port: u16) -> Question {
        let plain = Question::new(from, to, protocol, port);
        let source_port = self.source_port.unwrap_or(plain.source_port);
        Question { source: self.source, source_port, mark: self.mark, size: self.size, ..plain }
    }

    /// Who sends, and where to.
    ///
    /// # Errors
    ///
    /// If there is no such node, after that was printed.
    pub fn asked(&self, console: &mut Console, state: &State) -> Result<Asked, Exit> {
        let from = self.from.clone().unwrap_or_default();
        let parts: Vec<&str> = from.split('/').collect();
        // [TOPOLOGY/]NODE[/ADDRESS]
        let (node, source) = match parts.as_slice() {
            [node] => (*node, None),
            [first, second] => match second.parse::<IpAddr>() {
                Ok(address) => (*first, Some(address)),
                Err(_) => (*second, None),
            },
            [_, node, address] => (*node, address.parse::<IpAddr>().ok()),
            _ => ("", None),
        };
        let Some(node) = named(state, node) else { return Err(no_node(console, state, node)) };
        Ok(Asked { from: node, source: source.or(self.source), to: self.to.clone().unwrap_or_default() })
    }

    /// The address that is meant.
    ///
    /// # Errors
    ///
    /// If there is no such node, or it has no address, after that was printed.
    pub fn target(&self, console: &mut Console, world: &World<'_>, asked: &Asked) -> Result<IpAddr, Exit> {
        let words = asked.to.as_str();
        if let Ok(address) = words.parse::<IpAddr>() {
            return Ok(address);
        }
        if let Some(address) = self.of_hosts(world.state, &asked.from, words) {
            return Ok(address);
        }
        let parts: Vec<&str> = words.split('/').collect();
        let (node, interface) = match parts.as_slice() {
            [node] => (*node, None),
            [first, second] if named(world.state, first).is_some() => (*first, Some(*second)),
            [_, node] => (*node, None),
            [_, node, interface] => (*node, Some(*interface)),
            _ => ("", None),
        };
        let Some(node) = named(world.state, node) else { return Err(no_node(console, world.state, words)) };
        let found = address_of(
            world,
            &asked.from,
            &node,
            interface,
            self.family.or(asked.source.map(|source| if source.is_ipv4() { 4 } else { 6 })),
        );
        found.ok_or_else(|| {
            let of = interface.map_or(node.to_string(), |interface| format!("{node}/{interface}"));
            console.problem(&format!("{of} has no address to send to"), Some("give an address in its place"));
            Exit::Failed
        })
    }

    /// An address by a name of the sender's hosts file.
    fn of_hosts(&self, state: &State, node: &Node, name: &str) -> Option<IpAddr> {
        let Some(Resource::File(file)) = state.get(&ResourceId::File(node.clone(), FileName::Hosts)) else {
            return None;
        };
        let lines = file.content.lines().map(|line| line.split('#').next().unwrap_or_default());
        let entries = lines.filter_map(|line| {
            let mut words = line.split_whitespace();
            let address: IpAddr = words.next()?.parse().ok()?;
            words.any(|word| word == name).then_some(address)
        });
        entries.into_iter().find(|address| self.family.is_none_or(|family| (family == 4) == address.is_ipv4()))
    }
}

/// The node of a state that a user calls so.
pub fn named(state: &State, name: &str) -> Option<Node> {
    let host = Some(Node::host()).filter(|host| host.is_called(name));
    state.namespaces().map(|namespace| namespace.node.clone()).find(|node| node.is_called(name)).or(host)
}

/// Reports that there is no such node, and which there are.
pub fn no_node(console: &mut Console, state: &State, name: &str) -> Exit {
    let names: Vec<String> = state.namespaces().map(|namespace| namespace.node.to_string()).collect();
    let help = known::suggestion(name, &names)
        .unwrap_or_else(|| format!("topology {} has {}", state.topology, names.join(", ")));
    console.problem(&format!("there is no node {name:?}"), Some(&help));
    Exit::Failed
}

/// The address of a node that a sender would take: one in a subnet of its own, else the first; IPv4 before IPv6.
pub fn address_of(
    world: &World<'_>,
    from: &Node,
    node: &Node,
    interface: Option<&str>,
    family: Option<u8>,
) -> Option<IpAddr> {
    let near: Vec<_> = world.addresses(from).map(|own| own.subnet()).collect();
    let meant = world
        .addresses(node)
        .filter(|own| interface.is_none_or(|name| own.link.name.as_str() == name))
        .map(|own| own.address.addr())
        .filter(|address| family.is_none_or(|family| (family == 4) == address.is_ipv4()))
        .filter(|address| !crate::flow::packet::is_loopback(*address) && !crate::flow::packet::is_link_local(*address));
    meant.min_by_key(|address| (!address.is_ipv4(), !near.iter().any(|subnet| subnet.contains(address))))
}

/// `icmp`, `tcp/80`, `udp/53`.
///
/// # Errors
///
/// If it is nothing of that, after that was printed.
pub fn carried(console: &mut Console, text: &str) -> Result<(Protocol, u16), Exit> {
    let (word, port) = text.split_once('/').map_or((text, None), |(word, port)| (word, Some(port)));
    let number = port.map(str::parse::<u16>);
    match (word, number) {
        ("icmp" | "icmpv6" | "ping", None) => Ok((Protocol::Icmp, 0)),
        ("tcp", Some(Ok(port))) if port > 0 => Ok((Protocol::Tcp, port)),
        ("udp", Some(Ok(port))) if port > 0 => Ok((Protocol::Udp, port)),
        _ => {
            console.problem(
                &format!("{text:?} is nothing to send"),
                Some("write icmp, tcp/PORT or udp/PORT, with a port from 1 to 65535"),
            );
            Err(Exit::Usage)
        }
    }
}
