"""`sspcore bench engine`: what keeping views up to date costs, beside other engines on the same data in the same run.
It speaks to every subject through a program of its own (`drivers/`), and tells no time of an unchecked answer."""
