//! Who sees what is mounted here.

use super::DIR;
use std::path::Path;

/// Whether no other process sees the names that are given here: this one lives in a mount namespace of its own, of
/// which nothing is passed on to that of process 1, and alone.
pub fn is_secluded() -> bool {
    let of = |who: &str| std::fs::read_link(format!("/proc/{who}/ns/mnt")).ok();
    // Process 1 may not be read by everybody.
    let Some(own) = of("self") else { return false };
    if of("1").as_ref() == Some(&own) || is_passed_on() {
        return false;
    }
    let me = std::process::id().to_string();
    let processes = std::fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok());
    !processes
        .filter(|name| name.starts_with(|c: char| c.is_ascii_digit()) && *name != me)
        .any(|name| of(&name).as_ref() == Some(&own))
}

/// Whether process 1 sees what is mounted in [`DIR`]: the mount that it is in is shared with one there (`shared:N` in
/// `mountinfo`).
fn is_passed_on() -> bool {
    let mounts = |who: &str| std::fs::read_to_string(format!("/proc/{who}/mountinfo")).unwrap_or_default();
    let group = |line: &str| {
        line.split(' ')
            .skip(6)
            .take_while(|word| *word != "-")
            .find(|word| word.starts_with("shared:"))
            .map(str::to_owned)
    };
    let own = mounts("self");
    let holds = |line: &&str| line.split(' ').nth(4).is_some_and(|path| Path::new(DIR).starts_with(path));
    // Of several on one path the last is on top.
    let Some(group_here) =
        own.lines().filter(holds).max_by_key(|line| line.split(' ').nth(4).map_or(0, str::len)).and_then(group)
    else {
        return false;
    };
    mounts("1").lines().any(|line| group(line).as_ref() == Some(&group_here))
}
