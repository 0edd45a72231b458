"""Telling a view's id from a query, and naming the view that a query nobody named stands for."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from sspcore.plan.nodes import Plan

_SQL = re.compile(r"(?:\s|\(|--[^\n]*(?:\n|$)|/\*.*?\*/)*(?:SELECT|WITH|VALUES)\b", re.IGNORECASE | re.DOTALL)


def is_sql(text: str) -> bool:
    """Whether text that is no view's id is meant as SQL: it starts with SELECT, WITH or VALUES, comments apart.

    >>> is_sql("  select 1"), is_sql("selection")
    (True, False)
    """
    return _SQL.match(text) is not None


def name_of(query: str | Plan, params: Mapping[str, Any] | None, format: str = "rows") -> str:
    """The id of the view that subscribers to the same query, parameters and format share.

    >>> name_of("SELECT 1", None) == name_of(" SELECT 1 ", {})
    True
    """
    text = query.strip() if isinstance(query, str) else repr(query)
    values = sorted((name, type(value).__name__, repr(value)) for name, value in (params or {}).items())
    asked = repr((text, values, format)).encode("utf-8", "surrogatepass")
    return "query-" + hashlib.blake2b(asked, digest_size=8).hexdigest()
