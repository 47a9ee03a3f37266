//! Pictures: each of `topologies/` and of three changes as it is committed in `docs/pictures`
//! (`TOPO_REWRITE=1 cargo test --test pure pictures` writes them anew), and what holds for any picture.

#[path = "pictures/hostile.rs"]
mod hostile;
#[path = "pictures/scene.rs"]
mod scene;
#[path = "pictures/xml.rs"]
mod xml;

use crate::generator::{self, Dice};
use crate::law;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use topo::graph::{self, Picture, change, dot, fold, html, mermaid, svg, text};
use topo::model::Model;
use topo::plan;
use topo::resource::State;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The labs, by name, with the comment at their head.
fn labs() -> Vec<(String, String)> {
    let entries = std::fs::read_dir(root().join("topologies")).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|it| it == "yaml")).collect();
    files.sort();
    let read = |path: &PathBuf| {
        (path.file_stem().unwrap().to_string_lossy().into_owned(), std::fs::read_to_string(path).unwrap())
    };
    files.iter().map(read).collect()
}

fn wanted(text: &str) -> State {
    law::read(text).unwrap_or_else(|wrong| panic!("{wrong}"))
}

/// The change from one file to another, on a machine where the first was applied.
fn changed(from: &str, to: &str) -> plan::Plan {
    let (from, to) = (wanted(from), wanted(to));
    let mut machine = Model::bare(from.topology.clone());
    law::apply_to(&mut machine, &from).unwrap();
    law::planned(&mut machine, &to).unwrap()
}

fn lab(name: &str) -> String {
    std::fs::read_to_string(root().join(format!("topologies/{name}.yaml"))).unwrap()
}

