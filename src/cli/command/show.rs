use super::list;
use crate::cli::console::Console;
use crate::cli::exit::Exit;
use crate::cli::target::Case;
use crate::cli::{known, notice, session, watching};
use crate::history::last;
use crate::kernel;
use crate::kernel::Kernel;
use crate::linux::Linux;
use crate::linux::store::record::Records;
use crate::render::json::{self, StateView, States};
use crate::render::{format, live, show, yaml};
use crate::resource::{Asked, Name, Node, Owner, State};
use clap::Args;
use clap_complete::engine::ArgValueCandidates;

/// Show the current state of a topology, or of one node
///
/// Links with their peers, addresses, routes, NAT and firewall, as a tree, with the counters of rules. With --yaml it
/// is a topology file whose plan is empty. Reading the state needs root.
///
/// --neighbors, --fdb, --counters and --connections print tables of what the nodes have learned and counted, instead of
/// the tree. On the host, and in other namespaces that topo did not create, only what belongs to the interfaces and
/// networks of the topology is shown.
#[derive(Debug, Args)]
#[command(
    after_long_help = "Examples:\n  sudo topo show                     all topologies\n  sudo topo show lab                 one\n  sudo topo show lab/RED             one node of it; \"topo show RED\" will do where that is clear\n  sudo topo show lab --yaml >lab.yaml\n  sudo topo show lab --counters --watch\n  sudo topo show host --connections --json | jq '.topologies[].connections[] | select(.translated)'"
)]
pub struct Show {
    /// A topology, a node, or both as TOPOLOGY/NODE
    #[arg(value_name = "[TOPOLOGY/]NODE|NAME", add = ArgValueCandidates::new(known::any_candidates))]
    what: Option<String>,
    /// Print the state as JSON
    #[arg(long, conflicts_with = "yaml")]
    json: bool,
    /// Print a topology file whose plan is empty; all of the topology, whichever node is named
    #[arg(long, conflicts_with_all = ["neighbors", "fdb", "counters", "connections", "watch"])]
    yaml: bool,
    /// With --yaml: an entry for each node and interface, also where many are alike
    #[arg(long, requires = "yaml")]
    no_ranges: bool,
    /// Show the neighbors, learned and permanent, as "ip neigh" does
    #[arg(long)]
    neighbors: bool,
    /// Show the forwarding entries of bridges and tunnels, as "bridge fdb" does
    #[arg(long)]
    fdb: bool,
    /// Show what each interface has received and sent, as "ip -s link" does
    #[arg(long)]
    counters: bool,
    /// Show the connections that the kernel tracks, with their NAT, as "conntrack -L" does
    #[arg(long)]
    connections: bool,
    /// Show it again each second until Ctrl-C; with --json each time in a line of its own
    #[arg(long)]
    watch: bool,
}

impl Show {
    /// Runs the command.
    ///
    /// # Errors
    ///
    /// The exit status of a failure that was already printed.
    pub fn run(self, console: &mut Console) -> crate::cli::global::Result {
        let mut kernel = session::open(console)?;
        if self.watch {
            return watching::watch(console, |console| self.text(console, &mut kernel));
        }
        let text = self.text(console, &mut kernel)?;
        console.out(&text);
        Ok(Exit::Done)
    }

    /// What is shown, as it is now.
    fn text(&self, console: &mut Console, kernel: &mut Linux) -> Result<String, Exit> {
        let (mut states, node) = select(console, kernel, self.what.as_deref())?;
        if self.json {
            self.views(console, kernel, &mut states, node.as_ref())
        } else if self.yaml {
            Ok(states.iter_mut().map(|state| as_file(state, !self.no_ranges)).collect())
        } else {
            states.iter().map(|state| self.one(console, kernel, state, node.as_ref())).collect()
        }
    }

    fn asked(&self) -> Asked {
        Asked { neighbors: self.neighbors, fdb: self.fdb, counters: self.counters, connections: self.connections }
    }

    /// One topology as text.
    fn one(&self, console: &mut Console, kernel: &Linux, state: &State, node: Option<&Node>) -> Result<String, Exit> {
        let asked = self.asked();
        if asked.any() {
            let nodes = kernel.live(state, node, asked).map_err(|error| notice::told(console, &error))?;
            return Ok(live::text(&state.topology, &nodes, asked));
        }
        let foreign = kernel.foreign(state).map_err(|error| notice::told(console, &error))?;
        let counts = kernel.counts(state).map_err(|error| notice::told(console, &error))?;
        Ok(show::text(state, node, &counts) + &show::foreign(&foreign, node))
    }

