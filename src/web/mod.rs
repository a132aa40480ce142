//! What pages share: frame, view, tables, downloads, charts, and what stands guard before every handler.
//!
//! A page is a handler that takes a [`View`] (signed in, an organisation, a collected day, a read-only
//! transaction) and gives `Page(SomeTemplate { frame: view.frame(Section::Rules, "Rules"), .. })`, whose
//! template says `{% extends "base.html" %}` and fills the blocks `lead` and `main`.

pub mod address;
mod assets;
pub mod chart;
mod db;
pub mod download;
mod error_page;
pub mod field;
pub mod filters;
pub mod form;
pub mod format;
pub mod forwarded;
mod frame;
mod gate;
mod guard;
pub mod keyset;
pub mod list;
pub mod parts;
mod routes;
mod serve;
pub mod stored;
pub mod table;
pub mod upload;
mod view;

pub use address::Address;
pub use frame::{Crumb, Frame, Page, SCOPE, Section};
pub use gate::{Gate, GateArgs, LARGEST_UPLOAD_BYTES};
pub use guard::RequestId;
pub use routes::{Access, Endpoint, access, endpoints, is_of_rooms};
pub use serve::{app, serve, serve_metrics};
pub use view::{Organization, Read, Standing, View, Visit, kept, parse_day};
