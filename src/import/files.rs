//! hosts and resolv.conf of a namespace, in the form that the file makes of them.

use super::remarks::Remarks;
use crate::resource::{File, FileName, Name};
use std::fmt::Write;
use std::net::IpAddr;

/// The file with what the language can say of it; `None` where nothing is left.
pub(super) fn file(topology: &Name, file: &File, remarks: &mut Remarks) -> Option<File> {
    let mut content = File::mark(topology) + "\n";
    let before = content.len();
    let mut unsaid = 0;
    if file.name == FileName::Hosts {
        content.push_str("127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n");
    }
    let start = content.len();
    for line in file.content.lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        match said(file.name, line) {
            Some(words) if !words.is_empty() => _ = writeln!(content, "{words}"),
            Some(_) => {}
            None => unsaid += 1,
        }
    }
    if unsaid > 0 {
        let lines = if unsaid == 1 { "line" } else { "lines" };
        remarks.add(&file.node, format!("{unsaid} {lines} of its {}", file.name));
    }
    let empty = content.len() == start || content.len() == before;
    (!empty).then(|| File { node: file.node.clone(), name: file.name, content })
}

/// A line in the words of the language; nothing where it goes without saying, `None` where it cannot be said.
fn said(name: FileName, line: &str) -> Option<String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    match name {
        FileName::Hosts => {
            let (address, names) = words.split_first()?;
            let ip: IpAddr = address.parse().ok()?;
            let names: Vec<&str> = names
                .iter()
                .copied()
                .filter(|name| !(ip.is_loopback() && matches!(*name, "localhost" | "ip6-localhost" | "ip6-loopback")))
                .collect();
            Some(if names.is_empty() { String::new() } else { format!("{ip} {}", names.join(" ")) })
        }
        FileName::ResolvConf => {
            matches!(words.first(), Some(&("nameserver" | "search" | "options"))).then(|| words.join(" "))
        }
    }
}
