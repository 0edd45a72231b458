"""The one place that awaits: tasks for circuits, parked producers, subscriptions, restarts, clocks.

Refuses to decide: what must be right is asked of the pure rooms, and obeyed.
"""
