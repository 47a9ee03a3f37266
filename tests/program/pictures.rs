//! Pictures where they are looked at: in a browser, and by Graphviz. And that a picture of a file is one of what is
//! there once it was applied.

#![allow(clippy::disallowed_methods, reason = "a test makes processes")]

#[path = "pictures/browser.rs"]
mod browser;

use crate::sandbox;
use browser::Browser;
use sandbox::{in_repository, sh, topo, write};
use serde_json::json;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// A folder for one test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("topo-pictures-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// A picture of a file, in the format that the name of the picture says.
    fn draw(&self, topology: &str, name: &str) -> PathBuf {
        let out = self.0.join(name);
        topo(&["graph", topology, "--out", out.to_str().unwrap()]).expect(0);
        out
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn labs() -> Vec<String> {
    let entries = std::fs::read_dir(in_repository("topologies")).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<String> = entries.map(|path| path.display().to_string()).collect();
    files.retain(|path| path.ends_with(".yaml"));
    files.sort();
    files
}

/// A router with two bridges, and many nodes at each.
fn office(each: usize) -> String {
    let mut text = "name: office\nnamespaces:\n  core:\n    forwarding: ipv4\n    interfaces:\n      wan: { veth: internet/eth0, addresses: [203.0.113.2/24], impair: { delay: 20ms, loss: 1% } }\n".to_owned();
    for lan in 1..=2 {
        text += &format!("      br{lan}: {{ bridge: {{}}, addresses: [10.{lan}.0.1/24] }}\n");
    }
    text += "  internet:\n    interfaces:\n      eth0: { addresses: [203.0.113.1/24] }\n";
    for lan in 1..=2 {
        for nth in 1..=each {
            text += &format!(
                "  pc{lan}-{nth}:\n    interfaces:\n      eth0: {{ veth: {{ bridge: core/br{lan} }}, addresses: [10.{lan}.0.{}/24] }}\n    routes: [{{ to: default, via: 10.{lan}.0.1 }}]\n",
                nth + 1
            );
        }
    }
    text
}

/// Graphviz reads what is written for it.
#[test]
fn dot_is_read_by_graphviz() {
    for lab in labs() {
        let dot = topo(&["graph", &lab, "--format", "dot"]).expect(0).stdout;
        let mut command = Command::new("dot");
        let mut child = command
            .arg("-Tplain")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("graphviz is installed by tests/tools.sh --test");
        child.stdin.take().unwrap().write_all(dot.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        let wrong = errors.lines().find(|line| line.contains("syntax") || line.starts_with("Error"));
        assert!(output.status.success() && wrong.is_none(), "{lab}: {errors}\n{dot}");
        assert!(String::from_utf8_lossy(&output.stdout).starts_with("graph "), "{lab}");
    }
}

/// With the fonts of a real browser no text is over another one, or outside of its box; by day and by night.
#[test]
fn texts_do_not_overlap_in_a_browser() {
    let folder = Folder::new("texts");
    let large = folder.0.join("office.yaml");
    std::fs::write(&large, office(25)).unwrap();
    let mut files = labs();
    files.push(large.display().to_string());
    let mut page = "<!DOCTYPE html>".to_owned();
    for (nth, file) in files.iter().enumerate() {
        let svg = folder.draw(file, &format!("{nth}.svg"));
        page += &format!("<div>{}</div>\n", std::fs::read_to_string(svg).unwrap());
    }
    let all = folder.0.join("all.html");
    std::fs::write(&all, page).unwrap();
    let overlaps = "(() => {
        const bad = [];
        for (const svg of document.querySelectorAll('svg')) {
            const name = svg.querySelector('title').textContent;
            const texts = [...svg.querySelectorAll('text')].map((text) => [text, text.getBoundingClientRect()]);
            texts.forEach(([text, area], nth) => {
                for (const [other, its] of texts.slice(nth + 1)) {
                    const wide = Math.min(area.right, its.right) - Math.max(area.left, its.left);
                    const high = Math.min(area.bottom, its.bottom) - Math.max(area.top, its.top);
                    if (wide > 1 && high > 3) bad.push(`${name}: ${text.textContent} over ${other.textContent}`);
                }
                const box = text.closest('.node')?.querySelector('.box').getBoundingClientRect();
                if (box && (area.left < box.left || area.right > box.right)) bad.push(`${name}: ${text.textContent} leaves its box`);
            });
        }
        return bad;
    })()";
    for dark in [false, true] {
        let mut browser = Browser::open(&all, dark);
        assert_eq!(browser.value("document.querySelectorAll('svg').length"), json!(files.len()));
        assert_eq!(browser.value(overlaps), json!([]));
        let paper = browser.value("getComputedStyle(document.querySelector('svg .paper')).fill");
        assert_eq!(paper, json!(if dark { "rgb(13, 17, 23)" } else { "rgb(255, 255, 255)" }));
    }
}

/// How many nodes are shown.
const SHOWN: &str = "document.querySelectorAll('#canvas .node').length";
/// How much of the picture is seen.
const VIEW: &str = "document.getElementById('canvas').getAttribute('viewBox').split(' ').map(Number)";

