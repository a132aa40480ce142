"""Refuses what DuckDB would run though Athena does not, before DuckDB sees it.

Not everything: types are looked at only where a string column meets a number. What passes here may still fail at Athena
for a type that DuckDB converts by itself, as in `'a' || 1` or a UNION of a string and a number.
"""

import itertools

from sqlglot import exp
from sqlglot.tokens import TokenType

from .failure import SYNTAX, Malformed, QueryFailure

# Functions of Trino, by name. One that is missing here and known to Athena is to be added, with a test of its result.
NAMES = """
    abs all_match any_match approx_distinct approx_percentile arbitrary array_agg array_distinct array_except
    array_intersect array_join array_max array_min array_position array_remove array_sort array_union arrays_overlap
    avg bool_and bool_or cardinality cast ceil ceiling checksum chr coalesce codepoint concat concat_ws contains
    count count_if date date_add date_diff date_format date_parse date_trunc day day_of_month day_of_week
    day_of_year dense_rank element_at ends_with every filter first_value flatten floor format format_datetime
    from_iso8601_date from_iso8601_timestamp from_unixtime from_utf8 greatest histogram hour if is_json_scalar
    json_array_contains json_array_get json_array_length json_extract json_extract_scalar json_format json_parse
    json_size lag last_value lead least length levenshtein_distance listagg lower lpad ltrim map map_agg map_concat
    map_entries map_filter map_from_entries map_keys map_values max max_by md5 millisecond min min_by minute mod
    month none_match nth_value ntile nullif parse_datetime power quarter random rank reduce regexp_count
    regexp_extract regexp_extract_all regexp_like regexp_replace repeat replace reverse round row row_number rpad
    rtrim second sequence sha1 sha256 shuffle sign slice split split_part split_to_map sqrt starts_with strpos
    substr substring sum timestamp to_base64 to_hex to_iso8601 to_unixtime to_utf8 transform trim truncate
    try try_cast typeof unnest upper url_extract_host url_extract_path uuid week year zip
"""
FUNCTIONS = frozenset(NAMES.split())
FOREIGN_TOKENS = {TokenType.DCOLON: "::", TokenType.DARROW: "->>", TokenType.ILIKE: "ILIKE"}
FOREIGN_NODES = (exp.Qualify, exp.ILike, exp.Pivot, exp.ReadCSV, exp.Command, exp.Slice)
# Parts of a statement that only other engines have: where, and the argument that is then set.
FOREIGN_PARTS = [
    (exp.Distinct, "on", "DISTINCT ON"),
    (exp.Star, "except_", "EXCEPT"),
    (exp.Star, "except", "EXCLUDE"),
    (exp.Star, "replace", "REPLACE"),
    (exp.Star, "rename", "RENAME"),
    (exp.Group, "all", "GROUP BY ALL"),
    (exp.SetOperation, "by_name", "BY NAME"),
    (exp.Join, "method", "JOIN of another kind"),
]


def refuse_syntax(text, tokens, tree):
    """Malformed where a query is written as Athena's parser does not read it."""
    for token in tokens:
        where = f"line {token.line}:{token.col}"
        if token.token_type in FOREIGN_TOKENS:
            raise Malformed(f"{where}: mismatched input '{FOREIGN_TOKENS[token.token_type]}'")
        if text[token.start] == "`":
            raise Malformed(
                f"{where}: backquoted identifiers are not supported; use double quotes to quote identifiers"
            )
    foreign = tree.find(*FOREIGN_NODES)
    if foreign is not None:
        raise Malformed(f"line 1:1: mismatched input '{foreign.key}'")
    for kind, argument, word in FOREIGN_PARTS:
        if any(node.args.get(argument) for node in tree.find_all(kind)):
            raise Malformed(f"line 1:1: mismatched input '{word}'")


def refuse_functions(tokens, tree):
    """Refuses calls of functions that Trino does not have. By the text's words, as sqlglot knows every engine's."""
    aliases = {alias.name.lower() for alias in tree.find_all(exp.TableAlias)}
    for token, following in itertools.pairwise(tokens):
        called = token.token_type == TokenType.VAR and following.token_type == TokenType.L_PAREN
        name = token.text.lower()
        if called and name not in aliases and name not in FUNCTIONS:
            where = f"line {token.line}:{token.col}"
            raise QueryFailure(f"FUNCTION_NOT_FOUND: {where}: Function '{token.text}' not registered", SYNTAX)


def refuse_aliases(scope, tables):
    """Refuses a SELECT's own aliases elsewhere than in ORDER BY, where alone Athena knows them."""
    available = set()
    for source in scope.sources.values():
        found = columns_of(source, tables)
        if found is None:
            return
        available |= found
    select = scope.expression
    aliases = {one.alias.lower() for one in select.expressions if isinstance(one, exp.Alias)} - available
    having = select.args.get("having")
    columns = [*scope.columns, *(having.find_all(exp.Column) if having else [])]
    for column in columns:
        if not column.table and column.name.lower() in aliases:
            reason = (
                f"COLUMN_NOT_FOUND: line 1:1: Column '{column.name}' cannot be resolved or requester is not authorized"
            )
            raise QueryFailure(reason, SYNTAX)


def columns_of(source, tables):
    """The names that a source offers; none where they cannot be told."""
    if isinstance(source, exp.Table):
        return set(tables(source).duck_columns())
    expression = source.expression
    if not isinstance(expression, exp.Query):
        alias = expression.args.get("alias")
        return {column.name.lower() for column in alias.columns} if alias else None
    names = {name.lower() for name in expression.named_selects}
    return None if "*" in names else names


def refuse_types(tree, tables):
    """Refuses a comparison of a string column with a number, which Athena does not convert as DuckDB would."""
    strings = set().union(*(table.string_names() for table in tables))
    for one in tree.find_all(exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.In, exp.Between):
        operands = [one.this, *one.expressions, *(one.args.get(name) for name in ("expression", "low", "high"))]
        operands = [operand.unnest() for operand in operands if isinstance(operand, exp.Expression)]
        names = {operand.name.lower() for operand in operands if isinstance(operand, (exp.Column, exp.Dot))}
        number = any(isinstance(operand, (exp.Literal, exp.Neg)) and not operand.is_string for operand in operands)
        if names & strings and number:
            shown = one.sql("athena")[:200]
            reason = f"TYPE_MISMATCH: line 1:1: Cannot apply operator: varchar and a number in {shown}"
            raise QueryFailure(reason, SYNTAX)
