use std::time::Instant;
use topo::kernel::Kernel;
fn main() {
    let text = std::fs::read_to_string(std::env::args().nth(1).unwrap()).unwrap();
    let t = Instant::now();
    let source = topo::document::Source { name: "x".into(), text: text.into() };
    let d = topo::document::parse(&source).unwrap();
    println!("parse {:?}", t.elapsed());
    let (top, f) = topo::document::lower(&d, &source);
    println!("lower {:?} {} findings {:?}", t.elapsed(), f.len(), f.first());
    let f = topo::check::run(&d, &top);
    println!("check {:?} {} findings {:?}", t.elapsed(), f.len(), f.first());
    let mut m = topo::kernel::Model::bare(top.state.topology.clone());
    let o = m.observe(&top.state).unwrap();
    let t = Instant::now();
    let p = topo::plan::make(&top.state, &o).unwrap();
    println!("plan {:?} {} changes {} steps", t.elapsed(), p.changes.len(), p.steps.len());
    let t = Instant::now();
    let r = topo::apply::run(&mut m, &p, &topo::apply::Options { rollback: true, interrupted: Default::default() }, &mut |_| {});
    println!("apply model {:?} {:?} {} leftover", t.elapsed(), r.failure, r.leftover.len());
    let t = Instant::now();
    let p = topo::plan::make(&top.state, &m.state).unwrap();
    println!("noop {:?} {}", t.elapsed(), p.steps.len());
    let t = Instant::now();
    let p = topo::plan::make(&topo::resource::State::empty(top.state.topology.clone()), &m.state).unwrap();
    println!("destroy plan {:?} {} changes {} steps", t.elapsed(), p.changes.len(), p.steps.len());
    for s in p.steps.iter().take(3) { println!("{} {}", s.level, s.operation.id()); }
}