/// Search, zoom, move, details and folds of a page, as a user has them.
#[test]
fn the_page_is_used_in_a_browser() {
    let folder = Folder::new("page");
    let yaml = folder.0.join("office.yaml");
    std::fs::write(&yaml, office(25)).unwrap();
    let page = folder.draw(yaml.to_str().unwrap(), "office.html");
    let mut browser = Browser::open(&page, false);
    // Two nodes and two folds; the style is in force.
    assert_eq!(browser.value(SHOWN), json!(4));
    assert_eq!(browser.value("getComputedStyle(document.querySelector('main')).display"), json!("flex"));

    // Details of what the pointer is at.
    let core = "[...document.querySelectorAll('#canvas .node')].find((it) => it.dataset.key === 'core')";
    let at = browser.middle(core);
    browser.pointer("mouseMoved", at, json!({}));
    browser.until("document.querySelector('#about h2')?.textContent === 'core'");
    let lines = browser.value("document.getElementById('about').textContent");
    assert!(lines.as_str().unwrap().contains("address 203.0.113.2/24 on wan"), "{lines}");

    // Zoom at the wheel, move with the pointer down.
    let view = |browser: &mut Browser| -> Vec<f64> { serde_json::from_value(browser.value(VIEW)).unwrap() };
    let before = view(&mut browser);
    browser.pointer("mouseWheel", at, json!({ "deltaX": 0, "deltaY": -120 }));
    browser.until(&format!("{VIEW}[2] < {}", before[2] - 1.0));
    let zoomed = view(&mut browser);
    browser.pointer("mousePressed", at, json!({}));
    browser.pointer("mouseMoved", (at.0 + 80.0, at.1 + 30.0), json!({ "buttons": 1 }));
    browser.pointer("mouseReleased", (at.0 + 80.0, at.1 + 30.0), json!({}));
    let moved = view(&mut browser);
    assert!(moved[0] < zoomed[0] - 10.0 && moved[1] < zoomed[1] - 5.0, "{zoomed:?} {moved:?}");
    browser.value("document.getElementById('fit').click()");
    assert_eq!(view(&mut browser), before);

    // A search finds what is folded.
    browser.value("document.getElementById('search').focus()");
    browser.type_text("10.2.0.7/");
    browser.until("document.getElementById('found').textContent === '1 found'");
    browser.press("Escape");

    // A fold opens at a click, and closes at the next.
    let fold = "document.querySelector('#canvas .node.folds')";
    let at = browser.middle(fold);
    browser.click(at);
    browser.until(&format!("{SHOWN} === 28"));
    let at = browser.middle(fold);
    browser.click(at);
    browser.until(&format!("{SHOWN} === 4"));
    browser.value("document.getElementById('unfold').click()");
    browser.until(&format!("{SHOWN} === 52"));

    // Search.
    browser.value("document.getElementById('search').focus()");
    browser.type_text("10.2.0.7/");
    browser.until("document.getElementById('found').textContent === '1 found'");
    assert_eq!(browser.value("document.querySelector('#canvas .hit').dataset.key"), json!("pc2-6"));
    let before = view(&mut browser);
    browser.press("Enter");
    browser.until("document.getElementById('found').textContent === '1 of 1'");
    assert_ne!(view(&mut browser), before);
    browser.press("Escape");
    browser.until("document.querySelectorAll('#canvas .hit').length === 0");

    // No other script runs, and nothing was asked of a network.
    let other = "(() => { const it = document.createElement('script'); it.textContent = 'window.other = 1'; document.body.append(it); return typeof window.other; })()";
    assert_eq!(browser.value(other), json!("undefined"));
    assert_eq!(browser.value("performance.getEntriesByType('resource').length"), json!(0));
}

/// What is drawn of a file is drawn of the machine once it was applied.
#[test]
fn what_is_there_looks_as_what_is_wanted() {
    sandbox::run("what_is_there_looks_as_what_is_wanted", || {
        for name in ["two-namespaces", "bridge", "nat", "port-forward", "router-chain", "docker-network"] {
            let file = in_repository(&format!("topologies/{name}.yaml"));
            topo(&["apply", "--yes", "-q", &file]).expect(0);
            let wanted = topo(&["graph", &file]).expect(0).stdout;
            assert_eq!(topo(&["graph", name]).expect(0).stdout, wanted);
            // Nothing changes, so that nothing has a sign.
            assert_eq!(topo(&["graph", name, "--plan"]).expect(0).stdout, wanted);
            topo(&["destroy", "--yes", "-q", name]).expect(0);
        }
    });
}

/// Names that other programs made, with signs in them, stay text; and a large change is cut to what a comment takes.
#[test]
fn markdown_is_a_comment_whatever_the_names() {
    sandbox::run("markdown_is_a_comment_whatever_the_names", || {
        sh("ip link add 'a`b<i>@x' type veth peer name peer0");
        let text = "name: lab\nhost:\n  interfaces:\n    'a`b<i>@x': { existing: {}, addresses: [192.0.2.1/24] }\n";
        let file = write("lab.yaml", text);
        let markdown = topo(&["plan", &file, "--markdown"]).expect(0).stdout;
        let outside: Vec<&str> = markdown.split("```").step_by(2).collect();
        let outside = outside.concat();
        assert!(!outside.contains('@') && !outside.contains("<i>"), "{markdown}");
        let mut text = "name: large\nnamespaces:\n  hub: { allow: [end-unused] }\n".to_owned();
        for nth in 0..2000 {
            text += &format!(
                "  node-with-a-long-name-{nth}:\n    interfaces:\n      eth0: {{ veth: hub/p{nth}, addresses: [10.{}.{}.1/24] }}\n",
                nth / 250,
                nth % 250
            );
        }
        let markdown = topo(&["plan", &write("large.yaml", &text), "--markdown"]).expect(0).stdout;
        assert!(markdown.len() <= 60_000 && markdown.len() > 50_000, "{}", markdown.len());
        assert_eq!(markdown.matches("<details>").count(), markdown.matches("</details>").count());
        assert!(markdown.trim_end().ends_with("`topo plan` prints all."), "{}", &markdown[markdown.len() - 200..]);
    });
}
