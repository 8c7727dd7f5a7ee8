"""Artwork in, print file out: bytes and arrays in, values out; no files, no network."""
