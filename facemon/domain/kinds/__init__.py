"""The kinds of attributes, one file each: what a kind fills of the log, and how it is read, scored and shown."""
