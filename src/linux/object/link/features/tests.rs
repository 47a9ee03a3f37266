//! Messages about features, written and read.

use super::*;

/// A set of bits as the kernel writes one: with a mask all are listed and some have a value, without one only those
/// that are on.
fn set(kind: u16, bits: &[(&str, bool)], masked: bool, body: &mut Writer) {
    body.nest(kind, |set| {
        if !masked {
            set.put(NO_MASK, &[]);
        }
        set.nest(BITS, |list| {
            for (name, on) in bits.iter().filter(|(_, on)| masked || *on) {
                list.nest(BIT, |bit| {
                    bit.u32(1, 7).text(BIT_NAME, name);
                    if masked && *on {
                        bit.put(BIT_VALUE, &[]);
                    }
                });
            }
        });
    });
}

fn answer() -> Answer {
    let mut body = Writer::new(&[GET, VERSION, 0, 0]);
    body.nest(HEADER, |header| _ = header.u32(DEV_INDEX, 2));
    let can = [
        ("tx-checksum-ip-generic", true),
        ("tx-checksum-ipv4", false),
        ("tx-checksum-sctp", true),
        ("tx-tcp-segmentation", true),
    ];
    let more = [("tx-tcp6-segmentation", true), ("rx-gro", true), ("rx-gro-list", true), ("loopback", true)];
    set(HARDWARE, &[can.as_slice(), &more].concat(), true, &mut body);
    set(
        WANTED,
        &[
            ("tx-checksum-ip-generic", true),
            ("tx-checksum-sctp", true),
            ("tx-tcp6-segmentation", true),
            ("rx-gro-list", true),
        ],
        false,
        &mut body,
    );
    set(ACTIVE, &[("rx-checksum", true), ("tx-checksum-sctp", true)], false, &mut body);
    set(NO_CHANGE, &[("loopback", true)], false, &mut body);
    Answer::new(body.bytes().to_vec())
}

#[test]
fn what_a_device_does_is_read_by_the_languages_names() {
    let features = parse(&answer());
    assert!(
        features.changeable.contains("rx-gro")
            && !features.changeable.contains("loopback")
            && !features.changeable.contains("tx-checksum-ipv4")
    );
    let values: Vec<(&str, String)> =
        ALL.iter().map(|offload| (offload.name, features.value(offload).to_string())).collect();
    // All that can change; fixed, and as it is; some; none that can change or is on; off, whatever another one of a
    // similar name is.
    let expected = [
        ("tx-checksum", "true"),
        ("rx-checksum", "true"),
        ("tso", "tx-tcp6-segmentation"),
        ("gso", "false"),
        ("gro", "false"),
    ];
    assert_eq!(values, expected.map(|(name, value)| (name, value.to_owned())));
}

#[test]
fn only_what_a_device_can_change_is_written() {
    let features = parse(&answer());
    let options = |list: &[(&'static str, Value)]| {
        list.iter().map(|(name, value)| ((*name).into(), value.clone())).collect::<Options>()
    };
    let off = options(&[
        ("tx-checksum", Value::Bool(false)),
        ("tso", Value::word("tx-tcp-segmentation")),
        ("rx-checksum", Value::Bool(true)),
    ]);
    let changes = features.changes(&off).unwrap();
    let expected = [
        ("tx-tcp-segmentation", true),
        ("tx-tcp6-segmentation", false),
        ("tx-checksum-ip-generic", false),
        ("tx-checksum-sctp", false),
    ];
    assert_eq!(changes, expected);
    assert_eq!(
        features.changes(&options(&[("rx-checksum", Value::Bool(false))])),
        Err(("rx-checksum", &Value::Bool(false)))
    );
    assert_eq!(
        features.missing(&options(&[("gro", Value::Bool(false)), ("tso", Value::Bool(true))])),
        Some(("tso", &Value::Bool(true)))
    );
    // What is written can be read as the kernel reads it: those with a value are on.
    let mut body = Writer::new(&[SET, VERSION, 0, 0]);
    write_changes(2, &changes, &mut body);
    let written = Answer::new(body.bytes().to_vec());
    assert_eq!(on(written.attributes().inner(WANTED)), BTreeSet::from(["tx-tcp-segmentation".to_owned()]));
    assert_eq!(written.attributes().inner(WANTED).inner(BITS).count(), 4);
    assert_eq!(
        (written.attributes().inner(HEADER).u32(DEV_INDEX), written.attributes().inner(HEADER).u32(FLAGS)),
        (Some(2), Some(OMIT_REPLY))
    );
}

#[test]
fn every_truncation_is_survived() {
    let whole = answer();
    for cut in 0..whole.bytes().len() {
        let features = parse(&Answer::new(whole.bytes()[..cut].to_vec()));
        let _ = features.changes(&Options::from([("tso".into(), Value::Bool(false))]));
        let _: Vec<Value> = ALL.iter().map(|offload| features.value(offload)).collect();
    }
}
