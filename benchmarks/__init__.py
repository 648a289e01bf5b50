"""Measurements of facemon beside what people would write instead; `make bench` runs them all."""
