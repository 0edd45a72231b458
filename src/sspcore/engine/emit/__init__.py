"""Emitters: from the nodes of a plan to the source of the functions that keep its value, one kind of node a file.
They know plans and rows; compiling what they write is `codegen`'s, running it is `engine/program`'s."""
