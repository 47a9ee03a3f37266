//! Findings as workflow commands of GitHub Actions, which shows them at the lines of a pull request.

use super::json::FindingView;
use super::page::{escape, escape_lines};

/// The findings of all files, a line each; errors first, because only the first ten of a step are shown.
pub fn text(findings: &[FindingView]) -> String {
    let mut sorted: Vec<&FindingView> = findings.iter().collect();
    sorted.sort_by_key(|finding| finding.severity != "error");
    sorted.into_iter().map(line).collect()
}

fn line(finding: &FindingView) -> String {
    let mut properties = Vec::new();
    // Standard input is no file of the repository.
    if finding.file != "-" {
        let file = finding.file.strip_prefix("./").unwrap_or(&finding.file);
        properties.push(format!("file={}", property(&escape(file))));
        properties.push(format!("line={}", finding.line));
        properties.push(format!("endLine={}", finding.end_line));
        // GitHub takes columns of one line only.
        if finding.line == finding.end_line {
            properties.push(format!("col={}", finding.column));
            properties.push(format!("endColumn={}", finding.end_column));
        }
    }
    properties.push(format!("title={}", property(&format!("topo: {}", finding.code))));
    let help = finding.help.as_deref().map(|help| format!("\nhelp: {}", escape_lines(help))).unwrap_or_default();
    let message = format!("{}{help}", escape(&finding.message));
    format!("::{} {}::{}\n", finding.severity, properties.join(","), data(&message))
}

/// What stands behind the second `::`.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A value among properties, which ends at a comma or colon besides.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(file: &str, message: &str) -> FindingView {
        FindingView {
            file: file.into(),
            line: 3,
            column: 5,
            end_line: 3,
            end_column: 9,
            severity: "error",
            code: "odd",
            message: message.into(),
            help: Some("one\ntwo".into()),
            related: Vec::new(),
        }
    }

    #[test]
    fn nothing_breaks_out_of_a_line() {
        let line = text(&[finding("a,b:c%0A\n::warning::d.yaml", "100% odd\r\n::set-output name=x::y")]);
        assert_eq!(
            line,
            "::error file=a%2Cb%3Ac%250A\\n%3A%3Awarning%3A%3Ad.yaml,line=3,endLine=3,col=5,endColumn=9,title=topo%3A odd::100%25 odd\\r\\n::set-output name=x::y%0Ahelp: one%0Atwo\n"
        );
        assert_eq!(line.lines().count(), 1);
    }

    #[test]
    fn standard_input_is_no_file_and_errors_come_first() {
        let warning = FindingView { severity: "warning", ..finding("-", "odd") };
        let several = FindingView { end_line: 4, help: None, ..finding("./a.yaml", "odd") };
        assert_eq!(
            text(&[warning, several]),
            "::error file=a.yaml,line=3,endLine=4,title=topo%3A odd::odd\n::warning title=topo%3A odd::odd%0Ahelp: one%0Atwo\n"
        );
    }
}
