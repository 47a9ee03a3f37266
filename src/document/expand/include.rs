//! The sections of included files, put to those of the file that includes them.

use super::paths::{DEEPEST, folder, items, resolve};
use super::words::{Context, is_path};
use crate::document::schema::file::Document;
use crate::document::yaml::read::Part;
use crate::document::yaml::source::{Part as File, Source};
use crate::document::yaml::tree::{self, Data, Yaml, quoted};
use crate::document::{Finding, Place};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

type Pair<'a> = (Yaml<'a>, Yaml<'a>);

struct Join<'a> {
    source: &'a Source,
    findings: Vec<Finding>,
    /// The files that were put in.
    done: HashSet<String>,
    /// The files that include the one at hand, from the outside in.
    chain: Vec<String>,
    sections: Vec<&'static str>,
}

/// Puts what `root` includes into it.
pub fn join<'a>(source: &'a Source, root: &mut Yaml<'a>) -> Vec<Finding> {
    let asked = items(root).to_vec();
    if asked.is_empty() {
        return Vec::new();
    }
    let mut sections = Vec::new();
    Document::keys(&mut sections);
    let own = source.name.rsplit('/').next().unwrap_or_default().to_owned();
    let mut work = Join { source, findings: Vec::new(), done: HashSet::new(), chain: vec![own], sections };
    work.files(root, &asked, "");
    work.findings
}

