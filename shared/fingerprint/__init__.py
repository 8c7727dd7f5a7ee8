"""Fingerprints: how an artwork is known again, and what near to it means."""
