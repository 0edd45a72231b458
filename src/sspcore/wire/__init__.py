"""What crosses a socket or stands in a file: messages, values and both ends of the protocol, as plain Python values.

Refuses to know sockets, tasks, clocks and HTTP: bytes and objects come in as arguments, plain values go out.
"""
