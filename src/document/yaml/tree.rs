//! YAML text as a tree with places, before anybody knows what it means. What no file may have is refused here.

pub use super::limits::{
    MAX_BYTES, MAX_DEPTH, MAX_FINDINGS, MAX_INTERFACES, MAX_NAMESPACES, MAX_RESOURCES, MAX_VALUES,
};

use super::syntax;
use crate::document::{Finding, Place};
use granit_parser::{Event, Options, Parser, ScalarStyle, Span, StructureStyle, Tag};
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

/// A value and where it stands.
#[derive(Clone, Debug)]
pub struct Yaml<'a> {
    data: Data<'a>,
    /// Where it stands: all of a scalar, the first line of a list or map.
    pub place: Place,
    /// Where all of it ends.
    pub end: u32,
    /// How many levels are in it.
    height: u32,
    /// How many values are in it, aliases followed.
    weight: u32,
}

/// What a value is.
#[derive(Clone, Debug)]
pub enum Data<'a> {
    /// A scalar, and whether it is unquoted (then `true`, `~` and numbers are not text).
    Scalar(Cow<'a, str>, bool),
    /// A list.
    List(Vec<Yaml<'a>>),
    /// A map in the order of the file. Its keys are scalars, and each is there once.
    Map(Vec<(Yaml<'a>, Yaml<'a>)>),
    /// A value that has an anchor, or an alias of one.
    Shared(Arc<Yaml<'a>>),
}

impl<'a> Yaml<'a> {
    /// A value that a range, a default or an include made.
    pub fn made(data: Data<'a>, place: Place, end: u32) -> Self {
        Self { data, place, end, height: 0, weight: 0 }
    }

    /// The same value, shared: copies of it cost nothing.
    pub fn shared(self) -> Self {
        let (place, end) = (self.place, self.end);
        Self::made(Data::Shared(Arc::new(self)), place, end)
    }

    /// What it is, to change it. What it shares with an alias is copied before.
    pub fn data_mut(&mut self) -> &mut Data<'a> {
        while let Data::Shared(inner) = &self.data {
            self.data = inner.data.clone();
        }
        &mut self.data
    }

    /// Whether it stands for a value elsewhere.
    pub fn is_shared(&self) -> bool {
        matches!(self.data, Data::Shared(_))
    }

    /// The pairs of a map; none of anything else.
    pub fn pairs(&self) -> &[(Self, Self)] {
        if let Data::Map(pairs) = self.data() { pairs } else { &[] }
    }

    /// The value of a key of a map.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.pairs().iter().find(|(name, _)| name.text() == key).map(|(_, value)| value)
    }

    /// What it is, aliases followed.
    pub fn data(&self) -> &Data<'a> {
        match &self.data {
            Data::Shared(inner) => inner.data(),
            other => other,
        }
    }

    /// Its text, if it is a scalar; empty else.
    pub fn text(&self) -> &str {
        match self.data() {
            Data::Scalar(text, _) => text,
            _ => "",
        }
    }

    /// Whether it is there but says nothing: `key:` or `~`.
    pub fn is_null(&self) -> bool {
        matches!(self.data(), Data::Scalar(text, true) if matches!(&**text, "" | "~" | "null" | "Null" | "NULL"))
    }

    /// What it is, in the words of a message.
    pub fn described(&self) -> String {
        match self.data() {
            Data::List(_) => "a list".to_owned(),
            Data::Map(_) => "a map".to_owned(),
            Data::Scalar(..) if self.is_null() => "nothing".to_owned(),
            Data::Scalar(text, _) => quoted(text),
            Data::Shared(_) => "an alias".to_owned(),
        }
    }
}

/// A text in quotes, shortened, without anything that a terminal obeys.
pub fn quoted(text: &str) -> String {
    let mut short: String = text.chars().take(60).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    format!("{short:?}")
}

/// Reads a text. The tree is `None` where the syntax is too broken to go on.
pub fn read(text: &str) -> (Option<Yaml<'_>>, Vec<Finding>) {
    read_from(text, 0)
}

