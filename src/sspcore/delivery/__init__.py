"""What leaves a circuit: the stage on which one runs before its subscribers, and each subscriber's outbox.

Refuses to wait, and to know sockets and tasks: an outbox is asked for what there is, and calls when there is more.
"""
