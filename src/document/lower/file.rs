//! Files of a namespace.

use super::context::Lowering;
use super::node::At;
use crate::document::Finding;
use crate::document::schema::section::{Dns, ExistingPlace};
use crate::resource::{File, FileName, Owner, Resource};
use std::fmt::Write;

impl<'d> Lowering<'d> {
    /// The hosts and resolv.conf of a node.
    pub fn files(&mut self, at: &At<'d>) {
        let Some(dns) = at.section.dns.as_deref() else { return };
        let nowhere = match at.section.existing.as_deref().and_then(|existing| existing.at.as_ref()).map(|at| &at.value)
        {
            _ if at.node.is_host() => Some("the host has its own files"),
            Some(ExistingPlace::Path(_) | ExistingPlace::Pid(_) | ExistingPlace::Container(_)) => {
                Some("a namespace that is found by path, process or container has no name, and so no folder for files")
            }
            _ => None,
        };
        if let Some(reason) = nowhere {
            self.note(Finding::error("misplaced-key", dns.place, "`dns` means nothing here").help(reason));
            return;
        }
        let first = File::mark(&self.document.name);
        let resolver = !(dns.nameservers.is_empty() && dns.search.is_empty() && dns.options.is_empty());
        let files = [
            (!dns.hosts.is_empty(), FileName::Hosts, hosts(&first, dns)),
            (resolver, FileName::ResolvConf, resolv_conf(&first, dns)),
        ];
        for (wanted, name, content) in files {
            if wanted {
                let file = File { node: at.node.clone(), name, content };
                self.put(Resource::File(file), Owner::Ours, dns.place, format!("{}.dns", at.path));
            }
        }
    }
}

fn hosts(first: &str, dns: &Dns) -> String {
    let mut content = format!("{first}\n127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n");
    for (name, addresses) in &dns.hosts {
        for address in addresses.iter() {
            let _ = writeln!(content, "{address} {}", name.0);
        }
    }
    content
}

fn resolv_conf(first: &str, dns: &Dns) -> String {
    let mut content = format!("{first}\n");
    for server in &dns.nameservers {
        let _ = writeln!(content, "nameserver {server}");
    }
    for (key, words) in [("search", &dns.search), ("options", &dns.options)] {
        if !words.is_empty() {
            let words: Vec<&str> = words.iter().map(|word| word.0.as_str()).collect();
            let _ = writeln!(content, "{key} {}", words.join(" "));
        }
    }
    content
}
