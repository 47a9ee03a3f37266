use super::show;
use crate::cli::console::Console;
use crate::cli::exit::Exit;
use crate::cli::input::{files, load};
use crate::cli::{known, network, notice, session};
use crate::flow::outcome::Verdict;
use crate::flow::packet::Protocol;
use crate::flow::{Explanation, Question, World, explain as follow, explain_arrival};
use crate::render::explain::{Written, matrix, question, text};
use crate::render::explained::{Explained, Flow};
use crate::render::format;
use crate::resource::{FileName, LinkId, Node, Resource, ResourceId, State};
use clap::Args;
use clap_complete::engine::ArgValueCandidates;
use std::net::IpAddr;
use std::path::PathBuf;

/// Show where a packet goes, and the first thing that stops it
///
/// A packet from a node is followed from hop to hop: routes and policy rules, NAT and firewall of every table, bridges,
/// the settings that decide; and its answer back. Read from the machine as it is, or with --file from a topology alone,
/// without privileges. What cannot be decided is said, never guessed.
#[derive(Debug, Args)]
#[command(
    after_long_help = "Examples:\n  sudo topo explain RED BLUE                ping from one node to another\n  sudo topo explain RED 203.0.113.80 tcp/80\n  topo explain --file lab.yaml RED BLUE/eth0 udp/53\n  topo explain --file lab.yaml --all        who reaches whom\n  sudo topo explain --all tcp/22            the same on the machine, for a port\n\nExit status: 0 it reaches, 2 it stops, 3 that cannot be said, 1 failed; with --all 0"
)]
pub struct Explain {
    /// Who sends: a node, or NODE/ADDRESS to send from one of its addresses
    #[arg(value_name = "FROM", add = ArgValueCandidates::new(known::node_candidates))]
    from: Option<String>,
    /// Where it goes: a node, NODE/INTERFACE, an address, or a name of the sender's hosts
    #[arg(value_name = "TO", add = ArgValueCandidates::new(known::node_candidates))]
    to: Option<String>,
    /// What it carries: icmp, tcp/PORT or udp/PORT
    #[arg(value_name = "PROTO[/PORT]", default_value = "icmp")]
    protocol: String,
    /// Follow it through a topology file, not through the machine
    #[arg(short, long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// The topology, where several have such a node
    #[arg(short, long, value_name = "NAME", add = ArgValueCandidates::new(known::topology_candidates))]
    topology: Option<String>,
    /// Every node to every other, as a table
    #[arg(long)]
    all: bool,
    /// The packet comes in by this interface, from outside; its source is that of --source
    #[arg(long, value_name = "NODE/INTERFACE", requires = "source")]
    arrives: Option<String>,
    /// The source address
    #[arg(long, value_name = "ADDRESS")]
    source: Option<IpAddr>,
    /// Its length in bytes with the IP header, which is not to be fragmented
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u32).range(28..=65_535))]
    size: Option<u32>,
    /// The mark that its sender gives it
    #[arg(long, value_name = "NUMBER", value_parser = mark, default_value = "0")]
    mark: u32,
    /// The source port
    #[arg(long, value_name = "PORT")]
    source_port: Option<u16>,
    /// IPv4 or IPv6, where a node has both
    #[arg(long, value_name = "4|6", value_parser = clap::value_parser!(u8).range(4..=6))]
    family: Option<u8>,
    /// Print it as JSON
    #[arg(long)]
    json: bool,
}

fn mark(text: &str) -> Result<u32, String> {
    let parsed = match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => text.parse(),
    };
    parsed.map_err(|_| format!("{text:?} is no mark: a number, or one in hex such as 0x10"))
}

/// What is asked for, in the words of the user.
struct Asked {
    from: Node,
    source: Option<IpAddr>,
    to: String,
}

