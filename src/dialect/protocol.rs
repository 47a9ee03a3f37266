//! Names and numbers of IP protocols.

/// A protocol by the name that decides how its ports and types are written, whether it was given so or by its number.
pub(crate) fn protocol(text: &str) -> &str {
    match text {
        "1" => "icmp",
        "6" => "tcp",
        "17" => "udp",
        "33" => "dccp",
        "58" => "icmpv6",
        "132" => "sctp",
        "136" => "udplite",
        other => other,
    }
}

/// The number of a protocol by nft's name or number (IANA's protocol numbers); `None` for a name that is not known
/// here.
pub fn protocol_number(text: &str) -> Option<u8> {
    Some(match protocol(text) {
        "icmp" => 1,
        "tcp" => 6,
        "udp" => 17,
        "dccp" => 33,
        "gre" => 47,
        "esp" => 50,
        "ah" => 51,
        "icmpv6" => 58,
        "sctp" => 132,
        "udplite" => 136,
        other => other.parse().ok()?,
    })
}
