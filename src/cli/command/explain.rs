use crate::cli::console::Console;
use crate::cli::exit::Exit;
use crate::cli::input::{files, load};
use crate::cli::question::{Asked, Ends, address_of, carried, exit, named};
use crate::cli::{network, notice, session};
use crate::flow::packet::Protocol;
use crate::flow::{Explanation, Question, World, explain as follow, explain_arrival};
use crate::render::explain::{Written, matrix, question, text};
use crate::render::explained::{Explained, Flow};
use crate::render::format;
use crate::resource::{LinkId, Node};
use clap::Args;
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
    #[command(flatten)]
    ends: Ends,
    /// Follow it through a topology file, not through the machine
    #[arg(short, long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Every node to every other, as a table
    #[arg(long)]
    all: bool,
    /// The packet comes in by this interface, from outside; its source is that of --source
    #[arg(long, value_name = "NODE/INTERFACE", requires = "source")]
    arrives: Option<String>,
    /// Print it as JSON
    #[arg(long)]
    json: bool,
}

impl Explain {
    /// Runs the command.
    ///
    /// # Errors
    ///
    /// The exit status of a failure that was already printed.
    pub fn run(mut self, console: &mut Console) -> crate::cli::global::Result {
        self.shift();
        let (protocol, port) = carried(console, &self.ends.protocol)?;
        if !self.all && (self.ends.to.is_none() || self.ends.from.is_none() && self.arrives.is_none()) {
            let help = "topo explain RED BLUE, topo explain RED 10.0.0.1 tcp/80, or --all";
            console.problem("it is not said from where to where", Some(help));
            return Err(Exit::Usage);
        }
        let Some(file) = self.file.clone() else { return self.live(console, protocol, port) };
        let sources = files::read(console, &[file])?;
        let topologies = load::sound(console, sources)?;
        let Some(topology) = topologies
            .iter()
            .find(|one| self.ends.topology.as_ref().is_none_or(|name| one.state.topology.as_str() == name))
        else {
            console.problem("the file has no such topology", None);
            return Err(Exit::Failed);
        };
        let written = Written { source: &topology.source, origins: &topology.origins, raw: &topology.raw };
        self.answer(console, &World::new(&topology.state), Some(written), protocol, port)
    }

    /// With --all there is no from and to: what stands in the first place is what is carried.
    fn shift(&mut self) {
        let first = self.ends.from.take_if(|_| self.all && self.ends.to.is_none());
        if let Some(first) = first {
            self.ends.protocol = first;
        }
        // From outside there is no sender either: the first word is where it goes, the second what is carried.
        if self.arrives.is_some() {
            if let Some(second) = self.ends.to.take() {
                self.ends.protocol = second;
            }
            self.ends.to = self.ends.from.take();
        }
    }

    /// From the machine as it is.
    fn live(&self, console: &mut Console, protocol: Protocol, port: u16) -> crate::cli::global::Result {
        let mut kernel = session::open(console)?;
        let sender = self.ends.from.as_deref().or(self.arrives.as_deref());
        let state = self.ends.observed(console, &mut kernel, sender, "explain")?;
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
        if self.json {
            let flows = vec![Flow::of(&from, &to, &explanation, written)];
            let topology = world.state.topology.to_string();
            console.out(&format::text(&Explained { format_version: format::FORMAT_VERSION, topology, flows }));
        } else {
            console.out(&text(&question(&from, &to, &explanation.packet), &explanation, written));
        }
        Ok(exit(explanation.verdict()))
    }

    fn node_sends(
        &self,
        console: &mut Console,
        world: &World<'_>,
        protocol: Protocol,
        port: u16,
    ) -> Result<(Explanation, String, String), Exit> {
        let asked = self.ends.asked(console, world.state)?;
        let to = self.ends.target(console, world, &asked)?;
        let question = Question { source: asked.source, ..self.ends.question(asked.from.clone(), to, protocol, port) };
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
        let words = self.ends.to.clone().unwrap_or_default();
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
        let asked = Asked { from: link.id.node.clone(), source: self.ends.source, to: words.clone() };
        let to = self.ends.target(console, world, &asked)?;
        let question = self.ends.question(asked.from, to, protocol, port);
        Ok((explain_arrival(world, link, &question), arrives.to_owned(), words))
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
                let address = address_of(world, from, to, None, self.ends.family).filter(|_| from != to);
                let explanation =
                    address.map(|address| follow(world, &self.ends.question((*from).clone(), address, protocol, port)));
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
