"""`sspcore bench routing`: the routing strategies side by side, and the index they stand on."""
