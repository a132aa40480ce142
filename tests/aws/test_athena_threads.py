"""Queries are translated by several threads at once, so nothing may be loaded then that the first of them half finishes."""

import json
import subprocess
import sys
import unittest
from pathlib import Path

from .harness_athena import RESULTS, table

TRANSLATE = """
import json, sys
from aws.athena import catalog, sql

declaration, query = json.load(sys.stdin)
before = set(sys.modules)
known = catalog.Catalog()
known.databases.add("config")
known.declare(sql.statement(declaration)[0], "config")
sql.prepare(query, ["'2026/10/1'"], known, "config")
late = set(sys.modules) - before
print(json.dumps(sorted(name for name in late if name.startswith("sqlglot.dialects."))))
"""


class Threads(unittest.TestCase):
    def test_every_dialect_is_loaded_before_the_first_query(self):
        # In an interpreter of its own: in this one other tests have loaded them.
        told = subprocess.run(
            [sys.executable, "-c", TRANSLATE],
            input=json.dumps([table(), RESULTS]),
            cwd=Path(__file__).parent.parent,
            capture_output=True,
            text=True,
            check=True,
        )
        self.assertEqual(json.loads(told.stdout), [])
