"""facemon from Python: what the commands do, in a program of one's own."""
