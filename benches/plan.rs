//! What topo does before and after it talks to the kernel, alone: parse, check, plan. Promised: all three under 100 ms
//! for a thousand namespaces.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "a benchmark")]

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use std::fmt::Write as _;
use topo::apply;
use topo::document::{self, Source, Topology};
use topo::kernel::Kernel;
use topo::model::Model;
use topo::{check, plan};

/// W1: namespaces on a bridge of the host, each with an address and a default route, behind one masquerade rule.
fn star(namespaces: usize) -> Source {
    let ports: Vec<String> = (0..namespaces).map(|i| format!("v{i}")).collect();
    let mut text = format!(
        "name: w1\nhost:\n  interfaces:\n    br0:\n      bridge: {{ ports: [{}] }}\n      addresses: [10.0.0.1/16]\n  nat:\n    - masquerade: {{ source: 10.0.0.0/16, out: \"!br0\" }}\nnamespaces:\n",
        ports.join(", ")
    );
    for i in 0..namespaces {
        let (high, low) = ((256 + i) / 256, (256 + i) % 256);
        let _ = write!(
            text,
            "  n{i}:\n    interfaces:\n      eth0: {{ veth: host/v{i}, addresses: [10.0.{high}.{low}/16] }}\n    routes:\n      - {{ to: default, via: 10.0.0.1 }}\n"
        );
    }
    Source { name: "w1.yaml".into(), text: text.into() }
}

fn lowered(source: &Source) -> (document::Document, Topology) {
    let document = document::parse(source).unwrap_or_else(|findings| panic!("{findings:?}"));
    let (topology, findings) = document::lower(&document, source);
    assert!(findings.is_empty(), "{findings:?}");
    (document, topology)
}

fn thousand(criterion: &mut Criterion) {
    let source = star(1000);
    let (document, topology) = lowered(&source);
    assert_eq!(topology.state.namespaces().count(), 1001, "a thousand namespaces and the host");
    let wanted = &topology.state;
    let mut model = Model::bare(wanted.topology.clone());
    let nothing = model.observe(wanted).unwrap();
    let first = plan::make(wanted, &nothing).unwrap_or_else(|error| panic!("{error:?}"));
    let options = apply::Options { rollback: true, interrupted: Default::default() };
    let report = apply::run(&mut model, &first, &options, &mut |_| {});
    assert!(report.is_success(), "{:?}", report.failure);
    let done = model.observe(wanted).unwrap();

    let mut group = criterion.benchmark_group("w1-1000");
    group.sample_size(20);
    group.bench_function("parse", |b| b.iter(|| document::parse(&source)));
    group.bench_function("lower", |b| b.iter(|| document::lower(&document, &source)));
    group.bench_function("check", |b| b.iter(|| check::run(&document, &topology)));
    group.bench_function("plan, nothing to do", |b| b.iter(|| plan::make(wanted, &done)));
    group.bench_function("plan, all to do", |b| {
        b.iter_batched(|| nothing.clone(), |nothing| plan::make(wanted, &nothing), BatchSize::LargeInput)
    });
    group.finish();
}

criterion_group!(benches, thousand);
criterion_main!(benches);
