//! Many objects of one kind: each check ends.

use crate::shapes;

use topo::document::{self, Source};

/// All that `topo validate` does with a file; how many findings there are.
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

/// A rule that looks at each for each takes minutes here, and the test does not end; `make bench` has the times.
#[test]
fn no_kind_is_dear() {
    for (name, shape) in shapes::SHAPES {
        println!("{name}: {} findings", validate(shape(10_000)));
    }
}
