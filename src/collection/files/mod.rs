//! Delivery-channel objects: what their names say, where a folder has them, what is in them.
//!
//! [`keys`] says what a name means, [`list()`] finds the objects, [`read()`] takes one apart: `gzip` unpacks, `document` goes through
//! the text, `items` and `configuration` say what it means, `json` and `blocks` are the scanner under them.

mod blocks;
mod configuration;
mod document;
mod escapes;
mod gzip;
mod items;
mod json;
pub mod keys;
mod list;
mod read;
mod words;

pub use list::list;
pub use read::{read, read_from};