/// The same for a text whose places begin at `base`.
pub fn read_from(text: &str, base: usize) -> (Option<Yaml<'_>>, Vec<Finding>) {
    if text.len() > MAX_BYTES {
        let message = format!("the file has {} bytes, more than the {MAX_BYTES} that are read", text.len());
        return (None, vec![Finding::error("file-too-large", Place::default(), message)]);
    }
    let mut options = Options::default();
    options.set_emit_comments(false);
    // Deeper nesting is reported by the builder, in its own words; these only have to be out of its way.
    options.flow_nesting_limit = MAX_DEPTH + 2;
    options.block_nesting_limit = MAX_DEPTH + 2;
    options.emit_unresolved_aliases = true;
    let base = u32::try_from(base).unwrap_or_default();
    let mut builder = Builder {
        text,
        base,
        stack: Vec::new(),
        root: None,
        anchors: HashMap::new(),
        findings: Vec::new(),
        values: 0,
        documents: 0,
    };
    for event in Parser::new_from_str_with_options(text, options) {
        let done = match event {
            Ok((event, span)) => builder.event(event, span),
            Err(error) => Err(syntax::finding(text, base, &error)),
        };
        if let Err(finding) = done {
            builder.findings.push(*finding);
            return (None, builder.findings);
        }
    }
    if builder.root.is_none() && builder.findings.is_empty() {
        builder.findings.push(
            Finding::error("empty-file", Place::default(), "the file is empty")
                .help("a topology has at least a name, such as `name: lab`"),
        );
    }
    (builder.root, builder.findings)
}

struct Open<'a> {
    map: bool,
    flow: bool,
    anchor: usize,
    start: u32,
    items: Vec<Yaml<'a>>,
}

struct Builder<'a> {
    text: &'a str,
    base: u32,
    stack: Vec<Open<'a>>,
    root: Option<Yaml<'a>>,
    anchors: HashMap<usize, Arc<Yaml<'a>>>,
    findings: Vec<Finding>,
    values: usize,
    documents: usize,
}

type Step = Result<(), Box<Finding>>;

