//! `plan`, `apply` and `destroy` for Linux network topologies.
//!
//! # Flow of data
//!
//! ```text
//! YAML text
//!   | document::parse        typed, with places
//! Document
//!   | document::lower        defaults filled, names resolved, far ends of pairs named
//! Topology                   a name, the wanted State, and who asked for what, where
//!   | check::run             all findings at once; an error stops here
//!   |                        Kernel::observe -> State (ours, and what of others matters)
//!   | plan::make             difference, order, rehearsal
//! Plan                       steps with nothing left to decide
//!   | apply::run             batches to Kernel::perform; undo on failure; observe again
//! Report
//! ```
//!
//! `apply`, `destroy`, repair and undo are this one path: destroy is a plan towards nothing but what was there before,
//! undo a plan towards what was observed before. There is no second implementation of anything. A destroy holds its
//! namespaces until all is done, and gives them their names back where that is undone; what goes with them needs no
//! step, and where nothing is shown it no look either ([`resource::Namespace::whole`]).
//!
//! Checks of a file go another way, and touch nothing: `document` lowers them to [`resource::probe`], [`linux::probe`]
//! tries them from their nodes, and [`apply::run_on_trial`] takes their word for whether a change stays.
//!
//! # Names of nodes
//!
//! A [`resource::Node`] is its name in `/run/netns`: by that it is equal to another or not, in every state, record and
//! plan, so that two labs which both have a `RED` have two nodes, and no room needs to know of a `prefix`. The node
//! remembers how much of its name is the file's prefix, for one purpose: it is displayed without. The reader of the
//! document puts the prefix on ([`document::yaml::names`]); the program that hands a name to the kernel takes
//! [`resource::Node::as_str`]. A change of the prefix is other nodes.
//!
//! # Rooms
//!
//! | room | what | may use |
//! | --- | --- | --- |
//! | [`resource`] | nouns: ids, kinds, states | – |
//! | [`kernel`] | the contract of a machine that can be read and changed, and its errors | resource |
//! | [`dialect`] | how `ip`, `nft` and `iptables` say things | resource |
//! | [`model`] | what an operation does to a state, and what the kernel takes away with it; the machine in the
//! rehearsal | resource, kernel, dialect |
//! | [`document`] | what a user wrote: YAML with places, and its lowering to a wanted state | resource, dialect |
//! | [`check`] | rules over a wanted state; a function per rule, a file per theme | resource, document |
//! | [`plan`] | difference, order, rehearsal | resource, model |
//! | [`flow`] | the way of a packet through a state, and what stops it | resource, dialect |
//! | [`apply`] | walks a plan over a kernel; undo | resource, kernel, plan |
//! | [`survey`] | everything that is there, of topo and of others | resource |
//! | [`doctor`] | what on a machine breaks a topology, or is broken by it; a function and a file per rule | resource, flow, survey |
//! | [`import`] | what is there as a topology, and what cannot be said of it | resource, dialect, document, survey |
//! | [`linux`] | the machine, the only input and output: reading (`snapshot`, `survey`), deciding whose (`ownership`), writing (`perform` over `object`), storing (`store`) | resource, kernel, dialect, model, survey |
//! | [`history`] | applies that wait for confirmation or can be undone | resource, kernel, plan, apply, linux |
//! | [`render`] | text and JSON | resource, kernel, dialect, document, plan, apply, flow, doctor |
//! | [`graph`] | pictures: what is drawn, where, and how a format writes it | resource, document, plan, render |
//! | [`cli`] | `command/` has a file per subcommand, `input/` what a command is given | all |
//!
//! # Invariants
//!
//! 1. The pure rooms touch no file, socket, clock, thread or environment.
//! 2. The same wanted and observed states give the same plan, byte for byte, and every plan has been rehearsed.
//! 3. Planning after applying gives nothing.
//! 4. `apply` makes no decision that is not in the plan.
//! 5. No room but `linux` sees a handle or a netlink message; an interface index is in the record alone, for that room.
//! 6. `linux` never treats "exists" or "not found" as success.
//! 7. Only what carries this topology's mark is deleted, and everything is created with its mark.
//! 8. Work in a namespace runs on dedicated threads which enter it at the start of every job.
//!
//! # Why no async runtime
//!
//! Network changes are serialised by one lock in the kernel; a namespace costs a millisecond there and the requests are
//! a few microseconds each. Blocking netlink sockets on a few threads reach the kernel's floor (see `benches/`), so
//! there is nothing for a runtime to do.

pub mod apply;
pub mod check;
pub mod cli;
pub mod dialect;
pub mod doctor;
pub mod document;
pub mod flow;
pub mod graph;
pub mod history;
pub mod import;
pub mod kernel;
pub mod linux;
pub mod model;
pub mod plan;
pub mod render;
pub mod resource;
pub mod survey;
