//! A file and its text, with the files that it includes.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// A file and its text.
#[derive(Clone, Debug)]
pub struct Source {
    /// The file as it was named, `-` for standard input.
    pub name: String,
    /// All of it.
    pub text: Text,
}

/// The text of a file, and those of the files that it includes. A place is a byte of all of them, one behind the other.
#[derive(Clone, Debug)]
pub struct Text {
    main: Arc<str>,
    others: Arc<[Included]>,
}

/// A file that another includes.
#[derive(Clone, Debug)]
pub struct Included {
    /// Its path from the folder of the file that is given, without `.` and `..`.
    pub path: String,
    /// The file as it is named in messages.
    pub name: String,
    /// Its text, or why it cannot be read.
    pub text: Result<Arc<str>, String>,
    /// Where it begins, in bytes of all of them.
    base: usize,
}

impl Included {
    /// A file that was read, or not.
    pub fn new(path: String, name: String, text: Result<Arc<str>, String>) -> Self {
        Self { path, name, text, base: 0 }
    }
}

/// A file among those of a text.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    /// The how-manieth it is; the one that is given is the first.
    pub nth: usize,
    /// What it is called, where it is an included one.
    pub name: Option<&'a str>,
    /// Its text.
    pub text: &'a str,
    /// Where it begins.
    pub base: usize,
}

impl Text {
    /// A text that includes others.
    pub fn with(main: Arc<str>, mut others: Vec<Included>) -> Self {
        let mut base = main.len() + 1;
        for other in &mut others {
            other.base = base;
            base += other.text.as_ref().map_or(0, |text| text.len()) + 1;
        }
        Self { main, others: others.into() }
    }

    /// All files, the one that is given first.
    pub fn parts(&self) -> impl Iterator<Item = Part<'_>> {
        let main = Part { nth: 0, name: None, text: &self.main, base: 0 };
        std::iter::once(main).chain(self.others.iter().enumerate().map(|(nth, other)| other.part(nth + 1)))
    }

    /// The file in which a place is.
    pub fn part(&self, offset: usize) -> Part<'_> {
        let nth = self.others.partition_point(|other| other.base <= offset);
        let other = nth.checked_sub(1).and_then(|at| self.others.get(at));
        other.map_or(Part { nth: 0, name: None, text: &self.main, base: 0 }, |other| other.part(nth))
    }

    /// The included file of this path, where it was asked for.
    pub fn included(&self, path: &str) -> Option<(&Included, Part<'_>)> {
        let nth = self.others.iter().position(|other| other.path == path)?;
        self.others.get(nth).map(|other| (other, other.part(nth + 1)))
    }

    /// How many bytes all of them have.
    pub fn size(&self) -> usize {
        self.parts().map(|part| part.text.len()).sum()
    }
}

impl Included {
    fn part(&self, nth: usize) -> Part<'_> {
        let text = self.text.as_deref().unwrap_or_default();
        Part { nth, name: Some(&self.name), text, base: self.base }
    }
}

impl Source {
    /// What the file is called in which a place is.
    pub fn name_at(&self, offset: usize) -> &str {
        self.text.part(offset).name.unwrap_or(&self.name)
    }
}

/// Of all files the one that is given.
impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.main
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.main)
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::with(text.into(), Vec::new())
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::with(text.into(), Vec::new())
    }
}
