use super::tree::Yaml;
use super::*;
use crate::document::lower::topology::Topology;
use crate::document::yaml::source::Source;
use crate::model::effect::effect;
use crate::resource::{Foreign, Namespace, Node, NodeTenure, Owner, Resource, State, Sysctl};
use crate::{document, plan};

fn topology(name: &str, text: &str) -> Topology {
    let source = Source { name: name.into(), text: text.into() };
    let document = document::parse(&source).unwrap_or_else(|findings| panic!("{name}: {findings:#?}\n{text}"));
    let (topology, findings) = document::lower(&document, &source);
    let errors: Vec<_> = findings.iter().filter(|finding| finding.severity == document::Severity::Error).collect();
    assert!(errors.is_empty(), "{name}: {errors:#?}\n{text}");
    topology
}

/// What a kernel has after an apply in the rehearsal.
fn applied(wanted: &State) -> Option<State> {
    let mut bare = State::empty(wanted.topology.clone());
    let host = Namespace { node: Node::host(), tenure: NodeTenure::Host, marked: false, whole: false, alias: None };
    bare.insert(Resource::Namespace(host), Owner::Theirs(Foreign::Machine));
    for resource in wanted.resources() {
        if let Resource::Sysctl(sysctl) = resource
            && sysctl.node.is_host()
        {
            bare.insert(
                Resource::Sysctl(Sysctl::new(Node::host(), sysctl.key.clone(), "0")),
                Owner::Theirs(Foreign::Machine),
            );
        }
    }
    let plan = plan::make(wanted, &bare).ok()?;
    let mut state = plan.base.clone();
    for step in &plan.steps {
        effect(&mut state, &step.operation).ok()?;
    }
    Some(state)
}

#[test]
fn every_lab_comes_back_as_a_file_whose_plan_is_empty() {
    let mut done = 0;
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/topologies")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let wanted = topology(&path.display().to_string(), &std::fs::read_to_string(&path).unwrap()).state;
        let Some(state) = applied(&wanted) else { continue };
        let text = text(&state, true);
        let again = topology("shown", &text).state;
        let plan = plan::make(&again, &state).unwrap_or_else(|conflicts| panic!("{conflicts:#?}\n{text}"));
        assert!(plan.changes.is_empty(), "{}\n{:#?}\n{text}", path.display(), plan.changes);
        done += 1;
    }
    assert!(done > 5, "only {done} labs can be applied on paper");
}

#[test]
fn words_that_yaml_reads_otherwise_are_quoted() {
    let mut out = String::new();
    let list = ["no", "true", "False", "10:20", "fd00::1/64", "!br0", "web ", "10.0.0.1/24", "on", "", "a b", "007"]
        .map(|word| Yaml::of(&word));
    Yaml::List(list.into()).block(&mut out, 0, 0);
    assert_eq!(
        out,
        "[\"no\", \"true\", \"False\", \"10:20\", \"fd00::1/64\", \"!br0\", \"web \", 10.0.0.1/24, \"on\", \"\", \"a b\", 007]\n"
    );
}
