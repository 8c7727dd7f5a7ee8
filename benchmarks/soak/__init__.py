"""``make soak``: everything at once, with faults, for long; then every promise is looked at."""
