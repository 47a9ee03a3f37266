//! Which file uses what of which other: imports resolved as the compiler does, through `super::`, groups, globs and
//! re-exports.

use std::collections::{BTreeMap, BTreeSet};

/// The sources of a crate, by their path from its `src`, without comments and tests.
pub struct Sources {
    modules: BTreeMap<Vec<String>, Module>,
}

/// A module: its file, what it defines, and what it brings in from elsewhere.
#[derive(Default)]
struct Module {
    file: String,
    text: String,
    children: BTreeSet<String>,
    items: BTreeSet<String>,
    /// A name that a `use` binds, and what it stands for.
    bound: BTreeMap<String, Vec<String>>,
    globs: Vec<Vec<String>>,
}

/// One use of another file: from which file, to which, and by which path.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Use {
    /// The file that uses it.
    pub from: String,
    /// The file that it is in.
    pub to: String,
    /// The path as resolved.
    pub path: String,
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The leaves of a `use` tree: a path, and the name that it is bound to (`*` for a glob).
fn leaves(tree: &str, prefix: &[String], found: &mut Vec<(Vec<String>, String)>) {
    let tree = tree.trim();
    if let Some(open) = tree.find('{') {
        let mut path = prefix.to_vec();
        path.extend(tree[..open].split("::").map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned));
        let inside = tree[open + 1..].trim_end();
        let inside = inside.strip_suffix('}').unwrap_or(inside);
        let (mut depth, mut start) = (0, 0);
        for (at, c) in inside.char_indices().chain([(inside.len(), ',')]) {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    if !inside[start..at].trim().is_empty() {
                        leaves(&inside[start..at], &path, found);
                    }
                    start = at + 1;
                }
                _ => {}
            }
        }
        return;
    }
    let (path, alias) =
        tree.split_once(" as ").map_or((tree, None), |(path, alias)| (path, Some(alias.trim().to_owned())));
    let mut full = prefix.to_vec();
    full.extend(path.split("::").map(|part| part.trim().to_owned()));
    if full.last().is_some_and(|last| last == "self") {
        full.pop();
    }
    let name = alias.unwrap_or_else(|| full.last().cloned().unwrap_or_default());
    found.push((full, name));
}

/// The `use` statements of a text, as trees, and the text without them.
fn uses(text: &str) -> (Vec<String>, String) {
    let (mut trees, mut rest, mut open) = (Vec::new(), String::new(), None::<String>);
    for line in text.lines() {
        let trimmed = line.trim_start();
        let unscoped = if let Some(after) = trimmed.strip_prefix("pub(") {
            after.split_once(") ").map_or("", |(_, rest)| rest)
        } else {
            trimmed
        };
        let begins = unscoped.strip_prefix("pub ").unwrap_or(unscoped).strip_prefix("use ");
        match (&mut open, begins) {
            (Some(tree), _) => tree.push_str(trimmed),
            (None, Some(tree)) => open = Some(tree.to_owned()),
            (None, None) => {
                rest.push_str(line);
                rest.push('\n');
            }
        }
        if let Some(tree) = open.take_if(|tree| tree.trim_end().ends_with(';')) {
            trees.push(tree.trim_end().trim_end_matches(';').to_owned());
        }
    }
    (trees, rest)
}

/// The names that a text defines at any depth, and the modules that it declares in files of their own.
fn definitions(text: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut items, mut children) = (BTreeSet::new(), BTreeSet::new());
    for line in text.lines().filter(|line| !line.starts_with(' ')) {
        let mut words = line.split(|c: char| !is_word(c) && c != ';' && c != '!').filter(|word| !word.is_empty());
        while let Some(word) = words.next() {
            match word {
                "pub" | "crate" | "super" | "in" | "async" | "unsafe" | "extern" | "self" => {}
                "const" | "fn" | "struct" | "enum" | "trait" | "type" | "static" | "macro_rules!" | "union" => {
                    if let Some(name) = words.next() {
                        items.insert(name.trim_end_matches(';').to_owned());
                    }
                }
                "mod" => {
                    if let Some(name) = words.next().and_then(|name| name.strip_suffix(';')) {
                        children.insert(name.to_owned());
                    }
                    break;
                }
                _ => break,
            }
        }
    }
    (items, children)
}

/// The paths in a text that are written out: what stands before and after `::`.
fn paths(text: &str) -> Vec<Vec<String>> {
    let (mut found, bytes) = (Vec::new(), text.as_bytes());
    let mut at = 0;
    while let Some(next) = text[at..].find("::").map(|next| at + next) {
        let start = text[..next]
            .rfind(|c| !is_word(c))
            .map_or(0, |place| place + text[place..].chars().next().map_or(1, char::len_utf8));
        at = next + 2;
        if start == next
            || (start >= 1 && matches!(bytes[start - 1], b'.' | b'\''))
            || (start >= 2 && &text[start - 2..start] == "::")
        {
            continue;
        }
        let mut parts = vec![text[start..next].to_owned()];
        let mut end = next;
        while text[end..].starts_with("::") {
            let word: String = text[end + 2..].chars().take_while(|c| is_word(*c)).collect();
            if word.is_empty() {
                break;
            }
            end += 2 + word.len();
            parts.push(word);
        }
        at = at.max(end);
        found.push(parts);
    }
    found
}

