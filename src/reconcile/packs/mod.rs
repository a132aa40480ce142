//! Conformance packs in the aggregator beside those delivered: AWS's verdict and its counts of rules, told in two ways.

mod core;
pub(super) mod db;
pub(super) mod table;

pub(super) use self::core::compare;
