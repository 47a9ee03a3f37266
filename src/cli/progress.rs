//! How far it is, for work of more than a second.

use crate::apply::report::Progress;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::Write;
use std::time::{Duration, Instant};

/// Nothing is reported before.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often a line is written where there is no terminal.
const EVERY: Duration = Duration::from_secs(5);

/// Reports how far an apply is: a bar on a terminal, else a line now and then.
#[derive(Debug)]
pub struct Teller {
    topology: String,
    live: bool,
    quiet: bool,
    begin: Instant,
    told: Option<Instant>,
    bar: Option<ProgressBar>,
}

impl Teller {
    /// For one topology; `live` where stderr is a terminal.
    pub fn new(topology: &str, live: bool, quiet: bool) -> Self {
        Self { topology: topology.to_owned(), live, quiet, begin: Instant::now(), told: None, bar: None }
    }

    /// Takes note, and reports it if it is time.
    pub fn tell(&mut self, progress: Progress) {
        if self.quiet || self.begin.elapsed() < PATIENCE {
            return;
        }
        if self.live { self.draw(progress) } else { self.line(progress) }
    }

    fn draw(&mut self, progress: Progress) {
        let bar = self.bar.get_or_insert_with(|| {
            let style = ProgressStyle::with_template("{prefix} {bar:30} {pos}/{len} {msg}")
                .unwrap_or_else(|_| ProgressStyle::default_bar());
            ProgressBar::new(0).with_style(style).with_prefix(self.topology.clone())
        });
        match progress {
            Progress::Steps { done, of } => {
                bar.set_length(of as u64);
                bar.set_position(done as u64);
            }
            Progress::Undoing => bar.set_message("undoing"),
            Progress::Verifying => bar.set_message("waiting until it is usable"),
            Progress::Testing => bar.set_message("running its checks"),
        }
    }

    fn line(&mut self, progress: Progress) {
        let due = self.told.is_none_or(|told| told.elapsed() >= EVERY);
        let text = match progress {
            Progress::Steps { done, of } if due => format!("{}: {done} of {of} steps done", self.topology),
            Progress::Steps { .. } => return,
            Progress::Undoing => format!("{}: undoing", self.topology),
            Progress::Verifying => format!("{}: waiting until it is usable", self.topology),
            Progress::Testing => format!("{}: running its checks", self.topology),
        };
        self.told = Some(Instant::now());
        // Nothing is left to tell that stderr cannot be written.
        let _ = writeln!(std::io::stderr(), "{text}");
    }
}

impl Drop for Teller {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
