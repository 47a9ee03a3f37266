//! The kernel's numbers and encodings of the attributes that [`crate::resource::kinds`] names, used for both directions.

use super::attributes::{Attributes, Writer, ip, u16_at, u32_at, u64_at};
use crate::resource::{Kind, Mac, Options, Value};

/// How a value stands in its attribute.
#[derive(Clone, Copy)]
enum Form {
    /// On or off in 8 bits.
    Bool,
    /// On or off in 32 bits.
    Bool32,
    /// A bit of a `br_boolopt_multi`: which.
    BoolBit(u32),
    /// A number of 8 bits.
    U8,
    /// A number of 16 bits.
    U16,
    /// A number of 16 bits in network order.
    Be16,
    /// A number of 32 bits.
    U32,
    /// Hundredths of a second in 32 bits.
    Centis32,
    /// Hundredths of a second in 64 bits.
    Centis64,
    /// A hardware address.
    Mac,
    /// An IPv4 address, or under this other number an IPv6 one. Not there is not set.
    Ip(u16),
    /// A word for a number of 8 bits.
    Word8(&'static [(&'static str, u32)]),
    /// A word for a number of 32 bits.
    Word32(&'static [(&'static str, u32)]),
    /// The first (0) or second (2) number of a range of ports, both in network order.
    RangeBe16(usize),
    /// A number of 8 bits, or the word `inherit`, which is a flag under this other number.
    OrInherit(u16),
}

/// One attribute: its name, the kernel's number for it, and how its value stands in it.
struct Codec(&'static str, u16, Form);

/// `IFLA_BR_*` of `include/uapi/linux/if_link.h`.
const BRIDGE: &[Codec] = &[
    Codec("forward-delay", 1, Form::Centis32),
    Codec("hello-time", 2, Form::Centis32),
    Codec("max-age", 3, Form::Centis32),
    Codec("ageing-time", 4, Form::Centis32),
    Codec("stp", 5, Form::Bool32),
    Codec("priority", 6, Form::U16),
    Codec("group-forward-mask", 9, Form::U16),
    Codec("group-address", 20, Form::Mac),
    Codec("multicast-router", 22, Form::U8),
    Codec("multicast-snooping", 23, Form::Bool),
    Codec("multicast-query-use-ifaddr", 24, Form::Bool),
    Codec("multicast-querier", 25, Form::Bool),
    Codec("multicast-hash-max", 27, Form::U32),
    Codec("multicast-last-member-count", 28, Form::U32),
    Codec("multicast-startup-query-count", 29, Form::U32),
    Codec("multicast-last-member-interval", 30, Form::Centis64),
    Codec("multicast-membership-interval", 31, Form::Centis64),
    Codec("multicast-querier-interval", 32, Form::Centis64),
    Codec("multicast-query-interval", 33, Form::Centis64),
    Codec("multicast-query-response-interval", 34, Form::Centis64),
    Codec("multicast-startup-query-interval", 35, Form::Centis64),
    Codec("nf-call-iptables", 36, Form::Bool),
    Codec("nf-call-ip6tables", 37, Form::Bool),
    Codec("nf-call-arptables", 38, Form::Bool),
    Codec("multicast-stats", 42, Form::Bool),
    Codec("multicast-igmp-version", 43, Form::U8),
    Codec("multicast-mld-version", 44, Form::U8),
    // BR_BOOLOPT_NO_LL_LEARN of IFLA_BR_MULTI_BOOLOPT.
    Codec("no-linklocal-learn", 46, Form::BoolBit(0)),
];

/// `IFLA_BRPORT_*` of `include/uapi/linux/if_link.h`.
const PORT: &[Codec] = &[
    Codec("priority", 2, Form::U16),
    Codec("cost", 3, Form::U32),
    Codec("hairpin", 4, Form::Bool),
    Codec("guard", 5, Form::Bool),
    Codec("root-block", 6, Form::Bool),
    Codec("fast-leave", 7, Form::Bool),
    Codec("learning", 8, Form::Bool),
    Codec("flood", 9, Form::Bool),
    Codec("proxy-arp", 10, Form::Bool),
    Codec("proxy-arp-wifi", 12, Form::Bool),
    Codec("multicast-router", 25, Form::U8),
    Codec("multicast-flood", 27, Form::Bool),
    Codec("multicast-to-unicast", 28, Form::Bool),
    Codec("broadcast-flood", 30, Form::Bool),
    Codec("neighbor-suppress", 32, Form::Bool),
    Codec("isolated", 33, Form::Bool),
    Codec("locked", 39, Form::Bool),
];

/// `IFLA_VXLAN_*` of `include/uapi/linux/if_link.h`. A multicast group is the remote end.
const VXLAN: &[Codec] = &[
    Codec("id", 1, Form::U32),
    Codec("remote", 2, Form::Ip(16)),
    Codec("local", 4, Form::Ip(17)),
    Codec("ttl", 5, Form::OrInherit(28)),
    Codec("tos", 6, Form::U8),
    Codec("learning", 7, Form::Bool),
    Codec("ageing", 8, Form::U32),
    Codec("limit", 9, Form::U32),
    Codec("source-port-low", 10, Form::RangeBe16(0)),
    Codec("source-port-high", 10, Form::RangeBe16(2)),
    Codec("proxy", 11, Form::Bool),
    Codec("l2miss", 13, Form::Bool),
    Codec("l3miss", 14, Form::Bool),
    Codec("port", 15, Form::Be16),
    Codec("df", 29, Form::Word8(&[("unset", 0), ("set", 1), ("inherit", 2)])),
];

/// `IFLA_MACVLAN_*`, and `enum macvlan_mode`.
const MACVLAN: &[Codec] = &[Codec("mode", 1, Form::Word32(&[("private", 1), ("vepa", 2), ("bridge", 4), ("passthru", 8), ("source", 16)]))];

fn of(kind: &Kind) -> &'static [Codec] {
    match kind {
        Kind::Bridge => BRIDGE,
        Kind::Vxlan => VXLAN,
        Kind::Macvlan => MACVLAN,
        Kind::Loopback | Kind::Veth | Kind::Physical | Kind::Any | Kind::Other(_) => &[],
    }
}

