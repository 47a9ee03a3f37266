use crate::cli::console::Console;
use crate::cli::exit::Exit;
use crate::cli::{known, notice};
use crate::kernel::Error;
use crate::linux::netns;
use crate::linux::netns::Place;
use crate::linux::node::exec;
use crate::linux::node::exec::Program;
use crate::linux::ownership::identity;
use crate::linux::store::record::Records;
use crate::render::order::natural;
use crate::render::page::{BOLD, Page};
use crate::resource::{Name, NetnsRef, Node, Record};
use clap::Args;
use clap_complete::engine::ArgValueCandidates;
use std::ffi::{OsStr, OsString};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;

/// Run a command in a node
///
/// The namespace's own hosts and resolv.conf replace those of the machine. The exit status is that of the command;
/// signals are passed to it. Without a command a shell is started, whose prompt begins with the node. TOPO_NODE and
/// TOPO_TOPOLOGY are set in its environment.
#[derive(Debug, Args)]
#[command(
    override_usage = "topo exec [OPTIONS] [TOPOLOGY/]NODE [--] [CMD]...\n       topo exec --all [--topology NAME] -- CMD...",
    after_long_help = "Examples:\n  sudo topo exec RED ping -c1 11.11.11.3\n  sudo topo exec lab/RED sh              where several topologies have a node RED\n  sudo topo exec RED                     a shell\n  sudo topo exec --all -- ip -br address  in every node, one after the other\n\nExit status: the command's; 126 it cannot be run, 127 there is no such command; with --all that of the first that failed"
)]
pub struct Exec {
    /// Run it in every node, with a heading for each; not on the host
    #[arg(long)]
    all: bool,
    /// Only in nodes of this topology
    #[arg(short, long, value_name = "NAME", add = ArgValueCandidates::new(known::topology_candidates))]
    topology: Option<String>,
    /// The node, or TOPOLOGY/NODE
    #[arg(value_name = "[TOPOLOGY/]NODE", required_unless_present = "all", add = ArgValueCandidates::new(known::node_candidates))]
    node: Option<OsString>,
    /// The command and its arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "CMD")]
    command: Vec<OsString>,
}

/// A node that was found.
struct Target {
    /// The topology, where it is known.
    topology: Option<Name>,
    node: Node,
    place: Place,
    /// The name of its folder of files.
    files: Option<String>,
}

impl Exec {
    /// Runs the command.
    ///
    /// # Errors
    ///
    /// The exit status of a failure that was already printed.
    pub fn run(self, console: &mut Console) -> crate::cli::global::Result {
        if self.all {
            return self.everywhere(console);
        }
        let Some(node) = self.node.as_deref().map(OsStr::to_string_lossy) else { return Err(Exit::Usage) };
        let target = find(console, self.topology.as_deref(), &node)?;
        let shell = [std::env::var_os("SHELL").unwrap_or_else(|| "/bin/sh".into())];
        let words = if self.command.is_empty() { shell.as_slice() } else { &self.command };
        let Some((name, args)) = words.split_first() else { return Err(Exit::Usage) };
        let env = environment(&target, name);
        let Err(error) =
            exec::exec(target.place, target.files.as_deref(), Program { name, args, env: &env }, &mut |warning| {
                console.warn(warning)
            });
        notice::told(console, &error);
        Err(status(&error, name))
    }

    /// Runs the command in every node, one after the other.
    fn everywhere(self, console: &mut Console) -> crate::cli::global::Result {
        let words: Vec<OsString> = self.node.into_iter().chain(self.command).collect();
        let Some((name, args)) = words.split_first() else {
            console.problem("--all needs a command", Some("topo exec --all -- ip -br address"));
            return Err(Exit::Usage);
        };
        let mut targets = all(console, self.topology.as_deref())?;
        targets.sort_by_key(|target| {
            (natural(target.topology.as_ref().map_or("", Name::as_str)), natural(target.node.short()))
        });
        let (mut exit, mut first) = (Exit::Done, true);
        for target in targets {
            let topology = target.topology.as_ref().map(|name| format!("{name}/")).unwrap_or_default();
            let mut page = Page::new();
            if !std::mem::take(&mut first) {
                page.end();
            }
            console.out(&page.paint(BOLD, format!("[{topology}{}]", target.node)).end_and_finish());
            let env = environment(&target, name);
            let ended = exec::status(
                target.place,
                target.files.as_deref(),
                Program { name, args, env: &env },
                &mut |warning| console.warn(warning),
            );
            let this = match ended {
                Ok(ended) => Exit::Program(
                    ended
                        .code()
                        .or(ended.signal().map(|signal| 128 + signal))
                        .and_then(|code| u8::try_from(code).ok())
                        .unwrap_or(1),
                ),
                Err(error) => {
                    notice::told(console, &error);
                    status(&error, name)
                }
            };
            if matches!(exit, Exit::Done | Exit::Program(0)) {
                exit = this;
            }
        }
        Ok(exit)
    }
}

