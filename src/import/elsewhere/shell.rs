//! A line for a shell, taken apart into commands and words: read, never run.

/// The commands of a line that a shell would run one after the other, each in words; `None` where it is more than that:
/// variables, pipes, files, loops.
pub(super) fn commands(line: &str) -> Option<Vec<Vec<String>>> {
    let mut all = Vec::new();
    let mut words: Vec<String> = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(end), c) if c == end => quote = None,
            (Some('\''), c) => word.get_or_insert_default().push(c),
            (_, '$' | '`') => return None,
            (_, '\\') => word.get_or_insert_default().push(chars.next()?),
            (Some(_), c) => word.get_or_insert_default().push(c),
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, '|' | '<' | '>' | '(' | ')' | '{' | '}' | '*' | '?') => return None,
            (None, '&') if chars.next_if_eq(&'&').is_none() => return None,
            (None, '&' | ';' | '\n') => {
                words.extend(word.take());
                all.push(std::mem::take(&mut words));
            }
            (None, '#') if word.is_none() => break,
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (None, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    all.push(words);
    all.retain(|words| !words.is_empty());
    quote.is_none().then_some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_taken_apart() {
        let is = |line: &str, words: &[&[&str]]| {
            let words: Vec<Vec<String>> =
                words.iter().map(|one| one.iter().map(|word| (*word).to_owned()).collect()).collect();
            assert_eq!(commands(line), Some(words), "{line}");
        };
        is("ip addr add 10.0.0.1/24 dev eth1", &[&["ip", "addr", "add", "10.0.0.1/24", "dev", "eth1"]]);
        is("a 'b c' && d \"e;f\" # g", &[&["a", "b c"], &["d", "e;f"]]);
        is("", &[]);
        for more in ["echo $X", "a | b", "a > b", "a & b", "a `b`", "a 'b"] {
            assert_eq!(commands(more), None, "{more}");
        }
    }
}
