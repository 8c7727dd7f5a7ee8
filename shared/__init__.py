"""What Platen's functions and driver share."""
