"""Where the shards of a manifest are predicted: one module for each cluster that starts workers for them."""
