//! Output that is drawn again each second.

use super::console::Console;
use super::exit::Exit;
use super::signals;
use crate::linux::process::terminal;
use std::io;
use std::io::{IsTerminal, Write};
use std::os::fd::AsFd;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// How often it is drawn.
const EVERY: Duration = Duration::from_secs(1);
/// How soon a signal ends it.
const PAUSE: Duration = Duration::from_millis(50);
/// The cursor to the upper left corner, and the screen cleared below it.
const CLEAR: &[u8] = b"\x1b[H\x1b[J";

/// Prints what `frame` makes, each second in the place of what it made before, until a signal comes or the reader goes
/// away. Where there is no terminal, one follows the other.
///
/// # Errors
///
/// The exit status of a frame that failed, after that was printed; the signal that ended it.
pub fn watch(console: &mut Console, mut frame: impl FnMut(&mut Console) -> Result<String, Exit>) -> Result<Exit, Exit> {
    let stopped = signals::watch();
    let mut first = true;
    loop {
        let begin = Instant::now();
        let text = frame(console)?;
        if io::stdout().is_terminal() {
            let mut stdout = io::stdout().lock();
            // Not through the stream that leaves out colours: it would leave this out, too. What cannot be written is
            // noted with the text.
            let _ = if first { stdout.write_all(b"\x1b[2J") } else { Ok(()) };
            let _ = stdout.write_all(CLEAR).and_then(|()| stdout.flush());
            drop(stdout);
            console.out(&fitting(&text, terminal::lines(io::stdout().as_fd())));
        } else {
            console.out(&text);
        }
        first = false;
        while begin.elapsed() < EVERY {
            match stopped.load(Ordering::Relaxed) {
                0 if console.is_unread() || console.has_lost() => return Ok(Exit::Done),
                0 => std::thread::sleep(PAUSE.min(EVERY.saturating_sub(begin.elapsed()))),
                signal => return Err(Exit::Signal(signal)),
            }
        }
    }
}

/// As much of `text` as has room in so many lines: what scrolls away cannot be drawn over.
fn fitting(text: &str, lines: Option<usize>) -> String {
    let Some(room) = lines.and_then(|lines| lines.checked_sub(1)).filter(|room| text.lines().count() > *room) else {
        return text.to_owned();
    };
    let kept: Vec<&str> = text.lines().take(room.saturating_sub(1)).collect();
    let rest = text.lines().count() - kept.len();
    format!("{}\n… {rest} more lines\n", kept.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_drawn_than_there_are_lines() {
        let text = "1\n2\n3\n4\n5\n";
        assert_eq!((fitting(text, None), fitting(text, Some(6))), (text.to_owned(), text.to_owned()));
        assert_eq!(fitting(text, Some(5)), "1\n2\n3\n… 2 more lines\n");
        assert_eq!(fitting(text, Some(1)), "\n… 5 more lines\n");
    }
}
