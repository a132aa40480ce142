//! AWS's documents: their terms, who accepted them, the stored bytes, who may have them, and who reviewed them.

pub(super) mod content;
pub(super) mod db;
pub(super) mod imported;
pub(super) mod job;
pub(super) mod page;
pub(super) mod released;
pub(super) mod review;
pub(super) mod review_db;
pub(super) mod terms_page;
