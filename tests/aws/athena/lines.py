"""The OpenX JSON SerDe: what a table's columns see of an object's lines.

A line is a row, and a delivered file is one line. A nested object under a string column is its JSON text. Names of
members are as `mapping.COLUMN` gives them; unless `case.insensitive` is false they are lowered first, which makes
`Environment` and `environment` the same key twice, and that is an error as it is at Athena.
"""

import gzip
import json
import zlib

from .failure import DATA, QueryFailure

LARGEST_ROW = 32 * 1024 * 1024


def rows(table, path, packed):
    """Yields an object's rows as dictionaries by column; QueryFailure where Athena cannot read it."""
    for line in lines(path, packed):
        try:
            value = json.loads(line.decode("utf-8", "replace"), object_pairs_hook=members(table))
        except (ValueError, RecursionError) as error:
            if table.serde.get("ignore.malformed.json") == "true":
                yield dict.fromkeys(table.columns)
                continue
            raise failed(path, f"Row is not a valid JSON Object - JSONException: {error}") from None
        if not isinstance(value, dict):
            raise failed(path, "Row is not a valid JSON Object")
        yield {name: decoded(value.get(spelled(table, name)), kind, table) for name, kind in table.columns.items()}


def lines(path, packed):
    if len(packed) == 0:
        return []
    try:
        text = gzip.decompress(packed) if path.endswith(".gz") else packed
    except EOFError:
        raise failed(path, "Unexpected end of input stream") from None
    except (OSError, zlib.error) as error:
        word = "incorrect header check" if "gzip" in str(error) else "incorrect data check"
        raise failed(path, word) from None
    found = text.split(b"\n")
    for line in found:
        if len(line) > LARGEST_ROW:
            raise failed(path, f"a row of {len(line)} bytes is larger than {LARGEST_ROW} bytes")
    return [line for line in found if line.strip()]


def failed(path, word):
    return QueryFailure(f"HIVE_CURSOR_ERROR: {word} (object {path})", DATA)


def insensitive(table):
    return table.serde.get("case.insensitive", "true") != "false"


def members(table):
    """How an object's members become a dictionary."""
    if not insensitive(table):
        return dict

    def lowered(pairs):
        found = {}
        for name, value in pairs:
            if name.lower() in found:
                raise ValueError(f"Duplicate key {name.lower()!r}")
            found[name.lower()] = value
        return found

    return lowered


def spelled(table, column):
    name = table.serde.get(f"mapping.{column}", column)
    return name.lower() if insensitive(table) else name


def decoded(value, kind, table):
    """A JSON value as a column's type; what does not fit is NULL."""
    if value is None:
        return None
    word = kind[0]
    if word == "string":
        return text(value)
    if word == "array":
        return [decoded(one, kind[1], table) for one in value] if isinstance(value, list) else None
    if word == "struct":
        if not isinstance(value, dict):
            return None
        return {name: decoded(value.get(spelled(table, name)), field, table) for name, field in kind[1].items()}
    if word == "map":
        return {name: decoded(one, kind[2], table) for name, one in value.items()} if isinstance(value, dict) else None
    return number(value, word)


def text(value):
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def number(value, word):
    if word == "boolean":
        return value if isinstance(value, bool) else None
    try:
        return float(value) if word == "double" else int(value)
    except (TypeError, ValueError):
        return None
