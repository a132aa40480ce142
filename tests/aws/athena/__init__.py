"""Athena: SQL over the bucket's real objects, run by DuckDB, with Athena's refusals."""
