//! A made-up organisation in the layout and file shapes of AWS Config, with the true counts beside it.
//!
//! Everything follows from the options: the same options give the same bytes in every file and the same file
//! modification times. `expected.json` is counted from the model that writes the files and never by reading them.

mod artifact;
mod bodies;
mod calendar;
mod command;
mod damage;
mod deployment;
mod expected;
mod generate;
mod inventory;
mod items;
mod litter;
mod objects;
mod options;
mod organization;
mod place;
mod random;
mod resource;
mod rules;

pub use artifact::one_line_pdf;
pub use command::command;
pub use expected::{
    AccountList, Case, Counts, Delivery, EXPECTED_FILE, Expected, ExpectedAccount, ExpectedDay, LateObject, MARKER_FILE,
};
pub use generate::{Progress, Summary, generate};
pub use options::{Choice, Options, Regions};
