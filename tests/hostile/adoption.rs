//! `topo import --adopt` with requests refused, and killed: it ends with the machine as it was, or with all of it
//! adopted; and what a killed one left an apply of its file completes.
//!
//! A quick run takes a part of the moments (`TOPO_REFUSALS=N` another one); `TOPO_REFUSALS=all` takes all of them.

use crate::sandbox;
use crate::tracer;

use nix::libc;
use sandbox::{Options, assert_snapshot_with, difference, in_repository, quiet, sh, snapshot_with, topo, topo_path};
use std::time::Duration;
use tracer::{Moment, What, run};

/// How many moments a quick run takes.
const FEW: usize = 6;
const FILE: &str = "/run/lock/lab.yaml";
const ADOPT: [&str; 9] = ["import", "--adopt", "--yes", "--out", FILE, "host", "RED", "BLUE", "p"];

/// Of each sort something: a bridge and pairs on the host, NAT of iptables, a table of nft, rules, neighbours, files.
fn make() {
    sh(&format!("set -e; . {}", in_repository("tests/import/red-blue-nat.sh")));
    sh(r#"
ip netns add p; ip -n p link set lo up alias mine
ip link add p0 group 7 type veth peer name eth0 netns p
ip link set p0 up alias cable; ip addr add 10.66.0.1/24 dev p0
ip -n p link set eth0 up; ip -n p addr add 10.66.0.2/24 dev eth0; ip -n p addr add fd66::2/64 dev eth0 nodad
ip -n p route add default via 10.66.0.1; ip -n p route add 10.67.0.0/16 via 10.66.0.1 table 7
ip -n p rule add from 10.66.0.2 lookup 7 priority 70
ip -n p neigh add 10.66.0.9 lladdr 02:00:00:00:00:09 dev eth0 nud permanent
ip rule add from 10.66.0.0/24 lookup 8 priority 80; ip route add 10.68.0.0/16 via 10.66.0.2 table 8
ip neigh add 10.66.0.9 lladdr 02:00:00:00:00:09 dev p0 nud permanent
ip netns exec p nft add table inet f
ip netns exec p nft add chain inet f in '{ type filter hook input priority 0; }'
ip netns exec p nft add rule inet f in tcp dport 81 counter drop
mkdir -p /etc/netns/p; printf '127.0.0.1 localhost\n10.66.0.1 host\n' >/etc/netns/p/hosts
"#);
}

/// Takes away what [`make`] made, and what is left of it.
fn wipe() {
    sh(r#"
ip -all netns delete
for link in $(ls /sys/class/net); do [ $link = lo ] || ip link delete $link 2>/dev/null || true; done
nft flush ruleset
ip rule flush; ip rule add priority 32766 table main protocol kernel
ip rule add priority 32767 table default protocol kernel
rm -rf /etc/netns/* /run/lock/lab.yaml
"#);
    sandbox::wait_for(Duration::from_secs(5), || sh("ls /sys/class/net").trim() == "lo");
}

fn chosen(all: &[Moment]) -> Vec<Moment> {
    let form = std::env::var("TOPO_REFUSALS").ok();
    if form.as_deref() == Some("all") {
        return all.to_vec();
    }
    let seed: usize = form.map_or(1, |seed| seed.parse().expect("TOPO_REFUSALS is \"all\" or a number"));
    println!("TOPO_REFUSALS={seed}");
    let step = all.len().div_ceil(FEW).max(1);
    all.iter().skip(seed % step).step_by(step).copied().collect()
}

fn limit() -> Duration {
    let long = std::env::var("TOPO_REFUSALS").is_ok_and(|form| form == "all");
    Duration::from_secs(if long { 4 * 3600 } else { 240 })
}

/// How many requests an adoption makes, and what the machine is before it.
fn measured() -> (usize, String) {
    let look = Options::default();
    let before = quiet(&look);
    let last = Moment { request: usize::MAX, after: false, what: What::Refuse(libc::EIO) };
    let whole = run(topo_path(), &ADOPT, Some(last));
    assert_eq!(whole.code, 0, "{}", whole.stderr);
    topo(&["undo", "--yes", "lab"]).expect(0);
    assert_snapshot_with(&before, &look);
    (whole.requests, before)
}

#[test]
fn refused_adoptions_are_undone() {
    sandbox::run_within("refused_adoptions_are_undone", limit(), || {
        make();
        let (requests, before) = measured();
        let errnos = [libc::ENOBUFS, libc::EPERM, libc::EIO];
        let moment = |request: usize, after: bool| Moment {
            request,
            after,
            what: What::Refuse(errnos[(2 * request + usize::from(after)) % 3]),
        };
        let all: Vec<Moment> =
            (1..=requests).flat_map(|request| [moment(request, false), moment(request, true)]).collect();
        let moments = chosen(&all);
        let mut undone = 0;
        for (at, moment) in moments.iter().enumerate() {
            sh("rm -rf /run/lock/lab.yaml");
            let run = run(topo_path(), &ADOPT, Some(*moment));
            let what = run.hit.clone().unwrap_or_else(|| "nothing".to_owned());
            println!("{} of {}: {what}: exit {}", at + 1, moments.len(), run.code);
            assert!(!run.stderr.contains("panicked"), "{what}: {}", run.stderr);
            if run.code == 0 {
                topo(&["plan", "--detailed-exitcode", FILE]).expect(0);
                topo(&["undo", "--yes", "lab"]).expect(0);
            } else {
                undone += 1;
                assert!(matches!(run.code, 1 | 77), "{what}: exit {}: {}", run.code, run.stderr);
            }
            let same = sandbox::wait_for(Duration::from_secs(5), || snapshot_with(&Options::default()) == before);
            let now = snapshot_with(&Options::default());
            assert!(same, "{what}: the machine is not as it was\n{}\n{}", difference(&before, &now), run.stderr);
        }
        println!("{requests} requests: {undone} refusals undone, {} that did not matter", moments.len() - undone);
        assert!(undone > 0, "nothing was refused");
    });
}

#[test]
fn killed_adoptions_are_completed() {
    sandbox::run_within("killed_adoptions_are_completed", limit(), || {
        make();
        let look = Options { without_record: true, ..Options::default() };
        let (requests, _) = measured();
        topo(&ADOPT).expect(0);
        let after = quiet(&look);
        topo(&["undo", "--yes", "lab"]).expect(0);
        let moment = |request: usize, after: bool| Moment {
            request,
            after,
            what: What::Kill { all: request.is_multiple_of(2) },
        };
        let all: Vec<Moment> =
            (1..=requests).flat_map(|request| [moment(request, false), moment(request, true)]).collect();
        let moments = chosen(&all);
        for (at, moment) in moments.iter().enumerate() {
            sh("rm -rf /run/lock/lab.yaml");
            let run = run(topo_path(), &ADOPT, Some(*moment));
            let what = run.hit.clone().unwrap_or_else(|| "nothing".to_owned());
            println!("{} of {}: killed at {what}", at + 1, moments.len());
            // Where nothing was begun it can be begun again.
            if std::path::Path::new("/run/topo/lab/record.json").exists() {
                let said = topo(&["apply", "--yes", FILE]);
                assert_eq!(said.code, 0, "{what}: {}{}", said.stdout, said.stderr);
            } else {
                topo(&ADOPT).expect(0);
            }
            topo(&["plan", "--detailed-exitcode", FILE]).expect(0);
            let now = quiet(&look);
            assert!(now == after, "{what}: not all was adopted\n{}", difference(&after, &now));
            topo(&["destroy", "--yes", "lab"]).expect(0);
            assert!(!std::path::Path::new("/run/topo").exists(), "{what}: something of topo is left");
            wipe();
            make();
        }
    });
}
