"""Incremental operators: one file each, its equation first; a network of them keeps one view.

This room knows deltas of keyed rows and plan nodes; it knows no circuits, versions or subscribers.
"""
