"""The public kit for tests of programs and plugins: generators of plans and histories, and the oracle to judge by.

It refuses to be imported by the library itself; hypothesis is needed only for `strategies`.
"""
