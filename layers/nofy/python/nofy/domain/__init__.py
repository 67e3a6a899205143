"""What Nofy means, in the standard library alone: no I/O, no clock, no randomness of its own."""
