//! Single values: how a scalar is read, and what is said when it cannot be.

use super::names::Names;
use super::read::{Reader, Shape};
use super::tree::{Data, Yaml, quoted};
use crate::document::{Finding, Loc, Place};
use schemars::{Schema, SchemaGenerator, json_schema};

/// A value that is written as one scalar.
pub trait Word: Sized {
    /// Whether it is text: then an unquoted number is taken as written. Else quotes around it are an error, as they are
    /// for a schema.
    const TEXT: bool = true;

    /// What is expected, with its article ("a port").
    const EXPECTED: &'static str;

    /// Reads it.
    ///
    /// # Errors
    ///
    /// What is wrong with the text.
    fn parse(text: &str) -> Result<Self, Wrong>;

    /// The same in a file whose nodes have these names.
    #[must_use]
    fn within(self, _: &Names) -> Self {
        self
    }

    /// The items of the list that was meant where `text` stands in place of a list of these.
    fn items(text: &str) -> String {
        text.to_owned()
    }

    /// Its schema.
    fn schema() -> Schema;
}

/// What is wrong with a text.
#[derive(Clone, Debug)]
pub struct Wrong {
    /// The code of the finding.
    pub code: &'static str,
    /// What was found and what is expected.
    pub message: String,
    /// How to write it right.
    pub help: Option<String>,
}

impl Wrong {
    /// Says what is wrong.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), help: None }
    }

    /// Says that `text` is not what is expected.
    pub fn not(code: &'static str, text: &str, expected: &str) -> Self {
        Self::new(code, format!("{} is not {expected}", quoted(text)))
    }

    /// The same with a help text.
    #[must_use]
    pub fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    /// The finding at its place.
    pub fn at(self, place: Place) -> Finding {
        let finding = Finding::error(self.code, place, self.message);
        Finding { help: self.help, ..finding }
    }
}

impl<W: Word> Shape for Loc<W> {
    fn read(yaml: &Yaml<'_>, reader: &mut Reader) -> Option<Self> {
        let Data::Scalar(text, plain) = yaml.data() else {
            reader.mismatch(yaml, W::EXPECTED);
            return None;
        };
        let word = matches!(&**text, "true" | "True" | "TRUE" | "false" | "False" | "FALSE");
        if yaml.is_null() || (W::TEXT && *plain && word) {
            let finding = Finding::error(
                "wrong-type",
                yaml.place,
                format!("expected {}, found {}", W::EXPECTED, yaml.described()),
            );
            let help = if word { as_text::<W>(text) } else { Some("write a value, or leave the key out".to_owned()) };
            reader.note(Finding { help, ..finding });
            return None;
        }
        if !W::TEXT && !*plain {
            let finding = Finding::error(
                "wrong-type",
                yaml.place,
                format!("expected {}, found the text {}", W::EXPECTED, quoted(text)),
            );
            reader.note(finding.help("leave the quotes out"));
            return None;
        }
        match W::parse(text) {
            Ok(value) => Some(Self::new(value.within(&reader.names), yaml.place)),
            Err(wrong) => {
                reader.note(wrong.at(yaml.place));
                None
            }
        }
    }

    fn items(text: &str) -> String {
        W::items(text)
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        W::schema()
    }
}

/// What to do about a `true` or `false` where a text is expected: quotes help where that word can be the text.
fn as_text<W: Word>(text: &str) -> Option<String> {
    match W::parse(text) {
        Ok(_) => Some("quote it if it is meant as text".to_owned()),
        Err(wrong) => wrong.help,
    }
}

impl Word for bool {
    const TEXT: bool = false;
    const EXPECTED: &'static str = "true or false";

    fn parse(text: &str) -> Result<Self, Wrong> {
        match text {
            "true" | "True" | "TRUE" => Ok(true),
            "false" | "False" | "FALSE" => Ok(false),
            _ => {
                let right = match text.to_lowercase().as_str() {
                    "yes" | "y" | "on" | "1" => Some("write true"),
                    "no" | "n" | "off" | "0" => Some("write false"),
                    _ => None,
                };
                let wrong = Wrong::new("wrong-type", format!("expected true or false, found {}", quoted(text)));
                Err(right.map_or(wrong.clone(), |right| wrong.help(right)))
            }
        }
    }

