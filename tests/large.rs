//! Many objects of one kind: a check costs about as much more as there are more of them.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test fails by panicking")]

mod shapes;

use std::time::Duration;
use topo::document::{self, Source};

/// The processor's time that this thread has used: what else the machine does is no fault of a file.
fn spent() -> Duration {
    Duration::from(nix::time::clock_gettime(nix::time::ClockId::CLOCK_THREAD_CPUTIME_ID).unwrap())
}

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

/// A rule that looks at each for each takes minutes here: 10,000 of a kind are 0.1 s on a release build, and 2 s on that which tests run on.
#[test]
fn no_kind_is_dear() {
    for (name, shape) in shapes::SHAPES {
        let text = shape(10_000);
        let begun = spent();
        let found = validate(text);
        let took = spent().saturating_sub(begun);
        println!("{name}: {took:?}, {found} findings");
        assert!(took < Duration::from_secs(if cfg!(debug_assertions) { 20 } else { 1 }), "{name}: {took:?}");
    }
}
