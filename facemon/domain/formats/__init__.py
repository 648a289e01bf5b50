"""The formats of images: by which file names and beginnings they are recognized, and what each needs installed."""
