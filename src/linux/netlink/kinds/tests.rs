//! The attributes of kinds, read and written by another program: netlink-packet-route has the same names and values for
//! what we write, and we read what it writes.
//!
//! What differs: it knows none of a tun's attributes, and not the flags of a GRE tunnel over IPv6 (`IFLA_GRE_FLAGS`).
//! Both come back as they went.

use super::bridge;
use super::codec::{Codec, Form};
use super::table::{of, read_all, write_all};
use crate::linux::netlink::attributes::{Attributes, Writer};
use crate::linux::netlink::link::{INFO_DATA, INFO_KIND, INFO_SLAVE_DATA, INFO_SLAVE_KIND, LINKINFO, NEW, head};
use crate::resource::{Kind, Mac, Options, Value, kinds};
use netlink_packet_core::{NetlinkDeserializable, NetlinkHeader, NetlinkSerializable};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{LinkAttribute, LinkInfo};
use proptest::prelude::*;

/// Their names for what has another one in the language.
const NAMES: [(&str, &str); 14] = [
    ("stp", "StpState"),
    ("group-forward-mask", "GroupFwdMask"),
    ("group-address", "GroupAddr"),
    ("reorder-header", "ReorderHdr"),
    ("transmit-hash-policy", "XmitHashPolicy"),
    ("encapsulation-limit", "EncapLimit"),
    ("source-port-low", "PortRange"),
    ("flag", "Flags"),
    // `IFLA_VXLAN_GROUP`: a remote end, or a group of them.
    ("remote", "Group"),
    ("pmtu-discovery", "PMtuDisc"),
    ("pmtu-discovery", "PathMTUDiscovery"),
    // `IFLA_BRPORT_PROTECT`: a port that must not become the root's.
    ("root-block", "Protect"),
    ("neighbor-suppress", "NeighSupress"),
    ("lacp-rate", "AdLacpRate"),
];

/// What they say otherwise than by the value: by a word for a number, or by bits.
const IN_OTHER_WORDS: [&str; 4] = ["stp", "multicast-router", "group-address", "flag"];

/// Letters and digits alone.
fn plain(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect()
}

/// A value that the form can have, by a number.
fn some(form: Form, number: u64) -> Value {
    let [a, b, c, d, e, f, ..] = number.to_le_bytes();
    let word = |words: &[(&str, u32)]| Value::word(words[usize::from(a) % words.len()].0);
    match form {
        Form::Bool | Form::Bool32 | Form::BoolBit(_) | Form::Flag(_) => Value::Bool(a & 1 == 1),
        Form::OrInherit(_) if b & 1 == 1 => Value::word("inherit"),
        Form::EncapLimit(_) | Form::GreKey | Form::Id if b & 1 == 1 => Value::Unset,
        Form::U8 | Form::OrInherit(_) | Form::EncapLimit(_) => Value::Number(a.into()),
        Form::U16 | Form::Be16 | Form::RangeBe16(_) => Value::Number(u16::from_le_bytes([a, b]).into()),
        Form::U32 | Form::Id | Form::Link | Form::GreKey => Value::Number(u32::from_le_bytes([a, b, c, d]).into()),
        Form::Centis32 => Value::Centis(u32::from_le_bytes([a, b, c, d]).into()),
        Form::Centis64 => Value::Centis(number),
        Form::Millis32 => Value::Millis(u32::from_le_bytes([a, b, c, d]).into()),
        Form::Mac => Value::Mac(Mac([a, b, c, d, e, f])),
        Form::Ip(_) if a & 1 == 1 => Value::Ip([0xfd, b, c, d, e, f, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1].into()),
        Form::Ip(_) => Value::Ip([10, b, c, d].into()),
        Form::Word8(words) | Form::Word16(words) | Form::WordBe16(words) | Form::Word32(words) => word(words),
    }
}

/// A table of attributes, the kind whose it is, and the numbers under which kind and attributes stand.
struct Subject {
    name: &'static str,
    codecs: &'static [Codec],
    numbers: (u16, u16),
}

fn subjects() -> Vec<Subject> {
    let kinds = kinds::ALL.iter().filter(|spec| !of(&spec.kind).is_empty());
    let kinds = kinds.map(|spec| Subject { name: spec.name, codecs: of(&spec.kind), numbers: (INFO_KIND, INFO_DATA) });
    let port = Subject { name: "bridge", codecs: bridge::PORT, numbers: (INFO_SLAVE_KIND, INFO_SLAVE_DATA) };
    kinds.chain([port]).collect()
}