/// What the kernel reports of a link's kind.
pub fn read(kind: &Kind, attributes: Attributes<'_>) -> Options {
    read_all(of(kind), attributes)
}

/// What the kernel reports of a bridge's port.
pub fn read_port(attributes: Attributes<'_>) -> Options {
    read_all(PORT, attributes)
}

/// Writes the attributes of a link's kind. `all` has those that belong together with one that is written.
pub fn write(kind: &Kind, options: &Options, all: &Options, writer: &mut Writer) {
    write_all(of(kind), options, all, writer);
}

/// Writes the attributes of a bridge's port.
pub fn write_port(options: &Options, writer: &mut Writer) {
    write_all(PORT, options, options, writer);
}

fn read_all(codecs: &'static [Codec], attributes: Attributes<'_>) -> Options {
    // One walk: a bridge has 40 attributes.
    let mut found: Vec<Option<&[u8]>> = vec![None; 64];
    for (kind, value) in attributes {
        if let Some(slot) = found.get_mut(usize::from(kind)) {
            *slot = Some(value);
        }
    }
    let get = |number: u16| found.get(usize::from(number)).copied().flatten();
    codecs.iter().filter_map(|Codec(name, number, form)| Some(((*name).into(), form.read(*number, get)?))).collect()
}

fn write_all(codecs: &'static [Codec], options: &Options, all: &Options, writer: &mut Writer) {
    for Codec(name, number, form) in codecs {
        if let Some(value) = options.get(*name) {
            form.write(*number, value, all, writer);
        }
    }
}

