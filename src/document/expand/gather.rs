//! A file with all that it includes.

use super::paths::{DEEPEST, MOST, folder, items, resolve};
use crate::document::yaml::source::{Included, Source, Text};
use crate::document::yaml::tree::{self, MAX_BYTES};
use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;

/// The file `name` with the files that it includes, which `open` reads: it is given a path from the folder of `name`,
/// in which there is no `..`. Why one cannot be read is reported with the other findings.
pub fn gather(name: &str, text: String, open: &mut dyn FnMut(&str) -> Result<String, String>) -> Source {
    let main: Arc<str> = text.into();
    let own = if name == "-" { None } else { Path::new(name).file_name() };
    let own = own.map(|own| own.to_string_lossy().into_owned());
    let mut others: Vec<Included> = Vec::new();
    let mut size = main.len();
    let mut open_files = VecDeque::from([(String::new(), Arc::clone(&main), 0)]);
    while let Some((path, text, depth)) = open_files.pop_front() {
        for asked in included(&text).iter().filter_map(|item| resolve(folder(&path), item)) {
            if depth >= DEEPEST || own.as_ref() == Some(&asked) || others.iter().any(|other| other.path == asked) {
                continue;
            }
            let read = if others.len() >= MOST {
                Err(format!("more than {MOST} files are included"))
            } else {
                open(&asked).map(Arc::<str>::from)
            };
            let read = read.and_then(|text| {
                size += text.len();
                if size > MAX_BYTES {
                    Err(format!("all files together have more than {MAX_BYTES} bytes"))
                } else {
                    Ok(text)
                }
            });
            if let Ok(text) = &read {
                open_files.push_back((asked.clone(), Arc::clone(text), depth + 1));
            }
            let full = others.len() > MOST || size > MAX_BYTES;
            let shown = Path::new(name).parent().filter(|_| name != "-").unwrap_or(Path::new("")).join(&asked);
            others.push(Included::new(asked, shown.display().to_string(), read));
            if full {
                open_files.clear();
                break;
            }
        }
    }
    Source { name: name.to_owned(), text: Text::with(main, others) }
}

/// What a file includes, as it is written.
fn included(text: &str) -> Vec<String> {
    if !text.contains("include") {
        return Vec::new();
    }
    let (root, _) = tree::read(text);
    root.iter().flat_map(|root| items(root)).map(|item| item.text().to_owned()).collect()
}
