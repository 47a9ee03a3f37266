//! Namespaces that a destroy takes with all that is in them: nobody reads that, and where the destroy fails they have
//! their names back, the same as they were.

use crate::sandbox;

use sandbox::{assert_snapshot, quiet, sh, topo, topo_path, try_sh, write};

/// A pair of namespaces with no way out, and one with nothing but itself.
const APART: &str = "
name: apart
namespaces:
  A: { interfaces: { e0: { veth: B/e0, addresses: [10.0.0.1/24] } } }
  B: { interfaces: { e0: { addresses: [10.0.0.2/24] } }, routes: [{ to: 10.9.0.0/16, via: 10.0.0.1 }] }
  Z: { interfaces: { lo: { addresses: [10.255.0.9/32] } } }
";

/// Which namespaces of [`APART`] a destroy took without a look at what was in them: their number, and how many
/// resources went unread within them (two in A, three in B, one in Z), say which.
fn taken_whole(stdout: &str) -> Vec<&'static str> {
    let said = |line: &&str| line.contains("with all that is in it.") || line.contains("with all that is in them.");
    let first = |line: &str| line.split_whitespace().next().unwrap().parse::<usize>().unwrap();
    let whole = stdout.lines().find(said).map_or(0, first);
    let within = stdout.lines().find_map(|line| line.trim().strip_prefix("within them"));
    let within = within.map_or(0, |row| row.split_whitespace().last().unwrap().parse::<usize>().unwrap());
    match (whole, within) {
        (0, 0) => vec![],
        (1, 1) => vec!["Z"],
        (2, 5) => vec!["A", "B"],
        (3, 6) => vec!["A", "B", "Z"],
        other => panic!("{other:?}: {stdout}"),
    }
}

/// The namespaces by their inodes.
fn inodes() -> String {
    sh("cd /run/netns; stat -c '%n %i' *")
}

#[test]
fn they_come_back_as_they_were() {
    sandbox::run("they_come_back_as_they_were", || {
        let machine = quiet(&sandbox::Options::default());
        let file = write("apart.yaml", APART);
        topo(&["apply", "--yes", &file]).expect(0);
        // A hand has been at it, somebody lives there, and the name of one of them is mounted twice: it cannot go.
        sh(
            "ip -n B address add 10.1.0.1/24 dev e0; ip netns exec B sleep 60 >/dev/null 2>&1 & sleep 0.2; mount --bind /run/netns/A /run/netns/A",
        );
        let (before, sleeper) = (inodes(), sh("ip netns pids B"));
        assert!(!sleeper.trim().is_empty());
        topo(&["destroy", "--yes", &file]).expect(1).says("ip netns delete A");
        assert_eq!(inodes(), before);
        assert_eq!(sh("ip netns pids B"), sleeper);
        assert!(sh("ip -n B address show dev e0").contains("10.1.0.1/24"));
        sh("ip netns exec B ping -c1 -W2 10.0.0.1");
        assert!(sh("ip netns exec B ip route").contains("10.9.0.0/16 via 10.0.0.1"));
        // Who looks on from a mount namespace of its own sees a name go that was given back.
        let seen = |name: &str| {
            sh(&format!("grep -c /run/netns/{name} /proc/{}/mountinfo || true", sleeper.trim())).trim().to_owned()
        };
        assert_eq!((seen("Z"), seen("B")), ("1".to_owned(), "1".to_owned()));
        sh("umount -l /run/netns/Z");
        assert_eq!(seen("Z"), "0");
        sh("rm /run/netns/Z");
        topo(&["apply", "--yes", &file]).expect(0);
        sh("ip -n B address add 10.1.0.1/24 dev e0");
        // What is planned shows all that is in them.
        topo(&["plan", "--destroy", &file]).expect(0).says("address 10.1.0.1/24 on e0");
        let destroyed = topo(&["destroy", "--yes", &file]).expect(0);
        assert_eq!(taken_whole(&destroyed.stdout), ["A", "B", "Z"], "{}", destroyed.stdout);
        assert!(destroyed.stdout.contains("0 added, 0 changed, 9 destroyed"), "{}", destroyed.stdout);
        assert!(destroyed.stderr.contains("still lives in namespace B"), "{}", destroyed.stderr);
        sh(&format!("kill {}", sleeper.trim()));
        assert_snapshot(&machine);
    });
}

/// What somebody else has a part in is read, so that nothing of theirs is lost unseen; what has no pair with it is not.
#[test]
fn what_others_have_a_part_in_is_read() {
    sandbox::run("what_others_have_a_part_in_is_read", || {
        let file = write("apart.yaml", APART);
        let guest = write(
            "guest.yaml",
            "name: guest\nnamespaces: { A: { existing: { netns: A }, interfaces: { lo: { addresses: [10.254.0.1/32] } } } }\n",
        );
        let hands: [(&str, &[&str]); 5] = [
            ("ip netns add other; ip -n A link add x type veth peer name x netns other", &["Z"]),
            ("ip -n B link add x type veth peer name x netns 1", &["Z"]),
            ("ip -n Z tuntap add t0 mode tun", &["A", "B"]),
            // Two are destroyed at once here, and so nothing is held.
            (&format!("{} apply --yes {guest}", topo_path()), &[]),
            ("true", &["A", "B", "Z"]),
        ];
        for (hand, whole) in hands {
            let before = quiet(&sandbox::Options::default());
            topo(&["apply", "--yes", &file]).expect(0);
            sh(&hand.replace("netns 1", &format!("netns {}", std::process::id())));
            let with = if hand.contains("guest") { vec![guest.as_str()] } else { Vec::new() };
            let destroyed = topo(&[&["destroy", "--yes", &file][..], &with].concat()).expect(0);
            assert_eq!(taken_whole(&destroyed.stdout), whole, "{hand}\n{}", destroyed.stdout);
            try_sh("ip netns delete other");
            assert_snapshot(&before);
        }
    });
}

/// Where a process may not have enough files open, all of them are read.
#[test]
fn more_than_may_be_open() {
    sandbox::run("more_than_may_be_open", || {
        let before = quiet(&sandbox::Options::default());
        let names: Vec<String> = (0..40).map(|at| format!("n{at}")).collect();
        let file = write(
            "many.yaml",
            &format!(
                "name: many\nnamespaces: {{ {} }}\n",
                names
                    .iter()
                    .map(|name| format!("{name}: {{ interfaces: {{ lo: {{ addresses: [10.0.0.1/32] }} }} }}"))
                    .collect::<Vec<_>>()
                    .join(", ")
            ),
        );
        for (limit, whole) in [(160, 0), (400, 40)] {
            topo(&["apply", "--yes", &file]).expect(0);
            let destroyed = sh(&format!("ulimit -n {limit}; {} destroy --yes {file}", topo_path()));
            assert!(destroyed.contains("80 to destroy"), "{destroyed}");
            assert_eq!(destroyed.contains("within them"), whole == 40, "{limit}\n{destroyed}");
            assert_eq!(
                destroyed.contains("40 namespaces go with all that is in them."),
                whole == 40,
                "{limit}\n{destroyed}"
            );
        }
        assert_snapshot(&before);
    });
}