    fn schema() -> Schema {
        json_schema!({ "type": "boolean" })
    }
}

/// A number from `MIN` to `MAX`, both included.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Number<const MIN: u64, const MAX: u64>(pub u64);

impl<const MIN: u64, const MAX: u64> Number<MIN, MAX> {
    /// The number; what does not fit (which the range prevents) is the largest.
    pub fn u32(self) -> u32 {
        u32::try_from(self.0).unwrap_or(u32::MAX)
    }

    /// The number; what does not fit (which the range prevents) is the largest.
    pub fn u16(self) -> u16 {
        u16::try_from(self.0).unwrap_or(u16::MAX)
    }
}

impl<const MIN: u64, const MAX: u64> Word for Number<MIN, MAX> {
    const TEXT: bool = false;
    const EXPECTED: &'static str = "a number";

    fn parse(text: &str) -> Result<Self, Wrong> {
        let range = format!("expected a number from {MIN} to {MAX}, found {}", quoted(text));
        match whole(text) {
            Some(number) if (MIN..=MAX).contains(&number) => Ok(Self(number)),
            Some(_) => Err(Wrong::new("out-of-range", range)),
            None if text.starts_with('-') && text.len() > 1 => Err(Wrong::new("out-of-range", range)),
            None if text.starts_with('0') && text.bytes().all(|b| b.is_ascii_digit()) => {
                Err(Wrong::new("wrong-type", range)
                    .help("programs differ on what a leading zero means: write it without"))
            }
            None => Err(Wrong::new("wrong-type", range)),
        }
    }

    fn schema() -> Schema {
        json_schema!({ "type": "integer", "minimum": MIN, "maximum": MAX })
    }
}

/// A whole number, decimal without leading zeros or hexadecimal with `0x`.
pub fn whole(text: &str) -> Option<u64> {
    if let Some(hex) = text.strip_prefix("0x") {
        return if hex.starts_with('+') { None } else { u64::from_str_radix(hex, 16).ok() };
    }
    let plain = text.bytes().all(|b| b.is_ascii_digit()) && (text.len() == 1 || !text.starts_with('0'));
    if plain { text.parse().ok() } else { None }
}

/// The schema of a text with a pattern. Numbers are let through: where a text is meant they are one.
pub fn pattern(pattern: &str, examples: &[&str]) -> Schema {
    json_schema!({ "type": ["string", "number"], "pattern": pattern, "examples": examples })
}

/// Defines a choice of words.
macro_rules! words {
    (
        $(#[doc = $doc:literal])*
        $name:ident as $expected:literal { $( $(#[doc = $word_doc:literal])* $word:literal $variant:ident, )* }
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum $name {
            $( $(#[doc = $word_doc])* $variant, )*
        }

        impl $name {
            /// The word.
            pub fn word(self) -> &'static str {
                match self {
                    $( Self::$variant => $word, )*
                }
            }
        }

        impl $crate::document::Word for $name {
            const EXPECTED: &'static str = $expected;

            fn parse(text: &str) -> Result<Self, $crate::document::yaml::word::Wrong> {
                match text {
                    $( $word => Ok(Self::$variant), )*
                    _ => Err($crate::document::yaml::word::no_such_word(text, $expected, &[$($word),*])),
                }
            }

            fn schema() -> schemars::Schema {
                schemars::json_schema!({ "enum": [$($word),*] })
            }
        }
    };
}
pub(crate) use words;

/// What is said of a word that is none of `words`.
pub fn no_such_word(text: &str, expected: &str, words: &[&str]) -> Wrong {
    let wrong = Wrong::not("unknown-word", text, expected);
    if let Some(right) = super::foreign::word(text, words) {
        return wrong.help(format!("it is `{right}` here"));
    }
    match super::read::nearest(text, words) {
        Some(right) => wrong.help(format!("did you mean {right:?}?")),
        None => wrong.help(format!("it is one of {}", words.join(", "))),
    }
}
