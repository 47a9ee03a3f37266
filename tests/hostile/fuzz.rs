//! Hostile input: files, and answers of the kernel and of nft, that are almost right, thousands of them. Nothing
//! panics, nothing takes longer than a second or more than 100 MB, nothing that a terminal obeys comes out.
//!
//! `TOPO_FUZZ=N` makes N of each kind instead of some thousand; `TOPO_FUZZ_SEED=N` takes others. The case that a run
//! stopped at stands in the folder that the message names.

#![allow(clippy::disallowed_methods, reason = "a test enters namespaces")]

use crate::mutation;
use crate::sandbox;
use crate::tracer;

use mutation::Dice;
use netlink_sys::{Socket, SocketAddr};
use nix::sched::{CloneFlags, setns};
use nix::time::{ClockId, clock_gettime};
use std::alloc::{GlobalAlloc, Layout, System};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use topo::document::{self, Severity, Source};
use topo::linux::replies;
use topo::linux::replies::Replies;
use topo::resource::{Node, State};
use topo::{check, plan, render};
use tracer::{Moment, Reply, What};

/// What a case may cost.
const SECONDS: f64 = 1.0;
const BYTES: usize = 100 << 20;

/// Counts what is in use.
struct Counting;

static USED: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: hands everything on to the system's allocator.
#[allow(unsafe_code, reason = "an allocator has no safe form")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let used = USED.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(used, Ordering::Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        USED.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn many(usual: usize) -> u64 {
    let many = std::env::var("TOPO_FUZZ").map_or(usual, |many| many.parse().expect("TOPO_FUZZ is a number"));
    u64::try_from(many).unwrap()
}

fn seed() -> u64 {
    let seed = std::env::var("TOPO_FUZZ_SEED").map_or(1, |seed| seed.parse().expect("TOPO_FUZZ_SEED is a number"));
    println!("TOPO_FUZZ_SEED={seed}");
    seed
}

/// What the cases of a run have cost and come to.
#[derive(Default)]
struct Tally {
    cases: u64,
    /// How many came to a decoder.
    reached: u64,
    /// How many went all the way.
    whole: u64,
    seconds: f64,
    bytes: usize,
}

impl Tally {
    /// Carries out one case, which stands in a file until it is over; its answer is whether it came to a decoder, and
    /// whether it went all the way.
    fn run(&mut self, kind: &str, case: u64, of: u64, input: &[u8], test: impl FnOnce() -> (bool, bool)) {
        let kept = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("fuzz-{kind}"));
        std::fs::write(&kept, input).unwrap();
        let what = || format!("case {case} ({})", kept.display());
        let clock = || Duration::from(clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).unwrap()).as_secs_f64();
        let (before, start) = (USED.load(Ordering::Relaxed), clock());
        PEAK.store(before, Ordering::Relaxed);
        let (reached, whole) = catch_unwind(AssertUnwindSafe(test)).unwrap_or_else(|_| panic!("{} panicked", what()));
        let (seconds, bytes) = (clock() - start, PEAK.load(Ordering::Relaxed).saturating_sub(before));
        assert!(seconds < SECONDS, "{} took {seconds:.2} s", what());
        assert!(bytes < BYTES, "{} took {} MB", what(), bytes >> 20);
        self.cases += 1;
        self.reached += u64::from(reached);
        self.whole += u64::from(whole);
        self.seconds = self.seconds.max(seconds);
        self.bytes = self.bytes.max(bytes);
        if self.cases.is_multiple_of((of / 20).max(1)) {
            println!("{} of {of} {kind}", self.cases);
        }
    }

    fn tell(&self, kind: &str, reached: &str, whole: &str) {
        let Self { cases, reached: to_decoder, whole: all, seconds, bytes } = self;
        println!(
            "{cases} {kind}: {to_decoder} {reached}, {all} {whole}; at most {seconds:.3} s and {} KB each",
            bytes >> 10
        );
        assert!(self.reached * 2 >= self.cases, "most {kind} do not get as far as a decoder");
        assert!(self.whole > 0);
    }
}

/// Nothing that a terminal obeys, but for topo's own colours.
fn plain(text: &str) {
    let own = ["0", "1", "2", "31", "32", "33", "36"]
        .iter()
        .fold(text.to_owned(), |text, code| text.replace(&format!("\u{1b}[{code}m"), ""));
    let bad = own.chars().find(|c| c.is_control() && *c != '\n');
    assert!(bad.is_none(), "{bad:?} in {text:?}");
}

