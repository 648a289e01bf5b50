"""`facemon.yaml`: what it may say (the schema) and how it is read (`facemon.config.loader`)."""
