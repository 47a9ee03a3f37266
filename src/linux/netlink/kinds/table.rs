//! Reading and writing the attributes of a kind, by its table.

use super::codec::{Codec, Form};
use super::{bond, bridge, linked, tun, tunnel, vxlan};
use crate::linux::netlink::attributes::{Attributes, Writer, ip, u16_at, u32_at, u64_at};
use crate::resource::{Kind, Mac, Options, Value};
use std::collections::BTreeMap;

pub(crate) fn of(kind: &Kind) -> &'static [Codec] {
    match kind {
        Kind::Bridge => bridge::BRIDGE,
        Kind::Vlan => linked::VLAN,
        Kind::Vxlan => vxlan::VXLAN,
        Kind::Macvlan | Kind::Macvtap => linked::MACVLAN,
        Kind::Ipvlan => linked::IPVLAN,
        Kind::Vrf => linked::VRF,
        Kind::Bond => bond::BOND,
        Kind::Gre | Kind::Gretap => tunnel::GRE,
        Kind::Ip6gre | Kind::Ip6gretap => tunnel::IP6GRE,
        Kind::Ipip | Kind::Sit => tunnel::IPTUN,
        Kind::Ip6tnl => tunnel::IP6TNL,
        Kind::Geneve => vxlan::GENEVE,
        Kind::Tun | Kind::Tap => tun::TUN,
        // Its attributes come over generic netlink.
        Kind::Wireguard => &[],
        Kind::Loopback | Kind::Veth | Kind::Dummy | Kind::Ifb | Kind::Nlmon => &[],
        Kind::Physical | Kind::Any | Kind::Other(_) => &[],
    }
}

/// Where a link of this kind says which interface it depends on: among its own attributes, or else with those that all
/// links have.
pub fn link_number(kind: &Kind) -> Option<u16> {
    match kind {
        // `IFLA_VXLAN_LINK`.
        Kind::Vxlan => Some(3),
        // `IFLA_GRE_LINK`, `IFLA_IPTUN_LINK`.
        Kind::Gre | Kind::Gretap | Kind::Ip6gre | Kind::Ip6gretap | Kind::Ipip | Kind::Sit | Kind::Ip6tnl => Some(1),
        _ => None,
    }
}

/// Whether a change has to say everything: the kernel takes what is left out for not set (`ipgre_netlink_parms`,
/// `ipip_netlink_parms` and their like).
pub fn says_all(kind: &Kind) -> bool {
    matches!(kind, Kind::Gre | Kind::Gretap | Kind::Ip6gre | Kind::Ip6gretap | Kind::Ipip | Kind::Sit | Kind::Ip6tnl)
}

/// Whether what a link of this kind sends leaves the namespace that it was created in, whatever namespace it was asked
/// for in.
pub fn sends_where_it_is_born(kind: &Kind) -> bool {
    says_all(kind)
}

/// `tun` and `tap` are one kind of the kernel.
pub fn kind(name: &str, data: Attributes<'_>) -> Kind {
    if name == Kind::Tap.name() && data.u8(tun::TYPE) == Some(tun::TAP) { Kind::Tap } else { Kind::of(name) }
}

/// What the kernel reports of a link's kind.
pub fn read(kind: &Kind, attributes: Attributes<'_>) -> Options {
    let mut options = read_all(of(kind), attributes);
    if *kind == Kind::Bridge {
        bridge::leave_out_what_others_say(&mut options, attributes);
    }
    options
}

/// What the kernel reports of a bridge's port.
pub fn read_port(attributes: Attributes<'_>) -> Options {
    read_all(bridge::PORT, attributes)
}

/// Writes the attributes of a link's kind. `all` has those that belong together with one that is written.
pub fn write(kind: &Kind, options: &Options, all: &Options, writer: &mut Writer) {
    write_all(of(kind), options, all, writer);
}

/// Writes the attributes of a bridge's port.
pub fn write_port(options: &Options, writer: &mut Writer) {
    write_all(bridge::PORT, options, options, writer);
}