/// Three changes: a node comes and one goes, lines get other values, a router gets a second way.
fn changes() -> [(&'static str, String, String); 3] {
    let nat = lab("nat");
    let other = nat
        .replace("BLUE:", "GREEN:")
        .replace("host/blue0", "{ bridge: host/lab0 }")
        .replace("ports: [red0, blue0]", "ports: [red0]")
        .replace("from: BLUE", "from: GREEN")
        .replace("10.4.0.2/24", "10.4.0.12/24");
    let line = lab("bad-line");
    let better = line.replace("loss: 0.1%", "loss: 2%").replace("delay: 20ms, rate: 1mbit", "delay: 5ms, rate: 4mbit");
    let chain = lab("router-chain");
    let ring = chain
        .replace(
            "      r2: { veth: R2/r1, addr",
            "      r3: { veth: R3/r1, addresses: [10.8.13.1/30] }\n      r2: { veth: R2/r1, addr",
        )
        .replace("      b: { veth: B/eth0,", "      r1: { addresses: [10.8.13.2/30] }\n      b: { veth: B/eth0,");
    [("change-nodes", nat, other), ("change-lines", line, better), ("change-ring", chain, ring)]
}

/// All pictures of the documentation.
fn committed() -> Vec<(String, Picture)> {
    let of_lab = |(name, text): (String, String)| (name, graph::picture(&wanted(&text)));
    let mut all: Vec<(String, Picture)> = labs().into_iter().map(of_lab).collect();
    all.extend(changes().map(|(name, from, to)| (name.to_owned(), change::of_plan(&changed(&from, &to)))));
    all
}

/// The page that shows them.
fn page() -> String {
    let mut page = String::from(
        "# Pictures\n\n\
         Made by `tests/pure/pictures.rs` with `topo graph`, and held by it. `topo graph lab.yaml --out lab.svg` draws a file, `topo graph NAME --out lab.svg` what is\n\
         there, `--plan` what an apply would change; `.html` is a page to search and zoom, `.mmd` Mermaid, `.dot` Graphviz, and without `--out` it is a tree on the\n\
         terminal. `topo plan --markdown` has the picture of a change in a comment for a pull request.\n\n\
         A box is a node: the host has a blue border, one that topo does not create a dashed one. An interface stands where its wire ends; a bar is a bridge or a\n\
         bond, a panel a VRF. Solid lines are veth pairs, dashed ones tunnels, dotted ones lead to the lower device of a macvlan or the like; what an impairment does\n\
         to what leaves an interface is written on the line beside it. More than 24 nodes are folded: three or more that are the same but for their numbers are one\n\
         box, which html unfolds at a click.\n\n## Changes\n",
    );
    for (name, what) in [
        ("change-nodes", "`nat`: BLUE goes, GREEN comes, RED gets another address"),
        ("change-lines", "`bad-line`: other impairments"),
        ("change-ring", "`router-chain`: a line from R1 to R3"),
    ] {
        write!(page, "\n### {what}\n\n![{name}](pictures/{name}.svg)\n").unwrap();
    }
    page.push_str("\n## Labs\n");
    for (name, _) in labs() {
        write!(page, "\n### [{name}](../topologies/{name}.yaml)\n\n![{name}](pictures/{name}.svg)\n").unwrap();
    }
    page
}

#[test]
fn the_pictures_of_the_documentation_are_up_to_date() {
    let mut files: Vec<(PathBuf, String)> = vec![(root().join("docs/pictures.md"), page())];
    for (name, picture) in committed() {
        files.push((root().join(format!("docs/pictures/{name}.svg")), svg::text(&graph::scene(&picture))));
    }
    let mut other = Vec::new();
    for (path, text) in &files {
        if std::env::var_os("TOPO_REWRITE").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        if std::fs::read_to_string(path).unwrap_or_default() != *text {
            other.push(path.display().to_string());
        }
    }
    let there = std::fs::read_dir(root().join("docs/pictures")).unwrap().count();
    assert!(
        other.is_empty(),
        "{other:#?} are others: look at them after TOPO_REWRITE=1 cargo test --test pure pictures"
    );
    assert_eq!(there, files.len() - 1, "docs/pictures has a picture of nothing");
}

/// Topologies by dice, so many.
fn thrown(count: u64) -> Vec<(String, Picture)> {
    (0..count)
        .map(|seed| {
            let text = generator::topology("law", &mut Dice::new(&generator::throws(seed, 400)));
            (format!("seed {seed}"), graph::picture(&wanted(&text)))
        })
        .collect()
}

/// Large labs: a fabric, a ring, distinct nodes on one bridge.
fn large() -> Vec<(String, Picture)> {
    [("fabric 50", fabric(2, 4, 11)), ("fabric 200", fabric(4, 16, 11)), ("ring 40", ring(40)), ("star 60", star(60))]
        .into_iter()
        .flat_map(|(name, text)| {
            let whole = graph::picture(&wanted(&text));
            let folded = fold::fold(&whole, &fold::first(&whole));
            [(name.to_owned(), whole), (format!("{name} folded"), folded)]
        })
        .collect()
}

/// Spines, leaves, and nodes at a bridge of each leaf.
pub fn fabric(spines: usize, leaves: usize, each: usize) -> String {
    let mut text = "name: fabric\nnamespaces:\n".to_owned();
    for spine in 1..=spines {
        writeln!(text, "  spine{spine}:\n    forwarding: ipv4\n    interfaces:").unwrap();
        for leaf in 1..=leaves {
            writeln!(
                text,
                "      leaf{leaf}: {{ veth: leaf{leaf}/up{spine}, addresses: [10.{}.{leaf}.1/30] }}",
                100 + spine
            )
            .unwrap();
        }
    }
    for leaf in 1..=leaves {
        writeln!(text, "  leaf{leaf}:\n    forwarding: ipv4\n    interfaces:").unwrap();
        writeln!(text, "      br0: {{ bridge: {{}}, addresses: [10.{leaf}.0.1/24] }}").unwrap();
        for spine in 1..=spines {
            writeln!(text, "      up{spine}: {{ addresses: [10.{}.{leaf}.2/30] }}", 100 + spine).unwrap();
        }
        for nth in 1..=each {
            writeln!(text, "  pc{}:\n    interfaces:\n      eth0: {{ veth: {{ bridge: leaf{leaf}/br0 }}, addresses: [10.{leaf}.0.{}/24] }}", (leaf - 1) * each + nth, nth + 1).unwrap();
        }
    }
    text
}

fn ring(count: usize) -> String {
    let mut text = "name: ring\nnamespaces:\n".to_owned();
    for at in 0..count {
        let next = (at + 1) % count;
        writeln!(text, "  R{at}:\n    forwarding: ipv4\n    interfaces:\n      next: {{ veth: R{next}/prev, addresses: [10.5.{at}.1/30] }}").unwrap();
        writeln!(text, "      prev: {{ addresses: [10.5.{}.2/30] }}", (at + count - 1) % count).unwrap();
    }
    text
}

fn star(count: usize) -> String {
    let mut text = "name: star\nhost:\n  interfaces:\n    lab0: { bridge: {} }\nnamespaces:\n".to_owned();
    for at in 0..count {
        // No digit, so that none is like another.
        let name: String = [at / 26, at % 26].iter().map(|it| char::from(b'a' + *it as u8)).collect();
        writeln!(
            text,
            "  {name}:\n    interfaces:\n      eth0: {{ veth: {{ bridge: host/lab0 }}, addresses: [10.6.0.{}/24] }}",
            at + 1
        )
        .unwrap();
    }
    text
}

#[test]
fn what_holds_for_any_picture() {
    for (name, picture) in committed().into_iter().chain(thrown(150)).chain(large()) {
        let drawn = graph::scene(&picture);
        scene::check(&name, &picture, &drawn);
        let first = svg::text(&drawn);
        xml::check(&name, &first);
        assert_eq!(first, svg::text(&graph::scene(&picture)), "{name}: drawn again it is another");
        for line in text::text(&picture, 80).lines() {
            let plain = anstream::adapter::strip_str(line).to_string();
            assert!(unicode_width::UnicodeWidthStr::width(plain.as_str()) <= 80, "{name}: {plain}");
        }
        assert!(mermaid::text(&picture).starts_with("flowchart LR\n") && dot::text(&picture).ends_with("}\n"));
    }
}

/// The data of a page.
fn data(page: &str) -> serde_json::Value {
    let (_, rest) = page.split_once("id=\"data\">").unwrap();
    serde_json::from_str(rest.split_once("</script>").unwrap().0).unwrap()
}

#[test]
fn the_data_of_a_page_has_all_nodes() {
    for (name, picture) in committed().into_iter().chain(large()) {
        let data = data(&html::text(&picture));
        let nodes = data["nodes"].as_object().unwrap();
        assert_eq!(nodes.len(), picture.nodes.len(), "{name}");
        for scene in data["scenes"].as_array().unwrap() {
            let drawn = scene["scene"]["groups"].as_array().unwrap().iter().filter(|group| group["key"].is_string());
            assert!(drawn.count() > 0, "{name}");
        }
    }
}

/// The policy of a page lets its own script and style run, and no other.
#[test]
fn the_hashes_of_the_page_are_right() {
    use std::io::Write as _;
    let hash = |text: &str| {
        let mut command = std::process::Command::new("sha256sum");
        let mut child =
            command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let hex = String::from_utf8(output.stdout).unwrap();
        let bytes: Vec<u8> = (0..32).map(|at| u8::from_str_radix(&hex[at * 2..at * 2 + 2], 16).unwrap()).collect();
        use base64ct::Encoding as _;
        base64ct::Base64::encode(&bytes, &mut [0; 44]).unwrap().to_owned()
    };
    assert_eq!(html::SCRIPT_HASH, hash(html::SCRIPT), "write the one on the right into src/graph/html.rs");
    assert_eq!(html::STYLE_HASH, hash(&html::css()), "write the one on the right into src/graph/html.rs");
}

/// A leaf more does not turn the picture around: the others keep their order in their columns.
#[test]
fn one_node_more_leaves_the_others_in_their_order() {
    let with = |text: &str, at: &str| {
        format!(
            "{text}  ZZZ:\n    interfaces:\n      eth0: {{ veth: {{ bridge: {at} }}, addresses: [10.250.0.9/24] }}\n"
        )
    };
    let cut = |text: &str| text.split("\nchecks:").next().unwrap().to_owned() + "\n";
    for (name, text, at) in [
        ("nat", cut(&lab("nat")), "host/lab0"),
        ("bridge", cut(&lab("bridge")), "host/lab0"),
        ("docker-network", cut(&lab("docker-network")), "host/dock1"),
        ("fabric", fabric(2, 4, 3), "leaf3/br0"),
        ("star", star(12), "host/lab0"),
        ("router-on-a-stick", cut(&lab("router-on-a-stick")), "SWITCH/red"),
    ] {
        let before = scene::columns(&graph::picture(&wanted(&text)));
        let after = scene::columns(&graph::picture(&wanted(&with(&text, at))));
        let kept: Vec<Vec<String>> =
            after.iter().map(|nodes| nodes.iter().filter(|node| *node != "ZZZ").cloned().collect()).collect();
        assert_eq!(
            kept.into_iter().filter(|nodes: &Vec<String>| !nodes.is_empty()).collect::<Vec<_>>(),
            before,
            "{name}"
        );
    }
}

#[test]
fn large_pictures_are_folded() {
    let whole = graph::picture(&wanted(&fabric(4, 16, 11)));
    assert_eq!(whole.nodes.len(), 196);
    let folded = fold::fold(&whole, &fold::first(&whole));
    assert_eq!(folded.nodes.len(), 4 + 16 + 16);
    let all: usize = folded.nodes.iter().map(|node| node.members.len().max(1)).sum();
    assert_eq!(all, 196);
    let first = folded.nodes.iter().find(|node| !node.members.is_empty()).unwrap();
    assert_eq!((first.name.as_str(), first.members.len()), ("pc1 … pc11", 11));
    assert_eq!(first.ports[0].lines[0].text, "10.1.0.2/24 … 10.1.0.12/24");
    // Those that are not alike stay.
    let star = graph::picture(&wanted(&star(60)));
    assert!(fold::first(&star).is_empty());
}
