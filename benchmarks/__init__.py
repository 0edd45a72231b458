"""What things cost, beside other programs that do the same, every result checked before its time is told.
Measured through the public API and in processes of their own; refuses to know how the engine works inside."""
