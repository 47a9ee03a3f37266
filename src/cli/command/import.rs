use crate::cli::console::Console;
use crate::cli::elsewhere::From;
use crate::cli::exit::Exit;
use crate::cli::input::load;
use crate::cli::{adoption, elsewhere, execute, known, notice};
use crate::document::Severity;
use crate::document::yaml::source::Source;
use crate::document::yaml::word::Word;
use crate::import::{Imported, Wish, import};
use crate::linux::secret::Keys;
use crate::linux::survey::{keys, read};
use crate::render::yaml;
use crate::resource::{Name, Node};
use clap::Args;
use clap_complete::engine::ArgValueCandidates;
use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Print a topology file that makes what is there
///
/// Namespaces, links, addresses, routes, rules, NAT and firewall of nft and of iptables, settings that are not those of
/// a fresh namespace, hosts and resolv.conf, of topo and of others. What the kernel makes by itself is left out. What
/// no file can say, and what a daemon makes again, stands as a comment where it belongs. Nothing is changed.
#[derive(Debug, Args)]
#[command(
    override_usage = "topo import [OPTIONS] NODE...\n       topo import [OPTIONS] --all\n       topo import [OPTIONS] --adopt --out FILE NODE...\n       topo import [OPTIONS] --from FORMAT FILE",
    after_long_help = "Examples:\n  sudo topo import --all                      the whole machine\n  sudo topo import RED BLUE                   two namespaces; what they need elsewhere is named as existing\n  sudo topo import --all --out lab.yaml       into a file, and private keys into lab.keys/\n  sudo topo import --adopt RED BLUE -o lab.yaml  and what the file says is topology \"lab\" from then on\n  topo import --from containerlab clos.clab.yml  a file of another program\n  topo import --from script --run net.sh      what a script makes, in a sandbox"
)]
pub struct Import {
    /// The nodes: names in /run/netns, names of containers, "host"; with --from, the file
    #[arg(value_name = "NODE|FILE", required_unless_present = "all", add = ArgValueCandidates::new(known::node_candidates))]
    nodes: Vec<String>,
    /// All namespaces, and the one that topo is started in
    #[arg(long, conflicts_with = "nodes")]
    all: bool,
    /// The name of the topology [default: that of FILE, or "imported"]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Write an entry for each node and interface, also where many are alike
    #[arg(long)]
    no_ranges: bool,
    /// Write the file there, and private keys beside it: of FILE.yaml into FILE.keys/
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Read a file of another program instead of the machine. What topo has no word for is a comment with its line
    #[arg(long, value_enum, value_name = "FORMAT", conflicts_with_all = ["all", "adopt"])]
    from: Option<From>,
    /// Run the script of --from script: in a sandbox, as no user of this machine, with namespaces of its own of every
    /// sort, /usr read-only and nothing else of the machine, no network outside, for at most 30 seconds; a process may
    /// have 512 MB, and there may be 200. Needs no root, but a kernel that lets users make namespaces (else 77)
    #[arg(long, requires = "from")]
    run: bool,
    /// Give what the file says the topology's marks where it stands: from then on it is the topology's, as if "topo
    /// apply" had made it. Shows the plan and asks; nothing goes down, and no connection is lost. What is hardware,
    /// carries the default route, or is a daemon's, stays what it is
    #[arg(long, requires = "out", conflicts_with = "all")]
    adopt: bool,
    /// Do not ask before adopting
    #[arg(short, long, requires = "adopt")]
    yes: bool,
    /// How long to wait while another apply or destroy is under way
    #[arg(long, value_name = "SECONDS", default_value_t = 30, requires = "adopt")]
    lock_timeout: u64,
}

/// The name of a topology without one.
const NAME: &str = "imported";

impl Import {
    /// Runs the command.
    ///
    /// # Errors
    ///
    /// The exit status of a failure that was already printed.
    pub fn run(self, console: &mut Console) -> crate::cli::global::Result {
        let topology = self.topology(console)?;
        if let Some(from) = self.from {
            return self.read(console, from, &topology);
        }
        let lock = self.adopt.then(|| execute::lock(console, self.lock_timeout)).transpose()?;
        if self.adopt {
            adoption::refuse_known(console, &topology)?;
        }
        let nodes: BTreeSet<Node> = self.nodes.iter().map(|name| Node::from(name.as_str())).collect();
        let (survey, secrets) = read::survey(&topology, &|node, _| self.all || nodes.contains(node))
            .map_err(|error| notice::told(console, &error))?;
        if let Some(node) = nodes.iter().find(|node| !survey.nodes.contains_key(*node)) {
            let names: Vec<String> = survey.nodes.keys().map(ToString::to_string).collect();
            let help = known::suggestion(node.as_str(), &names);
            let help =
                help.unwrap_or_else(|| "ip netns list shows the names; the machine itself is \"host\"".to_owned());
            console.problem(&format!("there is no namespace {:?} here", node.as_str()), Some(&help));
            return Err(Exit::Failed);
        }
        let folder = self.out.as_deref().map(key_folder);
        let wish = Wish {
            topology,
            nodes: (!self.all).then_some(nodes),
            keys: folder.as_ref().and_then(|folder| Some(folder.file_name()?.to_str()?.to_owned())),
            adopts: self.adopt,
        };
        let imported = import(&survey, &wish);
        let text = yaml::file(&imported.state, &imported.remarks, !self.no_ranges);
        let (Some(file), Some(folder)) = (&self.out, &folder) else {
            console.out(&text);
            self.check(console, text);
            return Ok(Exit::Done);
        };
        write_keys(console, &imported, &secrets, folder)?;
        let new = write(console, file, &text)?;
        let Some(lock) = lock else {
            self.check(console, text);
            return Ok(Exit::Done);
        };
        let adopting = adoption::Adopting { lock, patience: self.lock_timeout, sure: self.yes };
        let ended = adoption::adopt(console, file, &imported.adoption, adopting);
        if new && ended.is_err() {
            // Nothing was begun, and what it says is not so.
            let _ = std::fs::remove_file(file);
        }
        ended
    }

