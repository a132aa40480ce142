//! What was collected says: evaluations as of a day, changes, delivery, rule presence.

mod account;
mod accounts;
mod changes;
mod conformance;
pub mod core;
mod db;
pub mod delivery;
mod evaluations;
pub mod evidence;
mod failures;
mod filter;
mod membership;
pub mod memo;
mod objects;
mod overview;
mod resource;
mod rule;
pub mod rule_data;
pub mod rule_name;
mod rules;
pub mod scoped;
mod shown;
pub mod status;

pub use delivery::DeliveryState;
pub use filter::is_account;
pub use status::{Severity, Status};

/// The pages of evaluations.
pub fn endpoints() -> Vec<crate::web::Endpoint> {
    [
        overview::endpoints(),
        accounts::endpoints(),
        account::endpoints(),
        rules::endpoints(),
        rule::endpoints(),
        resource::endpoints(),
        conformance::endpoints(),
        changes::endpoints(),
        evaluations::endpoints(),
        objects::endpoints(),
    ]
    .concat()
}
