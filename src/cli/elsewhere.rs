//! Files of other programs, and scripts: `topo import --from`.

use super::console::Console;
use super::exit::Exit;
use super::input::files;
use super::notice;
use crate::document::Severity;
use crate::document::yaml::source::Source;
use crate::import::elsewhere::{Drafted, containerlab, netplan};
use crate::linux::script;
use crate::linux::script::{Stage, Wanted};
use crate::render::yaml;
use crate::resource::Name;
use clap::ValueEnum;
use std::path::Path;

/// Whose file it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum From {
    /// A topology of containerlab: Linux nodes, bridges, links, exec lines of ip
    Containerlab,
    /// A network of netplan: the machine's interfaces, bridges, bonds, VLANs, VRFs
    Netplan,
    /// A script: it is run in a sandbox, with --run alone
    Script,
}

/// The topology that a file of another program, or a script, says: the text of a file.
///
/// # Errors
///
/// If the file cannot be read, is wrong, or is a script that may not or cannot be run, after that was printed.
pub fn read(
    console: &mut Console,
    from: From,
    file: &Path,
    run: bool,
    topology: &Name,
    ranges: bool,
) -> Result<String, Exit> {
    if from == From::Script && !run {
        let help = "topo import --from script --run FILE runs it in a sandbox: namespaces of its own, as no user of this machine, with /usr read-only and nothing else of it, for 30 seconds at most";
        console.problem("a script is a program: what it makes is known when it has run", Some(help));
        return Err(Exit::Usage);
    }
    if from != From::Script && run {
        console.problem("only a script is run", Some("leave --run out: the commands in such a file are read, not run"));
        return Err(Exit::Usage);
    }
    let sources = files::read(console, &[file.to_owned()])?;
    let Some(source) = sources.into_iter().next() else { return Err(Exit::Failed) };
    match from {
        From::Containerlab => drafted(console, &source, &containerlab(&source, topology), ranges),
        From::Netplan => drafted(console, &source, &netplan(&source, topology), ranges),
        From::Script => script::run(&source.text, &Wanted { name: topology.to_string(), ranges })
            .map_err(|error| notice::told(console, &error)),
    }
}

fn drafted(console: &mut Console, source: &Source, drafted: &Drafted, ranges: bool) -> Result<String, Exit> {
    console.findings(source, &drafted.findings);
    if drafted.findings.iter().any(|finding| finding.severity == Severity::Error) {
        return Err(Exit::Data);
    }
    Ok(yaml::file(&drafted.state, &drafted.remarks, ranges))
}

/// Runs a stage of the sandbox of a script; `import` prints what is there.
pub fn stage(stage: Stage, import: impl FnOnce(&mut Console, Name, bool) -> super::global::Result) -> Exit {
    let mut console = Console::silent();
    let ended = match stage {
        Stage::Outer(wanted) => script::outer(&wanted).map(Exit::Program),
        Stage::Inner(wanted) => match script::inner() {
            Ok(()) => Ok(import(&mut console, wanted.name.as_str().into(), wanted.ranges).unwrap_or_else(|exit| exit)),
            Err(error) => Err(error),
        },
        Stage::Script => Err(script::script()),
    };
    ended.unwrap_or_else(|error| {
        // The program outside reads it: what failed, and behind it what more there is to say.
        let help = error.help.clone().unwrap_or_default();
        console.err(&format!("{}: {}\n{help}\n", error.tried, error.reason));
        Exit::of(&error)
    })
}
