//! What programs read: plans, reports, lists and states as JSON. The schemas in `schemas/` are made from these types.

mod convert;
mod diff;
mod difference;
mod finding;
mod link;
mod live;
mod plan;
mod report;
mod scalar;
mod state;
mod values;

pub use diff::{DiffView, diff};
pub use difference::FieldView;
pub use finding::{FindingView, Findings, RelatedView, findings};
pub use live::{LiveView, live};
pub use plan::{ChangeView, PlanView, Plans, ResourceView, Summary, action_word};
pub use report::{ErrorView, ReportView, Reports, leftover, report};
pub use state::{ObservedView, StateView, States};
pub use values::Values;
