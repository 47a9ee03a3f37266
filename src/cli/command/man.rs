use crate::cli::console::Console;
use crate::cli::exit::Exit;
use clap::Args;
use std::path::{Path, PathBuf};

/// Print the manual page, or write those of all commands into a folder
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  topo man | man -l -\n  topo man --out /usr/local/share/man/man1")]
pub struct Man {
    /// The folder for topo.1, topo-plan.1 and so on; it is made where there is none
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

impl Man {
    /// Runs the command.
    ///
    /// # Errors
    ///
    /// The exit status of a failure that was already printed.
    pub fn run(self, console: &mut Console, command: clap::Command) -> crate::cli::global::Result {
        let written = match &self.out {
            Some(folder) => std::fs::create_dir_all(folder)
                .and_then(|()| clap_mangen::generate_to(command, folder))
                .and_then(|()| mend(folder)),
            None => {
                let mut page = Vec::new();
                clap_mangen::Man::new(command)
                    .render(&mut page)
                    .map(|()| console.out(&whole_lines(&String::from_utf8_lossy(&page))))
            }
        };
        written.map_err(|error| {
            console.problem(&format!("cannot write the manual: {error}"), None);
            Exit::Failed
        })?;
        Ok(Exit::Done)
    }
}

/// Mends the pages in a folder, see [`whole_lines`].
fn mend(folder: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name == "topo.1" || name.starts_with("topo-") && name.ends_with(".1") {
            std::fs::write(&path, whole_lines(&std::fs::read_to_string(&path)?))?;
        }
    }
    Ok(())
}

/// A page whose examples keep their lines: what stands after the options is no running text.
fn whole_lines(page: &str) -> String {
    let mut lines = Vec::new();
    let mut kept = false;
    for line in page.lines() {
        if kept && line.starts_with(".SH") {
            lines.push(".fi");
            kept = false;
        }
        if line == ".SH EXTRA" {
            lines.extend([".SH EXAMPLES", ".nf"]);
            kept = true;
        } else {
            lines.push(line);
        }
    }
    lines.push(if kept { ".fi" } else { "" });
    lines.join("\n").trim_end().to_owned() + "\n"
}
