//! A GET request: HTTP/1.0, so that nothing answers in chunks.

use super::wire::{Until, Why, millis};
use super::{dns, transport};
use crate::resource::probe::HttpHost;
use nix::poll::PollFlags;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Instant;

/// The most that is read of the head of an answer.
const HEAD: usize = 64 << 10;
/// The most that is read of its body.
const BODY: usize = 1 << 20;

/// What is asked for, and what is expected.
pub struct Request<'a> {
    /// What the request says of the host.
    pub authority: &'a str,
    /// The path and query.
    pub path: &'a str,
    /// The status; any below 400 where none is said.
    pub status: Option<u16>,
    /// A text in the body.
    pub contains: Option<&'a str>,
}

/// Asks.
///
/// # Errors
///
/// Why it failed: no connection, another status, a body without the text, the timeout.
pub fn get(
    host: &HttpHost,
    port: u16,
    request: &Request<'_>,
    files: Option<&str>,
    until: &Until<'_>,
) -> Result<String, Why> {
    let begin = Instant::now();
    let address = match host {
        HttpHost::Address(address) => *address,
        HttpHost::Name(name, six) => {
            let found = dns::lookup(name, *six, dns::server(None, files)?, until)?;
            found.first().copied().ok_or_else(|| Why::Failed(format!("no address of {name}")))?
        }
    };
    let to = SocketAddr::new(address, port);
    let mut stream = transport::open(to, until)?;
    let Request { authority, path, .. } = request;
    let text = format!(
        "GET {path} HTTP/1.0\r\nHost: {authority}\r\nUser-Agent: topo\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    );
    write(&mut stream, text.as_bytes(), to, until)?;
    let answer = read(&mut stream, request, to, until)?;
    judge(&answer, request)?;
    Ok(format!("status {} in {}", answer.status, millis(begin.elapsed())))
}

/// What came back.
struct Answer {
    status: u16,
    body: Vec<u8>,
}

fn judge(answer: &Answer, request: &Request<'_>) -> Result<(), Why> {
    match request.status {
        Some(expected) if expected != answer.status => {
            return Err(Why::Failed(format!("status {}, expected {expected}", answer.status)));
        }
        None if answer.status >= 400 => return Err(Why::Failed(format!("status {}", answer.status))),
        _ => {}
    }
    match request.contains {
        Some(text) if !holds(&answer.body, text) => Err(Why::Failed(format!(
            "status {}, and {text:?} is not in the {} bytes of the body",
            answer.status,
            answer.body.len()
        ))),
        _ => Ok(()),
    }
}

fn holds(body: &[u8], text: &str) -> bool {
    body.windows(text.len()).any(|window| window == text.as_bytes())
}

fn write(stream: &mut TcpStream, mut text: &[u8], to: SocketAddr, until: &Until<'_>) -> Result<(), Why> {
    while !text.is_empty() {
        until.wait(&*stream, PollFlags::POLLOUT, &format!("{to} does not take the request"))?;
        match stream.write(text) {
            Ok(count) => text = text.get(count..).unwrap_or_default(),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
            Err(error) => return Err(Why::io(&format!("ask {to}"), &error)),
        }
    }
    Ok(())
}

/// Reads until all is there that has to be known.
fn read(stream: &mut TcpStream, request: &Request<'_>, to: SocketAddr, until: &Until<'_>) -> Result<Answer, Why> {
    let mut bytes = Vec::new();
    let mut buffer = vec![0; 16 << 10];
    loop {
        let (head, ended) = match end_of_head(&bytes) {
            Some(end) => (Some(end), enough(&bytes, end, request)),
            None if bytes.len() > HEAD => {
                return Err(Why::Failed(format!("the head of the answer of {to} has no end")));
            }
            None => (None, false),
        };
        if let (Some(end), true) = (head, ended) {
            return parse(&bytes, end, to);
        }
        until.wait(&*stream, PollFlags::POLLIN, &format!("no whole answer from {to}"))?;
        match stream.read(&mut buffer) {
            Ok(0) => return end_of_head(&bytes).map_or_else(|| Err(not_http(to)), |end| parse(&bytes, end, to)),
            Ok(count) => bytes.extend_from_slice(buffer.get(..count).unwrap_or_default()),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
            Err(error) => return Err(Why::io(&format!("read the answer of {to}"), &error)),
        }
    }
}

/// Where the body begins.
fn end_of_head(bytes: &[u8]) -> Option<usize> {
    let window = bytes.get(..bytes.len().min(HEAD + 4))?;
    window.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4)
}