impl Sources {
    /// Reads sources: `(path from src, text)`, the text without comments and tests.
    pub fn read(files: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut modules: BTreeMap<Vec<String>, Module> = BTreeMap::new();
        for (file, text) in files {
            let mut path: Vec<String> = file.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
            path.pop_if(|last| last == "mod");
            if path == ["lib"] {
                path.clear();
            }
            let (trees, text) = uses(&text);
            let (items, children) = definitions(&text);
            let mut module = Module { file, text, children, items, ..Module::default() };
            let mut found = Vec::new();
            trees.iter().for_each(|tree| leaves(tree, &[], &mut found));
            for (target, name) in found {
                let Some(target) = absolute(&path, &module.children, &target) else { continue };
                if name == "*" {
                    module.globs.push(target[..target.len() - 1].to_vec());
                } else {
                    module.bound.insert(name, target);
                }
            }
            modules.insert(path, module);
        }
        Self { modules }
    }

    /// The module whose file defines what `path` ends at. `None` for what is outside of the crate.
    fn definer(&self, path: &[String], depth: usize) -> Option<&Vec<String>> {
        let mut here: Vec<String> = Vec::new();
        for (at, part) in path.iter().enumerate() {
            let (key, module) = self.modules.get_key_value(&here)?;
            if module.children.contains(part) {
                here.push(part.clone());
                continue;
            }
            if module.items.contains(part) || depth > 16 {
                return Some(key);
            }
            let through = |target: &Vec<String>| [target.as_slice(), &path[at + 1..]].concat();
            if let Some(target) = module.bound.get(part) {
                return self.definer(&through(target), depth + 1);
            }
            for glob in &module.globs {
                let inside = [glob.as_slice(), &path[at..]].concat();
                if let Some(found) =
                    self.definer(&inside, depth + 1).filter(|found| self.defines(found, part, path.len() - at))
                {
                    return Some(found);
                }
            }
            return Some(key);
        }
        self.modules.get_key_value(&here).map(|(key, _)| key)
    }

    fn defines(&self, module: &[String], name: &str, rest: usize) -> bool {
        rest > 1 || self.modules.get(module).is_some_and(|module| module.items.contains(name))
    }

    /// Whether `path` is a module, and nothing in one.
    fn is_module(&self, path: &[String]) -> bool {
        self.modules.contains_key(path)
    }

    /// All uses of one file by another.
    pub fn uses(&self) -> BTreeSet<Use> {
        let mut found = BTreeSet::new();
        for (path, module) in &self.modules {
            let mut targets: Vec<Vec<String>> =
                module.bound.values().filter(|target| !self.is_module(target)).cloned().collect();
            targets.extend(module.globs.iter().cloned());
            for written in paths(&module.text) {
                let first = &written[0];
                let target = match module.bound.get(first) {
                    Some(target) => [target.as_slice(), &written[1..]].concat(),
                    None => match absolute(path, &module.children, &written) {
                        Some(target) => target,
                        None => continue,
                    },
                };
                targets.push(target);
            }
            for target in targets {
                if let Some(definer) = self.definer(&target, 0).and_then(|definer| self.modules.get(definer))
                    && definer.file != module.file
                {
                    found.insert(Use { from: module.file.clone(), to: definer.file.clone(), path: target.join("::") });
                }
            }
        }
        found
    }

    /// The circles: files that use each other, by whatever way round.
    pub fn circles(&self) -> Vec<BTreeSet<String>> {
        let mut next: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for one in self.uses() {
            next.entry(one.from).or_default().insert(one.to);
        }
        let reach = |start: &String| {
            let (mut seen, mut open) = (BTreeSet::new(), vec![start.clone()]);
            while let Some(file) = open.pop() {
                for to in next.get(&file).into_iter().flatten() {
                    if seen.insert(to.clone()) {
                        open.push(to.clone());
                    }
                }
            }
            seen
        };
        let all: BTreeMap<&String, BTreeSet<String>> = next.keys().map(|file| (file, reach(file))).collect();
        let mut circles = Vec::new();
        for (file, reached) in &all {
            let circle: BTreeSet<String> = reached
                .iter()
                .filter(|other| all.get(other).is_some_and(|back| back.contains(*file)))
                .cloned()
                .collect();
            if !circle.is_empty() && !circles.contains(&circle) {
                circles.push(circle);
            }
        }
        circles
    }
}

/// A path from the crate's root; `None` for what begins with another crate's name.
fn absolute(here: &[String], children: &BTreeSet<String>, path: &[String]) -> Option<Vec<String>> {
    let first = path.first()?;
    match first.as_str() {
        "crate" => Some(path[1..].to_vec()),
        "self" => Some([here, &path[1..]].concat()),
        "super" => {
            let up = path.iter().take_while(|part| *part == "super").count();
            let base = here.get(..here.len().checked_sub(up)?)?;
            Some([base, &path[up..]].concat())
        }
        name if children.contains(name) => Some([here, path].concat()),
        _ => None,
    }
}
