//! Integration tests: the real program parts on a real Postgres.
