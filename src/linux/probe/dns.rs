//! One question to a name server (RFC 1035), over UDP.

use super::transport::{datagrams, receive};
use super::wire::{Until, Why, millis};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Types of records.
const A: u16 = 1;
const AAAA: u16 = 28;
/// The class of the Internet.
const IN: u16 = 1;

/// How many questions there were.
static QUESTIONS: AtomicU32 = AtomicU32::new(0);

/// Asks, and looks whether the answer is the expected one.
///
/// # Errors
///
/// Why it failed: no answer in time, another answer, no such name.
pub fn check(
    name: &str,
    six: bool,
    server_: Option<SocketAddr>,
    address: Option<IpAddr>,
    files: Option<&str>,
    until: &Until<'_>,
) -> Result<String, Why> {
    let begin = Instant::now();
    let to = server(server_, files)?;
    let found = lookup(name, six, to, until)?;
    let list = found.iter().take(4).map(ToString::to_string).collect::<Vec<_>>().join(", ");
    match address {
        _ if found.is_empty() => {
            Err(Why::Failed(format!("{to} knows no {} of {name}", if six { "AAAA" } else { "A" })))
        }
        Some(address) if !found.contains(&address) => Err(Why::Failed(format!("{name} is {list}, expected {address}"))),
        _ => Ok(format!("{list} in {}", millis(begin.elapsed()))),
    }
}

/// Who is asked: the one that is written, or else the first of the node's resolv.conf.
///
/// # Errors
///
/// If none is written and the node has none.
pub fn server(written: Option<SocketAddr>, files: Option<&str>) -> Result<SocketAddr, Why> {
    if let Some(server) = written {
        return Ok(server);
    }
    let own = files
        .map(|node| Path::new(crate::linux::object::file::DIR).join(node).join("resolv.conf"))
        .filter(|path| path.exists());
    let path = own.unwrap_or_else(|| "/etc/resolv.conf".into());
    let text =
        std::fs::read_to_string(&path).map_err(|error| Why::Broken(format!("read {}: {error}", path.display())))?;
    let mut servers = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("nameserver"))
        .filter_map(|rest| rest.trim().parse::<IpAddr>().ok());
    servers
        .next()
        .map(|address| SocketAddr::new(address, 53))
        .ok_or_else(|| Why::Broken(format!("{} names no server", path.display())))
}

/// The addresses of a name.
///
/// # Errors
///
/// If there is no such name, or no answer in time.
pub fn lookup(name: &str, six: bool, to: SocketAddr, until: &Until<'_>) -> Result<Vec<IpAddr>, Why> {
    let id = identifier();
    let kind = if six { AAAA } else { A };
    let socket = datagrams(to)?;
    let question =
        question(id, name, kind).ok_or_else(|| Why::Broken(format!("{name:?} is no name that can be asked for")))?;
    socket.send(&question).map_err(|error| Why::io(&format!("ask {to}"), &error))?;
    let mut buffer = [0; 4096];
    loop {
        let length = receive(&socket, to, &mut buffer, until)?;
        match answer(buffer.get(..length).unwrap_or_default(), id, kind) {
            Some(Ok(found)) => return Ok(found),
            Some(Err(3)) => return Err(Why::Failed(format!("{to} knows no name {name}"))),
            Some(Err(code)) => return Err(Why::Failed(format!("{to} answers {}", code_word(code)))),
            // Nothing that answers this question: what is meant for it may still come.
            None => {}
        }
    }
}

/// A number that others do not guess easily; the socket takes answers from the server's address alone.
fn identifier() -> u16 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.subsec_nanos());
    let mixed = now.rotate_left(11) ^ std::process::id() ^ QUESTIONS.fetch_add(0x9e37, Ordering::Relaxed);
    u16::try_from((mixed ^ (mixed >> 16)) & 0xffff).unwrap_or(0)
}

fn question(id: u16, name: &str, kind: u16) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    // Recursion is wanted; one question.
    for word in [id, 0x0100, 1, 0, 0, 0] {
        bytes.extend_from_slice(&word.to_be_bytes());
    }
    for label in name.split('.') {
        bytes.push(u8::try_from(label.len()).ok().filter(|length| (1..64).contains(length))?);
        bytes.extend_from_slice(label.as_bytes());
    }
    bytes.push(0);
    bytes.extend_from_slice(&kind.to_be_bytes());
    bytes.extend_from_slice(&IN.to_be_bytes());
    Some(bytes)
}

