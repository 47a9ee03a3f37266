//! The program: its arguments, and which subcommand runs.

use super::command::{
    apply, completions, confirm, deadline as watch, destroy, diff, doctor, exec, expand, explain, graph, import, lab,
    list, man, plan, rollback, schema, show, test, trace, undo, validate,
};
use super::console::Console;
use super::exit::Exit;
use super::global::{Global, When};
use super::{elsewhere, signals};
use crate::linux::script;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use std::process::ExitCode;

/// Plan, apply and destroy Linux network topologies
///
/// A topology is a YAML file: network namespaces, veth pairs, bridges, addresses, routes, NAT and firewall. "topo plan"
/// shows what the running kernel lacks, "topo apply" makes it so, "topo destroy" leaves the machine as it was. There is
/// no daemon and no state file: the kernel is the state.
#[derive(Debug, Parser)]
#[command(name = "topo", version, max_term_width = 100, arg_required_else_help = true, after_long_help = AFTER)]
pub struct Topo {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

pub(crate) const AFTER: &str = "\
Examples:
  topo validate lab.yaml        is the file right? needs no privileges
  sudo topo plan lab.yaml       what would change?
  sudo topo apply lab.yaml      make it so
  sudo topo exec RED ping -c1 11.11.11.3
  sudo topo test lab.yaml       do its checks pass?
  sudo topo destroy lab.yaml    leave nothing behind

Exit status:
  0 done, or nothing to do        65 the topology has errors
  1 failed                        77 not enough privileges
  2 plan --detailed-exitcode:     130, 143, 129 stopped by SIGINT,
    there are changes; diff:        SIGTERM, SIGHUP, and undone
    they differ; explain, trace:    126, 127 exec: the command cannot be
    it stops; doctor: errors        run, is not there
  3 explain, trace: it cannot     64 wrong usage
    be said";

impl From<When> for anstream::ColorChoice {
    fn from(when: When) -> Self {
        match when {
            When::Auto => Self::Auto,
            When::Always => Self::Always,
            When::Never => Self::Never,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Validate(validate::Validate),
    Plan(plan::PlanCommand),
    Apply(apply::Apply),
    Destroy(destroy::Destroy),
    Diff(diff::Diff),
    Confirm(confirm::Confirm),
    Rollback(rollback::Rollback),
    Undo(undo::Undo),
    List(list::List),
    Show(show::Show),
    Graph(graph::Graph),
    Exec(exec::Exec),
    Expand(expand::Expand),
    Explain(explain::Explain),
    Doctor(doctor::Doctor),
    Trace(trace::Trace),
    Import(import::Import),
    Test(test::Test),
    Lab(lab::Lab),
    Schema(schema::Schema),
    Completions(completions::Completions),
    Man(man::Man),
}

/// Runs the program.
pub fn main() -> ExitCode {
    signals::survive_file_limit();
    if let Some(topology) = watch::asked() {
        return watch::run(&topology).into();
    }
    if let Some(stage) = script::asked() {
        return elsewhere::stage(stage, import::here).into();
    }
    // A shell asks what a line can be completed to: the answer is printed, and that was all.
    clap_complete::CompleteEnv::with_factory(Topo::command).complete();
    let matches = match command_with_color().try_get_matches().and_then(|matches| Topo::from_arg_matches(&matches)) {
        Ok(topo) => topo,
        Err(error) => {
            return match error.print() {
                _ if error.use_stderr() => Exit::Usage.into(),
                Err(lost) => Console::silent().lost(lost, "stdout").into(),
                Ok(()) => Exit::Done.into(),
            };
        }
    };
    let mut console = Console::new(&matches.global);
    let result = match matches.command {
        Command::Validate(command) => command.run(&mut console),
        Command::Plan(command) => command.run(&mut console),
        Command::Apply(command) => command.run(&mut console),
        Command::Destroy(command) => command.run(&mut console),
        Command::Diff(command) => command.run(&mut console),
        Command::Confirm(command) => command.run(&mut console),
        Command::Rollback(command) => command.run(&mut console),
        Command::Undo(command) => command.run(&mut console),
        Command::List(command) => command.run(&mut console),
        Command::Show(command) => command.run(&mut console),
        Command::Graph(command) => command.run(&mut console),
        Command::Exec(command) => command.run(&mut console),
        Command::Expand(command) => command.run(&mut console),
        Command::Explain(command) => command.run(&mut console),
        Command::Doctor(command) => command.run(&mut console),
        Command::Trace(command) => command.run(&mut console),
        Command::Import(command) => command.run(&mut console),
        Command::Test(command) => command.run(&mut console),
        Command::Lab(command) => command.run(&mut console),
        Command::Schema(command) => command.run(&mut console),
        Command::Completions(command) => command.run(&mut console),
        Command::Man(command) => command.run(&mut console, Topo::command()),
    };
    console.end(result.unwrap_or_else(|exit| exit)).into()
}

/// The command; its own errors and helps obey `--color`, too, which clap would know only after it has read the
/// arguments.
pub(crate) fn command_with_color() -> clap::Command {
    let mut arguments = std::env::args_os().map(|argument| argument.to_string_lossy().into_owned());
    let mut color = clap::ColorChoice::Auto;
    while let Some(argument) = arguments.next() {
        let when = match argument.strip_prefix("--color") {
            Some("") => arguments.next(),
            Some(rest) => rest.strip_prefix('=').map(str::to_owned),
            None => None,
        };
        match when.as_deref() {
            Some("never") => color = clap::ColorChoice::Never,
            Some("always") => color = clap::ColorChoice::Always,
            _ => {}
        }
    }
    Topo::command().color(color)
}
