//! What `nft list` prints, cut into blocks and lines, not understood any further.

/// A table as listed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Listing {
    /// What is said of the table itself, a line each: `comment "…"`, `flags dormant`.
    pub attributes: Vec<String>,
    /// Its chains, sets and other objects, in the order in which they were made.
    pub blocks: Vec<Block>,
}

/// A chain, set or other object.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Block {
    /// What stands before its brace: `chain forward`, `set blocked`.
    pub title: String,
    /// Its lines; one that goes on over several is joined.
    pub lines: Vec<String>,
}

impl Listing {
    /// Reads what `nft list table` prints. Any text gives some listing; nothing in it is lost but blanks at the ends of
    /// lines.
    pub fn read(text: &str) -> Self {
        let mut listing = Self::default();
        let mut inside = false;
        let mut block: Option<Block> = None;
        // A line is open while its braces are: `jump { … }` and long sets go on over several.
        let (mut open, mut depth) = (String::new(), 0_i32);
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            if !open.is_empty() {
                open.push(' ');
            }
            let first = open.is_empty();
            open.push_str(line);
            match &mut block {
                None if first && !inside && line.ends_with('{') => {
                    inside = true;
                    open.clear();
                }
                None if first && line == "}" => open.clear(),
                None if first && line.ends_with('{') => {
                    block = Some(Block { title: line.trim_end_matches('{').trim_end().to_owned(), lines: Vec::new() });
                    open.clear();
                }
                None => listing.attributes.push(std::mem::take(&mut open)),
                Some(_) if first && line == "}" => {
                    listing.blocks.extend(block.take());
                    open.clear();
                }
                Some(block) => {
                    depth += balance(line);
                    if depth <= 0 {
                        block.lines.push(std::mem::take(&mut open));
                        depth = 0;
                    }
                }
            }
        }
        if !open.is_empty() {
            listing.attributes.push(open);
        }
        listing.blocks.extend(block);
        listing
    }

    /// The comment of the table.
    pub fn comment(&self) -> Option<String> {
        let line = self.attributes.iter().find_map(|line| line.strip_prefix("comment \""))?;
        Some(line.trim_end_matches('"').to_owned())
    }

    /// Whether there is no rule, no set and no other object in it.
    pub fn is_empty(&self) -> bool {
        self.blocks.iter().all(|block| block.title.starts_with("chain ") && block.rules().is_empty())
    }

    /// Whether some rule ends with this.
    pub fn any_rule_ends_with(&self, end: &str) -> bool {
        self.blocks.iter().flat_map(Block::rules).any(|line| line.ends_with(end))
    }
}

impl Block {
    /// The name of a chain; for another object, the word for it too.
    pub fn name(&self) -> &str {
        self.title.strip_prefix("chain ").unwrap_or(&self.title)
    }

    /// The rules of a chain, a line each; everything in another object.
    pub fn rules(&self) -> &[String] {
        match self.lines.split_first() {
            Some((head, rules)) if head.starts_with("type ") && self.title.starts_with("chain ") => rules,
            _ => &self.lines,
        }
    }

    /// The head of a base chain: `type filter hook forward priority 0; policy accept;`.
    pub fn head(&self) -> Option<&str> {
        self.lines
            .first()
            .map(String::as_str)
            .filter(|line| line.starts_with("type ") && self.title.starts_with("chain "))
    }

    /// Its type, hook, priority, and whether its policy is to drop. What is not understood is in the hook; all empty
    /// for what is not a base chain.
    pub fn head_words(&self) -> (String, String, i32, bool) {
        let Some(head) = self.head() else { return (String::new(), String::new(), 0, false) };
        let mut parts = head.split(';').map(str::trim);
        let words: Vec<&str> = parts.next().unwrap_or_default().split_whitespace().collect();
        let drop = head.split(';').any(|part| part.trim() == "policy drop");
        let more: Vec<&str> = parts.filter(|part| !part.is_empty() && !part.starts_with("policy ")).collect();
        match (words.as_slice(), more.is_empty()) {
            (["type", kind, "hook", hook, "priority", priority], true) if priority.parse::<i32>().is_ok() => {
                ((*kind).to_owned(), (*hook).to_owned(), priority.parse().unwrap_or_default(), drop)
            }
            _ => (String::new(), head.to_owned(), 0, drop),
        }
    }
}

/// How many braces a line opens and does not close, those in quotes aside.
fn balance(line: &str) -> i32 {
    let mut quoted = false;
    line.chars().fold(0, |depth, c| {
        quoted ^= c == '"';
        match c {
            '{' if !quoted => depth + 1,
            '}' if !quoted => depth - 1,
            _ => depth,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "table inet topo-x {\n\tcomment \"topo:x\"\n\tflags dormant\n\n\tset s {\n\t\ttype ipv4_addr\n\t\telements = { 10.0.0.1,\n\t\t\t     10.0.0.2 }\n\t}\n\n\
        \tchain forward {\n\t\ttype filter hook forward priority 0; policy drop;\n\t\tip saddr 10.0.0.1 jump {\n\t\t\taccept\n\t\t}\n\t\tlog prefix \"{ \" accept\n\t}\n\n\tchain other {\n\t}\n}\n";

    #[test]
    fn a_listing_is_cut_into_blocks_and_lines() {
        let listing = Listing::read(TEXT);
        assert_eq!(listing.attributes, ["comment \"topo:x\"", "flags dormant"]);
        assert_eq!(listing.comment().as_deref(), Some("topo:x"));
        let titles: Vec<&str> = listing.blocks.iter().map(Block::name).collect();
        assert_eq!(titles, ["set s", "forward", "other"]);
        assert_eq!(listing.blocks[0].rules(), ["type ipv4_addr", "elements = { 10.0.0.1, 10.0.0.2 }"]);
        assert_eq!(listing.blocks[1].rules(), ["ip saddr 10.0.0.1 jump { accept }", "log prefix \"{ \" accept"]);
        assert_eq!(listing.blocks[1].head_words(), ("filter".to_owned(), "forward".to_owned(), 0, true));
        assert!(listing.blocks[2].rules().is_empty());
        assert!(!listing.is_empty());
    }

    #[test]
    fn torn_text_never_panics_and_loses_no_rule() {
        for cut in (0..TEXT.len()).filter(|cut| TEXT.is_char_boundary(*cut)) {
            let _ = Listing::read(&TEXT[..cut]);
        }
        assert!(Listing::read("table inet x {\n\tchain a {\n\t\taccept\n").blocks[0].rules() == ["accept"]);
        assert!(Listing::read("").is_empty());
    }
}
