//! Records in `/run/topo` that are not as topo wrote them: torn, mutated, somebody else's. Nothing panics, hangs or
//! harms what is others'.
//!
//! `TOPO_RECORDS=1000` makes so many mutations; without it there are 120.

use crate::sandbox;

use sandbox::{Output, sh, topo, try_sh, write};
use std::time::{Duration, Instant};

const FILE: &str = "/run/topo/lab/record.json";

const TOPOLOGY: &str = "
name: lab
host:
  interfaces:
    v1: { veth: RED/eth0, addresses: [10.7.0.1/24] }
    up0: { existing: {}, mtu: 1300, addresses: [203.0.113.1/24] }
  routes: [{ to: 10.9.0.0/16, via: 10.7.0.2 }]
  rules: [{ priority: 100, from: 10.9.0.0/16, table: 100 }]
  sysctls: { net.ipv4.ip_default_ttl: 63 }
  nat: [{ masquerade: { source: 10.7.0.0/24 } }]
namespaces:
  RED: { interfaces: { eth0: { addresses: [10.7.0.2/24] } } }
  guest: { existing: { netns: guest }, interfaces: { in0: { veth: host/out0 } }, routes: [{ to: 10.4.0.0/16, type: blackhole }] }
";

/// What is others', as their programs show it.
const THEIRS: &str = "
ip -o link show keep0 | grep -o 'keep0.*mtu [0-9]*'; ip address show keep0 | grep 'inet '; ip route show 198.51.100.0/24; ip rule show priority 7
nft list table ip mine; ls /run/netns/guest /run/netns/other; ip -n guest route show 172.30.0.0/16; cat /run/lock/file; ip -n other link show lo | grep -o LOOPBACK
";

fn machine() {
    sh("ip link add up0 type veth peer up1; ip link set up0 up; ip link set up1 up; ip netns add guest; ip netns add other; ip -n guest link set lo up
        ip link add keep0 type veth peer keep1; ip address add 192.0.2.1/24 dev keep0; ip link set keep0 up mtu 1444; ip link set keep1 up
        ip route add 198.51.100.0/24 via 192.0.2.9; ip rule add priority 7 from 198.51.100.0/24 table 7; ip -n guest route add blackhole 172.30.0.0/16
        nft add table ip mine; echo theirs > /run/lock/file");
}

/// Runs topo; whatever it says, it says it soon and in an orderly way.
fn orderly(what: &str, args: &[&str]) -> Output {
    let start = Instant::now();
    let output = topo(args);
    let text = format!("{what}: {args:?} ended with {}:\n{}{}", output.code, output.stdout, output.stderr);
    assert!(matches!(output.code, 0..=2) && !output.stderr.contains("panicked"), "{text}");
    assert!(start.elapsed() < Duration::from_secs(10), "{text}");
    output
}

/// Numbers that look random and are the same every time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % limit.max(1)
    }
}

const WORDS: [(&str, &str); 12] = [
    ("RED", "guest"),
    ("guest", "other"),
    ("v1", "keep0"),
    ("up0", "keep0"),
    ("10.9.0.0/16", "198.51.100.0/24"),
    ("10.4.0.0/16", "172.30.0.0/16"),
    ("203.0.113.1/24", "192.0.2.1/24"),
    ("ip_default_ttl", "../../../../run/lock/file"),
    ("guest", "../../run/lock/file"),
    ("lab", "mine"),
    ("true", "false"),
    ("64", "18446744073709551615"),
];

fn mutated(record: &str, dice: &mut Dice) -> Vec<u8> {
    let mut bytes = record.as_bytes().to_vec();
    for _ in 0..=dice.below(3) {
        let at = dice.below(bytes.len());
        match dice.below(16) {
            0 => bytes.truncate(at),
            1 if !bytes.is_empty() => bytes[at] = u8::try_from(dice.below(256)).unwrap(),
            2 => {
                let end = (at + dice.below(60)).min(bytes.len());
                bytes.drain(at..end);
            }
            3 => {
                let end = (at + dice.below(200)).min(bytes.len());
                let copy = bytes[at..end].to_vec();
                bytes.splice(at..at, copy);
            }
            4 if dice.below(8) == 0 => bytes = [vec![b'['; 100_000], bytes].concat(),
            _ => {
                let (old, new) = WORDS[dice.below(WORDS.len())];
                let text = String::from_utf8_lossy(&bytes).into_owned();
                let text = if dice.below(2) == 0 { text.replace(old, new) } else { text.replacen(old, new, 1) };
                bytes = text.into_bytes();
            }
        }
    }
    bytes
}

/// The mutation with the right sum, where it still is a record: what only topo writes.
fn signed(bytes: &[u8]) -> Option<Vec<u8>> {
    let file: serde_json::Value = serde_json::from_slice(bytes).ok()?;
    let record = file.get("record")?;
    serde_json::from_value::<topo::resource::Record>(record.clone()).ok()?;
    // The sum is of the record as it stands in the file, which comes last in it.
    let text = serde_json::to_string(record).unwrap();
    let sum = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    Some(format!("{{\"version\":1,\"sum\":{sum},\"record\":{text}}}").into_bytes())
}

