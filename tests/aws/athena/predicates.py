"""What a query's WHERE says of a table's partitions before any data is read.

As Trino does it, a condition narrows a column to a set of values where it is an equality or an IN list of literals; AND
intersects, OR joins where both sides narrow. Everything else says nothing about partitions and is left to the query.
Only conditions of the very SELECT that names the table count here; Athena's planner also moves some of an outer
SELECT's in.
"""

from sqlglot import exp

COMPARISONS = (exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between, exp.Like)


def conditions(select, table):
    """The conditions that hold for every row that a SELECT takes from a table: of WHERE and of its joins."""
    found = []
    where = select.args.get("where")
    sides = [(join.args.get("side") or "").upper() for join in select.args.get("joins") or []]
    if where and "FULL" not in sides:
        found += conjuncts(where.this)
    for join, side in zip(select.args.get("joins") or [], sides, strict=True):
        on = join.args.get("on")
        if on and (side == "" or (side == "LEFT" and join.this is table)):
            found += conjuncts(on)
    return found


def conjuncts(condition):
    condition = condition.unnest()
    if isinstance(condition, exp.And):
        return conjuncts(condition.left) + conjuncts(condition.right)
    return [condition]


def values(conditions, column):
    """The set of values that conditions leave a column, or None where they do not narrow it."""
    narrowed = None
    for condition in conditions:
        found = narrowing(condition, column)
        if found is not None:
            narrowed = found if narrowed is None else narrowed & found
    return narrowed


def narrowing(condition, column):
    condition = condition.unnest()
    if isinstance(condition, exp.And):
        return values([condition.left, condition.right], column)
    if isinstance(condition, exp.Or):
        left, right = narrowing(condition.left, column), narrowing(condition.right, column)
        return None if left is None or right is None else left | right
    if isinstance(condition, exp.EQ):
        for one, other in ((condition.left, condition.right), (condition.right, condition.left)):
            if is_column(one, column) and is_text(other):
                return {other.unnest().name}
    if isinstance(condition, exp.In) and is_column(condition.this, column):
        listed = condition.expressions
        if listed and all(is_text(one) for one in listed):
            return {one.unnest().name for one in listed}
    return None


def compares(conditions, column):
    """Whether a condition puts a column in an order or a pattern, which sets of values cannot say."""
    for condition in conditions:
        for one in condition.find_all(*COMPARISONS):
            operands = [one.this, one.args.get("expression"), one.args.get("low"), one.args.get("high")]
            if any(operand is not None and is_column(operand, column) for operand in operands):
                return True
    return False


def is_column(expression, column):
    """Whether an expression is the column itself. `column` is its name and the names that may stand before it."""
    expression = expression.unnest()
    name, qualifiers = column
    return (
        isinstance(expression, exp.Column)
        and expression.name.lower() == name
        and expression.table.lower() in qualifiers
    )


def is_text(expression):
    expression = expression.unnest()
    return isinstance(expression, exp.Literal) and expression.is_string
