"""What runs and carries the functions."""
