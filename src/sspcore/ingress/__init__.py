"""How changes get in: base tables, the one synchronous step that admits a batch, and what late circuits are given.

Refuses to wait, to open tasks and to know subscribers; time is an argument.
"""
