"""A drift result in the formats that people and other programs read: pure functions of the result."""
