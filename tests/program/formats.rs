//! What programs read: JSON by its fields, findings as SARIF and as annotations.

#![allow(clippy::disallowed_methods, reason = "a test makes processes")]

use crate::sandbox;

use sandbox::{sh, topo, write};
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Command, Output};

/// A folder of its own for files of any name.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("topo-formats-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(self, name: &str, text: &str) -> Self {
        std::fs::write(self.0.join(name), text).unwrap();
        self
    }

    fn validate(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_topo"));
        command.current_dir(&self.0).arg("validate").args(arguments).output().unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

const GOOD: &str = "name: good\nnamespaces: { A: {} }\n";
/// An error in a line with wide letters, whose key tries to be a link, a command and a property.
const BAD: &str = "name: bad\nnamespaces:\n  RED:\n    interfaces:\n      eth0: { dummy: {}, \"ü[x](https://evil.example),line=1::%0A\\n::warning::y\": 1, addresses: [10.0.0.1/33] }\n";
/// A warning, which does not make a file wrong, with two places.
const ODD: &str = "name: odd\nnamespaces:\n  RED:\n    interfaces:\n      br0: { bridge: {} }\n";
const NASTY: &str = "a,line=9::%0A\n::set-output name=x::y.yaml";

fn lines(output: &Output) -> Vec<String> {
    String::from_utf8(output.stdout.clone()).unwrap().lines().map(str::to_owned).collect()
}

/// A workflow command: its name, properties and message.
type Workflow = (String, Vec<(String, String)>, String);

/// What the runner of GitHub Actions makes of a line (`ActionCommand.TryParseV2`).
fn command(line: &str) -> Option<Workflow> {
    let (head, message) = line.strip_prefix("::")?.split_once("::")?;
    let (name, rest) = head.split_once(' ').unwrap_or((head, ""));
    let plain = |text: &str| text.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%");
    let value = |text: &str| plain(&text.replace("%3A", ":").replace("%2C", ","));
    let property = |text: &str| text.split_once('=').map(|(key, text)| (key.to_owned(), value(text)));
    Some((name.to_owned(), rest.split(',').filter_map(property).collect(), plain(message)))
}

#[test]
fn annotations_stand_at_their_lines_and_nothing_breaks_out() {
    let folder = Folder::new("github").file("good.yaml", GOOD).file("odd.yaml", ODD).file(NASTY, BAD);
    let output = folder.validate(&["--format", "github", "odd.yaml", "good.yaml", NASTY]);
    assert_eq!(output.status.code(), Some(65), "{output:?}");
    let commands: Vec<_> =
        lines(&output).iter().map(|line| command(line).unwrap_or_else(|| panic!("{line}"))).collect();
    let told: Vec<(&str, &str, &str)> = commands
        .iter()
        .map(|(name, properties, _)| {
            let get =
                |key: &str| properties.iter().find(|(name, _)| name == key).map_or("", |(_, value)| value.as_str());
            (name.as_str(), get("file"), get("title"))
        })
        .collect();
    let nasty = NASTY.replace('\n', "\\n");
    assert_eq!(
        told,
        [
            ("error", nasty.as_str(), "topo: unknown-key"),
            ("error", nasty.as_str(), "topo: bad-address"),
            ("warning", "odd.yaml", "topo: bridge-empty"),
        ],
        "{commands:#?}"
    );
    let places = ["line", "col", "endLine", "endColumn"];
    let (_, properties, message) = &commands[0];
    let place: Vec<&str> = places
        .iter()
        .map(|key| properties.iter().find(|(name, _)| name == key).map_or("", |(_, value)| value.as_str()))
        .collect();
    assert_eq!(place, ["5", "26", "5", "80"], "{properties:?}");
    assert!(message.contains("::%0A\\n::warning::y"), "{message}");
    assert!(commands.iter().all(|(_, properties, _)| properties.len() == 6), "{commands:#?}");
    let good = folder.validate(&["--format", "github", "good.yaml", "odd.yaml"]);
    assert_eq!((good.status.code(), lines(&good).len()), (Some(0), 1), "{good:?}");
}

#[test]
fn sarif_is_valid_and_says_the_same() {
    let folder = Folder::new("sarif").file("good.yaml", GOOD).file("odd.yaml", ODD).file(NASTY, BAD);
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sarif/sarif-2.1.0.json");
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(schema).unwrap()).unwrap();
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    let log = |arguments: &[&str], exit: i32| -> Value {
        let output = folder.validate(&[&["--format", "sarif"], arguments].concat());
        assert_eq!(output.status.code(), Some(exit), "{output:?}");
        let log: Value = serde_json::from_slice(&output.stdout).unwrap();
        let errors: Vec<String> = validator.iter_errors(&log).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:#?}\n{log:#}");
        log
    };
    assert_eq!(log(&["good.yaml"], 0)["runs"][0]["results"], json!([]));
    let run = log(&["odd.yaml", NASTY], 65)["runs"][0].take();
    assert_eq!(run["columnKind"], "unicodeCodePoints");
    let results = run["results"].as_array().unwrap();
    let told: Vec<_> =
        results.iter().map(|result| (result["ruleId"].as_str().unwrap(), result["level"].as_str().unwrap())).collect();
    assert_eq!(told, [("bridge-empty", "warning"), ("unknown-key", "error"), ("bad-address", "error")]);
    for result in results {
        let rule = &run["tool"]["driver"]["rules"][result["ruleIndex"].as_u64().unwrap() as usize];
        assert_eq!(rule["id"], result["ruleId"]);
    }
    let place = &results[1]["locations"][0]["physicalLocation"];
    assert_eq!(
        place["region"],
        json!({ "startLine": 5, "startColumn": 26, "endLine": 5, "endColumn": 80 }),
        "{place:#}"
    );
    let uri = place["artifactLocation"]["uri"].as_str().unwrap();
    assert_eq!(uri, "a%2Cline%3D9%3A%3A%250A%0A%3A%3Aset-output%20name%3Dx%3A%3Ay.yaml");
    let message = results[1]["message"]["text"].as_str().unwrap();
    assert!(message.contains("[x\\](https://evil.example)"), "{message}");
    // The same places and words as in JSON.
    let findings: Value = serde_json::from_slice(&folder.validate(&["--json", "odd.yaml", NASTY]).stdout).unwrap();
    let findings = findings["findings"].as_array().unwrap();
    assert_eq!(findings.len(), results.len());
    for (finding, result) in findings.iter().zip(results) {
        let region = &result["locations"][0]["physicalLocation"]["region"];
        assert_eq!((&finding["line"], &finding["end_column"]), (&region["startLine"], &region["endColumn"]));
        assert_eq!(finding["code"], result["ruleId"]);
    }
}

