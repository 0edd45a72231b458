"""The kit for authors of plugins: laws by name, a small runtime to drive a plugin through, and who is to blame.

It refuses to use the library's own ingress and queues, so that a verdict is about the plugin alone.
"""
