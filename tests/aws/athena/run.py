"""Runs a query: reads the objects, asks DuckDB, and writes the result as Athena writes values."""

import contextlib
import hashlib
import json
import threading
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb

from . import lines, projection, sql
from .failure import CANCELLED, DATA, NOT_SUPPORTED, SYNTAX, USER, QueryFailure

SIZES = {"varchar": (2147483647, 0), "bigint": (19, 0), "integer": (10, 0), "double": (17, 0), "timestamp": (3, 0)}
TYPES = {
    "VARCHAR": "varchar",
    "BIGINT": "bigint",
    # What DuckDB adds up whole numbers to is Athena's bigint.
    "HUGEINT": "bigint",
    "INTEGER": "integer",
    "DOUBLE": "double",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "TIMESTAMP": "timestamp",
    "TIMESTAMP WITH TIME ZONE": "timestamp with time zone",
    "JSON": "json",
    '"NULL"': "unknown",
}
WRITING = threading.Lock()


class Run:
    """One run of a query, which another thread may cancel."""

    def __init__(self, world, catalog, cutoff=None):
        self.world = world
        self.catalog = catalog
        self.cutoff = cutoff
        self.scanned = 0
        self.read = []
        self.cancelled = False
        self.connection = duckdb.connect(":memory:", config={"threads": 2})

    def cancel(self):
        self.cancelled = True
        with contextlib.suppress(duckdb.ConnectionException):
            # It has ended already, and is only held from being seen so.
            self.connection.interrupt()

    def ask(self, text, parameters, database):
        """Yields the columns, as (name, type), and then rows of texts."""
        prepared = sql.prepare(text, parameters, self.catalog, database)
        try:
            yield from self.answered(prepared)
        except duckdb.InterruptException:
            raise QueryFailure("Query cancelled", CANCELLED) from None
        except duckdb.CatalogException as error:
            raise QueryFailure(
                f"NOT_SUPPORTED: the stand-in lacks something: {first_line(error)}", NOT_SUPPORTED
            ) from None
        except (duckdb.BinderException, duckdb.ParserException) as error:
            # It was translated before it was refused: whose mistake it is shows in what DuckDB was asked.
            reason = f"SYNTAX_ERROR: line 1:1: {first_line(error)} (DuckDB was asked: {prepared.sql})"
            raise QueryFailure(reason, SYNTAX) from None
        except duckdb.Error as error:
            raise QueryFailure(f"GENERIC_USER_ERROR: {first_line(error)}", USER) from None

    def answered(self, prepared):
        self.connection.execute("set TimeZone = 'UTC'; set integer_division = true")
        self.connection.execute(sql.MACROS)
        for scan in prepared.scans:
            self.open(scan)
        described = self.connection.execute(f"describe {prepared.sql}").fetchall()
        names = prepared.names or [row[0].lower() for row in described]
        yield [(name, kind_of(row[1])) for name, row in zip(names, described, strict=True)]
        if self.cancelled:
            raise QueryFailure("Query cancelled", CANCELLED)
        found = self.connection.execute(prepared.sql)
        while rows := found.fetchmany(1000):
            yield from ([text_of(value) for value in row] for row in rows)

    def open(self, scan):
        """Makes the view that a scan reads from."""
        files = []
        for found in projection.objects(self.world, scan):
            if self.cancelled:
                raise QueryFailure("Query cancelled", CANCELLED)
            files.append(self.decoded(scan.table, found))
        columns = scan.table.duck_columns()
        if not files:
            empty = ", ".join(f'null::{kind} as "{name}"' for name, kind in columns.items())
            self.connection.execute(f"create view {scan.name} as select {empty} where false")
            return
        wanted = ", ".join(f"{quoted(name)}: {quoted(kind)}" for name, kind in columns.items())
        listed = ", ".join(map(quoted, map(str, files)))
        # DuckDB sets aside twice this for each of its threads.
        largest = max(1 << 20, *(file.stat().st_size + 1 for file in files))
        self.connection.execute(
            f"create view {scan.name} as select * from read_json([{listed}], columns = {{{wanted}}}, "
            f"format = 'newline_delimited', maximum_object_size = {largest})"
        )

    def decoded(self, table, found):
        """The file with an object's rows as the table's columns; made when the object is first read."""
        packed = found.stored.value
        self.scanned += len(packed)
        self.read.append(found.path)
        if self.cutoff and self.scanned > self.cutoff:
            raise QueryFailure("Query cancelled! : Bytes scanned limit was exceeded", CANCELLED)
        version = f"{table.fingerprint} {found.path} {found.stored.etag} {found.stored.version_id}"
        path = Path(self.world.folder) / f"{hashlib.sha256(version.encode()).hexdigest()}.json"
        if not path.exists():
            beside = {**found.partition, "$path": found.path}
            with WRITING:
                draft = path.with_suffix(f".{threading.get_ident()}")
                with draft.open("w", encoding="utf-8", errors="replace") as file:
                    for row in lines.rows(table, found.path, packed):
                        file.write(json.dumps({**row, **beside}, ensure_ascii=False) + "\n")
                draft.rename(path)
        return path


def first_line(error):
    return str(error).splitlines()[0]


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


def kind_of(duck):
    duck = str(duck)
    if duck.endswith("]"):
        return "array"
    if duck.startswith("STRUCT"):
        return "row"
    if duck.startswith("MAP"):
        return "map"
    if duck.startswith("DECIMAL"):
        return "decimal"
    kind = TYPES.get(duck)
    if kind is None:
        raise QueryFailure(f"NOT_SUPPORTED: the stand-in has no name for a result of type {duck}", DATA)
    return kind


def text_of(value, inside=False):
    """A value as Athena's results show it: NULL is none, or the word where it is inside of another value."""
    if value is None:
        return "null" if inside else None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return double(value)
    if isinstance(value, datetime):
        zone = " UTC" if value.tzinfo else ""
        return value.strftime("%Y-%m-%d %H:%M:%S.") + f"{value.microsecond // 1000:03d}{zone}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list):
        return "[" + ", ".join(text_of(one, True) for one in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}={text_of(one, True)}" for key, one in value.items()) + "}"
    if isinstance(value, (str, int, Decimal, timedelta)):
        return str(value)
    raise QueryFailure(f"NOT_SUPPORTED: the stand-in cannot write a {type(value).__name__}", DATA)


def double(value):
    """As Java writes it: with an exponent from ten millions on and below a thousandth."""
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return repr(value)
    mantissa, _, exponent = f"{Decimal(repr(value)):E}".partition("E")
    whole, _, digits = mantissa.partition(".")
    return f"{whole}.{digits.rstrip('0') or '0'}E{int(exponent)}"
