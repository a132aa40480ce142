//! What was collected says: evaluations as of a day, changes, delivery, rule presence.

pub mod delivery;
pub mod memo;
pub mod evidence;
pub mod rule_data;
pub mod rule_name;
pub mod status;

pub use delivery::DeliveryState;
pub use status::{Severity, Status};