impl Form {
    fn read<'a>(self, number: u16, get: impl Fn(u16) -> Option<&'a [u8]>) -> Option<Value> {
        let bytes = get(number);
        if let Self::Ip(v6) = self {
            let address = bytes.or_else(|| get(v6)).and_then(ip).filter(|ip| !ip.is_unspecified());
            return Some(address.map_or(Value::Unset, Value::Ip));
        }
        let bytes = bytes?;
        let byte = || bytes.first().copied();
        let word = |words: &[(&str, u32)], number: u32| words.iter().find(|(_, n)| *n == number).map(|(word, _)| Value::word(word));
        Some(match self {
            Self::Bool => Value::Bool(byte()? != 0),
            Self::Bool32 => Value::Bool(u32_at(bytes, 0)? != 0),
            Self::BoolBit(bit) => Value::Bool(u32_at(bytes, 0)? & (1 << bit) != 0),
            Self::OrInherit(flag) if get(flag).and_then(|flag| flag.first().copied()).unwrap_or(0) != 0 => Value::word("inherit"),
            Self::U8 | Self::OrInherit(_) => Value::Number(byte()?.into()),
            Self::U16 => Value::Number(u16_at(bytes, 0)?.into()),
            Self::Be16 => Value::Number(u16::from_be(u16_at(bytes, 0)?).into()),
            Self::U32 => Value::Number(u32_at(bytes, 0)?.into()),
            Self::Centis32 => Value::Centis(u32_at(bytes, 0)?.into()),
            Self::Centis64 => Value::Centis(u64_at(bytes, 0)?),
            Self::Mac => Value::Mac(Mac(*bytes.first_chunk()?)),
            Self::Ip(_) => return None,
            Self::Word8(words) => word(words, byte()?.into())?,
            Self::Word32(words) => word(words, u32_at(bytes, 0)?)?,
            Self::RangeBe16(at) => Value::Number(u16::from_be(u16_at(bytes, at)?).into()),
        })
    }

    /// A value of another type than the form has is not written: lowering gives none, and a saved plan that was tampered with gets an observation that differs.
    fn write(self, number: u16, value: &Value, all: &Options, writer: &mut Writer) {
        let word = |words: &[(&str, u32)], word: &str| words.iter().find(|(w, _)| *w == word).map(|(_, n)| *n);
        match (self, value) {
            (Self::Bool, Value::Bool(on)) => _ = writer.u8(number, u8::from(*on)),
            (Self::Bool32, Value::Bool(on)) => _ = writer.u32(number, u32::from(*on)),
            (Self::BoolBit(bit), Value::Bool(on)) => {
                let (value, mask) = (u32::from(*on) << bit, 1_u32 << bit);
                writer.put(number, &[value.to_ne_bytes(), mask.to_ne_bytes()].concat());
            }
            (Self::U8 | Self::OrInherit(_), Value::Number(n)) => _ = writer.u8(number, clamped(*n)),
            (Self::OrInherit(flag), Value::Word(_)) => _ = writer.put(flag, &[]),
            (Self::U16, Value::Number(n)) => _ = writer.u16(number, clamped(*n)),
            (Self::Be16, Value::Number(n)) => _ = writer.u16(number, clamped::<u16>(*n).to_be()),
            (Self::U32, Value::Number(n)) | (Self::Centis32, Value::Centis(n)) => _ = writer.u32(number, clamped(*n)),
            (Self::Centis64, Value::Centis(n)) => _ = writer.put(number, &n.to_ne_bytes()),
            (Self::Mac, Value::Mac(mac)) => _ = writer.put(number, &mac.0),
            (Self::Ip(v6), Value::Ip(ip)) => _ = writer.ip(if ip.is_ipv6() { v6 } else { number }, *ip),
            (Self::Ip(_), Value::Unset) => _ = writer.put(number, &[0; 4]),
            (Self::Word8(words), Value::Word(text)) => _ = word(words, text).map(|n| writer.u8(number, clamped(n.into())).bytes().len()),
            (Self::Word32(words), Value::Word(text)) => _ = word(words, text).map(|n| writer.u32(number, n).bytes().len()),
            // Both halves are one attribute, written with the first.
            (Self::RangeBe16(0), Value::Number(low)) => {
                let high = match all.get("source-port-high") {
                    Some(Value::Number(high)) => *high,
                    _ => *low,
                };
                writer.put(number, &[clamped::<u16>(*low).to_be_bytes(), clamped::<u16>(high).to_be_bytes()].concat());
            }
            _ => {}
        }
    }
}

/// The number, or the largest that fits; ranges are checked long before.
fn clamped<T: TryFrom<u64> + Bounded>(value: u64) -> T {
    T::try_from(value).unwrap_or(T::MAX)
}

trait Bounded {
    const MAX: Self;
}

impl Bounded for u8 {
    const MAX: Self = Self::MAX;
}

impl Bounded for u16 {
    const MAX: Self = Self::MAX;
}

impl Bounded for u32 {
    const MAX: Self = Self::MAX;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::kinds;

    fn round_trip(codecs: &'static [Codec], options: &Options) -> Options {
        let mut writer = Writer::default();
        write_all(codecs, options, options, &mut writer);
        read_all(codecs, Attributes(writer.bytes()))
    }

    #[test]
    fn every_attribute_that_the_language_names_has_a_number() {
        for (attributes, codecs) in [(kinds::BRIDGE, BRIDGE), (kinds::PORT, PORT), (kinds::VXLAN, VXLAN), (kinds::MACVLAN, MACVLAN)] {
            for attribute in attributes {
                assert!(codecs.iter().any(|codec| codec.0 == attribute.name), "{}", attribute.name);
            }
        }
    }

    #[test]
    fn defaults_come_back_as_they_went() {
        for (attributes, codecs) in [(kinds::BRIDGE, BRIDGE), (kinds::PORT, PORT), (kinds::VXLAN, VXLAN), (kinds::MACVLAN, MACVLAN)] {
            let mut options = Options::new();
            kinds::fill(attributes, &mut options);
            let read = round_trip(codecs, &options);
            for (name, value) in &options {
                if *value != Value::Unset || ["remote", "local"].contains(&&**name) {
                    assert_eq!(read.get(name), Some(value), "{name}");
                }
            }
        }
    }

    #[test]
    fn values_come_back_as_they_went() {
        let ip = |text: &str| Value::Ip(text.parse().unwrap());
        let options: Options = [
            ("remote", ip("fd00::2")),
            ("local", ip("10.0.0.1")),
            ("source-port-low", Value::Number(1000)),
            ("source-port-high", Value::Number(2000)),
            ("port", Value::Number(4790)),
            ("df", Value::word("inherit")),
        ]
        .into_iter()
        .map(|(name, value)| (name.into(), value))
        .collect();
        assert_eq!(round_trip(VXLAN, &options), options);
    }

    #[test]
    fn short_values_are_left_out() {
        for codecs in [BRIDGE, PORT, VXLAN, MACVLAN] {
            let mut writer = Writer::default();
            for number in 1..50 {
                writer.put(number, &[]);
            }
            assert!(read_all(codecs, Attributes(writer.bytes())).values().all(|value| *value == Value::Unset));
        }
    }
}
