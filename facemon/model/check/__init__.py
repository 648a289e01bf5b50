"""The description of a model, tried on photographs: each step, what looks wrong, and the usual other descriptions."""