/// What a command finds in its environment: where it is, and for a shell a prompt that says so.
fn environment(target: &Target, program: &OsStr) -> Vec<(&'static str, OsString)> {
    // A shell puts the node in when it prints the prompt: its name is not read as more of the prompt. zsh does not do
    // that unless it is asked to.
    let zsh = Path::new(program).file_name().is_some_and(|name| name == "zsh");
    let prompt =
        if zsh { format!("[{}] %# ", target.node.short().replace('%', "%%")) } else { "[$TOPO_NODE] # ".to_owned() };
    // What bash reads when it starts sets another prompt; this comes after that.
    let mut always = std::env::var_os("PROMPT_COMMAND").filter(|text| !text.is_empty()).unwrap_or_else(|| ":".into());
    always.push("; case $PS1 in '[$TOPO_NODE]'*) ;; *) PS1='[$TOPO_NODE] '$PS1 ;; esac");
    let mut env = vec![("TOPO_NODE", target.node.short().into()), ("PS1", prompt.into()), ("PROMPT_COMMAND", always)];
    env.extend(target.topology.as_ref().map(|name| ("TOPO_TOPOLOGY", name.as_str().into())));
    env
}

/// The node that is meant.
fn find(console: &mut Console, topology: Option<&str>, what: &str) -> Result<Target, Exit> {
    let (topology, node) = what.split_once('/').map_or((topology, what), |(topology, node)| (Some(topology), node));
    let records = records(console, topology)?;
    let found: Vec<(&Name, &Record, Node)> =
        records.iter().filter_map(|(name, record)| Some((name, record, known::node_of(record, node)?))).collect();
    let node = found.first().map_or_else(|| Node::from(node), |(_, _, node)| node.clone());
    if found.len() > 1 && !node.is_host() {
        let having: Vec<String> = found.iter().map(|(name, _, node)| format!("{name}/{node}")).collect();
        console.problem(
            &format!("{what:?} is a node of several topologies"),
            Some(&format!("say which: {}", having.join(", "))),
        );
        return Err(Exit::Usage);
    }
    if let Some((name, record, node)) = found.into_iter().next() {
        return target(console, name, record, node);
    }
    let named = |place, files| Target {
        topology: topology.map(Name::from).filter(|_| !records.is_empty()),
        node: node.clone(),
        place,
        files,
    };
    if node.is_host() {
        return Ok(named(Place::Anywhere, None));
    }
    // A namespace that no record speaks of, because /run/topo was lost, is found by its name.
    if topology.is_none() && netns::path(node.as_str()).exists() {
        return Ok(named(Place::At(NetnsRef::Name(node.as_str().to_owned())), Some(node.as_str().to_owned())));
    }
    let help = known::suggestion(what, &known::nodes())
        .unwrap_or_else(|| "topo show lists the nodes of all topologies".to_owned());
    console.problem(&format!("there is no node {what:?} here"), Some(&help));
    Err(Exit::Failed)
}

/// All nodes of all topologies, or of one. A namespace that two topologies use is there once for each.
fn all(console: &mut Console, topology: Option<&str>) -> Result<Vec<Target>, Exit> {
    let records = records(console, topology)?;
    if let (Some(topology), true) = (topology, records.is_empty()) {
        let help = known::suggestion(topology, &known::topologies())
            .unwrap_or_else(|| "topo list shows the topologies".to_owned());
        console.problem(&format!("there is no topology {topology:?} here"), Some(&help));
        return Err(Exit::Failed);
    }
    let nodes = records
        .iter()
        .flat_map(|(name, record)| known::nodes_of(record).into_iter().map(move |node| (name, record, node)));
    nodes.map(|(name, record, node)| target(console, name, record, node)).collect()
}

/// A node that a topology has. Of an existing namespace it is the one that was configured, or none.
fn target(console: &mut Console, topology: &Name, record: &Record, node: Node) -> Result<Target, Exit> {
    let place = record.existing.get(&node).cloned().unwrap_or_else(|| NetnsRef::Name(node.as_str().to_owned()));
    if let (Some(cookie), Ok(now)) = (record.cookies.get(&node), identity::cookie_at(&place))
        && *cookie != now
    {
        let message =
            format!("the namespace {node} ({place}) that was configured is gone, and another one is found there now");
        console.problem(&message, Some("apply the topology again to configure that one"));
        return Err(Exit::Failed);
    }
    let files = match &place {
        NetnsRef::Name(name) => Some(name.clone()),
        NetnsRef::Path(_) | NetnsRef::Pid(_) | NetnsRef::Container { .. } => None,
    };
    Ok(Target { topology: Some(topology.clone()), node, place: Place::At(place), files })
}

/// The records of all topologies, or of one, with their names.
fn records(console: &mut Console, topology: Option<&str>) -> Result<Vec<(Name, Record)>, Exit> {
    let records = Records::default();
    let names = records.names().map_err(|error| notice::told(console, &error))?;
    let mut found = Vec::new();
    for name in names.iter().filter(|name| topology.is_none_or(|topology| name.as_str() == topology)) {
        let loaded = records.load(name).map_err(|error| notice::told(console, &error))?;
        found.extend(loaded.record.map(|record| (name.clone(), record)));
    }
    Ok(found)
}

/// As shells end when a command cannot be run.
fn status(error: &Error, program: &OsStr) -> Exit {
    let about_program = error.tried.starts_with("run ") && error.tried.ends_with(&*program.to_string_lossy());
    match error.errno {
        Some(nix::libc::ENOENT) if about_program => Exit::Program(127),
        Some(_) if about_program => Exit::Program(126),
        _ => Exit::of(error),
    }
}