#[test]
fn two_files_that_want_the_same_are_an_error_in_every_format() {
    let one = "name: one\nnamespaces: { RED: {} }\n";
    let folder = Folder::new("collision").file("one.yaml", one).file("two.yaml", &one.replace("one", "two"));
    for format in ["text", "json", "sarif", "github"] {
        let output = folder.validate(&["--format", format, "one.yaml", "two.yaml"]);
        let told = String::from_utf8_lossy(if format == "text" { &output.stderr } else { &output.stdout }).into_owned();
        assert_eq!(output.status.code(), Some(65), "{format}: {output:?}");
        assert!(told.contains("collision") && told.contains("two.yaml"), "{format}: {told}");
    }
}

/// As `jq` would find it.
fn at<'a>(value: &'a Value, path: &str) -> &'a Value {
    value.pointer(path).unwrap_or_else(|| panic!("nothing at {path} of {value:#}"))
}

const LAB: &str = "\
name: lab
namespaces:
  RED:
    forwarding: true
    sysctls: { net.ipv4.tcp_rmem: 4096 87380 6291456 }
    interfaces:
      br0: { bridge: { ports: [eth0], stp: true, forward-delay: 4s } }
      eth0: { veth: BLUE/eth0, mtu: 1400, port: { cost: 7 } }
    rules: [{ from: 10.0.0.0/8, table: 100, priority: 1000, fwmark: 0x10/0xff }]
  BLUE:
    interfaces:
      eth0: { addresses: [10.0.0.2/24] }
    routes:
      - { to: 10.9.0.0/16, via: 10.0.0.1, metric: 50 }
    firewall:
      input: { policy: drop, rules: [{ protocol: tcp, port: 22, accept: {} }] }