    /// The topology that a file of another program says.
    fn read(&self, console: &mut Console, from: From, topology: &Name) -> crate::cli::global::Result {
        let [file] = self.nodes.as_slice() else {
            console.problem("--from reads one file", Some("topo import --from containerlab FILE"));
            return Err(Exit::Usage);
        };
        let text = elsewhere::read(console, from, Path::new(file), self.run, topology, !self.no_ranges)?;
        match &self.out {
            Some(out) => _ = write(console, out, &text)?,
            None => console.out(&text),
        }
        self.check(console, text);
        Ok(Exit::Done)
    }

    fn topology(&self, console: &mut Console) -> Result<Name, Exit> {
        if let Some(name) = &self.name {
            return Name::parse(name).map_err(|_| {
                let help = "1 to 32 letters, digits, dots, underscores and hyphens, a letter or digit first";
                console.problem(&format!("{name:?} is not the name of a topology"), Some(help));
                Exit::Usage
            });
        }
        let read = self.nodes.first().filter(|_| self.from.is_some()).map(PathBuf::from);
        let file = self.out.as_ref().or(read.as_ref());
        // Of `clos.clab.yml` it is `clos`.
        let stem = file.and_then(|file| file.file_name()?.to_str()?.split('.').next());
        let stem = if self.from.is_none() { file.and_then(|file| file.file_stem()?.to_str()) } else { stem };
        Ok(stem.and_then(|stem| Name::parse(stem).ok()).unwrap_or_else(|| NAME.into()))
    }

    /// What is printed is read again: a file that does not hold is said to be none.
    fn check(&self, console: &mut Console, text: String) {
        let name = self.out.as_ref().map_or_else(|| "-".to_owned(), |file| file.display().to_string());
        for loaded in load::all(vec![Source { name, text: text.into() }]) {
            let errors: Vec<_> =
                loaded.findings.iter().filter(|finding| finding.severity == Severity::Error).cloned().collect();
            if !errors.is_empty() {
                console.findings(&loaded.source, &errors);
                console.warn("the machine has something that no file can have in this way: write it otherwise before the file is applied");
            }
        }
    }
}

/// Prints all that is there, as topology `name`.
///
/// # Errors
///
/// The exit status of a failure that was already printed.
pub fn here(console: &mut Console, name: Name, ranges: bool) -> crate::cli::global::Result {
    let import = Import {
        nodes: Vec::new(),
        all: true,
        name: Some(name.to_string()),
        out: None,
        no_ranges: !ranges,
        from: None,
        run: false,
        adopt: false,
        yes: false,
        lock_timeout: 0,
    };
    import.run(console)
}

/// The folder of the keys of a file: `lab.keys` for `lab.yaml`.
fn key_folder(file: &Path) -> PathBuf {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    file.with_file_name(format!("{stem}.keys"))
}

fn write_keys(console: &mut Console, imported: &Imported, secrets: &Keys, folder: &Path) -> Result<(), Exit> {
    for key in &imported.keys {
        keys::write(secrets, key.key, folder, &key.name).map_err(|error| notice::told(console, &error))?;
    }
    Ok(())
}

/// Writes the file; one that is there stays, unless it has the same text, or is empty as a killed run leaves it. Says
/// whether it is new.
fn write(console: &mut Console, file: &Path, text: &str) -> Result<bool, Exit> {
    if std::fs::read(file).is_ok_and(|there| there == text.as_bytes()) {
        return Ok(false);
    }
    let empty = std::fs::metadata(file).is_ok_and(|there| there.is_file() && there.len() == 0);
    let written = OpenOptions::new()
        .write(true)
        .create_new(!empty)
        .open(file)
        .and_then(|mut file| file.write_all(text.as_bytes()));
    written.map(|()| true).map_err(|error| {
        let there = error.kind() == std::io::ErrorKind::AlreadyExists;
        let help = there.then_some("give it another name, or move the file away: topo writes over none");
        console.problem(&format!("failed to write {}: {error}", file.display()), help);
        Exit::Failed
    })
}