impl Explain {
    /// Runs the command.
    ///
    /// # Errors
    ///
    /// The exit status of a failure that was already printed.
    pub fn run(mut self, console: &mut Console) -> crate::cli::global::Result {
        self.shift();
        let (protocol, port) = carried(console, &self.protocol)?;
        if !self.all && (self.to.is_none() || self.from.is_none() && self.arrives.is_none()) {
            let help = "topo explain RED BLUE, topo explain RED 10.0.0.1 tcp/80, or --all";
            console.problem("it is not said from where to where", Some(help));
            return Err(Exit::Usage);
        }
        let Some(file) = self.file.clone() else { return self.live(console, protocol, port) };
        let sources = files::read(console, &[file])?;
        let topologies = load::sound(console, sources)?;
        let Some(topology) =
            topologies.iter().find(|one| self.topology.as_ref().is_none_or(|name| one.state.topology.as_str() == name))
        else {
            console.problem("the file has no such topology", None);
            return Err(Exit::Failed);
        };
        let written = Written { source: &topology.source, origins: &topology.origins, raw: &topology.raw };
        self.answer(console, &World::new(&topology.state), Some(written), protocol, port)
    }

    /// With --all there is no from and to: what stands in the first place is what is carried.
    fn shift(&mut self) {
        let first = self.from.take_if(|_| self.all && self.to.is_none());
        if let Some(first) = first {
            self.protocol = first;
        }
        // From outside there is no sender either: the first word is where it goes, the second what is carried.
        if self.arrives.is_some() {
            if let Some(second) = self.to.take() {
                self.protocol = second;
            }
            self.to = self.from.take();
        }
    }

    /// From the machine as it is.
    fn live(&self, console: &mut Console, protocol: Protocol, port: u16) -> crate::cli::global::Result {
        let mut kernel = session::open(console)?;
        let sender =
            self.from.as_deref().or(self.arrives.as_deref()).map(|from| from.split('/').next().unwrap_or(from));
        let what = match (&self.topology, sender) {
            (Some(topology), Some(node)) => Some(format!("{topology}/{node}")),
            (Some(topology), None) => Some(topology.clone()),
            (None, node) => node.map(str::to_owned),
        };
        let (states, _) = show::select(console, &mut kernel, what.as_deref())?;
        let [state] = states.as_slice() else {
            let help = "say which: topo explain --topology NAME";
            console.problem("there is more than one topology here, or none", Some(help));
            return Err(Exit::Usage);
        };
        let state = network::with_others(&kernel, state.clone()).map_err(|error| notice::told(console, &error))?;
        let world = network::look(&kernel, &state).map_err(|error| notice::told(console, &error))?;
        self.answer(console, &world, None, protocol, port)
    }

    fn answer(
        &self,
        console: &mut Console,
        world: &World<'_>,
        written: Option<Written<'_>>,
        protocol: Protocol,
        port: u16,
    ) -> crate::cli::global::Result {
        if self.all {
            return Ok(self.everybody(console, world, written, protocol, port));
        }
        let (explanation, from, to) = match &self.arrives {
            Some(arrives) => self.comes_in(console, world, arrives, protocol, port)?,
            None => self.node_sends(console, world, protocol, port)?,
        };
        let verdict = explanation.verdict();
        if self.json {
            let flows = vec![Flow::of(&from, &to, &explanation, written)];
            let topology = world.state.topology.to_string();
            console.out(&format::text(&Explained { format_version: format::FORMAT_VERSION, topology, flows }));
        } else {
            console.out(&text(&question(&from, &to, &explanation.packet), &explanation, written));
        }
        Ok(match verdict {
            Verdict::Reaches => Exit::Done,
            Verdict::Stops => Exit::Changes,
            Verdict::CannotSay => Exit::CannotSay,
        })
    }

    fn node_sends(
        &self,
        console: &mut Console,
        world: &World<'_>,
        protocol: Protocol,
        port: u16,
    ) -> Result<(Explanation, String, String), Exit> {
        let asked = self.asked(console, world.state)?;
        let to = self.target(console, world, &asked)?;
        let question = Question { source: asked.source, ..self.question(asked.from.clone(), to, protocol, port) };
        Ok((follow(world, &question), asked.from.to_string(), asked.to))
    }

