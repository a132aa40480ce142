"""Databases and tables, as CREATE EXTERNAL TABLE declares them.

A table keeps its columns' types, its SerDe's properties and its partition projection; they decide which objects a query
reads and what it sees of them. Types are nested tuples:
("string",), ("array", T), ("map", K, V), ("struct", {name: T}).
"""

import hashlib
import threading
from dataclasses import dataclass

from sqlglot import exp

from .failure import DDL, NO_TABLE, QueryFailure

OPENX = "org.openx.data.jsonserde.JsonSerDe"
SIMPLE = {
    exp.DataType.Type.TEXT: "string",
    exp.DataType.Type.VARCHAR: "string",
    exp.DataType.Type.BIGINT: "bigint",
    exp.DataType.Type.INT: "integer",
    exp.DataType.Type.DOUBLE: "double",
    exp.DataType.Type.BOOLEAN: "boolean",
}
DUCK = {"string": "VARCHAR", "bigint": "BIGINT", "integer": "INTEGER", "double": "DOUBLE", "boolean": "BOOLEAN"}


@dataclass
class Table:
    """An external table of JSON lines."""

    database: str
    name: str
    columns: dict
    partitions: dict
    serde: dict
    location: str
    properties: dict

    @property
    def fingerprint(self):
        """Changes with whatever decides how an object is read."""
        text = repr(
            (self.columns, self.partitions, sorted(self.serde.items()), self.location, sorted(self.properties.items()))
        )
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def string_names(self):
        """Names of columns, and of fields in them, that hold strings."""
        found = {name for name, kind in {**self.columns, **self.partitions}.items() if kind == ("string",)} | {"$path"}
        for kind in self.columns.values():
            found |= string_fields(kind)
        return found

    def duck_columns(self):
        """Every column with its type in DuckDB."""
        every = {**self.columns, **self.partitions, "$path": ("string",)}
        return {name: duck_type(kind) for name, kind in every.items()}


class Catalog:
    """The databases of one account and Region."""

    def __init__(self):
        self.lock = threading.Lock()
        self.databases = {"default"}
        self.tables = {}

    def find(self, database, name):
        with self.lock:
            table = self.tables.get((database.lower(), name.lower()))
        if table is None:
            reason = f"TABLE_NOT_FOUND: line 1:1: Table 'awsdatacatalog.{database}.{name}' does not exist"
            raise QueryFailure(reason, NO_TABLE)
        return table

    def declare(self, statement, database):
        """Does a DDL statement; QueryFailure where it cannot be done."""
        kind = (statement.args.get("kind") or "").upper()
        name = statement.find(exp.Table)
        with self.lock:
            if isinstance(statement, exp.Create) and kind in ("DATABASE", "SCHEMA"):
                self.databases.add(name.name.lower())
            elif isinstance(statement, exp.Create) and kind == "TABLE":
                self.create(statement, name, database)
            elif isinstance(statement, exp.Drop) and kind == "TABLE":
                self.drop(statement, name, database)
            elif isinstance(statement, exp.Describe):
                self.describe(name, database)
            else:
                raise QueryFailure(f"NOT_SUPPORTED: the stand-in has no {statement.key} {kind}", DDL)

    def create(self, statement, name, database):
        table = table_of(statement, (name.db or database).lower())
        if table.database not in self.databases:
            reason = f"FAILED: SemanticException [Error 10072]: Database does not exist: {table.database}"
            raise QueryFailure(reason, DDL)
        key = (table.database, table.name)
        if key in self.tables and not statement.args.get("exists"):
            reason = f"FAILED: Execution Error: AlreadyExistsException(message:Table {table.name} already exists)"
            raise QueryFailure(reason, DDL)
        self.tables.setdefault(key, table)

    def describe(self, name, database):
        """Says that a table is there; its columns are not written down."""
        if ((name.db or database).lower(), name.name.lower()) not in self.tables:
            raise QueryFailure(f"FAILED: SemanticException [Error 10001]: Table not found {name.name}", DDL)

    def drop(self, statement, name, database):
        key = ((name.db or database).lower(), name.name.lower())
        if self.tables.pop(key, None) is None and not statement.args.get("exists"):
            raise QueryFailure(f"FAILED: SemanticException [Error 10001]: Table not found {name.name}", DDL)


def table_of(statement, database):
    """The table that a CREATE EXTERNAL TABLE declares."""
    schema = statement.this
    found = {"serde": {}, "partitions": {}, "location": "", "properties": {}, "format": "", "external": False}
    properties = statement.args.get("properties")
    for one in properties.expressions if properties else []:
        take(found, one)
    if not found.pop("external") or not isinstance(schema, exp.Schema):
        raise QueryFailure("NOT_SUPPORTED: the stand-in knows CREATE EXTERNAL TABLE with columns only", DDL)
    if found.pop("format") != OPENX:
        raise QueryFailure(f"NOT_SUPPORTED: the stand-in knows the SerDe {OPENX} only", DDL)
    if not found["location"].startswith("s3://") or not found["location"].endswith("/"):
        raise QueryFailure("FAILED: a LOCATION begins with s3:// and ends with a slash", DDL)
    columns = {column.name.lower(): type_of(column.args["kind"]) for column in schema.expressions}
    return Table(database, schema.this.name.lower(), columns, **found)


def take(found, one):
    """Takes over one of a declaration's properties."""
    if isinstance(one, exp.ExternalProperty):
        found["external"] = True
    elif isinstance(one, exp.PartitionedByProperty):
        found["partitions"] = {column.name.lower(): type_of(column.args["kind"]) for column in one.this.expressions}
    elif isinstance(one, exp.RowFormatSerdeProperty):
        found["format"] = one.this.name
        serde = one.args.get("serde_properties")
        found["serde"] = texts(serde.expressions if serde else [])
    elif isinstance(one, exp.LocationProperty):
        found["location"] = one.this.name
    elif type(one) is exp.Property:
        found["properties"].update(texts([one]))


def texts(properties):
    """Properties with text keys and values."""
    found = {}
    for one in properties:
        key = one.this
        found[key.name if isinstance(key, exp.Expression) else str(key)] = one.args["value"].name
    return found


def type_of(kind):
    """A column's type; QueryFailure where this stand-in has no use for it."""
    if kind.this == exp.DataType.Type.ARRAY:
        return ("array", type_of(kind.expressions[0]))
    if kind.this == exp.DataType.Type.MAP:
        return ("map", type_of(kind.expressions[0]), type_of(kind.expressions[1]))
    if kind.this == exp.DataType.Type.STRUCT:
        return ("struct", {field.name.lower(): type_of(field.args["kind"]) for field in kind.expressions})
    if kind.this in SIMPLE:
        return (SIMPLE[kind.this],)
    raise QueryFailure(f"NOT_SUPPORTED: the stand-in has no column type {kind.sql()}", DDL)


def duck_type(kind):
    if kind[0] == "array":
        return f"{duck_type(kind[1])}[]"
    if kind[0] == "map":
        return f"MAP({duck_type(kind[1])}, {duck_type(kind[2])})"
    if kind[0] == "struct":
        return "STRUCT(" + ", ".join(f'"{name}" {duck_type(field)}' for name, field in kind[1].items()) + ")"
    return DUCK[kind[0]]


def string_fields(kind):
    if kind[0] == "array":
        return string_fields(kind[1])
    if kind[0] != "struct":
        return set()
    found = {name for name, field in kind[1].items() if field == ("string",)}
    return found.union(*(string_fields(field) for field in kind[1].values()))
