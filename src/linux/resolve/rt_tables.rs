//! Names of routing tables, as iproute2 keeps them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Where iproute2's files are; what comes later wins. (`/usr/share` since 6.7, `/usr/lib` in some distributions.)
const DIRS: [&str; 3] = ["/usr/lib/iproute2", "/usr/share/iproute2", "/etc/iproute2"];

/// All names of routing tables on this machine and their numbers. `main`, `local` and `default` are always there.
pub fn names() -> BTreeMap<String, u32> {
    names_in(&DIRS.map(Path::new))
}

/// The names in these folders. A file that cannot be read has none: iproute2 works without them too.
fn names_in(dirs: &[&Path]) -> BTreeMap<String, u32> {
    let mut names = BTreeMap::new();
    for (name, number) in [("default", 253), ("main", 254), ("local", 255)] {
        names.insert(name.to_owned(), number);
    }
    for dir in dirs {
        for file in files(dir) {
            let text = std::fs::read_to_string(file).unwrap_or_default();
            names.extend(text.lines().filter_map(entry));
        }
    }
    names
}

/// `rt_tables`, then `rt_tables.d/*.conf` in name order.
fn files(dir: &Path) -> Vec<PathBuf> {
    let more = std::fs::read_dir(dir.join("rt_tables.d")).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut more: Vec<PathBuf> = more.filter(|path| path.extension().is_some_and(|ending| ending == "conf")).collect();
    more.sort_unstable();
    more.insert(0, dir.join("rt_tables"));
    more
}

/// A line: a number, decimal or `0x…`, and a name; `#` begins a comment.
fn entry(line: &str) -> Option<(String, u32)> {
    let mut words = line.split('#').next()?.split_whitespace();
    let (number, name) = (words.next()?, words.next()?);
    let number = match number.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok()?,
        None => number.parse().ok()?,
    };
    Some((name.to_owned(), number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_files_win_and_nonsense_is_passed_over() {
        let dir = std::env::temp_dir().join(format!("topo-rt-tables-{}", std::process::id()));
        std::fs::create_dir_all(dir.join("rt_tables.d")).unwrap();
        std::fs::write(dir.join("rt_tables"), "#\n255 local\n100\tisp1 # first\n0x65 isp2\nx y\n7\n").unwrap();
        std::fs::write(dir.join("rt_tables.d/b.conf"), "200 isp1\n").unwrap();
        std::fs::write(dir.join("rt_tables.d/c.txt"), "300 isp1\n").unwrap();
        let names = names_in(&[Path::new("/nonexistent"), &dir]);
        std::fs::remove_dir_all(&dir).unwrap();
        let expected = [("default", 253), ("isp1", 200), ("isp2", 101), ("local", 255), ("main", 254)]
            .map(|(name, number)| (name.to_owned(), number));
        assert_eq!(names, BTreeMap::from(expected));
    }
}
