"""Charts as static SVG, drawn by Lets-Plot: each as a figure with a title, a description and a table of its numbers."""
