//! The pool, migrations, the private Postgres, backup and restore.
