"""The three jobs: dedupe, process and persist, on ports only."""
