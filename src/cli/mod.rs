//! The command line: one file per subcommand.

pub mod command;
pub(crate) mod confirmation;
pub(crate) mod execute;
pub mod input;
pub(crate) mod session;
use self::command::apply;
use self::command::completions;
use self::command::confirm;
use self::command::deadline as watch;
use self::command::destroy;
use self::command::exec;
use self::command::list;
use self::command::man;
use self::command::plan;
use self::command::rollback;
use self::command::schema;
use self::command::show;
use self::command::test;
use self::command::undo;
use self::command::validate;
mod console;
mod exit;
pub(crate) mod known;
mod progress;
mod signals;
mod trial;

pub use exit::Exit;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use console::Console;
use std::process::ExitCode;

/// Plan, apply and destroy Linux network topologies
///
/// A topology is a YAML file: network namespaces, veth pairs, bridges, addresses, routes, NAT and firewall. "topo plan" shows what the running kernel
/// lacks, "topo apply" makes it so, "topo destroy" leaves the machine as it was. There is no daemon and no state file: the kernel is the state.
#[derive(Debug, Parser)]
#[command(name = "topo", version, max_term_width = 100, arg_required_else_help = true, after_long_help = AFTER)]
pub struct Topo {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

const AFTER: &str = "\
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
    there are changes               SIGTERM, SIGHUP, and undone
  64 wrong usage";

/// Options that every command takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// When to use colours; NO_COLOR in the environment means never
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t = When::Auto)]
    color: When,
    /// Print results and errors only; with --yes an apply or destroy that succeeds prints nothing
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// Print every request to the kernel, in the words of ip, bridge, sysctl and nft
    #[arg(short, long, global = true)]
    verbose: bool,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum When {
    /// On a terminal
    Auto,
    /// Also into pipes and files
    Always,
    /// Not at all
    Never,
}

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
enum Command {
    Validate(validate::Validate),
    Plan(plan::PlanCommand),
    Apply(apply::Apply),
    Destroy(destroy::Destroy),
    Confirm(confirm::Confirm),
    Rollback(rollback::Rollback),
    Undo(undo::Undo),
    List(list::List),
    Show(show::Show),
    Exec(exec::Exec),
    Test(test::Test),
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
        Command::Confirm(command) => command.run(&mut console),
        Command::Rollback(command) => command.run(&mut console),
        Command::Undo(command) => command.run(&mut console),
        Command::List(command) => command.run(&mut console),
        Command::Show(command) => command.run(&mut console),
        Command::Exec(command) => command.run(&mut console),
        Command::Test(command) => command.run(&mut console),
        Command::Schema(command) => command.run(&mut console),
        Command::Completions(command) => command.run(&mut console),
        Command::Man(command) => command.run(&mut console),
    };
    console.end(result.unwrap_or_else(|exit| exit)).into()
}

/// The command; its own errors and helps obey `--color`, too, which clap would know only after it has read the arguments.
fn command_with_color() -> clap::Command {
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

/// How a subcommand ends; what went wrong has been told by then.
type Result = std::result::Result<Exit, Exit>;
