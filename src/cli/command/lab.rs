use crate::cli::console::Console;
use crate::cli::exit::Exit;
use crate::cli::known;
use crate::render::order::{cut, left, width};
use crate::render::page::{BOLD, Page};
use clap::Args;
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};

/// The labs of the folder `topologies`, by their names.
const LABS: [(&str, &str); 25] = [
    ("bad-line", include_str!("../../../topologies/bad-line.yaml")),
    ("bond", include_str!("../../../topologies/bond.yaml")),
    ("bridge", include_str!("../../../topologies/bridge.yaml")),
    ("bridge-and-docker", include_str!("../../../topologies/bridge-and-docker.yaml")),
    ("container", include_str!("../../../topologies/container.yaml")),
    ("docker-network", include_str!("../../../topologies/docker-network.yaml")),
    ("fat-tree", include_str!("../../../topologies/fat-tree.yaml")),
    ("firewall", include_str!("../../../topologies/firewall.yaml")),
    ("leaf-spine", include_str!("../../../topologies/leaf-spine.yaml")),
    ("macvlan", include_str!("../../../topologies/macvlan.yaml")),
    ("macvlan-and-ipvlan", include_str!("../../../topologies/macvlan-and-ipvlan.yaml")),
    ("multipath", include_str!("../../../topologies/multipath.yaml")),
    ("names", include_str!("../../../topologies/names.yaml")),
    ("nat", include_str!("../../../topologies/nat.yaml")),
    ("netlink-monitor", include_str!("../../../topologies/netlink-monitor.yaml")),
    ("policy-routing", include_str!("../../../topologies/policy-routing.yaml")),
    ("port-forward", include_str!("../../../topologies/port-forward.yaml")),
    ("router-chain", include_str!("../../../topologies/router-chain.yaml")),
    ("router-on-a-stick", include_str!("../../../topologies/router-on-a-stick.yaml")),
    ("tunnels", include_str!("../../../topologies/tunnels.yaml")),
    ("two-namespaces", include_str!("../../../topologies/two-namespaces.yaml")),
    ("vlan-bridge", include_str!("../../../topologies/vlan-bridge.yaml")),
    ("vrfs", include_str!("../../../topologies/vrfs.yaml")),
    ("vxlan", include_str!("../../../topologies/vxlan.yaml")),
    ("wireguard", include_str!("../../../topologies/wireguard.yaml")),
];

/// The list takes no more columns.
const COLUMNS: usize = 80;

/// List the labs that come with topo, or print one
///
/// Each demonstrates a part of Linux networking, explains it in comments, and has checks. Print one to a file, change
/// it, apply it. Nothing on the machine is changed.
#[derive(Debug, Args)]
#[command(
    after_long_help = "Examples:\n  topo lab                       what there is\n  topo lab nat >nat.yaml         one of them, to change and to apply\n  topo lab nat | sudo topo apply --yes -"
)]
pub struct Lab {
    /// The lab
    #[arg(value_name = "NAME", add = ArgValueCandidates::new(candidates))]
    name: Option<String>,
}

impl Lab {
    /// Runs the command.
    ///
    /// # Errors
    ///
    /// The exit status of a failure that was already printed.
    pub fn run(self, console: &mut Console) -> crate::cli::global::Result {
        let Some(name) = self.name else {
            console.out(&list());
            return Ok(Exit::Done);
        };
        let Some((_, text)) = LABS.iter().find(|(lab, _)| *lab == name) else {
            let names: Vec<String> = LABS.iter().map(|(lab, _)| (*lab).to_owned()).collect();
            let help = known::suggestion(&name, &names).unwrap_or_else(|| "topo lab lists them".to_owned());
            console.problem(&format!("there is no lab {name:?}"), Some(&help));
            return Err(Exit::Failed);
        };
        console.out(&plain(text));
        if text.contains(": keys/") {
            console.note("it reads keys from files beside it, in keys/: make them with wg genkey and wg genpsk, and its public keys with wg pubkey");
        }
        Ok(Exit::Done)
    }
}

/// A lab without what is for the folder that it comes from.
fn plain(text: &str) -> String {
    let mut lines: Vec<&str> =
        text.lines().skip_while(|line| line.starts_with("# yaml-language-server:") || *line == "#").collect();
    lines.retain(|line| !line.starts_with("# Needs of the kernel:"));
    lines.join("\n") + "\n"
}

/// All labs, and what each shows: the first line of its comment.
fn list() -> String {
    let wide = LABS.iter().map(|(name, _)| width(name)).max().unwrap_or(0);
    let mut page = Page::new();
    for (name, text) in LABS {
        let text = plain(text);
        let what = text.lines().next().unwrap_or_default().trim_start_matches(['#', ' ']);
        page.paint(BOLD, left(name, wide)).put("  ").put(cut(what, COLUMNS - wide - 2)).end();
    }
    page.finish()
}

fn candidates() -> Vec<CompletionCandidate> {
    LABS.iter().map(|(name, _)| CompletionCandidate::new(name)).collect()
}
