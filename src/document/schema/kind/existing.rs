//! Foreign interfaces, and kinds with little to say.

use crate::document::Loc;
use crate::document::value::{InterfaceRef, UserName};
use crate::document::yaml::define::record;
use crate::document::yaml::read::{Reader, Shape};
use crate::document::yaml::tree::{Data, Yaml};
use crate::document::yaml::word::Number;
use schemars::{Schema, SchemaGenerator, json_schema};

record! {
    /// An existing interface that topo did not create.
    ExistingLink as "`existing`" {
        /// Where it is now: it is moved here, and back by destroy, with the addresses, routes and up state that it
        /// loses by the move, as far as the language has them. What a daemon configured there (DHCP, router
        /// advertisements) is left to the daemon. Example: `host/eth1`
        "from" from: Option<Loc<InterfaceRef>>,
    }
}

record! {
    /// No attributes.
    NoOptions as "this kind of interface" {}
}

record! {
    /// A tun or tap interface.
    Tun as "this kind of interface" {
        /// The user that may open it. Example: `alice`
        "owner" owner: Option<Loc<UserName>>,
        /// The group that may open it. Example: `netdev`
        "group" group: Option<Loc<UserName>>,
        /// Whether it may be opened several times at once. Example: `true`
        "multi-queue" multi_queue: Option<Loc<bool>>,
    }
}

/// Numbers of queues.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Queue {
    /// Transmit queues.
    pub tx: u32,
    /// Receive queues.
    pub rx: u32,
}

record! {
    /// Numbers of queues, each.
    QueueMap as "`queues`" {
        /// Transmit queues; default 1. Example: `4`
        "tx" tx: Option<Loc<Number<1, 4096>>>,
        /// Receive queues; default 1. Example: `2`
        "rx" rx: Option<Loc<Number<1, 4096>>>,
    }
}

impl Shape for Loc<Queue> {
    fn read(yaml: &Yaml<'_>, reader: &mut Reader) -> Option<Self> {
        if matches!(yaml.data(), Data::Map(_)) {
            let map = QueueMap::read(yaml, reader)?;
            let number = |number: Option<Loc<Number<1, 4096>>>| number.map_or(1, |number| number.u32());
            return Some(Loc::new(Queue { tx: number(map.tx), rx: number(map.rx) }, map.place));
        }
        let both = Loc::<Number<1, 4096>>::read(yaml, reader)?;
        Some(Loc::new(Queue { tx: both.u32(), rx: both.u32() }, both.place))
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [Loc::<Number<1, 4096>>::schema(generator), QueueMap::schema(generator)] })
    }
}
