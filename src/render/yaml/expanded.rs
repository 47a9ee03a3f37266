//! A topology file as it is when its ranges, sums, includes and defaults are written out.

use super::tree::Yaml;
use crate::document::expand::tree::expanded;
use crate::document::yaml::source::Source;
use crate::document::yaml::tree::{self, Data};

/// The file, written out; nothing where it cannot be read. What `expand` leaves out are comments.
pub fn written_out(source: &Source) -> Option<String> {
    let root = expanded(source).tree?;
    let mut file = Yaml::map();
    for (key, value) in root.pairs() {
        if !matches!(key.text(), "include" | "defaults") {
            file.put(key.text(), of(value));
        }
    }
    let mut out = String::new();
    file.block(&mut out, 0, 4);
    Some(out)
}

fn of(yaml: &tree::Yaml<'_>) -> Yaml {
    match yaml.data() {
        Data::Map(pairs) => Yaml::Map(pairs.iter().map(|(key, value)| (key.text().to_owned(), of(value))).collect()),
        Data::List(items) => Yaml::List(items.iter().map(of).collect()),
        Data::Scalar(..) if yaml.is_null() => Yaml::Nothing,
        Data::Scalar(text, true) => match &**text {
            "true" | "True" | "TRUE" => Yaml::Switch(true),
            "false" | "False" | "FALSE" => Yaml::Switch(false),
            text => Yaml::Text(text.to_owned()),
        },
        Data::Scalar(text, false) => Yaml::Text(text.clone().into_owned()),
        Data::Shared(_) => Yaml::Nothing,
    }
}