fn show(wanted: &State, observed: &State) {
    let back = plan::make(&State::empty(wanted.topology.clone()), observed);
    for plan in [plan::make(wanted, observed), back] {
        match plan {
            Ok(plan) => {
                plain(&render::plan::text(&plan));
                plain(&render::plan::summary(&plan));
                plain(&render::format::text(&render::json::report(&plan, None, None)));
                let commands = plan.steps.iter().flat_map(|step| topo::dialect::ip::commands(&step.operation));
                commands.for_each(|command| plain(&command));
            }
            Err(conflicts) => conflicts.iter().for_each(|conflict| {
                plain(&format!("{} {} {}", conflict.id, conflict.reason, conflict.help.as_deref().unwrap_or_default()))
            }),
        }
    }
    plain(&render::show::text(observed, None, &topo::resource::Counts::default()));
}

/// Everything that happens to a file; says whether the keys were looked at, and whether it was sound.
fn all_of(text: &str) -> (bool, bool) {
    /// What is found before anybody looks at the keys.
    const EARLY: [&str; 6] =
        ["yaml-syntax", "file-too-large", "too-deep", "empty-file", "recursive-alias", "too-many-values"];
    let source = Source { name: "hostile.yaml".to_owned(), text: text.into() };
    let look = render::finding::Look { color: false, unicode: true, width: 100 };
    let (findings, topology) = match document::parse(&source) {
        Err(findings) => (findings, None),
        Ok(document) => {
            let (topology, mut findings) = document::lower(&document, &source);
            findings.extend(check::run(&document, &topology));
            (findings, Some(topology))
        }
    };
    plain(&render::finding::findings(&source, &findings, look));
    let sound = findings.iter().all(|finding| finding.severity == Severity::Warning);
    let reached = !findings.iter().any(|finding| EARLY.contains(&finding.code));
    if let Some(topology) = topology.filter(|_| sound) {
        let mut machine = State::empty(topology.state.topology.clone());
        for namespace in topology.state.namespaces().filter(|namespace| namespace.node.is_host()) {
            machine.insert(
                topo::resource::Resource::Namespace(namespace.clone()),
                topo::resource::Owner::Theirs(topo::resource::Foreign::Machine),
            );
        }
        show(&topology.state, &machine);
    }
    (reached, sound)
}

/// Forwarding entries, rules in chains of iptables, and whatever else the other files do not have.
const RARE: &str = r#"
name: rare
host:
  interfaces:
    vx0: { vxlan: { id: 7, local: 192.0.2.1, fdb: [{ dst: 192.0.2.2 }, { mac: "02:00:00:00:00:02", dst: 192.0.2.3 }] }, addresses: [10.8.0.1/24] }
    br0: { bridge: { ports: [v1], stp: true, forward-delay: 4s }, addresses: [10.7.0.1/24] }
    up0: { existing: {}, mtu: 1300 }
  firewall:
    insert:
      - { chain: ip filter FORWARD, in: br0, accept: {} }
      - { chain: ip filter DOCKER-USER, in: br0, out: "!br0", protocol: tcp, port: [80, 443], accept: {}, if-present: true }
  nat: [{ dnat: { in: "!br0", protocol: tcp, port: 8080, to: "10.7.0.2:80" } }, { masquerade: { source: 10.7.0.0/24, out: "!br0" } }]
namespaces:
  RED:
    interfaces: { eth0: { veth: host/v1, addresses: [10.7.0.2/24, { address: "fd07::2/64", label: x }] } }
    routes: [{ to: default, nexthops: [{ via: 10.7.0.1, weight: 2 }, { via: 10.7.0.9, onlink: true, dev: eth0 }] }]
    rules: [{ priority: 100, from: 10.7.0.2, mark: 0x20/0xff, table: 100 }]
    firewall: { input: { policy: drop, rules: [{ nft: "tcp dport 22 accept" }, { protocol: icmpv6, accept: {} }] } }
checks:
  - { from: RED, ping: 10.7.0.1 }
"#;

