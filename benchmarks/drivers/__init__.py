"""One program per subject: it keeps a workload's views up to date and times itself.
They know the form of a task (`clock.py`), their own engine, and nothing of each other; peers' Pythons run them too."""
