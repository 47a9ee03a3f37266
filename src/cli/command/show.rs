use super::list;
use crate::cli::console::Console;
use crate::cli::exit::Exit;
use crate::cli::target::Case;
use crate::cli::{known, notice, session};
use crate::history::last;
use crate::kernel;
use crate::kernel::Kernel;
use crate::linux::Linux;
use crate::linux::store::record::Records;
use crate::render::json::{StateView, States};
use crate::render::{format, show, yaml};
use crate::resource::{Name, Node, Owner, State};
use clap::Args;
use clap_complete::engine::ArgValueCandidates;

/// Show the current state of a topology, or of one node
///
/// Links with their peers, addresses, routes, NAT and firewall, as a tree, with the counters of rules. With --yaml it
/// is a topology file whose plan is empty. Reading the state needs root.
#[derive(Debug, Args)]
#[command(
    after_long_help = "Examples:\n  sudo topo show                     all topologies\n  sudo topo show lab                 one\n  sudo topo show lab/RED             one node of it; \"topo show RED\" will do where that is clear\n  sudo topo show lab --yaml >lab.yaml"
)]
pub struct Show {
    /// A topology, a node, or both as TOPOLOGY/NODE
    #[arg(value_name = "[TOPOLOGY/]NODE|NAME", add = ArgValueCandidates::new(known::any_candidates))]
    what: Option<String>,
    /// Print the state as JSON
    #[arg(long, conflicts_with = "yaml")]
    json: bool,
    /// Print a topology file whose plan is empty; all of the topology, whichever node is named
    #[arg(long)]
    yaml: bool,
}

impl Show {
    /// Runs the command.
    ///
    /// # Errors
    ///
    /// The exit status of a failure that was already printed.
    pub fn run(self, console: &mut Console) -> crate::cli::global::Result {
        let mut kernel = session::open(console)?;
        let (mut states, node) = select(console, &mut kernel, self.what.as_deref())?;
        if self.json {
            if let Some(node) = &node {
                states.iter_mut().for_each(|state| state.items.retain(|id, _| id.node() == node));
            }
            // What is foreign was looked at for the plan's sake.
            states.iter_mut().for_each(|state| state.items.retain(|_, item| !matches!(item.owner, Owner::Theirs(_))));
            let topologies = states.iter().map(StateView::from).collect();
            console.out(&format::text(&States { format_version: format::FORMAT_VERSION, topologies }));
        } else if self.yaml {
            let records = Records::default();
            for state in &mut states {
                // Where what was wanted is not known, nothing can tell which hardware addresses the file has.
                if let Ok(Some(last)) = last::load(&records, &state.topology).map(|last| last.filter(|last| !last.back))
                {
                    yaml::forget_unsaid(state, &last.state);
                }
                console.out(&yaml::text(state));
            }
        } else {
            for state in &states {
                let foreign = kernel.foreign(state).map_err(|error| notice::told(console, &error))?;
                let counts = kernel.counts(state).map_err(|error| notice::told(console, &error))?;
                console.out(&show::text(state, node.as_ref(), &counts));
                console.out(&show::foreign(&foreign, node.as_ref()));
            }
        }
        Ok(Exit::Done)
    }
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
    let mut observe = |console: &mut Console, name: &Name| {
        let case = Case::nothing(name.clone());
        kernel
            .observe(&case.wanted)
            .and_then(|state| kernel::with_settings(kernel, state))
            .map_err(|error| notice::told(console, &error))
    };
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
