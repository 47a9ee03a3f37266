//! The two streams: results on stdout, everything else on stderr.

use super::exit::Exit;
use super::global::Global;
use super::signals;
use crate::document::Finding;
use crate::document::yaml::source::Source;
use crate::kernel::Error;
use crate::render::page::{BOLD, CHANGE, DIM, Page};
use crate::render::{Look, finding};
use crate::resource::{Origin, Origins, RawRules, ResourceId};
use anstream::{AutoStream, ColorChoice};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::collections::BTreeSet;
use std::io;
use std::io::{BufRead, IsTerminal, Write};
use std::os::fd::AsFd;
use std::sync::atomic::Ordering;

/// Where output goes, and how much of it.
#[derive(Debug)]
pub struct Console {
    choice: ColorChoice,
    look: Look,
    quiet: bool,
    /// Whether every request is reported.
    pub verbose: bool,
    /// Whether something could not be written, other than to a reader that went away.
    failed: bool,
    /// Whether the reader of stdout went away.
    unread: bool,
    /// The warnings that were reported.
    told: BTreeSet<String>,
}

impl Console {
    /// The console that the global options ask for.
    pub fn new(global: &Global) -> Self {
        let choice = global.color.into();
        let (terminal, color) =
            (io::stderr().is_terminal(), AutoStream::new(io::stderr(), choice).current_choice() != ColorChoice::Never);
        let width = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok()).unwrap_or(if terminal {
            80
        } else {
            100
        });
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
            .iter()
            .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
        let unicode = locale.is_some_and(|locale| locale.to_ascii_lowercase().replace('-', "").contains("utf8"));
        Self {
            choice,
            look: Look { color, unicode, width: width.clamp(40, 200) },
            quiet: global.quiet,
            verbose: global.verbose,
            failed: false,
            unread: false,
            told: BTreeSet::new(),
        }
    }

    /// For a process that nothing reads.
    pub fn silent() -> Self {
        Self::new(&Global { color: super::global::When::Never, quiet: true, verbose: false })
    }

    /// A result.
    pub fn out(&mut self, text: &str) {
        let mut stream = AutoStream::new(io::stdout(), self.choice).lock();
        let result = stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
        self.note_failure(result, "stdout");
    }

    /// A result that `--quiet` leaves out.
    pub fn chatter(&mut self, text: &str) {
        if !self.quiet {
            self.out(text);
        }
    }

    /// Something to know, on stderr.
    pub fn err(&mut self, text: &str) {
        let mut stream = AutoStream::new(io::stderr(), self.choice).lock();
        // There is nothing left to tell that stderr cannot be written.
        let _ = stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
    }

    /// How the program ends where all that it had to say could not be written.
    pub fn lost(&mut self, error: io::Error, stream: &str) -> Exit {
        self.note_failure(Err(error), stream);
        self.end(Exit::Done)
    }

    fn note_failure(&mut self, result: io::Result<()>, stream: &str) {
        let Err(error) = result else { return };
        self.unread |= error.kind() == io::ErrorKind::BrokenPipe && stream == "stdout";
        // A reader that has seen enough (`| head`) is no error, and no reason to leave work half done.
        if error.kind() != io::ErrorKind::BrokenPipe && !self.failed {
            self.failed = true;
            self.problem(&format!("cannot write to {stream}: {error}"), None);
        }
    }

    /// Whether output was lost: the disk behind it is full, say.
    pub fn has_lost(&self) -> bool {
        self.failed
    }

    /// Whether the reader of stdout has seen enough.
    pub fn is_unread(&self) -> bool {
        self.unread
    }

    /// The end, unless output was lost.
    pub fn end(&self, exit: Exit) -> Exit {
        if self.failed { exit.worst(Exit::Failed) } else { exit }
    }

    /// Findings of a file.
    pub fn findings(&mut self, source: &Source, findings: &[Finding]) {
        let text = finding::findings(source, findings, self.look) + &finding::tally(source, findings);
        self.err(&text);
    }

    /// Something that is wrong, at no place of a file.
    pub fn problem(&mut self, message: &str, help: Option<&str>) {
        let text = finding::nowhere(message, help.map(str::to_owned), self.look);
        self.err(&text);
    }

    /// Something that is wrong, and the place in a file that asked for it.
    pub fn problem_at(
        &mut self,
        from: &Asked<'_>,
        id: Option<&ResourceId>,
        code: &'static str,
        message: &str,
        help: Option<&str>,
    ) {
        self.told_at(from, id.and_then(|id| origin(from.origins, id)), code, message, help);
    }

    /// Reports it at a place of the file where there is one.
    fn told_at(
        &mut self,
        from: &Asked<'_>,
        origin: Option<&Origin>,
        code: &'static str,
        message: &str,
        help: Option<&str>,
    ) {
        match (origin, from.source) {
            (Some(origin), Some(source)) => {
                let text = finding::at(source, origin, code, message, help.map(str::to_owned), self.look);
                self.err(&text);
            }
            (Some(origin), None) => {
                let place = format!("asked for at {}:{}:{} ({})", origin.file, origin.line, origin.column, origin.path);
                let help = help.map_or(place.clone(), |help| format!("{help}\n{place}"));
                self.problem(message, Some(&help));
            }
            (None, _) => self.problem(message, help),
        }
    }

    /// Something that is wrong with what a place in a file asks for.
    pub fn problem_in(
        &mut self,
        source: Option<&Source>,
        origin: &Origin,
        code: &'static str,
        message: &str,
        help: &str,
    ) {
        let Some(source) = source else { return self.problem(message, Some(help)) };
        let text = finding::at(source, origin, code, message, Some(help.to_owned()), self.look);
        self.err(&text);
    }

    /// A failure at the kernel's door.
    pub fn failure(&mut self, from: &Asked<'_>, error: &Error) {
        // The command itself names the namespace where `ip -n` can; the rest is reported.
        let node =
            error.id.as_ref().map(|id| id.node()).filter(|node| !node.is_host() && !error.tried.contains(node.short()));
        let place = node.map(|node| format!("in {node}: ")).unwrap_or_default();
        let rule = error.id.clone().zip(error.rule.clone()).and_then(|key| from.raw.get(&key));
        let origin = rule.or_else(|| error.id.as_ref().and_then(|id| origin(from.origins, id)));
        self.told_at(from, origin, "refused", &format!("{place}{error}"), error.help.as_deref());
    }

    /// Warnings about what places in a file ask for. What was said before is not said again.
    pub fn warnings(&mut self, source: &Source, warnings: Vec<Finding>) {
        let fresh: Vec<Finding> =
            warnings.into_iter().filter(|warning| self.told.insert(warning.message.clone())).collect();
        self.err(&finding::findings(source, &fresh, self.look));
    }

    /// A warning. What was said before is not said again.
    pub fn warn(&mut self, text: &str) {
        if !self.told.insert(text.to_owned()) {
            return;
        }
        let mut page = Page::new();
        page.paint(CHANGE, "warning:").put(format!(" {text}")).end();
        self.err(&page.finish());
    }

    /// A remark on stderr that `--quiet` leaves out.
    pub fn note(&mut self, text: &str) {
        if !self.quiet {
            let mut page = Page::new();
            page.paint(BOLD, "note:").put(format!(" {text}")).end();
            self.err(&page.finish());
        }
    }

    /// A request to the kernel, as `-v` reports it.
    pub fn request(&mut self, text: &str) {
        let mut page = Page::new();
        for line in text.lines() {
            page.paint(DIM, line).end();
        }
        self.err(&page.finish());
    }

    /// Whether progress may be reported.
    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Whether the stream that progress goes to is a terminal.
    pub fn is_live(&self) -> bool {
        io::stderr().is_terminal() && !self.verbose
    }
}

