"""What may be given to predict instead of an image."""
