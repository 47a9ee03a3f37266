use crate::cli::console::Console;
use crate::cli::exit::Exit;
use crate::cli::session;
use crate::kernel::Error;
use crate::linux::netns;
use crate::linux::netns::Place;
use crate::linux::node::exec;
use crate::linux::store::record::Records;
use crate::resource::{Name, NetnsRef, Node, Record};
use clap::Args;
use std::ffi::{OsStr, OsString};

/// Run a command in a node
///
/// With the namespace's own hosts and resolv.conf in place of the machine's. The exit status is the command's; signals go to it. Without a command a
/// shell is started.
#[derive(Debug, Args)]
#[command(
    after_long_help = "Examples:\n  sudo topo exec RED -- ping -c1 11.11.11.3\n  sudo topo exec lab/RED -- sh           where several topologies have a node RED\n  sudo topo exec RED                     a shell\n\nExit status: the command's; 126 it cannot be run, 127 there is no such command"
)]
pub struct Exec {
    /// The node, or TOPOLOGY/NODE
    #[arg(value_name = "[TOPOLOGY/]NODE")]
    node: String,
    /// The command and its arguments
    #[arg(last = true, value_name = "CMD")]
    command: Vec<OsString>,
}

impl Exec {
    pub fn run(self, console: &mut Console) -> crate::cli::Result {
        let shell = [std::env::var_os("SHELL").unwrap_or_else(|| "/bin/sh".into())];
        let words = if self.command.is_empty() { shell.as_slice() } else { &self.command };
        let Some((program, arguments)) = words.split_first() else { return Err(Exit::Usage) };
        let (place, files) = find(console, &self.node)?;
        let Err(error) = exec::exec(place, files.as_deref(), program, arguments, &mut |warning| console.warn(warning));
        session::told(console, &error);
        Err(status(&error, program))
    }
}

/// The namespace of a node, and the name of its folder of files.
fn find(console: &mut Console, what: &str) -> Result<(Place, Option<String>), Exit> {
    let (topology, node) = what.split_once('/').map_or((None, what), |(topology, node)| (Some(topology), node));
    let node = Node::from(node);
    let records = records(console, topology)?;
    let having: Vec<String> = records.iter().filter(|(_, record)| has(record, &node)).map(|(name, _)| format!("{name}/{node}")).collect();
    if having.len() > 1 && !node.is_host() {
        console.problem(&format!("{what:?} is a node of several topologies"), Some(&format!("say which: {}", having.join(", "))));
        return Err(Exit::Usage);
    }
    let records: Vec<&Record> = records.iter().map(|(_, record)| record).collect();
    if let Some(place) = records.iter().find_map(|record| record.existing.get(&node)) {
        let files = match place {
            NetnsRef::Name(name) => Some(name.clone()),
            NetnsRef::Path(_) | NetnsRef::Pid(_) => None,
        };
        return Ok((Place::At(place.clone()), files));
    }
    if node.is_host() {
        return Ok((Place::Anywhere, None));
    }
    // A namespace that no record speaks of, because /run/topo was lost, is found by its name.
    let known = records.iter().any(|record| record.namespaces.contains_key(&node)) || (topology.is_none() && netns::path(node.as_str()).exists());
    if known {
        return Ok((Place::At(NetnsRef::Name(node.to_string())), Some(node.to_string())));
    }
    console.problem(&format!("there is no node {what:?} here"), Some("topo show lists the nodes of all topologies"));
    Err(Exit::Failed)
}

/// Whether a topology has a node, of its own or somebody else's.
fn has(record: &Record, node: &Node) -> bool {
    record.existing.contains_key(node) || record.namespaces.contains_key(node)
}

/// The records of all topologies, or of one, with their names.
fn records(console: &mut Console, topology: Option<&str>) -> Result<Vec<(Name, Record)>, Exit> {
    let records = Records::default();
    let names = records.names().map_err(|error| session::told(console, &error))?;
    let mut found = Vec::new();
    for name in names.iter().filter(|name| topology.is_none_or(|topology| name.as_str() == topology)) {
        let loaded = records.load(name).map_err(|error| session::told(console, &error))?;
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
