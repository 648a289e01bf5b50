"""The files that let facemon run by itself: one module for each scheduler that can start it."""