impl Subject {
    fn message(&self, options: &Options) -> Writer {
        let (kind, data) = self.numbers;
        let mut body = Writer::new(&head(0, None));
        body.nest(LINKINFO, |info| {
            info.text(kind, self.name).nest(data, |data| write_all(self.codecs, options, options, data));
        });
        body
    }

    /// What they read of it, in words, and what they make of that again.
    fn theirs(&self, options: &Options) -> (String, Vec<u8>) {
        let mut header = NetlinkHeader::default();
        header.message_type = NEW;
        let read = RouteNetlinkMessage::deserialize(&header, self.message(options).bytes());
        let read = read.unwrap_or_else(|error| panic!("{}: {error:?}", self.name));
        let mut bytes = vec![0; read.buffer_len()];
        read.serialize(&mut bytes);
        let RouteNetlinkMessage::NewLink(link) = read else { unreachable!() };
        let of_info = |attribute| if let LinkAttribute::LinkInfo(info) = attribute { Some(info) } else { None };
        let info = link.attributes.into_iter().find_map(of_info).unwrap();
        let data = info.into_iter().find(|one| matches!(one, LinkInfo::Data(_) | LinkInfo::PortData(_)));
        (format!("{:?}", data.unwrap()), bytes)
    }

    fn read(&self, message: &[u8]) -> Options {
        read_all(self.codecs, Attributes::after(message, head(0, None).len()).inner(LINKINFO).inner(self.numbers.1))
    }

    /// A value by a number; the ends of tunnels in the family of the tunnel.
    fn some(&self, form: Form, number: u64) -> Value {
        let six = self.name.starts_with("ip6");
        match form {
            Form::Ip(_) if self.name != "vxlan" && self.name != "geneve" => {
                some(form, if six { number | 1 } else { number & !1 })
            }
            _ => some(form, number),
        }
    }
}

#[test]
fn they_have_the_same_names_and_values() {
    let mut differ = Vec::new();
    for subject in subjects().into_iter().filter(|subject| subject.name != Kind::Tun.name()) {
        // The high end of a range is written beside the low one.
        for Codec(name, _, form) in subject.codecs.iter().filter(|codec| codec.0 != "source-port-high") {
            for number in [0x0102_0304_0506_0001, 0x0102_0304_0506_0002] {
                let value = subject.some(*form, number);
                let text = subject.theirs(&[((*name).into(), value.clone())].into()).0;
                let theirs = NAMES.iter().filter(|(ours, _)| ours == name).map(|(_, theirs)| *theirs);
                let named = theirs.chain([*name]).any(|theirs| plain(&text).contains(&plain(theirs)));
                let bit = matches!(form, Form::BoolBit(_) | Form::Flag(_));
                let said = match &value {
                    Value::Bool(_) if bit => String::new(),
                    Value::Bool(on) => on.to_string(),
                    Value::Number(number) | Value::Centis(number) | Value::Millis(number) => number.to_string(),
                    Value::Ip(ip) => plain(&ip.to_string()),
                    Value::Word(word) => plain(word),
                    _ => String::new(),
                };
                let values = IN_OTHER_WORDS.contains(name) || plain(&text).contains(&said);
                if !named || !values {
                    differ.push(format!("{} {name}: {value:?} is {text}", subject.name));
                }
            }
        }
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_values_come_back_as_they_went(numbers in proptest::collection::vec(any::<u64>(), 40)) {
        for subject in subjects() {
            let all = subject.codecs.iter().zip(&numbers);
            let options: Options =
                all.map(|(Codec(name, _, form), number)| ((*name).into(), some(*form, *number))).collect();
            assert_eq!(subject.read(subject.message(&options).bytes()), options, "{}", subject.name);
        }
    }

    #[test]
    fn what_they_write_is_read(numbers in proptest::collection::vec(any::<u64>(), 40)) {
        for subject in subjects() {
            let all = subject.codecs.iter().zip(&numbers);
            let options: Options =
                all.map(|(Codec(name, _, form), number)| ((*name).into(), subject.some(*form, *number))).collect();
            let ours = subject.read(subject.message(&options).bytes());
            assert_eq!(subject.read(&subject.theirs(&options).1), ours, "{}", subject.name);
        }
    }
}
