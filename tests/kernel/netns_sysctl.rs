//! Settings of a namespace, on the real kernel.

use crate::sandbox;

use sandbox::sh;
use topo::linux::netns;
use topo::linux::netns::sysctl;
use topo::linux::netns::{Place, run_one};
use topo::resource::NetnsRef;

#[test]
fn settings_belong_to_the_namespace_of_the_thread() {
    sandbox::run("settings_belong_to_the_namespace_of_the_thread", || {
        run_one(Place::Anywhere, || netns::create("RED", || Ok(()))).unwrap().unwrap();
        let red = || Place::At(NetnsRef::Name("RED".into()));
        run_one(red(), || sysctl::write("net/ipv4/ip_forward", "1")).unwrap().unwrap();
        assert_eq!(run_one(red(), || sysctl::read("net/ipv4/ip_forward")).unwrap().unwrap(), "1");
        assert_eq!(sysctl::read("net/ipv4/ip_forward").unwrap(), "0");
        assert_eq!(sh("ip netns exec RED sysctl -n net.ipv4.ip_forward; sysctl -n net.ipv4.ip_forward"), "1\n0\n");
        sh("ip -n RED link add eth0.7 type veth peer name x");
        run_one(red(), || sysctl::write("net/ipv4/conf/eth0.7/rp_filter", "2")).unwrap().unwrap();
        assert_eq!(sh("ip netns exec RED cat /proc/sys/net/ipv4/conf/eth0.7/rp_filter"), "2\n");
        let gone = run_one(red(), || sysctl::read("net/ipv4/conf/none/rp_filter")).unwrap().unwrap_err();
        assert_eq!(gone.errno, Some(2));
    });
}

#[test]
fn what_the_kernel_keeps_is_what_was_written_or_an_error() {
    sandbox::run("what_the_kernel_keeps_is_what_was_written_or_an_error", || {
        for (key, value) in [
            ("net/ipv4/ip_local_port_range", "20000 30000"),
            ("net/ipv4/ip_local_port_range", "20001\t  30001"),
            ("net/ipv4/ip_local_reserved_ports", "80,22,8000-8010"),
            ("net/ipv4/ip_local_reserved_ports", ""),
            ("net/ipv4/tcp_congestion_control", "reno"),
            ("net/ipv4/tcp_rmem", "4096 131072 6291456"),
            ("net/ipv4/ping_group_range", "0 0"),
            ("net/ipv6/conf/all/forwarding", "1"),
            ("net/ipv6/conf/lo/disable_ipv6", "1"),
            ("net/ipv4/conf/all/rp_filter", "1"),
        ] {
            sysctl::write(key, value).unwrap_or_else(|error| panic!("{error}"));
        }
        // In hex it is the same number.
        sysctl::write("net/ipv4/ip_forward", "0x1").unwrap();
        // A range that ends before it begins is kept as one of nobody (`ipv4_ping_group_range`).
        let error = sysctl::write("net/ipv4/ping_group_range", "5 3").unwrap_err();
        assert!(error.reason.contains("\"1 0\"") && error.reason.contains("\"5 3\""), "{error}");
        for (key, value) in [
            ("net/ipv4/ip_forward", "many"),
            ("net/ipv4/tcp_congestion_control", "no-such"),
            ("net/ipv4/no_such", "1"),
            ("net/ipv4/route/flush", "1"),
            ("kernel/hostname", "x"),
        ] {
            assert!(sysctl::write(key, value).is_err(), "{key}={value}");
        }
    });
}

#[test]
fn a_full_run_leaves_the_record_and_the_files_as_they_were() {
    use topo::linux::object::file::Files;
    use topo::linux::store::record::Records;
    use topo::resource::{File, FileName, Node, Record, Resource, Sysctl};
    sandbox::run("a_full_run_leaves_the_record_and_the_files_as_they_were", || {
        sh("mkdir /run/small; mount -t tmpfs -o size=64k,mode=700 small /run/small; mkdir -m 700 /run/small/topo");
        let (records, files, lab) = (Records::at("/run/small/topo"), Files::at("/run/small/netns"), "lab".into());
        let small = Record { host_cookie: 1, ..Record::default() };
        records.save(&lab, &small).unwrap();
        let file = |text: &str| File {
            node: "RED".into(),
            name: FileName::Hosts,
            content: format!("{}\n{text}\n", File::mark(&lab)),
        };
        files.write(&file("10.0.0.1 a"), &lab).unwrap();
        let prior = (0..2000)
            .map(|n| Resource::Sysctl(Sysctl::new(Node::host(), format!("net/ipv4/conf/eth{n}/rp_filter"), "1")))
            .collect();
        let error = records.save(&lab, &Record { prior, ..Record::default() }).unwrap_err();
        assert_eq!(error.errno, Some(28), "{error}");
        assert_eq!(records.load(&lab).unwrap().record, Some(small));
        let error = files.write(&file(&"x".repeat(100_000)), &lab).unwrap_err();
        assert_eq!(error.errno, Some(28), "{error}");
        assert_eq!(files.observe(&"RED".into(), FileName::Hosts, &lab).unwrap().unwrap().0, file("10.0.0.1 a"));
        assert_eq!(
            sh("cd /run/small; find . -type f | sort"),
            "./netns/RED/hosts\n./topo/lab/record.json\n",
            "nothing half-written stays"
        );
        records.remove(&lab).unwrap();
        files.remove(&file("10.0.0.1 a"), &lab).unwrap();
        assert_eq!(sh("find /run/small -mindepth 1"), "");
    });
}
