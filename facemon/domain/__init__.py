"""What features hand to each other: log rows, profiles, drift results, the metric catalogue."""
