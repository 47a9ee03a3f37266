//! Plans, reports, states and findings as text and JSON. Pure: what goes in is data, what comes out is text with
//! colours in it.

pub mod annotation;
pub mod doctor;
pub mod doctored;
pub mod explain;
pub mod explained;
pub mod finding;
pub mod format;
pub mod json;
pub mod list;
pub mod live;
mod losses;
pub mod markdown;
pub mod order;
pub mod page;
pub mod plan;
pub mod report;
pub mod sarif;
pub mod show;
pub mod tested;
pub mod words;
pub mod yaml;

pub use finding::Look;
