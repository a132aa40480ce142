//! Audit packs: content, PDF, signature, store.

pub mod layout;
pub mod pdf;