/// Whether more of the body would change nothing.
fn enough(bytes: &[u8], end: usize, request: &Request<'_>) -> bool {
    let body = bytes.get(end..).unwrap_or_default();
    match request.contains {
        None => true,
        Some(_)
            if body.len() >= BODY
                || length(bytes.get(..end).unwrap_or_default()).is_some_and(|length| body.len() >= length) =>
        {
            true
        }
        Some(text) => holds(body, text),
    }
}

/// What the head says of the length of the body.
fn length(head: &[u8]) -> Option<usize> {
    let head = String::from_utf8_lossy(head);
    let mut lines = head.lines().filter_map(|line| line.split_once(':'));
    lines
        .find(|(key, _)| key.trim().eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse().ok())
}

fn parse(bytes: &[u8], end: usize, to: SocketAddr) -> Result<Answer, Why> {
    let head = String::from_utf8_lossy(bytes.get(..end).unwrap_or_default());
    let mut words = head.lines().next().unwrap_or_default().split_whitespace();
    let status = match (words.next(), words.next().map(str::parse)) {
        (Some(version), Some(Ok(status))) if version.starts_with("HTTP/") => status,
        _ => return Err(not_http(to)),
    };
    let body = bytes.get(end..).unwrap_or_default();
    Ok(Answer { status, body: body.get(..body.len().min(BODY)).unwrap_or_default().to_vec() })
}

fn not_http(to: SocketAddr) -> Why {
    Why::Failed(format!("{to} does not answer in HTTP"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(text: &str, request: &Request<'_>) -> Result<u16, String> {
        let to = "10.0.0.1:80".parse().unwrap();
        let end = end_of_head(text.as_bytes()).ok_or("no end")?;
        let tell = |why: Why| format!("{why:?}");
        let answer = parse(text.as_bytes(), end, to).map_err(tell)?;
        judge(&answer, request).map_err(tell).map(|()| answer.status)
    }

    #[test]
    fn answers_are_judged() {
        let any = Request { authority: "a", path: "/", status: None, contains: None };
        assert_eq!(answer("HTTP/1.0 301 Moved\r\nLocation: x\r\n\r\n", &any), Ok(301));
        assert!(answer("HTTP/1.1 404 Not Found\r\n\r\n", &any).unwrap_err().contains("404"));
        assert!(answer("SSH-2.0-x\r\n\r\n", &any).unwrap_err().contains("HTTP"));
        assert!(answer("HTTP/1.1 99999 \r\n\r\n", &any).is_err());
        let exact = Request { status: Some(404), contains: Some("gone"), ..any };
        assert_eq!(answer("HTTP/1.1 404\r\n\r\nit is gone", &exact), Ok(404));
        assert!(answer("HTTP/1.1 404\r\n\r\nit is here", &exact).unwrap_err().contains("gone"));
    }

    #[test]
    fn enough_is_known_early() {
        let wanted = Request { authority: "a", path: "/", status: None, contains: Some("yes") };
        let head = b"HTTP/1.0 200 OK\r\nContent-LENGTH: 4\r\n\r\n";
        assert!(!enough(head, head.len(), &wanted));
        assert!(enough(&[head.as_slice(), b"no!!"].concat(), head.len(), &wanted));
        assert!(enough(&[head.as_slice(), b"yes"].concat(), head.len(), &wanted));
    }
}
