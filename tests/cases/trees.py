"""The tree queries of the external cases as queries of the builder, and nested rows as plain lists and mappings."""

from functools import reduce
from operator import and_, or_

import sspcore
from sspcore.algebra.values import FrozenObject
from sspcore.plan.terms import call, term

COMPARISONS = {"=": "=", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}


def tree_query(spec):
    """A builder query that means what `casekit.tree` says of a spec: NULL sorts smallest."""
    query = sspcore.query(spec["table"])
    if spec.get("where"):
        query = query.where(condition(spec["where"]))
    if spec.get("start"):
        query = query.where(from_row_on(spec["order"], **spec["start"]))
    for related in spec.get("related", ()):
        query = query.related(
            related["as"], tree_query(related["query"]), one=related.get("one", False), **way(related)
        )
    for name, direction in spec.get("order") or ():
        column = sspcore.col(name)
        query = query.order_by(column.asc(nulls_first=True) if direction == "asc" else column.desc(nulls_first=False))
    limit = 1 if spec.get("one") else spec.get("limit")
    return query if limit is None else query.limit(limit)


def way(related):
    """From a parent to its children: equal columns, or a junction."""
    on = dict(related["on"])
    return {"on": on, "via": related["via"], "then": dict(related["then"])} if "via" in related else {"on": on}


def condition(given):
    """A condition on one row as a term."""
    for word, joined, neutral in (("and", and_, True), ("or", or_, False)):
        if word in given:
            return reduce(joined, [condition(part) for part in given[word]], term(neutral))
    for word in ("exists", "not_exists"):
        if word in given:
            found = sspcore.exists(tree_query(given[word]["query"]), **way(given[word]))
            return found if word == "exists" else ~found
    column, op, value = sspcore.col(given["col"]), given["op"], given["val"]
    if op in ("IS", "IS NOT"):
        different = call("is distinct", column, value)
        return different if op == "IS NOT" else ~different
    if op in ("IN", "NOT IN"):
        found = column.is_in(value) if value else term(False)
        return found if op == "IN" else ~found
    if op in ("LIKE", "NOT LIKE"):
        return column.like(value) if op == "LIKE" else ~column.like(value)
    return call(COMPARISONS[op], column, value)


def from_row_on(order, row, exclusive=False):
    """The rows after one, or from it on, in this order."""
    places, equal = [], term(True)
    for name, direction in order:
        column, value = sspcore.col(name), row.get(name)
        if direction == "asc":
            beyond = ~column.is_null() if value is None else column > value
        else:
            beyond = term(False) if value is None else (column < value) | column.is_null()
        places.append(equal & beyond)
        equal = equal & ~call("is distinct", column, value)
    return reduce(or_, places if exclusive else [*places, equal])


def plain(value):
    """A cell as JSON has it."""
    if isinstance(value, tuple):
        return [plain(part) for part in value]
    return {name: plain(part) for name, part in value.items()} if isinstance(value, FrozenObject | dict) else value
