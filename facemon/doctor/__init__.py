"""What is looked at when something is wrong: one module for each area, from the configuration to Grafana."""
