"""Queries as values: relational plans over expressions, and the ways in (SQL, builder, JSON).

This room knows what a query means and where it is malformed; it knows no rows, tables or circuits.
"""