impl<'a> Join<'a> {
    /// Puts files in, whose paths are relative to `within`.
    fn files(&mut self, root: &mut Yaml<'a>, asked: &[Yaml<'a>], within: &str) {
        for item in asked {
            let Data::Scalar(text, _) = item.data() else { continue };
            let bad = |message: String| Finding::error("bad-include", item.place, message);
            let Some(path) = resolve(within, text) else {
                let finding = bad(format!("{} is not a path beneath the folder of the topology", quoted(text)));
                self.findings.push(finding.help("write a relative path, such as base/uplink.yaml"));
                continue;
            };
            if self.chain.contains(&path) {
                let finding =
                    Finding::error("include-circle", item.place, format!("{} includes itself", quoted(&path)));
                self.findings.push(finding.help("leave one of the includes out"));
            } else if self.chain.len() > DEEPEST {
                self.findings.push(bad(format!("files include each other more than {DEEPEST} deep")));
            } else if !self.done.contains(&path) {
                match self.source.text.included(&path) {
                    Some((included, file)) => match &included.text {
                        Ok(_) => self.file(root, item, path, file),
                        Err(reason) => self.findings.push(bad(format!("cannot read {}: {reason}", quoted(&path)))),
                    },
                    None => self.findings.push(bad(format!("{} was not read", quoted(&path)))),
                }
            }
        }
    }

    /// Puts one file in. What is no part of a topology is not shown: it may be any file.
    fn file(&mut self, root: &mut Yaml<'a>, item: &Yaml<'a>, path: String, file: File<'a>) {
        self.done.insert(path.clone());
        let (read, mut findings) = tree::read_from(file.text, file.base);
        let Some(read) = read else {
            let at =
                findings.first().and_then(|finding| finding.labels.first()).map_or(file.base, |label| label.offset);
            let before = file.text.get(..at.saturating_sub(file.base)).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            let message = format!("{} is not valid YAML at its line {line}", quoted(&path));
            return self.findings.push(Finding::error("bad-include", item.place, message));
        };
        let known = |pair: &Pair<'_>| self.sections.contains(&pair.0.text());
        if !matches!(read.data(), Data::Map(_)) || !read.pairs().iter().all(known) {
            let message = format!("{} is no part of a topology", quoted(&path));
            let sections: Vec<&str> = self.sections.iter().copied().filter(|key| *key != "name").collect();
            let finding = Finding::error("bad-include", item.place, message);
            return self.findings.push(finding.help(format!("its keys may be {}", sections.join(", "))));
        }
        self.findings.append(&mut findings);
        let asked = items(&read).to_vec();
        if let Some(wrong) = read.get("include").filter(|list| !list.is_null() && !matches!(list.data(), Data::List(_)))
        {
            let finding =
                Finding::error("bad-include", wrong.place, format!("expected a list, found {}", wrong.described()));
            self.findings.push(finding.help("put it in brackets: [base/uplink.yaml]"));
        }
        for (key, value) in read.pairs() {
            match key.text() {
                "include" => {}
                "name" => {
                    let finding =
                        Finding::error("name-in-include", key.place, "an included file has no name of its own");
                    self.findings.push(finding.also(item.place, "included here").help("leave it out"));
                }
                _ => {
                    let mut value = value.clone();
                    beneath(&mut value, folder(&path), Context::Plain);
                    self.section(root, (key.clone(), value));
                }
            }
        }
        let within = folder(&path).to_owned();
        self.chain.push(path);
        self.files(root, &asked, &within);
        self.chain.pop();
    }

    /// Puts a section to what is there.
    fn section(&mut self, root: &mut Yaml<'a>, (key, value): Pair<'a>) {
        let Data::Map(sections) = root.data_mut() else { return };
        match sections.iter_mut().find(|(other, _)| other.text() == key.text()) {
            None => sections.push((key, value)),
            Some((_, there)) if value.is_null() || there.is_null() => {
                if there.is_null() {
                    *there = value;
                }
            }
            Some((first, there)) => match (there.data_mut(), value.data()) {
                (Data::Map(there), Data::Map(pairs)) => self.pairs(there, pairs, key.text() == "host"),
                (Data::List(there), Data::List(items)) if key.text() == "checks" => there.extend(items.iter().cloned()),
                _ => self.twice(&key, first.place),
            },
        }
    }

    /// Puts keys to those that are there; of a host, interfaces and settings are joined as well.
    fn pairs(&mut self, there: &mut Vec<Pair<'a>>, pairs: &[Pair<'a>], host: bool) {
        let known: HashMap<String, usize> =
            there.iter().enumerate().map(|(at, (key, _))| (key.text().to_owned(), at)).collect();
        for (key, value) in pairs {
            let Some((first, old)) = known.get(key.text()).and_then(|at| there.get_mut(*at)) else {
                there.push((key.clone(), value.clone()));
                continue;
            };
            match (old.data_mut(), value.data()) {
                (Data::Map(old), Data::Map(new)) if host && matches!(key.text(), "interfaces" | "sysctls") => {
                    self.pairs(old, new, false);
                }
                _ => self.twice(key, first.place),
            }
        }
    }

    fn twice(&mut self, key: &Yaml<'a>, first: Place) {
        let finding =
            Finding::error("duplicate-key", key.place, format!("the key {} is here twice", quoted(key.text())));
        self.findings.push(finding.remark("again").also(first, "first here"));
    }
}

/// Writes the paths of an included file as they are from the folder of the file that is given.
fn beneath(yaml: &mut Yaml<'_>, folder: &str, context: Context) {
    if folder.is_empty() || context == Context::Free || !has_path(yaml) {
        return;
    }
    match yaml.data_mut() {
        Data::Map(pairs) => {
            for (key, value) in pairs {
                let plain =
                    !matches!(value.data(), Data::Scalar(text, _) if !text.starts_with('/') && !value.is_null());
                if plain || !is_path(key.text()) {
                    beneath(value, folder, context.below(key.text()));
                    continue;
                }
                let path = format!("{folder}/{}", value.text());
                *value.data_mut() = Data::Scalar(Cow::Owned(path), false);
            }
        }
        Data::List(items) => items.iter_mut().for_each(|item| beneath(item, folder, context)),
        Data::Scalar(..) | Data::Shared(_) => {}
    }
}

fn has_path(yaml: &Yaml<'_>) -> bool {
    match yaml.data() {
        Data::Map(pairs) => pairs.iter().any(|(key, value)| is_path(key.text()) || has_path(value)),
        Data::List(items) => items.iter().any(has_path),
        _ => false,
    }
}
