//! The values of the language: names, addresses, ports, durations.

pub(crate) mod forwarding;
mod name;
mod net;
mod packet;
mod quantity;
mod target;
mod text;

pub use name::{
    ContainerName, InterfaceRef, NamePrefix, NamespaceName, NetnsName, SysctlKey, interface_fault, namespace_fault,
};
pub use net::{Destination, InterfaceAddress, Prefix, Scope, Via};
pub use packet::{AddressItem, InterfaceItem, Mark, Ports, Protocol, RateLimit, TargetItem, VlanRange};
pub use quantity::{Duration, Milliseconds, Percent, Rate, Seconds};
pub use target::{
    Argument, CheckName, DnsName, HostTarget, NodeName, Payload, PortTarget, ServerTarget, Timeout, Url, Wanted,
};
pub use text::{
    AbsolutePath, AlternativeName, ChainName, HostName, Label as AddressLabel, LogPrefix, NftLine, ResolverWord,
    SysctlValue, UserName,
};
