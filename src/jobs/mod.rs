//! Work that takes longer than a request: a queue in Postgres and its worker.
