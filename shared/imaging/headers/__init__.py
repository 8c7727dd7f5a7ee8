"""Per-format header walks: what an image says of itself, read without decoding it."""