pub(crate) fn read_all(codecs: &'static [Codec], attributes: Attributes<'_>) -> Options {
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

pub(crate) fn write_all(codecs: &'static [Codec], options: &Options, all: &Options, writer: &mut Writer) {
    // The bits of one word are written together: of two attributes of one type the kernel takes the last.
    let mut bits: BTreeMap<u16, (u32, u32)> = BTreeMap::new();
    for Codec(name, number, form) in codecs {
        match (form, options.get(*name)) {
            (Form::BoolBit(bit) | Form::Flag(bit), Some(Value::Bool(on))) => {
                let (value, mask) = bits.entry(*number).or_default();
                *value |= u32::from(*on) << bit;
                *mask |= 1 << bit;
            }
            (form, Some(value)) => form.write(*number, value, all, writer),
            (_, None) => {}
        }
    }
    for (number, (value, mask)) in bits {
        writer.put(number, &[value.to_ne_bytes(), mask.to_ne_bytes()].concat());
    }
}

// `IFLA_GRE_*`, and the flag that says that there is a key.
pub(crate) const GRE_IFLAGS: u16 = 2;

pub(crate) const GRE_OFLAGS: u16 = 3;

pub(crate) const GRE_IKEY: u16 = 4;

pub(crate) const GRE_OKEY: u16 = 5;

pub(crate) const GRE_KEY: u16 = 0x2000;

/// `IP6_TNL_F_IGN_ENCAP_LIMIT` of `include/uapi/linux/ip6_tunnel.h`.
pub(crate) const IGNORE_ENCAP_LIMIT: u32 = 1;

impl Form {
    fn read<'a>(self, number: u16, get: impl Fn(u16) -> Option<&'a [u8]>) -> Option<Value> {
        let bytes = get(number);
        match self {
            Self::Ip(v6) => {
                let address = bytes.or_else(|| get(v6)).and_then(ip).filter(|ip| !ip.is_unspecified());
                return Some(address.map_or(Value::Unset, Value::Ip));
            }
            Self::Flag(bit) => {
                return Some(Value::Bool(bytes.and_then(|bytes| u32_at(bytes, 0)).unwrap_or(0) & (1 << bit) != 0));
            }
            // A kernel says 1; asked for, it is a flag without a value.
            Self::OrInherit(flag) if get(flag).is_some_and(|flag| flag.first() != Some(&0)) => {
                return Some(Value::word("inherit"));
            }
            Self::Id | Self::Link => {
                return Some(
                    bytes
                        .and_then(|bytes| u32_at(bytes, 0))
                        .map_or(Value::Unset, |number| Value::Number(number.into())),
                );
            }
            Self::GreKey => {
                let has =
                    bytes.and_then(|flags| u16_at(flags, 0)).is_some_and(|flags| u16::from_be(flags) & GRE_KEY != 0);
                let key = get(GRE_IKEY).filter(|_| has).and_then(|key| u32_at(key, 0));
                return Some(key.map_or(Value::Unset, |key| Value::Number(u32::from_be(key).into())));
            }
            Self::EncapLimit(flags)
                if get(flags)
                    .and_then(|flags| u32_at(flags, 0))
                    .is_some_and(|flags| flags & IGNORE_ENCAP_LIMIT != 0) =>
            {
                return Some(Value::Unset);
            }
            _ => {}
        }
        let bytes = bytes?;
        let byte = || bytes.first().copied();
        let word = |words: &[(&str, u32)], number: u32| {
            words.iter().find(|(_, n)| *n == number).map(|(word, _)| Value::word(word))
        };
        Some(match self {
            Self::Bool => Value::Bool(byte()? != 0),
            Self::Bool32 => Value::Bool(u32_at(bytes, 0)? != 0),
            Self::BoolBit(bit) => Value::Bool(u32_at(bytes, 0)? & (1 << bit) != 0),
            Self::U8 | Self::OrInherit(_) | Self::EncapLimit(_) => Value::Number(byte()?.into()),
            Self::U16 => Value::Number(u16_at(bytes, 0)?.into()),
            Self::Be16 => Value::Number(u16::from_be(u16_at(bytes, 0)?).into()),
            Self::U32 => Value::Number(u32_at(bytes, 0)?.into()),
            Self::Centis32 => Value::Centis(u32_at(bytes, 0)?.into()),
            Self::Centis64 => Value::Centis(u64_at(bytes, 0)?),
            Self::Millis32 => Value::Millis(u32_at(bytes, 0)?.into()),
            Self::Mac => Value::Mac(Mac(*bytes.first_chunk()?)),
            Self::Ip(_) | Self::Id | Self::Link | Self::GreKey | Self::Flag(_) => return None,
            Self::Word8(words) => word(words, byte()?.into())?,
            Self::Word16(words) => word(words, u16_at(bytes, 0)?.into())?,
            Self::WordBe16(words) => word(words, u16::from_be(u16_at(bytes, 0)?).into())?,
            Self::Word32(words) => word(words, u32_at(bytes, 0)?)?,
            Self::RangeBe16(at) => Value::Number(u16::from_be(u16_at(bytes, at)?).into()),
        })
    }

    /// A value of another type than the form has is not written: lowering gives none, and a saved plan that was
    /// tampered with gets an observation that differs.
    fn write(self, number: u16, value: &Value, all: &Options, writer: &mut Writer) {
        let word = |words: &[(&str, u32)], word: &str| words.iter().find(|(w, _)| *w == word).map(|(_, n)| *n);
        match (self, value) {
            (Self::Bool, Value::Bool(on)) => _ = writer.u8(number, u8::from(*on)),
            (Self::Bool32, Value::Bool(on)) => _ = writer.u32(number, u32::from(*on)),
            (Self::U8 | Self::OrInherit(_), Value::Number(n)) => _ = writer.u8(number, clamped(*n)),
            // `ip` says the flags with the limit, and so does topo: what is left out of the mask of an older request
            // stays.
            (Self::EncapLimit(flags), Value::Number(n)) => _ = writer.u8(number, clamped(*n)).u32(flags, 0),
            (Self::EncapLimit(flags), Value::Unset) => _ = writer.u32(flags, IGNORE_ENCAP_LIMIT),
            (Self::GreKey, Value::Number(key)) => {
                let key = clamped::<u32>(*key).to_be();
                writer
                    .u16(GRE_IFLAGS, GRE_KEY.to_be())
                    .u16(GRE_OFLAGS, GRE_KEY.to_be())
                    .u32(GRE_IKEY, key)
                    .u32(GRE_OKEY, key);
            }
            (Self::GreKey, Value::Unset) => _ = writer.u16(GRE_IFLAGS, 0).u16(GRE_OFLAGS, 0),
            (Self::Link, Value::Unset) => _ = writer.u32(number, 0),
            (Self::OrInherit(flag), Value::Word(_)) => _ = writer.put(flag, &[]),
            (Self::U16, Value::Number(n)) => _ = writer.u16(number, clamped(*n)),
            (Self::Be16, Value::Number(n)) => _ = writer.u16(number, clamped::<u16>(*n).to_be()),
            (Self::U32 | Self::Id | Self::Link, Value::Number(n))
            | (Self::Centis32, Value::Centis(n))
            | (Self::Millis32, Value::Millis(n)) => _ = writer.u32(number, clamped(*n)),
            (Self::Centis64, Value::Centis(n)) => _ = writer.put(number, &n.to_ne_bytes()),
            (Self::Mac, Value::Mac(mac)) => _ = writer.put(number, &mac.0),
            (Self::Ip(v6), Value::Ip(ip)) => _ = writer.ip(if ip.is_ipv6() { v6 } else { number }, *ip),
            (Self::Ip(_), Value::Unset) => _ = writer.put(number, &[0; 4]),
            (Self::Word8(words), Value::Word(text)) => {
                _ = word(words, text).map(|n| writer.u8(number, clamped(n.into())).bytes().len())
            }
            (Self::Word16(words), Value::Word(text)) => {
                _ = word(words, text).map(|n| writer.u16(number, clamped(n.into())).bytes().len())
            }
            (Self::WordBe16(words), Value::Word(text)) => {
                _ = word(words, text).map(|n| writer.u16(number, clamped::<u16>(n.into()).to_be()).bytes().len())
            }
            (Self::Word32(words), Value::Word(text)) => {
                _ = word(words, text).map(|n| writer.u32(number, n).bytes().len())
            }
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
pub(crate) fn clamped<T: TryFrom<u64> + Bounded>(value: u64) -> T {
    T::try_from(value).unwrap_or(T::MAX)
}

pub(crate) trait Bounded {
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

    fn tables() -> impl Iterator<Item = (&'static [kinds::Attribute], &'static [Codec])> {
        // WireGuard's are not among the attributes of a link.
        let kinds =
            kinds::ALL.iter().filter(|spec| spec.kind != Kind::Wireguard).map(|spec| (spec.attributes, of(&spec.kind)));
        kinds.chain([(kinds::PORT, bridge::PORT)])
    }

    #[test]
    fn every_attribute_that_the_language_names_has_a_number() {
        for (attributes, codecs) in tables() {
            for attribute in attributes {
                assert!(codecs.iter().any(|codec| codec.0 == attribute.name), "{}", attribute.name);
            }
        }
    }

    #[test]
    fn defaults_come_back_as_they_went() {
        for (attributes, codecs) in tables() {
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
        assert_eq!(round_trip(vxlan::VXLAN, &options), options);
    }

    #[test]
    fn a_vlan_of_which_no_flag_is_reported_has_none() {
        let mut writer = Writer::default();
        writer.u16(1, 7);
        let read = read_all(linked::VLAN, Attributes(writer.bytes()));
        assert_eq!(read.get("reorder-header"), Some(&Value::Bool(false)));
    }

    #[test]
    fn short_values_are_left_out() {
        for (_, codecs) in tables() {
            let mut writer = Writer::default();
            for number in 1..50 {
                writer.put(number, &[]);
            }
            assert!(
                read_all(codecs, Attributes(writer.bytes())).values().all(|value| [
                    Value::Unset,
                    Value::Bool(false),
                    Value::word("inherit")
                ]
                .contains(value))
            );
        }
    }
}
