use crate::cli::console::Console;
use crate::cli::exit::Exit;
use crate::cli::packet::{Followed, follow};
use crate::cli::question::{Ends, carried, exit};
use crate::cli::{network, notice, session};
use crate::flow::Question;
use crate::render::explain::{otherwise, question as title, text};
use crate::render::explained::{Flow, TracedFlow};
use crate::render::format;
use crate::resource::Node;
use clap::Args;
use std::time::Duration;

/// Send a real packet, and show which way it goes and what stops it
///
/// One ping, TCP connection or datagram is sent from a node and watched in all nodes of its topology: on every
/// interface, and in every rule of nftables and iptables-nft that it meets. The same table as that of "topo explain";
/// where what was seen is not what explain says, that is said, too. What is made for it (a table of nftables in each
/// node) goes with the command, whatever ends it. Interfaces that lead out of the topology are not watched beyond.
#[derive(Debug, Args)]
#[command(
    after_long_help = "Examples:\n  sudo topo trace RED BLUE                  one ping\n  sudo topo trace RED 203.0.113.80 tcp/80   one connection\n  sudo topo trace RED BLUE udp/53 --json\n\nExit status: 0 it reaches, 2 it stops, 3 that cannot be said, 1 failed"
)]
pub struct Trace {
    #[command(flatten)]
    ends: Ends,
    /// How long an answer is waited for
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = seconds)]
    timeout: Duration,
    /// Print it as JSON
    #[arg(long)]
    json: bool,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| format!("{text:?} is no number of seconds"))?;
    if (0.01..=60.0).contains(&seconds) {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err("from 0.01 to 60 seconds".to_owned())
    }
}

impl Trace {
    /// Runs the command.
    ///
    /// # Errors
    ///
    /// The exit status of a failure that was already printed.
    pub fn run(self, console: &mut Console) -> crate::cli::global::Result {
        let (protocol, port) = carried(console, &self.ends.protocol)?;
        if self.ends.from.is_none() || self.ends.to.is_none() {
            let help = "topo trace RED BLUE, or topo trace RED 10.0.0.1 tcp/80";
            console.problem("it is not said from where to where", Some(help));
            return Err(Exit::Usage);
        }
        let mut kernel = session::open(console)?;
        let state = self.ends.observed(console, &mut kernel, self.ends.from.as_deref(), "trace")?;
        let world = network::look(&kernel, &state).map_err(|error| notice::told(console, &error))?;
        let asked = self.ends.asked(console, &state)?;
        let to = self.ends.target(console, &world, &asked)?;
        let question = Question { source: asked.source, ..self.ends.question(asked.from.clone(), to, protocol, port) };
        let followed = follow(&kernel, &world, question, self.ends.source_port, self.timeout);
        let Followed { seen, model, differs, overrun } = followed.map_err(|error| notice::told(console, &error))?;
        lost(console, &overrun);
        let from = asked.from.to_string();
        if self.json {
            let topology = state.topology.to_string();
            let flow = Flow::of(&from, &asked.to, &seen, None);
            let explained = Flow::of(&from, &asked.to, &model, None);
            console.out(&format::text(&TracedFlow {
                format_version: format::FORMAT_VERSION,
                topology,
                flow,
                explain: explained,
                agree: differs.is_none(),
            }));
        } else {
            console.out(&text(&title(&from, &asked.to, &seen.packet), &seen, None));
            if let Some(differs) = differs {
                console.out(&otherwise(&differs));
            }
        }
        Ok(exit(seen.verdict()))
    }
}

/// Says where more was seen than could be read.
fn lost(console: &mut Console, overrun: &[Node]) {
    if !overrun.is_empty() {
        let nodes: Vec<String> = overrun.iter().map(ToString::to_string).collect();
        let nodes = nodes.join(", ");
        console.warn(&format!("not all that was seen could be read in {nodes}: there is much traffic"));
    }
}
