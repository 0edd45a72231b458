"""The predicate index: which of many registered predicates a row satisfies, before or after a change.

Refuses to know who registered them: the ids may be views, families or circuits.
"""
