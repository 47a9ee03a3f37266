//! Options that every command takes.

use super::exit::Exit;
use clap::{Args, ValueEnum};

/// Options that every command takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// When to use colours; NO_COLOR in the environment means never
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t = When::Auto)]
    pub(crate) color: When,
    /// Print results and errors only; with --yes an apply or destroy that succeeds prints nothing
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Print every request to the kernel, as commands of ip, bridge, tc, sysctl and nft
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum When {
    /// On a terminal
    Auto,
    /// Also into pipes and files
    Always,
    /// Not at all
    Never,
}

/// How a subcommand ends; errors have been printed by then.
pub(crate) type Result = std::result::Result<Exit, Exit>;
