"""Each tool behind the same protocol, run in its own environment: folders of tables in, alarms per table out."""
