"""SQL (Postgres dialect) to plans, by an allow-list over sqlglot's syntax tree; the only room that knows sqlglot.

What is not known whole is refused with its place; nothing here optimises by statistics or runs a plan.
"""