impl<'a> Builder<'a> {
    fn event(&mut self, event: Event<'a>, span: Span) -> Step {
        let place = self.place(span);
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    let finding = Finding::error("second-document", place, "a second document begins here");
                    return Err(Box::new(finding.help("a file holds one topology: put each into a file of its own")));
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                let text_tag = tag.as_ref().is_some_and(|tag| tag.is_yaml_core_schema_tag("str"));
                self.tag(tag.as_deref(), place);
                self.characters(&text, place);
                let plain = style == ScalarStyle::Plain && !text_tag;
                self.value(Data::Scalar(text, plain), place, anchor)?;
            }
            Event::SequenceStart(style, anchor, tag) => self.open(false, style, anchor, tag.as_deref(), place)?,
            Event::MappingStart(style, anchor, tag) => self.open(true, style, anchor, tag.as_deref(), place)?,
            Event::SequenceEnd | Event::MappingEnd => self.close(place)?,
            Event::Alias(id) => {
                let Some(shared) = self.anchors.get(&id) else {
                    return Err(Box::new(Finding::error(
                        "recursive-alias",
                        place,
                        "this alias stands inside of what it stands for",
                    )));
                };
                let shared = Arc::clone(shared);
                self.value(Data::Shared(shared), place, 0)?;
            }
            Event::UnresolvedAlias(name) => {
                let message = format!("no anchor {} stands before this alias", quoted(&format!("&{name}")));
                self.findings.push(
                    Finding::error("unknown-alias", place, message).help("text that begins with `*` needs quotes"),
                );
                self.value(Data::Scalar(Cow::Borrowed(""), true), place, 0)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn open(&mut self, map: bool, style: StructureStyle, anchor: usize, tag: Option<&Tag>, place: Place) -> Step {
        if self.stack.len() >= MAX_DEPTH {
            return Err(Box::new(Finding::error(
                "too-deep",
                place,
                format!("nested more than {MAX_DEPTH} levels deep"),
            )));
        }
        self.tag(tag, place);
        self.stack.push(Open {
            map,
            flow: style == StructureStyle::Flow,
            anchor,
            start: place.offset,
            items: Vec::new(),
        });
        Ok(())
    }

    fn close(&mut self, end: Place) -> Step {
        let Some(open) = self.stack.pop() else { return Ok(()) };
        let end = if open.flow { end.offset + end.length } else { end.offset.max(open.start) };
        let bytes = open.start.saturating_sub(self.base) as usize..end.saturating_sub(self.base) as usize;
        let written = self.text.get(bytes).unwrap_or_default();
        let line = written.lines().next().unwrap_or_default().trim_end();
        let place = Place::new(open.start, line.len() as u32);
        let data = if open.map { self.map(open.items) } else { Data::List(open.items) };
        self.whole(data, place, end, open.anchor)
    }

    /// Keys and values in turn become pairs; keys that are no text, merge keys and duplicates are reported and left
    /// out.
    fn map(&mut self, items: Vec<Yaml<'a>>) -> Data<'a> {
        let mut pairs: Vec<(Yaml<'a>, Yaml<'a>)> = Vec::with_capacity(items.len() / 2);
        let mut seen: HashMap<String, Place> = HashMap::new();
        let mut items = items.into_iter();
        while let (Some(key), Some(value)) = (items.next(), items.next()) {
            let Data::Scalar(text, plain) = key.data() else {
                let message = format!("a key is a text, not {}", key.described());
                self.findings.push(Finding::error("bad-key", key.place, message));
                continue;
            };
            if *plain && text == "<<" {
                let finding = Finding::error("merge-key", key.place, "merge keys (`<<`) are not part of this language");
                self.findings.push(finding.help("write the keys out, or use an alias for a whole value"));
            } else if let Some(first) = seen.get(&**text) {
                let finding =
                    Finding::error("duplicate-key", key.place, format!("the key {} is here twice", quoted(text)));
                self.findings.push(finding.remark("again").also(*first, "first here"));
            } else {
                seen.insert(text.to_string(), key.place);
                pairs.push((key, value));
            }
        }
        Data::Map(pairs)
    }

    fn value(&mut self, data: Data<'a>, place: Place, anchor: usize) -> Step {
        self.whole(data, place, place.offset.saturating_add(place.length), anchor)
    }

    fn place(&self, span: Span) -> Place {
        let range = span.byte_range().unwrap_or_default();
        Place::new(self.base + range.start as u32, range.len() as u32)
    }

    fn whole(&mut self, data: Data<'a>, place: Place, end: u32, anchor: usize) -> Step {
        let (height, weight) = measure(&data);
        self.values += if matches!(data, Data::Shared(_)) { weight } else { 1 };
        if self.values > MAX_VALUES {
            return Err(Box::new(Finding::error(
                "too-many-values",
                place,
                format!("the file has more than {MAX_VALUES} values, aliases followed"),
            )));
        }
        if self.stack.len() + height > MAX_DEPTH {
            return Err(Box::new(Finding::error(
                "too-deep",
                place,
                format!("nested more than {MAX_DEPTH} levels deep, aliases followed"),
            )));
        }
        if self.findings.len() >= MAX_FINDINGS {
            return Err(Box::new(Finding::error("too-many-findings", place, "too much is wrong here to go on")));
        }
        let (height, weight) = (height as u32, weight as u32);
        let mut value = Yaml { data, place, end, height, weight };
        if anchor != 0 {
            let shared = Arc::new(value);
            self.anchors.insert(anchor, Arc::clone(&shared));
            value = Yaml { data: Data::Shared(shared), place, end, height, weight };
        }
        match self.stack.last_mut() {
            Some(open) => open.items.push(value),
            None => self.root = Some(value),
        }
        Ok(())
    }

    fn tag(&mut self, tag: Option<&Tag>, place: Place) {
        if let Some(tag) = tag
            && tag.core_suffix().is_none()
        {
            let message = format!("the tag {} means nothing here", quoted(&tag.to_string()));
            self.findings.push(
                Finding::error("unknown-tag", place, message).help("text that begins with `!` needs quotes: \"!br0\""),
            );
        }
    }

    /// Text ends up on terminals, in files and in nft: what controls a terminal, or hides what is written, is refused
    /// once for all.
    fn characters(&mut self, text: &str, place: Place) {
        let bad = |c: &char| {
            (c.is_control() && !matches!(c, '\n' | '\t'))
                || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        };
        if let Some(found) = text.chars().find(bad) {
            let message = format!("the text holds a control character (U+{:04X})", found as u32);
            self.findings.push(Finding::error("control-character", place, message));
        }
    }
}

fn measure(data: &Data<'_>) -> (usize, usize) {
    let all = |items: &mut dyn Iterator<Item = &Yaml<'_>>| {
        items.fold((1, 1_usize), |(height, weight), item| {
            (height.max(item.height as usize + 1), weight.saturating_add(item.weight as usize))
        })
    };
    match data {
        Data::Scalar(..) => (0, 1),
        Data::List(items) => all(&mut items.iter()),
        Data::Map(pairs) => all(&mut pairs.iter().flat_map(|(key, value)| [key, value])),
        Data::Shared(inner) => (inner.height as usize, inner.weight as usize),
    }
}