    /// All of them as JSON.
    fn views(
        &self,
        console: &mut Console,
        kernel: &Linux,
        states: &mut [State],
        node: Option<&Node>,
    ) -> Result<String, Exit> {
        let (asked, mut topologies) = (self.asked(), Vec::new());
        for state in states {
            let nodes = if asked.any() { kernel.live(state, node, asked) } else { Ok(Vec::new()) };
            let nodes = nodes.map_err(|error| notice::told(console, &error))?;
            state.items.retain(|id, _| node.is_none_or(|node| id.node() == node));
            // What is foreign was looked at for the plan's sake.
            state.items.retain(|_, item| !matches!(item.owner, Owner::Theirs(_)));
            topologies.push(StateView { live: json::live(&nodes, asked), ..StateView::from(&*state) });
        }
        let states = States { format_version: format::FORMAT_VERSION, topologies };
        Ok(if self.watch { format::line(&states) } else { format::text(&states) })
    }
}

/// A state as the file that makes it.
fn as_file(state: &mut State, ranges: bool) -> String {
    // Where what was wanted is not known, nothing can tell which hardware addresses the file has.
    match last::load(&Records::default(), &state.topology) {
        Ok(Some(last)) if last.back => yaml::forget_unrecorded(state),
        Ok(Some(last)) => yaml::forget_unsaid(state, &last.state),
        Ok(None) | Err(_) => {}
    }
    yaml::text(state, ranges)
}

/// A running topology as a file whose plan is empty.
///
/// # Errors
///
/// If it cannot be observed, after that was printed.
pub fn file(console: &mut Console, kernel: &mut Linux, name: &Name) -> Result<String, Exit> {
    observe(console, kernel, name).map(|mut state| as_file(&mut state, false))
}

fn observe(console: &mut Console, kernel: &mut Linux, name: &Name) -> Result<State, Exit> {
    let case = Case::nothing(name.clone());
    let state = kernel.observe(&case.wanted).and_then(|state| kernel::with_settings(kernel, state));
    state.map_err(|error| notice::told(console, &error))
}

/// The states that are meant, and the node.
///
/// # Errors
///
/// If there is no such topology or node, or it cannot be observed, after that was printed.
pub fn select(
    console: &mut Console,
    kernel: &mut Linux,
    what: Option<&str>,
) -> Result<(Vec<State>, Option<Node>), Exit> {
    let names = list::names(console, kernel)?;
    let mut observe = |console: &mut Console, name: &Name| observe(console, kernel, name);
    let Some(what) = what else {
        let states = names.iter().map(|name| observe(console, name)).collect::<Result<Vec<State>, Exit>>()?;
        return Ok((states, None));
    };
    if let Some(name) = names.iter().find(|name| name.as_str() == what) {
        return Ok((vec![observe(console, name)?], None));
    }
    let (topology, node) = what.split_once('/').map_or((None, what), |(topology, node)| (Some(topology), node));
    let mut found = Vec::new();
    for name in names.iter().filter(|name| topology.is_none_or(|topology| name.as_str() == topology)) {
        let state = observe(console, name)?;
        let named = state.namespaces().map(|namespace| &namespace.node).find(|it| it.is_called(node)).cloned();
        found.extend(named.map(|named| (state, named)));
    }
    match found.len() {
        1 => Ok(found.into_iter().map(|(state, node)| (vec![state], Some(node))).next().unwrap_or_default()),
        0 => {
            let names: Vec<String> = names.iter().map(ToString::to_string).chain(known::nodes()).collect();
            let help = known::suggestion(what, &names)
                .unwrap_or_else(|| "topo list shows the topologies, topo show their nodes".to_owned());
            console.problem(&format!("there is no topology and no node {what:?} here"), Some(&help));
            Err(Exit::Failed)
        }
        _ => {
            let which: Vec<String> = found.iter().map(|(state, node)| format!("{}/{node}", state.topology)).collect();
            console.problem(
                &format!("{what:?} is a node of several topologies"),
                Some(&format!("say which: {}", which.join(", "))),
            );
            Err(Exit::Usage)
        }
    }
}
