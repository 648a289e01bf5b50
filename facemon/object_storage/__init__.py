"""Objects in cloud storage, read by their addresses."""
