//! Pictures of topologies: what is there, what is wanted, and what a plan changes. Pure.

pub mod change;
pub mod dot;
mod draw;
mod facts;
pub mod fold;
pub mod html;
mod layers;
mod layout;
mod measure;
pub mod mermaid;
pub mod model;
mod order;
mod outline;
mod place;
mod scene;
mod settle;
mod shape;
mod style;
pub mod svg;
pub mod text;
mod tunnels;

pub use draw::picture;
pub use model::Picture;
pub use scene::{Drawn, Group, Scene, scene};
