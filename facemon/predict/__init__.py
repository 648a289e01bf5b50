"""A run of predictions: the images it reads, the workers, and the formats it writes."""
