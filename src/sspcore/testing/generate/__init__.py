"""Generators of values, schemas, rows, expressions, plans and histories, each a plain function of a `Choices`.

They refuse to know hypothesis: `testing/strategies.py` feeds them choices that shrink, a soak test feeds a seed.
"""
