"""The network edge: one port that speaks HTTP, WebSocket and serves the live page of a running runtime.

It translates between peers and the runtime; it refuses to decide what a view holds or what a message means.
"""
