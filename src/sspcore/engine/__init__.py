"""The incremental engine: tables, changes, plans at work, views and their updates, one circuit at a time.

This room is synchronous and deterministic: it knows no tasks, clocks, files or sockets.
"""
