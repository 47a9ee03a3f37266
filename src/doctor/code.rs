//! The codes of all findings.

/// How bad a finding is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Severity {
    /// Something that the file means does not work.
    Error,
    /// Something will stop working, or takes from others.
    Warning,
    /// Good to know.
    Note,
}

impl Severity {
    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

macro_rules! codes {
    ($($name:ident $word:literal $what:literal,)*) => {
        /// What a finding is about.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        pub enum Code {
            $(#[doc = $what] $name,)*
        }

        impl Code {
            /// All of them, in the order of the page `docs/doctor.md`.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its word.
            pub fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// What it says, in a few words.
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $what,)* }
            }
        }
    };
}

codes! {
    InTheWay "in-the-way" "something on the machine is in the way of the file",
    KernelFeature "kernel-feature" "the kernel lacks what the file needs",
    BridgeFilter "bridge-filter" "foreign rules stop frames that cross a bridge",
    ForeignFilter "foreign-filter" "foreign rules stop packets that the file means",
    Forwarding "forwarding" "a router of the file does not forward",
    RpFilter "rp-filter" "the reverse path filter drops packets whose way back is another",
    FlowStops "flow-stops" "a packet that the file means does not arrive",
    NoListener "no-listener" "no server listens where a check asks",
    MtuPath "mtu-path" "packets that fit where they are sent are lost on their way",
    MtuLower "mtu-lower" "the interface below is too small for what is put on it",
    SubnetRouted "subnet-routed" "a subnet of the file is routed elsewhere, too",
    AddressTaken "address-taken" "an address of the file is on the segment already",
    TurnedOff "turned-off" "a setting of the file was changed outside topo",
    Drifted "drifted" "the machine is not as the file has it",
    RulesUnread "rules-unread" "rules of a node cannot be read",
    NetworkManager "network-manager" "NetworkManager manages interfaces of the file",
    Networkd "networkd" "systemd-networkd removes or configures what the file makes",
    FirewalldReload "firewalld-reload" "a reload of firewalld removes rules of the file",
    DockerChain "docker-chain" "a start of Docker removes rules of the file",
    DockerRestart "docker-restart" "a restart of Docker ends the containers that the file joins",
    UserNamespaces "user-namespaces" "users without privileges cannot make namespaces",
    OldKernel "old-kernel" "the kernel is older than those that topo is tested on",
    NftVersion "nft-version" "nft is missing, or of a version with a known fault",
}
