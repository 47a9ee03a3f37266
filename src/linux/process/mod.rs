//! Programs that topo runs for its own work.

pub mod detach;
pub mod run;
pub mod terminal;
