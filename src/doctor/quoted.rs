//! Names of others in YAML.

/// A text as a double-quoted scalar of YAML.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            letter if letter.is_control() => quoted.push_str(&format!("\\U{:08x}", u32::from(letter))),
            letter => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}

/// The same where a plain scalar would be read as something else.
pub(super) fn plain(text: &str) -> String {
    let safe = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '.' | '/');
    let word = text.chars().next().is_some_and(|first| first.is_ascii_alphanumeric()) && text.chars().all(safe);
    let other = matches!(
        text.to_ascii_lowercase().as_str(),
        "yes" | "no" | "on" | "off" | "true" | "false" | "null" | "y" | "n"
    );
    let number = text.parse::<f64>().is_ok() || text.starts_with("0x");
    if word && !other && !number { text.to_owned() } else { quoted(text) }
}
