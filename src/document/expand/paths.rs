//! Paths of included files.

use crate::document::yaml::tree::{Data, Yaml};

/// The most files that one includes, directly or not.
pub const MOST: usize = 256;
/// How deep files include each other.
pub const DEEPEST: usize = 8;

/// The items of `include` in a file.
pub fn items<'y, 'a>(root: &'y Yaml<'a>) -> &'y [Yaml<'a>] {
    match root.get("include").map(Yaml::data) {
        Some(Data::List(items)) => items,
        _ => &[],
    }
}

/// The folder that a path leads into, without the last `/`; empty for the folder of the file that is given.
pub fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// `path` in `folder`, without `.` and `..`; nothing where it leads out of the folder of the file that is given.
pub fn resolve(folder: &str, path: &str) -> Option<String> {
    if path.starts_with('/') || path.contains('\0') {
        return None;
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => _ = parts.pop()?,
            part => parts.push(part),
        }
    }
    (!parts.is_empty() && !path.ends_with('/')).then(|| parts.join("/"))
}