/// The line that a user types, without its blanks; `None` where a signal or the end of the input comes before.
pub fn answer() -> Option<String> {
    /// How soon a signal ends the question, in milliseconds.
    const PAUSE: u16 = 100;
    let interrupted = signals::watch();
    let stdin = io::stdin();
    let mut answer = String::new();
    while interrupted.load(Ordering::Relaxed) == 0 {
        match poll(&mut [PollFd::new(stdin.as_fd(), PollFlags::POLLIN)], PollTimeout::from(PAUSE)) {
            Ok(0) | Err(nix::Error::EINTR) => {}
            // What cannot be read is no answer.
            _ => {
                let read = stdin.lock().read_line(&mut answer);
                return read.is_ok_and(|read| read > 0).then(|| answer.trim().to_owned());
            }
        }
    }
    None
}

/// What is known of the file that a plan came from.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Its text.
    pub source: Option<&'a Source>,
    /// Who asked for what.
    pub origins: &'a Origins,
    /// Where rules in nft's words stand.
    pub raw: &'a RawRules,
}

impl<'a> Asked<'a> {
    /// Where a resource was asked for, or else its link, or else its namespace.
    pub fn origin(&self, id: &ResourceId) -> Option<&'a Origin> {
        origin(self.origins, id)
    }
}

/// Where a resource was asked for, or else its link, or else its namespace.
pub fn origin<'a>(origins: &'a Origins, id: &ResourceId) -> Option<&'a Origin> {
    let link = match id {
        ResourceId::Qdisc(link)
        | ResourceId::Address(link, ..)
        | ResourceId::Neighbor(link, ..)
        | ResourceId::Fdb(link, ..)
        | ResourceId::Peer(link, _) => Some(ResourceId::Link(link.clone())),
        _ => None,
    };
    let namespace = ResourceId::Namespace(id.node().clone());
    origins.get(id).or_else(|| origins.get(&link?)).or_else(|| origins.get(&namespace))
}