/// The addresses in an answer, or its error code; `None` for what is no answer to that question, or is cut off.
fn answer(bytes: &[u8], id: u16, kind: u16) -> Option<Result<Vec<IpAddr>, u8>> {
    let mut reader = Reader { bytes, at: 0 };
    let (their_id, flags) = (reader.word()?, reader.word()?);
    if their_id != id || flags & 0x8000 == 0 {
        return None;
    }
    let (questions, answers) = (reader.word()?, reader.word()?);
    reader.take(4)?;
    for _ in 0..questions {
        reader.name()?;
        reader.take(4)?;
    }
    let code = flags.to_be_bytes()[1] & 0x0f;
    if code != 0 {
        return Some(Err(code));
    }
    let mut found = Vec::new();
    for _ in 0..answers {
        // What is cut off is left out: an answer too long for a datagram says so, and what is in it is right.
        let Some((record, data)) = reader.record() else { break };
        if record == kind {
            found.extend(address(data));
        }
    }
    Some(Ok(found))
}

fn address(data: &[u8]) -> Option<IpAddr> {
    match data.len() {
        4 => <[u8; 4]>::try_from(data).ok().map(Ipv4Addr::from).map(IpAddr::V4),
        16 => <[u8; 16]>::try_from(data).ok().map(Ipv6Addr::from).map(IpAddr::V6),
        _ => None,
    }
}

/// The codes of RFC 1035 by the words that everybody knows.
fn code_word(code: u8) -> String {
    let words = ["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"];
    words.get(usize::from(code)).map_or_else(|| format!("code {code}"), |word| (*word).to_owned())
}

/// Reads from the front.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let taken = self.bytes.get(self.at..self.at.checked_add(count)?)?;
        self.at += count;
        Some(taken)
    }

    fn word(&mut self) -> Option<u16> {
        self.take(2)?.try_into().ok().map(u16::from_be_bytes)
    }

    /// Goes behind a name. Where it points to does not matter.
    fn name(&mut self) -> Option<()> {
        loop {
            match *self.take(1)?.first()? {
                0 => return Some(()),
                length if length < 64 => _ = self.take(usize::from(length))?,
                length if length >= 0xc0 => return self.take(1).map(|_| ()),
                _ => return None,
            }
        }
    }

    /// The type and data of a record of the Internet; of another class, type 0.
    fn record(&mut self) -> Option<(u16, &'a [u8])> {
        self.name()?;
        let (kind, class) = (self.word()?, self.word()?);
        self.take(4)?;
        let length = self.word()?;
        let data = self.take(usize::from(length))?;
        Some((if class == IN { kind } else { 0 }, data))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An answer with a CNAME and an address, both with names that point back.
    fn reply(id: u16) -> Vec<u8> {
        let mut bytes = question(id, "web.lab", A).unwrap();
        bytes[2..8].copy_from_slice(&[0x81, 0x80, 0, 1, 0, 2]);
        bytes.extend([0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 9, 0, 4, 1, b'w', 0xc0, 16]);
        bytes.extend([1, b'w', 0xc0, 16, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 10, 0, 0, 2]);
        bytes
    }

    #[test]
    fn answers_are_read() {
        let bytes = reply(7);
        assert_eq!(answer(&bytes, 7, A), Some(Ok(vec!["10.0.0.2".parse().unwrap()])));
        assert_eq!(answer(&bytes, 7, AAAA), Some(Ok(Vec::new())));
        assert_eq!(answer(&bytes, 8, A), None, "another's");
        let mut none = bytes.clone();
        none[3] = 0x83;
        assert_eq!(answer(&none, 7, A), Some(Err(3)));
        let asked = question(7, "web.lab", A).unwrap();
        assert_eq!(answer(&asked, 7, A), None, "a question is no answer");
    }

    #[test]
    fn whatever_comes_is_survived() {
        let bytes = reply(7);
        for length in 0..bytes.len() {
            let _ = answer(&bytes[..length], 7, A);
        }
        for at in 0..bytes.len() {
            for value in [0, 1, 63, 64, 127, 192, 255] {
                let mut broken = bytes.clone();
                broken[at] = value;
                let _ = answer(&broken, 7, A);
            }
        }
    }

    #[test]
    fn names_that_cannot_be_asked_for() {
        assert!(question(1, "a..b", A).is_none());
        assert!(question(1, &"x".repeat(64), A).is_none());
    }
}
