//! Whether a text is well-formed XML, as far as topo writes any: elements, attributes, entities.

/// Panics where it is not.
pub fn check(name: &str, text: &str) {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = text;
    let mut roots = 0;
    while let Some((before, after)) = rest.split_once('<') {
        characters(name, before);
        assert!(!open.is_empty() || before.trim().is_empty(), "{name}: text outside of the root: {before:?}");
        let (tag, after) = after.split_once('>').unwrap_or_else(|| panic!("{name}: a tag without an end"));
        rest = after;
        if let Some(closed) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(closed), "{name}: </{closed}> closes something else");
            continue;
        }
        let (tag, empty) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
        let (element, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        assert!(element.chars().all(|c| c.is_ascii_alphanumeric()), "{name}: <{element}>");
        self::attributes(name, attributes);
        roots += usize::from(open.is_empty());
        if !empty {
            open.push(element);
        }
    }
    assert!(open.is_empty() && rest.trim().is_empty() && roots == 1, "{name}: {open:?} are open, {roots} roots");
}

fn attributes(name: &str, text: &str) {
    let mut rest = text.trim();
    let mut seen = Vec::new();
    while !rest.is_empty() {
        let (key, value) = rest.split_once("=\"").unwrap_or_else(|| panic!("{name}: {text:?}"));
        assert!(key.chars().all(|c| c.is_ascii_alphabetic() || c == '-') && !seen.contains(&key), "{name}: {key:?}");
        seen.push(key);
        let (value, after) = value.split_once('"').unwrap_or_else(|| panic!("{name}: {text:?}"));
        characters(name, value);
        rest = after.trim_start();
    }
}

fn characters(name: &str, text: &str) {
    for (at, _) in text.match_indices('&') {
        let entity = text[at..].split_once(';').unwrap_or_else(|| panic!("{name}: & in {text:?}")).0;
        assert!(["&amp", "&lt", "&gt", "&quot", "&#39"].contains(&entity), "{name}: {entity}");
    }
    let allowed = |c: char| matches!(c, '\n' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    assert!(text.chars().all(allowed), "{name}: a character that XML has not: {text:?}");
}
