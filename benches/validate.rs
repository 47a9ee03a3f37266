//! What `topo validate` costs, for each kind of which a file can have many: 1,000, 10,000 and 100,000 objects (20,000
//! interfaces), or as many as 8 MiB hold. Promised: a second at most.

#![allow(missing_docs, reason = "a benchmark")]

#[path = "../tests/shapes/mod.rs"]
mod shapes;

use std::time::Instant;
use topo::document::{self, Source};

fn validate(text: String) -> usize {
    let source = Source { name: "large.yaml".to_owned(), text: text.into() };
    match document::parse(&source) {
        Ok(document) => {
            let (topology, findings) = document::lower(&document, &source);
            findings.len() + topo::check::run(&document, &topology).len()
        }
        Err(findings) => findings.len(),
    }
}

fn main() {
    println!("{:<24}{:>12}{:>12}{:>12}", "milliseconds", "1,000", "10,000", "100,000");
    for (name, shape) in shapes::SHAPES {
        let times = [1_000, 10_000, 100_000].map(|count| {
            let text = shape(count);
            let begun = Instant::now();
            let _ = std::hint::black_box(validate(text));
            format!("{:.1}", begun.elapsed().as_secs_f64() * 1000.0)
        });
        println!("{name:<24}{:>12}{:>12}{:>12}", times[0], times[1], times[2]);
    }
}
