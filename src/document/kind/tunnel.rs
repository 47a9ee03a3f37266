//! IP tunnels.

use crate::document::Loc;
use crate::document::define::record;
use crate::document::value::InterfaceRef;
use crate::document::word::Number;
use std::net::IpAddr;

record! {
    /// A tunnel between two addresses, whose family chooses the kernel's kind.
    Tunnel as "a tunnel" {
        /// This end. Example: `10.0.0.1`
        "local" local: Loc<IpAddr>,
        /// The other end. Example: `10.0.0.2`
        "remote" remote: Loc<IpAddr>,
        /// The interface it sends by. Example: `eth0`
        "link" link: Option<Loc<InterfaceRef>>,
        /// The key that tells tunnels of the same ends apart (gre, gretap). Example: `7`
        "key" key: Option<Loc<Number<0, 4_294_967_295>>>,
        /// The TTL of what it sends; 0, taken over from inside, unless said. Example: `64`
        "ttl" ttl: Option<Loc<Number<0, 255>>>,
    }
}

record! {
    /// The end of a GENEVE tunnel.
    Geneve as "a geneve tunnel" {
        /// Its network identifier (VNI). Example: `100`
        "id" id: Loc<Number<0, 16_777_215>>,
        /// This end, for its family only. Example: `10.0.0.1`
        "local" local: Option<Loc<IpAddr>>,
        /// The other end. Example: `10.0.0.2`
        "remote" remote: Loc<IpAddr>,
        /// The interface it sends by. Example: `eth0`
        "link" link: Option<Loc<InterfaceRef>>,
        /// The UDP port; 6081 unless said. Example: `6081`
        "port" port: Option<Loc<Number<1, 65535>>>,
        /// The TTL of what it sends; 0, chosen by the kernel, unless said. Example: `64`
        "ttl" ttl: Option<Loc<Number<0, 255>>>,
    }
}
