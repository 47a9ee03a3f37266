use super::{plan, show};
use crate::cli::console::Console;
use crate::cli::exit::Exit;
use crate::cli::input::{files, load};
use crate::cli::target::Case;
use crate::cli::{known, notice, session};
use crate::graph::{self, Picture, change, dot, fold, html, mermaid, svg, text};
use crate::linux::survey::read;
use crate::plan::change::Plan;
use crate::resource::Name;
use clap::{Args, ValueEnum};
use clap_complete::engine::ArgValueCompleter;
use std::fs;
use std::path::{Path, PathBuf};

/// Draw a topology: nodes, interfaces, addresses, and what connects them
///
/// Of a file the picture is what it wants, and needs no privileges; of the name of a topology it is what is there now.
/// With --plan it is the change from what is there to what is wanted: what is added, changed and removed has a colour
/// and a sign, the rest is pale. Large pictures show nodes that are alike as one, with their number; in html a click
/// unfolds them.
#[derive(Debug, Args)]
#[command(
    after_long_help = "Examples:\n  topo graph lab.yaml                          a tree on the terminal\n  topo graph lab.yaml --out lab.svg            a picture; .html, .mmd and .dot work too\n  topo graph lab.yaml --format mermaid         for a wiki or a pull request\n  sudo topo graph lab --out lab.html           what is there now, to search and zoom\n  sudo topo graph lab.yaml --plan --out a.svg  what an apply would change\n  sudo topo graph --all --out machine.html     the whole machine, whatever made it"
)]
pub struct Graph {
    /// A topology file, "-" for standard input, or the name of an applied topology [default: topology.yaml]
    #[arg(value_name = "FILE|NAME", add = ArgValueCompleter::new(known::file_or_topology))]
    what: Option<PathBuf>,
    /// The format [default: by the name of --out, else text]
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Draw the whole machine: all namespaces, links, addresses and routes, of topo and of others
    #[arg(long, conflicts_with_all = ["what", "plan"])]
    all: bool,
    /// Show what an apply would change; of a name, what has changed since it was applied
    #[arg(long)]
    plan: bool,
    /// Write to a file
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// A format of pictures.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Format {
    /// A picture for browsers and documents, light and dark
    Svg,
    /// A page to search, zoom and unfold, which needs no network
    Html,
    /// For pull requests and wikis
    Mermaid,
    /// For Graphviz
    Dot,
    /// For a terminal
    Text,
}

impl Graph {
    /// Runs the command.
    ///
    /// # Errors
    ///
    /// The exit status of a failure that was already printed.
    pub fn run(self, console: &mut Console) -> crate::cli::global::Result {
        let format = self.format.or_else(|| by_name(self.out.as_deref()?)).unwrap_or(Format::Text);
        let pictures = self.pictures(console)?;
        if pictures.len() > 1 && format != Format::Text {
            console.problem(
                "there are several topologies, and a picture is of one",
                Some("name one of the files; --format text prints several below each other"),
            );
            return Err(Exit::Usage);
        }
        let drawn: Vec<String> = pictures.iter().map(|picture| drawn(console, picture, format)).collect();
        let drawn = drawn.join("\n");
        match &self.out {
            None => console.out(&drawn),
            Some(path) => put(console, path, &drawn)?,
        }
        Ok(Exit::Done)
    }

    fn pictures(&self, console: &mut Console) -> Result<Vec<Picture>, Exit> {
        if self.all {
            let title = Name::from("machine");
            let (survey, _) = read::survey(&title, &|_, _| false).map_err(|error| notice::told(console, &error))?;
            return Ok(vec![graph::picture(&survey.state)]);
        }
        let name = self.what.as_deref().filter(|what| plan::is_name(what)).and_then(Path::to_str);
        if let (Some(name), false) = (name, self.plan) {
            let mut kernel = session::open(console)?;
            let (states, node) = show::select(console, &mut kernel, Some(name))?;
            if let Some(node) = node {
                let help = states.first().map(|state| format!("topo graph {} draws its topology", state.topology));
                console.problem(&format!("{node} is a node, not a topology"), help.as_deref());
                return Err(Exit::Failed);
            }
            return Ok(states.iter().map(graph::picture).collect());
        }
        let cases: Vec<Case> = if let Some(name) = name {
            let mut kernel = session::open(console)?;
            vec![plan::last(console, &mut kernel, name, false)?]
        } else {
            let paths: Vec<PathBuf> = self.what.iter().cloned().collect();
            let sources = files::read(console, &paths)?;
            load::sound(console, sources)?.into_iter().map(Case::of).collect()
        };
        if !self.plan {
            return Ok(cases.iter().map(|case| graph::picture(&case.wanted)).collect());
        }
        let mut kernel = session::open(console)?;
        let plan = |case| session::plan(console, &mut kernel, case).map(|plan| change::of_plan(&plan));
        cases.iter().map(plan).collect()
    }
}

/// Draws the change that a plan is into a file, in the format of its name.
///
/// # Errors
///
/// If the name says no format, or the file cannot be written, after that was printed.
pub fn draw_change(console: &mut Console, plan: &Plan, file: &Path) -> Result<(), Exit> {
    let Some(format) = by_name(file) else {
        let help = "a picture is .svg, .html, .mmd, .dot or .txt";
        console.problem(&format!("{:?} says no format", file.display().to_string()), Some(help));
        return Err(Exit::Usage);
    };
    let text = drawn(console, &change::of_plan(plan), format);
    put(console, file, &text)
}

fn put(console: &mut Console, file: &Path, text: &str) -> Result<(), Exit> {
    let plain = anstream::adapter::strip_str(text).to_string();
    fs::write(file, plain).map_err(|error| {
        console.problem(&format!("cannot write {:?}: {error}", file.display().to_string()), None);
        Exit::Failed
    })
}

/// The format that a file's name asks for.
fn by_name(path: &Path) -> Option<Format> {
    match path.extension()?.to_str()? {
        "svg" => Some(Format::Svg),
        "html" | "htm" => Some(Format::Html),
        "mmd" | "mermaid" => Some(Format::Mermaid),
        "dot" | "gv" => Some(Format::Dot),
        "txt" => Some(Format::Text),
        _ => None,
    }
}

fn drawn(console: &Console, picture: &Picture, format: Format) -> String {
    if format == Format::Html {
        return html::text(picture);
    }
    let picture = fold::fold(picture, &fold::first(picture));
    match format {
        Format::Svg => svg::text(&graph::scene(&picture)),
        Format::Mermaid => mermaid::text(&picture),
        Format::Dot => dot::text(&picture),
        Format::Text | Format::Html => text::text(&picture, console.columns()),
    }
}
