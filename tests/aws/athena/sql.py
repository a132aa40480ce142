"""From Athena's SQL to DuckDB's: one statement, parameters in their places, tables replaced by what may be read."""

import re
from dataclasses import dataclass, field

import sqlglot
from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.scope import traverse_scope
from sqlglot.tokens import TokenType

from . import predicates, strict
from .catalog import Table
from .failure import SYNTAX, Malformed, QueryFailure

# sqlglot loads a dialect when it is first named, and knows it by its name before it is finished. A second thread that names
# it meanwhile would translate by no engine's rules, so all of them are loaded before there is a second thread.
for name in ("athena", "hive", "trino", "duckdb"):
    Dialect.get_or_raise(name)

DDL_WORDS = ("CREATE", "DROP", "ALTER", "MSCK", "SHOW", "DESCRIBE")
LITERAL = re.compile(
    r"^\s*((DATE|TIMESTAMP)?\s*'(?:[^']|'')*'|[+-]?\d+(\.\d*)?([eE][+-]?\d+)?|TRUE|FALSE|NULL)\s*$", re.IGNORECASE
)
MACROS = """
create macro athena_json(text, path) as case when json_valid(text) then json_extract(text, path) end;
create macro athena_json_scalar(text, path) as
    case when json_valid(text) and json_type(text, path) not in ('OBJECT', 'ARRAY')
        then json_extract_string(text, path) end;
create macro json_size(text, path) as case when json_valid(text) then json_array_length(text, path) end;
create macro to_iso8601(moment) as strftime(moment, '%Y-%m-%dT%H:%M:%S.%gZ');
"""


@dataclass
class Scan:
    """One mention of a table in a query, with what the query's conditions leave of its partitions."""

    name: str
    table: Table
    values: dict = field(default_factory=dict)
    compared: set = field(default_factory=set)
    paths: set | None = None


@dataclass
class Prepared:
    """A query for DuckDB: its tables are views named as its scans."""

    sql: str
    scans: list
    names: list | None


def is_ddl(text):
    word = re.match(r"(?:\s|--[^\n]*\n|/\*.*?\*/)*(\w+)", text, re.DOTALL)
    return bool(word) and word[1].upper() in DDL_WORDS


def statement(text):
    """The one statement of a text and its tokens; Malformed where it is none."""
    try:
        tokens = sqlglot.tokenize(text, read="athena")
        found = [one for one in sqlglot.parse(text, read="athena") if one is not None]
    except SqlglotError as error:
        raise Malformed(f"line 1:1: {str(error).splitlines()[0]}") from None
    if len(found) != 1:
        raise Malformed(f"line 1:1: only one statement is allowed, not {len(found)}")
    if not is_ddl(text):
        if not isinstance(found[0], exp.Query):
            raise Malformed(f"line 1:1: the stand-in has no {found[0].key}")
        strict.refuse_syntax(text, tokens, found[0])
    return found[0], tokens


def with_parameters(text, parameters):
    """The query with its parameters in their places. They are SQL themselves: a string carries its own quotes."""
    places = [token for token in sqlglot.tokenize(text, read="athena") if token.token_type == TokenType.PLACEHOLDER]
    if len(places) != len(parameters):
        words = f"Incorrect number of parameters: expected {len(places)} but found {len(parameters)}"
        raise QueryFailure(f"INVALID_PARAMETER_USAGE: {words}", SYNTAX)
    for number, parameter in enumerate(parameters, 1):
        if not LITERAL.match(parameter):
            reason = (
                f"SYNTAX_ERROR: parameter {number} is no literal (a string carries its own quotes): {parameter[:100]}"
            )
            raise QueryFailure(reason, SYNTAX)
    for token, parameter in reversed(list(zip(places, parameters, strict=True))):
        text = text[: token.start] + parameter + text[token.end + 1 :]
    return text


def prepare(text, parameters, catalog, database):
    """Translates a query; QueryFailure where Athena's planner would refuse it."""
    tree, tokens = statement(with_parameters(text, parameters))
    strict.refuse_functions(tokens, tree)

    def table(source):
        return catalog.find(source.db or database, source.name)

    # An UNNEST is a scope of its own, which sees its SELECT's tables too.
    selects = [scope for scope in traverse_scope(tree) if isinstance(scope.expression, exp.Select)]
    for scope in selects:
        strict.refuse_aliases(scope, table)
    scans = []
    for scope in selects:
        for name, source in scope.sources.items():
            if isinstance(source, exp.Table):
                scans.append(scan(scope, name, source, table(source), len(scans)))
    strict.refuse_types(tree, [one.table for one in scans])
    names = output_names(tree)
    cure(tree)
    return Prepared(tree.sql(dialect="duckdb", comments=False), scans, names)


def scan(scope, name, source, table, number):
    """Takes a table's place in the query by a view of what may be read of it."""
    found = Scan(f"scan_{number}", table)
    conditions = predicates.conditions(scope.expression, source)
    qualifiers = ("", name.lower())
    for column in table.partitions:
        found.values[column] = predicates.values(conditions, (column, qualifiers))
        if predicates.compares(conditions, (column, qualifiers)):
            found.compared.add(column)
    found.paths = predicates.values(conditions, ("$path", qualifiers))
    source.replace(exp.to_table(found.name, alias=exp.TableAlias(this=exp.to_identifier(name, quoted=True))))
    return found


def output_names(tree):
    """The names of the result's columns as Athena gives them; none where a star stands for some."""
    names = []
    for number, one in enumerate(tree.selects):
        if one.is_star:
            return None
        named = isinstance(one, (exp.Alias, exp.Column, exp.Dot))
        names.append(one.alias_or_name.lower() if named else f"_col{number}")
    return names


def cure(tree):
    """Replaces what DuckDB does otherwise than Athena."""
    for node in list(tree.find_all(exp.JSONExtractScalar, exp.JSONExtract)):
        macro = "athena_json_scalar" if isinstance(node, exp.JSONExtractScalar) else "athena_json"
        path = node.expression
        if isinstance(path, exp.JSONPath):
            path = sqlglot.parse_one(path.sql(dialect="trino"), read="trino")
        node.replace(exp.Anonymous(this=macro, expressions=[node.this, path]))
