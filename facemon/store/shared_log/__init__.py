"""A log in object storage that many machines write: deliveries of shards, which a store collects."""
