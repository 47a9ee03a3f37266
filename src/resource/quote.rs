//! Words for a shell.

/// `word` as a shell takes it: as it is where no shell sees more in it, else in single quotes. Where a terminal would
/// obey it (the kernel allows that in the name of an interface), in `$'…'`, which POSIX has since 2024.
pub fn quote(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_./:=@%+,-".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) {
        return word.to_owned();
    }
    if word.chars().any(char::is_control) {
        let octal = |c: char| c.to_string().bytes().map(|byte| format!("\\{byte:03o}")).collect::<String>();
        let inside =
            word.chars().map(|c| if c.is_control() || matches!(c, '\'' | '\\') { octal(c) } else { c.to_string() });
        return format!("$'{}'", inside.collect::<String>());
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}
