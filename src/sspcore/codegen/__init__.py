"""Code generation: from lines of Python source to functions. Refuses to know plans, tables and what the lines are for:
`engine/emit` and the predicate index write them; this room alone compiles them."""