#[test]
fn mutated_records_harm_nobody() {
    let many: usize = std::env::var("TOPO_RECORDS").map_or(120, |many| many.parse().expect("TOPO_RECORDS is a number"));
    sandbox::run_within(
        "mutated_records_harm_nobody",
        Duration::from_secs(if many > 120 { 3600 } else { 200 }),
        || {
            machine();
            let file = write("lab.yaml", TOPOLOGY);
            let theirs = try_sh(THEIRS).stdout;
            assert_eq!(theirs.lines().count(), 11, "{theirs}");
            let mut dice = Dice(0x7470_6f74);
            let (mut read, mut destroyed) = (0, 0);
            for round in 0..many {
                if round % 10 == 0 {
                    topo(&["apply", "--yes", "--quiet", &file]).expect(0);
                }
                let record = std::fs::read_to_string(FILE).unwrap();
                let bytes = mutated(&record, &mut dice);
                let what = format!("mutation {round}: {}", String::from_utf8_lossy(&bytes[..bytes.len().min(4000)]));
                if let Some(signed) = signed(&bytes) {
                    std::fs::write(FILE, &signed).unwrap();
                    read += usize::from(!orderly(&what, &["list"]).stderr.contains("no whole record"));
                    orderly(&what, &["plan", &file]);
                    orderly(&what, &["plan", "--destroy", &file]);
                }
                std::fs::write(FILE, &bytes).unwrap();
                orderly(&what, &["list"]);
                orderly(&what, &["plan", &file]);
                if round % 10 != 9 {
                    std::fs::write(FILE, &record).unwrap();
                    continue;
                }
                orderly(&what, &["destroy", "lab", "--yes"]);
                destroyed += 1;
                let now = try_sh(THEIRS).stdout;
                assert!(now == theirs, "{what}\nharmed others:\n{}", sandbox::difference(&theirs, &now));
                // What the record no longer knew is put back by hand.
                try_sh("topo destroy --all --yes; ip rule del priority 100; ip route del 10.9.0.0/16");
                try_sh(
                    "ip address flush dev up0; ip link set up0 mtu 1500; sysctl -qw net.ipv4.ip_default_ttl=64; ip -n guest route del 10.4.0.0/16",
                );
                try_sh("rm -rf /run/topo");
            }
            println!("{many} mutations, {read} of them read as records, {destroyed} times destroyed with one");
            assert!(read * 4 > many, "most mutations do not get as far as the record");
        },
    );
}

#[test]
fn records_of_others_are_refused() {
    sandbox::run("records_of_others_are_refused", || {
        machine();
        let file = write("lab.yaml", TOPOLOGY);
        let clean = sandbox::snapshot();
        topo(&["apply", "--yes", "--quiet", &file]).expect(0);
        let tricks = [
            ("chown 1000 /run/topo/lab/record.json", "chown 0 /run/topo/lab/record.json"),
            ("chmod 666 /run/topo/lab/record.json", "chmod 600 /run/topo/lab/record.json"),
            (
                "mv /run/topo/lab/record.json /run/r; ln -s /run/r /run/topo/lab/record.json",
                "mv /run/r /run/topo/lab/record.json",
            ),
            (
                "mv /run/topo/lab/record.json /run/r; mkfifo /run/topo/lab/record.json",
                "mv /run/r /run/topo/lab/record.json",
            ),
            ("mv /run/topo/lab /run/lab; ln -s /run/lab /run/topo/lab", "rm /run/topo/lab; mv /run/lab /run/topo/lab"),
            ("chmod 777 /run/topo", "chmod 700 /run/topo"),
            ("chown 1000 /run/topo", "chown 0 /run/topo"),
            (
                "sed -i 's/\"version\":1/\"version\":99/' /run/topo/lab/record.json",
                "sed -i 's/\"version\":99/\"version\":1/' /run/topo/lab/record.json",
            ),
        ];
        for (trick, back) in tricks {
            sh(trick);
            let link = trick.contains("/run/lab /run/topo/lab");
            for args in [&["plan", file.as_str()][..], &["destroy", "lab", "--yes"]] {
                let output = orderly(trick, args);
                assert!(
                    output.code == 1 && output.stderr.contains("/run/topo"),
                    "{trick}: {args:?}: {}{}",
                    output.stdout,
                    output.stderr
                );
            }
            let list = orderly(trick, &["list"]);
            assert!(list.code == 1 || link || list.stdout.contains("lab"), "{trick}: {}{}", list.stdout, list.stderr);
            sh(back);
        }
        topo(&["plan", "--detailed-exitcode", &file]).expect(0);
        topo(&["destroy", "lab", "--yes"]).expect(0);
        sandbox::assert_snapshot(&clean);
    });
}
