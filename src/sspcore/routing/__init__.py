"""Which circuits must a change reach: the strategies, and the guard that makes their faults harmless.

Refuses to know queues and to hold rows. A strategy saves work, nothing else, unless it is a partition: then circuits
hold shares, and views are views of these.
"""
