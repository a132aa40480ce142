"""Partition projection: from a table's properties and a query's conditions to the objects that are read."""

import itertools
import re
from collections import namedtuple
from datetime import UTC, date, datetime, timedelta

from moto.s3.models import FakeDeleteMarker

from ..fixture import buckets
from ..motoed import keys_under
from .failure import REJECTED, SCHEMA, QueryFailure

# Undocumented: 694 values are known to have been taken and 2,130 refused.
MOST_INJECTED = 1000
MOST_PARTITIONS = 1_000_000

Found = namedtuple("Found", "key path stored partition")


def objects(world, scan):
    """The objects that a scan reads, with their partitions' values."""
    table = scan.table
    if table.properties.get("projection.enabled") != "true":
        # Without projection a table has the partitions that somebody added, and nobody can here.
        return []
    lists = [column_values(world, scan, column) for column in table.partitions]
    total = 1
    for one in lists:
        total *= len(one)
    if total > MOST_PARTITIONS:
        words = f"Query over table '{table.name}' can potentially read more than {MOST_PARTITIONS} partitions"
        reason = f"HIVE_EXCEEDED_PARTITION_LIMIT: {words}"
        raise QueryFailure(reason, REJECTED)
    return list(listed(world, scan, lists))


def listed(world, scan, lists):
    table = scan.table
    template = table.properties.get("storage.location.template") or default_template(table)
    bucket, _, prefix_template = template.removeprefix("s3://").partition("/")
    if bucket not in buckets(world).buckets:
        return
    held = buckets(world).buckets[bucket].keys
    keys = sorted(held)
    for values in itertools.product(*lists):
        partition = dict(zip(table.partitions, values, strict=True))
        prefix = re.sub(r"\$\{(\w+)\}", lambda match, known=partition: known[match[1].lower()], prefix_template)
        prefix = prefix if prefix.endswith("/") else prefix + "/"
        for key in keys_under(keys, prefix):
            path = f"s3://{bucket}/{key}"
            hidden = key.rpartition("/")[2].startswith(("_", ".")) or isinstance(held[key], FakeDeleteMarker)
            if not hidden and (scan.paths is None or path in scan.paths):
                yield Found(key, path, held[key], partition)


def default_template(table):
    return table.location + "".join(f"{name}=${{{name}}}/" for name in table.partitions)


def column_values(world, scan, column):
    """The values of a partition column that a query may read, in order."""
    properties = scan.table.properties
    kind = properties.get(f"projection.{column}.type")
    narrowed = scan.values[column]
    if kind == "injected":
        return injected(scan, column)
    if kind == "enum":
        known = [value.strip() for value in properties.get(f"projection.{column}.values", "").split(",")]
        return [value for value in known if narrowed is None or value in narrowed]
    if kind == "date":
        return days(world, scan, column, properties)
    raise QueryFailure(f"INVALID_TABLE_PROPERTY: the stand-in has no projection type {kind!r} of {column}", SCHEMA)


def injected(scan, column):
    reason = (
        f"CONSTRAINT_VIOLATION: For the injected projected partition column {column}, the WHERE clause must contain "
        "only static equality conditions, and at least one such condition must be present."
    )
    narrowed = scan.values[column]
    if not narrowed or column in scan.compared:
        raise QueryFailure(reason, REJECTED)
    if len(narrowed) > MOST_INJECTED:
        raise QueryFailure(reason + " Predicates provided cannot be converted to a valid partition.", REJECTED)
    return sorted(narrowed)


def days(world, scan, column, properties):
    """Days of a date column. Its texts have no order that is the days' own, so an order of them is refused."""
    form = properties.get(f"projection.{column}.format", "yyyy-MM-dd")
    if column in scan.compared and re.search(r"(?<!M)M(?!M)|(?<!d)d(?!d)", form):
        reason = f"CONSTRAINT_VIOLATION: {column} has the format {form}, whose texts do not sort by day: name each day"
        raise QueryFailure(reason, REJECTED)
    start, _, end = properties.get(f"projection.{column}.range", "").partition(",")
    first, last = bound(world, start, form), bound(world, end, form)
    if scan.values[column] is not None:
        read = {value: parsed(value, form) for value in scan.values[column]}
        return sorted(value for value, day in read.items() if day and first <= day <= last)
    return [written(first + timedelta(days=number), form) for number in range((last - first).days + 1)]


def bound(world, text, form):
    """One end of a range: a day in the column's format, or NOW with so many days or years off."""
    text = text.strip()
    now = re.fullmatch(r"NOW(?:\s*([+-])\s*(\d+)\s*(DAY|YEAR)S?)?", text)
    if now:
        today = world.part("athena").get("today")
        day = date.fromisoformat(today) if today else datetime.now(UTC).date()
        if now[1]:
            days_off = int(now[2]) * (365 if now[3] == "YEAR" else 1)
            day += timedelta(days=days_off if now[1] == "+" else -days_off)
        return day
    day = parsed(text, form)
    if day is None:
        raise QueryFailure(f"INVALID_TABLE_PROPERTY: {text!r} is no day in the format {form}", SCHEMA)
    return day


def parsed(text, form):
    """The day of a text; none unless the format writes that day just so."""
    pattern = re.sub(
        r"y+|M+|d+", lambda match: f"(?P<{match[0][0]}>\\d+)", re.sub(r"([.\\+*?()\[\]{}|^$])", r"\\\1", form)
    )
    match = re.fullmatch(pattern, text)
    try:
        day = date(int(match["y"]), int(match["M"]), int(match["d"])) if match else None
    except ValueError:
        return None
    return day if day and written(day, form) == text else None


def written(day, form):
    numbers = {"y": day.year, "M": day.month, "d": day.day}
    return re.sub(r"y+|M+|d+", lambda match: f"{numbers[match[0][0]]:0{len(match[0])}d}", form)
