"""What the engine costs, against naive recomputation and SQLite, every result checked before its time is told.
It measures through the public API only, and refuses to know how the engine works inside."""
