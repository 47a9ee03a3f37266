//! How an attribute of a kind is written in a message.

/// How a value stands in its attribute.
#[derive(Clone, Copy)]
pub(crate) enum Form {
    /// On or off in 8 bits.
    Bool,
    /// On or off in 32 bits.
    Bool32,
    /// A bit, which one, of a word of 32 that is written beside a mask (`br_boolopt_multi`, `ifla_vlan_flags`).
    BoolBit(u32),
    /// The same, of a word that the kernel leaves out where no bit is set (`vlan_fill_info`).
    Flag(u32),
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
    /// Thousandths of a second in 32 bits.
    Millis32,
    /// A user or a group by number; not there is not set.
    Id,
    /// The number of an interface of the same namespace, a word once its name is known; not there is not set.
    Link,
    /// The key of a GRE tunnel in both directions: numbers in network order, with a flag that says that there is one.
    GreKey,
    /// A number of 8 bits, or not set, which is a bit of the flags under this other number.
    EncapLimit(u16),
    /// A hardware address.
    Mac,
    /// An IPv4 address, or under this other number an IPv6 one. Not there is not set.
    Ip(u16),
    /// A word for a number of 8 bits.
    Word8(&'static [(&'static str, u32)]),
    /// A word for a number of 16 bits.
    Word16(&'static [(&'static str, u32)]),
    /// A word for a number of 16 bits in network order.
    WordBe16(&'static [(&'static str, u32)]),
    /// A word for a number of 32 bits.
    Word32(&'static [(&'static str, u32)]),
    /// The first (0) or second (2) number of a range of ports, both in network order.
    RangeBe16(usize),
    /// A number of 8 bits, or the word `inherit`, which is a flag under this other number.
    OrInherit(u16),
}

/// One attribute: its name, the kernel's number for it, and how its value stands in it.
pub(crate) struct Codec(pub(crate) &'static str, pub(crate) u16, pub(crate) Form);
