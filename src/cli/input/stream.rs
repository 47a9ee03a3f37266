//! Text from files and standard input.

use super::plan_file;
use crate::document::yaml::tree::MAX_BYTES;
use std::io;
use std::io::Read;

/// The most that a file may hold, in bytes.
const LARGEST: u64 = MAX_BYTES as u64;

/// The most that a saved plan may hold, which also has all that was there: 3 KB for each resource.
const LARGEST_PLAN: u64 = 512 << 20;

/// All of a stream, if it is not too large and is text.
///
/// # Errors
///
/// If it is too large, no text, or cannot be read.
pub fn text(mut stream: impl Read) -> io::Result<String> {
    let mut bytes = Vec::new();
    stream.by_ref().take(LARGEST + 1).read_to_end(&mut bytes)?;
    let mut most = LARGEST;
    if bytes.starts_with(plan_file::BEGINNING.as_bytes()) {
        stream.take(LARGEST_PLAN).read_to_end(&mut bytes)?;
        most = LARGEST_PLAN;
    }
    if bytes.len() as u64 > most {
        return Err(io::Error::other(format!("larger than {} MiB", most >> 20)));
    }
    // A mark of byte order says nothing in UTF-8, and would stand in every message about the first line.
    if bytes.starts_with(b"\xef\xbb\xbf") {
        bytes.drain(..3);
    }
    String::from_utf8(bytes).map_err(|error| {
        io::Error::other(format!("not UTF-8 text: byte {} is wrong", error.utf8_error().valid_up_to()))
    })
}

/// The text of an error without the number that Rust adds.
pub fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_may_be_larger_than_a_topology() {
        let large = vec![b' '; 9 << 20];
        assert!(text(large.as_slice()).is_err());
        let plan = [plan_file::BEGINNING.as_bytes(), &large].concat();
        assert_eq!(text(plan.as_slice()).map(|text| text.len()).unwrap_or_default(), plan.len());
    }
}