/// All texts, and how many of them, at the beginning, are right.
fn corpus() -> (Vec<String>, usize) {
    let mut texts = vec![RARE.to_owned()];
    let mut good = 0;
    for folder in ["topologies", "tests/eyes", "tests/bad"] {
        good = if folder == "tests/bad" { texts.len() } else { 0 };
        let mut names: Vec<PathBuf> =
            std::fs::read_dir(sandbox::in_repository(folder)).unwrap().map(|entry| entry.unwrap().path()).collect();
        names.sort();
        for name in names.iter().filter(|name| name.extension().is_some_and(|extension| extension == "yaml")) {
            let text = std::fs::read_to_string(name).unwrap();
            texts.extend(if folder == "tests/eyes" {
                text.split("\n---\n").map(str::to_owned).collect()
            } else {
                vec![text]
            });
        }
    }
    (texts, good)
}

#[test]
fn files() {
    let (seed, many, (corpus, good)) = (seed(), many(1500), corpus());
    let mut tally = Tally::default();
    for text in &corpus {
        all_of(text);
    }
    for case in 0..many {
        let mut dice = Dice::new(seed, case);
        // Those that are wrong already stop early.
        let (good, bad) = (&corpus[..good], &corpus[good..]);
        let from = if dice.below(4) == 0 { bad } else { good };
        let text = mutation::text(&from[dice.below(from.len())], &corpus, &mut dice);
        tally.run("files", case, many, text.as_bytes(), || all_of(&text));
    }
    tally.tell("mutated files", "had their keys looked at", "were sound and planned");
}

/// What the machine has that answers are recorded of, beside a topology.
const MACHINE: &str = "
ip link add up0 type veth peer up1; ip link set up0 up mtu 1450; ip link set up1 up; ip address add 192.0.2.1/24 dev up0
ip link add name brx type bridge stp_state 1; ip link set up1 master brx; ip link set brx up; ip link property add dev up0 altname another
ip address add 192.0.2.7/24 dev up0; ip address add 192.0.9.1 peer 192.0.9.2 dev up0; ip route add 198.51.100.0/24 via 192.0.2.9 metric 7 mtu 1400
ip route add 203.0.113.0/24 nexthop via 192.0.2.9 weight 3 nexthop via 192.0.2.10; ip route add blackhole 172.30.0.0/16; ip -6 route add unreachable fd99::/64
ip rule add priority 77 from 198.51.100.0/24 fwmark 0x20/0xff ipproto tcp dport 80-90 table 7; ip neigh add 192.0.2.8 lladdr 02:00:00:00:00:08 dev up0 nud permanent
ip neigh add proxy 192.0.2.99 dev up0; nft add table ip mine; nft add chain ip mine forward '{ type filter hook forward priority 0; }'; nft add rule ip mine forward counter
iptables-nft -A FORWARD -i up0 -j ACCEPT
";

const TOPOLOGY: &str = r#"
name: fuzz
host:
  interfaces:
    br0: { bridge: { ports: [v1] }, addresses: [10.7.0.1/24, "fd07::1/64"] }
    mac0: { macvlan: { link: br0 } }
    up0: { existing: {}, mtu: 1300 }
  routes: [{ to: 10.9.0.0/16, via: 10.7.0.2 }]
  rules: [{ priority: 100, from: 10.9.0.0/16, table: 100 }]
  nat: [{ masquerade: { source: 10.7.0.0/24, out: "!br0" } }, { dnat: { in: "!br0", protocol: tcp, port: 8080, to: "10.7.0.2:80" } }]
  firewall: { insert: [{ chain: ip mine forward, in: br0, accept: {} }, { chain: ip filter FORWARD, in: br0, accept: {} }] }
namespaces:
  RED:
    interfaces:
      eth0: { veth: host/v1, addresses: [10.7.0.2/24, "fd07::2/64"] }
      vx0: { vxlan: { id: 7, local: 10.7.0.2, fdb: [{ dst: 10.7.0.1 }] }, addresses: [10.8.0.3/24] }
      br1: { bridge: { ports: [p0], stp: true } }
      p0: { veth: RED/p1 }
    routes: [{ to: default, via: 10.7.0.1 }, { to: 10.66.0.0/16, type: prohibit }]
    neighbors: [{ address: 10.7.0.9, mac: "02:00:00:00:00:09", dev: eth0 }]
    firewall: { input: { policy: drop, rules: [{ state: [established, related], accept: {} }, { protocol: icmpv6, accept: {} }] } }
