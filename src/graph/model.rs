//! What a picture shows: nodes, their interfaces, and what joins them. No places yet.

/// What a change does to a part of the picture.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum Mark {
    /// Nothing: it is there before and after.
    #[default]
    Same,
    /// It is there after the change.
    Added,
    /// It is there before and after, and not the same.
    Changed,
    /// It is there before the change.
    Removed,
}

impl Mark {
    /// What is put before its name: a plan's own signs, so that they differ in more than colour.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Same => "",
            Self::Added => "+ ",
            Self::Changed => "~ ",
            Self::Removed => "- ",
        }
    }

    /// Its name, for classes of SVG and Mermaid.
    pub fn word(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Removed => "removed",
        }
    }
}

/// A picture.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Picture {
    /// What it is of.
    pub title: String,
    /// Whether it shows a change: what stays is pale.
    pub change: bool,
    /// The nodes, the host first, in the order of their names.
    pub nodes: Vec<Node>,
    /// What joins them.
    pub wires: Vec<Wire>,
}

/// What a node is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// A namespace that the topology makes.
    Made,
    /// The namespace that topo is started in.
    Host,
    /// A namespace of another program.
    Existing,
    /// Not a node: what more than three ends of tunnels of one kind have in common.
    Cloud,
}

/// A node.
#[derive(Clone, PartialEq, Debug)]
pub struct Node {
    /// Its name in `/run/netns`, by which it is the same before and after a change.
    pub key: String,
    /// Its name in the file.
    pub name: String,
    /// What it is.
    pub role: Role,
    /// What there is to say about it in a line each: where an existing one is found, forwarding, NAT, firewall.
    pub facts: Vec<Line>,
    /// Its interfaces in the order of their names.
    pub ports: Vec<Port>,
    /// What a change does to it.
    pub mark: Mark,
    /// All that it has, a line each, for those who ask for more.
    pub details: Vec<Line>,
    /// The names of the nodes that this one stands for, where it stands for several.
    pub members: Vec<String>,
}

/// A line of text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Line {
    /// The text.
    pub text: String,
    /// What a change does to it.
    pub mark: Mark,
    /// Whether it matters less than an address does.
    pub dim: bool,
}

impl Line {
    /// A line that matters.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), mark: Mark::Same, dim: false }
    }

    /// A line that matters less.
    pub fn dim(text: impl Into<String>) -> Self {
        Self { dim: true, ..Self::new(text) }
    }

    /// It with the sign of its change.
    pub fn signed(&self) -> String {
        format!("{}{}", self.mark.sign(), self.text)
    }
}

/// An interface.
#[derive(Clone, PartialEq, Debug)]
pub struct Port {
    /// Its name.
    pub name: String,
    /// Whether the name is one that topo made up.
    pub nameless: bool,
    /// What it is.
    pub kind: PortKind,
    /// Its kind where that is not plain, what is unusual about it, and its addresses.
    pub lines: Vec<Line>,
    /// What its root qdisc does to what leaves there.
    pub impairment: Vec<Line>,
    /// The bridge, bond or VRF of the same node that it is a port of.
    pub master: Option<String>,
    /// The interface of the same node that it depends on.
    pub lower: Option<String>,
    /// What a change does to it.
    pub mark: Mark,
}

/// What an interface is to a picture.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PortKind {
    /// An interface like others.
    Plain,
    /// A foreign one that the file names: hardware, or what another program made.
    Foreign,
    /// A bridge.
    Bridge,
    /// A bond.
    Bond,
    /// A VRF.
    Vrf,
}

impl PortKind {
    /// Whether others are its ports.
    pub fn holds(self) -> bool {
        matches!(self, Self::Bridge | Self::Bond | Self::Vrf)
    }
}

/// An interface by its place in [`Picture::nodes`] and [`Node::ports`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct End {
    /// The node.
    pub node: usize,
    /// The interface.
    pub port: usize,
}

/// What joins two interfaces.
#[derive(Clone, PartialEq, Debug)]
pub struct Wire {
    /// One end.
    pub a: End,
    /// The other end.
    pub b: End,
    /// What it is.
    pub kind: WireKind,
    /// What a change does to it.
    pub mark: Mark,
}

/// What a line is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum WireKind {
    /// A veth pair.
    Pair,
    /// From an interface to its lower device in another node, such as of a macvlan.
    Lower,
    /// Between the ends of a tunnel.
    Tunnel,
}

impl WireKind {
    /// Its name, for classes of SVG.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pair => "pair",
            Self::Lower => "lower",
            Self::Tunnel => "tunnel",
        }
    }
}

impl Picture {
    /// The node of an end.
    pub fn node(&self, end: End) -> Option<&Node> {
        self.nodes.get(end.node)
    }

    /// The interface of an end.
    pub fn port(&self, end: End) -> Option<&Port> {
        self.node(end)?.ports.get(end.port)
    }

    /// An interface as a user writes it: `NODE/INTERFACE`, or the node alone where its name is topo's.
    pub fn name(&self, end: End) -> String {
        match (self.node(end), self.port(end)) {
            (Some(node), Some(port)) if !port.nameless && node.role != Role::Cloud => {
                format!("{}/{}", node.name, port.name)
            }
            (Some(node), _) => node.name.clone(),
            _ => String::new(),
        }
    }

    /// The wires of a node, with the end that is there first.
    pub fn wires_of(&self, node: usize) -> impl Iterator<Item = (End, End, &Wire)> {
        self.wires.iter().flat_map(move |wire| {
            let near = (wire.a.node == node).then_some((wire.a, wire.b, wire));
            let far = (wire.b.node == node).then_some((wire.b, wire.a, wire));
            near.into_iter().chain(far)
        })
    }
}
