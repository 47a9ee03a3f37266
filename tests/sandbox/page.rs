//! Pages of `docs/` whose blocks are what the program prints.

/// Holds a page against what its blocks should say. `block` is given the language and the text of each, and answers
/// with the text that is to stand there; `None` leaves it. `TOPO_REWRITE=1` writes the page anew.
pub fn page(file: &str, mut block: impl FnMut(&str, &str) -> Option<String>) {
    let path = super::in_repository(file);
    let page = std::fs::read_to_string(&path).unwrap();
    let mut printed = String::new();
    for (nth, part) in page.split("```").enumerate() {
        printed += if nth == 0 { "" } else { "```" };
        let fenced = part.split_once('\n').filter(|_| nth % 2 == 1);
        match fenced.and_then(|(language, text)| Some((language, block(language, text)?))) {
            Some((language, text)) => printed += &format!("{language}\n{text}"),
            None => printed += part,
        }
    }
    if std::env::var_os("TOPO_REWRITE").is_some() {
        std::fs::write(&path, &printed).unwrap();
    }
    let shown = std::fs::read_to_string(&path).unwrap();
    assert!(shown == printed, "the page shows something else:\n{}", super::difference(&shown, &printed));
}