"#;

/// All packets that answer a dump of the calling thread's namespace.
fn dump(protocol: isize, kind: u16, body: &[u8]) -> Vec<Vec<u8>> {
    let mut socket = Socket::new(protocol).unwrap();
    socket.bind_auto().unwrap();
    let mut message = u32::try_from(16 + body.len()).unwrap().to_ne_bytes().to_vec();
    message.extend(kind.to_ne_bytes());
    message.extend(0x301_u16.to_ne_bytes());
    message.extend([1, 0, 0, 0, 0, 0, 0, 0]);
    message.extend(body);
    socket.send_to(&message, &SocketAddr::new(0, 0), 0).unwrap();
    let mut packets = Vec::new();
    loop {
        let (packet, _) = socket.recv_from_full().unwrap();
        let ended = packet.get(4..6) == Some(&[3, 0])
            || packet.len() >= 20 && packet[packet.len() - 20..][..8] == [20, 0, 0, 0, 3, 0, 2, 0];
        packets.push(packet);
        if ended {
            return packets;
        }
    }
}

/// What the kernel and the programs say about a namespace.
fn recorded(name: Option<&str>) -> Replies {
    let enter = || {
        if let Some(name) = name {
            setns(std::fs::File::open(format!("/run/netns/{name}")).unwrap(), CloneFlags::CLONE_NEWNET).unwrap();
        }
        let route = [
            (18, vec![0; 16]),
            (22, vec![0; 8]),
            (26, vec![2; 12]),
            (26, vec![0; 12]),
            (34, vec![0; 12]),
            (30, vec![0; 12]),
        ];
        let bridge = [vec![7], vec![0; 11]].concat();
        let proxies = [vec![0; 10], vec![8, 0]].concat();
        let mut route: Vec<Vec<u8>> = route
            .iter()
            .flat_map(|(kind, body)| dump(0, *kind, &[&body[..1], &vec![0; body.len() - 1]].concat()))
            .collect();
        route.extend(dump(0, 30, &bridge).into_iter().chain(dump(0, 30, &proxies)));
        let netfilter = [1_u16, 4, 7].iter().flat_map(|kind| dump(12, 10 << 8 | kind, &[0; 4])).collect();
        let program = |args: &str| {
            sandbox::try_sh(&if let Some(name) = name {
                format!("ip netns exec {name} {args}")
            } else {
                args.to_owned()
            })
            .stdout
        };
        let chains = if name.is_none() {
            vec![program("nft -s -y -a list chain ip mine forward"), program("iptables-nft -S FORWARD")]
        } else {
            Vec::new()
        };
        Replies { route, netfilter, table: Some(program("nft -s -y list table inet topo-fuzz")), chains }
    };
    std::thread::scope(|scope| scope.spawn(enter).join().unwrap())
}

fn wanted() -> State {
    let source = Source { name: "fuzz.yaml".to_owned(), text: TOPOLOGY.into() };
    let document = document::parse(&source).unwrap_or_else(|findings| panic!("{findings:#?}"));
    document::lower(&document, &source).0.state
}

/// Reads a mutation of one of the answers, among all the others; says whether it came to a decoder, and whether it was
/// understood.
fn mutated(wanted: &State, node: &str, replies: &Replies, dice: &mut Dice, tally: &mut Tally, case: u64, of: u64) {
    let mut replies = replies.clone();
    let mut alone = Replies::default();
    let texts = replies.chains.len() + 1;
    let input = match dice.below(8) {
        0 => {
            let at = dice.below(texts);
            let text = if at == 0 { replies.table.as_mut().unwrap() } else { &mut replies.chains[at - 1] };
            *text = mutation::text(text, &[], dice);
            let text = text.clone();
            if at == 0 {
                alone.table = Some(text.clone())
            } else {
                alone.chains.push(text.clone())
            }
            text.into_bytes()
        }
        1 => {
            let at = dice.below(replies.netfilter.len());
            mutation::packet(&mut replies.netfilter[at], dice);
            alone.netfilter.push(replies.netfilter[at].clone());
            replies.netfilter[at].clone()
        }
        _ => {
            let at = dice.below(replies.route.len());
            mutation::packet(&mut replies.route[at], dice);
            alone.route.push(replies.route[at].clone());
            replies.route[at].clone()
        }
    };
    let node_name = Node::from(node);
    tally.run("replies", case, of, &input, || {
        let read = replies::read(wanted, &node_name, !node_name.is_host(), &replies);
        show(wanted, &read.state);
        let alone = replies::read(wanted, &node_name, !node_name.is_host(), &alone);
        (alone.tried > 0, alone.understood > 0)
    });
}

