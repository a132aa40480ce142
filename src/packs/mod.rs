//! Audit packs: content, PDF, signature, store.
