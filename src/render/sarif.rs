//! Findings as SARIF 2.1.0, which code scanning and many editors read.

use super::json::{FindingView, RelatedView};
use super::page::{escape, escape_lines};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The schema that is named in the log.
const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// A log of one run.
#[derive(Debug, Serialize)]
pub struct Log {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Value; 1],
}

/// The findings of all files.
pub fn log(findings: &[FindingView]) -> Log {
    let codes: BTreeMap<&str, &str> = findings.iter().map(|finding| (finding.code, finding.severity)).collect();
    let rules: Vec<Value> = codes.iter().map(|(code, level)| rule(code, level)).collect();
    let index = |code: &str| codes.keys().position(|known| *known == code);
    let results: Vec<Value> = findings.iter().map(|finding| result(finding, index(finding.code))).collect();
    let driver = json!({
        "name": "topo",
        "version": env!("CARGO_PKG_VERSION"),
        "rules": rules,
    });
    // A column is a character, as everywhere in topo, and not half of one of UTF-16.
    let run = json!({ "tool": { "driver": driver }, "columnKind": "unicodeCodePoints", "results": results });
    Log { schema: SCHEMA, version: "2.1.0", runs: [run] }
}

fn rule(code: &str, level: &str) -> Value {
    json!({
        "id": code,
        "shortDescription": { "text": code.replace('-', " ") },
        "defaultConfiguration": { "level": level },
    })
}

fn result(finding: &FindingView, rule: Option<usize>) -> Value {
    let help = finding.help.as_deref().map(|help| format!("\n\nhelp: {}", escape_lines(help))).unwrap_or_default();
    let uri = uri(&finding.file);
    let FindingView { line, column, end_line, end_column, .. } = finding;
    let mut result = json!({
        "ruleId": finding.code,
        "ruleIndex": rule,
        "level": finding.severity,
        "message": { "text": plain(&format!("{}{help}", escape(&finding.message))) },
        "locations": [{ "physicalLocation": place(&uri, [*line, *column, *end_line, *end_column]) }],
    });
    let related: Vec<Value> = finding.related.iter().map(|related| self::related(&uri, related)).collect();
    if let (Value::Object(result), false) = (&mut result, related.is_empty()) {
        result.insert("relatedLocations".to_owned(), Value::Array(related));
    }
    result
}

fn related(uri: &str, related: &RelatedView) -> Value {
    let RelatedView { file, line, column, end_line, end_column, message } = related;
    let other = file.as_deref().map(self::uri);
    let uri = other.as_deref().unwrap_or(uri);
    let mut location = json!({ "physicalLocation": place(uri, [*line, *column, *end_line, *end_column]) });
    if let (Value::Object(location), false) = (&mut location, message.is_empty()) {
        location.insert("message".to_owned(), json!({ "text": plain(&escape(message)) }));
    }
    location
}

fn place(uri: &str, [line, column, end_line, end_column]: [usize; 4]) -> Value {
    json!({
        "artifactLocation": { "uri": uri },
        "region": { "startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column },
    })
}

/// A message in which no link can be: SARIF reads `[text](target)` as one, in plain text, too (3.11.6).
fn plain(text: &str) -> String {
    text.replace("](", "\\](")
}

/// A path as a reference of RFC 3986: all bytes but letters, digits and what is harmless in a path are escaped.
fn uri(path: &str) -> String {
    let path = path.strip_prefix("./").unwrap_or(path);
    let mut uri = if path.starts_with('/') { "file://".to_owned() } else { String::new() };
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_references() {
        assert_eq!(uri("./labs/a b.yaml"), "labs/a%20b.yaml");
        assert_eq!(uri("/srv/ü.yaml"), "file:///srv/%C3%BC.yaml");
        assert_eq!(uri("https://x/?q#f"), "https%3A//x/%3Fq%23f");
        assert_eq!(uri("-"), "-");
    }

    #[test]
    fn no_link_forms_in_a_message() {
        assert_eq!(plain("no key \"[a](https://b)\""), "no key \"[a\\](https://b)\"");
    }
}
