"""What happens when a circuit is slower than its producers: the mailbox as a state machine, and the policies.

Refuses to wait, to read a clock and to look into what is queued: time is an argument, batches are opaque.
"""