    fn comes_in(
        &self,
        console: &mut Console,
        world: &World<'_>,
        arrives: &str,
        protocol: Protocol,
        port: u16,
    ) -> Result<(Explanation, String, String), Exit> {
        let words = self.to.clone().unwrap_or_default();
        let link = arrives.rsplit_once('/').and_then(|(node, name)| {
            let node = node.rsplit('/').next().unwrap_or(node);
            let node = named(world.state, node)?;
            world.state.link(&LinkId::new(node, name))
        });
        let Some(link) = link else {
            console.problem(
                &format!("there is no interface {arrives:?}"),
                Some("--arrives takes NODE/INTERFACE, host/eth0 say"),
            );
            return Err(Exit::Failed);
        };
        let asked = Asked { from: link.id.node.clone(), source: self.source, to: words.clone() };
        let to = self.target(console, world, &asked)?;
        let question = self.question(asked.from, to, protocol, port);
        Ok((explain_arrival(world, link, &question), arrives.to_owned(), words))
    }

    fn question(&self, from: Node, to: IpAddr, protocol: Protocol, port: u16) -> Question {
        let plain = Question::new(from, to, protocol, port);
        let source_port = self.source_port.unwrap_or(plain.source_port);
        Question { source: self.source, source_port, mark: self.mark, size: self.size, ..plain }
    }

    fn asked(&self, console: &mut Console, state: &State) -> Result<Asked, Exit> {
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
    fn target(&self, console: &mut Console, world: &World<'_>, asked: &Asked) -> Result<IpAddr, Exit> {
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

    /// Every node to every other.
    fn everybody(
        &self,
        console: &mut Console,
        world: &World<'_>,
        written: Option<Written<'_>>,
        protocol: Protocol,
        port: u16,
    ) -> Exit {
        let state = world.state;
        let nodes: Vec<&Node> = state
            .namespaces()
            .map(|namespace| &namespace.node)
            .filter(|node| world.addresses(node).next().is_some())
            .collect();
        let mut flows = Vec::new();
        let mut verdicts = Vec::new();
        for from in &nodes {
            let mut row = Vec::new();
            for to in &nodes {
                let address = address_of(world, from, to, None, self.family).filter(|_| from != to);
                let explanation =
                    address.map(|address| follow(world, &self.question((*from).clone(), address, protocol, port)));
                if let (Some(explanation), true) = (&explanation, self.json) {
                    flows.push(Flow::of(from.short(), to.short(), explanation, written));
                }
                row.push(explanation.map(|explanation| explanation.verdict()));
            }
            verdicts.push(row);
        }
        if self.json {
            let topology = state.topology.to_string();
            console.out(&format::text(&Explained { format_version: format::FORMAT_VERSION, topology, flows }));
        } else {
            console.out(&matrix(&nodes, &verdicts));
        }
        Exit::Done
    }
}

/// The node of a state that a user calls so.
fn named(state: &State, name: &str) -> Option<Node> {
    let host = Some(Node::host()).filter(|host| host.is_called(name));
    state.namespaces().map(|namespace| namespace.node.clone()).find(|node| node.is_called(name)).or(host)
}

fn no_node(console: &mut Console, state: &State, name: &str) -> Exit {
    let names: Vec<String> = state.namespaces().map(|namespace| namespace.node.to_string()).collect();
    let help = known::suggestion(name, &names)
        .unwrap_or_else(|| format!("topology {} has {}", state.topology, names.join(", ")));
    console.problem(&format!("there is no node {name:?}"), Some(&help));
    Exit::Failed
}

/// The address of a node that a sender would take: one in a subnet of its own, else the first; IPv4 before IPv6.
fn address_of(
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
fn carried(console: &mut Console, text: &str) -> Result<(Protocol, u16), Exit> {
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
