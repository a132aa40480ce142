//! The record of acts that matter: one writer, in the same transaction as the act.