";

#[test]
fn fields_of_json_are_keyed_and_typed() {
    sandbox::run("fields_of_json_are_keyed_and_typed", || {
        let file = write("lab", LAB);
        let plans: Value = serde_json::from_str(&topo(&["plan", "--json", &file]).expect(0).stdout).unwrap();
        assert_eq!(plans["format_version"], 2);
        let find = |plans: &Value, kind: &str, id: &str| -> Value {
            let changes = plans["plans"][0]["changes"].as_array().unwrap();
            let is = |change: &&Value| change["kind"] == kind && change["id"] == id;
            changes.iter().find(is).unwrap_or_else(|| panic!("no {kind} {id:?} in {plans:#}")).clone()
        };
        let eth0 = find(&plans, "link", "RED/eth0");
        assert_eq!((at(&eth0, "/before"), at(&eth0, "/fields")), (&Value::Null, &json!({})));
        assert_eq!((at(&eth0, "/after/mtu"), at(&eth0, "/after/up")), (&json!(1400), &json!(true)));
        assert_eq!((at(&eth0, "/after/port/cost"), at(&eth0, "/after/master")), (&json!(7), &json!("br0")));
        let br0 = find(&plans, "link", "RED/br0");
        assert_eq!(
            (at(&br0, "/after/bridge/stp"), at(&br0, "/after/bridge/forward-delay")),
            (&json!(true), &json!("4s"))
        );
        assert_eq!(at(&br0, "/after/master"), &Value::Null);
        let rule = find(&plans, "rule", "RED priority 1000 from 10.0.0.0/8 fwmark 0x10/0xff table 100");
        let selects = json!([rule["after"]["table"], rule["after"]["fwmark"], rule["after"]["fwmark-mask"]]);
        assert_eq!(selects, json!([100, 16, 255]));
        topo(&["apply", "--yes", &file]).expect(0);

        // What was changed by hand, with what it was and what it shall be.
        sh("ip -n RED link set eth0 mtu 1300; ip netns exec RED sysctl -qw net.ipv4.ip_forward=0; \
            ip -n RED link set eth0 type bridge_slave cost 9");
        let plans: Value = serde_json::from_str(&topo(&["plan", "--json", &file]).expect(0).stdout).unwrap();
        let eth0 = find(&plans, "link", "RED/eth0");
        assert_eq!((at(&eth0, "/before/mtu"), at(&eth0, "/after/mtu")), (&json!(1300), &json!(1400)));
        assert_eq!(
            eth0["fields"],
            json!({
                "mtu": { "old": 1300, "new": 1400, "impact": "in-place" },
                "port.cost": { "old": 9, "new": 7, "impact": "in-place" },
            })
        );
        let forward = find(&plans, "sysctl", "RED net/ipv4/ip_forward");
        assert_eq!(forward["fields"], json!({ "value": { "old": 0, "new": 1, "impact": "in-place" } }));

        let states: Value = serde_json::from_str(&topo(&["show", "--json"]).expect(0).stdout).unwrap();
        let resources = states["topologies"][0]["resources"].as_array().unwrap();
        let of =
            |kind: &str, id: &str| &resources.iter().find(|it| it["kind"] == kind && it["id"] == id).unwrap()["values"];
        assert_eq!(of("link", "RED/eth0")["mtu"], 1300);
        assert_eq!(of("sysctl", "RED net/ipv4/tcp_rmem")["value"], "4096 87380 6291456");
        let input = &of("nft table", "BLUE")["chains"][0];
        assert_eq!(
            (&input["name"], &input["policy"], input["rules"].as_array().unwrap().len()),
            (&json!("input"), &json!("drop"), 1)
        );
    });
}
