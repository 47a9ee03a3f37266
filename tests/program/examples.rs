//! The demo, the recipe for CI, and the two commands of the README, as a person runs them.

#![allow(clippy::disallowed_methods, reason = "a test makes processes")]

use crate::sandbox;

use sandbox::{assert_snapshot, in_repository, sh, snapshot, topo_path, try_sh};

#[test]
fn demo() {
    sandbox::run("demo", || {
        let told = try_sh(&format!("TOPO={} sh {}", topo_path(), in_repository("examples/demo.sh"))).expect(0);
        for words in ["0 received", "0% packet loss", "you are 203.0.113.1", "sysctls are what they were"] {
            assert!(told.stdout.contains(words), "{words:?} is not in\n{}", told.stdout);
        }
    });
}

/// Without root, where the kernel has user namespaces.
#[test]
fn demo_without_root() {
    sandbox::run("demo_without_root", || {
        sh("sysctl -qw kernel.unprivileged_userns_clone=1 2>/dev/null || true");
        // A copy that everybody may read: the repository may be in a folder that is root's alone.
        let copy = "/mnt/copy";
        sh(&format!(
            "mount -t tmpfs -o mode=755 copy /mnt; mkdir -p {copy}/examples {copy}/topologies; cp {} {copy}/topo; cp {} {copy}/examples/; cp {} {copy}/topologies/; chmod -R a+rX {copy}",
            topo_path(),
            in_repository("examples/demo.sh"),
            in_repository("topologies/nat.yaml"),
        ));
        let told = try_sh(&format!(
            "cd /; TOPO={copy}/topo setpriv --reuid=65534 --regid=65534 --clear-groups sh {copy}/examples/demo.sh"
        ));
        assert!(told.code == 0, "exit {}\n{}{}", told.code, told.stdout, told.stderr);
    });
}

#[test]
fn installed_and_taken_away() {
    sandbox::run("installed_and_taken_away", || {
        let make = |what: &str| {
            sh(&format!(
                "make -s -C {} {what} BUILT={} DESTDIR=/run/lock/root PREFIX=/opt",
                in_repository(""),
                topo_path()
            ));
            sh("cd /run/lock/root && find . -type f | sort")
        };
        let there = make("install");
        for file in [
            "./opt/bin/topo",
            "man1/topo.1",
            "man1/topo-plan.1",
            "bash-completion/completions/topo",
            "zsh/site-functions/_topo",
            "topo.fish",
        ] {
            assert!(there.contains(file), "{file} is not in\n{there}");
        }
        assert!(sh("/run/lock/root/opt/bin/topo --version").starts_with("topo "));
        sh("bash -n /run/lock/root/opt/share/bash-completion/completions/topo");
        assert_eq!(make("uninstall"), "");
    });
}

#[test]
fn recipe_for_ci() {
    sandbox::run("recipe_for_ci", || {
        let before = snapshot();
        let recipe = format!("{} {}", in_repository("examples/ci.sh"), in_repository("topologies/two-namespaces.yaml"));
        let ok = try_sh(&format!("sh {recipe} topo exec RED -- ping -q -c 1 -W 2 10.1.0.2")).expect(0);
        assert!(ok.stdout.contains("1 received"), "{}", ok.stdout);
        assert_snapshot(&before);
        // The job's status comes through.
        try_sh(&format!("sh {recipe} sh -c 'exit 3'")).expect(3);
        assert_snapshot(&before);
        // A job that is stopped leaves nothing.
        for (signal, code) in [("TERM", 143), ("INT", 130), ("HUP", 129)] {
            let script = format!(
                "rm -f /run/lock/started; env --default-signal=INT sh {recipe} sh -c 'touch /run/lock/started; exec sleep 60' & job=$!
                 for i in $(seq 100); do [ -e /run/lock/started ] && break; sleep 0.05; done
                 ip netns list | grep -q RED || exit 9; kill -s {signal} $job; wait $job"
            );
            try_sh(&script).expect(code);
            assert_snapshot(&before);
        }
        // A topology with an error stops before anything is done.
        sh(
            "printf 'name: x\\nnamespaces: { RED: { interfaces: { eth0: { veth: NOBODY/eth0 } } } }\\n' >/run/lock/bad.yaml",
        );
        try_sh(&format!("sh {} /run/lock/bad.yaml true", in_repository("examples/ci.sh"))).expect(65);
        assert_snapshot(&before);
    });
}
