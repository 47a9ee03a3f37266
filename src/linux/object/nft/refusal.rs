//! What nft says when it refuses.

/// The line that nft's first error is about: `/dev/stdin:5:30-35: Error: …`.
pub(super) fn fault_line(stderr: &str) -> Option<usize> {
    let line = stderr.lines().find(|line| line.contains("Error:"))?;
    line.strip_prefix("/dev/stdin:")?.split(':').next()?.parse().ok()
}

/// nft's own message, without the place in a script that nothing sees.
pub(crate) fn message(stderr: &str) -> String {
    let messages = stderr.lines().filter_map(|line| line.split_once("Error: ")).map(|(_, text)| text.trim().to_owned());
    let mut messages: Vec<String> = messages.collect();
    // One bad rule makes the kernel refuse others with the same words.
    messages.dedup();
    if messages.is_empty() { stderr.trim().to_owned() } else { messages.join("; ") }
}