#[test]
fn answers() {
    let many = many(1500);
    sandbox::run_within("answers", Duration::from_secs(if many > 1500 { 4 * 3600 } else { 300 }), || {
        sandbox::sh(MACHINE);
        let file = sandbox::write("fuzz.yaml", TOPOLOGY);
        sandbox::topo(&["apply", "--yes", "--quiet", &file]).expect(0);
        let (seed, wanted) = (seed(), wanted());
        let nodes = [("host", recorded(None)), ("RED", recorded(Some("RED")))];
        for (node, replies) in &nodes {
            let node = Node::from(*node);
            let read = replies::read(&wanted, &node, !node.is_host(), replies);
            println!(
                "{node}: {} messages and lines, {} understood, {} resources",
                read.tried,
                read.understood,
                read.state.items.len()
            );
            let missing: Vec<String> = wanted
                .resources()
                .filter(|it| it.id().node() == &node && read.state.get(&it.id()).is_none())
                .map(|it| it.id().to_string())
                .collect();
            // Settings and files are read otherwise.
            assert!(missing.iter().all(|id| id.contains("net/")), "not read: {missing:?}");
        }
        let mut tally = Tally::default();
        for case in 0..many {
            let mut dice = Dice::new(seed, case);
            let (node, replies) = &nodes[dice.below(2)];
            mutated(&wanted, node, replies, &mut dice, &mut tally, case, many);
        }
        tally.tell("mutated replies", "came to a decoder", "were understood");
    });
}

/// Changes what the program receives, its messages in their places.
fn inside(bytes: &mut [u8], seed: u64) {
    let mut dice = Dice::new(seed, 0);
    for _ in 0..=dice.below(3) {
        mutation::inside(bytes, &mut dice);
    }
}

#[test]
fn answers_to_the_program() {
    let many = many(60);
    sandbox::run_within("answers_to_the_program", Duration::from_secs(if many > 60 { 4 * 3600 } else { 200 }), || {
        sandbox::sh(MACHINE);
        let file = sandbox::write("fuzz.yaml", TOPOLOGY);
        sandbox::topo(&["apply", "--yes", "--quiet", &file]).expect(0);
        let seed = seed();
        let commands: [&[&str]; 4] = [&["plan", &file], &["list"], &["show", "fuzz"], &["plan", "--destroy", &file]];
        let counts = commands.map(|args| tracer::run(sandbox::topo_path(), args, None).answers);
        // A long run of the others is a short one of this: each is a process.
        let many = many.min(5000);
        let (mut hit, mut refused) = (0, 0);
        for case in 0..many {
            let mut dice = Dice::new(seed, case);
            let which = dice.below(commands.len());
            let (args, answer) = (commands[which], 1 + dice.below(counts[which]));
            let start = std::time::Instant::now();
            let reply = Reply::Mutated(inside, seed ^ case);
            let run = tracer::run(
                sandbox::topo_path(),
                args,
                Some(Moment { request: answer, after: true, what: What::Receive(reply) }),
            );
            let what = format!("case {case}, {args:?}, answer {answer} changed: exit {}\n{}", run.code, run.stderr);
            assert!(matches!(run.code, 0..=2 | 77) && !run.stderr.contains("panicked"), "{what}");
            // An answer whose end is gone is waited for; everything else comes at once.
            assert!(start.elapsed() < Duration::from_secs(10) || run.stderr.contains("did not answer"), "{what}");
            plain(&run.stderr);
            hit += usize::from(run.hit.is_some());
            refused += usize::from(run.code != 0);
            if (case + 1).is_multiple_of((many / 20).max(1)) {
                println!("{} of {many} answers to the program", case + 1);
            }
        }
        println!("{many} runs, {hit} with a changed answer, {refused} of them refused it");
        assert!(hit * 2 > usize::try_from(many).unwrap());
        sandbox::topo(&["plan", "--detailed-exitcode", &file]).expect(0);
    });
}
