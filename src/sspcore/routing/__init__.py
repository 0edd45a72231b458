"""Which circuits must a change reach: the strategies, and the guard that makes their faults harmless.

Refuses to know queues, to hold rows, and to decide what a view shows: a strategy saves work, nothing else.
"""
