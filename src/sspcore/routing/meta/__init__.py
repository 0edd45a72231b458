"""Routing by SQL: placement is data, and views over it say which circuit holds which rows.

Refuses to know queues and base tables, as its neighbours do; it keeps the rows of the placement tables, and no others.
"""
