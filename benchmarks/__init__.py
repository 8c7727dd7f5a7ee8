"""Measured claims: each module prints a table of ours against named baselines in the same run."""
