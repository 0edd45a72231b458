"""What values are and how they compare, Z-sets and streams, exact sums: everything above stands on these laws.

This room knows nothing of tables, plans or circuits.
"""
